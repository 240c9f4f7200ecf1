import torch

from real3d.camera import pixel_grid
from real3d.face.teeth import MM
from real3d.face.template import MOUTH_CLASS, TEETH_CLASS, Template
from real3d.networks.lips import lip_margins, lip_plate, moved_and_meeting, seam

S = 256
SKIN, TEETH = 0.1, 0.9


def test_a_mouth_and_teeth_beside_its_mesh_are_covered_by_lips():
    """A face of one colour with bright teeth that reach a little beyond their mesh."""
    x, y = pixel_grid(S).unbind(-1)
    far = (x / 0.2).square() + ((y - 0.3) / 0.08).square()
    photo = torch.where(far < 1.15, TEETH, SKIN).expand(1, 3, S, S)
    classes = torch.ones(1, 1, S, S)
    classes[:, :, far < 1] = MOUTH_CLASS + 1.0
    classes[:, :, (far < 1) & (y < 0.3)] = TEETH_CLASS + 1.0
    plate = lip_plate(photo, classes[..., ::2, ::2])
    torch.testing.assert_close(plate, torch.full_like(plate, SKIN), atol=0.05, rtol=0)


def test_without_a_mouth_it_is_the_photo():
    photo = torch.rand(1, 3, S, S, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(lip_plate(photo, torch.ones(1, 1, S // 2, S // 2)), photo)


def test_lips_move_and_meet_if_they_are_parted_in_the_photo():
    """Photos with parted lips, shown as they are, shut and wide open; one with shut lips."""
    photo = torch.tensor([8.0, 8, 8, 1.5]) * MM
    moved, meeting = moved_and_meeting(photo, torch.tensor([8.0, 1.5, 14, 9]) * MM)
    assert moved.tolist() == [0, 1, 1, 0]
    assert meeting.tolist() == [0, 1, 0, 0]


def test_the_seam_is_a_line_along_both_lips_that_meet():
    margins = lip_margins(Template().landmarks)
    assert (margins[:, 1:, 0] > margins[:, :-1, 0]).all()
    middle = margins[:, 5]
    assert middle[0, 1] < middle[1, 1]
    for below, darkest in ((0.0, True), (0.02, False)):
        points = middle[1:] + middle.new_tensor([0, below, 0])
        at = points.T[None, :, None].expand(2, -1, -1, -1)
        met, apart = seam(at, margins, torch.tensor([1.0, 0.0])).flatten()
        assert apart == 1
        assert (met < 0.6) if darkest else (met > 0.95)
