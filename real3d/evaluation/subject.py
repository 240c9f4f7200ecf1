"""The one place where evaluation touches the model: an avatar that makes pictures in several ways.

What measures takes a `Subject`, so that tests can put in something simpler.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from real3d.camera import HEAD_UNIT_CM, Camera
from real3d.evaluation.observer import reduced
from real3d.motion import Motion
from real3d.photo import Portrait
from real3d.rotation import euler_from_rotation

if TYPE_CHECKING:
    from real3d.avatar import Avatar
    from real3d.weight_files import Model

OURS, WARP, COPY = "Real3D", "geometric warp", "copy the source"
METHODS = (OURS, WARP, COPY)
"""What is compared; the last two are the baselines."""


@dataclass(frozen=True)
class Pose:
    """Where the head is and what it does in T frames, as the avatar understands it."""

    camera: Camera
    coefficients: torch.Tensor
    """(T, 52)."""

    def repeated(self, coefficients: np.ndarray) -> "Pose":
        """The first frame's camera with other coefficients (N, 52)."""
        values = torch.from_numpy(np.ascontiguousarray(coefficients, np.float32))
        return Pose(self.camera[:1].expand(len(values)), values.to(self.coefficients))


class Subject(Protocol):
    """One person, reconstructed from one or several portraits."""

    def fit(self, landmarks: np.ndarray, coefficients: np.ndarray) -> Pose:
        """Pose of frames with landmarks (T, 478, 3) and coefficients (T, 52); identity is kept."""

    def driven(self, driver: Portrait, landmarks: np.ndarray, coefficients: np.ndarray) -> Pose:
        """Somebody else's head pose and expression in frames (T, 478, 3), (T, 52), taken over.

        driver: the portrait in whose window the landmarks are, and which tells his identity.
        """

    def turned(self, views_deg: Sequence[tuple[float, float]]) -> Pose:
        """The photo's expression seen from yaw and pitch, counted from facing the camera."""

    def frames(self, method: str, pose: Pose, size: int) -> Iterator[np.ndarray]:
        """(size, size, 3) uint8 pictures made by one of METHODS."""

    def mesh_landmarks(self, pose: Pose) -> np.ndarray:
        """(T, 478, 2) where the avatar's mesh has the landmarks, normalised."""


BuildSubject = Callable[[Sequence[Portrait]], Subject]
"""From portraits of one person."""


class AvatarSubject:
    """A Subject made by the model."""

    def __init__(self, portraits: Sequence[Portrait], model: "Model"):
        import real3d
        from real3d.renderer import Renderer

        self._avatar: Avatar = real3d.reconstruct(list(portraits), model)
        self._renderer = Renderer(self._avatar, model)
        self._source = self._avatar.photo.numpy()

    def fit(self, landmarks: np.ndarray, coefficients: np.ndarray) -> Pose:
        """See Subject."""
        from real3d.pipeline import fit_motion

        return Pose(*fit_motion(self._avatar, landmarks, coefficients))

    def driven(self, driver: Portrait, landmarks: np.ndarray, coefficients: np.ndarray) -> Pose:
        """See Subject."""
        from real3d.fitting import as_rows, fit_frames, fit_portraits
        from real3d.retarget import retarget

        (head,), _ = fit_portraits([driver])
        fit = fit_frames(head.identity, as_rows(landmarks), as_rows(coefficients))
        motion = Motion(
            fit.coefficients.numpy(),
            euler_from_rotation(fit.camera.rotation).numpy(),
            fit.camera.translation.numpy() * HEAD_UNIT_CM,
            fps=25.0,  # of no consequence: nothing is resampled
        )
        return Pose(*retarget(self._avatar, motion, relative=False))

    def turned(self, views_deg: Sequence[tuple[float, float]]) -> Pose:
        """See Subject."""
        from real3d.retarget import turned_camera

        cameras = [turned_camera(self._avatar, *view, 0.0, frontal=True) for view in views_deg]
        return Pose(Camera.cat(cameras), self._avatar.coefficients.expand(len(cameras), -1))

    def frames(self, method: str, pose: Pose, size: int) -> Iterator[np.ndarray]:
        """See Subject."""
        import real3d

        if method == COPY:
            return itertools.repeat(reduced(self._source, size), len(pose.coefficients))
        if method == WARP:
            return real3d.render_geometric_warp(
                self._avatar, cameras=pose.camera, coefficients=pose.coefficients, size=size
            )
        return self._renderer.frames(pose.camera, pose.coefficients, size)

    def mesh_landmarks(self, pose: Pose) -> np.ndarray:
        """See Subject."""
        from real3d.pipeline import mesh_landmarks

        return np.asarray(mesh_landmarks(self._avatar, pose.camera, pose.coefficients).cpu())
