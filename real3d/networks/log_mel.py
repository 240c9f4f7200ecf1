"""Log-mel features of speech: what the audio network hears.

A frame every 10 ms. Frame k is centred at (160 k + 80) samples of 16 kHz, under a Hann window of
25 ms; 257 bins of power go through 80 triangles that are evenly spaced in mel (O'Shaughnessy 1987:
2595 log10(1 + f / 700)).
"""

import torch
from torch import Tensor

RATE_HZ = 16_000
HOP, WINDOW, FFT = 160, 400, 512
BEFORE, AFTER = WINDOW // 2 - HOP // 2, WINDOW // 2 + HOP // 2
"""Samples that frame k needs before sample 160 k, and from it on."""
BINS, BANDS = FFT // 2 + 1, 80
LEVEL_DB = -20.0
"""Speech is brought to this level (see real3d.audio) before it is heard."""
FLOOR_DB = -75.0
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0


def power_frames(samples: Tensor) -> Tensor:
    """Power (*, T, 257) of samples (*, 160 T + 240), of which the first and last 120 are context.

    A full-scale sine has power 1/2.
    """
    if samples.shape[-1] < WINDOW:
        raise ValueError(f"samples must be at least {WINDOW}. Got {samples.shape[-1]}.")
    window = torch.hann_window(WINDOW, device=samples.device)
    spectrum = torch.fft.rfft(samples.unfold(-1, WINDOW, HOP) * window, FFT)
    return spectrum.abs().square() * (2 / window.sum() ** 2)


def mel_filters(warp: Tensor) -> Tensor:
    """(B, 257, 80) weights of bands whose frequencies are multiplied by warp (B,).

    A warp of 1.1 hears a voice as if its throat were 1.1 times as long.
    """
    edges_mel = torch.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), BANDS + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
    edges_hz = (edges_hz[None] * warp.cpu()[:, None]).clamp_max(RATE_HZ / 2)
    low, middle, high = edges_hz[:, :-2], edges_hz[:, 1:-1], edges_hz[:, 2:]
    bins_hz = torch.linspace(0, RATE_HZ / 2, BINS)[None, :, None]
    rising = (bins_hz - low[:, None]) / (middle - low).clamp_min(1.0)[:, None]
    falling = (high[:, None] - bins_hz) / (high - middle).clamp_min(1.0)[:, None]
    return torch.minimum(rising, falling).clamp_min(0).to(warp.device)


def _mel(frequency_hz: float) -> float:
    return float(2595 * torch.log10(torch.tensor(1 + frequency_hz / 700)))


def features(power: Tensor, filters: Tensor) -> Tensor:
    """(B, 80, T), roughly in [-1.75, 2], of power (B, T, 257) and filters (B or 1, 257, 80)."""
    bands = power @ filters
    level_db = 10 * torch.log10(bands + 10 ** (FLOOR_DB / 10))
    return ((level_db + 40) / 20).mT


def silence(batch: int, frames: int) -> Tensor:
    """(B, 80, T) features of nothing."""
    return torch.full((batch, BANDS, frames), (FLOOR_DB + 40) / 20)


def log_mel(samples: Tensor) -> Tensor:
    """(B, 80, T) features of samples (B, 160 T + 240): 120 before the first frame, 120 after.

    >>> log_mel(torch.zeros(1, 1840)).shape
    torch.Size([1, 80, 10])
    """
    filters = mel_filters(torch.ones(1)).to(samples.device)
    return features(power_frames(samples), filters)
