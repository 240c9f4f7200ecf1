"""Hair: which cut and colour, its texture, and the loose layers that break up its outline."""

from dataclasses import dataclass

import cv2
import numpy as np

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.shape import Identity
from pretrain_synthetic.heads.skin import smooth_field
from pretrain_synthetic.heads.styles import Style, sample_style

LONG_CUTS = {"bob02": 0.1, "long01": 0.38, "braid01": 0.18, "ponytail01": 0.24}
SHORT_CUTS = {"short01": 0.3, "short02": 0.25, "short03": 0.1, "short04": 0.25, "afro01": 0.22}
CURLY = "hair_afro01"
KINDS = ("bald", "buzz", "short", "long")
_GROWN = 0.85
"""Share of short and long hair that grows; the rest wears a mesh."""
_KIND_SHARES = {"female": (0.01, 0.03, 0.24, 0.72), "male": (0.1, 0.2, 0.5, 0.2)}
_COLOURS = {  # linear RGB and how often
    "black": ((0.018, 0.015, 0.013), 4),
    "dark brown": ((0.035, 0.020, 0.012), 4),
    "brown": ((0.09, 0.048, 0.024), 3),
    "auburn": ((0.13, 0.045, 0.018), 1),
    "blond": ((0.36, 0.24, 0.11), 2),
    "dark blond": ((0.19, 0.12, 0.06), 2),
    "red": ((0.24, 0.07, 0.02), 1),
    "grey": ((0.27, 0.27, 0.27), 1),
    "white": ((0.58, 0.57, 0.54), 0.6),
}
_FAIR, _AGED = slice(2, 7), slice(7, 9)
_EAR_Y = -0.5
"""Decimetres, lower end of the ears."""
_SKULL_CENTRE = np.array([0, 0.3, -0.75])
_STRAIGHT_LAYERS = ((0.03, 0.75), (0.06, 0.9), (0.1, 0.96))
_CURLY_LAYERS = ((0.05, 0.985), (0.1, 0.99), (0.15, 0.995), (0.2, 1.0))


@dataclass(frozen=True)
class Cut:
    """A hair cut on a head."""

    kind: str
    """One of KINDS, or "thin" for receding hair."""
    proxy: str | None
    """Name of the mesh; bald and buzz have none."""
    rgb: np.ndarray
    """(3,) linear."""
    scale: np.ndarray
    """(3,) about the skull's centre; negative x mirrors the cut."""
    length: float
    """Stretch below the ears."""
    style: Style | None = None
    """Hair that grows (pretrain_synthetic.heads.strands) in place of a mesh."""
    grey: float = 0.0
    """Share of white strands in grown hair."""

    def shape(self, points: np.ndarray) -> np.ndarray:
        """Vertices (n, 3) of the fitted mesh, scaled and stretched."""
        points = (points - _SKULL_CENTRE) * self.scale + _SKULL_CENTRE
        below = np.minimum(points[:, 1] - _EAR_Y, 0)
        points[:, 1] += below * (self.length - 1)
        return points

    def layers(self) -> list[tuple[float, tuple[float, float, float]]]:
        """Lift (decimetres) and strands (see Mesh) of the loose layers around the mesh."""
        if self.proxy == CURLY:
            return [(lift, (gaps, 700.0, 700.0)) for lift, gaps in _CURLY_LAYERS]
        return [(lift, (gaps, 1100.0, 120.0)) for lift, gaps in _STRAIGHT_LAYERS]


def sample_cut(
    rng: np.random.Generator, person: Identity, female: bool, grown_only: bool = False
) -> Cut:
    """A random cut and colour that fit the person; grown_only: no meshes of hair."""
    kind = str(rng.choice(KINDS, p=_KIND_SHARES["female" if female else "male"]))
    proxy = style = None
    if kind in ("short", "long") and (grown_only or rng.random() < _GROWN):
        _, style = sample_style(rng, female, float(person.race[0]), person.age)
        kind = "thin" if style.receding else ("long" if style.top > 1 else "short")
    elif kind in ("short", "long"):
        cuts = SHORT_CUTS if kind == "short" else LONG_CUTS
        share = np.array(list(cuts.values()))
        proxy = "hair_" + str(rng.choice(list(cuts), p=share / share.sum()))
        if kind == "short" and rng.random() < 0.5 * person.race[0]:
            proxy = CURLY
    scale = rng.uniform([0.98, 0.98, 0.98], [1.1, 1.06, 1.1]) * [rng.choice([-1, 1]), 1, 1]
    length = float(np.exp(rng.normal(0, 0.25))) if kind == "long" else 1.0
    grey = rng.beta(1, 3) if person.age > 0.75 else rng.beta(0.3, 20)
    return Cut(kind, proxy, _sample_colour(rng, person), scale, length, style, float(grey))


def _sample_colour(rng: np.random.Generator, person: Identity) -> np.ndarray:
    colours = list(_COLOURS.values())
    share = np.array([often for _, often in colours])
    share[_FAIR] *= 0.08 + person.race[2] ** 1.5
    share[_AGED] *= 8 if person.age > 0.85 else 0.15
    rgb = np.array(colours[rng.choice(len(colours), p=share / share.sum())][0])
    return rgb * np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.06, 3))


def hair_texture(rng: np.random.Generator, assets: Assets, cut: Cut) -> np.ndarray:
    """(h, w, 4) RGBA of a cut that has a mesh."""
    source = _curls(rng) if cut.proxy == CURLY else assets.texture(cut.proxy)
    return recolour(source, cut.rgb, rng.uniform(0.6, 1.1))


def recolour(image: np.ndarray, rgb: np.ndarray, contrast: float) -> np.ndarray:
    """Keep light and shade of the strands (h, w, 4), make their mean colour rgb (linear)."""
    solid = image[..., 3] > 100
    light = ((image[..., :3].astype("f4") / 255) ** 2.2).mean(-1)
    light = _spread(light, image[..., 3].astype("f4") / 255, float(light[solid].mean()))
    light = (light / max(light[solid].mean(), 1e-4)) ** contrast
    out = np.clip(light[..., None] * rgb, 0, 1) ** (1 / 2.2) * 255
    return np.dstack([out.astype(np.uint8), image[..., 3]])


def _spread(light: np.ndarray, cover: np.ndarray, default: float) -> np.ndarray:
    """Light (h, w) carried over to uncovered texels: black ones would draw a dark outline."""
    weight = cv2.GaussianBlur(cover, (0, 0), 6)
    around = cv2.GaussianBlur(light * cover, (0, 0), 6) / np.maximum(weight, 1e-3)
    return np.where(cover > 0.6, light, np.where(weight > 0.01, around, default))


def _curls(rng: np.random.Generator) -> np.ndarray:
    """Procedural curls (512, 512, 4), for the one cut that has no texture."""
    shape = (512, 512)
    noise = 0.6 * smooth_field(rng, shape, 5) + 0.5 * smooth_field(rng, shape, 14)
    light = np.clip(110 + 30 * noise, 20, 255)
    alpha = np.clip(190 + 120 * smooth_field(rng, shape, 6), 0, 255)
    return np.dstack([light, light, light, alpha]).astype(np.uint8)
