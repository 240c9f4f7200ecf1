"""Recordings of people who speak to sequences: sound and the 52 coefficients, frame by frame.

DATA may hold `speech.jsonl` with `speech/` (coefficients that were tracked elsewhere, as NAME.npz
beside NAME.ogg) and `clips.jsonl` with `clips/` (recordings, which are tracked here).
"""

import json
import logging
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from real3d.audio import RATE_HZ, read_audio
from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.tracking import FaceTracker
from real3d.motion import fill_gaps
from real3d.training.phones import find_phones
from real3d.training.speech_sequences import SpokenSequence
from real3d.video import VideoReader

_LOG = logging.getLogger(__name__)
_LONGEST_GAP_S = 0.3


@dataclass(frozen=True)
class SpeechConfig:
    """How recordings become sequences."""

    data: Path
    """Folder with speech.jsonl, clips.jsonl, or both, and the files they name."""
    out: Path
    """Folder of the sequences, one .npz each; what is there already is kept."""
    generated: bool = False
    """Track recordings that a video model made as well."""
    phones: bool = True
    """Find the sounds of speech as well, which helps the training (pocketsphinx)."""
    workers: int = 2
    """Processes."""


def _rows(config: SpeechConfig) -> Iterator[tuple[Path, dict]]:
    """Files with sound and motion, and what is known of them."""
    for row in _manifest(config.data / "speech.jsonl"):
        if row["audio"]:
            known = ("source", "speaker", "language", "split")
            generated = bool(row.get("synthetic"))
            yield (
                config.data / "speech" / f"{row['file']}.npz",
                {name: row.get(name) or "" for name in known} | {"generated": generated},
            )
    rows = [row for row in _manifest(config.data / "clips.jsonl") if row.get("speech")]
    for row in sorted(rows, key=lambda row: not row["real"]):
        if (row["real"] or config.generated) and row.get("style") in (None, "photo"):
            about = {"source": row["group"], "speaker": row["person"], "split": row["split"]}
            more = {"language": "", "generated": not row["real"]}
            yield config.data / "clips" / row["file"], about | more


def _manifest(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _tracked(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (T,) seconds and coefficients (T, 52) of the largest face of a recording."""
    times, rows = [], []
    with VideoReader(path) as video, FaceTracker(max_faces=1) as tracker:
        for time_s, image in video:
            faces = tracker.track(image)
            times.append(time_s)
            rows.append(faces[0].coefficients if faces else np.full(len(ARKIT_NAMES), np.nan))
    rows, times = np.array(rows, np.float32), np.array(times)
    return times, fill_gaps(times, rows, np.isfinite(rows).all(1), _LONGEST_GAP_S)


def _stored(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times and coefficients of an .npz that was tracked elsewhere."""
    names = json.loads((path.parent / "blendshape_names.json").read_text())
    order = [names.index(name) if name in names else -1 for name in ARKIT_NAMES]
    with np.load(path) as file:
        given, fps = file["blendshapes"].astype(np.float32), float(file["fps"])
    rows = np.concatenate([given, np.zeros((len(given), 1), np.float32)], 1)[:, order]
    times = np.arange(len(rows)) / fps
    return times, fill_gaps(times, rows, np.isfinite(rows).all(1), _LONGEST_GAP_S)


def _one(job: tuple[Path, dict, Path, bool]) -> str | None:
    """Write one sequence; what is wrong with it, or None."""
    path, about, target, with_phones = job
    try:
        stored = path.suffix == ".npz"
        samples = read_audio(path.with_suffix(".ogg") if stored else path)
        times_s, coefficients = _stored(path) if stored else _tracked(path)
        phones = find_phones(samples) if with_phones else None
    except Real3DError as error:
        return str(error)
    SpokenSequence(target.stem, samples, times_s, coefficients, **about, phones=phones).write(
        target
    )
    return None


def _start() -> None:
    import cv2

    cv2.setNumThreads(1)


def prepare_speech(config: SpeechConfig) -> None:
    """Write the sequences; a recording that cannot be used is named and left out."""
    config.out.mkdir(parents=True, exist_ok=True)
    jobs = [
        (path, about, config.out / f"{path.parent.name}-{path.stem}.npz", config.phones)
        for path, about in _rows(config)
    ]
    if not jobs:
        raise Real3DError(f"{config.data}: no speech.jsonl or clips.jsonl with speech in it.")
    if config.phones:
        find_phones(np.zeros(RATE_HZ, np.float32))  # says at once if pocketsphinx is missing
    jobs = [job for job in jobs if not job[2].exists()]
    with multiprocessing.get_context("spawn").Pool(config.workers, _start) as pool:
        wrong = [w for w in tqdm(pool.imap(_one, jobs), "speech", len(jobs)) if w]
    for sentence in wrong:
        _LOG.warning("left out: %s", sentence)
    _LOG.info("%s: %d sequences", config.out, len(list(config.out.glob("*.npz"))))
