import pytest
import torch

from real3d.camera import Camera
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.mirror import Mirror
from real3d.face.template import Template
from real3d.rotation import rotation_from_euler


@pytest.fixture(scope="module")
def template():
    return Template()


def test_twice_is_nothing(template):
    mirror = Mirror(template)
    assert torch.equal(mirror.landmarks[mirror.landmarks], torch.arange(478))
    assert torch.equal(mirror.coefficients[mirror.coefficients], torch.arange(52))
    identity = 0.01 * torch.randn(2, 478, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(mirror.identity(mirror.identity(identity)), identity)


def test_a_mirrored_camera_sees_mirrored_points_where_the_mirror_shows_them(template):
    camera = Camera(
        rotation_from_euler(torch.tensor([[0.4, 0.1, 0.2]])), torch.tensor([[0.1, 0.2, 8.0]])
    )
    points = torch.randn(1, 50, 3, generator=torch.Generator().manual_seed(0))
    flip = torch.tensor([-1.0, 1, 1])
    seen = Mirror(template).camera(camera).project(points * flip)
    torch.testing.assert_close(seen, camera.project(points) * flip)


def test_a_mirrored_head_is_seen_as_in_a_mirror(template):
    mirror = Mirror(template)
    coefficients = torch.zeros(1, 52)
    coefficients[0, [ARKIT_INDEX[n] for n in ("eyeBlinkLeft", "mouthSmileRight", "jawLeft")]] = 0.7
    identity = torch.zeros(1, 478, 3)
    camera = Camera(
        rotation_from_euler(torch.tensor([[0.4, 0.1, 0.2]])), torch.tensor([[0.1, 0.2, 8.0]])
    )
    plain = camera.project(template.posed_landmarks(template.posed(identity, coefficients)))
    other = mirror.camera(camera).project(
        template.posed_landmarks(
            template.posed(mirror.identity(identity), coefficients[:, mirror.coefficients])
        )
    )
    away = (other - mirror.offsets(plain)).abs()
    assert away.mean() < 0.002  # nobody is quite symmetric, not even the template
    assert away.max() < 0.04
