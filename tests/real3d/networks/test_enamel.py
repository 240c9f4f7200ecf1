import torch

from real3d.face.teeth import LOWER_ARCH, UPPER_ARCH
from real3d.face.template import MOUTH_CLASS, TEETH_CLASS
from real3d.networks.enamel import enamel, teeth_tone


def _at(arch, x, height, gums=1.0):
    """Factors (n, 3) at places x, so many crowns from an arch's edge."""
    x = torch.as_tensor(x, dtype=torch.float32)
    y = torch.full_like(x, arch.edge - arch.down * height * arch.tooth)
    return enamel(torch.stack([x, y, 0 * x])[None, :, None], torch.full((1, 1, 1, 1), gums))[
        0, :, 0
    ].T


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
        red, green, _ = _at(arch, middle, 1.3, gums=0)[0]
        assert red == green > 0.9


def test_the_middle_lies_between_two_teeth():
    assert UPPER_ARCH.ends[6] == LOWER_ARCH.ends[6] == 0
    assert UPPER_ARCH.ends[7] > LOWER_ARCH.ends[7]  # upper front teeth are wider


def test_the_tone_of_teeth_is_that_of_the_bright_ones():
    """A mouth with bright teeth, dark ones at its corners, and skin that is brighter than both."""
    photo, classes = torch.ones(2, 3, 64, 64), torch.ones(2, 1, 32, 32)
    classes[:, :, 10:20, 5:25], photo[:, :, 20:40, 10:50] = TEETH_CLASS + 1, -0.8
    bright = torch.tensor([0.8, 0.7, 0.5]).view(3, 1, 1)
    photo[0, :, 20:40, 20:40] = 2 * bright - 1
    classes[1] = torch.where(classes[1] == TEETH_CLASS + 1, MOUTH_CLASS + 1, classes[1])
    tone, known = teeth_tone(photo, classes)
    torch.testing.assert_close(tone[0], bright)
    assert known.flatten().tolist() == [1, 0]
