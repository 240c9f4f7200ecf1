"""Sound in: any file that PyAV can read as mono float32 at 16 kHz, streamed."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from real3d.errors import Real3DError
from real3d.files import for_ffmpeg, require_file

_LOG = logging.getLogger(__name__)

RATE_HZ = 16_000
"""Samples a second, everywhere inside."""
SILENT_DB = -60.0
"""A recording whose loud parts stay below this (decibels under full scale) is silent."""
_CANCELLED = 0.01
"""Share of the channels' power below which their mean has lost what is in them."""
LONGEST_S = 12 * 3600.0
WANTED = "a recording with sound (WAV, MP3, FLAC, M4A, OGG, or a video)"
_FRAME_S = 0.02
_LOUD_SHARE = 0.95
_LOWEST_DB, _DB_STEP = -120.0, 0.5
_PAUSE_DB = 35.0
_CLICK = 3


@dataclass(frozen=True)
class Loudness:
    """How long and how loud a recording is."""

    seconds: float
    level_db: float
    """Of its loud parts, decibels under full scale: the 95th percentile of all pieces of 20 ms
    that are within 35 dB of the loudest."""


class AudioReader:
    """Samples of a recording, piece by piece; a context manager and an iterable, to be read once.

    `with AudioReader(path) as sound: for piece in sound: ...` yields (n,) float32 at 16 kHz, all
    channels mixed. Time 0 is the first picture where the recording has pictures, otherwise the
    first sample: what lies before is left out, what is missing is silence.

    Raises Real3DError for what cannot be read and where there is no sound track.
    """

    def __init__(self, path: Path):
        self.path = require_file(path, WANTED)
        try:
            self._container = av.open(for_ffmpeg(path))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise Real3DError(
                f"{path}: not a recording that can be read, or cut off. Pass {WANTED}."
            ) from error
        if not self._container.streams.audio:
            self.close()
            raise Real3DError(f"{path}: there is no sound track in it. Pass {WANTED}.")

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _start_s(self) -> float | None:
        """When the pictures start, if there are any; a cover picture is none."""
        for stream in self._container.streams.video:
            if stream.start_time is not None and not stream.disposition & 0x400:  # attached_pic
                return float(stream.start_time * stream.time_base)
        return None

    def __iter__(self) -> Iterator[np.ndarray]:
        start_s, count = self._start_s(), 0
        skip: int | None = None
        try:
            for samples, time_s in self._resampled():
                if skip is None:
                    late_s = 0.0 if start_s is None else time_s - start_s
                    skip = round(-late_s * RATE_HZ)
                    if skip < 0:  # the sound starts after the pictures
                        yield np.zeros(-skip, np.float32)
                        skip = 0
                kept, skip = samples[skip:], max(0, skip - len(samples))
                count += len(kept)
                if count > LONGEST_S * RATE_HZ:
                    raise Real3DError(f"{self.path}: longer than {LONGEST_S / 3600:g} hours.")
                if len(kept):
                    yield np.nan_to_num(kept, posinf=0, neginf=0)
        except (av.error.FFmpegError, ValueError) as error:
            if not count:
                raise Real3DError(f"{self.path}: its sound cannot be decoded ({error}).") from error
            _LOG.warning("%s: damaged after %.1f s of sound", self.path, count / RATE_HZ)
        if not count:
            raise Real3DError(f"{self.path}: there is no sound in it. Pass {WANTED}.")

    def _resampled(self) -> Iterator[tuple[np.ndarray, float]]:
        """Pieces and the time of the frame that they came from."""
        resampler = av.AudioResampler(format="fltp", rate=RATE_HZ)
        time_s = 0.0
        for frame in self._container.decode(audio=0):
            time_s = frame.time or 0.0
            for piece in resampler.resample(frame):
                yield _mixed(piece.to_ndarray()), time_s
        for piece in resampler.resample(None):
            yield _mixed(piece.to_ndarray()), time_s


def read_audio(path: Path, longest_s: float = 600.0) -> np.ndarray:
    """(N,) float32 at 16 kHz: a whole short recording in memory.

    Raises Real3DError as AudioReader does, and for recordings longer than longest_s.
    """
    pieces, count = [], 0
    with AudioReader(path) as sound:
        for piece in sound:
            pieces.append(piece)
            count += len(piece)
            if count > longest_s * RATE_HZ:
                raise Real3DError(f"{path}: longer than {longest_s:g} s.")
    return np.concatenate(pieces)


def measure_loudness(path: Path) -> Loudness:
    """Length and level of a recording, read once, piece by piece.

    Raises Real3DError where nothing can be heard.
    """
    bins = np.zeros(round((20 - _LOWEST_DB) / _DB_STEP), np.int64)
    size = round(_FRAME_S * RATE_HZ)
    left, count = np.zeros(0, np.float32), 0
    with AudioReader(path) as sound:
        for piece in sound:
            count += len(piece)
            left = np.concatenate([left, piece])
            whole = len(left) // size * size
            bins += np.bincount(_bin(left[:whole].reshape(-1, size)), minlength=len(bins))
            left = left[whole:]
    if not bins.any():
        raise Real3DError(f"{path}: only {count / RATE_HZ:.3f} s of sound. At least 0.02 s needed.")
    loudest = len(bins) - int(np.searchsorted(np.cumsum(bins[::-1]), min(_CLICK, bins.sum())))
    bins[: max(0, loudest - round(_PAUSE_DB / _DB_STEP))] = 0  # pauses, however long, do not count
    loud = int(np.searchsorted(np.cumsum(bins), _LOUD_SHARE * bins.sum()))
    level_db = _LOWEST_DB + loud * _DB_STEP
    if level_db < SILENT_DB:
        raise Real3DError(
            f"{path}: silent (its loud parts reach {level_db:g} dB, needs {SILENT_DB:g} dB). "
            "Pass a recording in which somebody speaks."
        )
    return Loudness(count / RATE_HZ, level_db)


def _mixed(channels: np.ndarray) -> np.ndarray:
    """(n,) of channels (C, n): their mean, or the first where they cancel each other out."""
    mean = channels.mean(0)
    cancelled = np.square(mean).mean() < _CANCELLED * np.square(channels).mean()
    return channels[0] if cancelled else mean


def _bin(pieces: np.ndarray) -> np.ndarray:
    """Which bin of loudness each of the pieces (n, samples) falls into."""
    power = np.square(pieces, dtype=np.float64).mean(1)
    level_db = 10 * np.log10(power + 10 ** (_LOWEST_DB / 10))
    return ((level_db.clip(_LOWEST_DB, 19) - _LOWEST_DB) / _DB_STEP).astype(np.int64)
