import math

import pytest
import torch

from real3d.camera import FIELD_OF_VIEW_DEG, FOCAL, Camera, camera_from_pose, pixel_grid
from real3d.rotation import rotation_from_euler


@pytest.fixture
def cameras():
    generator = torch.Generator().manual_seed(1)
    rotation = rotation_from_euler(torch.rand(3, 3, generator=generator) - 0.5)
    offset = torch.rand(3, 2, generator=generator) - 0.5
    return camera_from_pose(rotation, torch.tensor([0.6, 0.8, 1.0]), offset)


@pytest.fixture
def points():
    return torch.rand(3, 20, 3, generator=torch.Generator().manual_seed(2)) - 0.5


def test_focal_length_is_that_of_the_field_of_view():
    assert pytest.approx(1 / math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2), rel=1e-3) == FOCAL


def test_a_pose_keeps_its_scale_and_offset(cameras):
    torch.testing.assert_close(cameras.scale, torch.tensor([0.6, 0.8, 1.0]))
    again = camera_from_pose(cameras.rotation, cameras.scale, cameras.offset)
    torch.testing.assert_close(again.translation, cameras.translation)


def test_projection_of_one_point_by_hand():
    camera = Camera(torch.eye(3)[None], torch.tensor([[0.1, -0.2, 10.0]]))
    found = camera.project(torch.tensor([[[0.3, 0.4, 0.5]]]))[0, 0]
    wanted = torch.tensor([FOCAL * 0.4 / 10.5, FOCAL * 0.2 / 10.5, 0.5])
    torch.testing.assert_close(found, wanted)


def test_unproject_undoes_project(cameras, points):
    seen = cameras.project(points)
    torch.testing.assert_close(
        cameras.unproject(seen[..., :2], seen[..., 2]), points, atol=1e-4, rtol=0
    )


def test_axes_of_a_turned_head():
    """+yaw turns the nose to the image's right, +pitch up, +roll the crown to the right."""
    nose, crown = torch.tensor([[[0.0, 0.0, -0.5]]]), torch.tensor([[[0.0, -0.5, 0.0]]])
    centre = torch.tensor([[0.0, 0.0, 11.0]])

    def seen(angles, point):
        return Camera(rotation_from_euler(torch.tensor([angles])), centre).project(point)[0, 0]

    assert seen((0.3, 0.0, 0.0), nose)[0] > 0.05
    assert seen((0.0, 0.3, 0.0), nose)[1] < -0.05
    assert seen((0.0, 0.0, 0.3), crown)[0] > 0.05


def test_gradient_of_the_projection(points):
    translation = torch.tensor([[0.1, -0.1, 3.0]], dtype=torch.float64, requires_grad=True)
    rotation = rotation_from_euler(torch.tensor([[0.2, 0.1, -0.1]], dtype=torch.float64))
    some = points[:1, :4].double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda t, p: Camera(rotation, t).project(p), (translation, some)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_precision_of_positions(cameras, points, dtype):
    """Single for half, even under autocast; double stays double."""
    wanted = torch.float64 if dtype == torch.float64 else torch.float32
    there = Camera(cameras.rotation.to(wanted), cameras.translation.to(wanted))
    given = points.to(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        seen = there.project(given)
        back = there.unproject(seen[..., :2].to(dtype), seen[..., 2].to(dtype))
    assert seen.dtype == back.dtype == wanted
    torch.testing.assert_close(seen, there.project(given.to(wanted)), atol=1e-6, rtol=0)


def test_indexing_expanding_and_joining(cameras):
    assert len(cameras[1:]) == 2
    assert len(cameras[:1].expand(5)) == 5
    joined = Camera.cat([cameras, cameras[:1]])
    assert torch.equal(joined.translation[3], cameras.translation[0])


def test_pixel_grid_has_pixel_centres():
    grid = pixel_grid(4)
    assert grid.shape == (4, 4, 2)
    torch.testing.assert_close(grid[0, :, 0], torch.tensor([-0.75, -0.25, 0.25, 0.75]))
    torch.testing.assert_close(grid[:, 0, 1], grid[0, :, 0])


def test_heights_of_pixels_are_those_of_the_plane_through_the_heads_origin():
    camera = camera_from_pose(torch.eye(3)[None], torch.tensor([0.5]), torch.tensor([[0.1, 0.2]]))
    rows = camera.heights(4)[0, 0]
    wanted = (torch.tensor([-0.75, -0.25, 0.25, 0.75]) - 0.2) / 0.5
    torch.testing.assert_close(rows, wanted[:, None].expand(4, 4))
