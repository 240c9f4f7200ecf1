"""What all teeth have in common, whosever they are: lines between them, round flanks, gums.

A photo of a shut mouth shows no teeth, and a network that paints some from what it is told of the
person paints a white band. So what it paints there is multiplied by this pattern.
"""

import torch
from torch import Tensor

from real3d.face.teeth import LOWER_ARCH, MM, UPPER_ARCH, Arch
from real3d.networks.layers import interval_of, smoothstep
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


@torch.no_grad()
def enamel(canonical: Tensor) -> Tensor:
    """(B, 3, S, S) factors at template positions (B, 3, S, S) of teeth."""
    x, y = canonical[:, :1].contiguous(), canonical[:, 1:2]
    upper, lower = _pattern(UPPER_ARCH, x, y), _pattern(LOWER_ARCH, x, y)
    return torch.where(y < (UPPER_ARCH.edge + LOWER_ARCH.edge) / 2, upper, lower)


def _pattern(arch: Arch, x: Tensor, y: Tensor) -> Tensor:
    ends = constant(tuple(arch.ends.tolist()), x)
    right = interval_of(x, ends)
    low, high = ends[right - 1], ends[right]
    across = ((2 * x - low - high) / (high - low)).clamp(-1, 1)
    away = torch.minimum(x - low, high - x)
    line = 1 - _LINE * torch.exp(-((away / _LINE_WIDTH) ** 2))
    tooth = line * (1 - _FLANK * across**4)
    height = arch.down * (arch.edge - y) / arch.tooth + _GUM_SCALLOP * across**2
    colour = constant(_GUM_COLOUR, x)[:, None, None]
    return torch.lerp(tooth, colour, smoothstep(height, *_GUM))
