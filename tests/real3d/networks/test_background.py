import torch

from real3d.networks.background import background_plate, person_plate

S = 128


def _photo():
    """A red person on the left, a blue wall on the right, and a violet seam between them."""
    alpha = torch.zeros(1, 1, S, S)
    alpha[..., : S // 2] = 1
    photo = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, S, S).clone()
    photo[..., S // 2 :] = torch.tensor([-1.0, -1.0, 1.0]).view(1, 3, 1, 1)
    photo[..., S // 2 - 2 : S // 2] = torch.tensor([0.0, -1.0, 0.0]).view(1, 3, 1, 1)
    return photo, alpha


def test_behind_the_person_there_is_wall():
    photo, alpha = _photo()
    plate = background_plate(photo, alpha)
    assert torch.equal(plate[..., -20:], photo[..., -20:])
    assert plate[:, 2].min() > 0.9


def test_the_persons_colours_end_beyond_the_outline():
    photo, alpha = _photo()
    plate = person_plate(photo, alpha)
    assert torch.equal(plate[..., : S // 2 - 10], photo[..., : S // 2 - 10])
    assert plate[:, 0, :, S // 2 - 2 : S // 2 + 4].min() > 0.9
    assert torch.equal(plate[..., -20:], photo[..., -20:])
