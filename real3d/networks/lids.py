"""The lid plate: the photo with shut eyes, as far as the skin around them tells.

The lid of an open eye is a line in the photo. Stretched over a shut eye it would be a smear of
lashes; there a lid is looked up in this plate instead, and the lashes are a dark line along its
margin.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.face.teeth import MM
from real3d.face.template import EYE_CLASSES, EYE_RINGS
from real3d.networks.layers import covered, interval_of, smoothstep

_REACH = 48
"""Lids and lashes reach this part of the picture's side beyond the eyeball."""
_LASHES, _LASH_WIDTH = 0.6, 0.45 * MM
"""How dark lashes are, and how wide on the template, whose eyes are open: shut lids are longer."""
_LASH_ENDS = 0.2
"""Share of the lid's width over which they begin and end."""


@torch.no_grad()
def lid_plate(photo: Tensor, classes: Tensor) -> Tensor:
    """(B, 3, S, S) of photos (B, 3, S, S); classes: SourceGeometry.classes (B, 1, S/2, S/2)."""
    eyes = sum((classes == k + 1).float() for k in EYE_CLASSES)
    reach = eyes.shape[-1] // _REACH
    soft = reach // 2
    near = F.max_pool2d(eyes, 2 * (reach + soft) + 1, 1, reach + soft)
    known = F.avg_pool2d((classes == 1) * (1 - near), 2)
    near = F.avg_pool2d(near, 2 * soft + 1, 1, soft)  # whole within reach, soft beyond
    return covered(photo, known, near)


def upper_margins(landmarks: Tensor) -> Tensor:
    """(2, 9, 3) the upper lids' margins, by rising x, of a template's landmarks (478, 3)."""
    return by_rising_x(landmarks[torch.tensor([[*ring[8:], ring[0]] for ring in EYE_RINGS])])


def by_rising_x(curves: Tensor) -> Tensor:
    """(K, M, 3) curves, their points sorted."""
    return curves.gather(1, curves[..., :1].argsort(1).expand_as(curves))


@torch.no_grad()
def lashes(canonical: Tensor, margins: Tensor) -> Tensor:
    """(B, 1, S, S) what skin is multiplied by at template positions (B, 3, S, S)."""
    return 1 - _LASHES * drawn(canonical, margins, _LASH_WIDTH, _LASH_ENDS)


def drawn(canonical: Tensor, curves: Tensor, width: float, ends: float) -> Tensor:
    """(B, 1, S, S) 1 on curves (K, M, 3) at template positions (B, 3, S, S), less beside them.

    width: where a line has lost 1 - 1/e. ends: share of its length over which it begins and ends.
    """
    x, y = canonical[:, :1].contiguous(), canonical[:, 1:2]
    dark = torch.zeros_like(x)
    for curve in curves:
        places, height = curve[:, 0].contiguous(), curve[:, 1]
        right = interval_of(x, places)
        share = ((x - places[right - 1]) / (places[right] - places[right - 1])).clamp(0, 1)
        away = y - torch.lerp(height[right - 1], height[right], share)
        along = (x - places[0]) / (places[-1] - places[0])
        within = smoothstep(torch.minimum(along, 1 - along), 0, ends)
        dark = torch.maximum(dark, within * torch.exp(-((away / width) ** 2)))
    return dark
