"""The one camera of the project, and its conventions.

Head frame    fixed to the skull; x to the right of the image, y down, z away from the camera when
              the face looks at it (OpenCV's axes). Its origin lies between the eyes, inside the
              head. One unit is HEAD_UNIT_CM; the tri-planes fill [-1, 1]³ around hair and neck.
Camera frame  the same axes, origin at the camera.
Picture       normalised coordinates: u right and v down in [-1, 1] over the portrait crop. A pixel
              of an n-pixel side is 2/n wide; pixel 0's centre lies at 1/n - 1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

HEAD_UNIT_CM = 16.0
"""Centimetres in one unit of the head frame."""
FIELD_OF_VIEW_DEG = 13.0
"""A long lens, as for portraits."""
FOCAL = 8.776
"""Focal length in half sides of the picture: 1 / tan(FIELD_OF_VIEW_DEG / 2)."""


@dataclass(frozen=True)
class Camera:
    """Pinhole cameras, a batch of them; the principal point is the picture's centre."""

    rotation: Tensor
    """(B, 3, 3) head axes to camera axes."""
    translation: Tensor
    """(B, 3) the head's origin in the camera frame, head units."""

    def __len__(self) -> int:
        return len(self.rotation)

    def __getitem__(self, which: slice | Tensor) -> "Camera":
        return Camera(self.rotation[which], self.translation[which])

    def to(self, device: torch.device | str) -> "Camera":
        """The same cameras on a device."""
        return Camera(self.rotation.to(device), self.translation.to(device))

    def expand(self, count: int) -> "Camera":
        """One camera repeated."""
        return Camera(self.rotation.expand(count, 3, 3), self.translation.expand(count, 3))

    @staticmethod
    def cat(cameras: "list[Camera]") -> "Camera":
        """Batches one after the other."""
        return Camera(
            torch.cat([c.rotation for c in cameras]), torch.cat([c.translation for c in cameras])
        )

    @property
    def scale(self) -> Tensor:
        """(B,) size of a head unit at the head's origin, in half sides of the picture."""
        return FOCAL / self.translation[:, 2]

    @property
    def offset(self) -> Tensor:
        """(B, 2) where the head's origin is seen."""
        return self.translation[:, :2] * self.scale[:, None]

    def to_camera(self, points: Tensor) -> Tensor:
        """Points (B, N, 3) of the head frame in the camera frame."""
        with exact(points.device):
            return _precise(points) @ self.rotation.mT + self.translation[:, None]

    def project(self, points: Tensor) -> Tensor:
        """(B, N, 3) of head points (B, N, 3): u, v and the distance behind the head's origin."""
        seen = self.to_camera(points)
        uv = FOCAL * seen[..., :2] / seen[..., 2:]
        return torch.cat([uv, seen[..., 2:] - self.translation[:, None, 2:]], -1)

    def unproject(self, uv: Tensor, depth: Tensor) -> Tensor:
        """Head points (B, N, 3) seen at uv (B, N, 2), depth (B, N) behind the head's origin."""
        z = depth + self.translation[:, None, 2]
        seen = torch.cat([uv * (z / FOCAL)[..., None], z[..., None]], -1)
        with exact(uv.device):
            return _precise(seen - self.translation[:, None]) @ self.rotation

    def heights(self, size: int) -> Tensor:
        """(B, 1, size, size) of pixels in the head frame (y down, head units).

        As if all that is seen were as far as the head's origin.
        """
        flat = pixel_grid(size, self.rotation.device).view(1, -1, 2).expand(len(self), -1, -1)
        points = self.unproject(flat, torch.zeros_like(flat[..., 0]))
        return points[..., 1].unflatten(1, (1, size, size))


def exact(device: torch.device) -> torch.autocast:
    """Positions in half precision would be pixels off, whatever the networks compute in."""
    return torch.autocast(device.type, enabled=False)


def _precise(points: Tensor) -> Tensor:
    """Half precision as float32; float64 stays what it is."""
    return points.to(torch.promote_types(points.dtype, torch.float32))


def camera_from_pose(rotation: Tensor, scale: Tensor, offset: Tensor) -> Camera:
    """The cameras (B) with rotation (B, 3, 3), scale (B,) and offset (B, 2); see those names."""
    depth = FOCAL / scale
    return Camera(rotation, torch.cat([offset / scale[:, None], depth[:, None]], 1))


def pixel_grid(size: int, device: torch.device | str = "cpu") -> Tensor:
    """(size, size, 2) normalised coordinates of pixel centres."""
    steps = (torch.arange(size, device=device) + 0.5) * (2 / size) - 1
    v, u = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([u, v], -1)
