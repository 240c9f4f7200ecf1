"""Heads without an asset folder."""

import numpy as np
import pytest

from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.heads.procedural import TemplateAssets
from pretrain_synthetic.heads.shape import neutral_vertices, sample_identity
from pretrain_synthetic.landmarks import LandmarkPlaces


@pytest.fixture(scope="module")
def bare() -> TemplateAssets:
    return TemplateAssets()


def test_people_differ_by_millimetres_and_stay_symmetric_enough(bare):
    rng = np.random.default_rng(0)
    one, other = (neutral_vertices(bare, sample_identity(rng, bare)) for _ in range(2))
    apart = np.linalg.norm(one - other, axis=1)[: len(one) // 2]
    assert 0.01 < apart.mean() < 0.3


def test_landmarks_sit_on_the_face(bare):
    places = LandmarkPlaces.on(bare)
    points = places.points(bare, bare.body["mean"])
    assert points.shape == (478, 3)
    assert points[4, 2] == points[:468, 2].max()  # the nose tip
    assert points[468, 0] < 0 < points[473, 0]  # the right iris first


def test_every_texture_that_is_named_can_be_painted(bare):
    for prefix in ("skin_young", "eye_", "teeth", "tongue", "clothes", "body_masks"):
        name = bare.texture_names(prefix)[0]
        assert bare.texture(name).shape[2] == 4
        assert bare.texture(name).dtype == np.uint8


def test_a_bare_studio_draws_every_part(bare_studio):
    views = list(bare_studio.views(0, 2, wanted=(0, 4)))
    assert len(views) == 2
    seen = set(np.unique(np.concatenate([v.frame.parts.ravel() for v in views])).tolist())
    assert {PARTS.index(name) for name in ("background", "face", "body", "clothes")} <= seen
    for view in views:
        x, y = ((view.landmarks[4, :2] + 1) / 2 * len(view.frame.parts)).astype(int)
        assert view.frame.parts[y, x] == PARTS.index("face")
