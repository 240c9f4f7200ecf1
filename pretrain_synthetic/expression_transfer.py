"""Photo with one expression, shown with another at the same view, against exact truth."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pretrain_synthetic.compare import psnr_inside
from pretrain_synthetic.shown import METHODS, Shot, Shown, shown_from, shrink
from pretrain_synthetic.turned_heads import FACE

if TYPE_CHECKING:
    from pretrain_synthetic.sitting import Sitting
    from real3d.evaluation.observer import Observation, Observer
    from real3d.weight_files import Model

METRICS = {
    "psnr_db": ("PSNR inside the face, dB", 1),
    "landmark_percent": ("landmarks, % of eye distance", 2),
    "blendshape_error": ("blendshape error", 3),
}
"""Field of TransferScore to its heading and decimals."""


@dataclass(frozen=True)
class TransferScore:
    """Of one view; NaN where the tracker finds no face.

    Landmarks and blendshapes are what the tracker sees in the shown view against what it sees in
    the true one: what it misreads in both stays out.
    """

    psnr_db: float
    """Over the true face's pixels: skin, eyes, mouth."""
    landmark_percent: float = math.nan
    """Mean distance of 478 landmarks in the picture, % of the distance between the eyes."""
    blendshape_error: float = math.nan
    """Mean absolute difference of 51 coefficients."""


def compare_expressions(
    sitting: "Sitting", model: "Model", observer: "Observer"
) -> dict[str, list[list[TransferScore]]]:
    """Method to (6, 6) scores: rows are the photo's expression, columns the view's."""
    shots = sitting.expressions
    wanted = [observer.observe(shrink(shot.view.frame.rgb, _half(shot))) for shot in shots]
    scores = {method: [] for method in METHODS}
    for source in shots:
        shown = shown_from(source, shots, model)
        for method in METHODS:
            views = zip(shown[method], shots, wanted, strict=True)
            scores[method].append([compare_view(*view, observer) for view in views])
    return scores


def compare_view(
    view: Shown, shot: Shot, wanted: "Observation", observer: "Observer"
) -> TransferScore:
    """What a method shows against the truth, in which the tracker sees wanted."""
    from real3d.evaluation.metrics import blendshape_error, landmark_error_percent

    frame, found = shot.view.frame, observer.observe(view.picture)
    face = np.isin(frame.parts[::2, ::2], FACE)
    return TransferScore(
        psnr_inside(view.picture, shrink(frame.rgb, _half(shot)), face),
        float(landmark_error_percent(found.landmarks, wanted.landmarks)),
        float(blendshape_error(found.coefficients, wanted.coefficients)),
    )


def _half(shot: Shot) -> int:
    return len(shot.view.frame.rgb) // 2
