"""What all teeth have in common, whosever they are: lines between them, round flanks, gums.

A photo of a shut mouth shows no teeth, and a network that paints some from what it is told of the
person paints a white band. So what it paints there is multiplied by this pattern. And where a photo
shows some of somebody's teeth, the others are nearly as bright.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.face.teeth import LOWER_ARCH, MM, UPPER_ARCH, Arch
from real3d.face.template import TEETH_CLASS
from real3d.networks.layers import interval_of, luma_of, smoothstep
from real3d.tensors import constant

_LINE, _LINE_WIDTH = 0.18, 0.6 * MM
"""How dark the line between two teeth is, and how wide."""
_FLANK = 0.12
_GUM_COLOUR = (0.85, 0.52, 0.52)
"""Against the colour of teeth."""
_GUM = (0.95, 1.1)
"""Between which shares of a tooth's height the gum begins."""
_GUM_SCALLOP = 0.2
"""Share of a tooth's height by which the gum comes lower between teeth."""
_TONE_PX, _TONE_LUMA = (12, 48), (0.35, 0.5)
"""Pixels of S/2 with bright teeth, and their brightness in [0, 1], from which on they are known."""


@torch.no_grad()
def teeth_tone(photo: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Mean colour (B, 3, 1, 1) in [0, 1] of the brighter half of teeth, and (B, 1, 1, 1) whether
    photos (B, 3, S, S) in [-1, 1] show it; classes: SourceGeometry.classes (B, 1, S/2, S/2)."""
    teeth = (classes == TEETH_CLASS + 1).float()
    colour = F.avg_pool2d(photo, 2) * 0.5 + 0.5
    luma = luma_of(colour)
    count = teeth.sum((2, 3), keepdim=True).clamp_min(1)
    bright = teeth * (luma > (luma * teeth).sum((2, 3), keepdim=True) / count)
    count = bright.sum((2, 3), keepdim=True)
    tone = (colour * bright).sum((2, 3), keepdim=True) / count.clamp_min(1)
    return tone, smoothstep(count, *_TONE_PX) * smoothstep(luma_of(tone), *_TONE_LUMA)


@torch.no_grad()
def enamel(canonical: Tensor, gums: Tensor) -> Tensor:
    """(B, 3, S, S) factors at template positions (B, 3, S, S) of teeth.

    gums: (B, 1, 1, 1) how far they show; of a mouth that shows teeth and none, not at all.
    """
    x, y = canonical[:, :1].contiguous(), canonical[:, 1:2]
    upper, lower = _pattern(UPPER_ARCH, x, y, gums), _pattern(LOWER_ARCH, x, y, gums)
    return torch.where(y < (UPPER_ARCH.edge + LOWER_ARCH.edge) / 2, upper, lower)


def _pattern(arch: Arch, x: Tensor, y: Tensor, gums: Tensor) -> Tensor:
    ends = constant(tuple(arch.ends.tolist()), x)
    right = interval_of(x, ends)
    low, high = ends[right - 1], ends[right]
    across = ((2 * x - low - high) / (high - low)).clamp(-1, 1)
    away = torch.minimum(x - low, high - x)
    line = 1 - _LINE * torch.exp(-((away / _LINE_WIDTH) ** 2))
    tooth = line * (1 - _FLANK * across**4)
    height = arch.down * (arch.edge - y) / arch.tooth + _GUM_SCALLOP * across**2
    colour = constant(_GUM_COLOUR, x)[:, None, None]
    return torch.lerp(tooth, colour, gums * smoothstep(height, *_GUM))
