"""One-Euro filter: smooth when still, quick when moving (Casiez, Roussel and Vogel, CHI 2012)."""

import numpy as np


def one_euro(
    values: np.ndarray,
    rate_hz: float,
    cutoff_hz: float = 1.5,
    speed_weight: float = 0.5,
    speed_cutoff_hz: float = 1.0,
) -> np.ndarray:
    """Smoothed copy of a track.

    values: (T, C), one row every 1 / rate_hz seconds, columns filtered independently.
    cutoff_hz: cutoff frequency of a channel at rest; lower is smoother and later.
    speed_weight: how much the cutoff rises with speed (Hz for one unit a second); higher follows
        fast moves more closely. It depends on the unit of the values.
    speed_cutoff_hz: cutoff frequency of the speed estimate.

    Returns (T, C) of the same type. Causal: row t depends on rows 0 to t alone.
    """
    values = np.asarray(values)
    smooth = values.astype(np.float64)
    if len(smooth) < 2:
        return smooth.astype(values.dtype)
    raw, speed = values.astype(np.float64), np.zeros(smooth.shape[1:])
    speed_share = _share(speed_cutoff_hz, rate_hz)
    for t in range(1, len(raw)):
        speed += speed_share * ((raw[t] - raw[t - 1]) * rate_hz - speed)
        share = _share(cutoff_hz + speed_weight * np.abs(speed), rate_hz)
        smooth[t] = smooth[t - 1] + share * (raw[t] - smooth[t - 1])
    return smooth.astype(values.dtype)


def _share(cutoff_hz: np.ndarray | float, rate_hz: float) -> np.ndarray | float:
    """Weight of the newest sample in a first-order low-pass of that cutoff (eq. 5)."""
    return 1 / (1 + rate_hz / (2 * np.pi * cutoff_hz))
