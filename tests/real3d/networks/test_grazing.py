import math

import pytest
import torch

from real3d.camera import Camera
from real3d.networks.grazing import ample_hair, better_mirrored, round_facing, soft
from real3d.rotation import rotation_from_euler


def _camera(yaw_deg, pitch_deg=0.0):
    angles = torch.tensor([[math.radians(yaw_deg), math.radians(pitch_deg), 0.0]])
    return Camera(rotation_from_euler(angles), torch.tensor([[0.0, 0.0, 9.0]]))


def _point(around_deg, y):
    """On the head, seen in the middle by a camera of that yaw."""
    towards = _camera(around_deg).rotation[0, 2]
    return (-0.6 * towards + torch.tensor([0.0, y, 0.0])).view(1, 3, 1, 1)


def _ample(points, photo, wanted):
    return ample_hair(round_facing(points, photo, wanted), points[:, 1:2])


@pytest.mark.parametrize("around_deg", [-80, 0, 60, 89])
def test_from_where_the_photo_was_taken_all_is_shown(around_deg):
    photo, point = _camera(0), _point(around_deg, -0.4)
    assert _ample(point, photo, photo) == 1
    assert soft(round_facing(point, photo, photo)) == 0


def test_hair_at_the_photos_outline_is_not_shown_when_it_faces_the_camera():
    side = _point(85, -0.4)
    assert _ample(side, _camera(0), _camera(85)) < 0.1
    assert _ample(_point(40, -0.4), _camera(0), _camera(40)) == 1
    assert _ample(side, _camera(0), _camera(5)) > 0.5


def test_ears_and_necks_are_shown():
    for height in (0.0, 0.3, 0.8):
        assert _ample(_point(85, height), _camera(0), _camera(85)) == 1


def test_a_crown_is_not_shown_to_a_camera_above_it():
    crown = torch.tensor([0.0, -0.8, 0.0]).view(1, 3, 1, 1)
    below, above = sorted(
        (_camera(0, 60), _camera(0, -60)), key=lambda camera: float(camera.rotation[0, 2, 1])
    )
    assert _ample(crown, _camera(0), above) < 0.1
    assert _ample(crown, _camera(0), below) == 1


def test_a_look_up_is_soft_where_it_would_be_enlarged():
    side = _point(85, 0.0)
    assert soft(round_facing(side, _camera(0), _camera(85))) == 1
    assert soft(round_facing(side, _camera(60), _camera(85))) == 0


def test_a_mirror_image_is_better_on_the_side_that_the_photo_hides():
    photo, wanted = _camera(40), _camera(-30)
    assert better_mirrored(round_facing(_point(-40, 0.0), photo, wanted)) == 1
    assert better_mirrored(round_facing(_point(40, 0.0), photo, wanted)) == 0
    assert better_mirrored(round_facing(_point(50, 0.0), _camera(0), wanted)) == 0
