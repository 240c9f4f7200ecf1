import math

import pytest
import torch

from real3d.networks.log_mel import (
    BANDS,
    FLOOR_DB,
    features,
    log_mel,
    mel_filters,
    power_frames,
    silence,
)


def _tone(hz, count=1840):
    return torch.sin(2 * math.pi * hz * torch.arange(count) / 16000)[None]


def test_a_full_scale_sine_has_power_one_half():
    power = power_frames(_tone(1000))
    assert power.shape == (1, 10, 257)
    assert power.max() == pytest.approx(0.5, rel=1e-3)
    assert int(power[0, 0].argmax()) == 32  # 1000 Hz of 8000 in 256 bins


def test_a_hundred_frames_a_second():
    assert log_mel(torch.zeros(2, 16000 + 240)).shape == (2, BANDS, 100)


def test_silence_is_the_floor():
    found = log_mel(torch.zeros(1, 1840))
    torch.testing.assert_close(found, silence(1, 10), atol=1e-4, rtol=0)
    assert float(found[0, 0, 0]) == pytest.approx((FLOOR_DB + 40) / 20, abs=1e-4)


def test_higher_tones_are_in_higher_bands():
    bands = [int(log_mel(_tone(hz))[0, :, 5].argmax()) for hz in (200, 500, 1000, 2000, 4000)]
    assert bands == sorted(set(bands))


def test_a_warp_hears_a_longer_throat():
    power = power_frames(_tone(1000))
    plain, warped = (
        int(features(power, mel_filters(torch.tensor([w])))[0, :, 5].argmax()) for w in (1.0, 1.2)
    )
    assert warped < plain  # bands at 1.2 times the frequency: the tone lies lower among them


def test_too_few_samples():
    with pytest.raises(ValueError, match="at least 400"):
        power_frames(torch.zeros(1, 100))
