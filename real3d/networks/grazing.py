"""What a photo shows at a grazing angle: a hand's breadth of hair in a few pixels.

Turned to the camera it would be streaks. So above the ears a head counts as round, and hair that
the photo shows too small as not shown.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.networks.layers import smoothstep

_CROWN = -0.2
"""Height (y down) above which a head is a ball around a point; below, a column around an axis."""
_EARS = (-0.25, -0.1)
"""Heights between which ears begin, which stand out from the head: they are shown."""
_GRAZING = 0.15
"""Added to cosines: pictures are soft, and heads not quite round."""
_SHRUNK = (0.25, 0.5)
"""Size in the photo, against the wanted size, from which on something is shown large enough."""


@torch.no_grad()
def ample_hair(points: Tensor, photo: Camera, wanted: Camera) -> Tensor:
    """(B, 1, n, n) 0 where photos show points (B, 3, n, n) of posed heads far too small."""
    x, y, z = points.split(1, 1)
    outward = F.normalize(torch.cat([x, (y - _CROWN).clamp(max=0), z], 1), dim=1)
    here, there = (_facing(outward, camera) + _GRAZING for camera in (wanted, photo))
    return torch.maximum(smoothstep(there / here, *_SHRUNK), smoothstep(y, *_EARS))


def _facing(outward: Tensor, camera: Camera) -> Tensor:
    """(B, 1, n, n) cosine, at least 0, between directions (B, 3, n, n) and that to the camera."""
    away = camera.rotation[:, 2, :, None, None]
    return (-outward * away).sum(1, keepdim=True).clamp(min=0)
