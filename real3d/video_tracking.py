"""A recording of a face to Motion: expression and pose of every frame, evenly timed."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from real3d.camera import FOCAL, HEAD_UNIT_CM
from real3d.errors import Real3DError
from real3d.face.crop import FACE_SHARE
from real3d.face.one_euro import one_euro
from real3d.face.tracking import FaceTracker, TrackedFace
from real3d.fitting import CHUNK, cpu_fitter, fit_frames, turn_away
from real3d.motion import MAX_FPS, Motion, fill_gaps, interpolate
from real3d.rotation import euler_from_rotation
from real3d.video import VideoReader

_LONGEST_GAP_S = 1.0
_OPENING_FRAMES = 1500
"""Identity is taken from the best of these; later frames are not kept in memory."""
_CANDIDATES = 100
_EXPRESSION_WEIGHT = 0.1
"""Radians of turn that one more unit of expression counts as, in the choice of that frame."""
_REACH, _REACH_PER_S = 0.8, 2.0
"""How far, in face heights, a face may be from where it was last seen: at once, and a second."""
_SMOOTHING = {"coefficients": (3.0, 4.0), "rotation": (2.0, 10.0), "translation": (1.5, 0.5)}
"""One-Euro cutoff at rest in Hz, and how it rises with speed, in units of each track."""


@dataclass(frozen=True)
class _Sighting:
    """One frame of the recording."""

    time_s: float
    face: TrackedFace | None


def track_video(
    path: Path, model: object | None = None, *, face: int = 0, smooth: bool = True
) -> Motion:
    """The motion of one face of a recording; face counts from the largest, 0.

    Identity comes from the most frontal and neutral frame and is held. Gaps of up to a second are
    bridged; irregular frames are put on a regular grid. The model is not needed: any may be given.

    Raises Real3DError for unreadable recordings and where no face is found for longer.
    """
    path = Path(path)
    with VideoReader(path) as video, FaceTracker() as tracker:
        fps = min(video.fps, MAX_FPS)
        sightings = _followed(_tracked(video, tracker), face, path)
        opening = list(itertools.islice(sightings, _OPENING_FRAMES))
        times_s, tracks, seen = _fitted(opening, sightings)
    try:
        tracks = {name: fill_gaps(times_s, t, seen, _LONGEST_GAP_S) for name, t in tracks.items()}
    except Real3DError as error:
        raise Real3DError(f"{path}: {error}") from error
    wanted_s = np.arange(round(times_s[-1] * fps) + 1) / fps
    tracks = {name: interpolate(times_s, track, wanted_s) for name, track in tracks.items()}
    if smooth:
        tracks = {name: _smoothed(track, fps, name) for name, track in tracks.items()}
    return Motion(**tracks, fps=fps)


def _tracked(video: VideoReader, tracker: FaceTracker) -> Iterator[tuple[float, list[TrackedFace]]]:
    for time_s, image in video:
        yield time_s, tracker.track(image)


def _followed(
    frames: Iterator[tuple[float, list[TrackedFace]]], index: int, path: Path
) -> Iterator[_Sighting]:
    """One face through all frames: chosen where enough are seen, then the nearest each time."""
    last, last_s, most = None, 0.0, 0
    for time_s, faces in frames:
        most = max(most, len(faces))
        chosen = None
        if last is not None:
            chosen = _nearest(faces, last, _REACH + _REACH_PER_S * (time_s - last_s))
        elif 0 <= index < len(faces):
            chosen = faces[index]
        if chosen is not None:
            last, last_s = chosen, time_s
        yield _Sighting(time_s, chosen)
    if last is None and most:
        raise Real3DError(
            f"{path}: face {index} was asked for, at most {most} are seen at once (0 is the "
            "largest)."
        )


def _nearest(faces: list[TrackedFace], last: TrackedFace, reach: float) -> TrackedFace | None:
    """The face nearest to where it was, if it is within reach (in face heights)."""
    centre = _centre(last)
    found = min(faces, key=lambda f: np.linalg.norm(_centre(f) - centre), default=None)
    if found is None or np.linalg.norm(_centre(found) - centre) > reach * last.height_px:
        return None
    return found


def _centre(face: TrackedFace) -> np.ndarray:
    x0, y0, x1, y1 = face.box_px
    return np.array([x0 + x1, y0 + y1], np.float32) / 2


def _fitted(
    opening: list[_Sighting], rest: Iterator[_Sighting]
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Times (T,), tracks (T, ·) of coefficients, rotation and translation, and where seen (T,)."""
    seen = [sighting.face for sighting in opening if sighting.face is not None]
    if not seen:  # still to the end: the recording may turn out to be damaged
        times_s = [sighting.time_s for sighting in itertools.chain(opening, rest)]
        zeros = {name: np.zeros((len(times_s), 1)) for name in _SMOOTHING}
        return np.array(times_s), zeros, np.zeros(len(times_s), bool)
    side_px = float(np.median([face.height_px for face in seen])) / FACE_SHARE
    identity = _identity(seen, side_px)
    times_s, found, parts = [], [], []
    frames = itertools.chain(opening, rest)
    while chunk := list(itertools.islice(frames, CHUNK)):
        times_s += [sighting.time_s for sighting in chunk]
        found += [sighting.face is not None for sighting in chunk]
        parts.append(_fitted_chunk(chunk, identity, side_px))
    tracks = {name: np.concatenate([part[name] for part in parts]) for name in _SMOOTHING}
    return np.array(times_s), tracks, np.array(found)


def _windowed(faces: list[TrackedFace], side_px: float) -> tuple[Tensor, Tensor, np.ndarray]:
    """Landmarks (T, 478, 3) in a window around each face, coefficients, centres (T, 2) pixels.

    Each face stands in the middle of its window: a long lens sees it there as any camera does.
    """
    centres = np.stack([_centre(face) for face in faces])
    landmarks = np.stack([face.landmarks_px for face in faces])
    landmarks[..., :2] -= centres[:, None]
    coefficients = np.stack([face.coefficients for face in faces])
    scaled = torch.from_numpy(landmarks * np.float32(2 / side_px))
    return scaled, torch.from_numpy(coefficients), centres


@torch.no_grad()
def _identity(faces: list[TrackedFace], side_px: float) -> Tensor:
    """(1, 478, 3) from the most frontal and neutral of some frames, evenly spread."""
    some = faces[:: -(-len(faces) // _CANDIDATES)]
    landmarks, coefficients, _ = _windowed(some, side_px)
    fit = cpu_fitter().source(landmarks, coefficients)
    effort = turn_away(fit.camera) + _EXPRESSION_WEIGHT * coefficients.sum(1)
    best = int(effort.argmin())
    return fit.identity[best : best + 1]


def _fitted_chunk(
    chunk: list[_Sighting], identity: Tensor, side_px: float
) -> dict[str, np.ndarray]:
    """Tracks of some frames; rows without a face are zero."""
    rows = [k for k, sighting in enumerate(chunk) if sighting.face is not None]
    tracks = {
        name: np.zeros((len(chunk), width), np.float32)
        for name, width in (("coefficients", 52), ("rotation", 3), ("translation", 3))
    }
    if rows:
        faces = [chunk[k].face for k in rows]
        landmarks, tracked, centres = _windowed(faces, side_px)
        fit = fit_frames(identity, landmarks, tracked)
        place = fit.camera.translation
        aside = torch.from_numpy(centres * (2 / side_px)).float() * place[:, 2:] / FOCAL
        place = torch.cat([place[:, :2] + aside, place[:, 2:]], 1) * HEAD_UNIT_CM
        tracks["coefficients"][rows] = fit.coefficients.numpy()
        tracks["rotation"][rows] = euler_from_rotation(fit.camera.rotation).numpy()
        tracks["translation"][rows] = place.numpy()
    return tracks


def _smoothed(track: np.ndarray, fps: float, name: str) -> np.ndarray:
    """One-Euro from both ends, averaged: a recording needs no lag, lips least of all."""
    cutoff_hz, speed_weight = _SMOOTHING[name]
    forth = one_euro(track, fps, cutoff_hz, speed_weight)
    back = one_euro(track[::-1], fps, cutoff_hz, speed_weight)[::-1]
    return (forth + back) / 2
