import math

import pytest
import torch

from real3d.camera import camera_from_pose, pixel_grid
from real3d.face.template import SKIN, Template
from real3d.networks.ears import bare_ears, ears_at
from real3d.networks.parts import Parts
from real3d.rotation import rotation_from_euler

S = 128


def _camera(yaw_deg):
    rotation = rotation_from_euler(torch.tensor([[math.radians(yaw_deg), 0.0, 0.0]]))
    return camera_from_pose(rotation, torch.tensor([0.75]), torch.zeros(1, 2))


def _beside(skin):
    """A person that fills the picture; where skin (S, S) is, hair does not cover it."""
    nothing, everybody = torch.zeros(1, 1, S, S), torch.ones(1, 1, S, S)
    return Parts(nothing, nothing, everybody, skin.float().expand(1, 1, S, S), nothing)


@pytest.mark.parametrize("yaw_deg", [-40, 0, 40])
def test_ears_among_hair_are_covered(yaw_deg):
    camera = _camera(yaw_deg)
    assert bare_ears(_beside(torch.zeros(S, S)), camera) == 0
    assert bare_ears(_beside(torch.ones(S, S)), camera) == 1


@pytest.mark.parametrize(("yaw_deg", "shown_x"), [(40, -1), (-40, 1)])
def test_the_ear_that_is_turned_to_the_camera_is_asked(yaw_deg, shown_x):
    camera = _camera(yaw_deg)
    middle = camera.project(torch.tensor([[[0.5 * shown_x, 0.0, 0.17]]]))[0, 0, :2]
    near = (pixel_grid(S) - middle).norm(dim=-1) < 0.15
    assert bare_ears(_beside(near), camera) == 1
    assert bare_ears(_beside(~near), camera) == 0


def test_ears_are_at_the_templates_sides():
    template = Template()
    points = template.vertices[template.vertex_layer == SKIN]
    depth = torch.zeros(1, 1, len(points), 1)
    found = ears_at(points.mT[None, ..., None], depth, depth).flatten() > 0.5
    assert 100 < int(found.sum()) < 1500
    assert points[found][:, 0].abs().min() > 0.4
    assert points[found][:, 2].min() > 0


def test_hair_before_an_ear_hides_it():
    ear = torch.tensor([0.55, 0.0, 0.2]).view(1, 3, 1, 1)
    depth = torch.full((1, 1, 1, 1), 9.0)
    assert ears_at(ear, depth, depth) > 0.9
    assert ears_at(ear, depth, depth - 0.2) == 0
