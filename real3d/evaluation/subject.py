"""The one place where evaluation touches the model: an avatar that makes pictures in several ways.

What measures takes a `Subject`, so that tests can put in something simpler.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import torch

from real3d.photo import Portrait

if TYPE_CHECKING:
    from real3d.avatar import Avatar
    from real3d.camera import Camera

OURS, WARP, COPY = "Real3D", "geometric warp", "copy the source"
METHODS = (OURS, WARP, COPY)
"""What is compared; the last two are the baselines."""


@dataclass(frozen=True)
class Pose:
    """Where the head is and what it does in T frames, as the avatar understands it."""

    camera: "Camera"
    coefficients: torch.Tensor
    """(T, 52)."""

    def repeated(self, coefficients: np.ndarray) -> "Pose":
        """The first frame's camera with other coefficients (N, 52)."""
        values = torch.from_numpy(np.ascontiguousarray(coefficients, np.float32))
        return Pose(self.camera[:1].expand(len(values)), values.to(self.coefficients))


class Subject(Protocol):
    """One person, reconstructed from one portrait."""

    def fit(self, landmarks: np.ndarray, coefficients: np.ndarray) -> Pose:
        """Pose of frames with landmarks (T, 478, 3) and coefficients (T, 52); identity is kept."""

    def frames(self, method: str, pose: Pose, size: int) -> Iterator[np.ndarray]:
        """(size, size, 3) uint8 pictures made by one of METHODS."""

    def mesh_landmarks(self, pose: Pose) -> np.ndarray:
        """(T, 478, 2) where the avatar's mesh has the landmarks, normalised."""

    def view(self, yaw_deg: float, pitch_deg: float, size: int) -> np.ndarray:
        """A picture from an angle, counted from facing the camera."""


BuildSubject = Callable[[Portrait], Subject]


class AvatarSubject:
    """A Subject made by the model."""

    def __init__(self, portrait: Portrait, model: object):
        import real3d

        self._model, self._source = model, portrait.image
        self._avatar: Avatar = real3d.reconstruct(portrait, model)

    def fit(self, landmarks: np.ndarray, coefficients: np.ndarray) -> Pose:
        """See Subject."""
        from real3d.pipeline import fit_motion

        return Pose(*fit_motion(self._avatar, landmarks, coefficients))

    def frames(self, method: str, pose: Pose, size: int) -> Iterator[np.ndarray]:
        """See Subject."""
        import real3d

        if method == COPY:
            source = cv2.resize(self._source, (size, size), interpolation=cv2.INTER_AREA)
            return itertools.repeat(source, len(pose.coefficients))
        arguments = {"cameras": pose.camera, "coefficients": pose.coefficients, "size": size}
        if method == WARP:
            return real3d.render_geometric_warp(self._avatar, **arguments)
        return real3d.render(self._avatar, model=self._model, **arguments)

    def mesh_landmarks(self, pose: Pose) -> np.ndarray:
        """See Subject."""
        from real3d.pipeline import mesh_landmarks

        return np.asarray(mesh_landmarks(self._avatar, pose.camera, pose.coefficients).cpu())

    def view(self, yaw_deg: float, pitch_deg: float, size: int) -> np.ndarray:
        """See Subject."""
        import real3d

        return real3d.redirect(
            self._avatar, self._model, yaw_deg, pitch_deg, 0.0, frontal=True, size=size
        )
