"""The head that leaves the neural renderer: triangles, a texture, and the 52 shapes."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from real3d.camera import HEAD_UNIT_CM, Camera
from real3d.face.rasteriser import Raster, Rasteriser
from real3d.face.template import CAVITY

METRES = HEAD_UNIT_CM / 100
"""Metres in a head unit."""


@dataclass(frozen=True)
class TexturedMesh:
    """Triangles with one texture; vertices are repeated along the texture's seams."""

    positions: Tensor
    """(N, 3) float32, head frame: the expressionless face."""
    normals: Tensor
    """(N, 3) float32, outwards."""
    uv: Tensor
    """(N, 2) float32 in [0, 1], u right and v down in the texture."""
    triangles: Tensor
    """(M, 3) int64, counter-clockwise when seen from outside."""
    texture: Tensor
    """(S, S, 3) uint8 RGB, or (S, S, 4) with alpha."""
    moves: Tensor | None = None
    """(52, N, 3) float32, what each coefficient at 1 adds; None for what is rigid."""

    def posed(self, coefficients: Tensor) -> Tensor:
        """Vertices (N, 3) of an expression (52,): linear, as every player of the file does it."""
        if self.moves is None:
            return self.positions
        return self.positions + torch.einsum("k,knc->nc", coefficients, self.moves)


@dataclass(frozen=True)
class BakedHead:
    """One person's head and hair, with the camera and expression of the photo."""

    head: TexturedMesh
    """Skin, neck, mouth and eyes; has the 52 shapes."""
    hair: TexturedMesh | None
    """A shell with alpha, or None for a bald head."""
    coefficients: Tensor
    """(52,) float32: the photo's own expression."""
    camera: Camera
    """The photo's own."""

    @property
    def parts(self) -> dict[str, TexturedMesh]:
        """The meshes by name."""
        return {"head": self.head} | ({"hair": self.hair} if self.hair else {})

    def expressed(self, coefficients: Tensor) -> "BakedHead":
        """The same head with another expression (52,) as its own."""
        return replace(self, coefficients=coefficients)


@dataclass(frozen=True)
class Drawable:
    """What the rasteriser wants to know of a mesh that is not the template."""

    vertices: Tensor
    triangles: Tensor
    layer: Tensor

    @classmethod
    def two_sided(cls, vertices: Tensor, triangles: Tensor) -> "Drawable":
        """Every triangle is drawn, whichever way it faces."""
        return cls(vertices, triangles, torch.full((len(triangles),), CAVITY))

    @classmethod
    def one_sided(cls, vertices: Tensor, triangles: Tensor) -> "Drawable":
        """Triangles that face away are not drawn."""
        return cls(vertices, triangles, torch.zeros(len(triangles), dtype=torch.long))


def rasterised(shape: Drawable, projected: Tensor, size: int) -> Raster:
    """One mesh drawn; projected (N, 3) from Camera.project, or texture coordinates in [-1, 1]."""
    return Rasteriser(shape).draw(projected[None], size)


def vertex_normals(positions: Tensor, triangles: Tensor) -> Tensor:
    """Outward unit normals (N, 3) of vertices (N, 3)."""
    a, b, c = positions[triangles].unbind(1)
    faces = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(positions)
    for corner in range(3):
        normals.index_add_(0, triangles[:, corner], faces)
    return torch.nn.functional.normalize(normals, dim=-1)


def to_gltf_axes(vectors: Tensor) -> Tensor:
    """(..., 3) head axes (y down, z away) to glTF's (y up, z towards the viewer)."""
    return vectors * vectors.new_tensor([1.0, -1.0, -1.0])
