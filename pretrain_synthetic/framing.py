"""Cameras of the training set: any view of the head, framed as real3d crops portraits."""

import numpy as np

from pretrain_synthetic.heads.scene import Camera
from pretrain_synthetic.landmarks import MESH_COUNT, project

YAW_LIMIT_DEG, PITCH_LIMIT_DEG, ROLL_LIMIT_DEG = 75.0, 25.0, 12.0
FACE_SHARE = 0.43
"""Mean height of the 468 landmarks as a share of the picture's."""


def sample_crop_camera(rng: np.random.Generator, landmarks: np.ndarray, frontal: bool) -> Camera:
    """A camera around landmarks (478, 3; head frame, decimetres), near frontal or from any side."""
    angles = _angles(rng, frontal)
    fov = float(np.deg2rad(np.clip(rng.normal(13, 1.2), 10, 18)))
    share = float(np.clip(rng.normal(FACE_SHARE, 0.035), 0.35, 0.5))
    offset = np.clip(rng.normal(0, 0.06, 2), -0.15, 0.15)
    return frame_face(landmarks, angles, fov, share, offset)


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
        yaw, pitch, roll = rng.normal(0, (6.0, 4.0, 2.0))
    else:
        yaw = rng.choice([-1, 1]) * YAW_LIMIT_DEG * rng.beta(1.3, 1.2)
        pitch, roll = rng.normal(0, (11.0, 5.0))
    limits = (YAW_LIMIT_DEG, PITCH_LIMIT_DEG, ROLL_LIMIT_DEG)
    return tuple(float(np.clip(x, -m, m)) for x, m in zip((yaw, pitch, roll), limits, strict=True))
