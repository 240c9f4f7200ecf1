"""Self-reenactment: the avatar of a recording's first frame, driven by the rest of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.evaluation import metrics
from real3d.evaluation.observer import Observation, Observer, reduced
from real3d.evaluation.recording import read_recording
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.subject import METHODS, OURS, WARP, BuildSubject

STRIP = ("source", "target", OURS, WARP)
"""Pictures that stand for a clip."""


@dataclass(frozen=True)
class ClipResult:
    """What was measured on one recording."""

    name: str
    frames: int
    """Frames compared; the source is none of them."""
    skipped_frames: int
    faceless: int
    after_cut: int
    """Frames left out; see Recording."""
    jitter_of_driver_percent: float
    scores: dict[str, dict[str, float]]
    """Method, then metric, to its mean over the frames; NaN where nothing could be measured."""


def measure_clip(
    path: Path,
    build: BuildSubject,
    observer: Observer,
    size: int = 256,
    every: int = 3,
    seconds: float = 20.0,
) -> tuple[ClipResult, Pictures]:
    """Compare METHODS on every so-manieth frame of a recording, at (size, size) pixels.

    The pictures are STRIP at the frame whose landmarks are furthest from the source's.

    Raises Real3DError where the first seconds show no face, or hardly any other frame does.
    """
    recording = read_recording(path, observer, size, every, seconds)
    portrait, wanted = recording.portrait, _stacked(recording.seen)
    subject = build(portrait)
    pose = subject.fit(wanted.landmarks, wanted.coefficients)
    source = reduced(portrait.image, size)
    seen_source = observer.observe(source, portrait.landmarks)
    moved = np.linalg.norm((wanted.landmarks - portrait.landmarks)[..., :2], axis=-1).mean(-1)
    shown = int(moved.argmax())
    scores, strip = {}, {"source": source, "target": recording.pictures[shown]}
    for method in METHODS:
        comparison = _Comparison(observer, recording.inside)
        frames = subject.frames(method, pose, size)
        for k, (target, face) in enumerate(zip(recording.pictures, recording.seen, strict=True)):
            picture = next(frames)
            comparison.add(picture, target, face)
            if k == shown:
                strip[method] = picture
        scores[method] = comparison.scores(seen_source, recording.steps)
    result = ClipResult(
        path.stem,
        len(recording.pictures),
        recording.skipped_frames,
        recording.faceless,
        recording.after_cut,
        metrics.jitter_percent(_spaced(wanted.landmarks, recording.steps)),
        scores,
    )
    return result, [[strip[name] for name in STRIP]]


class _Comparison:
    """Collects one method's frames beside the true ones."""

    def __init__(self, observer: Observer, inside: tuple[slice, slice]):
        self._observer, self._inside = observer, inside
        self._last: np.ndarray | None = None
        self._pixels: list[tuple[float, float]] = []
        self._found: list[Observation] = []
        self._wanted: list[Observation] = []

    def add(self, picture: np.ndarray, target: np.ndarray, wanted: Observation) -> None:
        a, b = picture[self._inside], target[self._inside]
        self._pixels.append((metrics.psnr_db(a, b), metrics.ssim(a, b)))
        if picture is not self._last:  # the copied source is looked at once
            self._found.append(self._observer.observe(picture, wanted.landmarks))
        else:
            self._found.append(self._found[-1])
        self._last = picture
        self._wanted.append(wanted)

    def scores(self, source: Observation, steps: np.ndarray) -> dict[str, float]:
        found, wanted = _stacked(self._found), _stacked(self._wanted)
        psnr, ssim = np.mean(self._pixels, axis=0)
        landmarks = metrics.landmark_error_percent(found.landmarks, wanted.landmarks)
        return {
            "psnr_db": float(psnr),
            "ssim": float(ssim),
            "identity_to_source": _mean((found.embedding * source.embedding).sum(-1)),
            "identity_to_target": _mean((found.embedding * wanted.embedding).sum(-1)),
            "landmark_error_percent": _mean(landmarks),
            "blendshape_error": _mean(
                metrics.blendshape_error(found.coefficients, wanted.coefficients)
            ),
            "pose_error_deg": _mean(metrics.pose_error_deg(found.landmarks, wanted.landmarks)),
            "jitter_percent": metrics.jitter_percent(_spaced(found.landmarks, steps)),
            "tracked_share": float(np.mean([o.seen for o in self._found])),
        }


def _spaced(landmarks: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Landmarks (T, 478, 3) at their places in time; NaN between them."""
    spaced = np.full((steps[-1] + 1, *landmarks.shape[1:]), np.nan, np.float32)
    spaced[steps] = landmarks
    return spaced


def _stacked(observations: list[Observation]) -> Observation:
    """Observations of T frames in one, with a leading T."""
    fields = ("landmarks", "coefficients", "embedding")
    return Observation(*(np.stack([getattr(o, name) for o in observations]) for name in fields))


def _mean(values: np.ndarray) -> float:
    """Mean of what is finite; NaN of nothing."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
