"""What a person looks like: skin, hair, beard, eyes, clothes; all that does not move."""

from dataclasses import dataclass

import cv2
import numpy as np

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.hair import Cut, hair_texture, recolour, sample_cut
from pretrain_synthetic.heads.scene import Skin
from pretrain_synthetic.heads.shape import Identity
from pretrain_synthetic.heads.skin import sample_skin

_ENAMEL = np.array([1.1, 1.06, 0.97])
_SCALP_STRENGTH = {"bald": 0.0, "buzz": 0.75, "short": 0.85, "long": 0.85, "thin": 0.25}


@dataclass(frozen=True)
class Look:
    """A person's surface."""

    cut: Cut
    beard: float
    """Length of the beard, 0 none to 1."""
    skin: Skin
    skin_texture: np.ndarray
    """(h, w, 4) uint8 RGBA."""
    textures: dict[str, np.ndarray]
    """Texture of each proxy that the person wears, by the proxy's name."""
    enamel: tuple[float, float, float]
    """Tint of the teeth."""


def sample_look(
    rng: np.random.Generator, assets: Assets, person: Identity, grown_only: bool = False
) -> Look:
    """A random look that fits the person's race, gender and age; grown_only: no meshes of hair."""
    female = rng.random() > person.gender
    grown_only = grown_only or not assets.proxy_names("hair_")
    cut = sample_cut(rng, person, female, grown_only)
    beard = 0.0 if female else _sample_beard(rng)
    shaven = cut.kind == "bald" or (cut.kind == "buzz" and rng.random() < 0.5)
    stubble = 0.0 if female else rng.uniform(0, 0.3) + 0.4 * min(1, beard * 2)
    painted = tuple(cut.rgb * 0.6)
    skin = Skin(
        stubble=(*painted, stubble),
        scalp=(*painted, _SCALP_STRENGTH[cut.kind]),
        gloss=float(rng.uniform(0, 1)),
    )
    return Look(
        cut,
        beard,
        skin,
        sample_skin(rng, assets, person, shaven),
        _sample_textures(rng, assets, person, cut, female),
        tuple(_ENAMEL * rng.uniform(0.8, 1.15)),
    )


def _sample_beard(rng: np.random.Generator) -> float:
    lengths = [0, rng.uniform(0, 0.25), rng.uniform(0.2, 1)]
    return float(rng.choice(lengths, p=[0.55, 0.25, 0.2]))


def _sample_textures(
    rng: np.random.Generator, assets: Assets, person: Identity, cut: Cut, female: bool
) -> dict[str, np.ndarray]:
    """Proxies with their textures: hair, brows, lashes, eyes, teeth, tongue, clothes."""
    out = {} if cut.proxy is None else {cut.proxy: hair_texture(rng, assets, cut)}
    brow, lash = f"brow_{rng.integers(1, 13):02d}", f"lash_{rng.integers(1, 5):02d}"
    if assets.proxy_names("brow_"):  # painted on the skin where there are none
        out[brow] = recolour(assets.texture(brow), cut.rgb * 0.7, 0.5)
        out[lash] = assets.texture(lash)
    light_eyes = person.race[2] * 1.2
    irises = [n for n in assets.texture_names("eye_") if "brown" in n or rng.random() < light_eyes]
    out["eyes"] = assets.texture(str(rng.choice(irises)))
    out["teeth"], out["tongue"] = assets.texture("teeth"), assets.texture("tongue")
    sex = "female" if female and rng.random() < 0.8 else "male"
    names = assets.proxy_names("clothes_" + sex) or assets.proxy_names("clothes_")
    cloth = str(rng.choice(names))
    out[cloth] = _recolour_cloth(rng, assets.texture(cloth))
    return out


def _recolour_cloth(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Random hue turn, saturation and brightness of a cloth texture (h, w, 4)."""
    hsv = cv2.cvtColor(image[..., :3], cv2.COLOR_RGB2HSV).astype("f4")
    hsv[..., 0] = (hsv[..., 0] + rng.integers(0, 180)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.1, 1.2) + rng.uniform(0, 25), 0, 255)
    brightness = np.exp(rng.normal(0, 0.35))
    hsv[..., 2] = np.clip(hsv[..., 2] * brightness + rng.choice([0, 0, 60]), 0, 235)
    return np.dstack([cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), image[..., 3]])
