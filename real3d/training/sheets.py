"""Contact sheets of a training batch."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.networks.model import Frame
from real3d.training.batches import Batch

_ROWS_PX = 192
_WEIGHT_COLOURS = (
    (1, 0.2, 0.2), (1, 0.8, 0.1), (0.2, 0.8, 0.3), (0.2, 0.3, 1), (0.8, 0.2, 0.9), (0.2, 0.9, 0.9),
)  # fmt: skip
"""Look-up, mirror, torso, background, generated, hair."""


@torch.no_grad()
def write_sheet(path: Path, batch: Batch, frame: Frame, people: int = 10) -> None:
    """Columns are pairs, evenly spread over the batch.

    Rows: source, target, output, look-up, mirror, hair, volume, its alpha, torso, mixing weights.
    """
    given = frame.candidates
    colours = frame.image.new_tensor(_WEIGHT_COLOURS)
    weights = torch.einsum("bkhw,kc->bchw", frame.composite.weights, colours)
    rows = [
        batch.source,
        batch.target,
        frame.image,
        given.look_up * given.seen,
        given.mirror * given.mirror_seen,
        given.hair * given.loose,
        torch.tanh(frame.volume.features[:, :3].float()),
        2 * frame.volume.alpha.expand(-1, 3, -1, -1) - 1,
        given.torso,
        2 * weights - 1,
    ]
    chosen = torch.linspace(0, len(batch.kind) - 1, min(people, len(batch.kind))).long()
    sheet = np.concatenate([np.concatenate(_small(row[chosen]), 1) for row in rows])
    cv2.imwrite(str(path), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


@torch.no_grad()
def write_views(path: Path, sources: Tensor, turned: Tensor) -> None:
    """Columns are photos (F, 3, S, S); rows: the photo, the free view."""
    sheet = np.concatenate([np.concatenate(_small(row), 1) for row in (sources, turned)])
    cv2.imwrite(str(path), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def _small(pictures: Tensor) -> list[np.ndarray]:
    small = F.interpolate(pictures.float(), size=(_ROWS_PX, _ROWS_PX), mode="area")
    return list(((small.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy())
