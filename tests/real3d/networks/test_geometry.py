import torch

from real3d.face.template import CLASS_COUNT, MOUTH_CLASS, TEETH_CLASS
from real3d.networks.geometry import _beside_teeth, _without_thin_teeth

S = 32


def _mouth_with_teeth(rows):
    """One-hot classes of a mouth with so many rows of teeth."""
    teeth = torch.zeros(S, S)
    teeth[8 : 8 + rows] = 1
    classes = torch.zeros(1, CLASS_COUNT, S, S)
    classes[0, TEETH_CLASS], classes[0, MOUTH_CLASS] = teeth, 1 - teeth
    return classes


def test_a_line_of_teeth_is_mouth():
    classes = _mouth_with_teeth(1)
    changed, thin = _without_thin_teeth(classes)
    assert changed[:, TEETH_CLASS].max() == 0
    assert torch.equal(changed.sum(1), torch.ones(1, S, S))
    assert torch.equal(thin[0, 0], classes[0, TEETH_CLASS])


def test_more_rows_of_teeth_appear_by_degrees():
    shares = [
        float(_without_thin_teeth(_mouth_with_teeth(rows))[0][0, TEETH_CLASS, 8].mean())
        for rows in range(1, 7)
    ]
    assert shares == sorted(shares)
    assert 0 < shares[2] < 1
    assert shares[-1] == 1


def test_the_mouth_is_not_shown_beside_teeth():
    classes = _mouth_with_teeth(4).argmax(1, keepdim=True) + 1.0
    rows = _beside_teeth(classes)[0, 0, :, 5].nonzero().flatten().tolist()
    assert rows == [6, 7, 12, 13]
