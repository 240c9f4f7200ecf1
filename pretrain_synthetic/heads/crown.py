"""A hat's shell on the head that wears it, and the hair under it."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter
from scipy.spatial import cKDTree

from pretrain_synthetic.heads.grow import Cards
from pretrain_synthetic.heads.hats import Hat

AROUND, UP = 72, 18
"""Steps of a crown around the head and from its rim to its top."""
_PRESSED_DM = 0.02
"""Height of hair under a hat."""
_SPREAD, _SPREAD_FROM_DM = 0.9, 0.12
"""How fast hair may spread below the rim, and from how far below on."""
_FLAT_DM = 0.3
"""Over what length below the rim ribbons twist again."""
_BROWS = (105, 334)
_SCALP = 2
"""Region of body.npz that is the head's skin."""


@dataclass(frozen=True)
class Crown:
    """The shell over the head: its distance from a centre, by azimuth and elevation."""

    centre: np.ndarray
    """(3,) in the rim's plane."""
    axes: np.ndarray
    """(3, 3) rows: to the subject's left, up, forwards."""
    radius: np.ndarray
    """(AROUND, UP + 1) azimuth from -180 to 180 degrees, elevation from 0 to 90 degrees."""
    skin: np.ndarray
    """The same of the head below it."""

    def local(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) along the axes from the centre."""
        return (points - self.centre) @ self.axes.T

    def at(self, azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
        """Distances (...) of the shell; below the rim that of the rim."""
        return _look_up(self.radius, azimuth, elevation)

    def covered(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) of hair pressed to the head; below the rim hair spreads again."""
        p = self.local(points)
        flat = np.hypot(p[:, 0], p[:, 2])
        azimuth, elevation = np.arctan2(p[:, 0], p[:, 2]), np.arctan2(p[:, 1], flat)
        above = p[:, 1] > 0
        pressed = _look_up(self.skin, azimuth, elevation) + _PRESSED_DM
        spread = self.at(azimuth, 0 * azimuth) + _SPREAD * np.maximum(-p[:, 1] - _SPREAD_FROM_DM, 0)
        limit = np.where(above, pressed, spread - _PRESSED_DM)
        far = np.where(above, np.linalg.norm(p, axis=1), flat)
        share = np.minimum(limit / np.maximum(far, 1e-6), 1)[:, None]
        p = p * np.where(above[:, None] | np.array([True, False, True]), share, 1)
        return p @ self.axes + self.centre


def under(crown: Crown, cards: Cards) -> Cards:
    """Hair with a hat on: pressed to the head, and its ribbons lie flat there."""
    path = crown.covered(cards.path.reshape(-1, 3)).reshape(cards.path.shape)
    local = crown.local(path)
    away = (local / np.linalg.norm(local, axis=-1, keepdims=True)) @ crown.axes
    flat = np.clip(1 + (local[..., 1:2] + _SPREAD_FROM_DM) / _FLAT_DM, 0, 1)
    side = cards.side - flat * (cards.side * away).sum(-1, keepdims=True) * away
    return replace(cards, path=path, side=side)


def _look_up(grid: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """Values (...) of a grid (AROUND, UP + 1) as Crown has them."""
    column = (azimuth / (2 * np.pi) + 0.5) * AROUND
    row = np.clip(elevation / (np.pi / 2), 0, 1) * UP
    return map_coordinates(np.concatenate([grid, grid[:1]]), [column, row], order=1, mode="nearest")


def crown_of(
    hat: Hat, body: dict[str, np.ndarray], neutral: np.ndarray, landmarks: np.ndarray
) -> Crown:
    """The shell of a hat on body vertices (v, 3) and landmarks (478, 3) at rest."""
    skin = _skin_points(body, neutral)
    brows = landmarks[list(_BROWS), 1].mean()
    front, back = (
        _outermost(skin, height, side) for height, side in ((brows + hat.front, 1), (hat.back, -1))
    )
    forward = (front - back) / np.linalg.norm(front - back)
    left = np.array([1.0, 0, 0])
    axes = np.stack([left, np.cross(forward, left), forward])
    centre = (front + back) / 2
    below = _skin_radius((skin - centre) @ axes.T)
    radius, (azimuth, elevation) = below + hat.gap, _grid()
    if hat.height:
        radius = np.maximum(radius, _stiff(hat, radius, azimuth, elevation))
    back_up = np.clip(-np.cos(azimuth), 0, 1) * np.sin(2 * elevation)
    radius = radius + hat.slouch * (back_up + 0.3 * np.sin(elevation) ** 4)
    return Crown(centre, axes, radius, below)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Azimuth and elevation of Crown.radius, radians."""
    azimuth = (np.arange(AROUND) / AROUND - 0.5) * 2 * np.pi
    return np.meshgrid(azimuth, np.arange(UP + 1) / UP * np.pi / 2, indexing="ij")


def _skin_points(body: dict[str, np.ndarray], neutral: np.ndarray) -> np.ndarray:
    """(n, 3) vertices, edge midpoints and centres of the head's triangles: the scalp has few."""
    a, b, c = neutral[body["face"][body["region"] == _SCALP, :3].astype(int)].transpose(1, 0, 2)
    return np.concatenate([a, b, c, (a + b) / 2, (b + c) / 2, (c + a) / 2, (a + b + c) / 3])


def _outermost(skin: np.ndarray, height: float, side: int) -> np.ndarray:
    """(3,) of the head's middle, at a height, in front (1) or behind (-1)."""
    near = skin[(np.abs(skin[:, 1] - height) < 0.15) & (np.abs(skin[:, 0]) < 0.3)]
    return np.array([0.0, height, side * (side * near[:, 2]).max()])


def _skin_radius(points: np.ndarray) -> np.ndarray:
    """(AROUND, UP + 1) smooth distances that enclose points (n, 3) above the rim."""
    points = points[points[:, 1] > -0.12]
    far = np.linalg.norm(points, axis=1)
    azimuth, elevation = _grid()
    flat = np.cos(elevation)
    towards = np.stack([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat], -1)
    found = far[cKDTree(points / far[:, None]).query(towards, k=6)[1]].max(-1)
    wrapped = maximum_filter(found, 3, mode=("wrap", "nearest"))
    smooth = gaussian_filter(wrapped, 1.2, mode=("wrap", "nearest"))
    top = np.clip((elevation - 1.2) / 0.3, 0, 1)  # one value where all azimuths meet
    return smooth + top * (smooth[:, -1].mean() - smooth)


def _stiff(hat: Hat, radius: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """Distances of a crown that stands by itself on the rim of radius (around, up + 1)."""
    n, rim = hat.squareness, radius[:, :1]
    profile = (np.cos(elevation) / rim) ** n + (np.sin(elevation) / hat.height) ** n
    out = profile ** (-1 / n)
    across = out * np.sin(azimuth) * np.cos(elevation)
    return out - hat.crease * np.exp(-((across / 0.22) ** 2)) * np.sin(elevation) ** 4
