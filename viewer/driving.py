"""What drives a head: motion files, recordings, sound, a webcam's pictures, a phone."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from real3d.avatar import Avatar
from real3d.camera import FOCAL, HEAD_UNIT_CM
from real3d.errors import Real3DError
from real3d.face.crop import FACE_SHARE
from real3d.face.tracking import FaceTracker, TrackedFace
from real3d.fitting import cpu_fitter, fit_frames
from real3d.motion import Motion
from real3d.retarget import retarget
from real3d.rotation import euler_from_rotation
from real3d.video_tracking import track_video
from real3d.weight_files import Model
from viewer.session import Pose

MOTIONS = (".csv", ".json", ".npz")
VIDEOS = (".mp4", ".mov", ".m4v", ".webm", ".mkv")
SOUNDS = (".wav", ".mp3", ".m4a", ".ogg", ".flac")
_WEBCAM_PX = 640
_STEADY = 0.55
"""Share of a new webcam frame in what is shown: the tracker trembles."""


def read_driver(path: Path, model: Model) -> Motion:
    """The motion in a file that somebody dropped; its ending says the kind."""
    if path.suffix in MOTIONS:
        return Motion.read(path)
    if path.suffix in SOUNDS:
        if not hasattr(Motion, "from_audio"):
            raise Real3DError("this build cannot make motion of sound. Drop a video or a motion.")
        return Motion.from_audio(path, model)
    return track_video(path)


def pose_of(avatar: Avatar, motion: Motion) -> Pose:
    """A motion on an avatar, relative to its first frame."""
    cameras, coefficients = retarget(avatar, motion, relative=True)
    return Pose(
        coefficients.numpy(),
        euler_from_rotation(cameras.rotation).numpy(),
        (cameras.translation - avatar.camera.translation).numpy(),
    )


class LiveDriver:
    """Moments as they come, relative to the first one."""

    def __init__(self, avatar: Avatar):
        self._avatar, self._first = avatar, None

    def pose(self, coefficients: np.ndarray, rotation: np.ndarray, place_cm: np.ndarray) -> Pose:
        """The avatar in this moment: coefficients (52,), rotation (3,), place (3,) cm."""
        now = (coefficients, rotation, place_cm)
        self._first = self._first or now
        rows = (np.stack(pair) for pair in zip(self._first, now, strict=True))
        both = pose_of(self._avatar, Motion(*rows, 25.0))
        return Pose(*(getattr(both, f)[1:] for f in ("coefficients", "rotation", "translation")))


class Webcam:
    """Pictures of a face, one by one; identity comes from the first."""

    def __init__(self, avatar: Avatar):
        self._live, self._tracker = LiveDriver(avatar), FaceTracker(max_faces=1)
        self._identity = self._side_px = self._last = None

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()

    def track(self, picture: bytes) -> TrackedFace | None:
        """The face in a JPEG."""
        return next(iter(self._tracker.track(_decoded(picture))), None)

    @torch.no_grad()
    def pose(self, face: TrackedFace) -> Pose:
        """The avatar as that face; another thread may track the next one meanwhile."""
        self._side_px = self._side_px or face.height_px / FACE_SHARE
        x0, y0, x1, y1 = face.box_px
        middle = np.array([x0 + x1, y0 + y1], np.float32) / 2
        landmarks = face.landmarks_px.copy()
        landmarks[:, :2] -= middle
        points = torch.from_numpy(landmarks * np.float32(2 / self._side_px))[None]
        tracked = torch.from_numpy(face.coefficients)[None]
        if self._identity is None:
            self._identity = cpu_fitter().source(points, tracked).identity
        fit = fit_frames(self._identity, points, tracked)
        place = fit.camera.translation[0].numpy() * HEAD_UNIT_CM
        place[:2] += middle * (2 / self._side_px) * place[2] / FOCAL
        now = (fit.coefficients[0].numpy(), euler_from_rotation(fit.camera.rotation)[0].numpy())
        now = (*now, place)
        last = self._last or now
        now = tuple(_STEADY * a + (1 - _STEADY) * b for a, b in zip(now, last, strict=True))
        self._last = now
        return self._live.pose(*now)


def _decoded(picture: bytes) -> np.ndarray:
    """(H, W, 3) uint8 of a small JPEG from the page."""
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
            if max(image.size) > _WEBCAM_PX:
                raise Real3DError(f"webcam pictures have at most {_WEBCAM_PX} px a side.")
            return np.array(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise Real3DError("not a JPEG from the webcam.") from error
