"""Cross-reenactment: a photo that somebody else's recording drives, in pose and in expression."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.evaluation import metrics
from real3d.evaluation.comparison import Scores, mean
from real3d.evaluation.observer import Observation, Observer, reduced, stacked
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.recording import read_recording
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.subject import METHODS, OURS, Subject
from real3d.photo import Portrait

_FRAMES = 3
"""Frames of a driver that are looked at."""
_LOOKED_AT_EVERY = 9
"""Frames of a driver are chosen among every so-manieth."""


@dataclass(frozen=True)
class Driver:
    """Frames of a recording that others are driven by."""

    portrait: Portrait
    """Tells the driver's identity, and the window of what follows."""
    pictures: list[np.ndarray]
    """T frames, (size, size, 3) uint8."""
    seen: Observation
    """What is seen in them, (T, ...)."""


@dataclass(frozen=True)
class CrossResult:
    """What was measured on one photo."""

    name: str
    scores: dict[str, dict[str, Scores]]
    """Driver, then method, then metric, to its mean over the frames."""
    drivers: list[str]
    """Names of the drivers, those that were refused as well, in the order of the pictures."""


def read_driver(path: Path, observer: Observer, protocol: Protocol) -> Driver:
    """A few frames of a recording, those that are far from its first and from each other.

    Raises Real3DError where the recording shows hardly any face.
    """
    every = max(protocol.every, _LOOKED_AT_EVERY)
    sizes = (protocol.size, protocol.sizes[-1])
    recording = read_recording(path, observer, sizes, every, protocol.seconds)
    seen = stacked(recording.seen)
    chosen = farthest(seen.landmarks[..., :2], recording.portrait.landmarks[:, :2], _FRAMES)
    return Driver(
        recording.portrait,
        [recording.pictures[k][sizes[-1]] for k in chosen],
        stacked([recording.seen[k] for k in chosen]),
    )


def farthest(points: np.ndarray, start: np.ndarray, count: int) -> list[int]:
    """Indices, rising, of so many of T shapes (T, N, C) far from start (N, C) and each other.

    Each is the one that is furthest from all before it.
    """

    def distance(shape: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points - shape, axis=-1).mean(-1)

    chosen: list[int] = []
    nearest = distance(start)
    while len(chosen) < min(count, len(points)):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distance(points[chosen[-1]]))
        nearest[chosen] = -1
    return sorted(chosen)


def measure_cross(
    portrait: Portrait,
    subject: Subject,
    observer: Observer,
    name: str,
    drivers: Mapping[str, Driver | None],
    sizes: tuple[int, int] = (256, 256),
) -> tuple[CrossResult, Pictures]:
    """Results of one photo with several drivers by name; None for one that was refused.

    sizes: of pictures that are looked at, and of those that are rendered and returned. The
    pictures are a row: the photo, then a frame of each driver and ours beside it.
    """
    size, shown_px = sizes
    source = observer.observe(reduced(portrait.image, size), portrait.landmarks)
    scores, row = {}, [reduced(portrait.image, shown_px)]
    for driver_name, driver in drivers.items():
        if driver is None:
            row += [np.full_like(row[0], 255)] * 2
            continue
        pose = subject.driven(driver.portrait, driver.seen.landmarks, driver.seen.coefficients)
        asked = pose.camera.rotation.cpu().numpy()
        shown = int(driver.seen.coefficients.sum(1).argmax())
        scores[driver_name] = {}
        for method in METHODS:
            frames = list(subject.frames(method, pose, shown_px))
            faces = [observer.observe(reduced(picture, size)) for picture in frames]
            found = stacked(faces)
            scores[driver_name][method] = {
                "identity": mean(found.embedding @ source.embedding),
                "expression_error": mean(
                    metrics.blendshape_error(found.coefficients, driver.seen.coefficients)
                ),
                "pose_error_deg": mean(_pose_errors(subject, found, asked)),
                "tracked_share": float(np.mean([face.seen for face in faces])),
            }
            if method == OURS:
                row += [driver.pictures[shown], frames[shown]]
    return CrossResult(name, scores, list(drivers)), [row]


def _pose_errors(subject: Subject, found: Observation, asked: np.ndarray) -> np.ndarray:
    """Angles in degrees between rotations asked for (T, 3, 3) and those of the heads seen."""
    seen = np.isfinite(found.landmarks).all((-1, -2))
    if not seen.any():
        return np.full(1, np.nan)
    pose = subject.fit(found.landmarks[seen], found.coefficients[seen])
    return metrics.rotation_angle_deg(pose.camera.rotation.cpu().numpy(), asked[seen])
