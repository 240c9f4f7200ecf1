import torch

from real3d.face.teeth import LOWER_ARCH, UPPER_ARCH
from real3d.networks.enamel import enamel


def _at(arch, x, height):
    """Factors (n, 3) at places x, so many crowns from an arch's edge."""
    x = torch.as_tensor(x, dtype=torch.float32)
    y = torch.full_like(x, arch.edge - arch.down * height * arch.tooth)
    return enamel(torch.stack([x, y, 0 * x])[None, :, None])[0, :, 0].T


def test_lines_part_teeth():
    for arch in (UPPER_ARCH, LOWER_ARCH):
        ends = torch.from_numpy(arch.ends).float()
        between = _at(arch, ends[1:-1], 0.5)
        within = _at(arch, (ends[1:] + ends[:-1]) / 2, 0.5)
        assert between.max() < 0.75
        assert within.min() > 0.9


def test_beyond_the_crown_there_is_gum():
    for arch in (UPPER_ARCH, LOWER_ARCH):
        middle = (arch.ends[6:8].sum() / 2).repeat(2)
        red, green, _ = _at(arch, middle, 1.3)[0]
        assert red > 1.3 * green


def test_the_middle_lies_between_two_teeth():
    assert UPPER_ARCH.ends[6] == LOWER_ARCH.ends[6] == 0
    assert UPPER_ARCH.ends[7] > LOWER_ARCH.ends[7]  # upper front teeth are wider
