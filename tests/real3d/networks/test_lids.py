import torch

from real3d.camera import pixel_grid
from real3d.face.template import EYE_CLASSES, Template
from real3d.networks.lids import lashes, lid_plate, upper_margins

S = 256
SKIN, EYE = 0.4, -0.8


def test_eyes_and_lashes_are_covered_by_skin():
    """A face of one colour with a dark eye whose lashes reach beyond the eyeball."""
    x, y = pixel_grid(S).unbind(-1)
    far = ((x - 0.3) / 0.12).square() + ((y + 0.2) / 0.06).square()
    photo = torch.where(far < 1.3, EYE, SKIN).expand(1, 3, S, S)
    classes = torch.ones(1, 1, S, S)  # skin
    classes[:, :, far < 1] = EYE_CLASSES[0] + 1
    plate = lid_plate(photo, classes[..., ::2, ::2])
    torch.testing.assert_close(plate, torch.full_like(plate, SKIN), atol=0.02, rtol=0)


def test_without_eyes_it_is_the_photo():
    photo = torch.rand(1, 3, S, S, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(lid_plate(photo, torch.ones(1, 1, S // 2, S // 2)), photo)


def test_lashes_are_a_line_along_both_upper_margins():
    margins = upper_margins(Template().landmarks)
    assert (margins[:, 1:, 0] > margins[:, :-1, 0]).all()
    assert (margins[0, :, 0] > 0).all()  # the person's left eye is on the image's right
    assert (margins[1, :, 0] < 0).all()
    middle = margins[:, 4]
    for above, darkest in ((0.0, True), (0.015, False), (-0.05, False)):
        points = middle - middle.new_tensor([0, above, 0])
        factors = lashes(points.T[None, :, None], margins)[0, 0, 0]
        assert ((factors < 0.5) if darkest else (factors > 0.95)).all()
    ends = margins[:, [0, -1]].reshape(-1, 3)
    assert (lashes(ends.T[None, :, None], margins) > 0.95).all()
