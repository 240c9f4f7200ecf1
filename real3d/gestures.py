"""What a living head does beside speaking: it blinks, looks, nods, sways and breathes.

Each function edits a Motion and returns another. What the voice does decides when: nods and brows
fall on stressed syllables, a head settles in pauses (Kendon 1972; Hadar et al. 1983), lids like to
shut where a phrase ends, every two to six seconds. Random choices come from a generator.
"""

import math
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from real3d.errors import Real3DError
from real3d.face.blendshapes import arkit_indices
from real3d.motion import Motion

EYE_RANGE_DEG = 30.0
"""Eye rotation that an eyeLook coefficient of 1 stands for."""
NATURAL, NONE, STILL, CAMERA, WANDER = "natural", "none", "still", "camera", "wander"
_VOICED_BELOW_LOUD_DB, _PAUSE_DB = 22.0, 35.0
_STRESS_APART_S, _STRESS_DB = 0.6, 1.5
_PAUSE_S = 0.25
_BLINK_GAP_S = (2.0, 6.0)
_NOD_DEG, _NOD_S = 2.6, 0.13
_BROW = 0.22
_SWAY_DEG, _SWAY_HZ = (1.3, 0.9, 0.8), (0.11, 0.23, 0.41, 0.67)
_POSTURE_DEG = (4.0, 1.8, 1.6)
_BREATH_HZ, _BREATH_DEG, _BREATH_CM = 0.25, 0.35, 0.12
_LARGEST_GAZE_DEG = 30.0
_WANDER_DEG = (9.0, 5.0)
_RATE = re.compile(r"^(\d+(?:\.\d+)?)\s*/\s*min$")


@dataclass(frozen=True)
class Voice:
    """When somebody speaks, how eagerly, and where the stress is."""

    activity: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    """(T,) in [0, 1], a row a frame of the motion."""
    stresses: tuple[tuple[float, float], ...] = ()
    """(second, strength in [0, 1]) of stressed syllables."""
    phrases: tuple[tuple[float, float], ...] = ()
    """(start, end) seconds of what is said between pauses."""


def hear(level_db: np.ndarray, rate_hz: float, count: int, fps: float) -> Voice:
    """The voice in levels (N,) at rate_hz, for count frames of a motion."""
    if not len(level_db):
        return Voice(np.zeros(count, np.float32))
    loud_db = np.percentile(level_db[level_db > level_db.max() - _PAUSE_DB], 95)
    voiced = (level_db > loud_db - _VOICED_BELOW_LOUD_DB) & (level_db > -70)
    phrases = _phrases(voiced, rate_hz)
    activity = np.zeros(len(level_db), np.float32)
    for start_s, end_s in phrases:
        activity[round(start_s * rate_hz) : round(end_s * rate_hz)] = 1
    activity = gaussian_filter1d(activity, 0.3 * rate_hz)
    times_s = np.arange(len(level_db)) / rate_hz
    at_frames = np.interp(np.arange(count) / fps, times_s, activity).astype(np.float32)
    return Voice(at_frames, _stresses(level_db, voiced, rate_hz), phrases)


def _phrases(voiced: np.ndarray, rate_hz: float) -> tuple[tuple[float, float], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], voiced.astype(np.int8), [0]])))
    found: list[tuple[float, float]] = []
    for start, end in edges.reshape(-1, 2) / rate_hz:
        if found and start - found[-1][1] < _PAUSE_S:
            found[-1] = (found[-1][0], float(end))
        else:
            found.append((float(start), float(end)))
    return tuple(phrase for phrase in found if phrase[1] - phrase[0] > 0.06)


def _stresses(
    level_db: np.ndarray, voiced: np.ndarray, rate_hz: float
) -> tuple[tuple[float, float], ...]:
    """Peaks of the syllables' envelope that rise over their surroundings."""
    syllables = gaussian_filter1d(level_db, 0.04 * rate_hz)
    around = gaussian_filter1d(level_db, 0.8 * rate_hz)
    highest = maximum_filter1d(syllables, int(_STRESS_APART_S * rate_hz) | 1)
    peaks = np.flatnonzero((syllables >= highest) & voiced & (syllables > around + _STRESS_DB))
    found: list[tuple[float, float]] = []
    for peak in peaks:
        strength = float(np.clip((syllables[peak] - around[peak]) / 10, 0.2, 1))
        if not found or peak / rate_hz - found[-1][0] > _STRESS_APART_S / 2:
            found.append((float(peak / rate_hz), strength))
    return tuple(found)


def with_blinks(motion: Motion, how: str, voice: Voice, rng: np.random.Generator) -> Motion:
    """The motion with other blinks: natural, none, a rate `20/min`, or at seconds `1.2,3.5`.

    Raises Real3DError for anything else.
    """
    coefficients = motion.coefficients.copy()
    lids = arkit_indices("eyeBlink")
    moments = blink_moments(how, motion.duration_s, voice, rng)
    shut = blink_curve(_times(motion), moments)
    coefficients[:, lids] = shut[:, None]
    open_ = 1 - shut[:, None]
    for name in ("eyeWide", "eyeSquint"):  # shut lids are neither
        coefficients[:, arkit_indices(name)] *= open_
    return replace(motion, coefficients=coefficients)


def blink_moments(how: str, seconds: float, voice: Voice, rng: np.random.Generator) -> list[float]:
    """Seconds at which lids begin to shut; how is that of with_blinks."""
    if how == NONE:
        return []
    if how == NATURAL:
        return _natural_blinks(seconds, voice, rng)
    if rate := _RATE.match(how):
        per_minute = float(rate[1])
        if not 0 < per_minute <= 120:
            raise Real3DError(f"blink {how}: wanted more than 0 and at most 120 a minute.")
        gap_s = 60 / per_minute
        gaps = rng.uniform(0.7, 1.3, int(seconds / gap_s / 0.7) + 2) * gap_s
        return [float(t) for t in np.cumsum(gaps) - gap_s / 2 if t < seconds]
    try:
        moments = [float(part) for part in how.split(",")]
    except ValueError:
        moments = [math.nan]
    if not all(math.isfinite(t) and t >= 0 for t in moments):
        raise Real3DError(
            f"blink {how!r}: wanted {NATURAL}, {NONE}, a rate such as 20/min, or seconds such as "
            "1.2,3.5."
        )
    return moments


def _natural_blinks(seconds: float, voice: Voice, rng: np.random.Generator) -> list[float]:
    ends = np.array([end for _, end in voice.phrases])
    moments, time = [], float(rng.uniform(0.8, 2.5))
    while time < seconds:
        near = ends[np.abs(ends - time) < 0.7]
        if len(near) and (not moments or near[0] - moments[-1] >= _BLINK_GAP_S[0]):
            time = float(near[0]) + 0.03
        moments.append(time)
        low, high = _BLINK_GAP_S
        time += low + (high - low) * float(rng.beta(1.6, 2.4))
    return moments


def with_gaze(motion: Motion, how: str, voice: Voice, rng: np.random.Generator) -> Motion:
    """The motion looking at the camera, wandering, or to degrees `YAW,PITCH` (right, up).

    Eyes turn against the head, so that they keep to what they look at.
    Raises Real3DError for anything else.
    """
    times_s = _times(motion)
    if how == WANDER:
        target = _wandering(times_s, voice, rng)
    else:
        target = np.tile(_angles(how), (len(times_s), 1))
        target += _drift(times_s, rng)
    turned = np.degrees(motion.rotation[:, :2] - motion.rotation[:1, :2])
    gaze = np.clip(target - turned, -_LARGEST_GAZE_DEG, _LARGEST_GAZE_DEG)
    coefficients = motion.coefficients.copy()
    coefficients[:, arkit_indices("eyeLookIn") + arkit_indices("eyeLookOut")] = 0
    coefficients[:, arkit_indices("eyeLookUp") + arkit_indices("eyeLookDown")] = 0
    look(coefficients, gaze)
    return replace(motion, coefficients=coefficients.clip(0, 1))


def _angles(how: str) -> np.ndarray:
    if how == CAMERA:
        return np.zeros(2)
    try:
        yaw, pitch = (float(part) for part in how.split(","))
    except ValueError:
        yaw = pitch = math.nan
    if not max(abs(yaw), abs(pitch)) <= _LARGEST_GAZE_DEG:
        raise Real3DError(
            f"gaze {how!r}: wanted {CAMERA}, {WANDER}, or degrees to the right and up, such as "
            f"10,-5, of at most {_LARGEST_GAZE_DEG:g}."
        )
    return np.array([yaw, pitch])


def _drift(times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(T, 2) degrees of the small jumps that eyes make while they look at one thing."""
    return _jumps(times_s, rng, (0.5, 1.6), np.array([0.8, 0.5]), 0.5)


def _wandering(times_s: np.ndarray, voice: Voice, rng: np.random.Generator) -> np.ndarray:
    return _jumps(times_s, rng, (0.7, 2.6), np.array(_WANDER_DEG), 0.45) + _drift(times_s, rng)


def _jumps(
    times_s: np.ndarray,
    rng: np.random.Generator,
    gap_s: tuple[float, float],
    size_deg: np.ndarray,
    home_share: float,
) -> np.ndarray:
    """(T, 2) degrees: jumps to random places, and every so often home."""
    gaze, place, time = np.zeros((len(times_s), 2)), np.zeros(2), float(rng.uniform(*gap_s))
    while len(times_s) and time < times_s[-1]:
        home = rng.random() < home_share
        to = np.zeros(2) if home else rng.uniform(-1, 1, 2) * size_deg
        first = np.searchsorted(times_s, time)
        gaze[first:] += (to - place) * ramp(times_s[first:], time, time + 0.06)[:, None]
        place, time = to, time + float(rng.uniform(*gap_s))
    return gaze


def with_head_motion(
    motion: Motion, how: str | float | Motion, voice: Voice, rng: np.random.Generator
) -> Motion:
    """The motion with another pose of the head: natural, still, so many times as much, or that of
    another motion, which is held at its end.

    Raises Real3DError for anything else.
    """
    if isinstance(how, Motion):
        other = how.resample(motion.fps)
        rows = np.minimum(np.arange(len(motion)), len(other) - 1)
        return replace(motion, rotation=other.rotation[rows], translation=other.translation[rows])
    gain = {NATURAL: 1.0, STILL: 0.0}.get(how) if isinstance(how, str) else float(how)
    if gain is None or not 0 <= gain <= 3:
        raise Real3DError(
            f"head motion {how!r}: wanted {NATURAL}, {STILL}, a number from 0 to 3, or a motion."
        )
    rotation_deg, translation_cm = _head(_times(motion), voice, rng)
    coefficients = motion.coefficients.copy()
    stress = weighted_bumps(_times(motion), _sometimes(voice.stresses, rng, 0.55), 0.15)
    coefficients[:, arkit_indices("browInnerUp")] += gain * _BROW * stress[:, None]
    coefficients[:, arkit_indices("browOuterUp")] += gain * 0.6 * _BROW * stress[:, None]
    return replace(
        motion,
        coefficients=coefficients.clip(0, 1),
        rotation=np.radians(gain * rotation_deg),
        translation=gain * translation_cm,
    )


def _head(
    times_s: np.ndarray, voice: Voice, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3) degrees and (T, 3) centimetres, from rest at the start."""
    activity = voice.activity if len(voice.activity) == len(times_s) else np.zeros(len(times_s))
    liveliness = (0.3 + 0.7 * activity)[:, None]
    sway = np.zeros((len(times_s), 3))
    for rate_hz in _SWAY_HZ:
        phase = rng.uniform(0, 2 * np.pi, 3)
        rate = rate_hz * rng.uniform(0.85, 1.15, 3)
        sway += np.sin(2 * np.pi * rate * times_s[:, None] + phase) * (0.5 + 0.08 / rate_hz) / 2
    pose = sway * _SWAY_DEG * liveliness + _postures(times_s, voice, rng)
    nods = _sometimes(voice.stresses, rng, 0.85)
    pose[:, 1] -= _NOD_DEG * weighted_bumps(times_s, nods, _NOD_S)  # a nod goes down
    breath = np.sin(2 * np.pi * _BREATH_HZ * times_s + rng.uniform(0, 2 * np.pi))
    pose[:, 1] += _BREATH_DEG * breath
    translation = pose * (0.05, 0.03, 0.02)  # a turning head shifts a little
    translation[:, 1] -= _BREATH_CM * breath
    start = ramp(times_s, -1e-3, 0.8)[:, None]
    return pose * start, translation * start


def _sometimes(
    stresses: tuple[tuple[float, float], ...], rng: np.random.Generator, share: float
) -> tuple[tuple[float, float], ...]:
    """A share of the stresses, some weaker than others: nobody nods at all of them alike."""
    kept, sizes = rng.random(len(stresses)), rng.uniform(0.4, 1.1, len(stresses))
    return tuple(
        (time, min(1.0, height * size))
        for (time, height), keep, size in zip(stresses, kept, sizes, strict=True)
        if keep < share
    )


def _postures(times_s: np.ndarray, voice: Voice, rng: np.random.Generator) -> np.ndarray:
    """(T, 3) degrees: with a phrase the head goes to a new place, in a long pause back."""
    pose, place = np.zeros((len(times_s), 3)), np.zeros(3)
    moments: list[tuple[float, bool]] = []
    for start_s, end_s in voice.phrases:
        moments.append((start_s, False))
        extra = int((end_s - start_s) / 2.5)
        moments += [(start_s + (k + 1) * 2.5 + rng.uniform(-0.5, 0.5), False) for k in range(extra)]
    for (_, end_s), (start_s, _) in pairwise(voice.phrases):
        if start_s - end_s > 0.8:
            moments.append((end_s + 0.1, True))
    if voice.phrases:
        moments.append((voice.phrases[-1][1] + 0.1, True))
    for time, home in sorted(moments):
        to = 0.2 * place if home else rng.standard_normal(3).clip(-1.5, 1.5) * _POSTURE_DEG * 0.6
        first = np.searchsorted(times_s, time)
        long_s = 0.5 + 0.08 * np.abs(to - place).max()
        pose[first:] += (to - place) * ramp(times_s[first:], time, time + long_s)[:, None]
        place = to
    return pose


def look(coefficients: np.ndarray, gaze_deg: np.ndarray) -> None:
    """Add gaze (T, 2), yaw to the image's right and pitch upwards, to the eight eyeLook shapes."""
    right, up = gaze_deg.T / EYE_RANGE_DEG
    shares = {
        "eyeLookOutLeft": right,  # the image's right is the person's left
        "eyeLookInRight": right,
        "eyeLookInLeft": -right,
        "eyeLookOutRight": -right,
        "eyeLookUp": up,
        "eyeLookDown": -up,
    }
    for name, share in shares.items():
        coefficients[:, arkit_indices(name)] += np.maximum(share, 0)[:, None]


def blink_curve(times_s: np.ndarray, moments: list[float]) -> np.ndarray:
    """(T,) in [0, 1]: lids close in 90 ms, stay 40 ms and open in 170 ms."""
    lids = np.zeros(len(times_s))
    for moment in moments:
        near = slice(*np.searchsorted(times_s, (moment, moment + 0.30)))
        shut = ramp(times_s[near], moment, moment + 0.09)
        shut -= ramp(times_s[near], moment + 0.13, moment + 0.30)
        lids[near] = np.maximum(lids[near], shut)
    return lids


def weighted_bumps(
    times_s: np.ndarray, moments: tuple[tuple[float, float], ...], width_s: float
) -> np.ndarray:
    """(T,) in [0, 1]: a soft bump of a height at each (second, height)."""
    bumps = np.zeros(len(times_s))
    for moment, height in moments:
        near = slice(*np.searchsorted(times_s, (moment - 4 * width_s, moment + 4 * width_s)))
        bump = height * np.exp(-(((times_s[near] - moment) / width_s) ** 2))
        bumps[near] = np.maximum(bumps[near], bump)
    return bumps


def ramp(times_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """(T,) from 0 to 1 between two times with zero acceleration at both ends (minimum jerk)."""
    x = np.clip((times_s - start_s) / (end_s - start_s), 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)


def _times(motion: Motion) -> np.ndarray:
    return np.arange(len(motion)) / motion.fps
