"""The lid plate: the photo with shut eyes, as far as the skin around them tells.

The lid of an open eye is a line in the photo. Stretched over a shut eye it would be a smear of
lashes; there a lid is looked up in this plate instead.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.face.template import EYE_CLASSES
from real3d.networks.layers import enlarge, pull_push

_REACH = 48
"""Lids and lashes reach this part of the picture's side beyond the eyeball."""
_LEAK = 1e-3


@torch.no_grad()
def lid_plate(photo: Tensor, classes: Tensor) -> Tensor:
    """(B, 3, S, S) of photos (B, 3, S, S); classes: SourceGeometry.classes (B, 1, S/2, S/2)."""
    eyes = sum((classes == k + 1).float() for k in EYE_CLASSES)
    reach = eyes.shape[-1] // _REACH
    soft = reach // 2
    near = F.max_pool2d(eyes, 2 * (reach + soft) + 1, 1, reach + soft)
    known = F.avg_pool2d((classes == 1) * (1 - near), 2)
    near = F.avg_pool2d(near, 2 * soft + 1, 1, soft)  # whole within reach, soft beyond
    colour = F.avg_pool2d(photo, 4)
    filled = enlarge(pull_push(colour * known / known.clamp_min(1e-3), known, _LEAK), 4)
    return torch.lerp(photo, filled, enlarge(near, 2))
