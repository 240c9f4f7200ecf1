"""Several photos of one person: is an avatar of two or four frames better than that of one?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.errors import Real3DError
from real3d.evaluation.comparison import Comparison, Scores
from real3d.evaluation.instruments import Instruments
from real3d.evaluation.manifest import spread
from real3d.evaluation.observer import reduced, stacked
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.recording import read_recording
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.subject import OURS
from real3d.face.crop import CropWindow
from real3d.photo import PORTRAIT_PX, Portrait

SOURCE_COUNTS = (1, 2, 4)
SEVERAL_STRIP = ("source", "target", *(f"{count} of it" for count in SOURCE_COUNTS))
_TARGETS = 6
_FEWEST = 2 * max(SOURCE_COUNTS)
_LOOKED_AT_EVERY = 6
"""Frames are chosen among every so-manieth."""


@dataclass(frozen=True)
class SeveralResult:
    """What was measured on one recording."""

    name: str
    targets: int
    """Frames compared; none of them is a source."""
    scores: dict[str, Scores]
    """Number of source frames, then metric, to its mean over the targets."""


def measure_several(
    path: Path, instruments: Instruments, protocol: Protocol
) -> tuple[SeveralResult, Pictures]:
    """Avatars of 1, 2 and 4 frames spread over a recording, compared on others of its frames.

    Raises Real3DError where the recording is too short.
    """
    observer, size = instruments.observer, protocol.size
    every = max(protocol.every, _LOOKED_AT_EVERY)
    sizes = (size, PORTRAIT_PX)
    recording = read_recording(path, observer, sizes, every, protocol.seconds)
    last = len(recording.pictures)
    if last + 1 < _FEWEST:
        raise Real3DError(
            f"{path}: its person is seen in {last + 1} of every {every} frames; {_FEWEST} are "
            f"needed for {max(SOURCE_COUNTS)} sources."
        )
    # Place 0 is the recording's first frame, place k the k-th target.
    places = {n: np.linspace(0, last, n).round().astype(int).tolist() for n in SOURCE_COUNTS}
    sources = sorted({place for chosen in places.values() for place in chosen})
    portraits = {place: _portrait(recording, place, path) for place in sources}
    targets = spread([k for k in range(1, last + 1) if k not in sources], _TARGETS)
    wanted = stacked([recording.seen[k - 1] for k in targets])
    source = observer.observe(reduced(recording.portrait.image, size), recording.portrait.landmarks)
    shown = len(targets) // 2
    row = [recording.portrait.image, recording.pictures[targets[shown] - 1][PORTRAIT_PX]]
    scores = {}
    for count in SOURCE_COUNTS:
        subject = instruments.build([portraits[place] for place in places[count]])
        pose = subject.fit(wanted.landmarks, wanted.coefficients)
        comparison = Comparison(observer, {size: recording.inside[size]})
        for k, picture in zip(targets, subject.frames(OURS, pose, PORTRAIT_PX), strict=True):
            comparison.add(picture, recording.pictures[k - 1], recording.seen[k - 1])
            if k == targets[shown]:
                row.append(picture)
        scores[str(count)] = comparison.scores(source)
    return SeveralResult(path.stem, len(targets), scores), [row]


def _portrait(recording, place: int, path: Path) -> Portrait:
    """The portrait of a frame, in the window of the first."""
    if place == 0:
        return recording.portrait
    crop = recording.pictures[place - 1][PORTRAIT_PX]
    whole = CropWindow(PORTRAIT_PX / 2, PORTRAIT_PX / 2, PORTRAIT_PX)
    return Portrait.from_image(crop, name=f"{path}, source {place}", window=whole)
