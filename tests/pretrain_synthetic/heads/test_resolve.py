"""From samples to pixels: composition, labels, depth."""

import numpy as np

from pretrain_synthetic.heads.resolve import Buffers, resolve, tone


def _buffers(n: int) -> Buffers:
    """Cloth on the left half, nothing on the right."""
    code = np.zeros((n, n), np.uint8)
    code[:, : n // 2] = 6 + 16 * 4
    white, none = np.ones((n, n, 3), np.float32), np.zeros((n, n, 3), np.float32)
    depth = np.full((n, n), 12.0, np.float32)
    return Buffers(white * 0.25, code, white, none, depth)


def test_person_over_backdrop_with_labels():
    frame = resolve(_buffers(16), np.full((8, 8, 3), 0.5, np.float32))
    np.testing.assert_array_equal(frame.alpha[0], [1, 1, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(frame.parts[3], [4, 4, 4, 4, 0, 0, 0, 0])
    np.testing.assert_array_equal(frame.depth[5], [12, 12, 12, 12, 0, 0, 0, 0])
    expected = tone(np.array([0.25, 0.5]))
    np.testing.assert_array_equal(frame.rgb[0, [0, 7], 0], expected)


def test_depth_is_averaged_on_a_surface_and_picked_at_an_edge():
    b = _buffers(4)
    b.depth[0, :2], b.depth[1, :2] = (12.0, 12.0), (12.04, 12.04)
    b.depth[2, :2], b.depth[3, :2] = (12.0, 12.0), (15.0, 15.0)
    depth = resolve(b, np.zeros((2, 2, 3), np.float32)).depth
    np.testing.assert_allclose(depth[:, 0], [12.02, 15.0], atol=1e-4)


def test_light_spreads_under_skin_only():
    n = 130
    code = np.full((n, n), 1 + 16 * 2, np.uint8)
    light = np.zeros((n, n, 3), np.float32)
    light[:, : n // 2] = 0.5
    albedo, none = np.ones((n, n, 3), np.float32), np.zeros((n, n, 3), np.float32)
    depth = np.ones((n, n), np.float32)
    backdrop = np.zeros((n, n, 3), np.float32)
    skin = resolve(Buffers(albedo, code, light, none, depth), backdrop).rgb
    cloth = resolve(Buffers(albedo, code - 1 + 6, light, none, depth), backdrop).rgb
    assert cloth[60, n // 2 + 1].max() == 0
    red, _, blue = skin[60, n // 2 + 1]
    assert red > 30 > blue


def test_tone_is_monotonous_and_ends_at_white():
    codes = tone(np.linspace(0, 30, 400))
    assert (np.diff(codes.astype(int)) >= 0).all()
    assert codes[0] == 0
    assert codes[-1] == 255
