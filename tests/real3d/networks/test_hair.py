import pytest
import torch
from torch.nn import functional as F

from real3d.camera import camera_from_pose, pixel_grid
from real3d.networks.hair import hair_plate
from real3d.networks.parts import Parts

S = 256
HAIR, SKIN, WALL = (-0.7, -0.8, -0.6), (0.5, 0.2, 0.0), (0.9, 0.9, 0.9)


def _colour(values):
    return torch.tensor(values)[:, None, None]


@pytest.fixture(scope="module")
def head():
    """A face below a cap of striped hair, before a wall: photo, matte, camera, firmness, hair."""
    x, y = pixel_grid(S).unbind(-1)
    person = (x / 0.55).square() + (y / 0.7).square() < 1
    face = (x / 0.35).square() + ((y - 0.1) / 0.45).square() < 1
    hair = person & ~face & (y < 0.2)
    stripes = 0.1 * torch.sign(torch.sin(80 * x))
    photo = torch.where(person, _colour(SKIN), _colour(WALL))
    photo = torch.where(hair, _colour(HAIR) + stripes, photo)
    camera = camera_from_pose(torch.eye(3)[None], torch.tensor([0.75]), torch.zeros(1, 2))
    firm = F.avg_pool2d(face.float()[None, None], 8)
    return photo[None], person.float()[None, None], camera, firm, hair[None, None]


def _plate(photo, alpha, camera, firm):
    return hair_plate(photo, alpha, camera, Parts.of(photo, alpha, camera, firm))


def test_hair_stays_and_covers_the_rest(head):
    photo, alpha, camera, firm, hair = head
    plate = _plate(photo, alpha, camera, firm)
    well_inside = -F.max_pool2d(-hair.float(), 41, 1, 20) > 0
    assert torch.equal(plate[well_inside.expand_as(plate)], photo[well_inside.expand_as(plate)])
    above_ears = (pixel_grid(S)[..., 1] < 0.2).expand(1, 1, S, S) & (alpha > 0)
    away = (plate - _colour(HAIR)).abs().amax(1, keepdim=True)
    assert away[above_ears].max() < 0.25  # skin and wall are further away than 1


def test_strands_go_on_behind_the_border(head):
    photo, alpha, camera, firm, _ = head
    plate = _plate(photo, alpha, camera, firm)
    across = plate[0, 0, S // 2 - S // 8, S // 2 - S // 10 : S // 2 + S // 10]
    assert across.std() > 0.03


def test_a_photo_without_hair_gives_the_colours_of_the_person(head):
    photo, alpha, camera, firm, _ = head
    low = camera_from_pose(camera.rotation, camera.scale, torch.tensor([[0.0, -1.5]]))
    plate = _plate(photo, alpha, low, firm)
    assert torch.isfinite(plate).all()
    assert plate.abs().max() <= 1 + 1e-5


def test_skin_beside_the_face_is_bare_and_hair_is_not(head):
    photo, alpha, camera, firm, hair = head
    parts = Parts.of(photo, alpha, camera, firm)
    bare, shown = (F.interpolate(x, scale_factor=4) > 0.5 for x in (parts.bare, parts.hair))
    assert bare.any()
    assert shown.any()
    assert not (bare & shown).any()
    well_inside = -F.max_pool2d(-hair.float(), 41, 1, 20) > 0
    assert not (bare & well_inside).any()
    assert not (parts.bare > parts.beside).any()
