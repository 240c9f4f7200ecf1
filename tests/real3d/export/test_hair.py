"""The hair's shell, around a volume that is known."""

from types import SimpleNamespace

import pytest
import torch

from real3d.export.hair import hair_shell
from real3d.face.template import SKIN

CENTRE = torch.tensor([0.0, -0.12, 0.12])


def _network(template, radius):
    """What hair_shell takes: a ball of hair around the upper head, nothing below the ears."""

    def decode(planes, prior, points):
        inside = ((points - CENTRE).norm(dim=-1) < radius) & (points[..., 1] < 0.1)
        return 60.0 * inside, None

    network = SimpleNamespace(
        geometry=SimpleNamespace(prior=None), volume=SimpleNamespace(decode=decode)
    )
    return network, SimpleNamespace(frontal=torch.zeros(1)), template


def test_a_ball_of_hair_is_found(template):
    shell = hair_shell(*_network(template, 0.95))
    radius = (shell.points - CENTRE).norm(dim=1)
    assert 0.9 < radius.median() < 0.97
    a, b, c = shell.points[shell.triangles].unbind(1)
    outwards = (torch.linalg.cross(b - a, c - a) * (a - CENTRE)).sum(1)
    assert (outwards > 0).float().mean() > 0.98
    assert shell.uv.min() >= 0
    assert shell.uv.max() <= 1
    assert (template.vertex_layer[shell.nearest] <= SKIN + 1).all()


@pytest.mark.parametrize("radius", [0.1, 0.3])
def test_a_bald_head_has_none(template, radius):
    assert hair_shell(*_network(template, radius)) is None
