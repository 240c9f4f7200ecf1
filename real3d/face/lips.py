"""How far lips are apart: a linear function of the coefficients, by the template's landmarks."""

import functools

import numpy as np

from real3d.camera import HEAD_UNIT_CM
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.template import Template

UPPER, LOWER = 13, 14
"""Landmarks in the middle of the inner lips."""
CORNERS = (78, 308)
LIPS: tuple[int, ...] = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
)
"""Landmarks of the outer and the inner lips."""
WIDE_OPEN_MM = 6.0
"""Lips that far apart count as open altogether."""


@functools.cache
def lip_shapes() -> np.ndarray:
    """(52, 40, 3) float32 millimetres: how each coefficient moves the landmarks LIPS.

    Those of jaw and mouth alone: of lids and brows it would be the calibration's noise.
    """
    shapes = Template().landmark_shapes()[:, list(LIPS)].clone()
    shapes[[not name.startswith(("jaw", "mouth")) for name in ARKIT_NAMES]] = 0
    return (shapes * HEAD_UNIT_CM * 10).numpy()


@functools.cache
def opening_weights() -> np.ndarray:
    """(52,) float32 millimetres that each coefficient moves the inner lips apart."""
    shapes = lip_shapes()[..., 1]
    return shapes[:, LIPS.index(LOWER)] - shapes[:, LIPS.index(UPPER)]


@functools.cache
def width_weights() -> np.ndarray:
    """(52,) float32 millimetres that each coefficient widens the mouth."""
    shapes = lip_shapes()[..., 0]
    return shapes[:, LIPS.index(CORNERS[1])] - shapes[:, LIPS.index(CORNERS[0])]


def mouth_opening(coefficients: np.ndarray) -> np.ndarray:
    """(T,) millimetres between the inner lips, more than at rest, of coefficients (T, 52)."""
    return np.asarray(coefficients, np.float32) @ opening_weights()
