"""Self-reenactment: the avatar of a recording's first frame, driven by the rest of it."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from real3d.errors import Real3DError
from real3d.evaluation import metrics
from real3d.evaluation.observer import Observation, Observer
from real3d.evaluation.subject import COPY, METHODS, OURS, WARP, BuildSubject
from real3d.face.crop import CropWindow, crop_image
from real3d.photo import PORTRAIT_PX, Portrait
from real3d.video import VideoReader

_FEWEST_FRAMES = 3


@dataclass(frozen=True)
class ClipResult:
    """What was measured on one recording."""

    name: str
    frames: int
    """Frames compared; the source is none of them."""
    scores: dict[str, dict[str, float]]
    """Method, then metric, to its mean over the frames; NaN where nothing could be measured."""
    strip: tuple[np.ndarray, ...]
    """Source, target, ours, warp (size, size, 3) at the frame that moved furthest."""


@dataclass(frozen=True)
class _Target:
    """Frames of a recording in the portrait window of its first one."""

    pictures: list[np.ndarray]
    landmarks: np.ndarray
    coefficients: np.ndarray
    inside: tuple[slice, slice]
    """Rows and columns of the pictures that the recording covers; the rest is repeated border."""


def measure_clip(
    path: Path, build: BuildSubject, observer: Observer, size: int = 256, every: int = 3
) -> ClipResult:
    """Compare the methods on every so-manieth frame of a recording, at (size, size) pixels.

    Raises Real3DError where no avatar can be made from the first frame, or hardly any other frame
    shows a face.
    """
    portrait, target = _read(path, observer, size, every)
    subject = build(portrait)
    pose = subject.fit(target.landmarks, target.coefficients)
    source = cv2.resize(portrait.image, (size, size), interpolation=cv2.INTER_AREA)
    seen_source = observer.observe(source, portrait.landmarks)
    wanted = [
        observer.observe(picture, landmarks)
        for picture, landmarks in zip(target.pictures, target.landmarks, strict=True)
    ]
    moved = np.linalg.norm((target.landmarks - portrait.landmarks)[..., :2], axis=-1).mean(-1)
    shown = int(moved.argmax())
    scores, strip = {}, {COPY: source}
    for method in METHODS:
        comparison = _Comparison(seen_source, target.inside)
        for k, picture in enumerate(subject.frames(method, pose, size)):
            comparison.add(picture, target.pictures[k], observer, wanted[k])
            if k == shown:
                strip[method] = picture
        scores[method] = comparison.scores()
    pictures = (source, target.pictures[shown], strip[OURS], strip[WARP])
    return ClipResult(path.stem, len(wanted), scores, pictures)


class _Comparison:
    """Collects one method's frames beside the true ones."""

    def __init__(self, source: Observation, inside: tuple[slice, slice]):
        self._source, self._inside = source, inside
        self._pixels: list[tuple[float, float]] = []
        self._found: list[Observation] = []
        self._wanted: list[Observation] = []

    def add(
        self, picture: np.ndarray, target: np.ndarray, observer: Observer, wanted: Observation
    ) -> None:
        a, b = picture[self._inside], target[self._inside]
        self._pixels.append((metrics.psnr_db(a, b), metrics.ssim(a, b)))
        known = wanted.landmarks if wanted.seen else None
        self._found.append(observer.observe(picture, known))
        self._wanted.append(wanted)

    def scores(self) -> dict[str, float]:
        found, wanted = _stacked(self._found), _stacked(self._wanted)
        psnr, ssim = np.mean(self._pixels, axis=0)
        return {
            "psnr_db": float(psnr),
            "ssim": float(ssim),
            "identity_to_target": _mean((found.embedding * wanted.embedding).sum(-1)),
            "identity_to_source": _mean((found.embedding * self._source.embedding).sum(-1)),
            "landmark_error_percent": _mean(
                metrics.landmark_error_percent(found.landmarks, wanted.landmarks)
            ),
            "blendshape_error": _mean(
                metrics.blendshape_error(found.coefficients, wanted.coefficients)
            ),
            "jitter_percent": metrics.jitter_percent(found.landmarks),
            "jitter_of_driver_percent": metrics.jitter_percent(wanted.landmarks),
            "tracked_share": float(np.mean([o.seen for o in self._found])),
        }


def _read(path: Path, observer: Observer, size: int, every: int) -> tuple[Portrait, _Target]:
    pictures, landmarks, coefficients = [], [], []
    portrait, shape = None, (0, 0)
    with VideoReader(path) as video:
        for index, (_, frame) in enumerate(video):
            if portrait is None:
                portrait, shape = Portrait.from_image(frame, name=f"{path}, first frame"), frame.shape
            elif index % every == 0:
                crop = crop_image(frame, portrait.window, PORTRAIT_PX)
                face = observer.observe(crop)
                if face.seen:  # without a face nothing can drive
                    pictures.append(crop_image(frame, portrait.window, size))
                    landmarks.append(face.landmarks)
                    coefficients.append(face.coefficients)
    if len(pictures) < _FEWEST_FRAMES:
        raise Real3DError(
            f"{path}: a face is seen in {len(pictures)} of its frames after the first; at least "
            f"{_FEWEST_FRAMES} are needed."
        )
    inside = inside_slices(portrait.window, shape[1], shape[0], size)
    return portrait, _Target(pictures, np.stack(landmarks), np.stack(coefficients), inside)


def inside_slices(window: CropWindow, width: int, height: int, size: int) -> tuple[slice, slice]:
    """Rows and columns of a crop of that size that a picture of width × height pixels covers."""
    scale = size / window.side_px

    def covered(centre_px: float, length_px: int) -> slice:
        start = (window.side_px / 2 - centre_px) * scale
        low, high = np.ceil(start), np.floor(start + length_px * scale)
        return slice(int(max(low, 0)), int(min(high, size)))

    return covered(window.centre_y_px, height), covered(window.centre_x_px, width)


def _stacked(observations: list[Observation]) -> Observation:
    """Observations of T frames in one, with a leading T."""
    fields = ("landmarks", "coefficients", "embedding")
    return Observation(*(np.stack([getattr(o, name) for o in observations]) for name in fields))


def _mean(values: np.ndarray) -> float:
    """Mean of what is finite; NaN of nothing."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
