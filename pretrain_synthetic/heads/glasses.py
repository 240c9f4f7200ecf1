"""Glasses: frames bent round the face and lenses that only glint."""

from dataclasses import dataclass

import numpy as np

from pretrain_synthetic.heads.meshes import FACE, normals
from pretrain_synthetic.heads.scene import Mesh

SHARE = 0.15
"""Of people who wear glasses."""
_RING, _TUBE = 48, 6
_COLOURS = (  # linear RGB
    (0.012, 0.012, 0.012),
    (0.06, 0.028, 0.014),
    (0.02, 0.02, 0.05),
    (0.35, 0.34, 0.33),
    (0.3, 0.2, 0.08),
    (0.15, 0.02, 0.02),
)


@dataclass(frozen=True)
class Frame:
    """A frame. Lengths in decimetres."""

    width: float
    """Of a lens."""
    height: float
    squareness: float
    """2 an ellipse, 6 nearly a rectangle."""
    thickness: float
    """Radius of the rim."""
    rgb: np.ndarray
    """(3,) linear."""


def sample_frame(rng: np.random.Generator) -> Frame | None:
    """A random frame, or none for most people."""
    if rng.random() >= SHARE:
        return None
    wire = rng.random() < 0.4
    width = rng.uniform(0.46, 0.56)
    return Frame(
        width,
        width * rng.uniform(0.62, 0.95),
        rng.uniform(2, 4.5),
        rng.uniform(0.009, 0.013) if wire else rng.uniform(0.016, 0.032),
        np.array(_COLOURS[rng.integers(len(_COLOURS))]) * np.exp(rng.normal(0, 0.2)),
    )


def glasses(frame: Frame, neutral: np.ndarray, landmarks: np.ndarray) -> list[Mesh]:
    """Rims, bridge and temples on body vertices (v, 3) and landmarks (478, 3) at rest."""
    eyes = {s: landmarks[468 + k] for s, k in ((-1, 0), (1, 5))}  # the right eye's x is negative
    half = max(abs(eyes[1][0]), abs(eyes[-1][0]), frame.width / 2 + 0.07)
    nose = landmarks[168]
    level = (eyes[1][1] + eyes[-1][1]) / 2 - 0.02
    front = max(nose[2] + 0.03, eyes[1][2] + 0.17, eyes[-1][2] + 0.17)
    temple = (np.abs(neutral[:, 1] - 0.05) < 0.1) & (np.abs(neutral[:, 2] + 0.5) < 0.15)
    ear = np.array([np.abs(neutral[temple, 0]).max() + 0.02, level + 0.1, -0.85])
    angle = np.linspace(0, 2 * np.pi, _RING, endpoint=False)
    power = 2 / frame.squareness
    c, s = np.cos(angle), np.sin(angle)
    ring = np.stack(
        [
            np.sign(c) * np.abs(c) ** power * frame.width / 2,
            np.sign(s) * np.abs(s) ** power * frame.height / 2,
        ],
        1,
    )
    tubes = []
    for side in (-1, 1):
        x, y = side * half + ring[:, 0], level + ring[:, 1]
        bend = front - 0.12 * np.maximum(np.abs(x) - 0.1, 0) ** 2 / 0.35
        tubes.append((np.stack([x, y, bend], 1), True))
        hinge = np.array([side * (half + frame.width / 2), level + 0.3 * frame.height, 0])
        hinge[2] = front - 0.12 * (abs(hinge[0]) - 0.1) ** 2 / 0.35
        end = ear * (side, 1, 1)
        corner = np.array([side * max(ear[0], half + frame.width / 2), hinge[1], hinge[2] - 0.08])
        hook = end + np.array([0, -0.28, -0.22])
        tubes.append((np.array([hinge, (hinge + corner) / 2, corner, end, hook]), False))
    inner = half - frame.width / 2
    t = np.linspace(-1, 1, 7)
    arch = level + 0.18 * frame.height + 0.05 * (1 - t**2)
    tubes.append((np.stack([t * inner, arch, front + 0.02 * (1 - t**2)], 1), False))
    parts = [_tube(path, closed, frame.thickness) for path, closed in tubes]
    start = np.cumsum([0] + [len(v) for v, _ in parts[:-1]])
    point = np.concatenate([v for v, _ in parts])
    triangle = np.concatenate([f + k for (_, f), k in zip(parts, start, strict=True)])
    vertex = np.zeros((len(point), 9), "f4")
    vertex[:, :3], vertex[:, 3:6], vertex[:, 6:8], vertex[:, 8] = (
        point,
        normals(point, triangle),
        0.5,
        1,
    )
    rgb = np.clip(frame.rgb, 0, 1) ** (1 / 2.2) * 255
    texture = np.full((4, 4, 4), 255, np.uint8)
    texture[..., :3] = rgb.astype(np.uint8)
    return [Mesh(vertex, triangle.astype("i4"), texture, "gloss", FACE, cut=0.0)]


def _tube(path: np.ndarray, closed: bool, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of a round tube along path (n, 3)."""
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    up = np.where(np.abs(along[:, 2:]) > 0.8, [[0.0, 1, 0]], [[0.0, 0, 1]])
    u = np.cross(along, up)
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-9)
    w = np.cross(along, u)
    a = np.linspace(0, 2 * np.pi, _TUBE, endpoint=False)[:, None]
    ring = path[:, None] + radius * (np.cos(a) * u[:, None] + np.sin(a) * w[:, None])
    count = len(path)
    i = np.arange(count if closed else count - 1)[:, None]
    j = np.arange(_TUBE)[None]
    k, m = (i + 1) % count, (j + 1) % _TUBE
    a, b, c, d = (r * _TUBE + q for r, q in ((i, j), (i, m), (k, j), (k, m)))
    quad = np.stack([np.stack([a, b, c], -1), np.stack([b, d, c], -1)], -2)
    return ring.reshape(-1, 3), quad.reshape(-1, 3)
