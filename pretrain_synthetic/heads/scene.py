"""What a person looks like to the renderer: meshes, skin and light as plain values."""

from dataclasses import dataclass

import numpy as np

CARD = (-1.0, 1.0, 1.0)
"""Mesh.strands of ribbons whose normals are those of the whole hair."""


@dataclass(frozen=True)
class Mesh:
    """Triangles with one texture."""

    vertex: np.ndarray
    """(n, 9) float32 position, normal, uv, share of the head's turn."""
    triangle: np.ndarray
    """(f, 3) int32."""
    texture: np.ndarray
    """(h, w, 4) uint8 RGBA."""
    material: str
    """"skin", "eye", "hair", "mouth", "gloss" or "cloth"."""
    label: int
    """Part label."""
    cut: float = -1.0
    """Alpha threshold; negative: hashed (soft edges)."""
    bump: float = 0.0
    tint: tuple = (1.0, 1.0, 1.0)
    shell: tuple = (0.0, 0.0, 0.0, 0.0)
    """Height 0..1, cells per uv unit, 1 beard / 0 scalp, density."""
    lift: float = 0.0
    """Decimetres along the normal."""
    strands: tuple = (0.0, 1.0, 1.0)
    """Gaps in a layer of hair (0 none, 1 many), strands per uv unit across and along."""
    shadow: bool = True


@dataclass(frozen=True)
class Skin:
    """Hair painted on the skin (linear RGB, strength) and how oily the skin is."""

    stubble: tuple = (0.0, 0.0, 0.0, 0.0)
    scalp: tuple = (0.0, 0.0, 0.0, 0.0)
    gloss: float = 0.4
    creases: np.ndarray | None = None
    """(h, w, 4) uint8 depth of four kinds of wrinkles (pretrain_synthetic.heads.wrinkles)."""
    crease_amounts: tuple = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Light:
    """Surroundings that light the scene."""

    probe: np.ndarray
    """(h, w, 3) float32 equirectangular linear radiance."""
    rotation: float
    """Radians about y."""
    exposure: float = 1.0


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with a square picture in the head frame."""

    view: np.ndarray
    """(4, 4) OpenGL view matrix, decimetres."""
    fov: float
    """Radians."""
    yaw_deg: float
    """Azimuth: + = seen from the subject's left."""
    pitch_deg: float
    """+ = seen from above."""
    roll_deg: float

    @classmethod
    def looking_at(
        cls, target: np.ndarray, distance: float, fov: float, angles_deg: tuple[float, float, float]
    ) -> "Camera":
        """From yaw, pitch, roll around target (3,)."""
        yaw, pitch, roll = np.deg2rad(angles_deg)
        towards = np.array(
            [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]
        )
        return cls(look_at(target + distance * towards, target, roll), fov, *angles_deg)


@dataclass(frozen=True)
class Frame:
    """One rendered view, (size, size) each."""

    rgb: np.ndarray
    """(h, w, 3) uint8."""
    alpha: np.ndarray
    """(h, w) float32."""
    parts: np.ndarray
    """(h, w) uint8 part labels."""
    depth: np.ndarray
    """(h, w) float32 z-depth, decimetres; 0 = background."""


def look_at(eye: np.ndarray, at: np.ndarray, roll: float) -> np.ndarray:
    """OpenGL view matrix (4, 4); roll in radians about the optical axis."""
    z = (eye - at) / np.linalg.norm(eye - at)
    x = np.cross((0, 1, 0) if abs(z[1]) < 0.97 else (1, 0, 0), z)
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    c, s = np.cos(roll), np.sin(roll)
    view = np.eye(4)
    view[:3, :3] = np.stack([c * x + s * y, c * y - s * x, z])
    view[:3, 3] = -view[:3, :3] @ eye
    return view


def perspective(fov: float, near: float, far: float) -> np.ndarray:
    """OpenGL projection (4, 4) of a square picture; fov in radians."""
    f = 1 / np.tan(fov / 2)
    depth = [0, 0, (far + near) / (near - far), 2 * far * near / (near - far)]
    return np.array([[f, 0, 0, 0], [0, f, 0, 0], depth, [0, 0, -1, 0]])
