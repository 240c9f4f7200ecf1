import numpy as np
import torch

from real3d.training.frame_bank import joined_banks


def test_joined_banks_hold_the_frames_of_both(banks):
    one, other = banks["clips"], banks["clips"]
    both = joined_banks(one, other)
    frames, rows = len(one.images), len(one.fits.source)
    assert len(both.images) == len(both.landmarks) == 2 * frames
    assert both.clips[len(one.clips)] == range(frames, frames + len(other.clips[0]))
    assert both.kinds.tolist() == one.kinds.tolist() * 2
    assert torch.equal(both.images[frames:], other.images)
    np.testing.assert_array_equal(both.fits.source[rows:], other.fits.source + frames)


def test_heads_of_a_joined_bank_are_those_of_its_parts(banks):
    one, other = banks["synthetic_000"], banks["synthetic_000"]
    both = joined_banks(one, other)
    row, last = len(one.fits.source), len(both.fits.source) - 1
    for mine, theirs in ((row, 0), (last, len(other.fits.source) - 1)):
        found = both.fits.head(np.array([mine]), both.fits.first[[mine]])
        wanted = other.fits.head(np.array([theirs]), other.fits.first[[theirs]])
        assert torch.equal(found.identity, wanted.identity)
        assert torch.equal(found.camera.translation, wanted.camera.translation)
        assert torch.equal(found.coefficients, wanted.coefficients)
    assert torch.equal(both.parts[len(one.images) :], other.parts)
    assert both.fits.first[-1] == len(both.fits.coefficients)
