"""Cameras: the face comes out where and as high as asked, from every side."""

import numpy as np
import pytest

from pretrain_synthetic.framing import (
    YAW_LIMIT_DEG,
    frame_face,
    sample_crop_camera,
    sample_turn,
)
from pretrain_synthetic.landmarks import COUNT, MESH_COUNT, project


@pytest.fixture
def landmarks() -> np.ndarray:
    """An oval face, decimetres."""
    points = np.random.default_rng(0).normal(size=(COUNT, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True) * (0.7, 1.0, 0.5)


@pytest.mark.parametrize("yaw", [0.0, 40.0, -75.0])
def test_the_face_has_the_height_and_place_asked_for(landmarks, yaw):
    fov, offset = np.deg2rad(13), np.array([0.1, -0.05])
    camera = frame_face(landmarks, (yaw, 10.0, -8.0), fov, 0.42, offset)
    face = project(landmarks, camera.view, fov)[:MESH_COUNT, :2]
    low, high = face.min(0), face.max(0)
    np.testing.assert_allclose((high - low)[1] / 2, 0.42, rtol=2e-3)
    np.testing.assert_allclose((low + high) / 2, offset, atol=2e-3)


def test_positive_yaw_sees_the_subjects_left(landmarks):
    camera = frame_face(landmarks, (60.0, 0.0, 0.0), np.deg2rad(13), 0.42, np.zeros(2))
    eye = -camera.view[:3, :3].T @ camera.view[:3, 3]
    assert eye[0] > 5


def test_samples_stay_within_limits_and_frontal_ones_are_frontal(landmarks):
    rng = np.random.default_rng(1)
    side = [sample_crop_camera(rng, landmarks, frontal=False).yaw_deg for _ in range(60)]
    front = [sample_crop_camera(rng, landmarks, frontal=True).yaw_deg for _ in range(60)]
    assert max(np.abs(side)) <= YAW_LIMIT_DEG
    assert np.mean(np.abs(side)) > 25
    assert np.mean(np.abs(front)) < 10


def test_only_loose_shoulders_move_and_little():
    rng = np.random.default_rng(2)
    stiff = [sample_turn(rng, wide=True, loose=False) for _ in range(20)]
    assert {(turn.shoulders, turn.shift_dm) for turn in stiff} == {(0.0, (0.0, 0.0, 0.0))}
    loose = [sample_turn(rng, wide=True, loose=True) for _ in range(60)]
    assert max(np.abs([turn.yaw_deg for turn in stiff + loose])) <= 60
    shoulders, shifts = (
        np.array([getattr(t, k) for t in loose]) for k in ("shoulders", "shift_dm")
    )
    assert 0 <= shoulders.min() < 0.1
    assert 0.3 < shoulders.max() <= 0.4
    assert (np.abs(shifts) <= 0.14).all()
    assert (np.std(shifts, 0) > 0.03).all()
