"""Cameras of the training set: any view of the head, framed as real3d crops portraits."""

from dataclasses import replace

import numpy as np

from pretrain_synthetic.heads.scene import Camera
from pretrain_synthetic.heads.turn import HeadTurn
from pretrain_synthetic.landmarks import MESH_COUNT, project

YAW_LIMIT_DEG, PITCH_LIMIT_DEG, ROLL_LIMIT_DEG = 85.0, 25.0, 15.0
FACE_SHARE = 0.43
"""Mean height of the 468 landmarks as a share of the picture's."""
TURN_LIMIT_DEG = (60.0, 20.0, 10.0)
"""Yaw, pitch, roll of the head against the chest."""
LOOSE_SHARE = 0.5
"""Of people whose shoulders move along."""
_SHOULDERS_LIMIT = 0.4
"""Of the share of the head's turn that they make."""
_SHIFT_DM, _SHIFT_LIMIT_DM = (0.06, 0.05, 0.07), 0.14
"""Of the head against the chest: deviation sideways, up and forwards, and the most of each."""
_FARTHEST_OFFSET = 0.3
"""Of the face's centre from the picture's; 1 = half the picture."""


def sample_crop_camera(rng: np.random.Generator, landmarks: np.ndarray, frontal: bool) -> Camera:
    """A camera around landmarks (478, 3; head frame, decimetres), near frontal or from any side."""
    angles = _angles(rng, frontal)
    fov = float(np.deg2rad(np.clip(rng.normal(13, 1.2), 10, 18)))
    share = float(np.clip(rng.normal(FACE_SHARE, 0.035), 0.35, 0.5))
    offset = np.clip(rng.normal(0, 0.06, 2), -0.15, 0.15)
    return frame_face(landmarks, angles, fov, share, offset)


def sample_turn(rng: np.random.Generator, wide: bool, loose: bool) -> HeadTurn:
    """How the head stands on the neck: near rest, or wide, where far yaws are as frequent.

    loose: shoulders turn along by a share of the angle, and are shifted.
    """
    angles = rng.normal(0, (4.0, 3.0, 2.0))
    if wide:
        limit = TURN_LIMIT_DEG[0]
        yaw = rng.choice([-1, 1]) * limit * rng.beta(1.6, 1.0)
        angles = np.array([yaw, *rng.normal(0, (9.0, 4.5))])
    clipped = (float(np.clip(x, -m, m)) for x, m in zip(angles, TURN_LIMIT_DEG, strict=True))
    if not loose:
        return HeadTurn(*clipped)
    shift = np.clip(rng.normal(0, _SHIFT_DM), -_SHIFT_LIMIT_DM, _SHIFT_LIMIT_DM)
    return HeadTurn(*clipped, float(rng.uniform(0, _SHOULDERS_LIMIT)), tuple(shift.tolist()))


def follow(rng: np.random.Generator, portrait: Camera, landmarks: np.ndarray) -> Camera:
    """The portrait camera, shifted after a turned head (landmarks as in frame_face).

    In half of the pictures it stays where it is as long as the face is well inside, as in a film;
    in the others it moves along, as a still would be cropped.
    """
    image = project(landmarks, portrait.view, portrait.fov)[:MESH_COUNT, :2]
    centre = (image.min(0) + image.max(0)) / 2
    wanted = np.clip(centre, -_FARTHEST_OFFSET, _FARTHEST_OFFSET)
    if rng.random() < 0.5:
        wanted = np.clip(rng.normal(0, 0.06, 2), -0.15, 0.15)
    distance = -(portrait.view[2, :3] @ landmarks[:MESH_COUNT].mean(0) + portrait.view[2, 3])
    view = portrait.view.copy()
    view[:2, 3] += (wanted - centre) * (1, -1) * np.tan(portrait.fov / 2) * distance
    return replace(portrait, view=view)


def frame_face(
    landmarks: np.ndarray,
    angles_deg: tuple[float, float, float],
    fov: float,
    share: float,
    offset: np.ndarray,
) -> Camera:
    """The camera from yaw, pitch, roll that sees the face share high, centred at offset (2,)."""
    target, distance = landmarks[:MESH_COUNT].mean(0), 12.0
    for _ in range(5):  # perspective is weak: this converges to a thousandth of the picture
        camera = Camera.looking_at(target, distance, fov, angles_deg)
        image = project(landmarks, camera.view, fov)[:MESH_COUNT]
        low, high = image[:, :2].min(0), image[:, :2].max(0)
        step = ((low + high) / 2 - offset) * np.tan(fov / 2) * distance
        target = target + step[0] * camera.view[0, :3] - step[1] * camera.view[1, :3]
        distance *= (high - low)[1] / 2 / share
    return Camera.looking_at(target, distance, fov, angles_deg)


def _angles(rng: np.random.Generator, frontal: bool) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees; side views are as frequent as half profiles."""
    if frontal:
        yaw, pitch, roll = rng.normal(0, (9.0, 5.0, 2.0))
    else:
        yaw = rng.choice([-1, 1]) * YAW_LIMIT_DEG * rng.beta(1.3, 1.2)
        pitch, roll = rng.normal(0, (11.0, 6.0))
    limits = (YAW_LIMIT_DEG, PITCH_LIMIT_DEG, ROLL_LIMIT_DEG)
    return tuple(float(np.clip(x, -m, m)) for x, m in zip((yaw, pitch, roll), limits, strict=True))
