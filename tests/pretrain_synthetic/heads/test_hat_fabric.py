"""Textures of hats."""

import numpy as np
import pytest

from pretrain_synthetic.heads.hat_fabric import plain_texture, sample_crown_texture


@pytest.mark.parametrize("kind", ["woolly", "cap", "brimmed"])
def test_crowns_differ_are_opaque_and_close_behind(kind):
    seen = [sample_crown_texture(np.random.default_rng(seed), kind) for seed in range(6)]
    assert {texture.shape for texture in seen} == {(256, 1024, 4)}
    assert all((texture[..., 3] == 255).all() for texture in seen)
    assert np.ptp([texture[..., :3].mean() for texture in seen]) > 20
    again = sample_crown_texture(np.random.default_rng(0), kind)
    np.testing.assert_array_equal(again, seen[0])
    for texture in seen:
        ends = texture[:, [0, -1], :3].astype(float)
        assert np.abs(ends[:, 0] - ends[:, 1]).mean() < 12


def test_a_plain_cloth_has_its_colour():
    rgb = np.array([200, 60, 30], np.uint8)
    texture = plain_texture(np.random.default_rng(0), rgb)
    np.testing.assert_allclose(texture[..., :3].mean((0, 1)), rgb, atol=4)
