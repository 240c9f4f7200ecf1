import pytest
import torch

from real3d.face.template import CLASS_COUNT, MOUTH_CLASS, TEETH_CLASS, Template
from real3d.networks.geometry import Geometry, _beside_teeth, _without_thin_teeth

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


@pytest.fixture(scope="module")
def geometry():
    return Geometry(Template(), 512)


@pytest.mark.parametrize(
    ("down", "across", "face", "lively"),
    [
        pytest.param(0.68, 0.5, 1, 1, id="mouth"),
        pytest.param(0.44, 0.4, 1, 1, id="eye"),
        pytest.param(0.5, 0.5, 1, 0, id="nose"),
        pytest.param(0.33, 0.5, 1, 0, id="forehead"),
        pytest.param(0.55, 0.38, 1, 0, id="cheek"),
        pytest.param(0.2, 0.5, 0, 0, id="hair"),
        pytest.param(0.5, 0.25, 0, 0, id="ear"),
        pytest.param(0.5, 0.05, 0, 0, id="background"),
    ],
)
def test_where_expressions_change_a_head_seen_from_the_front(geometry, down, across, face, lively):
    for found, wanted in ((geometry.face, face), (geometry.lively, lively)):
        assert found.shape == (1, 1, 128, 128)
        assert abs(found[0, 0, int(128 * down), int(128 * across)] - wanted) < 0.05
