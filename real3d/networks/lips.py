"""Lips that move: the photo with a shut mouth, as far as its lips tell.

The margin of parted lips is a pixel or two beside teeth in the photo. Where they are to be nearer
or farther apart, it would be a dashed line of teeth along them; there their skin is looked up in
this plate instead. Where they meet, there is a dark line along their margins.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.face.teeth import MM
from real3d.face.template import MOUTH_CLASS, TEETH_CLASS
from real3d.networks.layers import covered, smoothstep
from real3d.networks.lids import by_rising_x, drawn

_MARGIN = 2
"""Pixels of S/2 by which lips end before their mesh does."""
_SEAM, _SEAM_WIDTH, _SEAM_ENDS = 0.5, 0.5 * MM, 0.05
"""How dark lips are where they meet, how wide, and the share of their length at the corners."""
_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Landmarks of the inner lips, from corner to corner."""
_PARTED, _MOVED, _MEETING = (2.5 * MM, 4 * MM), (1 * MM, 3 * MM), (1.8 * MM, 3.5 * MM)
"""Gaps from which lips of a photo are parted, by how much those of a view differ from which on they
have moved, and between which they meet."""


@torch.no_grad()
def lip_plate(photo: Tensor, classes: Tensor) -> Tensor:
    """(B, 3, S, S) of photos (B, 3, S, S); classes: SourceGeometry.classes (B, 1, S/2, S/2)."""
    mouth = ((classes == MOUTH_CLASS + 1) | (classes == TEETH_CLASS + 1)).float()
    mouth = F.max_pool2d(mouth, 2 * _MARGIN + 1, 1, _MARGIN)
    return covered(photo, F.avg_pool2d((classes == 1) * (1 - mouth), 2), mouth)


def lip_margins(landmarks: Tensor) -> Tensor:
    """(2, 11, 3) the inner lips, by rising x, of a template's landmarks (478, 3)."""
    return by_rising_x(landmarks[torch.tensor([_UPPER, _LOWER])])


@torch.no_grad()
def seam(canonical: Tensor, margins: Tensor, meeting: Tensor) -> Tensor:
    """(B, 1, S, S) what lips are multiplied by at template positions (B, 3, S, S).

    meeting: (B,) how far they meet.
    """
    dark = drawn(canonical, margins, _SEAM_WIDTH, _SEAM_ENDS)
    return 1 - _SEAM * meeting.view(-1, 1, 1, 1) * dark


def moved_and_meeting(photo_gap: Tensor, gap: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) whether lips that are parted in the photo have moved, and meet.

    Gaps (B,) between them in the photo and in the view, head units.
    """
    parted = smoothstep(photo_gap, *_PARTED)
    moved = smoothstep((gap - photo_gap).abs(), *_MOVED)
    return parted * moved, parted * (1 - smoothstep(gap, *_MEETING))
