"""How large a photo shows what a view wants.

At a grazing angle a hand's breadth of hair is a few pixels; turned to the camera it would be
streaks. Of a point and its mirror image, the photo shows one larger. On the face the template's
normals tell, around it a head counts as round.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.networks.layers import smoothstep
from real3d.tensors import constant

_CROWN = -0.2
"""Height (y down) above which a head is a ball around a point; below, a column around an axis."""
_EARS = (-0.25, -0.1)
"""Heights between which ears begin, which stand out from the head: they are shown."""
_GRAZING = 0.15
"""Added to cosines: pictures are soft, and heads not quite round."""
_SHRUNK = (0.25, 0.5)
"""Size in the photo, against the wanted size, from which on hair is shown large enough …"""
_SOFT = (0.3, 0.6)
"""… and from which on anything beside the face is as sharp as the network's own colours."""
_BETTER = (1.0, 1.5)
"""How much larger a mirror image is shown where it is looked up beside what is shown itself."""


@torch.no_grad()
def round_facing(points: Tensor, photo: Camera, wanted: Camera) -> Tensor:
    """(B, 3, n, n) at points (B, 3, n, n) of posed heads, as if they were round: cosines between
    the surface and the camera in the wanted view, in the photo, and of the mirror image there."""
    x, y, z = points.split(1, 1)
    outward = F.normalize(torch.cat([x, (y - _CROWN).clamp(max=0), z], 1), dim=1)
    mirrored = outward * constant((-1, 1, 1), outward)[:, None, None]
    seen_from = ((outward, wanted), (outward, photo), (mirrored, photo))
    return torch.cat([_facing(direction, camera) for direction, camera in seen_from], 1)


@torch.no_grad()
def ample_hair(facing: Tensor, height: Tensor) -> Tensor:
    """(B, 1, n, n) 0 where photos show hair far too small.

    facing: round_facing's. height (B, 1, n, n): y of the head frame.
    """
    return torch.maximum(smoothstep(_shown(facing)[0], *_SHRUNK), smoothstep(height, *_EARS))


@torch.no_grad()
def better_mirrored(facing: Tensor) -> Tensor:
    """(B, 1, n, n) 1 where facing (B, 3, n, n) says that the mirror image is shown larger."""
    here, mirrored = _shown(facing)
    return smoothstep(mirrored / here, *_BETTER)


@torch.no_grad()
def soft(facing: Tensor) -> Tensor:
    """(B, 1, n, n) 1 where facing (B, 3, n, n) says that a look-up would be enlarged much."""
    return 1 - smoothstep(_shown(facing)[0], *_SOFT)


def _shown(facing: Tensor) -> tuple[Tensor, Tensor]:
    """Size in the photo against the wanted size, (B, 1, n, n) of points and mirror images."""
    wanted, photo, mirrored = (facing.clamp(min=0) + _GRAZING).split(1, 1)
    return photo / wanted, mirrored / wanted


def _facing(outward: Tensor, camera: Camera) -> Tensor:
    """(B, 1, n, n) cosine between directions (B, 3, n, n) and that to the camera."""
    away = camera.rotation[:, 2, :, None, None]
    return (-outward * away).sum(1, keepdim=True)
