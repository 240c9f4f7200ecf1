import copy
import dataclasses

import pytest
import torch

from real3d.camera import camera_from_pose
from real3d.networks.config import SMOKE
from real3d.networks.image_to_plane import Planes, fuse
from real3d.networks.volume import Rays, Volume, composite_weights, composite_weights_reference


@pytest.fixture
def density():
    return torch.rand(5, 7, 12, generator=torch.Generator().manual_seed(0)) * 20


@pytest.fixture
def step():
    return torch.full((5, 7, 1), 0.03)


def _planes(batch=1, seed=0):
    n, c = SMOKE.ray_px, SMOKE.plane_channels
    generator = torch.Generator().manual_seed(seed)

    def random(*size):
        return torch.randn(batch, *size, generator=generator)

    half = n // 2
    return Planes(
        random(c, n, n), random(c, half, half), random(c, half, half), random(128, half, half),
        random(1, n, n).sigmoid(),
    )  # fmt: skip


def _rays(size=8):
    camera = camera_from_pose(torch.eye(3)[None], torch.tensor([0.8]), torch.zeros(1, 2))
    return Rays(
        camera, torch.zeros(1, 1, size, size), torch.zeros(1, 3, size, size),
        torch.ones(1, 1, size, size),
    )  # fmt: skip


def _prior(value):
    return torch.full((1, 1, 4, 4, 4), value)


@pytest.fixture(scope="module")
def volume():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Volume(SMOKE)


def test_compositing_against_its_reference(density, step):
    torch.testing.assert_close(
        composite_weights(density, step), composite_weights_reference(density, step),
        atol=1e-5, rtol=1e-4,
    )  # fmt: skip


def test_gradients_of_compositing_against_its_reference(density, step):
    value = torch.randn(density.shape, generator=torch.Generator().manual_seed(1))
    found, wanted = (
        torch.autograd.grad((function(leaf, step) * value).sum(), leaf)[0]
        for function in (composite_weights, composite_weights_reference)
        for leaf in [density.clone().requires_grad_()]
    )
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-3)


def test_weights_in_closed_form(step):
    """A wall hides what is behind it, and a constant fog thins out exponentially."""
    wall = torch.zeros(5, 7, 12)
    wall[..., 4] = 1e4
    wall[..., 5:] = 10
    weights = composite_weights(wall, step)
    torch.testing.assert_close(weights[..., 4], torch.ones(5, 7))
    assert weights[..., 5:].max() < 1e-5
    fog = composite_weights(torch.full((5, 7, 12), 2.0), step)
    wanted = 1 - torch.exp(torch.tensor(-2.0 * 12 * 0.03))
    torch.testing.assert_close(fog.sum(-1), wanted.expand(5, 7))


def test_shapes_and_extremes(volume):
    full = volume(_planes(), _prior(50.0), _rays(), None)
    assert full.features.shape == (1, SMOKE.plane_channels, 8, 8)
    assert (full.alpha.shape, full.canonical.shape) == ((1, 1, 8, 8), (1, 3, 8, 8))
    assert full.alpha[..., 3:5, 3:5].min() > 0.99
    empty = volume(_planes(), _prior(-50.0), _rays(), None)
    assert empty.alpha.max() < 1e-3
    torch.testing.assert_close(empty.depth, torch.zeros_like(empty.depth), atol=5e-3, rtol=0)


def test_inside_the_head_it_is_never_empty(volume):
    """Whatever the planes say; but outside they are believed."""
    decoder = copy.deepcopy(volume)
    with torch.no_grad():
        decoder.decoder[-1].bias[0] = -50
    points = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.98, 0.0]]])
    inside, neck = decoder.decode(_planes(), _prior(1.0), points)[0][0]
    assert inside > 20
    assert neck < 0.1
    assert decoder.decode(_planes(), _prior(-2.0), points)[0].max() < 1e-3


def test_without_jitter_nothing_is_random_and_with_a_seed_it_repeats(volume):
    def alpha(jitter):
        return volume(_planes(), _prior(0.3), _rays(), jitter).alpha

    assert torch.equal(alpha(None), alpha(None))
    assert torch.equal(alpha(False), alpha(None))
    first, again = (alpha(torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, alpha(None))


def test_a_gradient_reaches_the_planes(volume):
    planes = _planes()
    leaves = Planes(*(t.requires_grad_() for t in vars(planes).values()))
    seen = volume(leaves, _prior(0.5), _rays(), None)
    (seen.features.square().mean() + seen.alpha.mean()).backward()
    for name in ("frontal", "side", "top"):
        assert getattr(leaves, name).grad.abs().sum() > 0, name


def test_fusing_weighs_by_what_was_shown():
    first, second = _planes(seed=1), _planes(seed=2)
    shown = dataclasses.replace(first, confidence=torch.ones_like(first.confidence))
    hidden = dataclasses.replace(second, confidence=torch.zeros_like(first.confidence))
    fused = fuse([shown, hidden])
    share = torch.tensor(4.0).sigmoid()
    wanted = share * first.frontal + (1 - share) * second.frontal
    torch.testing.assert_close(fused.frontal, wanted)
    torch.testing.assert_close(fuse([first]).frontal, first.frontal)
    torch.testing.assert_close(fuse([first, first]).side, first.side)
    assert torch.equal(fused.confidence, shown.confidence)
