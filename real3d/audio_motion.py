"""Sound to Motion: the network hears it piece by piece, gestures and emotions are laid on top."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from real3d.audio import AudioReader, Loudness, measure_loudness
from real3d.audio_weights import AudioModel, load_audio_weights
from real3d.emotion import EMOTIONS, NEUTRAL, EmotionTrack, with_emotion
from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.lips import WIDE_OPEN_MM, mouth_opening
from real3d.gestures import CAMERA, NATURAL, Voice, hear, with_blinks, with_gaze, with_head_motion
from real3d.motion import MAX_FPS, Motion
from real3d.networks.audio_to_motion import SPOKEN_INDICES, STEP_SAMPLES, STEPS_PER_S
from real3d.networks.log_mel import LEVEL_DB

_PIECE_STEPS = 500
"""Ten seconds are heard at once."""
_MANNER_SPREAD = 0.6
"""Manners of speaking that a seed draws keep nearer to the average than people do."""
_LARGEST_GAIN_DB = 40.0
_EMOTION_TOLD = 0.4
"""Share of an emotion's strength that the network is told: told of all of it, it follows the voice
less closely. The face of the emotion is laid on top in full."""
_MEAN_TO_PERSON = 1.6
"""The network says what people do in the mean, and the mean moves less than any of them: on its own
training data their wide moments (95 %) are 1.55 times as wide as the network's."""
_REST_BELOW_LOUD_DB = (45.0, 35.0)
"""So far below the loud parts nobody speaks: the mouth rests, and from there on it does not."""
_UNTOUCHED = ("brow", "eye", "noseSneer", "cheek")
"""Beginnings of the names that the mouth's gain leaves alone."""


@dataclass(frozen=True)
class Speaking:
    """How somebody speaks; what can be told to Motion.from_audio and to `real3d animate`."""

    emotion: str = NEUTRAL
    """An emotion, a blend such as happy:0.6,surprised:0.3, or blends over time such as
    "neutral; 2.5 happy": neutral, happy, sad, angry, surprised, disgusted, fearful, contempt."""
    intensity: float = 1.0
    """How strong the emotion is, 0 to 1."""
    seed: int = 0
    """Of the manner of speaking and of all gestures."""
    head_motion: str | float | Motion = NATURAL
    """natural, still, a number (0.5: half as much), or a motion whose pose is taken."""
    blink: str = NATURAL
    """natural, none, a rate such as 20/min, or seconds such as 1.2,3.5."""
    gaze: str = CAMERA
    """camera, wander, or degrees to the right and up, such as 10,-5."""
    mouth_gain: float = 1.0
    """How far the mouth moves, 0 to 3; 1 is what the network says."""


def motion_from_audio(
    path: Path,
    model: AudioModel | object | None = None,
    how: Speaking | None = None,
    fps: float = 25,
) -> Motion:
    """The motion of a head that says what is in a recording; coefficients 0 are a face at rest.

    model: an AudioModel; anything else stands for the bundled one. The recording is read twice, in
    pieces, so that an hour needs hardly more memory than its motion.

    Raises Real3DError for what cannot be read, has no sound track or is silent, and for anything in
    how that is not one of its choices.
    """
    how = how or Speaking()
    if not 1 <= fps <= MAX_FPS:
        raise Real3DError(f"fps {fps:g}: wanted 1 to {MAX_FPS:g}.")
    if not 0 <= how.mouth_gain <= 3:
        raise Real3DError(f"mouth gain {how.mouth_gain:g}: wanted a number from 0 to 3.")
    if how.seed < 0:
        raise Real3DError(f"seed {how.seed}: wanted 0 or more.")
    track = EmotionTrack.parse(how.emotion, how.intensity)
    rng = np.random.default_rng(how.seed)
    manner = rng.standard_normal(64).astype(np.float32) * _MANNER_SPREAD
    _try_choices(how, fps)
    loudness = measure_loudness(path)
    model = model if isinstance(model, AudioModel) else load_audio_weights()
    spoken, level_db = _heard(path, loudness, model, manner[: model.config.manner], track)
    count = max(1, round(loudness.seconds * fps))
    motion = Motion(
        _at_frames(spoken, how.mouth_gain, count, fps),
        np.zeros((count, 3)),
        np.zeros((count, 3)),
        fps,
    )
    voice = hear(level_db, STEPS_PER_S, count, fps)
    return with_gestures(motion, track, how, voice, rng)


def with_gestures(
    motion: Motion, track: EmotionTrack, how: Speaking, voice: Voice, rng: np.random.Generator
) -> Motion:
    """A speaking mouth with emotion, head, gaze and lids added."""
    times_s = np.arange(len(motion)) / motion.fps
    open_ = np.clip(mouth_opening(motion.coefficients) / WIDE_OPEN_MM, 0, 1)
    felt = with_emotion(motion.coefficients, track.at(times_s), open_)
    motion = with_head_motion(replace(motion, coefficients=felt), how.head_motion, voice, rng)
    motion = with_gaze(motion, how.gaze, voice, rng)
    return with_blinks(motion, how.blink, voice, rng)


def _try_choices(how: Speaking, fps: float) -> None:
    """Refuse wrong choices before anything long is computed."""
    with_gestures(
        Motion.still(fps=fps), EmotionTrack.parse(NEUTRAL), how, Voice(), np.random.default_rng(0)
    )


def _pieces(path: Path, left: int, right: int) -> Iterator[tuple[np.ndarray, int]]:
    """Windows of samples with what lies around them, and how many steps each is for.

    Silence lies before and after the recording; windows overlap by left + right samples.
    """
    size = _PIECE_STEPS * STEP_SAMPLES
    kept = [np.zeros(left, np.float32)]
    count = left
    with AudioReader(path) as sound:
        for piece in sound:
            kept.append(piece)
            count += len(piece)
            while count >= left + size + right:
                joined = np.concatenate(kept)
                yield joined[: left + size + right], _PIECE_STEPS
                kept, count = [joined[size:]], count - size
    joined = np.concatenate(kept)
    while len(joined) > left:
        steps = min(_PIECE_STEPS, -(-(len(joined) - left) // STEP_SAMPLES))
        wanted = left + steps * STEP_SAMPLES + right
        window = np.zeros(wanted, np.float32)
        window[: min(wanted, len(joined))] = joined[:wanted]
        yield window, steps
        joined = joined[steps * STEP_SAMPLES :]


@torch.no_grad()
def _heard(
    path: Path, loudness: Loudness, model: AudioModel, manner: np.ndarray, track: EmotionTrack
) -> tuple[np.ndarray, np.ndarray]:
    """Spoken coefficients (T, 41), counted from a face at rest, and levels (T,), every 20 ms."""
    network, config = model.network, model.config
    gain = 10 ** (min(LEVEL_DB - loudness.level_db, _LARGEST_GAIN_DB) / 20)
    left, right = config.left_samples, config.right_samples
    told = torch.from_numpy(manner)[None]
    blends = torch.from_numpy(track.strengths * np.float32(_EMOTION_TOLD))
    nothing = torch.zeros(len(blends), STEP_SAMPLES)  # faces at rest; emotion comes on top of them
    rest = network.whole(nothing, told.expand(len(blends), -1), blends)[:, 0].numpy()
    spoken, levels, first = [], [], 0
    for samples, steps in _pieces(path, left, right):
        window = torch.from_numpy(samples * np.float32(gain))[None]
        shares = track.weights((first + np.arange(steps)) / STEPS_PER_S)
        rows = np.zeros((steps, len(SPOKEN_INDICES)), np.float32)
        for number in np.flatnonzero(shares.max(0) > 0):
            made = network.hear(window, told, blends[number : number + 1])[0].numpy()
            rows += (made - rest[number]) * shares[:, number, None]
        inner = window[0, left : left + steps * STEP_SAMPLES].reshape(steps, STEP_SAMPLES)
        levels.append((10 * torch.log10(inner.square().mean(1) + 1e-10)).numpy())
        spoken.append(rows)
        first += steps
    level_db = np.concatenate(levels)
    return np.concatenate(spoken) * _awake(level_db)[:, None], level_db - 20 * np.log10(gain)


def _awake(level_db: np.ndarray) -> np.ndarray:
    """(T,) in [0, 1], 0 where it is silent for longer than a shut consonant lasts."""
    low, high = (LEVEL_DB - below for below in _REST_BELOW_LOUD_DB)
    heard = np.clip((level_db - low) / (high - low), 0, 1)
    width = round(0.24 * STEPS_PER_S) | 1
    widest = np.lib.stride_tricks.sliding_window_view(np.pad(heard, width // 2), width).max(1)
    return gaussian_filter1d(widest, 0.04 * STEPS_PER_S).astype(np.float32)


def _at_frames(spoken: np.ndarray, mouth_gain: float, count: int, fps: float) -> np.ndarray:
    """(count, 52) in [0, 1] of steps (T, 41), at rest in frame 0."""
    times_s, wanted_s = np.arange(len(spoken)) / STEPS_PER_S, np.arange(count) / fps
    coefficients = np.zeros((count, len(ARKIT_NAMES)), np.float32)
    for column, index in enumerate(SPOKEN_INDICES):
        untouched = ARKIT_NAMES[index].startswith(_UNTOUCHED)
        gain = 1.0 if untouched else mouth_gain * _MEAN_TO_PERSON
        coefficients[:, index] = gain * np.interp(wanted_s, times_s, spoken[:, column])
    return coefficients.clip(0, 1)


__all__ = ["EMOTIONS", "Speaking", "motion_from_audio", "with_gestures"]
