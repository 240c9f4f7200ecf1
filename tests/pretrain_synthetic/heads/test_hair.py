"""Hair: colours, and texels that do not draw a dark outline."""

import numpy as np

from pretrain_synthetic.heads.hair import CURLY, Cut, recolour


def _cut(proxy: str, length: float = 1.0) -> Cut:
    return Cut("long", proxy, np.ones(3), np.array([-1.0, 1.0, 1.0]), length)


def test_recolouring_gives_the_mean_colour_and_fills_clear_texels():
    image = np.zeros((64, 64, 4), np.uint8)
    image[:32] = (90, 90, 90, 255)
    out = recolour(image, np.array([0.2, 0.1, 0.05]), 1.0)
    linear = (out[..., :3] / 255) ** 2.2
    np.testing.assert_allclose(linear[:32].mean((0, 1)), [0.2, 0.1, 0.05], atol=0.01)
    np.testing.assert_allclose(linear[32:].mean((0, 1)), [0.2, 0.1, 0.05], atol=0.01)
    np.testing.assert_array_equal(out[..., 3], image[..., 3])


def test_length_stretches_only_what_hangs_below_the_ears():
    points = np.array([[0.3, 0.5, -0.7], [0.3, -1.5, -0.7]])
    shaped = _cut("hair_long01", 2.0).shape(points)
    np.testing.assert_allclose(shaped, [[-0.3, 0.5, -0.7], [-0.3, -2.5, -0.7]])


def test_curls_have_more_layers_than_strands():
    assert len(_cut(CURLY).layers()) > len(_cut("hair_long01").layers()) > 0
