"""Left and right of a face exchanged."""

import torch
from torch import Tensor

from real3d.camera import Camera
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.face.template import Template

_OTHER = {"Left": "Right", "Right": "Left"}


class Mirror:
    """Where landmarks and coefficients are found in a mirror."""

    def __init__(self, template: Template):
        self._mean = template.landmarks
        self._flip = self._mean.new_tensor([-1, 1, 1])
        self.landmarks = template.landmark_twins
        """(478,) the landmark on the other side."""
        partners = [_partner(name) for name in ARKIT_NAMES]
        self.coefficients = torch.tensor(partners, device=self._mean.device)
        """(52,) the coefficient of the other side."""

    def offsets(self, moves: Tensor) -> Tensor:
        """Moves of landmarks (..., 478, 3), in a mirror."""
        return moves[..., self.landmarks, :] * self._flip

    def identity(self, identity: Tensor) -> Tensor:
        """Identities (B, 478, 3): also the mean head is not quite symmetric."""
        return self.offsets(self._mean + identity) - self._mean

    def camera(self, camera: Camera) -> Camera:
        """Cameras that see mirrored heads in mirrored pictures."""
        flip = self._flip
        return Camera(camera.rotation * flip * flip[:, None], camera.translation * flip)


def _partner(name: str) -> int:
    for side, other in _OTHER.items():
        if name.endswith(side):
            return ARKIT_INDEX[name.removesuffix(side) + other]
    return ARKIT_INDEX[name]
