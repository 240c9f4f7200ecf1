"""Skin textures: scans mixed in texture space, toned, with freckles."""

import cv2
import numpy as np

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.shape import Identity

_RACES = ("african", "asian", "caucasian")
_AGES = {"young": 0.62, "middleage": 0.78, "old": 0.95}
_CHEEKS = (slice(400, 1000), slice(280, 560))
_FOREHEAD = (slice(660, 920), slice(300, 380))


def smooth_field(rng: np.random.Generator, shape: tuple, cell_px: int) -> np.ndarray:
    """Smooth random field (h, w), about unit normal."""
    small = rng.normal(0, 1, (shape[0] // cell_px + 3, shape[1] // cell_px + 3)).astype("f4")
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)


def sample_skin(
    rng: np.random.Generator, assets: Assets, person: Identity, bald: bool
) -> np.ndarray:
    """(h, w, 4) RGBA: three scans mixed per region, then a tone shift and freckles."""
    images, tone_log = _chosen_scans(rng, assets, person)
    h, w = images[0].shape[:2]
    levels = rng.normal([1.2, 0, -1], 0.6)
    logits = np.stack([0.8 * smooth_field(rng, (h, w), 300) + x for x in levels], -1)
    weight = np.exp(2 * logits)
    weight /= weight.sum(-1, keepdims=True)
    skin = np.exp(sum(images[k] * weight[..., k : k + 1] for k in range(3))) - 4
    if bald:
        skin = _bare_scalp(rng, assets, skin)
    tone = np.exp(rng.normal(0, 0.13)) * np.exp(rng.normal(0, [0.025, 0.012, 0.035]))
    tone *= min(1.0, 195 / (np.exp(tone_log).max() * tone.max()))  # never whiter than skin is
    red = np.array([0.006, 0.014, 0.014])
    mottle = 1 + smooth_field(rng, (h, w), 25)[..., None] * red * rng.uniform(0, 2)
    skin = 255 * (skin / 255 * tone * mottle)
    if rng.random() < 0.2:  # freckles, on light skin mostly
        spots = np.clip(smooth_field(rng, (h, w), 7) - rng.uniform(1.3, 2.0), 0, 1)
        spots *= np.clip(smooth_field(rng, (h, w), 160) + 0.3, 0, 1)
        skin *= 1 - spots[..., None] * np.array([0.18, 0.3, 0.36]) * rng.uniform(0.3, 1)
    alpha = np.full((h, w, 1), 255, np.uint8)
    return np.concatenate([np.clip(skin, 0, 255).astype(np.uint8), alpha], 2)


def _chosen_scans(
    rng: np.random.Generator, assets: Assets, person: Identity
) -> tuple[list[np.ndarray], np.ndarray]:
    """Three scans (h, w, 3) near the person, as logarithms with one mean tone (3,)."""

    def score(name: str) -> float:
        _, age, race, sex = name.split("_")[:4]
        p = 0.03 + person.race[_RACES.index(race)] ** 1.5
        p *= 0.15 + abs(person.gender - sex.startswith("female"))
        return p * (0.1 + np.exp(-(((person.age - _AGES[age]) / 0.12) ** 2)))

    names = assets.texture_names("skin_")
    p = np.array([score(n) for n in names])
    chosen = rng.choice(names, 3, replace=False, p=p / p.sum())
    images = [np.log(assets.texture(n)[..., :3].astype("f4") + 4) for n in chosen]
    means = [image[_CHEEKS].mean((0, 1)) for image in images]
    return [i - m + means[0] for i, m in zip(images, means, strict=True)], means[0]


def _bare_scalp(rng: np.random.Generator, assets: Assets, skin: np.ndarray) -> np.ndarray:
    """Paint the scalp of skin (h, w, 3) with the colour of the forehead."""
    h, w = skin.shape[:2]
    scalp = cv2.resize(assets.texture("body_masks")[..., 0], (w, h)).astype("f4")[..., None] / 255
    scalp = np.clip(cv2.GaussianBlur(scalp, (0, 0), 12)[..., None] * 1.6, 0, 1)
    forehead = np.median(skin[_FOREHEAD].reshape(-1, 3), 0)
    fine, coarse = smooth_field(rng, (h, w), 3), smooth_field(rng, (h, w), 40)
    grain = 1 + 0.02 * fine + 0.025 * coarse
    return skin * (1 - scalp) + forehead * grain[..., None] * scalp
