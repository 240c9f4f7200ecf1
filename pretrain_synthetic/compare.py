"""How far a shown view is from the true one."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """Of one view; NaN for what was not measured."""

    psnr_db: float
    """Over the true head's pixels: face, ears, hair, eyes, mouth."""
    alpha_iou: float = math.nan
    """Of the whole person, mattes cut at a half."""
    depth_percent: float = math.nan
    """Mean absolute error over the head after the best shift, in % of the head's depth."""


def score(
    picture: np.ndarray,
    truth: np.ndarray,
    head: np.ndarray,
    mattes: tuple[np.ndarray, np.ndarray] | None = None,
    depths: tuple[np.ndarray, np.ndarray, float] | None = None,
) -> Score:
    """Scores of picture (h, w, 3) uint8 against truth, inside head (h, w) bool.

    mattes: found and true (h, w) in [0, 1]. depths: found and true (h, w) and the head's depth in
    the same unit; NaN in the found one is left out.
    """
    error = (picture[head].astype(np.float64) - truth[head]) / 255
    psnr = -10 * math.log10(max(float(np.square(error).mean()), 1e-10)) if head.any() else math.nan
    iou = percent = math.nan
    if mattes is not None:
        found, true = (matte > 0.5 for matte in mattes)
        iou = float((found & true).sum() / max((found | true).sum(), 1))
    if depths is not None:
        found, true, head_depth = depths
        behind = (found - true)[head & np.isfinite(found) & (true > 0)]
        if behind.size:
            percent = float(np.abs(behind - np.median(behind)).mean() / head_depth * 100)
    return Score(psnr, iou, percent)
