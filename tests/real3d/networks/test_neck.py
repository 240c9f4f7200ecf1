import pytest
import torch

from real3d.camera import Camera
from real3d.face.template import Template
from real3d.networks.neck import torso_camera, turn_between, twisted
from real3d.networks.torso import shown_torso, torso_alpha
from real3d.rotation import rotation_from_euler

BASE = torch.tensor([[[0.0, 0.9, 0.27]]])
DISTANCE = torch.tensor([[0.1, -0.05, 20.0]])


def _camera(yaw=0.0, pitch=0.0, roll=0.0):
    return Camera(rotation_from_euler(torch.tensor([[yaw, pitch, roll]])), DISTANCE)


@pytest.mark.parametrize("yaw", [0.0, 0.05, 0.3, -0.8, 1.3])
def test_shoulders_follow_a_small_turn_and_stay_at_a_large_one(yaw):
    own = _camera(0.2, -0.1, 0.1)
    head = Camera(rotation_from_euler(torch.tensor([[yaw, 0.0, 0.0]])) @ own.rotation, DISTANCE)
    shoulders = torso_camera(own, head)
    turn = turn_between(own, shoulders)
    assert turn <= turn_between(own, head) + 1e-5
    assert turn < 0.36
    if abs(yaw) < 0.1:
        assert turn == pytest.approx(abs(yaw), abs=2e-3)


@pytest.mark.parametrize("yaw", [0.1, -0.7, 1.3])
def test_the_neck_stands_where_it_stood(yaw):
    own, head = _camera(), _camera(yaw, 0.2)
    there = head.project(BASE)[..., :2]
    torch.testing.assert_close(
        torso_camera(own, head).project(BASE)[..., :2], there, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("yaw", [0.0, 0.3, -0.9])
def test_a_twisted_neck_joins_head_and_shoulders(yaw):
    template = Template()
    vertices, heights = template.vertices[None], template.vertices[:, 1]
    own, head = _camera(), _camera(yaw, 0.1, -0.1)
    found = head.to_camera(twisted(vertices, heights, own, head))
    above, below = heights < 0.65, heights > 0.95
    torch.testing.assert_close(found[:, above], head.to_camera(vertices)[:, above])
    shoulders = torso_camera(own, head).to_camera(vertices)
    torch.testing.assert_close(found[:, below], shoulders[:, below], atol=1e-4, rtol=0)


def test_half_precision_around_it_changes_nothing():
    template = Template()
    given = (template.vertices[None], template.vertices[:, 1], _camera(), _camera(0.7, 0.1))
    want = twisted(*given)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(twisted(*given), want)
        found = torso_camera(*given[2:])
        assert found.rotation.dtype == torch.float32
    torch.testing.assert_close(found.rotation, torso_camera(*given[2:]).rotation)


def test_nobody_turns_nothing_twists():
    template = Template()
    vertices, heights = template.vertices[None], template.vertices[:, 1]
    found = twisted(vertices, heights, _camera(0.4), _camera(0.4))
    torch.testing.assert_close(found, vertices, atol=1e-5, rtol=0)


def test_a_photo_says_where_its_torso_is():
    camera = _camera()
    alpha, head = torch.ones(1, 1, 64, 64), torch.zeros(1, 1, 8, 8)
    alpha[..., :16] = 0
    head[..., 6:] = 1
    clothes = torch.zeros(1, 1, 64, 64)
    clothes[..., 8:16, 28:40] = 1
    found = shown_torso(alpha, head, camera, clothes)[0, 0]
    assert (found[:, 8] < -3).all()  # the background
    assert (found[:4, 32] < -3).all()  # hair beside the head
    assert (found[10:14, 32] > 3).all()  # a collar as high as that
    assert (found[-4:, 32] > 3).all()
    assert (found[-4:, -4:].abs() < 1e-5).all()  # hidden


def test_the_network_decides_where_the_photo_can_not_tell():
    """Its opinion for and against, where the photo shows the torso, shows none, and hides it."""
    opinion = torch.tensor([3.0, -3.0]).view(2, 1, 1, 1).expand(-1, 1, 1, 1)
    for shown, (least, most) in {4.0: (0.95, 1), -4.0: (0, 0.05), 0.0: (0.04, 0.96)}.items():
        found = torso_alpha(opinion, torch.full((2, 1, 8, 8), shown))
        assert least <= found.min() < found.max() <= most
