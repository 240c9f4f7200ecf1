import dataclasses
import math

import pytest
import torch
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.rotation import rotation_from_euler
from real3d.training.batches import CLIP, PSEUDO, SYNTHETIC, PairSampler
from real3d.training.discriminators import Discriminators, critic_loss
from real3d.training.losses import (
    DETAIL_PX,
    FACE_PX,
    LEFT_EYE,
    LIPS,
    RIGHT_EYE,
    SIDE_PX,
    believed,
    cross_entropy,
    detail_crops,
    discord,
    exemplary,
    feature_distance,
    head_labels,
    pixel_weights,
    side_crops,
    structure_losses,
    total_variation,
    turned_sides,
)
from real3d.training.perceptual import VGGFeatures

RAYS = 32
NAMES = {"volume", "alpha", "person", "look_up", "torso", "smooth_flow", "depth"}


@pytest.fixture(scope="module")
def batch(banks, network):
    """Two pairs of a clip, one of a photo and one synthetic pair."""
    shares = {"clips": 0.5, "portraits": 0.25, "synthetic_000": 0.25}
    batch = PairSampler(banks, network.geometry, shares, 1.0, 3).draw(4)
    assert sorted(batch.kind.tolist()) == [CLIP, CLIP, PSEUDO, SYNTHETIC]
    return batch


@pytest.fixture(scope="module")
def rendered(batch, network):
    """The pairs' target geometry, encoding and frame."""
    target = network.geometry.target(network.geometry.source(batch.source_head), batch.target_head)
    with torch.no_grad():
        source = network.encode(batch.source, batch.source_alpha, batch.source_head)
        return target, source, network.render(source, target, batch.target_head)


@pytest.fixture(scope="module")
def vgg():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VGGFeatures()


def _at(weights, landmarks, points):
    """(B,) weights under the middle of some landmarks."""
    grid = landmarks[:, list(points), :2].mean(1)[:, None, None]
    return F.grid_sample(weights, grid, align_corners=False).flatten()


def test_lips_eyes_and_the_open_mouth_count_most(batch, rendered):
    weights = pixel_weights(batch, rendered[0])
    assert weights.shape == (4, 1, 128, 128)
    forehead = _at(weights, batch.landmarks, (10, 151))
    for points in (LIPS, LEFT_EYE, RIGHT_EYE):
        assert (_at(weights, batch.landmarks, points) > 1.5 * forehead).all()
    mouth = rendered[0].classes[:, 1:3].sum(1, keepdim=True) > 0
    assert weights[mouth].min() > 5


def test_the_backdrop_of_a_false_source_counts_less(batch, rendered):
    corner = pixel_weights(batch, rendered[0])[:, 0, 0, 0]
    false = batch.kind == PSEUDO
    torch.testing.assert_close(corner[false], torch.tensor([0.4]), atol=0.02, rtol=0)
    torch.testing.assert_close(corner[~false], torch.ones(3), atol=0.02, rtol=0)


def test_details_are_where_the_landmarks_are(batch):
    """Of coordinates; the left eye is mirrored, so u falls along its rows."""
    pictures = pixel_grid(256).permute(2, 0, 1)[None].expand(4, -1, -1, -1)
    details = detail_crops(pictures, batch.landmarks, batch.target_head.camera)
    assert details.mouth.shape == (4, 2, DETAIL_PX, DETAIL_PX)
    assert details.eyes.shape == (8, 2, DETAIL_PX, DETAIL_PX)
    assert details.face.shape == (4, 2, FACE_PX, FACE_PX)
    assert details.side.shape == (4, 2, SIDE_PX, SIDE_PX)
    assert detail_crops(pictures, batch.landmarks).face is None
    middles = [c.mean((2, 3)) for c in (details.mouth, *details.eyes.split(4))]
    for found, points in zip(middles, (LIPS, RIGHT_EYE, LEFT_EYE), strict=True):
        wanted = batch.landmarks[:, list(points), :2].mean(1)
        torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)
    right, left = details.eyes[:4, 0], details.eyes[4:, 0]
    assert (right.diff(dim=2) > 0).all()
    assert (left.diff(dim=2) < 0).all()


def test_feature_distance_is_zero_of_one_picture_and_grows(vgg):
    generator = torch.Generator().manual_seed(0)
    true = torch.rand(1, 3, 32, 32, generator=generator) * 2 - 1
    noise = torch.randn(1, 3, 32, 32, generator=generator)
    assert feature_distance(vgg, true, true) == 0
    distances = [feature_distance(vgg, true + s * noise, true) for s in (0.05, 0.1, 0.3)]
    assert 0 < distances[0] < distances[1] < distances[2]
    assert feature_distance(vgg, true + noise, true, blocks=2) < feature_distance(
        vgg, true + noise, true
    )


def test_feature_distance_pulls_the_made_picture_alone(vgg):
    made, true = (torch.rand(1, 3, 16, 16, requires_grad=True) for _ in range(2))
    feature_distance(vgg, made, true).backward()
    assert made.grad.abs().sum() > 0
    assert true.grad is None


def test_head_labels_follow_the_parts_of_synthetic_pairs(batch):
    labels = head_labels(batch, 1, RAYS)
    true = batch.kind == SYNTHETIC
    parts = F.adaptive_avg_pool2d((batch.head_label[true, 1] > 0.75).float(), RAYS)
    certain = parts > 0.99
    assert (labels.head[true][certain] > 0.99).all()
    assert (labels.sure[true][certain] == 1).all()
    shoulders = F.adaptive_avg_pool2d((batch.head_label[true, 1] == 0.5).float(), RAYS)[..., -4:, :]
    assert (labels.head[true][..., -4:, :][shoulders > 0.99] == 0).all()


def test_head_labels_of_photos_are_the_matte_above_the_neck(batch):
    for which, (alpha, head) in enumerate(
        ((batch.source_alpha, batch.source_head), (batch.target_alpha, batch.target_head))
    ):
        labels = head_labels(batch, which, RAYS)
        rows = torch.arange(RAYS)[:, None].expand(RAYS, RAYS)
        # where the neck's unsure band begins and ends in the picture, on the head's axis
        middle = torch.tensor([[0.0, 0.86, 0.0], [0.0, 1.0, 0.0]]).expand(4, -1, -1)
        v = (head.camera.project(middle)[..., 1] + 1) * RAYS / 2
        for k in (batch.kind != SYNTHETIC).nonzero().flatten().tolist():
            person = F.adaptive_avg_pool2d(alpha[k], RAYS)[0]
            assert torch.equal(labels.person[k, 0], person)
            above, below = rows < v[k, 0] - 4, rows > v[k, 1] + 4
            assert torch.equal(labels.head[k, 0][above], person[above])
            assert (labels.head[k, 0][below] == 0).all()
            assert (labels.sure[k, 0][above | below] == 1).all()
            assert (labels.sure[k, 0] == 0).any()


@pytest.mark.parametrize("wanted", [0.0, 0.3, 1.0])
def test_cross_entropy_is_least_at_the_wanted_probability(wanted):
    found = torch.linspace(0, 1, 101)
    values = cross_entropy(found, torch.full_like(found, wanted))
    assert values.isfinite().all()
    assert found[values.argmin()] == pytest.approx(wanted)
    assert values[50] == pytest.approx(math.log(2))


def test_total_variation_of_a_ramp():
    ramp = torch.arange(8.0).expand(1, 1, 6, 8)
    assert total_variation(0.5 * ramp) == pytest.approx(0.5)
    assert total_variation(torch.ones(1, 2, 5, 5)) == 0


def test_structure_losses_are_finite_and_none_is_idle(batch, rendered):
    target, source, frame = rendered
    values = structure_losses(batch, source, frame, target.landmarks[:, 4, 2], exemplary(batch))
    assert set(values) == NAMES
    assert all(v.ndim == 0 and v.isfinite() and v > 0 for v in values.values())


@pytest.mark.parametrize("off", [0.0, 0.1, -0.2, 3.0])
def test_depth_loss_is_how_far_the_surface_is_off(batch, rendered, off):
    """Far ones count as half a head unit, so that no outlier rules."""
    target, source, frame = rendered
    nose = target.landmarks[:, 4, 2]
    true = F.interpolate(batch.depth, size=(RAYS, RAYS), mode="nearest") + nose.view(-1, 1, 1, 1)
    volume = dataclasses.replace(frame.volume, depth=true + off)
    frame = dataclasses.replace(frame, volume=volume)
    found = structure_losses(batch, source, frame, nose, exemplary(batch))["depth"]
    assert found == pytest.approx(min(abs(off), 0.5), rel=0.02, abs=1e-6)


def test_the_true_matte_has_the_least_alpha_loss(batch, rendered):
    target, source, frame = rendered
    nose = target.landmarks[:, 4, 2]
    values = []
    for share in (0.0, 0.5, 1.0):
        head = head_labels(batch, 1, RAYS).head
        alpha = torch.lerp(1 - head, head, share)
        made = dataclasses.replace(frame, volume=dataclasses.replace(frame.volume, alpha=alpha))
        values.append(structure_losses(batch, source, made, nose, exemplary(batch))["alpha"])
    assert values[0] > values[1] > values[2]


def test_shoulders_are_no_example_where_the_view_turns_far(batch):
    camera = batch.source_head.camera
    angles = torch.tensor([[0.0, 0, 0], [0.2, 0, 0], [0.8, 0, 0], [0.8, 0, 0]])
    turned = Camera(rotation_from_euler(angles) @ camera.rotation, camera.translation)
    pairs = dataclasses.replace(
        batch,
        target_head=dataclasses.replace(batch.target_head, camera=turned),
        kind=torch.tensor([CLIP, CLIP, SYNTHETIC, PSEUDO]),
    )
    found = exemplary(pairs)
    high = turned.heights(found.shape[-1]) < 0.4
    assert (found[[0, 1, 3]] == 1).all()
    assert (found[2][high[2]] > 0.99).all()
    assert found[2].min() == 0


def test_frames_are_believed_where_they_have_an_example(batch, rendered):
    frame = rendered[2]
    example = torch.zeros_like(batch.target_alpha)
    example[..., :9] = 1
    found = believed(frame, batch, example)
    torch.testing.assert_close(found.image[..., :9], frame.image[..., :9])
    torch.testing.assert_close(found.image[..., 9:], batch.target[..., 9:])
    torch.testing.assert_close(found.alpha[..., 9:], batch.target_alpha[..., 9:])


@pytest.mark.parametrize("yaw", [-1.0, 1.0])
def test_a_side_is_that_of_the_nearer_ear(yaw):
    """Of coordinates: the right one as it is, the left one mirrored, before and behind alike."""
    camera = Camera(rotation_from_euler(torch.tensor([[yaw, 0, 0]])), torch.tensor([[0, 0, 9.0]]))
    pictures = pixel_grid(256).permute(2, 0, 1)[None]
    ears = camera.project(torch.tensor([[[0.45, -0.15, 0.3], [-0.45, -0.15, 0.3]]]))[0]
    nearer = int(ears[:, 2].argmin())
    found = side_crops(pictures, camera)
    torch.testing.assert_close(found.mean((2, 3))[0], ears[nearer, :2], atol=2e-3, rtol=0)
    rises = (found[0, 0, 0].diff() > 0).all()
    assert rises == (nearer == 1)


def test_sides_of_true_heads_that_turned_are_judged(batch):
    """A turn of half a radian, of a clip, a photo and synthetic people."""
    own = batch.source_head.camera
    turn = rotation_from_euler(torch.tensor([[0.5, 0, 0]]))
    turned = Camera(turn @ own.rotation, own.translation)
    target = dataclasses.replace(batch.target_head, camera=turned)
    there = dataclasses.replace(batch, target_head=target)
    assert turned_sides(there).equal(batch.kind != SYNTHETIC)
    assert not turned_sides(dataclasses.replace(batch, target_head=batch.source_head)).any()


def test_critics_learn_to_tell_stripes_apart():
    torch.manual_seed(0)
    critic = Discriminators().texture
    optimiser = torch.optim.Adam(critic.parameters(), 1e-3)
    true = torch.sin(torch.arange(48.0)).expand(2, 3, 48, 48)
    losses = []
    for _ in range(25):
        loss = critic_loss(critic(true)[0], critic(true.mT)[0])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(2, abs=0.3)
    assert losses[-1] < 0.7 * losses[0]


def test_a_critic_of_nothing_has_nothing_to_learn():
    critic = Discriminators().eyes
    nothing = torch.zeros(0, 8, 32, 32)
    loss = critic_loss(critic(nothing)[0], critic(nothing)[0])
    loss.backward()
    assert loss == 0
    assert all((p.grad == 0).all() for p in critic.parameters())


def test_a_double_exposure_is_discord(rendered):
    """A head mixed from its candidates half and half, from one of them, and from two alike."""
    frame = rendered[-1]
    given, made = frame.candidates, frame.composite
    halves, whole = torch.zeros_like(made.weights), torch.zeros_like(made.weights)
    halves[:, [0, 4]], whole[:, 4] = 0.5, 1.0
    mixed = dataclasses.replace(frame, composite=dataclasses.replace(made, weights=halves))
    single = dataclasses.replace(frame, composite=dataclasses.replace(made, weights=whole))
    agreed = dataclasses.replace(
        mixed, candidates=dataclasses.replace(given, look_up=made.generated)
    )
    apart = (given.look_up - made.generated).abs().mean()
    assert discord(mixed) == pytest.approx(float(apart) / 2, rel=1e-3)
    assert discord(single) == discord(agreed) == pytest.approx(0, abs=1e-5)
