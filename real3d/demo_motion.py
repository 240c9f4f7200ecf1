"""A few seconds of a speaking, looking, smiling head, composed by rules: the demo's driver.

Speech is a chain of syllables (a consonant, a vowel), each a pose of lips and jaw; poses flow into
each other by monotone cubics, so that neighbours colour each other as they do in real speech. Eyes
lead the head by a tenth of a second, blinks fall on large gaze shifts and every few seconds, nods
and brows on stressed syllables (Kendon 1972).
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from real3d.face.blendshapes import ARKIT_NAMES, arkit_indices
from real3d.gestures import blink_curve, look, ramp, weighted_bumps
from real3d.motion import Motion

_Pose = dict[str, float]

_VOWELS: tuple[_Pose, ...] = (
    {"jawOpen": 0.42, "mouthLowerDown": 0.16, "mouthUpperUp": 0.06},  # father
    {"jawOpen": 0.24, "mouthStretch": 0.14, "mouthLowerDown": 0.20, "mouthUpperUp": 0.08},  # bed
    {"jawOpen": 0.12, "mouthStretch": 0.24, "mouthSmile": 0.10, "mouthLowerDown": 0.14},  # see
    {"jawOpen": 0.28, "mouthFunnel": 0.34, "mouthPucker": 0.12},  # go
    {"jawOpen": 0.14, "mouthFunnel": 0.20, "mouthPucker": 0.44},  # you
)
_CONSONANTS: tuple[_Pose, ...] = (
    {"jawOpen": 0.02, "mouthPress": 0.22, "mouthRollLower": 0.14, "mouthRollUpper": 0.10},  # m b p
    {"jawOpen": 0.05, "mouthRollLower": 0.28, "mouthUpperUp": 0.14},  # f v
    {"jawOpen": 0.09, "mouthLowerDown": 0.12, "mouthStretch": 0.08},  # s t d
    {"jawOpen": 0.13, "mouthLowerDown": 0.10},  # l n
)
_REST: _Pose = {}
_SMILE: _Pose = {"mouthSmile": 0.5, "cheekSquint": 0.35, "eyeSquint": 0.25, "mouthDimple": 0.12}
_EYES_LEAD_S = 0.1


def demo_motion(seconds: float = 4.0, fps: float = 25.0, seed: int = 0) -> Motion:
    """Speech, glances, turns and a smile at the end; frame 0 is neutral and looks ahead.

    Meant to be applied relative to the photo's own expression. Same seed, same motion.
    """
    rng = np.random.default_rng(seed)
    times_s = np.arange(max(1, round(seconds * fps))) / fps
    syllables = _syllables(rng, 0.35, 0.78 * seconds)
    stresses = tuple((time, 1.0) for time, _, stressed in syllables if stressed)
    glances = _glances(rng, seconds)

    coefficients = _speech(times_s, syllables)
    _add(coefficients, _SMILE, ramp(times_s, 0.74 * seconds, 0.9 * seconds))
    brows = 0.3 * weighted_bumps(times_s, stresses, 0.16)
    _add(coefficients, {"browInnerUp": 0.7, "browOuterUp": 0.5}, brows)
    gaze_deg = _gaze(times_s, glances)
    look(coefficients, gaze_deg)
    _add(coefficients, {"eyeBlink": 1.0}, blink_curve(times_s, _blink_times(rng, glances, seconds)))

    rotation_deg = _head(times_s, rng, glances)
    rotation_deg[:, 1] -= 2.5 * weighted_bumps(times_s, stresses, 0.14)  # a nod goes down
    translation_cm = rotation_deg * (0.05, 0.03, 0.02)  # a turning head shifts a little
    return Motion(
        np.clip(coefficients, 0, 1),
        np.radians(rotation_deg - rotation_deg[0]),
        translation_cm - translation_cm[0],
        fps,
    )


def _syllables(
    rng: np.random.Generator, start_s: float, end_s: float
) -> list[tuple[float, _Pose, bool]]:
    """(time, pose, stressed) of consonants and vowels, in phrases with short pauses."""
    chain: list[tuple[float, _Pose, bool]] = []
    time, left, vowel = start_s, int(rng.integers(5, 8)), -1
    while time < end_s:
        vowel = (vowel + 1 + int(rng.integers(len(_VOWELS) - 1))) % len(_VOWELS)  # never twice
        stressed = bool(rng.random() < 0.35)
        loudness = rng.uniform(0.95, 1.2) if stressed else rng.uniform(0.6, 0.9)
        length = rng.uniform(0.19, 0.25) * (1.15 if stressed else 1.0)
        consonant = _CONSONANTS[rng.integers(len(_CONSONANTS))]
        pose = {name: value * loudness for name, value in _VOWELS[vowel].items()}
        chain += [(time, consonant, False), (time + 0.5 * length, pose, stressed)]
        time, left = time + length, left - 1
        if left == 0:
            chain += [(time + 0.06, _REST, False), (time + 0.3, _REST, False)]
            time, left = time + 0.42, int(rng.integers(4, 7))
    return chain


def _speech(times_s: np.ndarray, syllables: list[tuple[float, _Pose, bool]]) -> np.ndarray:
    """(T, 52) of the poses, at rest before the first and after the last."""
    if not syllables:
        return np.zeros((len(times_s), len(ARKIT_NAMES)))
    moments = [0.0, syllables[0][0] - 0.12, *(time for time, _, _ in syllables)]
    moments += [moments[-1] + 0.18, max(times_s[-1], moments[-1]) + 1]
    rows = np.zeros((len(moments), len(ARKIT_NAMES)))
    for row, (_, pose, _) in zip(rows[2:], syllables, strict=False):
        for name, value in pose.items():
            row[arkit_indices(name)] = value
    return PchipInterpolator(moments, rows)(times_s)


def _glances(rng: np.random.Generator, seconds: float) -> list[tuple[float, float, float]]:
    """(time, yaw, pitch) in degrees of where attention goes; ends looking ahead."""
    side = 1 if rng.random() < 0.5 else -1
    shares = (0.12, 0.40, 0.70)
    targets = ((17.0 * side, 2.0), (-19.0 * side, -3.0), (0.0, 1.0))
    return [
        (seconds * share + rng.uniform(-0.08, 0.08), yaw + rng.uniform(-2, 2), pitch)
        for share, (yaw, pitch) in zip(shares, targets, strict=True)
    ]


def _head(
    times_s: np.ndarray, rng: np.random.Generator, glances: list[tuple[float, float, float]]
) -> np.ndarray:
    """(T, 3) degrees: turns towards each glance, with the slow sway of a living neck."""
    pose = np.zeros((len(times_s), 3))
    yaw = pitch = 0.0
    for time, to_yaw, to_pitch in glances:
        start = time + _EYES_LEAD_S
        turned = ramp(times_s, start, start + 0.45 + abs(to_yaw - yaw) / 90)
        pose[:, 0] += (to_yaw - yaw) * turned
        pose[:, 1] += (to_pitch - pitch) * turned
        pose[:, 2] += 0.16 * (to_yaw - yaw) * turned  # a turning head tilts a little
        yaw, pitch = to_yaw, to_pitch
    for axis, size_deg in enumerate((1.2, 0.9, 0.8)):
        for rate_hz in (0.23, 0.61):
            phase = rng.uniform(0, 2 * np.pi)
            pose[:, axis] += 0.6 * size_deg * np.sin(2 * np.pi * rate_hz * times_s + phase)
    return pose


def _gaze(times_s: np.ndarray, glances: list[tuple[float, float, float]]) -> np.ndarray:
    """(T, 2) degrees of the eyes in the head: they jump ahead, then give way to the head."""
    gaze = np.zeros((len(times_s), 2))
    previous = np.zeros(2)
    for time, *target in glances:
        step = np.array(target) - previous
        jump = ramp(times_s, time, time + 0.07)
        caught_up = ramp(times_s, time + _EYES_LEAD_S, time + _EYES_LEAD_S + 0.7)
        gaze += step * (0.7 * jump - 0.55 * caught_up)[:, None]
        previous = np.array(target)
    return gaze


def _blink_times(
    rng: np.random.Generator, glances: list[tuple[float, float, float]], seconds: float
) -> list[float]:
    """Seconds: with large shifts of gaze, and wherever three seconds pass without one."""
    times = [glances[0][0], glances[2][0] + 0.02]
    if seconds > 2:
        times.append(0.88 * seconds + rng.uniform(-0.05, 0.05))
    gap = rng.uniform(2.2, 3.2)
    times += [t for t in np.arange(gap, seconds, gap) if min(abs(t - u) for u in times) > 0.8]
    return times


def _add(coefficients: np.ndarray, pose: _Pose, weight: np.ndarray) -> None:
    """Add a pose, weighted per frame (T,), in place; names without a side mean both."""
    for name, value in pose.items():
        coefficients[:, arkit_indices(name)] += value * weight[:, None]
