"""Ears: where the template has them, and whether hair covers them."""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.networks.layers import sample, smoothstep
from real3d.networks.parts import Parts
from real3d.tensors import constant

_TOPS, _ENDS, _SIDES = (-0.24, -0.18), (0.2, 0.26), (0.42, 0.46)
"""Heights (y down) between which the template's ears begin and end, and how far out they are."""
_MIDDLE = (0.5, 0.0, 0.17)
"""Of the left ear, head frame."""
_SIDE_SLOPE = 8.0
"""How soon the ear on the photo's side is asked alone, when a head is turned."""
_AREA = 14
"""The square around its middle that is asked has this part of the picture's side."""
_BARE = (0.2, 0.4)
"""Share of skin beside the face in it from which on an ear is bare."""
_BEFORE = (0.03, 0.1)
"""How far before the template's ear a surface is hair that covers it."""


@torch.no_grad()
def bare_ears(parts: Parts, camera: Camera) -> Tensor:
    """(B, 1, 1, 1) 0 where hair covers the ear that a photo shows; camera: the photos'."""
    beside = torch.cat([parts.beside, parts.bare], 1)
    count, size = len(beside), beside.shape[-1]
    middle = constant(_MIDDLE, beside)
    both = torch.stack([middle, middle * constant((-1, 1, 1), beside)])
    places = camera.project(both.expand(count, -1, -1))[..., :2]
    reach = size // _AREA // 2
    found = sample(F.avg_pool2d(beside, 2 * reach + 1, 1, reach), places[:, None])[:, :, 0]
    share = found[:, 1] / (found[:, 0] + 1e-3)
    left = torch.sigmoid(-_SIDE_SLOPE * camera.rotation[:, 2, 0])
    return smoothstep(torch.lerp(share[:, 1], share[:, 0], left), *_BARE).view(-1, 1, 1, 1)


@torch.no_grad()
def ears_at(canonical: Tensor, mesh_depth: Tensor, depth: Tensor) -> Tensor:
    """(B, 1, S, S) 1 where template positions (B, 3, S, S) are on ears and no hair before them.

    mesh_depth, depth (B, 1, S, S): of the template and of what is rendered.
    """
    x, y, z = canonical.split(1, 1)
    height = smoothstep(y, *_TOPS) * (1 - smoothstep(y, *_ENDS))
    hidden = smoothstep(mesh_depth - depth, *_BEFORE)
    return smoothstep(x.abs(), *_SIDES) * height * (z > 0) * (1 - hidden)
