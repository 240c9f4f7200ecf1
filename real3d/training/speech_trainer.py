"""Training of Audio-to-Motion on sequences of speech: one core, half an hour.

Sound and face of a source may be apart by a constant time. The network finds it out: what it
predicts from the sound is compared with the face at all lags, source by source, and from then on
the source is shifted by the best one. Where sound and face agree at none (another one speaks,
music, a face too small to be tracked), a sequence counts less.
"""

import copy
import json
import logging
import math
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from real3d.audio_weights import load_audio_weights, save_audio_weights
from real3d.errors import Real3DError
from real3d.face.lips import lip_shapes, opening_weights, width_weights
from real3d.networks.audio_to_motion import (
    SPOKEN_INDICES,
    STEPS_PER_S,
    AudioConfig,
    build_audio_network,
)
from real3d.networks.log_mel import silence
from real3d.training.phones import BILABIALS, PHONES, UNKNOWN
from real3d.training.speech_bank import (
    Sequence,
    SpeechBatch,
    SpeechSampler,
    clean_mel,
    heard_again,
    read_sequences,
    standardise,
)

_LOG = logging.getLogger(__name__)
_LARGEST_GRADIENT = 1.0
_CLOSED_MM = 1.0
_MOVES_MM2 = 0.25
_CHANGE_STEPS = 3
_BILABIALS_COUNT = 3.0
_LAGS_S = np.arange(-8, 9) / STEPS_PER_S
_NO_LAG = len(_LAGS_S) // 2
_ENOUGH_S, _ENOUGH_CORRELATION, _CLEARLY = 10.0, 0.15, 0.01
_LONG_S = 4.0


@dataclass(frozen=True)
class SpeechLossWeights:
    """How much each loss counts."""

    coefficients: float = 1.0
    lips: float = 0.5
    """The lips' landmarks, in units of 5 mm."""
    opening: float = 0.7
    """Their distance, in units of 5 mm; shut lips count twice, at p, b and m six times."""
    speed: float = 0.3
    """Changes of the distance and of the coefficients from step to step."""
    timing: float = 1.0
    """One minus the correlation of a window's distances: how wide somebody opens does not count."""
    timing_width: float = 0.3
    """The same of the mouth's width."""
    timing_speed: float = 0.5
    """The same of how the distance changes within 60 ms: quick closures count as slow vowels do."""
    phones: float = 0.5
    """Which sound is heard, by a linear layer of its own that is not kept."""


@dataclass(frozen=True)
class SpeechTrainConfig:
    """A run."""

    data: Path
    """Folder of sequences (prepare-speech)."""
    out: Path
    """Folder for weights/ and log.jsonl."""
    weights: Path | None = None
    """Folder of weights to start from (another run's out/weights)."""
    seconds: float = 1800.0
    """Wall clock of the whole run."""
    max_steps: int = 100_000
    batch: int = 32
    steps: int = 100
    """Length of a window, 20 ms each."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    ema: float = 0.998
    align_at: tuple[float, ...] = (0.2, 0.45)
    """Shares of the run after which the sources' lags are measured. Weights to start from measure
    them before the first step as well."""
    generated_weight: float = 0.4
    """How much a second of what a video model made counts, beside a second of true motion."""
    single_speaker_s: float = 60.0
    """A speaker with more seconds than this counts as if there were only so many."""
    source_weights: dict[str, float] = field(default_factory=dict)
    """How much a second of a source counts."""
    log_every: int = 50
    validate_every: int = 300
    threads: int = 1
    seed: int = 0
    network: AudioConfig = field(default_factory=AudioConfig)
    losses: SpeechLossWeights = field(default_factory=SpeechLossWeights)


class SpeechTrainer:
    """Network, data and schedule of one run."""

    def __init__(self, config: SpeechTrainConfig):
        self.config = config
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.train = read_sequences(config.data, "train")
        self.held_out = read_sequences(config.data, "val")
        heldout_speakers = {s.speaker for s in self.held_out}
        heldout_speakers |= heard_again(self.held_out, self.train)
        self.train = [s for s in self.train if s.speaker not in heldout_speakers]
        standardise(self.held_out, self.train)
        standardise(self.train)
        self._weigh()
        self.network = build_audio_network(config.network)
        if config.weights is not None:
            given = load_audio_weights(config.weights)
            if given.config != config.network:
                raise Real3DError(f"{config.weights}: weights of another network ({given.config}).")
            self.network.load_state_dict(given.network.state_dict())
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.phones = nn.Linear(config.network.width, len(PHONES))
        learned = [*self.network.parameters(), *self.phones.parameters()]
        self.optimiser = torch.optim.AdamW(
            learned, config.learning_rate, (0.9, 0.98), weight_decay=config.weight_decay,
        )  # fmt: skip
        self.sampler = SpeechSampler(self.train, config.network, config.seed)
        self.step = 0
        spoken = list(SPOKEN_INDICES)
        rows = np.concatenate([s.coefficients[:, spoken] for s in self.train])
        self._scale = torch.from_numpy(1 / (rows.std(0) + 0.06))
        self._lips = torch.from_numpy(lip_shapes()[spoken].reshape(len(spoken), -1) / 5)
        self._width = torch.from_numpy(width_weights()[spoken] / 5)
        self._opening = torch.from_numpy(opening_weights()[spoken] / 5)

    def _weigh(self) -> None:
        seconds = defaultdict(float)
        for s in self.train:
            seconds[s.speaker] += s.seconds
        for s in self.train:
            s.weight = min(1.0, self.config.single_speaker_s / seconds[s.speaker])
            s.weight *= self.config.generated_weight if s.generated else 1.0
            s.weight *= self.config.source_weights.get(s.source, 1.0)

    def run(self) -> Path:
        """Train until the time or the steps are used up; returns the folder of the weights."""
        config, start = self.config, time.perf_counter()
        config.out.mkdir(parents=True, exist_ok=True)
        to_align = sorted(config.align_at)
        if config.weights is not None:
            self.align()
        total_s = sum(s.seconds for s in self.train)
        _LOG.info("%d sequences, %.0f minutes", len(self.train), total_s / 60)
        with (config.out / "log.jsonl").open("a") as log, ThreadPoolExecutor(1) as beside:
            following = beside.submit(self.sampler.draw, config.batch, config.steps)
            while self.step < config.max_steps:
                elapsed_s = time.perf_counter() - start
                progress = max(elapsed_s / config.seconds, self.step / config.max_steps)
                if progress >= 1:
                    break
                batch = following.result()
                if to_align and progress > to_align[0]:
                    to_align.pop(0)
                    self.align()
                following = beside.submit(self.sampler.draw, config.batch, config.steps)
                values = self._train_step(batch, progress)
                self.step += 1
                row = {"step": self.step, "seconds": round(elapsed_s, 1)}
                if self.step % config.log_every == 0:
                    row |= {name: round(v.item(), 4) for name, v in values.items()}
                if self.step % config.validate_every == 0:
                    row |= self.validate()
                    self.save()
                if len(row) > 2:
                    log.write(json.dumps(row) + "\n")
                    log.flush()
                    _LOG.info("%s", json.dumps(row))
        return self.save()

    def _train_step(self, batch: SpeechBatch, progress: float) -> dict[str, Tensor]:
        config = self.config
        warm = min(1.0, (self.step + 1) / 100)
        rate = (
            config.learning_rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):  # twice as fast where the CPU knows it
            understood = self.network.understood(batch.mel, batch.manner, batch.emotion)
            made, phones = self.network.head(understood), self.phones(understood)
        values = self.losses(made.float(), batch)
        values["phones"] = nn.functional.cross_entropy(
            phones.float().transpose(1, 2), batch.phones, ignore_index=UNKNOWN, reduction="sum"
        ) / (batch.phones != UNKNOWN).sum().clamp_min(1)
        loss = sum(getattr(config.losses, name) * value for name, value in values.items())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
        self.optimiser.step()
        with torch.no_grad():
            keep = min(config.ema, (self.step + 1) / (self.step + 10))
            averaged = list(self.average.parameters())
            torch._foreach_lerp_(averaged, list(self.network.parameters()), 1 - keep)
        return values

    def losses(self, made: Tensor, batch: SpeechBatch) -> dict[str, Tensor]:
        """Each loss as one number; what is not inside does not count.

        Squared errors, so that what is uncertain becomes the mean: absolute ones would give the
        median, and the median mouth is shut.
        """
        inside = batch.inside
        count = inside.sum().clamp_min(1)
        off = made - batch.target
        true_opening, opening = batch.target @ self._opening, made @ self._opening
        shut = 1 + torch.sigmoid((_CLOSED_MM / 5 - true_opening) * 20)
        bilabial = torch.isin(batch.phones, torch.tensor(BILABIALS))
        shut = shut * (1 + (_BILABIALS_COUNT - 1) * bilabial)
        both = inside[:, 1:] * inside[:, :-1]
        speed = (off[:, 1:] - off[:, :-1]) * STEPS_PER_S * 0.06
        speed_lips = _robust(speed @ self._opening) + _robust(speed * self._scale).mean(-1)
        width = (made @ self._width, batch.target @ self._width)
        still_inside = inside[:, _CHANGE_STEPS:] * inside[:, :-_CHANGE_STEPS]
        return {
            "coefficients": (_robust(off * self._scale).mean(-1) * inside).sum() / count,
            "lips": (_robust(off @ self._lips).mean(-1) * inside).sum() / count,
            "opening": (_robust(opening - true_opening) * shut * inside).sum() / count,
            "speed": (speed_lips * both).sum() / both.sum().clamp_min(1),
            "timing": _apart(opening, true_opening, inside),
            "timing_width": _apart(*width, inside),
            "timing_speed": _apart(_changes(opening), _changes(true_opening), still_inside),
        }

    @torch.no_grad()
    def predict(self, sequence: Sequence, told: bool = False) -> np.ndarray:
        """(T, 41) every 20 ms for a sequence; told: of its own manner and emotion."""
        config = self.config.network
        mel = clean_mel(sequence)
        steps = mel.shape[2] // 2
        around = (silence(1, config.left_frames), mel, silence(1, config.right_frames + 2))
        manner, emotion = torch.zeros(1, config.manner), torch.zeros(1, config.emotions)
        if told:
            manner = torch.from_numpy(sequence.manner)[None]
            emotion = torch.from_numpy(sequence.emotion)[None]
        return self.average(torch.cat(around, 2), manner, emotion)[0, :steps].numpy()

    def lagged(self, sequence: Sequence) -> np.ndarray | None:
        """Correlation of the mouth's opening, made and true, at each of the lags."""
        made = self.predict(sequence)
        times_s = np.arange(len(made)) / STEPS_PER_S
        known = times_s < sequence.seconds
        weights = opening_weights()[list(SPOKEN_INDICES)]
        made_mm = (made @ weights)[known]
        found = []
        for lag_s in _LAGS_S:
            true_mm = sequence.targets(times_s[known] + lag_s)[0] @ weights
            if true_mm.std() < 0.2 or made_mm.std() < 1e-3:
                return None
            found.append(np.corrcoef(made_mm, true_mm)[0, 1])
        return np.array(found)

    def align(self) -> None:
        """Measure lags, of sources and of long sequences, and how far each can be trusted."""
        curves = [(s, curve) for s in self.train if (curve := self.lagged(s)) is not None]
        by_source, seconds = defaultdict(float), defaultdict(float)
        for sequence, curve in curves:
            by_source[sequence.source] = by_source[sequence.source] + curve * sequence.seconds
            seconds[sequence.source] += sequence.seconds
        lags = {}
        for source, total in by_source.items():
            mean = total / seconds[source]
            best = int(mean.argmax())
            clearly = max(_ENOUGH_CORRELATION, mean[_NO_LAG] + _CLEARLY)
            sure = seconds[source] > _ENOUGH_S and mean[best] > clearly
            lags[source] = best if sure else _NO_LAG
            _LOG.info("%s: %.0f s, correlation %.2f at %+.0f ms, %.2f at 0", source,
                      seconds[source], mean[best], 1000 * _LAGS_S[best], mean[_NO_LAG])  # fmt: skip
        weight = np.array([seconds[source] for source in lags])
        middle = _weighted_median(_LAGS_S[list(lags.values())], weight)
        for sequence, curve in curves:
            lag, best = lags[sequence.source], int(curve.argmax())
            if sequence.seconds > _LONG_S and curve[best] > max(0.3, curve[lag] + 0.08):
                lag = best
            sequence.lag_s = float(_LAGS_S[lag]) - middle
            sequence.trust = float(np.clip((curve[lag] - 0.05) / 0.35, 0.05, 1))
        self.sampler.weigh()

    def validate(self) -> dict[str, float]:
        """How the mouth's opening of people never heard correlates, and at which lag best."""
        pairs = [(s.seconds, c) for s in self.held_out if (c := self.lagged(s)) is not None]
        weight = np.array([seconds for seconds, _ in pairs])
        curve = np.average([c for _, c in pairs], 0, weight)
        best = int(curve.argmax())
        return {
            "held_out": round(float(curve[_NO_LAG]), 3),
            "lag_ms": round(1000 * float(_LAGS_S[best])),
        }

    def save(self) -> Path:
        """Write the averaged weights; returns their folder."""
        about = {
            "steps": self.step,
            "sequences": len(self.train),
            "minutes": round(sum(s.seconds for s in self.train) / 60, 1),
            "speakers": len({s.speaker for s in self.train}),
            "batch": self.config.batch,
            "losses": asdict(self.config.losses),
            "seed": self.config.seed,
        }
        return save_audio_weights(self.config.out / "weights", self.average, about)


def _robust(off: Tensor) -> Tensor:
    """Half the square of errors up to 1, then as steep as there (Huber 1964)."""
    return nn.functional.smooth_l1_loss(off, torch.zeros_like(off), reduction="none")


def _apart(made: Tensor, true: Tensor, inside: Tensor) -> Tensor:
    """One minus the correlation of (B, T) and (B, T), in the mean over windows that move."""
    count = inside.sum(1, keepdim=True).clamp_min(1)
    made = (made - (made * inside).sum(1, keepdim=True) / count) * inside
    true = (true - (true * inside).sum(1, keepdim=True) / count) * inside
    made_size, true_size = made.square().sum(1), true.square().sum(1)
    alike = (made * true).sum(1) / ((made_size + 1e-2) * (true_size + 1e-2)).sqrt()
    moves = (true_size / count[:, 0] > _MOVES_MM2 / 25).float() * (count[:, 0] > 25)
    return ((1 - alike) * moves).sum() / moves.sum().clamp_min(1)


def _changes(curve: Tensor) -> Tensor:
    """(B, T - 3) of (B, T): what changes within 60 ms."""
    return curve[:, _CHANGE_STEPS:] - curve[:, :-_CHANGE_STEPS]


def _weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def train_speech(config: SpeechTrainConfig) -> Path:
    """Train with this configuration; returns the folder of the weights."""
    return SpeechTrainer(config).run()
