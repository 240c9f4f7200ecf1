"""Pictures of a baked head by our own rasteriser: what any player of the file shows."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.export.mesh import BakedHead, Drawable, TexturedMesh, rasterised
from real3d.networks.layers import sample
from real3d.rotation import rotation_from_euler

_FINER = 2
"""Drawn so much finer, then averaged."""
_WALL = (0.93, 0.93, 0.94)


def draw(
    baked: BakedHead,
    camera: Camera,
    coefficients: Tensor,
    size: int,
    wall: tuple[float, float, float] = _WALL,
) -> np.ndarray:
    """(size, size, 3) uint8 of a head with an expression (52,), unlit, seen by one camera."""
    side = size * _FINER
    picture = torch.tensor(wall)[:, None, None].expand(3, side, side)
    nearest = torch.full((1, side, side), 9.0)
    for mesh in baked.parts.values():
        posed = mesh.posed(coefficients)
        projected = camera.project(posed[None])[0]
        colour, depth = _layer(mesh, posed, projected, side)
        front = (depth < nearest).float() * colour[3:]
        picture = torch.lerp(picture, colour[:3], front)
        nearest = torch.where(front > 0.5, depth, nearest)
    small = F.avg_pool2d(picture[None], _FINER)[0].permute(1, 2, 0)
    return (small.clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()


def _layer(
    mesh: TexturedMesh, posed: Tensor, projected: Tensor, side: int
) -> tuple[Tensor, Tensor]:
    """RGBA (4, S, S) and depth (1, S, S) of one mesh."""
    raster = rasterised(Drawable.two_sided(posed, mesh.triangles), projected, side)
    values = raster.at_pixels(torch.cat([mesh.uv, projected[:, 2:]], 1)[None])
    texture = mesh.texture.permute(2, 0, 1)[None].float() / 255
    ink = sample(texture, values[None, None, :, :2] * 2 - 1)[0, :, 0].T
    if ink.shape[1] == 3:
        ink = torch.cat([ink, torch.ones(len(ink), 1)], 1)
    return raster.image(ink)[0], raster.image(values[:, 2:], 9.0)[0]


def turntable(baked: BakedHead, count: int, size: int) -> Iterator[np.ndarray]:
    """So many frames (size, size, 3) uint8 of one whole turn, from the front and back to it."""
    place = torch.tensor([[0.0, 0.0, float(baked.camera.translation[0, 2])]])
    place[0, 1] = baked.camera.translation[0, 1]
    for k in range(count):
        turn = torch.tensor([[2 * math.pi * k / count, 0.0, 0.0]])
        yield draw(baked, Camera(rotation_from_euler(turn), place), baked.coefficients, size)
