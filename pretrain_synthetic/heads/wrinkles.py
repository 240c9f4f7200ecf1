"""Wrinkles that come with an expression: where they lie on the skin, and how deep they are."""

import cv2
import numpy as np

_SIZE = 1024
_ROWS = (  # of the forehead, from the brows up; landmarks
    (63, 105, 107, 9, 336, 334, 293),
    (68, 104, 108, 151, 337, 333, 298),
    (54, 103, 109, 10, 338, 332, 284),
)
_FOREHEAD = ((0, 0.5, 0.7), (0, 0.95, 1.0), (1, 0.4, 0.8))
"""Row below, share of the way to the row above, depth."""
_FOLDS = ((129, 203, 206, 216, 212), (358, 423, 426, 436, 432))
_EYES = ((33, 127), (263, 356))
"""Outer corner and temple."""
_FEET = (-0.45, 0.0, 0.45)
"""Radians of the crow's feet about the way to the temple."""


def wrinkle_map(landmark_uv: np.ndarray) -> np.ndarray:
    """(1024, 1024, 4) uint8 depth of forehead lines, frown lines, smile folds and crow's feet.

    landmark_uv: (478, 2) where the landmarks lie in the skin's texture.
    """
    at = landmark_uv * (1, -1) * _SIZE + (0, _SIZE)
    face_px = float(np.linalg.norm(at[152] - at[10]))
    out = np.zeros((4, _SIZE, _SIZE), np.float32)
    for below, share, depth in _FOREHEAD:
        low, high = (at[list(_ROWS[below + k])] for k in (0, 1))
        _stroke(out[0], low + share * (high - low), depth, face_px / 110)
    for inner, above in ((107, 108), (336, 337)):
        foot = at[9] + 0.5 * (at[inner] - at[9]) - 0.25 * (at[151] - at[9])
        tip = at[9] + 0.6 * (at[above] - at[151]) + 0.45 * (at[151] - at[9])
        _stroke(out[1], np.array([foot, tip]), 1.0, face_px / 110)
    _stroke(out[1], at[[193, 168, 417]], 0.5, face_px / 110)
    for fold in _FOLDS:
        _stroke(out[2], at[list(fold)], 1.0, face_px / 75)
    for corner, temple in _EYES:
        way = at[temple] - at[corner]
        for angle in _FEET:
            c, s = np.cos(angle), np.sin(angle)
            turned = np.array([c * way[0] - s * way[1], s * way[0] + c * way[1]])
            ends = at[corner] + np.array([[0.28], [0.72]]) * turned
            _stroke(out[3], ends, 0.8, face_px / 150)
    return (np.clip(out, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0).copy()


def wrinkle_amounts(
    names: list[str], expression: np.ndarray, age: float
) -> tuple[float, float, float, float]:
    """Depth of each kind of wrinkle (wrinkle_map) for coefficients (52,) of these names.

    age: as Identity's; young skin creases less, and old skin a little even at rest.
    """
    amount = dict(zip(names, expression.tolist(), strict=True))

    def both(name: str) -> float:
        return (amount[name + "Left"] + amount[name + "Right"]) / 2

    kinds = np.array(
        [
            max(amount["browInnerUp"], both("browOuterUp")),
            both("browDown") + 0.4 * both("noseSneer"),
            0.9 * both("mouthSmile") + 0.3 * both("mouthUpperUp") + 0.2 * both("cheekSquint"),
            0.6 * both("cheekSquint") + 0.5 * both("eyeSquint") + 0.3 * both("mouthSmile"),
        ]
    )
    depth = np.interp(age, [0.5, 2 / 3, 1], [0.4, 0.6, 1.0])
    rest = np.interp(age, [0.75, 1], [0, 0.3])
    return tuple(np.clip(rest + depth * kinds, 0, 1).tolist())


def _stroke(image: np.ndarray, points: np.ndarray, depth: float, width: float) -> None:
    """Add a crease along points (n, 2) in pixels, deepest in its middle, to image (h, w)."""
    smooth = np.stack(
        [
            np.interp(np.linspace(0, len(points) - 1, 33), np.arange(len(points)), c)
            for c in points.T
        ],
        1,
    )
    line = np.zeros(image.shape, np.float32)
    fade = np.sin(np.linspace(0.12, 1, 32) * np.pi) ** 0.5
    fixed = np.rint(smooth * 16).astype(int).tolist()
    for a, b, strength in zip(fixed[:-1], fixed[1:], np.nan_to_num(fade).tolist(), strict=True):
        cv2.line(line, a, b, strength, max(1, round(width / 2)), cv2.LINE_8, 4)
    line = cv2.GaussianBlur(line, (0, 0), width / 2)
    np.maximum(image, depth * line / max(float(line.max()), 1e-6), out=image)
