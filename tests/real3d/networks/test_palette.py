import pytest
import torch

from real3d.camera import camera_from_pose, pixel_grid
from real3d.networks.layers import luma_of
from real3d.networks.palette import Palette, head_and_clothes

S = 128
SKIN, HAIR, SHIRT = (0.6, 0.1, -0.2), (-0.7, -0.8, -0.85), (-0.6, 0.2, 0.7)


def _flat(colour, side=8):
    return torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, side, side)


@pytest.fixture(scope="module")
def person():
    """Hair, a face below it and a blue shirt: photo and matte."""
    y = pixel_grid(S)[..., 1]
    photo = torch.where(y < -0.3, _flat(HAIR, S), _flat(SKIN, S))
    return torch.where(y > 0.5, _flat(SHIRT, S), photo), torch.ones(1, 1, S, S)


def _palettes(photo, alpha, height=0.0):
    scale, offset = torch.tensor([0.75]), torch.tensor([[0.0, height]])
    return head_and_clothes(photo, alpha, camera_from_pose(torch.eye(3)[None], scale, offset))


def test_the_photos_own_colours_stay(person):
    head, clothes = _palettes(*person)
    for palette, colour in ((head, SKIN), (head, HAIR), (clothes, SHIRT)):
        torch.testing.assert_close(palette.nearest(_flat(colour)), _flat(colour), atol=0.06, rtol=0)


def test_other_hues_are_drawn_to_them_and_luma_stays(person):
    head, _ = _palettes(*person)
    for colour in ((1.0, 0.2, -0.9), (0.2, 0.2, 1.0), (-0.2, 0.8, -0.2)):
        before, after = _flat(colour), head.nearest(_flat(colour))
        torch.testing.assert_close(luma_of(after), luma_of(before))
        skin = _flat(SKIN) - luma_of(_flat(SKIN))
        far, near = (float((x - luma_of(x) - skin).norm()) for x in (before, after))
        assert near < 0.6 * far


def test_without_clothes_the_heads_palette_serves(person):
    photo, alpha = person
    bare = torch.where(pixel_grid(S)[..., 1] > 0.5, _flat(SKIN, S), photo)
    head, clothes = _palettes(bare, alpha, height=0.6)
    torch.testing.assert_close(clothes.nearest(_flat(SKIN)), _flat(SKIN), atol=0.06, rtol=0)
    assert (head.nearest(_flat(SHIRT)) - _flat(SHIRT)).abs().max() > 0.3


def test_nobody_is_no_error():
    palette = Palette.of(_flat(SKIN), torch.zeros(1, 1, 8, 8))
    assert torch.isfinite(palette.nearest(_flat(SKIN))).all()
