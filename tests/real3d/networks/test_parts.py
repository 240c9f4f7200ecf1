"""What a photo is made of, on a person of plain colours: grey wall, brown hair, a face, a shirt."""

import pytest
import torch

from real3d.camera import camera_from_pose
from real3d.networks.parts import REDUCTION, Parts

S = 256
HAIR, SKIN, SHIRT = (-0.7, -0.8, -0.9), (0.6, 0.2, 0.0), (-0.2, 0.1, 0.8)


def _painted(hair_to: float, shirt: tuple[float, float, float], collar_from: float = 0.7) -> Parts:
    """Hair hangs beside the neck to a height (y down); all parts have a little noise."""
    camera = camera_from_pose(torch.eye(3)[None], torch.tensor([0.75]), torch.zeros(1, 2))
    height = camera.heights(S)[0, 0]
    across = height.mT.abs()
    face = (across < 0.4) & (height.abs() < 0.6)
    neck = (across < 0.25) & (height >= 0.6) & (height < 0.8)
    collar = (across < 0.6) & (height >= collar_from) & ~face
    body = ((height >= 0.7) | collar) & ~neck
    hair = (across < 0.6) & (height > -0.8) & (height < hair_to) & ~face & ~neck
    picture = torch.full((3, S, S), 0.5)
    for where, colour in ((body, shirt), (hair, HAIR), (face | neck, SKIN)):
        picture = torch.where(where, torch.tensor(colour)[:, None, None], picture)
    noise = 0.02 * torch.randn(3, S, S, generator=torch.Generator().manual_seed(0))
    alpha = (face | neck | body | hair).float()
    firmness = torch.nn.functional.avg_pool2d(face.float()[None, None], 8)
    return Parts.of((picture + noise)[None], alpha[None, None], camera, firmness)


def _at(mask: torch.Tensor, height: float, across: float) -> float:
    """Of a mask, at a place of the head frame."""
    row, column = (int((0.75 * x + 1) / 2 * S / REDUCTION) for x in (height, across))
    return float(mask[0, 0, row, column])


def test_a_shirt_is_clothes_and_hair_and_skin_are_not():
    parts = _painted(0.5, SHIRT)
    assert _at(parts.clothes, 0.9, 0.6) == _at(parts.clothes, 1.1, 0) == 1
    assert _at(parts.clothes, 0.0, 0.5) == _at(parts.clothes, 0.7, 0.1) == 0
    assert _at(parts.clothes, 0.2, 0) == 0


def test_long_hair_over_a_shirt_is_no_clothes():
    parts = _painted(2.0, SHIRT)
    assert _at(parts.clothes, 1.0, 0.45) == 0
    assert _at(parts.clothes, 1.1, 0.9) == 1


def test_what_could_be_hair_is_no_clothes_where_hair_hangs_down_to_it():
    assert _painted(2.0, HAIR).clothes.max() == 0


def test_a_jacket_of_the_hairs_colour_is_clothes_and_no_hair_where_hair_is_short():
    parts = _painted(0.5, HAIR)
    assert _at(parts.clothes, 0.9, 0.6) == _at(parts.clothes, 1.1, 0) == 1
    assert _at(parts.hair, 0.0, 0.5) == 1
    assert not (parts.hair * parts.clothes).any()


def test_a_collar_is_clothes_up_to_the_ears():
    parts = _painted(0.2, SHIRT, collar_from=0.35)
    assert _at(parts.clothes, 0.4, 0.5) == _at(parts.clothes, 0.6, 0.5) == 1


@pytest.mark.parametrize("part", ["hair", "neck", "beside", "bare", "clothes"])
def test_masks_have_one_size(part):
    assert getattr(_painted(0.5, SHIRT), part).shape == (1, 1, S // REDUCTION, S // REDUCTION)
