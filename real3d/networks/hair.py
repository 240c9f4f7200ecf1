"""The hair plate: the photo's hair, continued over everything that is not hair.

A point on the far side of a head, which the photo does not show, projects into the photo inside the
outline of the head. There the plate has the hair that is shown along the outline, mirrored at its
border, so that strands go on and colours agree. A hat and a bald head are continued likewise, and
the back of the neck has the colours of its front.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.networks.layers import enlarge, eroded, pull_push, sample, smoothstep
from real3d.networks.parts import REDUCTION, Parts

_DEPTH = 0.6
"""How deep into the shown hair what lies behind its border is mirrored, beside its distance."""
_NAPE = (0.3, 0.5)
"""Between which heights hair ends at the back of the head, if the neck is bare."""
_LARGEST_STEP = 6
"""Pixels of the mask by which the nearest hair of neighbours may differ in what is mirrored."""
_SMOOTHED = 5
"""Pixels of the mask over which the nearest hair's place is averaged: pixels have corners."""
_NO_HAIR = 1e-5
"""How much other pixels of the person, but for clothes, count for the plate's smooth parts."""


@torch.no_grad()
def hair_plate(photo: Tensor, alpha: Tensor, camera: Camera, parts: Parts) -> Tensor:
    """(B, 3, S, S) of photos (B, 3, S, S) in [-1, 1] and mattes (B, 1, S, S); camera: theirs."""
    small, person = F.avg_pool2d(photo, REDUCTION), F.avg_pool2d(alpha, REDUCTION)
    anybody = _NO_HAIR * person * (1 - parts.clothes)
    hair, shown = parts.hair, torch.maximum(parts.hair, parts.neck)
    above = pull_push(small, torch.maximum(hair, anybody))
    below = pull_push(small, torch.maximum(shown, anybody))
    bare = smoothstep(camera.heights(small.shape[-1]), *_NAPE)
    smooth = enlarge(torch.lerp(above, below, bare), REDUCTION)
    uv, steady = _mirrored_at_border(hair)
    there = ((sample(hair, uv) > 0.9) & (steady > 0.9)).float()
    there = F.avg_pool2d(eroded(there, 9), 9, 1, 4) * enlarge(1 - bare, REDUCTION)
    mirrored = torch.lerp(smooth, sample(photo, uv), there)
    return torch.where(enlarge(shown, REDUCTION) > 0.9, photo, mirrored)


def _mirrored_at_border(hair: Tensor) -> tuple[Tensor, Tensor]:
    """For every pixel a place as far behind the nearest hair, or a little less.

    (B, S, S, 2), and (B, 1, S, S) whether the places of neighbours are neighbours.
    """
    nearest, grid = _nearest(hair)
    spread = F.max_pool2d(nearest, 3, 1, 1) + F.max_pool2d(-nearest, 3, 1, 1)
    steady = (spread.amax(1, keepdim=True) < _LARGEST_STEP * 2 / hair.shape[-1]).float()
    nearest = F.avg_pool2d(nearest, _SMOOTHED, 1, _SMOOTHED // 2, count_include_pad=False)
    uv = enlarge(nearest + _DEPTH * (nearest - grid), REDUCTION)
    return uv.permute(0, 2, 3, 1), enlarge(steady, REDUCTION)


def _nearest(hair: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2, n, n) where the nearest pixel of hair is, and (2, n, n) where each pixel is.

    Jump flooding (Rong and Tan 2006).
    """
    size = hair.shape[-1]
    grid = pixel_grid(size, hair.device).permute(2, 0, 1)
    nowhere = torch.full_like(grid, 9.0)
    nearest = torch.where(hair > 0.9, grid, nowhere)
    step = size // 2
    while step:
        padded = F.pad(nearest, (step,) * 4, value=9.0)
        moved = torch.stack(
            [
                padded[:, :, y : y + size, x : x + size]
                for y in (0, step, 2 * step)
                for x in (0, step, 2 * step)
            ]
        )
        closest = (moved - grid).square().sum(2, keepdim=True).argmin(0, keepdim=True)
        nearest = moved.gather(0, closest.expand(-1, -1, 2, -1, -1))[0]
        step //= 2
    return nearest, grid
