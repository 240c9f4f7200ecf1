"""Self-reenactment: the avatar of a recording's first frame, driven by the rest of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.evaluation import metrics
from real3d.evaluation.comparison import Comparison, Scores, spaced
from real3d.evaluation.instruments import Instruments
from real3d.evaluation.manifest import spread
from real3d.evaluation.observer import reduced, stacked
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.recording import Recording, read_recording
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.subject import METHODS, OURS, WARP, Pose, Subject

STRIP = ("source", "target", OURS, WARP)
"""Pictures that stand for a clip: where the landmarks moved most, then where ours is worst."""
_FEATURE_FRAMES = 8
"""Of so many frames of a clip, evenly spread, the HED-VGG distance is taken: it is slow."""


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
    scores: dict[str, Scores]
    """Method, then metric, to its mean over the frames; NaN where nothing could be measured."""
    times_s: list[float]
    """When the frames are, seconds since the source."""
    curves: dict[str, dict[str, list[float]]]
    """Method, then metric (comparison.CURVES), to its values over the frames."""


def measure_clip(
    path: Path, instruments: Instruments, protocol: Protocol
) -> tuple[ClipResult, Pictures]:
    """Compare METHODS on every so-manieth frame of a recording.

    Raises Real3DError where the first seconds show no face, or hardly any other frame does.
    """
    observer = instruments.observer
    recording = read_recording(path, observer, protocol.sizes, protocol.every, protocol.seconds)
    wanted = stacked(recording.seen)
    subject = instruments.build([recording.portrait])
    pose = subject.fit(wanted.landmarks, wanted.coefficients)
    comparisons, strips = _compared(recording, subject, pose, instruments, protocol)
    portrait = recording.portrait
    source = observer.observe(reduced(portrait.image, protocol.size), portrait.landmarks)
    steps = recording.steps
    result = ClipResult(
        path.stem,
        len(recording.pictures),
        recording.skipped_frames,
        recording.faceless,
        recording.after_cut,
        metrics.jitter_percent(spaced(wanted.landmarks, steps)),
        {method: found.scores(source, steps) for method, found in comparisons.items()},
        recording.times_s.round(3).tolist(),
        {method: found.curves(source) for method, found in comparisons.items()},
    )
    return result, [[strip[name] for name in STRIP] for strip in strips]


def _compared(
    recording: Recording,
    subject: Subject,
    pose: Pose,
    instruments: Instruments,
    protocol: Protocol,
) -> tuple[dict[str, Comparison], list[dict[str, np.ndarray]]]:
    """Each method's frames compared, and two strips of pictures."""
    largest, features = protocol.sizes[-1], instruments.features
    landmarks = stacked(recording.seen).landmarks
    moved = np.linalg.norm((landmarks - recording.portrait.landmarks)[..., :2], axis=-1).mean(-1)
    shown = [int(moved.argmax())]
    maps = {}
    if features is not None:
        chosen = spread(range(len(recording.pictures)), _FEATURE_FRAMES)
        maps = {k: features.maps(recording.pictures[k][largest]) for k in chosen}
    comparisons, made = {}, {}
    for method in METHODS:  # ours first: it says which frame is the worst
        comparison = Comparison(instruments.observer, recording.inside, features)
        frames, made[method], quality = subject.frames(method, pose, largest), {}, []
        for k, (targets, face) in enumerate(zip(recording.pictures, recording.seen, strict=True)):
            picture = next(frames)
            quality.append(comparison.add(picture, targets, face, maps.get(k)))
            if k in shown or (method == OURS and quality[k] == min(quality)):
                made[method][k] = picture
        if method == OURS:
            shown.append(int(np.argmin(quality)))
        comparisons[method] = comparison
    source = reduced(recording.portrait.image, largest)
    strips = [
        {
            "source": source,
            "target": recording.pictures[k][largest],
            OURS: made[OURS][k],
            WARP: made[WARP][k],
        }
        for k in shown
    ]
    return comparisons, strips
