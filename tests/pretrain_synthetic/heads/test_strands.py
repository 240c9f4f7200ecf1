"""Locks and ribbons."""

import numpy as np

from pretrain_synthetic.heads.grow import Cards
from pretrain_synthetic.heads.scene import CARD
from pretrain_synthetic.heads.strands import card_meshes, lock_atlas

CHIN = np.array([0, -1.17, 0.16])


def test_an_atlas_has_gaps_between_strands_and_the_colour_asked_for():
    rgb = np.array([0.3, 0.15, 0.05])
    atlas = lock_atlas(np.random.default_rng(0), rgb, curl=0.0, grey=0.0)
    cover = atlas[..., 3] > 128
    assert cover[:200].mean() > cover[-60:].mean()
    assert 0.2 < cover.mean() < 0.95
    linear = (atlas[cover][:, :3] / 255) ** 2.2
    assert (np.diff(linear.mean(0)) < 0).all()
    grey = lock_atlas(np.random.default_rng(0), rgb, curl=0.0, grey=1.0)
    assert np.ptp(grey[cover][:, :3].mean(0)) < 30


def test_ribbons_run_from_root_to_tip_and_some_cast_shadows():
    path = np.linspace([0, 1, -0.7], [0, -3, -0.7], 5)[None].repeat(10, 0)
    side = np.tile([0.05, 0, 0], (10, 5, 1))
    cards = Cards(path, side, np.tile([0.0, 0, 1], (10, 5, 1)), np.linspace(0, 1, 10))
    casting, others = card_meshes(np.random.default_rng(0), cards, np.zeros((8, 8, 4), "u1"), CHIN)
    assert casting.strands == others.strands == CARD
    assert (casting.shadow, others.shadow) == (True, False)
    assert len(casting.triangle) + len(others.triangle) == 10 * 4 * 2
    assert max(casting.triangle.max(), others.triangle.max()) < len(casting.vertex) == 100
    root, tip = casting.vertex[0], casting.vertex[8]
    assert root[7:].tolist() == [1, 1]  # v; follows the head
    assert tip[7:].tolist() == [0, 0]  # stays on the chest
