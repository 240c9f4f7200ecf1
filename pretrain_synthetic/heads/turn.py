"""The head turns on the neck: who moves by how much, and the rigid motion of the head itself.

A point that follows by a share w turns by shoulders + (1 - shoulders) w of the head's angle about
the pivot, and is shifted by w of the head's shift (pretrain_synthetic.heads.shaders).
"""

from dataclasses import dataclass

import numpy as np

PIVOT_DM = np.array([0.0, -1.8, -1.15])
"""Foot of the neck; the head turns and nods about it."""
_CHIN_DM = np.array([0.0, -1.17, 0.16])
"""Of the mean head: the planes below move with a person's chin."""
_TOP, _TOP_SLOPE = -1.27, -0.42
"""Height where the head ends, below the chin's front, and its rise towards the nape."""
_FOOT, _FOOT_SLOPE = -2.15, -0.28
_HAIR_REACH_DM = 1.9
"""Hair follows the head less and less over this length below the head."""
_NECK_RADIUS_DM = (0.75, 1.2)
"""Skin within the first follows the head as the neck does, beyond the second not at all."""
_CLOTH_FOLLOWS = 0.35


@dataclass(frozen=True)
class HeadTurn:
    """Rotation of the head against the chest."""

    yaw_deg: float = 0.0
    """+ = towards the subject's left."""
    pitch_deg: float = 0.0
    """+ = nods down."""
    roll_deg: float = 0.0
    """+ = tilts towards the subject's right shoulder."""
    shoulders: float = 0.0
    """Share of these angles that chest and shoulders make as well."""
    shift_dm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of the head against the chest: a neck stretched forwards, shoulders drawn up."""

    def rotation(self) -> np.ndarray:
        """(3, 3) in the head frame: roll first, then pitch, then yaw."""
        a, b, c = np.deg2rad([self.yaw_deg, self.pitch_deg, self.roll_deg])
        yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        pitch = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        roll = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        return yaw @ pitch @ roll

    def axis_angle(self) -> tuple[float, float, float, float]:
        """Unit axis and angle in radians: a point follows by its share of the angle."""
        r = self.rotation()
        angle = np.arccos(np.clip((np.trace(r) - 1) / 2, -1, 1))
        if angle < 1e-6:
            return (0.0, 1.0, 0.0, 0.0)
        axis = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
        return (*(axis / (2 * np.sin(angle))), float(angle))

    def matrix(self) -> np.ndarray:
        """(4, 4) rigid motion of the head: view @ matrix is the head's pose as seen."""
        out = np.eye(4)
        out[:3, :3] = self.rotation()
        out[:3, 3] = PIVOT_DM - out[:3, :3] @ PIVOT_DM + self.shift_dm
        return out


def skin_follows(points: np.ndarray, chin: np.ndarray) -> np.ndarray:
    """Share (n,) of the head's turn that skin at rest points (n, 3) makes; chin (3,) at rest."""
    x, y, z = (points - (chin - _CHIN_DM) * (0, 1, 1)).T
    top, foot = _TOP + _TOP_SLOPE * (z + 0.1), _FOOT + _FOOT_SLOPE * (z + 0.42)
    height = np.clip((y - foot) / (top - foot), 0, 1)
    radius = np.hypot(x, z - PIVOT_DM[2])
    near = 1 - _smooth((radius - _NECK_RADIUS_DM[0]) / np.ptp(_NECK_RADIUS_DM))
    return np.where(height >= 1, 1.0, _smooth(height) * near)


def hair_follows(points: np.ndarray, chin: np.ndarray) -> np.ndarray:
    """Share (n,) of hair at points (n, 3): what lies on the shoulders mostly stays there."""
    y, z = points[:, 1] - (chin - _CHIN_DM)[1], points[:, 2]
    top = _TOP + _TOP_SLOPE * (np.clip(z, -1.8, 0.2) + 0.1)
    return _smooth((y - top) / _HAIR_REACH_DM + 1)


def cloth_follows(points: np.ndarray, chin: np.ndarray) -> np.ndarray:
    """Share (n,) of clothes: a collar is only dragged along."""
    return _CLOTH_FOLLOWS * skin_follows(points, chin)


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
