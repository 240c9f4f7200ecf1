"""The template's dental arches: where every single tooth is. Head units."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

MM = 1 / 161
"""A millimetre in head units: pupils are 63 mm apart."""


@dataclass(frozen=True)
class Arch:
    """A row of teeth as half an ellipse seen from below, in head units."""

    widths_mm: tuple[float, ...]
    """Of the teeth of one side, from the middle."""
    half_width: float
    length: float
    front: float
    """Depth of the foremost point."""
    edge: float
    """Height (y down) of the teeth's edges."""
    root: float
    """Where the mesh ends in the gum."""
    tooth: float
    """Height of a tooth's crown."""

    @property
    def down(self) -> int:
        """1 where teeth hang, -1 where they stand."""
        return 1 if self.edge > self.root else -1

    @cached_property
    def boundaries(self) -> np.ndarray:
        """(2 n + 1,) places along the arch, from its middle, where teeth end."""
        side = np.cumsum(self.widths_mm) * MM
        return np.concatenate([-side[::-1], [0], side])

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        """Angles, and how far along the arch they are."""
        angle = np.linspace(-math.pi / 2, math.pi / 2, 2001)
        speed = np.hypot(self.half_width * np.cos(angle), self.length * np.sin(angle))
        along = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(angle))])
        return angle, along - along[len(along) // 2]

    def curve(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, 2) in x and z, and the outward normals there."""
        angle = np.interp(along, self._table[1], self._table[0])
        sine, cosine = np.sin(angle), np.cos(angle)
        point = np.stack([self.half_width * sine, self.front + self.length * (1 - cosine)], 1)
        normal = np.stack([self.length * sine, -self.half_width * cosine], 1)
        return point, normal / np.linalg.norm(normal, axis=1, keepdims=True)

    @cached_property
    def ends(self) -> np.ndarray:
        """(2 n + 1,) the boundaries' x."""
        return self.curve(self.boundaries)[0][:, 0]


UPPER_ARCH = Arch((8.5, 6.5, 7.5, 7.0, 7.0, 9.0), 0.175, 0.26, -0.502, 0.358, 0.26, 10 * MM)
LOWER_ARCH = Arch((5.3, 5.8, 6.8, 7.0, 7.0, 9.0), 0.160, 0.26, -0.470, 0.360, 0.450, 8.5 * MM)
