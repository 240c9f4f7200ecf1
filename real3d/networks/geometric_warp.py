"""The photo warped by the posed mesh alone: a baseline, and it makes false sources for training."""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import pixel_grid
from real3d.networks.geometry import Geometry, Head, SourceGeometry, TargetGeometry
from real3d.networks.layers import enlarge, sample, smoothstep

_HEAD_RADII = (0.75, 0.95)
_FADE = (0.85, 1.3)
"""Ellipse around the head within which the warp is whole, and where it has faded out."""


@torch.no_grad()
def warp_grid(
    geometry: Geometry,
    source: SourceGeometry,
    source_head: Head,
    target: TargetGeometry,
    target_head: Head,
) -> Tensor:
    """(B, S, S, 2) where a new view's pixels are in the photo.

    Exact on the mesh, rigid beside it, nothing moves away from the head.
    """
    size = target.ray_depth.shape[-1]
    grid = pixel_grid(size, target.hit.device)
    flat = grid.view(1, -1, 2).expand(len(target.hit), -1, -1)
    there = target_head.camera.unproject(flat, target.ray_depth.flatten(1))
    there = there + (target.ray_to_canonical + target.ray_to_source).flatten(2).mT
    uv = source_head.camera.project(there)[..., :2]
    centre = target_head.camera.unproject(flat, torch.zeros_like(flat[..., 0]))
    x, y = centre[..., 0] / _HEAD_RADII[0], centre[..., 1] / _HEAD_RADII[1]
    near = (1 - smoothstep((x.square() + y.square()).sqrt(), *_FADE)).unflatten(1, (1, size, size))
    factor = geometry.image_px // size
    flow = enlarge((uv - flat).mT.unflatten(2, (size, size)) * near, factor)
    full = pixel_grid(geometry.image_px, flow.device)
    on_mesh = F.avg_pool2d(target.hit, 5, 1, 2) * target.hit * enlarge(near, factor)
    mesh_flow = (target.source_uv - full).permute(0, 3, 1, 2)
    return full + torch.lerp(flow, mesh_flow, on_mesh).permute(0, 2, 3, 1)


def geometric_warp(
    geometry: Geometry, photo: Tensor, source_head: Head, target_head: Head
) -> tuple[Tensor, Tensor]:
    """Warped photos (B, C, S, S) and the grid (B, S, S, 2) that made them."""
    source = geometry.source(source_head)
    target = geometry.target(source, target_head)
    grid = warp_grid(geometry, source, source_head, target, target_head)
    return sample(photo, grid), grid
