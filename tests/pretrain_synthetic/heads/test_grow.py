"""Grown hair: long as asked, rooted in the scalp, outside the head."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial import cKDTree

from pretrain_synthetic.heads.grow import Scalp, Style, grow
from pretrain_synthetic.heads.styles import SHARES, STYLES, sample_style

CENTRE = np.array([0, 0.35, -0.75])


@pytest.fixture(scope="module")
def scalp() -> Scalp:
    """A ball of one decimetre with hair on its upper half."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(6000, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    upper = normal[:, 1] > 0
    skin = CENTRE + normal
    return Scalp(skin[upper], normal[upper], cKDTree(skin), skin, normal)


@pytest.mark.parametrize("name", STYLES)
def test_every_style_grows_outside_the_head(scalp, name):
    style = dataclasses.replace(STYLES[name](np.random.default_rng(3)), cards=150)
    cards = grow(np.random.default_rng(4), style, scalp)
    assert cards.path.shape[1:] == (style.segments + 1, 3)
    assert cards.path.shape == cards.side.shape == cards.outward.shape
    assert all(np.isfinite(a).all() for a in (cards.path, cards.side, cards.outward))
    np.testing.assert_allclose(np.linalg.norm(cards.outward, axis=2), 1, atol=1e-6)
    away = np.linalg.norm(cards.path[:150] - CENTRE, axis=2)
    assert np.mean(away < 0.85) < 0.1  # curls may dip


def test_longer_styles_hang_lower_and_gravity_pulls(scalp):
    def lowest(length: float) -> float:
        style = Style("part", length, length, gravity=0.7, cards=200, segments=12)
        return np.percentile(grow(np.random.default_rng(0), style, scalp).path[..., 1], 2)

    assert lowest(3.0) < lowest(1.5) - 0.7


def test_a_receding_hairline_bares_the_forehead(scalp):
    style = Style("crown", 0.3, 0.3, cards=600, segments=4)
    bare = dataclasses.replace(style, receding=1.0)
    front = []
    for worn in (style, bare):
        _, y, z = grow(np.random.default_rng(0), worn, scalp).path[:, 0].T
        front.append(((z > -0.2) & (y > 0.6)).sum())
    assert front[1] < 0.5 * front[0]


def test_styles_are_drawn_by_share():
    assert SHARES.keys() == STYLES.keys()
    rng = np.random.default_rng(0)
    women = [sample_style(rng, True, 0.0, 0.7)[0] for _ in range(300)]
    men = [sample_style(rng, False, 0.0, 0.7)[0] for _ in range(300)]
    assert women.count("long") > 2 * men.count("long")
    assert men.count("crop") > 2 * women.count("crop")
