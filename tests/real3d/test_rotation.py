import pytest
import torch
from scipy.spatial.transform import Rotation

from real3d.rotation import (
    euler_from_rotation,
    rotation_from_euler,
    rotation_from_vector,
    vector_from_rotation,
)


@pytest.fixture
def angles():
    return (torch.rand(50, 3, generator=torch.Generator().manual_seed(0)) - 0.5) * 2.4


def test_matrices_are_rotations(angles):
    matrices = rotation_from_euler(angles)
    assert matrices.shape == (50, 3, 3)
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(3).expand(50, 3, 3))
    torch.testing.assert_close(torch.det(matrices), torch.ones(50))


def test_angles_come_back(angles):
    torch.testing.assert_close(
        euler_from_rotation(rotation_from_euler(angles)), angles, atol=1e-5, rtol=0
    )


def test_against_scipy(angles):
    """Roll · pitch · yaw about z, x and y; yaw and pitch turn against scipy's."""
    yaw, pitch, roll = (
        Rotation.from_euler(axis, a) for axis, a in zip("yxz", angles.split(1, 1), strict=True)
    )
    wanted = torch.from_numpy((roll * pitch.inv() * yaw.inv()).as_matrix()).float()
    torch.testing.assert_close(rotation_from_euler(angles), wanted, atol=1e-5, rtol=0)


def test_looking_straight_up_is_finite():
    up = rotation_from_euler(torch.tensor([[0.0, torch.pi / 2, 0.0]]))
    assert euler_from_rotation(up).isfinite().all()


def test_rodrigues_against_scipy(angles):
    wanted = torch.from_numpy(Rotation.from_rotvec(angles.numpy()).as_matrix()).float()
    torch.testing.assert_close(rotation_from_vector(angles), wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(rotation_from_vector(torch.zeros(1, 3)), torch.eye(3)[None])


def test_gradients(angles):
    some = angles[:3].double().requires_grad_()
    assert torch.autograd.gradcheck(rotation_from_euler, (some,))
    assert torch.autograd.gradcheck(rotation_from_vector, (some,))


def test_a_rotation_is_its_axis_times_its_angle():
    vectors = torch.tensor([[0.0, 0, 0], [0.3, 0, 0], [-0.5, 1.1, 0.2], [0, 0, -2.5]])
    found = vector_from_rotation(rotation_from_vector(vectors))
    torch.testing.assert_close(found, vectors, atol=1e-5, rtol=1e-5)
