"""Gaussian splats in the PLY layout of 3D Gaussian Splatting (Kerbl et al. 2023).

Flat Gaussians are scattered over the baked meshes, seeded, as many per area everywhere, and take
the texture's colour. Axes as the head frame's (x right, y down, z away from the viewer: what scenes
trained from photos have), unit 16 cm.
"""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from real3d.export.mesh import BakedHead, TexturedMesh
from real3d.networks.layers import sample

COUNT = 60_000
_SH0 = 0.28209479177387814
"""Value of the first spherical harmonic."""
_REST = 45
_OVERLAP, _FLAT = 0.75, 0.15
"""Standard deviation in the surface and across it, in distances between neighbours."""
_OPACITY = 0.97
_LEAST_ALPHA = 0.3


def write_splats(baked: BakedHead, path: Path, count: int = COUNT, seed: int = 0) -> None:
    """Write the file; callers write beside and rename. The face has the photo's expression."""
    rows = splat_rows(baked, count, seed)
    names = [
        *"x y z nx ny nz".split(),
        *(f"f_dc_{k}" for k in range(3)),
        *(f"f_rest_{k}" for k in range(_REST)),
        "opacity",
        *(f"scale_{k}" for k in range(3)),
        *(f"rot_{k}" for k in range(4)),
    ]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"]
    header += [f"property float {name}" for name in names] + ["end_header", ""]
    Path(path).write_bytes("\n".join(header).encode() + rows.astype("<f4").tobytes())


def splat_rows(baked: BakedHead, count: int = COUNT, seed: int = 0) -> np.ndarray:
    """(P, 62) float32 in the file's order: colours as harmonics, log scales, logit of opacity."""
    generator = torch.Generator().manual_seed(seed)
    parts = baked.parts.values()
    posed = [mesh.posed(baked.coefficients) for mesh in parts]
    areas = [_areas(p, mesh.triangles) for p, mesh in zip(posed, parts, strict=True)]
    spacing = math.sqrt(sum(float(a.sum()) for a in areas) / count)
    rows = []
    for mesh, points, area in zip(parts, posed, areas, strict=True):
        own = round(float(area.sum()) / spacing**2)
        rows.append(_scattered(mesh, points, area, own, spacing, generator))
    return torch.cat(rows).numpy()


def _areas(points: Tensor, triangles: Tensor) -> Tensor:
    a, b, c = points[triangles].unbind(1)
    return torch.linalg.cross(b - a, c - a).norm(dim=1) / 2


def _scattered(
    mesh: TexturedMesh,
    points: Tensor,
    area: Tensor,
    count: int,
    spacing: float,
    generator: torch.Generator,
) -> Tensor:
    """(P, 62) of points drawn by area."""
    which = torch.multinomial(area, count, replacement=True, generator=generator)
    u, v = torch.rand(2, count, 1, generator=generator)
    root = u.sqrt()  # uniform in a triangle: Osada et al. 2002, eq. 1
    weights = torch.cat([1 - root, root * (1 - v), root * v], 1)
    corners = mesh.triangles[which]

    def mixed(values: Tensor) -> Tensor:
        return (values[corners] * weights[..., None]).sum(1)

    place, uv = mixed(points), mixed(mesh.uv)
    normal = torch.nn.functional.normalize(mixed(mesh.normals), dim=1)
    texture = mesh.texture.permute(2, 0, 1)[None].float() / 255
    ink = sample(texture, uv[None, None] * 2 - 1)[0, :, 0].T
    alpha = ink[:, 3:] if ink.shape[1] == 4 else torch.ones(count, 1)
    scale = torch.tensor([_OVERLAP, _OVERLAP, _FLAT]) * spacing
    opacity = (alpha * _OPACITY).clamp(0.01, 0.99)
    rows = torch.cat(
        [
            place,
            normal,
            (ink[:, :3] - 0.5) / _SH0,
            torch.zeros(count, _REST),
            torch.logit(opacity),
            scale.log().expand(count, 3),
            _turn_to(normal),
        ],
        1,
    )
    return rows[alpha[:, 0] > _LEAST_ALPHA]


def _turn_to(normal: Tensor) -> Tensor:
    """(P, 4) quaternions w, x, y, z that turn the z axis to unit vectors (P, 3)."""
    x, y, z = normal.unbind(1)
    quaternion = torch.stack([1 + z, -y, x, torch.zeros_like(z)], 1)
    backwards = quaternion.new_tensor([0.0, 1.0, 0.0, 0.0])
    quaternion = torch.where((z < -0.9999)[:, None], backwards, quaternion)
    return torch.nn.functional.normalize(quaternion, dim=1)
