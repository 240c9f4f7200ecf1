"""Gaussian splats in the PLY layout of 3D Gaussian Splatting (Kerbl et al. 2023).

Flat Gaussians lie over the baked meshes, evenly spread, in the face four times as many, and take
the texture's colour. Axes as the head frame's (x right, y down, z away from the viewer: what scenes
trained from photos have), unit 16 cm.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from real3d.export.mesh import BakedHead, TexturedMesh
from real3d.networks.layers import sample

COUNT = 100_000
_SH0 = 0.28209479177387814
"""Value of the first spherical harmonic."""
_REST = 45
_R2 = torch.tensor([0.7548776662466927, 0.5698402909980532], dtype=torch.float64)
"""Steps of a sequence that covers a square evenly (Roberts 2018)."""
_OVERLAP, _FLAT = 0.9, 0.15
"""Standard deviation in the surface and across it, in distances between neighbours."""
_FACE_BEFORE, _FACE_FINENESS = -0.25, 4.0
"""Before this depth is the face; so many times as many splats lie there on an area."""
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
    finer = [_fineness(p, mesh.triangles) for p, mesh in zip(posed, parts, strict=True)]
    areas = [_areas(p, m.triangles) * f for p, m, f in zip(posed, parts, finer, strict=True)]
    cell = sum(float(a.sum()) for a in areas) / count
    rows = []
    for mesh, points, area, fine in zip(parts, posed, areas, finer, strict=True):
        own = round(float(area.sum()) / cell)
        rows.append(_scattered(mesh, points, area, own, (cell / fine).sqrt(), generator))
    return torch.cat(rows).numpy()


def _fineness(points: Tensor, triangles: Tensor) -> Tensor:
    """(M,) how many times as many splats an area wants: the face more than the rest."""
    ahead = points[triangles].mean(1)[:, 2] < _FACE_BEFORE
    return torch.where(ahead, _FACE_FINENESS, 1.0)


def _areas(points: Tensor, triangles: Tensor) -> Tensor:
    a, b, c = points[triangles].unbind(1)
    return torch.linalg.cross(b - a, c - a).norm(dim=1) / 2


def _scattered(
    mesh: TexturedMesh,
    points: Tensor,
    area: Tensor,
    count: int,
    spacing: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """(P, 62) of points spread by area (M,); spacing (M,) is their distance in a triangle."""
    reach = area.double().cumsum(0)
    steps = (torch.arange(count) + torch.rand(1, generator=generator)) * (reach[-1] / count)
    which = torch.searchsorted(reach, steps).clamp(max=len(area) - 1)
    start = torch.rand(2, 1, generator=generator)
    u, v = ((start + _R2[:, None] * torch.arange(count)) % 1).float()[..., None]
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
    scale = torch.tensor([_OVERLAP, _OVERLAP, _FLAT]) * spacing[which, None]
    opacity = (alpha * _OPACITY).clamp(0.01, 0.99)
    rows = torch.cat(
        [
            place,
            normal,
            (ink[:, :3] - 0.5) / _SH0,
            torch.zeros(count, _REST),
            torch.logit(opacity),
            scale.log(),
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
