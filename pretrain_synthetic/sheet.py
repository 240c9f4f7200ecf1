"""A contact sheet of synthetic people, to look at before a long render."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pretrain_synthetic.landmarks import MESH_COUNT
from pretrain_synthetic.people import VIEW_COUNT, View
from pretrain_synthetic.render_shard import StudioConfig
from real3d.errors import Real3DError

_SHIFT = 4
"""Fractional bits of OpenCV's drawing coordinates."""


@dataclass(frozen=True)
class SheetConfig(StudioConfig):
    """Draw people, a row of views each: eight by eight, unless told otherwise."""

    size: int = 256
    """Side of a picture in pixels."""
    out: Path = Path("sheet.png")
    people: int = 8
    views: int = 8
    """Of the twelve views of a person, evenly chosen."""
    seed: int = 0
    first: int = 0
    """Number of the first person."""
    landmarks: bool = False
    """Draw the 478 landmarks, the irises' in red."""

    def run(self) -> Path:
        """Draw; returns the picture's path."""
        self.check()
        if not (1 <= self.views <= VIEW_COUNT and self.people >= 1):
            raise Real3DError(f"--views must be 1 to {VIEW_COUNT}, --people 1 or more.")
        studio, rows = self.open(), []
        for number in range(self.first, self.first + self.people):
            wanted = np.rint(np.linspace(0, VIEW_COUNT - 1, self.views)).astype(int).tolist()
            pictures = [self._picture(view) for view in studio.views(self.seed, number, wanted)]
            rows.append(np.hstack(pictures))
        self.out.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(self.out), np.vstack(rows)[..., ::-1]):
            raise Real3DError(f"{self.out}: could not be written. Give --out FILE.png.")
        return self.out

    def _picture(self, view: View) -> np.ndarray:
        """(size, size, 3) uint8 RGB."""
        image = view.frame.rgb.copy()
        return draw_landmarks(image, view.landmarks) if self.landmarks else image


def draw_landmarks(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Dots at landmarks (478, 3) on image (h, h, 3) uint8 RGB; skin green, irises red."""
    centres = ((landmarks[:, :2] + 1) / 2 * len(image) - 0.5) * 2**_SHIFT
    radius = max(1, round(len(image) / 512 * 2**_SHIFT))
    for k, (x, y) in enumerate(np.rint(centres).astype(int).tolist()):
        colour = (0, 255, 0) if k < MESH_COUNT else (255, 0, 0)
        cv2.circle(image, (x, y), radius, colour, -1, cv2.LINE_AA, _SHIFT)
    return image
