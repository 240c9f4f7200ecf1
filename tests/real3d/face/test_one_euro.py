import numpy as np
import pytest

from real3d.face.one_euro import one_euro


def test_constant_track_is_unchanged():
    track = np.full((20, 3), 0.4, np.float32)
    smooth = one_euro(track, 30)
    assert smooth.dtype == np.float32
    np.testing.assert_allclose(smooth, track, rtol=1e-6)


def test_without_speed_it_is_a_first_order_low_pass():
    step = np.concatenate([np.zeros((1, 1)), np.ones((40, 1))])
    smooth = one_euro(step, 30, cutoff_hz=2.0, speed_weight=0.0)
    share = 1 / (1 + 30 / (2 * np.pi * 2.0))
    np.testing.assert_allclose(smooth[:, 0], 1 - (1 - share) ** np.arange(41), atol=1e-12)


def test_jitter_shrinks_and_a_fast_move_stays_quick():
    rng = np.random.default_rng(0)
    still = rng.normal(0, 0.01, (200, 1))
    assert np.diff(one_euro(still, 30), 2, axis=0).std() < 0.4 * np.diff(still, 2, axis=0).std()
    blink = np.exp(-(((np.arange(60) - 30) / 3.0) ** 2))[:, None]
    quick = one_euro(blink, 30, speed_weight=4.0)
    assert quick.max() > 0.85
    assert abs(int(quick.argmax()) - 30) <= 2


def test_the_past_does_not_know_the_future():
    track = np.random.default_rng(1).normal(size=(30, 2))
    np.testing.assert_array_equal(one_euro(track, 25)[:10], one_euro(track[:10], 25))


@pytest.mark.parametrize("length", [0, 1])
def test_short_tracks_pass(length):
    assert one_euro(np.zeros((length, 52), np.float32), 25).shape == (length, 52)
