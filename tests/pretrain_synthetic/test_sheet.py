"""Landmarks are drawn where they are."""

import numpy as np

from pretrain_synthetic.sheet import draw_landmarks


def test_dots_are_at_the_landmarks():
    landmarks = np.full((478, 3), -0.5)
    landmarks[468:, :2] = 0.5
    image = draw_landmarks(np.zeros((64, 64, 3), np.uint8), landmarks)
    green, red = (np.argwhere(image[..., c] > 128).mean(0) for c in (1, 0))
    np.testing.assert_allclose(green, [15.5, 15.5], atol=0.6)
    np.testing.assert_allclose(red, [47.5, 47.5], atol=0.6)
