import math

import numpy as np
import pytest
import torch

from real3d.face.blendshapes import ARKIT_INDEX, arkit_indices
from real3d.motion import Motion
from real3d.retarget import lid_gaps, orbit_cameras, relative_coefficients, retarget, turned_camera
from real3d.rotation import euler_from_rotation, rotation_from_euler

BLINKS = arkit_indices("eyeBlink")
JAW = ARKIT_INDEX["jawOpen"]


def _driver(*rows):
    table = np.zeros((len(rows), 52), np.float32)
    for k, row in enumerate(rows):
        for name, value in row.items():
            table[k, arkit_indices(name)] = value
    return torch.from_numpy(table)


def _motion(count=3, **tracks):
    tracks = {"coefficients": np.zeros((count, 52)), **tracks}
    zeros = np.zeros((count, 3))
    return Motion(**{"rotation": zeros, "translation": zeros, **tracks}, fps=25)


def test_a_still_driver_changes_nothing(avatar):
    rest = _driver({"jawOpen": 0.3, "mouthSmile": 0.4, "eyeBlink": 0.1}).expand(2, 52)
    motion = _motion(2, coefficients=rest.numpy(), rotation=np.full((2, 3), 0.2))
    camera, coefficients = retarget(avatar, motion)
    torch.testing.assert_close(coefficients, avatar.coefficients.expand(2, 52), atol=1e-3, rtol=0)
    torch.testing.assert_close(camera.rotation[1:], avatar.camera.rotation, atol=1e-5, rtol=0)
    torch.testing.assert_close(camera.translation[1:], avatar.camera.translation)


def test_changes_are_added_and_clamped(avatar):
    own = avatar.coefficients
    found = relative_coefficients(
        avatar.identity, own, _driver({"jawOpen": 0.1}, {"jawOpen": 0.4}, {"jawOpen": 1.0})
    )
    assert found[1, JAW] == pytest.approx(own[0, JAW].item() + 0.3, abs=1e-5)
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("squint", [0.0, 0.6])
def test_eyes_that_shut_still_shut(avatar, squint):
    own = avatar.coefficients.clone()
    own[:, arkit_indices("eyeSquint")] = squint
    rows = [{"eyeBlink": value} for value in (0.0, 0.5, 1.0)]
    gaps = lid_gaps(avatar.identity, relative_coefficients(avatar.identity, own, _driver(*rows)))
    assert (gaps[0] > gaps[1]).all()
    assert (gaps[1] > gaps[2]).all()
    assert gaps[2].abs().max() < 0.002


def test_a_tracked_blink_shuts_eyes_too(avatar):
    """A tracker says eyeBlink about 0.55, with squint and a glance down, when eyes are shut."""
    shut = {"eyeBlink": 0.55, "eyeSquint": 0.7, "eyeLookDown": 0.8}
    rows = _driver({"eyeSquint": 0.4, "eyeLookDown": 0.2}, shut)
    found = relative_coefficients(avatar.identity, avatar.coefficients, rows)
    assert lid_gaps(avatar.identity, found)[1].abs().max() < 0.004


def test_a_driver_that_begins_in_a_blink_opens_its_eyes(avatar):
    rows = _driver({"eyeBlink": 0.9}, {"eyeBlink": 0.0})
    found = relative_coefficients(avatar.identity, avatar.coefficients, rows)
    gaps = lid_gaps(avatar.identity, found)
    own = lid_gaps(avatar.identity, avatar.coefficients)
    assert (gaps[0] < 0.5 * own[0]).all()
    assert (gaps[1] > 0.9 * own[0]).all()


def test_rotation_is_relative_to_the_first_frame(avatar):
    angles = np.array([[0.2, 0.1, 0.0], [0.5, 0.1, 0.0]], np.float32)
    camera, _ = retarget(avatar, _motion(2, rotation=angles))
    turns = rotation_from_euler(torch.from_numpy(angles))
    torch.testing.assert_close(
        avatar.camera.rotation[0].T @ camera.rotation[1], turns[0].T @ turns[1], atol=1e-5, rtol=0
    )


def test_absolute_takes_the_driver_over(avatar):
    angles = np.array([[0.2, 0.1, 0.0], [0.5, 0.1, -0.1]], np.float32)
    rows = _driver({"jawOpen": 0.2}, {"eyeBlink": 0.7})
    motion = _motion(2, coefficients=rows.numpy(), rotation=angles)
    camera, coefficients = retarget(avatar, motion, relative=False)
    torch.testing.assert_close(coefficients, rows)
    torch.testing.assert_close(euler_from_rotation(camera.rotation), torch.from_numpy(angles))


def test_translation_in_centimetres_stays_in_the_picture(avatar):
    steps = np.array([[0, 0, 0], [0.8, 0, 0], [300, -300, 300]], np.float32)
    camera, _ = retarget(avatar, _motion(3, translation=steps))
    moved = camera.translation - avatar.camera.translation
    assert moved[1, 0] == pytest.approx(0.05, abs=1e-3)
    assert moved[2].abs().max() <= 1.2
    assert camera.offset[2].abs().max() < 0.6


def test_turned_cameras_count_from_the_photo_or_the_front(avatar):
    own = euler_from_rotation(avatar.camera.rotation)[0]
    turned = euler_from_rotation(turned_camera(avatar, 20, -5, 3).rotation)[0]
    wanted = own + torch.tensor([20, -5, 3]) * math.pi / 180
    torch.testing.assert_close(turned, wanted, atol=1e-5, rtol=0)
    front = euler_from_rotation(turned_camera(avatar, 20, 0, 0, frontal=True).rotation)[0]
    torch.testing.assert_close(front, torch.tensor([math.radians(20), 0, 0]), atol=1e-5, rtol=0)


def test_an_orbit_is_a_loop(avatar):
    angles = euler_from_rotation(orbit_cameras(avatar, 40, 30).rotation)
    assert angles[:, 0].max() == pytest.approx(math.radians(30), abs=1e-4)
    assert angles[:, 0].min() == pytest.approx(-math.radians(30), abs=1e-4)
    steps = (angles - angles.roll(1, 0)).norm(dim=1)
    assert steps[0] == pytest.approx(steps[1].item(), rel=0.1)
