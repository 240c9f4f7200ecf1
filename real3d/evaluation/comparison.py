"""Made pictures beside true ones, frame by frame, and what is left of it: means and curves."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from real3d.evaluation import metrics
from real3d.evaluation.feature_distance import FeatureDistance
from real3d.evaluation.observer import Observation, Observer, reduced, stacked

Scores = dict[str, float]
Inside = tuple[slice, slice]
CURVES = ("psnr_db", "identity_to_target", "landmark_error_percent", "blendshape_error")
"""Metrics that are kept for every frame."""


def pixel_key(metric: str, size: int, first: int) -> str:
    """Name of a pixel metric at a size; that at the first size has no suffix."""
    return metric if size == first else f"{metric}_{size}"


class Comparison:
    """Collects one method's frames beside the true ones.

    Pixels are compared at several sizes, the largest of which was rendered; what is seen in the
    face is seen at the first.
    """

    def __init__(
        self,
        observer: Observer,
        inside: dict[int, Inside],
        features: FeatureDistance | None = None,
    ):
        self._observer, self._inside, self._features = observer, inside, features
        self._first = next(iter(inside))
        self._last: np.ndarray | None = None
        self._pixels: list[Scores] = []
        self._distances: list[float] = []
        self._found: list[Observation] = []
        self._wanted: list[Observation] = []

    def add(
        self,
        picture: np.ndarray,
        targets: dict[int, np.ndarray],
        wanted: Observation,
        wanted_maps: list[Tensor] | None = None,
    ) -> float:
        """Take a frame in; returns its PSNR in dB. wanted_maps: the target's, where wanted."""
        pixels = {}
        for size, inside in self._inside.items():
            a, b = reduced(picture, size)[inside], targets[size][inside]
            for metric, measure in (("psnr_db", metrics.psnr_db), ("ssim", metrics.ssim)):
                pixels[pixel_key(metric, size, self._first)] = measure(a, b)
        self._pixels.append(pixels)
        if self._features is not None and wanted_maps is not None:
            found_maps = self._features.maps(picture)
            self._distances.append(self._features.between(found_maps, wanted_maps))
        if picture is not self._last:  # the copied source is looked at once
            small = reduced(picture, self._first)
            self._found.append(self._observer.observe(small, wanted.landmarks))
        else:
            self._found.append(self._found[-1])
        self._last = picture
        self._wanted.append(wanted)
        return pixels["psnr_db"]

    def scores(self, source: Observation, steps: np.ndarray | None = None) -> Scores:
        """Means over the frames; NaN of nothing. steps (T,): the frames' places in time."""
        frames = self._frames(source)
        scores = {name: mean(values) for name, values in frames.items()}
        if steps is not None:
            found = stacked(self._found).landmarks
            scores["jitter_percent"] = metrics.jitter_percent(spaced(found, steps))
        scores["tracked_share"] = float(np.mean([o.seen for o in self._found]))
        scores["hed_vgg"] = mean(np.array(self._distances, np.float64))
        return scores

    def curves(self, source: Observation) -> dict[str, list[float]]:
        """CURVES over the frames."""
        frames = self._frames(source)
        return {name: [round(float(v), 5) for v in frames[name]] for name in CURVES}

    def _frames(self, source: Observation) -> dict[str, np.ndarray]:
        """(T,) of each metric."""
        found, wanted = stacked(self._found), stacked(self._wanted)
        pixels = {name: np.array([p[name] for p in self._pixels]) for name in self._pixels[0]}
        return pixels | {
            "identity_to_source": (found.embedding * source.embedding).sum(-1),
            "identity_to_target": (found.embedding * wanted.embedding).sum(-1),
            "landmark_error_percent": metrics.landmark_error_percent(
                found.landmarks, wanted.landmarks
            ),
            "blendshape_error": metrics.blendshape_error(found.coefficients, wanted.coefficients),
            "pose_error_deg": metrics.pose_error_deg(found.landmarks, wanted.landmarks),
        }


def spaced(landmarks: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Landmarks (T, 478, 3) at their places in time; NaN between them."""
    result = np.full((steps[-1] + 1, *landmarks.shape[1:]), np.nan, np.float32)
    result[steps] = landmarks
    return result


def mean(values: np.ndarray | Sequence[float]) -> float:
    """Mean of what is finite; NaN of nothing."""
    values = np.asarray(values, np.float64)
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
