"""Volume rendering of the tri-planes near the template's surface.

Rays are sampled around the mesh: closely in the face, widely where hair may be. Every sample is
carried from the posed head into template space by the mesh's displacement, where the planes and a
density prior are.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.networks.config import NetworkConfig
from real3d.networks.image_to_plane import Planes
from real3d.networks.layers import sample

_REACH, _REACH_FIRM = 0.5, 0.12
"""Half length of a ray's samples around the mesh, for hair and for the face."""
_DENSITY = 12.0
_BOX = 0.985
_FLOOR_SLOPE, _FLOOR_START = 4.0, 2.0
"""Inside the template's head the volume is never emptier than this multiple of the prior, less
that: nobody's skull can be looked through, from whatever side no photo was taken."""
_FLOOR_END, _FLOOR_FADE = 0.8, 40.0
"""Height (y down) below which there is clothing as well, and how fast the floor ends there."""


@dataclass(frozen=True)
class RenderedVolume:
    """What the rays of one view see."""

    features: Tensor
    """(B, C, n, n)."""
    alpha: Tensor
    """(B, 1, n, n)."""
    canonical: Tensor
    """(B, 3, n, n) mean template position, times alpha."""
    depth: Tensor
    """(B, 1, n, n) behind the head's origin; the mesh's where nothing is seen."""


@dataclass(frozen=True)
class Rays:
    """Where to sample: per pixel, from the rasterised mesh."""

    camera: Camera
    depth: Tensor
    """(B, 1, n, n)."""
    to_canonical: Tensor
    """(B, 3, n, n)."""
    firmness: Tensor
    """(B, 1, n, n)."""


class Volume(nn.Module):
    """Decoder of plane features, and the compositing of its samples."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        channels = config.plane_channels
        self._samples = config.samples
        self.decoder = nn.Sequential(
            nn.Linear(channels + 3, 64),
            nn.SiLU(),
            nn.Linear(64, 64),
            nn.SiLU(),
            nn.Linear(64, channels + 1),
        )
        nn.init.normal_(self.decoder[-1].weight, std=0.02)
        self.prior_gain = nn.Parameter(torch.tensor(1.5))

    def forward(
        self, planes: Planes, prior: Tensor, rays: Rays, jitter: torch.Generator | bool | None
    ) -> RenderedVolume:
        """Render. jitter moves the samples at random (training); prior is Geometry.prior."""
        z, step, points = self._sample_points(rays, jitter)
        count, samples = points.shape[1:3]
        density, features = self.decode(planes, prior, points.flatten(1, 2))
        density = density.unflatten(1, (count, samples))
        weights = composite_weights(density, step)
        alpha = weights.sum(-1)
        features = features.unflatten(1, (count, samples))
        seen = (weights.to(features.dtype)[..., None] * features).sum(2)
        canonical = (weights[..., None] * points).sum(2)
        mesh = rays.depth.flatten(2).mT[..., 0]
        depth = ((weights * z).sum(-1) + 0.02 * mesh) / (alpha + 0.02)
        n = rays.depth.shape[-1]

        def image(x: Tensor) -> Tensor:
            return x.mT.unflatten(2, (n, n))

        return RenderedVolume(
            image(seen), image(alpha[..., None]), image(canonical), image(depth[..., None])
        )

    @torch.no_grad()
    def _sample_points(
        self, rays: Rays, jitter: torch.Generator | bool | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Depths (B, M, K), step (B, M, 1) and template positions (B, M, K, 3) of M rays."""
        n, device = rays.depth.shape[-1], rays.depth.device
        mesh = rays.depth.flatten(2).mT
        reach = _REACH - (_REACH - _REACH_FIRM) * rays.firmness.flatten(2).mT
        offset = 0.5
        if jitter is not None and jitter is not False:
            generator = jitter if isinstance(jitter, torch.Generator) else None
            offset = torch.rand(mesh.shape, generator=generator, device=device)
        k = torch.arange(self._samples, device=device)
        z = mesh + reach * (2 * (k + offset) / self._samples - 1)
        uv = pixel_grid(n, device).view(1, -1, 1, 2).expand(len(mesh), -1, self._samples, -1)
        points = rays.camera.unproject(uv.flatten(1, 2), z.flatten(1))
        points = points.unflatten(1, z.shape[1:]) + rays.to_canonical.flatten(2).mT[:, :, None]
        return z, 2 * reach / self._samples, points

    def decode(self, planes: Planes, prior: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Density (B, N) and features (B, N, C) at template positions (B, N, 3)."""
        x, y, z = points.unbind(-1)
        grids = (
            (planes.frontal, torch.stack([x, y], -1)),
            (planes.top, torch.stack([x, z], -1)),
            (planes.side, torch.stack([z, y], -1)),
        )
        found = sum(_look_up(plane, grid) for plane, grid in grids)
        known = known_at(prior, points)
        found = found.to(planes.frontal.dtype)
        out = self.decoder(torch.cat([found.mT, points.to(found.dtype)], -1))
        raw = 4 * out[..., 0].float() + self.prior_gain * known - 1
        floor = _FLOOR_SLOPE * known - _FLOOR_START - _FLOOR_FADE * F.relu(y - _FLOOR_END)
        raw = torch.maximum(raw, floor)
        inside = (points.abs() < _BOX).all(-1)
        return _DENSITY * F.softplus(raw) * inside, out[..., 1:]


def known_at(prior: Tensor, points: Tensor) -> Tensor:
    """(B, N) of Geometry.prior at template positions (B, N, 3): positive inside the template."""
    found = F.grid_sample(
        prior.expand(len(points), -1, -1, -1, -1),
        points[:, :, None, None],
        padding_mode="border",
        align_corners=False,
    )
    return found.flatten(1)


def _look_up(plane: Tensor, grid: Tensor) -> Tensor:
    """(B, C, N) of a plane (B, C, H, W) at (B, N, 2)."""
    return sample(plane, grid[:, :, None])[..., 0]


def composite_weights(density: Tensor, step: Tensor) -> Tensor:
    """Weights (..., K) of samples along rays, front to back (Max 1995, eq. 3).

    density: (..., K). step: (..., 1) distance between samples.
    """
    opacity = 1 - torch.exp(-density * step)
    clear = torch.cumprod(1 - opacity + 1e-7, -1)
    before = torch.cat([torch.ones_like(clear[..., :1]), clear[..., :-1]], -1)
    return opacity * before


def composite_weights_reference(density: Tensor, step: Tensor) -> Tensor:
    """The same, sample by sample."""
    light, weights = torch.ones_like(density[..., 0]), []
    for k in range(density.shape[-1]):
        opacity = 1 - torch.exp(-density[..., k] * step[..., 0])
        weights.append(light * opacity)
        light = light * (1 - opacity)
    return torch.stack(weights, -1)
