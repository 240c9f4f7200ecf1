import dataclasses
import math

import numpy as np
import pytest
import torch

from real3d.camera import pixel_grid
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.networks.geometric_warp import geometric_warp
from real3d.rotation import euler_from_rotation
from real3d.training.batches import (
    CLIP,
    PLAIN,
    PSEUDO,
    SYNTHETIC,
    Batch,
    PairSampler,
    crops,
    joined_batches,
)

from .conftest import FRAMES, OPEN, PEOPLE, POSES, SHUT, TURNED

SHARES = {"clips": 0.5, "synthetic_000": 0.25, "portraits": 0.25}


@pytest.fixture
def sampler(banks, network):
    """Makes a sampler; each has a random state of its own."""

    def make(seed=0, generated_weight=1.0, mirrored=0.0, **shares):
        shares = shares or SHARES
        return PairSampler(banks, network.geometry, shares, generated_weight, seed, mirrored)

    return make


def _flat(batch: Batch) -> dict:
    heads = {
        f"{name}.{part}": value
        for name in ("source_head", "target_head")
        for part, value in (
            ("identity", getattr(batch, name).identity),
            ("coefficients", getattr(batch, name).coefficients),
            ("rotation", getattr(batch, name).camera.rotation),
            ("translation", getattr(batch, name).camera.translation),
        )
    }
    names = [f.name for f in dataclasses.fields(Batch) if not f.name.endswith("_head")]
    return heads | {name: getattr(batch, name) for name in names}


def _frames(banks, landmarks, name="clips"):
    """Which frames of a bank landmarks (B, 478, 3) are of."""
    away = (landmarks[:, None] - banks[name].landmarks).abs().amax((2, 3))
    assert away.amin(1).max() < 1e-6
    return away.argmin(1)


def test_a_bank_holds_what_was_painted(banks):
    bank = banks["synthetic_000"]
    count = PEOPLE * FRAMES
    assert bank.images.shape == (count, 3, 128, 128)
    assert bank.alphas.shape == bank.parts.shape == (count, 1, 192, 192)
    assert bank.depth.shape == (count, 1, 64, 64)
    assert bank.clips == [range(FRAMES * k, FRAMES * (k + 1)) for k in range(PEOPLE)]
    assert banks["clips"].kinds.tolist() == ["real", "real", "generated"]
    assert banks["clips"].parts is None
    assert len(banks["portraits"].clips) == PEOPLE


def test_a_bank_fits_its_faces(banks):
    """Two frames of each clip give an identity, and with it poses and expressions of all four."""
    fits = banks["clips"].fits
    assert fits.identity.shape == (2 * PEOPLE, 478, 3)
    assert fits.first.tolist() == [FRAMES * k for k in range(2 * PEOPLE + 1)]
    for row in range(2 * PEOPLE):
        head = fits.head([row] * FRAMES, range(FRAMES * row, FRAMES * (row + 1)))
        angles = euler_from_rotation(head.camera.rotation)
        torch.testing.assert_close(angles, torch.tensor(POSES), atol=0.03, rtol=0)
        assert head.coefficients[:, ARKIT_INDEX["jawOpen"]].argmax() == OPEN
        assert head.coefficients[:, ARKIT_INDEX["eyeBlinkLeft"]].argmax() == SHUT


def test_shapes_and_ranges_of_a_batch(sampler):
    batch = sampler().draw(8)
    for pictures in (batch.source, batch.target):
        assert pictures.shape == (8, 3, 128, 128)
        assert pictures.abs().max() <= 1
    for mattes in (batch.source_alpha, batch.target_alpha):
        assert mattes.shape == (8, 1, 128, 128)
        assert 0 <= mattes.min() < mattes.max() <= 1
    assert batch.landmarks.shape == (8, 478, 3)
    assert batch.depth.shape == (8, 1, 64, 64)
    assert batch.head_label.shape == (8, 2, 1, 192, 192)
    assert len(batch.source_head.camera) == len(batch.target_head.camera) == 8


def test_kinds_come_by_their_shares(sampler):
    kinds = sampler().draw(8).kind
    assert [int((kinds == k).sum()) for k in (CLIP, PSEUDO, SYNTHETIC, PLAIN)] == [4, 1, 2, 1]


def test_only_synthetic_pairs_have_labels(sampler):
    batch = sampler().draw(8)
    true = batch.kind == SYNTHETIC
    assert (batch.depth[~true] == 9).all()
    assert (batch.head_label[~true] == -1).all()
    assert (batch.depth[true] < 1).any()
    assert set(batch.head_label[true].unique().tolist()) == {0.0, 0.5, 1.0}


def test_one_seed_one_batch(sampler):
    """Whatever else draws random numbers meanwhile."""
    first, second = sampler(seed=5), sampler(seed=5)
    for _ in range(2):
        one = _flat(first.draw(6))
        torch.rand(3)
        np.random.default_rng().random(3)
        for name, value in _flat(second.draw(6)).items():
            assert torch.equal(value, one[name]), name
    other = _flat(sampler(seed=6).draw(6))
    assert not torch.equal(other["source"], _flat(sampler(seed=5).draw(6))["source"])


def test_pairs_stay_within_a_clip(sampler, banks):
    batch = sampler(clips=1.0).draw(40)
    target = _frames(banks, batch.landmarks)
    source = batch.source_head.coefficients[:, None] - banks["clips"].fits.coefficients
    row = source.abs().amax(2).argmin(1) // FRAMES
    assert torch.equal(torch.from_numpy(banks["clips"].fits.clip)[row], target // FRAMES)
    assert torch.equal(batch.source_head.identity, batch.target_head.identity)


def test_partners_show_one_person_alike(sampler, banks):
    """Photos have none; of couples both are seen in a mirror, or neither."""
    plain, batch = (sampler(mirrored=m, clips=0.5, portraits=0.5).draw(80) for m in (0.0, 0.5))
    partner, every = batch.partner, torch.arange(80)
    assert torch.equal(partner[partner], every)
    flipped = (batch.source == plain.source.flip(3)).flatten(1).all(1)
    assert torch.equal(flipped[partner], flipped)
    assert 20 < int(flipped.sum()) < 60
    coupled = partner != every
    assert int(coupled.sum()) == 10
    assert (batch.kind[coupled] == CLIP).all()
    clips = sampler(clips=1.0).draw(40)
    person = _frames(banks, clips.landmarks) // FRAMES
    assert torch.equal(person[clips.partner], person)
    corner = batch.source[coupled, :, 2:8, 2:8].mean((2, 3))
    again = batch.source[partner[coupled], :, 2:8, 2:8].mean((2, 3))
    torch.testing.assert_close(corner, again, atol=0.02, rtol=0)


def test_partners_stay_partners_in_a_longer_batch(sampler):
    one, other = (sampler(seed=seed, clips=1.0).draw(8) for seed in (0, 1))
    joined = joined_batches([one, other]).partner
    assert torch.equal(joined, torch.cat([one.partner, other.partner + 8]))


def test_targets_are_chosen_to_teach(sampler, banks):
    """Open mouths, shut eyes and other poses come more often than frames like the source."""
    batch = sampler(clips=1.0).draw(200)
    shown = torch.bincount(_frames(banks, batch.landmarks) % FRAMES, minlength=FRAMES)
    assert shown[[OPEN, SHUT, TURNED]].sum() > 170
    moved = (batch.target_head.coefficients - batch.source_head.coefficients).abs().sum(1)
    turned = (batch.target_head.camera.rotation - batch.source_head.camera.rotation).abs()
    assert (0.5 * moved + turned.sum((1, 2)) > 0.5).float().mean() > 0.85


def test_generated_clips_are_drawn_by_their_weight(sampler, banks):
    for weight, low, high in ((0.0, 0.0, 0.0), (1.0, 0.2, 0.47)):
        batch = sampler(generated_weight=weight, clips=1.0).draw(100)
        generated = (_frames(banks, batch.landmarks) >= 2 * FRAMES).float().mean()
        assert low <= generated <= high


def test_both_pictures_of_a_pair_have_the_same_colours(sampler):
    """The backdrop stays what it was between source and target, but differs between pairs."""
    batch = sampler(clips=1.0).draw(12)
    one, two = (p[:, :, 2:8, 2:8].mean((2, 3)) for p in (batch.source, batch.target))
    torch.testing.assert_close(one, two, atol=0.02, rtol=0)
    assert (one[:, None] - one).abs().sum(2).topk(2, largest=False).values[:, 1].median() > 0.02


def test_in_a_mirror_left_is_right(sampler, network):
    plain, turned = (sampler(mirrored=share).draw(12) for share in (0, 1))
    assert torch.equal(turned.source, plain.source.flip(3))
    assert torch.equal(turned.target_alpha, plain.target_alpha.flip(3))
    left, right = ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]
    assert torch.equal(
        turned.target_head.coefficients[:, left], plain.target_head.coefficients[:, right]
    )
    outer_corners = [33, 263]
    before, after = (b.landmarks[:, outer_corners] for b in (plain, turned))
    torch.testing.assert_close(after, before.flip(1) * torch.tensor([-1.0, 1, 1]))
    template = network.geometry.template
    for name in ("source_head", "target_head"):
        seen = []
        for batch in (plain, turned):
            head = getattr(batch, name)
            points = template.posed_landmarks(template.posed(head.identity, head.coefficients))
            seen.append(head.camera.project(points)[:, outer_corners])
        torch.testing.assert_close(
            seen[1], seen[0].flip(1) * torch.tensor([-1.0, 1, 1]), atol=0.01, rtol=0
        )


def test_a_photo_is_the_target_of_its_false_source(sampler, banks, network):
    batch = sampler(portraits=1.0).draw(20)
    assert (batch.kind[:8] == PLAIN).all()
    assert (batch.kind[8:] == PSEUDO).all()
    _frames(banks, batch.landmarks, "portraits")
    assert torch.equal(batch.source_head.identity, batch.target_head.identity)
    turn = batch.source_head.camera.rotation @ batch.target_head.camera.rotation.mT
    angles = euler_from_rotation(turn).abs()
    assert (angles[:8] < 1e-3).all()
    assert torch.equal(batch.source[:8], batch.target[:8])
    assert (angles[8:] <= torch.tensor([0.65, 0.25, 0.12]) + 1e-3).all()
    assert angles[8:, 0].max() > 0.15

    # Warped back, the source is the photo again, where its head had shown it.
    heads = batch.source_head, batch.target_head
    back, _ = geometric_warp(network.geometry, batch.source, *heads)
    seen = network.geometry.target(network.geometry.source(heads[0]), heads[1]).seen
    before, after = (
        ((picture - batch.target).abs() * seen)[8:].sum() / seen[8:].sum() / 3
        for picture in (batch.source, back)
    )
    assert after < 0.4 * before


def test_false_heads_keep_the_place_of_the_photos(sampler):
    batch = sampler(portraits=1.0).draw(6)
    source, target = batch.source_head.camera, batch.target_head.camera
    torch.testing.assert_close(source.offset, target.offset)
    assert (source.scale / target.scale - 1).abs().max() < 0.0601


@pytest.mark.parametrize("size", [16, 33])
def test_crops_are_squares_around_landmarks(size):
    """Of pictures that hold their own coordinates."""
    pictures = pixel_grid(64).permute(2, 0, 1)[None].expand(2, -1, -1, -1)
    landmarks = torch.zeros(2, 478, 3)
    landmarks[:, 7, :2] = torch.tensor([[0.2, -0.1], [-0.3, 0.4]])
    landmarks[:, 9, :2] = landmarks[:, 7, :2] + 0.1
    found = crops(pictures, landmarks, (7, 9), 0.25, size)
    assert found.shape == (2, 2, size, size)
    wanted = (landmarks[:, 7, :2] + 0.05)[:, None, None] + 0.25 * pixel_grid(size)
    torch.testing.assert_close(found.permute(0, 2, 3, 1), wanted, atol=1e-5, rtol=0)
    assert math.isclose(found[0, 0, 0, -1] - found[0, 0, 0, 0], 0.5 * (1 - 1 / size), rel_tol=1e-4)
