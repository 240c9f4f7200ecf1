"""What hats are made of: knitted wool, twill with seams and a badge, felt or straw with a band."""

import cv2
import numpy as np

from pretrain_synthetic.heads.skin import smooth_field

_WIDE, _HIGH = 1024, 256
"""Texels around a crown and from its rim to its top."""
_LETTERS = "ABCDEFGHKLMNPRSTUVWXYZ0123456789"


def sample_crown_texture(rng: np.random.Generator, kind: str) -> np.ndarray:
    """(256, 1024, 4) uint8 RGBA of a crown: the front in the middle, the rim below."""
    draw = {"woolly": _knitted, "cap": _panelled, "brimmed": _banded}[kind]
    return _coloured(draw(rng))


def plain_texture(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """(64, 256, 4) uint8 RGBA of an even cloth of a colour (3,) uint8."""
    light = 1 + 0.06 * rng.normal(size=(64, 256, 1)).astype("f4")
    return _coloured((rgb / 255.0) ** 2.2 * light)


def _coloured(linear: np.ndarray) -> np.ndarray:
    rgb = np.clip(linear, 0, 1) ** (1 / 2.2) * 255
    return np.dstack([rgb, np.full(rgb.shape[:2], 255)]).astype(np.uint8)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) linear: greys and navy as often as bright ones."""
    hue, vivid = rng.uniform(0, 180), rng.choice([rng.uniform(0, 60), rng.uniform(60, 220)])
    value = rng.choice([rng.uniform(25, 80), rng.uniform(80, 230)])
    pixel = np.array([[[hue, vivid, value]]], np.uint8)
    return (cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0] / 255.0) ** 2.2


def _places() -> tuple[np.ndarray, np.ndarray]:
    """u around and v up of the texels, row 0 at the top."""
    return np.meshgrid((np.arange(_WIDE) + 0.5) / _WIDE, 1 - (np.arange(_HIGH) + 0.5) / _HIGH)


def _mottled(rng: np.random.Generator, strength: float) -> np.ndarray:
    """(256, 1024) light about 1, the same at both ends."""
    field = smooth_field(rng, (_HIGH, _WIDE), 10)
    ramp = np.linspace(0, 1, _WIDE)
    return 1 + strength * (field * (1 - ramp) + field[:, ::-1] * ramp)


def _knitted(rng: np.random.Generator) -> np.ndarray:
    """Ribs and stitches, at times with stripes."""
    u, v = _places()
    ribs, rows = rng.integers(36, 80), rng.integers(24, 44)
    rib = np.abs(np.sin(np.pi * ribs * u)) ** 0.7
    stitch = 0.5 + 0.5 * np.cos(2 * np.pi * (rows * v + 0.5 * np.abs(np.sin(np.pi * ribs * u))))
    light = (0.45 + 0.55 * rib) * (0.8 + 0.2 * stitch) * _mottled(rng, 0.08)
    colour = _colour(rng)[None, None]
    if rng.random() < 0.3:
        stripe = np.sin(2 * np.pi * rng.uniform(2, 5) * v + rng.uniform(0, 6)) > rng.uniform(0, 0.7)
        colour = np.where(stripe[..., None], _colour(rng), colour)
    return colour * light[..., None]


def _panelled(rng: np.random.Generator) -> np.ndarray:
    """Six panels; at times the front ones in another colour, and a badge on them."""
    u, v = _places()
    base, other = _colour(rng), _colour(rng)
    front = np.abs(u - 0.5) < 1 / 6
    colour = np.where((front & (rng.random() < 0.25))[..., None], other, base)
    if rng.random() < 0.55:
        badge = _badge(rng)
        colour = colour + badge[..., None] * (_colour(rng) - colour)
    seam = np.abs((u * 6) % 1 - 0.5) > 0.5 - 0.012 / np.maximum(1.02 - v, 0.06)
    hem = np.abs(v - 0.09) < 0.008
    twill = 1 + 0.05 * np.sin(2 * np.pi * (240 * u + 60 * v))
    light = twill * (1 - 0.35 * (seam | hem)) * _mottled(rng, 0.05)
    return colour * light[..., None]


def _badge(rng: np.random.Generator) -> np.ndarray:
    """(256, 1024) cover of letters or a shape on the front."""
    out = np.zeros((_HIGH, _WIDE), np.uint8)
    if rng.random() < 0.6:
        text = "".join(rng.choice(list(_LETTERS), rng.integers(1, 4)))
        scale = 2.2 / len(text) ** 0.5
        font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
        (wide, high), _ = cv2.getTextSize(text, font, scale, 6)
        at = (_WIDE // 2 - wide // 2, _HIGH * 2 // 3 + high // 2)
        cv2.putText(out, text, at, font, scale, 255, 6, cv2.LINE_AA)
    else:
        corners = rng.integers(3, 9)
        angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 6)
        far = rng.uniform(20, 40, corners)
        x, y = _WIDE / 2 + far * np.cos(angle), _HIGH * 0.66 + far * np.sin(angle)
        cv2.fillPoly(out, [np.rint(np.stack([x, y], 1)).astype(np.int32)], 255, cv2.LINE_AA)
    return out / 255.0


def _banded(rng: np.random.Generator) -> np.ndarray:
    """Felt or straw, with a ribbon above the rim."""
    u, v = _places()
    if rng.random() < 0.4:
        colour = np.array([0.5, 0.36, 0.18]) * np.exp(rng.normal(0, 0.25))
        light = 1 + 0.22 * np.sin(2 * np.pi * 130 * u) * np.sin(2 * np.pi * 36 * v)
    else:
        colour, light = _colour(rng), 1 + 0.04 * rng.normal(size=u.shape)
    ribbon = (v < rng.uniform(0.12, 0.24)) & (rng.random() < 0.8)
    colour = np.where(ribbon[..., None], _colour(rng), colour)
    return colour * (np.where(ribbon, 1, light) * _mottled(rng, 0.06))[..., None]
