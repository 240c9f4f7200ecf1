import pytest
import torch

from real3d.camera import pixel_grid
from real3d.face.template import EYE_CLASSES, Template
from real3d.networks.eyes import EyeRings

S, SIDE = 256, 0
WHITE, IRIS = 0.8, -0.7
IRIS_RADIUS, ZOOM = 0.04, 4.0
TEMPLATE = Template()
MIDDLE = TEMPLATE.eye_centres[SIDE]


def _rings(beside, open_above, open_below):
    """Of an eye in the middle of a picture, so far open, its iris beside its pole."""
    place = pixel_grid(S) / ZOOM  # on the template, from the eye's centre
    away = (place - torch.tensor(beside)).norm(dim=-1)
    photo = torch.where(away < IRIS_RADIUS, IRIS, WHITE).expand(1, 3, S, S)
    shown = (place[..., 1] > -open_above) & (place[..., 1] < open_below)
    shown &= place.norm(dim=-1) < 0.11
    classes = torch.where(shown, EYE_CLASSES[SIDE] + 1, 1).float()
    projected = ((TEMPLATE.vertices - MIDDLE) * ZOOM)[None]
    return EyeRings.of(photo, classes[None, None, ::2, ::2], projected, TEMPLATE)


def _below_the_pupil(rings, distance, beside):
    offset = torch.tensor([beside[0], beside[1] + distance, 0.0])
    colour, known = rings.at((MIDDLE + offset).view(1, 3, 1, 1))
    return float(colour.mean()), float(known)


@pytest.mark.parametrize("beside", [(0.0, 0.0), (0.016, 0.0)])
def test_the_white_that_a_lid_hides_is_that_beside_the_iris(beside):
    rings = _rings(beside, open_above=0.03, open_below=0.03)
    assert rings.pupils[0, SIDE].tolist() == pytest.approx(
        [float(MIDDLE[k]) + beside[k] for k in (0, 1)], abs=0.009
    )
    white, known = _below_the_pupil(rings, 0.06, beside)
    assert white == pytest.approx(WHITE, abs=0.1)
    assert known > 0.9
    iris, _ = _below_the_pupil(rings, 0.02, beside)
    assert iris == pytest.approx(IRIS, abs=0.1)


def test_nothing_is_known_of_a_shut_eye():
    rings = _rings((0.0, 0.0), open_above=-1, open_below=-1)
    assert _below_the_pupil(rings, 0.06, (0.0, 0.0))[1] == 0


def test_nothing_is_said_above_the_pupil_and_in_the_corners():
    rings = _rings((0.0, 0.0), open_above=0.05, open_below=0.05)
    points = MIDDLE + torch.tensor([[0.0, -0.05, 0.0], [0.08, 0.02, 0.0]])
    _, known = rings.at(points.T[None, :, None])
    assert known.abs().max() == 0
