"""Camera sweeps around heads that keep still: the frontal frame, seen from where others were."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.errors import Real3DError
from real3d.evaluation import metrics
from real3d.evaluation.comparison import Comparison, Scores
from real3d.evaluation.instruments import Instruments
from real3d.evaluation.manifest import spread
from real3d.evaluation.observer import Observer, reduced, stacked
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.recording import inside_slices
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.subject import METHODS, OURS, WARP
from real3d.face.crop import CropWindow, crop_image
from real3d.photo import PORTRAIT_PX, Portrait
from real3d.video import VideoReader

ORBIT_STRIP = ("frontal frame", "target", OURS, WARP)
TARGET_DEG = (30.0, 60.0)
"""Yaw of the compared frames on either side."""
_FRONTAL_DEG = 20.0
"""The source may be turned so far."""
_LOOKED_AT, _TARGETS, _FEWEST = 60, 4, 2


@dataclass(frozen=True)
class OrbitResult:
    """What was measured on one sweep."""

    name: str
    source_yaw_deg: float
    yaws_deg: list[float]
    """Of the compared frames, as tracked."""
    scores: dict[str, Scores]
    """Method, then metric, to its mean over the frames."""


def measure_orbit(
    path: Path, instruments: Instruments, protocol: Protocol
) -> tuple[OrbitResult, Pictures]:
    """Compare METHODS at up to four frames whose yaw is within TARGET_DEG.

    Raises Real3DError where no frame is frontal, or hardly any is turned so far.
    """
    observer, size = instruments.observer, protocol.size
    frames, yaws = _tracked(path, observer)
    frontal = int(np.nanargmin(np.abs(yaws))) if np.isfinite(yaws).any() else -1
    if frontal < 0 or abs(yaws[frontal]) > _FRONTAL_DEG:
        raise Real3DError(f"{path}: no frame shows the face from the front.")
    portrait = Portrait.from_image(frames[frontal], name=f"{path}, frontal frame")
    pictures, seen, turned = [], [], []
    low, high = TARGET_DEG
    away = [k for k in range(len(frames)) if low <= abs(yaws[k]) <= high]
    for k in spread(away, _TARGETS):
        picture = {px: crop_image(frames[k], portrait.window, px) for px in (size, PORTRAIT_PX)}
        face = observer.observe(picture[size])
        if face.seen:
            pictures.append(picture)
            seen.append(face)
            turned.append(round(float(yaws[k]), 1))
    if len(seen) < _FEWEST:
        raise Real3DError(
            f"{path}: the face is seen at {low:g}° to {high:g}° of yaw in {len(seen)} frames; "
            f"{_FEWEST} are needed."
        )
    wanted = stacked(seen)
    subject = instruments.build([portrait])
    pose = subject.fit(wanted.landmarks, wanted.coefficients)
    source = observer.observe(reduced(portrait.image, size), portrait.landmarks)
    height, width = frames[frontal].shape[:2]
    inside = {size: inside_slices(portrait.window, width, height, size)}
    shown = int(np.abs(turned).argmax())
    strip = {ORBIT_STRIP[0]: portrait.image, "target": pictures[shown][PORTRAIT_PX]}
    scores = {}
    for method in METHODS:
        comparison, made = Comparison(observer, inside), subject.frames(method, pose, PORTRAIT_PX)
        for k, (picture, face) in enumerate(zip(pictures, seen, strict=True)):
            rendered = next(made)
            comparison.add(rendered, picture, face)
            if k == shown:
                strip[method] = rendered
        scores[method] = comparison.scores(source)
    result = OrbitResult(path.stem, round(float(yaws[frontal]), 1), turned, scores)
    return result, [[strip[name] for name in ORBIT_STRIP]]


def _tracked(path: Path, observer: Observer) -> tuple[list[np.ndarray], np.ndarray]:
    """Up to sixty frames, evenly spread, and the yaw in each in degrees, NaN where unseen."""
    with VideoReader(path) as video:
        step = max(1, round((video.frame_count or _LOOKED_AT) / _LOOKED_AT))
        frames = [frame for k, (_, frame) in enumerate(video) if k % step == 0]
    height, width = frames[0].shape[:2]
    whole = CropWindow(width / 2, height / 2, max(width, height))
    faces = [observer.observe(crop_image(f, whole, max(width, height))) for f in frames]
    return frames, metrics.yaw_deg(stacked(faces).landmarks)
