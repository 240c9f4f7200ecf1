"""A shell around the hair: where light from outside is first stopped by the tri-planes' density.

Rays run from outside towards the middle of the skull, one for each longitude and latitude. Where
they stop well before the template's skin there is hair; its surface is smoothed and tucked into the
skin along its border. So hair is a height over the skull: plaits behind a neck are not seen.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from scipy.spatial import cKDTree
from torch import Tensor

from real3d.export.atlas import around
from real3d.face.template import SKIN, Template
from real3d.networks.image_to_plane import Planes
from real3d.networks.model import Real3DNetwork

_CENTRE = (0.0, -0.12, 0.12)
_COLUMNS, _ROWS = 72, 44
_LOWEST = math.radians(-42)
_OUTERMOST, _STEPS = 1.25, 96
_STOPPED = 0.25
"""Optical depth at which a fifth of the light is lost: the outside of soft hair."""
_THIN, _THICKEST = 0.045, 0.32
"""Hair that stands off less is skin; more is no hair but cloth or a fault of the volume."""
_FRONT = math.radians(60)
_FACE_TOP = math.radians(18)
_FACE_THIN = 0.10
"""Ahead and below the forehead only what stands off this far is hair."""
_TUCK = 0.02
"""The shell's border lies so deep in the skin."""
_SPECK = 0.01
_LEAST_SHARE = 0.04
"""A shell over less of the sphere is noise."""


@dataclass(frozen=True)
class Shell:
    """Hair as a grid over the sphere, in template space."""

    points: Tensor
    """(N, 3)."""
    uv: Tensor
    """(N, 2) in [0, 1]: longitude, latitude."""
    triangles: Tensor
    """(M, 3)."""
    nearest: Tensor
    """(N, 4) skin vertices that the points follow."""


@torch.no_grad()
def hair_shell(network: Real3DNetwork, planes: Planes, template: Template) -> Shell | None:
    """The hair of an avatar's planes (float32), or None where there is hardly any.

    Network and planes are on one device; the template and the result are on the CPU.
    """
    ways, uv = _directions()
    stopped = _stopping_radius(network, planes, ways).numpy()
    skin, nearest = _skin_radius(template, ways)
    longitude, latitude, _ = around(ways, (0.0, 0.0, 0.0))
    ahead = (longitude.abs() < _FRONT) & (latitude < _FACE_TOP)
    thin = torch.where(ahead, _FACE_THIN, _THIN).view(_ROWS, -1).numpy()
    thickness = _despeckled((stopped - skin).reshape(_ROWS, -1))
    hairy = _without_specks((thickness > thin) & (thickness < _THICKEST))
    if hairy.mean() < _LEAST_SHARE:
        return None
    grown = _dilated(hairy)
    height = _smooth(np.where(hairy, thickness, -_TUCK), 0.6)
    radius = torch.from_numpy((skin.reshape(_ROWS, -1) + height).astype(np.float32))
    points = ways * radius.view(-1, 1) + ways.new_tensor(_CENTRE)
    triangles = _quads(grown)
    used, triangles = torch.unique(triangles, return_inverse=True)
    return Shell(points[used], uv[used], triangles, torch.from_numpy(nearest)[used])


def _directions() -> tuple[Tensor, Tensor]:
    """Unit vectors and uv of the grid, row by row from the crown; the last column is the first."""
    longitude = torch.linspace(-math.pi, math.pi, _COLUMNS + 1)
    latitude = torch.linspace(math.radians(89), _LOWEST, _ROWS)
    up, along = torch.meshgrid(latitude, longitude, indexing="ij")
    ways = torch.stack([up.cos() * along.sin(), -up.sin(), -up.cos() * along.cos()], -1)
    v, u = torch.meshgrid(
        torch.linspace(0.01, 0.99, _ROWS), torch.linspace(0, 1, _COLUMNS + 1), indexing="ij"
    )
    return ways.view(-1, 3), torch.stack([u, v], -1).view(-1, 2)


def _stopping_radius(network: Real3DNetwork, planes: Planes, ways: Tensor) -> Tensor:
    """(D,) distance from the centre at which rays from outside have lost half of their light."""
    radii = torch.linspace(_OUTERMOST, 0.2, _STEPS)
    points = ways[:, None] * radii[:, None] + ways.new_tensor(_CENTRE)
    points = points.to(planes.frontal.device)
    density = [
        network.volume.decode(planes, network.geometry.prior, chunk.reshape(1, -1, 3))[0]
        for chunk in points.split(512)
    ]
    depth = torch.cat([d.view(-1, _STEPS) for d in density]).cpu().cumsum(1)
    depth = depth * float(radii[0] - radii[1])
    return radii[(depth < _STOPPED).sum(1).clamp(max=_STEPS - 1)]


def _skin_radius(template: Template, ways: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(D,) distance of the outer skin in each direction, and four skin vertices (D, 4) there."""
    skin = np.flatnonzero(template.vertex_layer.numpy() <= SKIN + 1)  # skin and neck
    arms = template.vertices.numpy()[skin] - np.float32(_CENTRE)
    radius = np.linalg.norm(arms, axis=1)
    distance, found = cKDTree(arms / radius[:, None]).query(ways.numpy(), k=4)
    weight = 1 / (distance + 1e-3)
    return (radius[found] * weight).sum(1) / weight.sum(1), skin[found]


def _despeckled(grid: np.ndarray) -> np.ndarray:
    """Medians of 5 × 5 cells, then blurred: single rays err."""
    around_seam = np.pad(grid[:, :-1], ((0, 0), (2, 2)), mode="wrap")
    medians = ndimage.median_filter(around_seam, 5, mode="nearest")[:, 2:-2]
    return _smooth(np.concatenate([medians, medians[:, :1]], 1), 0.8)


def _smooth(grid: np.ndarray, sigma: float) -> np.ndarray:
    """Blurred over a grid whose first and last column are the same place."""
    blurred = ndimage.gaussian_filter(grid[:, :-1], sigma, mode=("nearest", "wrap"))
    return np.concatenate([blurred, blurred[:, :1]], 1)


def _without_specks(mask: np.ndarray) -> np.ndarray:
    """Parts larger than a hundredth of the grid, their small holes filled."""
    width = mask.shape[1] - 1
    twice = np.concatenate([mask[:, :-1], mask[:, :-1]], 1)  # the seam lies inside the copies
    twice = ndimage.binary_closing(twice, iterations=2) | twice
    labels, count = ndimage.label(twice)
    sizes = ndimage.sum_labels(twice, labels, range(count + 1))
    kept = (sizes > _SPECK * mask.size)[labels] & twice
    either = kept[:, :width] | kept[:, width:]
    return np.concatenate([either, either[:, :1]], 1)


def _dilated(mask: np.ndarray) -> np.ndarray:
    grown = ndimage.binary_dilation(np.pad(mask[:, :-1], ((0, 0), (1, 1)), mode="wrap"))
    grown = grown[:, 1:-1]
    return np.concatenate([grown, grown[:, :1]], 1)


def _quads(mask: np.ndarray) -> Tensor:
    """(M, 3) two triangles for each cell whose corners are in the mask, facing outwards."""
    number = torch.arange(mask.size).view(mask.shape)
    a, b = number[:-1, :-1], number[:-1, 1:]
    c, d = number[1:, :-1], number[1:, 1:]
    whole = torch.from_numpy(mask[:-1, :-1] & mask[:-1, 1:] & mask[1:, :-1] & mask[1:, 1:])
    a, b, c, d = (corner[whole] for corner in (a, b, c, d))
    return torch.cat([torch.stack([a, c, b], 1), torch.stack([b, c, d], 1)])
