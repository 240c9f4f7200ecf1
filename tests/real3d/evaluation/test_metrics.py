"""Metrics against closed forms."""

import kornia
import numpy as np
import pytest
import torch

from real3d.evaluation import metrics
from real3d.rotation import rotation_from_euler


@pytest.fixture
def landmarks() -> np.ndarray:
    """(478, 3) of an upright face: eye corners at known places."""
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (478, 3))
    for index, x in ((33, -0.3), (133, -0.1), (362, 0.1), (263, 0.3), (468, -0.2), (473, 0.2)):
        points[index] = (x, 0, 0)
    return points


def test_psnr_of_a_constant_error():
    a = np.full((8, 8, 3), 100, np.uint8)
    assert metrics.psnr_db(a, a + 10) == pytest.approx(20 * np.log10(25.5))
    assert metrics.psnr_db(a, a) == 100


def test_ssim_of_equal_and_of_opposite_pictures():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert metrics.ssim(picture, picture) == pytest.approx(1, abs=1e-4)
    assert metrics.ssim(picture, 255 - picture) < 0


@pytest.mark.parametrize("noise", [5, 80])
def test_ssim_is_that_of_kornia(noise):
    random = np.random.default_rng(0)
    a = random.integers(0, 256, (40, 56, 3)).astype(np.uint8)
    b = (a + random.normal(0, noise, a.shape)).clip(0, 255).astype(np.uint8)
    as_tensor = [torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 for p in (a, b)]
    wanted = float(kornia.metrics.ssim(*as_tensor, 11).mean())
    assert metrics.ssim(a, b) == pytest.approx(wanted, abs=1e-5)


def test_landmark_error_is_a_share_of_the_interocular_distance(landmarks):
    assert metrics.interocular(landmarks) == pytest.approx(0.4)
    moved = landmarks + np.array([0.02, 0, 5])  # depth does not count
    assert metrics.landmark_error_percent(moved, landmarks) == pytest.approx(5)


def test_jitter_is_the_second_difference(landmarks):
    steps = np.array([0, 0.01, 0.02, 0.03])[:, None, None] * [1, 0, 0]
    assert metrics.jitter_percent(landmarks + steps) == pytest.approx(0, abs=1e-9)
    shaken = landmarks + np.array([0, 0.01, 0])[:, None, None] * [1, 0, 0]
    assert metrics.jitter_percent(shaken) == pytest.approx(100 * 0.02 / 0.4)


def test_jitter_leaves_out_what_was_not_tracked(landmarks):
    frames = np.repeat(landmarks[None], 6, 0)
    frames[2] = np.nan
    assert metrics.jitter_percent(frames) == pytest.approx(0)
    assert np.isnan(metrics.jitter_percent(frames[:4]))


@pytest.mark.parametrize("axis", range(3))
def test_pose_error_is_the_angle_of_the_turn(landmarks, axis):
    turn = rotation_from_euler(torch.eye(3)[axis] * np.radians(25)).double().numpy()
    turned = landmarks @ turn.T * 1.3 + [0.1, 0.2, 0]
    found = metrics.pose_error_deg(np.stack([turned, landmarks * np.nan]), landmarks)
    assert found[0] == pytest.approx(25, abs=1e-4)
    assert np.isnan(found[1])


def test_blendshape_error_leaves_out_the_tongue():
    wanted = np.zeros((2, 52))
    found = wanted.copy()
    found[0, 3], found[1, -1] = 0.51, 1
    assert metrics.blendshape_error(found, wanted) == pytest.approx([0.01, 0])


def test_iris_rise_is_up_whatever_the_roll(landmarks):
    landmarks[473, 1] -= 0.05
    assert metrics.iris_rise(landmarks) == pytest.approx([0.25, 0])
    roll = rotation_from_euler(torch.tensor([0.0, 0.0, 0.4])).double().numpy()
    assert metrics.iris_rise(landmarks @ roll.T) == pytest.approx([0.25, 0], abs=1e-6)


def test_lip_gap_is_in_mouth_widths(landmarks):
    landmarks[[61, 291], :2] = ((-0.2, 0.3), (0.2, 0.3))
    landmarks[[13, 82, 312], :2], landmarks[[14, 87, 317], :2] = (0, 0.25), (0, 0.35)
    assert metrics.lip_gap(landmarks) == pytest.approx(0.25)


def test_yaw_is_positive_towards_the_right_of_the_image(landmarks):
    landmarks[127], landmarks[356] = (-0.4, 0, 0.2), (0.4, 0, 0.2)
    turn = rotation_from_euler(torch.tensor([np.radians(35), 0.0, 0.0])).double().numpy()
    assert metrics.yaw_deg(landmarks @ turn.T) == pytest.approx(35, abs=1e-4)


def test_motion_share_is_least_squares():
    wanted = np.array([[1.0, 0], [0, 2], [0, 0]])
    assert metrics.motion_share(0.5 * wanted, wanted) == pytest.approx(0.5)
    aside = np.array([[0.0, 3], [1, 0], [9, 9]])
    assert metrics.motion_share(aside, wanted) == pytest.approx(0)


def test_rotation_angle():
    turns = rotation_from_euler(torch.tensor([[0.0, 0.3, 0.0], [0.0, 0.0, 0.0]])).numpy()
    angles = metrics.rotation_angle_deg(turns, np.eye(3))
    assert angles == pytest.approx([np.degrees(0.3), 0], abs=1e-3)


def test_iris_offset_and_lid_gap_are_in_eye_widths(landmarks):
    landmarks[473, 0] += 0.05
    landmarks[[159, 158, 160], :2] = (-0.2, -0.03)
    landmarks[[145, 153, 144], :2] = (-0.2, 0.03)
    assert metrics.iris_offset(landmarks) == pytest.approx([0.25, 0])
    assert metrics.lid_gap(landmarks)[1] == pytest.approx(0.3)
