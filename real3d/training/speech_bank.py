"""Sequences of speech in memory, and windows of them as a voice in another room would sound."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls
from torch import Tensor

from real3d.emotion import EMOTIONS, emotion_poses
from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.face.lips import mouth_opening, width_weights
from real3d.networks.audio_to_motion import SPOKEN_INDICES, STEPS_PER_S, AudioConfig
from real3d.networks.log_mel import (
    BINS,
    HOP,
    LEVEL_DB,
    RATE_HZ,
    features,
    mel_filters,
    power_frames,
)
from real3d.training.phones import PHONES, PHONES_PER_S, UNKNOWN
from real3d.training.speech_sequences import SpokenSequence, read_split

NOTHING_DB = -100.0
_SMOOTHING_S = 0.02
_SHORTEST_S = 0.8
_SAME_SOUND = 0.85
_FRAME_S = HOP / RATE_HZ
_UPPER_FACE = [
    k for k, i in enumerate(SPOKEN_INDICES) if ARKIT_NAMES[i].startswith(("brow", "eye"))
]
MANNER = ("opening", "range of the opening", "range of the width", "range of the brows",
          "upper lip", "pressed lips")  # fmt: skip


@dataclass
class Sequence:
    """One recording of somebody who speaks."""

    power_db: np.ndarray
    """(T, 257) float16, every 10 ms, brought to LEVEL_DB."""
    times_s: np.ndarray
    """(N,) of the coefficients, rising."""
    coefficients: np.ndarray
    """(N, 52) float32."""
    source: str
    speaker: str
    language: str
    generated: bool
    manner: np.ndarray
    """(6,) float32, standardised over all sequences."""
    emotion: np.ndarray
    """(7,) float32 in [0, 1]: how much of each emotion the mean face shows."""
    weight: float = 1.0
    trust: float = 1.0
    """How far sound and face agree, by what the network has learned so far."""
    phones: np.ndarray | None = None
    """(P,) uint8 every 10 ms of the sound, where they are known."""
    lag_s: float = 0.0
    """How much later the face is than the sound."""

    @property
    def seconds(self) -> float:
        """Length of what is both heard and seen."""
        return float(min(self.times_s[-1], len(self.power_db) * _FRAME_S))

    def targets(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (T, 41) at some times, and which of these (T,) lie inside."""
        spoken = self.coefficients[:, SPOKEN_INDICES]
        rows = np.stack([np.interp(times_s, self.times_s, column) for column in spoken.T], 1)
        inside = (times_s >= 0) & (times_s <= self.seconds)
        return rows.astype(np.float32), inside

    def sounds(self, times_s: np.ndarray) -> np.ndarray:
        """Numbers of PHONES (T,) at some times of the sound, UNKNOWN where they are not known."""
        if self.phones is None or not len(self.phones):
            return np.full(len(times_s), UNKNOWN, np.uint8)
        place = np.floor(times_s * PHONES_PER_S).astype(int)
        known = (place >= 0) & (place < len(self.phones))
        return np.where(known, self.phones[place.clip(0, len(self.phones) - 1)], UNKNOWN)


def read_sequences(folder: Path, split: str = "train") -> list[Sequence]:
    """The sequences of one split, as finetune_video's prepare-speech wrote them."""
    sequences = [_heard(s) for s in read_split(folder, split) if s.seconds >= _SHORTEST_S]
    if not sequences:
        raise Real3DError(
            f"{folder}: no sequences of split {split!r}. Make some with "
            "python -m finetune_video prepare-speech."
        )
    return sequences


def heard_again(held_out: list[Sequence], train: list[Sequence]) -> set[str]:
    """Speakers of train of whom a recording, under any name, is among those held out.

    Two recordings are one where the levels of eight bands correlate at some lag.
    """
    longest = max(len(s.power_db) for s in [*held_out, *train])
    size = 1 << (2 * longest - 1).bit_length()

    def spectrum(sequence: Sequence) -> np.ndarray:
        bands = sequence.power_db[:, 1:].astype(np.float32).reshape(len(sequence.power_db), 8, -1)
        levels = bands.mean(2) - bands.mean((0, 2))
        return np.fft.rfft(levels / (np.linalg.norm(levels) + 1e-6), size, axis=0)

    theirs = [spectrum(s).conj() for s in held_out]
    found = set()
    for sequence in train:
        ours = spectrum(sequence)
        alike = [np.fft.irfft((ours * other).sum(1), size).max() for other in theirs]
        if max(alike) > _SAME_SOUND:
            found.add(sequence.speaker)
    return found


def _heard(spoken: SpokenSequence) -> Sequence:
    step_s = float(np.median(np.diff(spoken.times_s)))
    coefficients = gaussian_filter1d(
        spoken.coefficients, _SMOOTHING_S / step_s, axis=0, mode="nearest"
    )
    power = power_of(spoken.samples)
    loud_db = np.percentile(10 * np.log10(power.sum(1) + 1e-12), 95)
    power_db = 10 * np.log10(power + 10 ** (NOTHING_DB / 10)) + (LEVEL_DB - loud_db)
    return Sequence(
        power_db.astype(np.float16),
        spoken.times_s,
        coefficients,
        spoken.source,
        spoken.speaker,
        spoken.language,
        spoken.generated,
        _manner(coefficients),
        np.zeros(len(EMOTIONS), np.float32),
        phones=spoken.phones,
    )


def power_of(samples: np.ndarray) -> np.ndarray:
    """(T, 257) power of a whole recording (N,), silence around it."""
    frames = len(samples) // HOP
    padded = np.pad(samples[: frames * HOP], (120, 120))
    return power_frames(torch.from_numpy(padded)).numpy()


def _manner(coefficients: np.ndarray) -> np.ndarray:
    opening, width = mouth_opening(coefficients), coefficients @ width_weights()
    column = {name: coefficients[:, k] for name, k in ARKIT_INDEX.items()}
    lips = column["mouthUpperUpLeft"] + column["mouthUpperUpRight"]
    low = column["mouthLowerDownLeft"] + column["mouthLowerDownRight"]
    press = column["mouthPressLeft"] + column["mouthRollLower"] + column["mouthRollUpper"]
    return np.array([
        opening.mean(),
        np.log(opening.std() + 0.3),
        np.log(width.std() + 0.3),
        np.log(column["browInnerUp"].std() + column["browOuterUpLeft"].std() + 0.02),
        np.log((lips.mean() + 0.02) / (low.mean() + 0.02)),
        np.log(press.mean() + 0.02),
    ], np.float32)  # fmt: skip


def standardise(sequences: list[Sequence], like: list[Sequence] | None = None) -> None:
    """Make manners standard normal over like (by default these), and name emotions, in place.

    Brows and lids are counted from each sequence's own median: where they rest is the person's.
    """
    like = like or sequences
    raw = np.stack([s.manner for s in like])
    weight = np.array([s.seconds for s in like])
    mean = np.average(raw, 0, weight)
    spread = np.sqrt(np.average((raw - mean) ** 2, 0, weight)) + 1e-6
    faces = np.stack([s.coefficients.mean(0) for s in like])
    mean_face = np.average(faces, 0, weight)
    poses = emotion_poses()
    for sequence in sequences:
        sequence.manner = ((sequence.manner - mean) / spread).clip(-2.5, 2.5).astype(np.float32)
        strengths, _ = nnls(poses.T, sequence.coefficients.mean(0) - mean_face)
        sequence.emotion = strengths.clip(0, 1).astype(np.float32)
    for sequence in sequences:
        upper = [SPOKEN_INDICES[k] for k in _UPPER_FACE]
        sequence.coefficients[:, upper] -= np.median(sequence.coefficients[:, upper], 0)


@dataclass(frozen=True)
class SpeechBatch:
    """Windows of speech and what the faces did."""

    mel: Tensor
    """(B, 80, left + 2 T + right)."""
    target: Tensor
    """(B, T, 41)."""
    inside: Tensor
    """(B, T) 1 where the target is known, 0 elsewhere."""
    manner: Tensor
    emotion: Tensor
    phones: Tensor
    """(B, T) int64 numbers of PHONES, UNKNOWN where they are not known."""


@dataclass(frozen=True)
class Augmentation:
    """How far a window may be from how it was recorded."""

    tempo: float = 0.15
    """Faster or slower by up to this share, sound and face alike."""
    pitch: float = 0.15
    """Frequencies multiplied by up to this much more or less."""
    gain_db: tuple[float, float] = (-10.0, 6.0)
    equaliser_db: float = 3.5
    """Standard deviation of a smooth curve over frequency, and of its tilt."""
    noise_share: float = 0.35
    noise_db: tuple[float, float] = (5.0, 40.0)
    """Under the speech."""
    reverb_share: float = 0.25
    reverb_s: tuple[float, float] = (0.15, 0.7)
    """Time to decay by 60 dB."""
    telephone_share: float = 0.04
    silence_share: float = 0.04
    """Windows in which nobody speaks, and the face rests."""
    forget_share: float = 0.35
    """Windows whose manner, or emotion, the network is not told."""


class SpeechSampler:
    """Draws augmented windows, in which sound and face are aligned."""

    def __init__(self, sequences: list[Sequence], config: AudioConfig, seed: int = 0):
        self.sequences, self.config = sequences, config
        self.augmentation = Augmentation()
        self._rng = np.random.default_rng(seed)
        self._mirror = _mirror()
        self.weigh()

    def weigh(self) -> None:
        """Take up the sequences' weights and trust."""
        share = np.array([s.weight * s.trust * s.seconds for s in self.sequences])
        self._share = share / share.sum()

    def draw(self, batch: int, steps: int) -> SpeechBatch:
        """So many windows of so many steps of 20 ms."""
        chosen = self._rng.choice(len(self.sequences), batch, p=self._share)
        windows = [self._window(self.sequences[k], steps) for k in chosen]
        power, target, inside, phones = (np.stack(part) for part in zip(*windows, strict=True))
        manner = np.stack([self.sequences[k].manner for k in chosen])
        emotion = np.stack([self.sequences[k].emotion for k in chosen])
        manner = manner + 0.2 * self._rng.standard_normal(manner.shape)
        for values in (manner, emotion):
            values[self._rng.random(batch) < self.augmentation.forget_share] = 0
        silent = self._rng.random(batch) < self.augmentation.silence_share
        power[silent], target[silent], inside[silent] = NOTHING_DB, 0, 1
        phones[silent] = PHONES.index("SIL")
        mirrored = self._rng.random(batch) < 0.5
        target[mirrored] = target[mirrored][..., self._mirror]
        mel = augmented_mel(torch.from_numpy(power), self.augmentation, self._rng)
        rows = (target, inside, manner, emotion)
        rows = (torch.from_numpy(np.asarray(r, np.float32)) for r in rows)
        return SpeechBatch(mel, *rows, torch.from_numpy(phones.astype(np.int64)))

    def _window(self, sequence: Sequence, steps: int) -> tuple[np.ndarray, ...]:
        """Power (F, 257) in decibels, targets (T, 41), inside (T,), phones (T,)."""
        rng, config = self._rng, self.config
        rate = np.exp(rng.uniform(-1, 1) * self.augmentation.tempo)
        long_s = steps / STEPS_PER_S * rate
        spare_s = sequence.seconds - long_s
        start_s = rng.uniform(-0.3, spare_s + 0.2) if spare_s > 0 else rng.uniform(spare_s, 0)
        frames = np.arange(-config.left_frames, 2 * steps + config.right_frames)
        place = start_s / _FRAME_S + frames * rate
        low = np.floor(place).astype(int)
        share = (place - low)[:, None].astype(np.float32)
        power_db, last = sequence.power_db, len(sequence.power_db) - 1
        rows = power_db[low.clip(0, last)].astype(np.float32) * (1 - share)
        rows += power_db[(low + 1).clip(0, last)].astype(np.float32) * share
        rows[(place < 0) | (place > last)] = NOTHING_DB
        times_s = start_s + np.arange(steps) / STEPS_PER_S * rate
        target, inside = sequence.targets(times_s + sequence.lag_s)
        return rows, target, inside, sequence.sounds(times_s)


def augmented_mel(power_db: Tensor, how: Augmentation, rng: np.random.Generator) -> Tensor:
    """Features (B, 80, F) of power (B, F, 257) in decibels: another throat, room and microphone."""
    batch = len(power_db)

    def uniform(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (batch, 1, 1)).astype(np.float32))

    power = 10 ** ((power_db + uniform(*how.gain_db) + _curves(rng, batch, how.equaliser_db)) / 10)
    wet = np.flatnonzero(rng.random(batch) < how.reverb_share)
    if len(wet):
        decay_s, wet_db = uniform(*how.reverb_s)[wet], uniform(-14, -3)[wet]
        late = _smeared(power[wet], 10 ** (-6 * _FRAME_S / decay_s))
        power[wet] += 10 ** (wet_db / 10) * late
    noisy = np.flatnonzero(rng.random(batch) < how.noise_share)
    if len(noisy):
        level_db = LEVEL_DB - 24 - uniform(*how.noise_db)[noisy]  # 24 dB: spread over the bins
        hiss = torch.empty(power[noisy].shape).exponential_(generator=_generator(rng))
        power[noisy] += hiss * 10 ** ((level_db + _curves(rng, len(noisy), 8.0)) / 10)
    hz = torch.linspace(0, RATE_HZ / 2, BINS)
    telephone = ((hz > 300) & (hz < 3400)).float().clamp_min(1e-4)
    power[rng.random(batch) < how.telephone_share] *= telephone
    warp = torch.exp(uniform(-how.pitch, how.pitch))[:, 0, 0]
    return features(power, mel_filters(warp))


def _generator(rng: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(rng.integers(1 << 62)))


def _curves(rng: np.random.Generator, batch: int, spread_db: float) -> Tensor:
    """(B, 1, 257) smooth random curves over the logarithm of frequency, decibels."""
    place = np.log1p(np.arange(BINS) / 8) / np.log1p(BINS / 8)
    waves = np.stack([np.cos(np.pi * k * place) for k in (1, 2, 3, 5)])
    sizes = rng.standard_normal((batch, 4)) * spread_db / np.array([1, 1.5, 2, 3])
    return torch.from_numpy((sizes @ waves).astype(np.float32))[:, None]


def _smeared(power: Tensor, decay: Tensor, longest: int = 30) -> Tensor:
    """What a room still sounds of the frames before, by an exponential decay a frame (B, 1, 1)."""
    pad = torch.nn.functional.pad(power, (0, 0, longest, 0))
    total, share = torch.zeros_like(power), torch.ones_like(decay)
    for k in (1, 2, 3, 5, 8, 12, 18, 26):  # the gaps between stand for their neighbours
        width = {1: 1, 2: 1, 3: 1.5, 5: 2.5, 8: 3.5, 12: 5, 18: 7, 26: 8}[k]
        share = decay**k * width
        total = total + share * pad[:, longest - k : longest - k + power.shape[1]]
    return total * (1 - decay)


def _mirror() -> list[int]:
    """Order of the spoken coefficients with left and right exchanged."""
    names = [ARKIT_NAMES[i] for i in SPOKEN_INDICES]

    def other(name: str) -> str:
        if name.endswith("Left"):
            return name[:-4] + "Right"
        return name[:-5] + "Left" if name.endswith("Right") else name

    return [names.index(other(name)) for name in names]


def clean_mel(sequence: Sequence) -> Tensor:
    """(1, 80, T) features of a sequence as it was recorded."""
    power = 10 ** (torch.from_numpy(sequence.power_db.astype(np.float32))[None] / 10)
    return features(power, mel_filters(torch.ones(1)))
