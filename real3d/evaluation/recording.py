"""A recording as self-reenactment needs it: the frame that makes the avatar, and those that follow.

Frames without a face cannot drive and are counted. A recording that was cut to somebody else ends
at the cut: what follows is no answer to the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.errors import Real3DError
from real3d.evaluation.observer import Observation, Observer
from real3d.face.crop import CropWindow, crop_image
from real3d.photo import Portrait
from real3d.video import VideoReader

FEWEST_FRAMES = 3
_SEARCHED_S = 2.0
"""A source frame is looked for this long."""
_OTHER_PERSON = 0.3
"""Identity cosine of neighbouring frames, and of what stands before and behind, at a cut."""


@dataclass(frozen=True)
class Recording:
    """The source, and targets in the portrait window of the source."""

    portrait: Portrait
    pictures: list[dict[int, np.ndarray]]
    """T targets, each at several sizes: (size, size, 3) uint8 by size."""
    seen: list[Observation]
    """What is seen in them; all have a face."""
    steps: np.ndarray
    """(T,) int number of each target, counted in steps of `every` frames from the source."""
    times_s: np.ndarray
    """(T,) seconds since the source."""
    inside: dict[int, tuple[slice, slice]]
    """Rows and columns of pictures that the recording covers; the rest is repeated border."""
    skipped_frames: int
    """Frames before the source frame, in which no face was found."""
    faceless: int
    """Targets left out because no face was seen."""
    after_cut: int
    """Targets left out because they show somebody else."""


def read_recording(
    path: Path, observer: Observer, sizes: Sequence[int], every: int, seconds: float
) -> Recording:
    """The first frame with a face as the source, then every so-manieth frame for so many seconds.

    What is seen in a target is seen at the first of the sizes.

    Raises Real3DError where there is no face to begin with, or hardly any afterwards.
    """
    portrait, skipped, start_s, shape = None, 0, 0.0, (0, 0)
    pictures, seen, steps, times_s, faceless = [], [], [], [], 0
    with VideoReader(path) as video:
        for index, (time_s, frame) in enumerate(video):
            if portrait is None:
                portrait = _source(frame, f"{path}, frame {index}", time_s < _SEARCHED_S)
                skipped, start_s, shape = index, time_s, frame.shape
            elif time_s - start_s > seconds:
                break
            elif (index - skipped) % every == 0:
                picture = {size: crop_image(frame, portrait.window, size) for size in sizes}
                face = observer.observe(picture[sizes[0]])
                if face.seen:
                    pictures.append(picture)
                    seen.append(face)
                    steps.append((index - skipped) // every)
                    times_s.append(time_s - start_s)
                else:
                    faceless += 1
    if portrait is None:
        raise Real3DError(f"{path}: there is no face in it. Use a recording of one person.")
    kept = person_ends(np.array([face.embedding for face in seen]))
    if kept < FEWEST_FRAMES:
        raise Real3DError(
            f"{path}: its person is seen in {kept} of the compared frames after the first; at "
            f"least {FEWEST_FRAMES} are needed."
        )
    inside = {s: inside_slices(portrait.window, shape[1], shape[0], s) for s in sizes}
    return Recording(
        portrait,
        pictures[:kept],
        seen[:kept],
        np.array(steps[:kept]),
        np.array(times_s[:kept]),
        inside,
        skipped,
        faceless,
        len(seen) - kept,
    )


def _source(frame: np.ndarray, name: str, may_wait: bool) -> Portrait | None:
    """The portrait of a frame; None where there is none and a later frame may do."""
    try:
        return Portrait.from_image(frame, name=name)
    except Real3DError:
        if may_wait:
            return None
        raise


def person_ends(embeddings: np.ndarray) -> int:
    """How many of T embeddings (T, 128), from the first on, belong to the first one's person.

    A cut is where neighbours differ, and the mean of what stands before differs from the mean of
    what stands behind; a grimace passes. Without embeddings (NaN) nobody is told apart.
    """
    for k in range(1, len(embeddings)):
        before, behind = embeddings[:k].mean(0), embeddings[k:].mean(0)
        pairs = ((embeddings[k - 1], embeddings[k]), (before, behind))
        if all(_cosine(a, b) < _OTHER_PERSON for a, b in pairs):
            return k
    return len(embeddings)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9))


def inside_slices(window: CropWindow, width: int, height: int, size: int) -> tuple[slice, slice]:
    """Rows and columns of a crop of that size that a picture of width × height pixels covers."""
    scale = size / window.side_px

    def covered(centre_px: float, length_px: int) -> slice:
        start = (window.side_px / 2 - centre_px) * scale
        low, high = np.ceil(start), np.floor(start + length_px * scale)
        return slice(int(max(low, 0)), int(min(high, size)))

    return covered(window.centre_y_px, height), covered(window.centre_x_px, width)
