"""Lip truth: does a mouth that was made from sound move as the speaker's did?"""

import tempfile
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.audio import RATE_HZ
from real3d.audio_motion import Speaking, motion_from_audio
from real3d.audio_weights import AudioModel
from real3d.evaluation.bilabials import find_bilabials
from real3d.evaluation.environment import Environment
from real3d.evaluation.tables import mean, table
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.lips import lip_shapes, mouth_opening
from real3d.files import written_beside
from real3d.networks.audio_to_motion import SPOKEN_INDICES, STEPS_PER_S
from real3d.progress import progress
from real3d.training.speech_sequences import SpokenSequence

OURS, LOUDNESS, MEAN = "Real3D", "loudness → jaw", "mean motion"
SEEDS = 3
_LAGS = np.arange(-10, 11)
_AROUND_S = 0.06
_CLOSED_SHARE, _MOVES_MM = 0.25, 0.3
_JAW = ARKIT_INDEX["jawOpen"]
_LISTEN_S = 0.08
"""Loudness is smoothed by a Gaussian of this width before it moves the jaw."""
MOUTH_ALONE = {"blink": "none", "head_motion": "still"}
IN_SYNC = 0.2


@dataclass(frozen=True)
class SpeechScores:
    """One method on one sequence."""

    sequence: str
    source: str
    seconds: float
    in_sync: bool
    """Whether loudness and the true mouth agree at all, by correlation at their best lag."""
    method: str
    correlation: float
    """Of the mouth's opening, at no lag."""
    best_lag_s: float
    """At which the correlation is highest; negative: the true mouth is earlier."""
    best_correlation: float
    lips_mm: float
    """Mean distance of the 40 lip landmarks from the truth, on the template head."""
    closed: tuple[int, int, int]
    """Bilabials at which the true mouth closes, of those the made one does too, and all."""
    by_chance: float
    """Share of random moments at which the made mouth counts as closed."""
    diversity_mm: float
    """Standard deviation of the opening over seeds."""


def score_sequence(
    sequence: SpokenSequence, jaw_gain: float, mean_row: np.ndarray, model: AudioModel | None
) -> list[SpeechScores]:
    """Our method and both baselines on one sequence."""
    times_s = np.arange(int(sequence.seconds * STEPS_PER_S)) / STEPS_PER_S
    true = sequence.at(times_s)
    made = [
        made_from(sequence, len(times_s), Speaking(seed=seed, **MOUTH_ALONE), model)
        for seed in range(SEEDS)
    ]
    loud = loudness(sequence.samples, len(times_s))
    jaw = np.zeros_like(true)
    jaw[:, _JAW] = jaw_gain * loud
    still = np.tile(mean_row, (len(times_s), 1))
    english = sequence.language == "English"
    moments = find_bilabials(sequence.samples) if english else []
    true_mm = mouth_opening(true)
    agreement = max(correlations(loud, true_mm))
    scores = []
    for name, rows in ((OURS, made[0]), (LOUDNESS, jaw), (MEAN, still)):
        opening_mm = mouth_opening(rows)
        curve = correlations(opening_mm, true_mm)
        best = int(np.argmax(curve))
        spread = np.std([mouth_opening(m) for m in made], 0).mean() if name == OURS else 0.0
        scores.append(
            SpeechScores(
                sequence.name,
                sequence.source,
                sequence.seconds,
                agreement >= IN_SYNC,
                name,
                curve[len(curve) // 2],
                float(_LAGS[best] / STEPS_PER_S),
                curve[best],
                lip_distance_mm(rows, true),
                closures(opening_mm, true_mm, moments),
                _closed_by_chance(opening_mm),
                float(spread),
            )
        )
    return scores


def made_from(
    sequence: SpokenSequence, count: int, how: Speaking, model: AudioModel | None
) -> np.ndarray:
    """(count, 52) of a sequence's sound, every 20 ms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes((sequence.samples * 32767).astype("<i2").tobytes())
        rows = motion_from_audio(path, model, how, STEPS_PER_S).coefficients
    return rows[np.minimum(np.arange(count), len(rows) - 1)]


def loudness(samples: np.ndarray, count: int) -> np.ndarray:
    """(count,) in [0, 1], every 20 ms: smoothed levels from 40 dB under the loud parts to these."""
    from scipy.ndimage import gaussian_filter1d

    step = RATE_HZ // STEPS_PER_S
    padded = np.zeros(count * step, np.float32)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    power = np.square(padded.reshape(count, step)).mean(1)
    level_db = 10 * np.log10(power + 1e-9)
    share = np.clip((level_db - np.percentile(level_db, 95)) / 40 + 1, 0, 1)
    return gaussian_filter1d(share, _LISTEN_S * STEPS_PER_S / 2)


def correlations(made_mm: np.ndarray, true_mm: np.ndarray) -> list[float]:
    """Correlations of made(t) and true(t + lag) at each of the lags; 0 where nothing moves."""
    found = []
    for lag in _LAGS:
        ours = made_mm[max(0, -lag) : len(made_mm) - max(0, lag)]
        theirs = true_mm[max(0, lag) : len(true_mm) - max(0, -lag)]
        still = min(ours.std(), theirs.std(), len(ours) / 10) < 1e-4
        found.append(0.0 if still else float(np.corrcoef(ours, theirs)[0, 1]))
    return found


def lip_distance_mm(made: np.ndarray, true: np.ndarray) -> float:
    """Mean distance of the lips' landmarks, of the coefficients (T, 52) that speech moves."""
    off = (made - true)[:, SPOKEN_INDICES]
    moved = np.tensordot(off, lip_shapes()[list(SPOKEN_INDICES)], 1)
    return float(np.linalg.norm(moved, axis=-1).mean())


def _closed(opening_mm: np.ndarray) -> np.ndarray:
    """(T,) bool: in the lowest quarter between the narrow (5 %) and the wide (95 %) moments.

    A mouth that does not move is never closed.
    """
    narrow, wide = np.percentile(opening_mm, (5, 95))
    if wide - narrow < _MOVES_MM:
        return np.zeros(len(opening_mm), bool)
    return opening_mm <= narrow + _CLOSED_SHARE * (wide - narrow)


def closures(
    made_mm: np.ndarray, true_mm: np.ndarray, moments: list[tuple[float, float]]
) -> tuple[int, int, int]:
    """Of the moments: at how many the true lips meet, at how many of these ours too, and all."""
    made, true = _closed(made_mm), _closed(true_mm)
    truly = both = 0
    for start_s, end_s in moments:
        first = max(0, round((start_s - _AROUND_S) * STEPS_PER_S))
        span = slice(first, round((end_s + _AROUND_S) * STEPS_PER_S) + 1)
        if true[span].any():
            truly += 1
            both += bool(made[span].any())
    return truly, both, len(moments)


def _closed_by_chance(opening_mm: np.ndarray) -> float:
    """Share of all spans as long as a bilabial's in which the mouth counts as closed."""
    width = round((2 * _AROUND_S + 0.07) * STEPS_PER_S)
    if opening_mm.std() < 1e-6 or len(opening_mm) <= width:
        return float("nan")
    spans = np.lib.stride_tricks.sliding_window_view(_closed(opening_mm), width)
    return float(spans.any(1).mean())


def fit_baselines(sequences: Iterable[SpokenSequence]) -> tuple[float, np.ndarray]:
    """How far the jaw opens at full loudness (least squares), and the mean row (52,)."""
    square = product = 0.0
    rows = []
    for sequence in sequences:
        true = sequence.at(np.arange(int(sequence.seconds * STEPS_PER_S)) / STEPS_PER_S)
        loud = loudness(sequence.samples, len(true))
        square += float(loud @ loud)
        product += float(loud @ true[:, _JAW])
        rows.append(true)
    if not rows:
        return 0.2, np.zeros(len(ARKIT_INDEX), np.float32)
    return product / max(square, 1e-9), np.concatenate(rows).mean(0)


def evaluate_speech(
    sequences: list[SpokenSequence],
    out: Path,
    jaw_gain: float,
    mean_row: np.ndarray,
    model: AudioModel | None = None,
    more: dict[str, str] | None = None,
) -> Path:
    """Write report.md with a table of all methods, one of every sequence, and more tables."""
    scores = []
    for sequence in progress(sequences, "speech", len(sequences), "sequences"):
        scores += score_sequence(sequence, jaw_gain, mean_row, model)
    lines = ["# Lip truth", "", *Environment.here().lines(), ""]
    for title, some in _groups(scores).items():
        lines += [f"## {title}", "", _summary(some), ""]
    for title, text in (more or {}).items():
        lines += [f"## {title}", "", text, ""]
    lines += ["## Every sequence", "", _each(scores), ""]
    path = Path(out) / "report.md"
    with written_beside(path) as partial:
        partial.write_text("\n".join(lines))
    return path


def _groups(scores: list[SpeechScores]) -> dict[str, list[SpeechScores]]:
    groups = {"All held-out sequences": scores}
    groups[f"Those in sync (loudness and true mouth correlate by {IN_SYNC} at some lag)"] = [
        s for s in scores if s.in_sync
    ]
    for source in sorted({s.source for s in scores}):
        groups[source] = [s for s in scores if s.source == source]
    return groups


def _summary(scores: list[SpeechScores]) -> str:
    rows = []
    for method in (MEAN, LOUDNESS, OURS):
        own = [s for s in scores if s.method == method]
        if not own:
            continue
        weight = np.array([s.seconds for s in own])
        lag_ms = 1000 * np.median([s.best_lag_s for s in own])
        truly, both, all_ = np.sum([s.closed for s in own], 0)

        def weighed(name: str, own=own, weight=weight) -> float:
            return float(np.average([getattr(s, name) for s in own], weights=weight))

        rows.append([
            method,
            f"{len(own)}, {weight.sum():.0f} s",
            f"{weighed('correlation'):.2f}",
            f"{np.median([s.correlation for s in own]):.2f}",
            f"{weighed('best_correlation'):.2f} at {lag_ms:+.0f} ms",
            f"{both} of {truly} ({all_} in all)" if truly else "none",
            f"{mean(s.by_chance for s in own):.2f}",
            f"{weighed('lips_mm'):.2f}",
            f"{weighed('diversity_mm'):.2f}",
        ])  # fmt: skip
    headings = ["method", "sequences", "correlation of opening", "median", "at best lag (median)",
                "bilabials closed", "closed by chance", "lips mm", "seeds mm"]  # fmt: skip
    return table(headings, rows)


def _each(scores: list[SpeechScores]) -> str:
    rows = [
        [s.sequence, s.source, f"{s.seconds:.1f}", "yes" if s.in_sync else "no",
         f"{s.correlation:.2f}", f"{s.best_correlation:.2f} at {1000 * s.best_lag_s:+.0f} ms",
         f"{s.lips_mm:.2f}"]
        for s in scores if s.method == OURS
    ]  # fmt: skip
    headings = ["sequence", "source", "s", "in sync", "correlation", "best", "lips mm"]
    return table(headings, rows)
