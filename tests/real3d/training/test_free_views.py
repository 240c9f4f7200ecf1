import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from real3d.face.rasteriser import Rasteriser
from real3d.rotation import euler_from_rotation
from real3d.tensors import map_tensors
from real3d.training.batches import CLIP, PLAIN, PSEUDO, SYNTHETIC, PairSampler
from real3d.training.free_views import (
    draw_free_views,
    identity_losses,
    turned_back,
)
from real3d.training.losses import emptiness_loss, unsteadiness
from real3d.training.perceptual import SFace

COUNT, LATER = 5, 2
"""Views, and how many of them are others a moment later."""


@pytest.fixture(scope="module")
def batch(banks, network):
    """Pairs of all kinds."""
    shares = {"clips": 0.25, "portraits": 0.5, "synthetic_000": 0.25}
    batch = PairSampler(banks, network.geometry, shares, 1.0, 3).draw(10)
    assert set(batch.kind.tolist()) == {CLIP, PSEUDO, SYNTHETIC, PLAIN}
    return batch


@pytest.fixture(scope="module")
def views(batch, network):
    return draw_free_views(batch, COUNT, network.geometry, np.random.default_rng(0))


@pytest.fixture(scope="module")
def rendered(batch, views, network):
    """Encoding of the batch, and geometry and frame of its free views."""
    geometry = network.geometry
    target = geometry.target(geometry.source(batch.source_head)[views.rows], views.head)
    with torch.no_grad():
        source = network.encode(batch.source, batch.source_alpha, batch.source_head)
        own = map_tensors(lambda tensor: tensor[views.rows], source)
        return source, target, network.render(own, target, views.head)


def test_views_are_of_true_sources_photos_first(batch, views):
    kinds = batch.kind[views.rows[: COUNT - LATER]].tolist()
    assert kinds == sorted(kinds, reverse=True)
    assert set(kinds) == {PLAIN, CLIP}
    assert views.rows[-LATER:].tolist() == views.rows[:LATER].tolist()
    assert len(views.rows) == COUNT
    assert len(set(views.rows.tolist())) == COUNT - LATER
    yaw, pitch, roll = euler_from_rotation(views.head.camera.rotation).abs().unbind(1)
    first = slice(COUNT - LATER)
    assert ((yaw < 1.26) & (pitch < 0.26) & (roll < 1e-3))[first].all()
    assert (yaw[LATER : COUNT - LATER] > 0.34).all()
    assert (yaw[:LATER] > 0.04).all()
    turns = euler_from_rotation(views.head.camera.rotation)
    assert 0 < (turns[-LATER:] - turns[:LATER]).abs().max() < 0.051
    assert ((yaw < 0.78) <= (views.recognisable > 0.99)).all()
    assert ((yaw > 1.2) <= (views.recognisable < 0.01)).all()


def test_a_moment_later_the_face_is_another_and_nothing_else(banks, network):
    shares = {"clips": 0.5, "portraits": 0.5}
    batch = PairSampler(banks, network.geometry, shares, 1.0, 3).draw(16)
    faces = torch.rand(16, 52, generator=torch.Generator().manual_seed(0))
    head = dataclasses.replace(batch.source_head, coefficients=faces)
    batch = dataclasses.replace(batch, source_head=head)
    views = draw_free_views(batch, 10, network.geometry, np.random.default_rng(0))
    later = round(0.43 * len(views.rows))
    first, last = views.head[:later], views.head[len(views.rows) - later :]
    assert later > 1
    assert torch.equal(first.identity, last.identity)
    assert torch.equal(first.coefficients, faces[views.rows[:later]])
    assert ((first.coefficients - last.coefficients).abs().amax(1) > 0.01).all()


def test_synthetic_people_have_no_free_views(banks, network):
    batch = PairSampler(banks, network.geometry, {"synthetic_000": 1.0}, 1.0, 3).draw(2)
    views = draw_free_views(batch, COUNT, network.geometry, np.random.default_rng(0))
    assert not len(views.rows)
    assert unsteadiness(batch.source[:0], views.moment) == 0


def test_turned_photos_become_sources_of_the_photos(batch, views, rendered):
    pairs = turned_back(batch, views, rendered[2])
    photos = batch.kind[views.rows] == PLAIN
    assert torch.equal(pairs.target, batch.target[views.rows[photos]])
    assert torch.equal(pairs.source, rendered[2].image[photos])
    assert torch.equal(pairs.source_head.camera.rotation, views.head.camera.rotation[photos])
    assert (pairs.kind == PSEUDO).all()


def test_what_turns_with_the_face_is_steady(batch, views, network):
    """The template's own paint, in both moments, against paint that stays where it was."""
    geometry, template = network.geometry, network.geometry.template
    paint = 0.5 + 0.4 * torch.sin(8 * template.vertices)
    heads = views.head[torch.tensor([*range(LATER), *range(COUNT - LATER, COUNT)])]
    seen = heads.camera.project(template.posed(heads.identity, heads.coefficients))
    raster = Rasteriser(template).draw(seen, geometry.image_px)
    painted = raster.interpolate(paint.expand(2 * LATER, -1, -1))
    still = painted[:LATER].repeat(2, 1, 1, 1)
    assert unsteadiness(painted, views.moment) < 0.3 * unsteadiness(still, views.moment)


class _Colours:
    """Tells people apart by the colours of the picture's parts."""

    @staticmethod
    def embed(pictures, landmarks):
        return F.adaptive_avg_pool2d(pictures, 4).flatten(1) - 0.5


def test_the_true_picture_shows_the_person(batch, views, network):
    turned = batch.source[views.rows]
    given = (_Colours(), network.geometry, batch)
    true = identity_losses(*given, batch.target, views, turned)
    other_pairs = identity_losses(*given, batch.target.flip(0), views, turned)
    other_views = identity_losses(*given, batch.target, views, turned.flip(0))
    assert true == pytest.approx((0, 0), abs=1e-5)
    assert other_pairs[0] > 1e-3
    assert other_pairs[1] == true[1]
    assert other_views[0] == true[0]
    assert other_views[1] > 1e-3


def test_the_embedding_takes_pictures_and_landmarks(batch, views, network):
    torch.manual_seed(0)
    turned = batch.source[views.rows]
    losses = identity_losses(SFace(), network.geometry, batch, batch.target, views, turned)
    assert losses == pytest.approx((0, 0), abs=1e-5)


def test_what_is_far_from_the_head_counts_as_far(network, rendered):
    """The emptiness of a space that the planes fill everywhere, and of one that they leave."""
    planes = rendered[0].planes
    decoder = network.volume.decoder[-1]
    kept = decoder.bias.detach().clone()
    found = []
    for bias in (-20.0, 20.0):
        with torch.no_grad():
            decoder.bias[0] = bias
            found.append(float(emptiness_loss(network, planes)))
            decoder.bias.copy_(kept)
    assert found[0] < 1e-4
    assert found[1] > 0.3
