"""Hats as triangles: shell, fold, ball and brim."""

import numpy as np

from pretrain_synthetic.heads.crown import AROUND, UP, Crown
from pretrain_synthetic.heads.hats import BRIMMED, Hat
from pretrain_synthetic.heads.meshes import HAIR, normals
from pretrain_synthetic.heads.scene import Mesh

_BUMP = 0.012
_PEAK_DEG = 64.0
"""Half of what a cap's peak goes around the head."""
_PLATE_DM = 0.018
"""Half of a brim's thickness."""


def hat_meshes(hat: Hat, crown: Crown) -> list[Mesh]:
    """Shell, fold, ball and brim."""
    meshes = [_shell(hat, crown)]
    if hat.cuff:
        meshes.append(_cuff(hat, crown))
    if hat.pompom:
        meshes.append(_pompom(hat, crown))
    if hat.brim:
        meshes.append(_brim(hat, crown))
    return meshes


def _rings(crown: Crown, azimuth: np.ndarray, far: np.ndarray, height: np.ndarray) -> np.ndarray:
    """(m, n, 3) points at azimuth (n,), horizontal distance and height (m, n) in the hat's axes."""
    local = np.stack([np.sin(azimuth) * far, height, np.cos(azimuth) * far], -1)
    return local @ crown.axes + crown.centre


def _shell(hat: Hat, crown: Crown) -> Mesh:
    """The crown, with a lip that closes the gap to the skin."""
    azimuth = np.linspace(-np.pi, np.pi, AROUND + 1)
    elevation = np.linspace(0, np.pi / 2, 2 * UP + 1)[:, None]
    far = crown.at(*np.broadcast_arrays(azimuth, elevation))
    flat, height = far * np.cos(elevation), far * np.sin(elevation)
    lip = flat[:1] - [[hat.gap + 0.06], [0.02]]
    flat, height = np.concatenate([lip, flat]), np.concatenate([0.02 + 0 * lip, height])
    up = np.concatenate([[0, 0], elevation[:, 0] / (np.pi / 2)])
    return _cloth(_rings(crown, azimuth, flat, height), up, hat.crown_texture)


def _cuff(hat: Hat, crown: Crown) -> Mesh:
    """The rim folded up: a thicker band, round at both edges."""
    azimuth = np.linspace(-np.pi, np.pi, AROUND + 1)
    turn = np.linspace(-0.5, 0.5, 9)[:, None] * np.pi
    high = hat.cuff * (0.5 + 0.5 * np.sin(turn)) - 0.02
    rim = crown.at(azimuth, 0 * azimuth)
    elevation = np.arctan2(high, rim)
    far = crown.at(*np.broadcast_arrays(azimuth, elevation)) * np.cos(elevation)
    thick = 0.06 * np.cos(turn) ** 0.5 - 0.015
    up = 0.45 * (0.5 + 0.5 * np.sin(turn[:, 0]))
    height = np.broadcast_to(high, far.shape)
    return _cloth(_rings(crown, azimuth, far + thick, height), up, hat.crown_texture)


def _pompom(hat: Hat, crown: Crown) -> Mesh:
    azimuth = np.linspace(-np.pi, np.pi, 41)
    lift = np.linspace(-0.5, 0.5, 21)[:, None] * np.pi
    tufts = 0.08 * np.sin(9 * azimuth) * np.sin(8 * lift) + 0.05 * np.sin(17 * azimuth + 5 * lift)
    radius = hat.pompom * (1 + tufts)
    far, height = radius * np.cos(lift), radius * np.sin(lift)
    top = crown.at(np.zeros(1), np.full(1, np.pi / 2))
    rings = _rings(crown, azimuth, far, height + top + 0.7 * hat.pompom)
    return _cloth(rings, np.linspace(0, 1, 21), hat.crown_texture)


def _brim(hat: Hat, crown: Crown) -> Mesh:
    """A brim all around, or a cap's peak, bent down at the left and right: a plate of two sides."""
    whole = hat.kind == BRIMMED
    reach = np.pi if whole else np.deg2rad(_PEAK_DEG)
    azimuth = np.linspace(-reach, reach, AROUND + 1)
    width = hat.brim * (1 if whole else np.sqrt(np.maximum(1 - (azimuth / reach) ** 2, 0)))
    facing = azimuth + np.pi * hat.backwards
    facing = (facing + np.pi) % (2 * np.pi) - np.pi
    rim = crown.at(facing, 0 * facing) - 0.02
    out = np.array([0, 0.35, 0.7, 0.97, 1, 0.97, 0.7, 0.35, 0])[:, None]
    thick = np.array([-1, -1, -1, -1, 0, 1, 1, 1, 1])[:, None] * _PLATE_DM
    far = rim + width * out
    side = (far * np.sin(azimuth)) ** 2
    bend = -0.12 * np.cos(2 * azimuth) * out * hat.brim if whole else -0.3 * side * (0.2 + out)
    height = 0.03 + thick - hat.droop * width * out + bend
    rings = _rings(crown, facing, far, height)
    return _cloth(rings, np.linspace(0, 1, len(out)), hat.brim_texture, closed=whole)


def _cloth(rings: np.ndarray, up: np.ndarray, texture: np.ndarray, closed: bool = True) -> Mesh:
    """Rings (m, n, 3), from below outwards and up, as cloth; up (m,) is v, around is u."""
    m, n, _ = rings.shape
    i, j = np.meshgrid(np.arange(m - 1), np.arange(n - 1), indexing="ij")
    a, b = i * n + j, i * n + j + 1
    triangle = np.stack([a, b, a + n, b, b + n, a + n], -1).reshape(-1, 3)
    normal = normals(rings.reshape(-1, 3), triangle).reshape(m, n, 3)
    if closed:
        normal[:, [0, -1]] = (normal[:, :1] + normal[:, -1:]) / 2
    u, v = np.meshgrid(np.linspace(0, 1, n), up)
    vertex = np.concatenate(
        [rings, normal, u[..., None], v[..., None], np.ones((m, n, 1))], -1
    ).reshape(-1, 9)
    return Mesh(
        vertex.astype("f4"), triangle.astype("i4"), texture, "cloth", HAIR, cut=0.0, bump=_BUMP
    )
