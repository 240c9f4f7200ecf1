"""Sequences of somebody who speaks, on disk: sound and the tracked coefficients."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.audio import RATE_HZ
from real3d.errors import Real3DError
from real3d.files import written_beside

_FIELDS = ("source", "speaker", "language", "split", "generated")


@dataclass(frozen=True)
class SpokenSequence:
    """One recording."""

    name: str
    samples: np.ndarray
    """(N,) float32 at 16 kHz."""
    times_s: np.ndarray
    """(T,) seconds of the coefficients, rising."""
    coefficients: np.ndarray
    """(T, 52) float32."""
    source: str = ""
    """Where it comes from: recordings of one source are out of sync by the same time, if at all."""
    speaker: str = ""
    language: str = ""
    split: str = "train"
    generated: bool = False
    """Whether a video model made it."""
    phones: np.ndarray | None = None
    """(P,) uint8 every 10 ms, see real3d.training.phones, where they were looked for."""

    @property
    def seconds(self) -> float:
        """Length of what is both heard and seen."""
        return float(min(self.times_s[-1], len(self.samples) / RATE_HZ))

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """(N, 52) coefficients at times (N,), linearly between those that are known."""
        columns = [np.interp(times_s, self.times_s, column) for column in self.coefficients.T]
        return np.stack(columns, 1).astype(np.float32)

    def write(self, path: Path) -> Path:
        """Write an .npz: 16-bit sound, coefficients in half precision."""
        about = {name: getattr(self, name) for name in _FIELDS}
        with written_beside(Path(path)) as partial:
            more = {} if self.phones is None else {"phones": self.phones}
            np.savez(
                partial,
                samples=(self.samples.clip(-1, 1) * 32767).astype(np.int16),
                times_s=self.times_s.astype(np.float32),
                coefficients=self.coefficients.astype(np.float16),
                about=json.dumps(about),
                **more,
            )
        return Path(path)

    @classmethod
    def read(cls, path: Path) -> "SpokenSequence":
        """Read what write wrote. Raises Real3DError for other files."""
        try:
            with np.load(path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                return cls(
                    Path(path).stem,
                    file["samples"].astype(np.float32) / 32767,
                    file["times_s"].astype(np.float64),
                    file["coefficients"].astype(np.float32),
                    **{name: about[name] for name in _FIELDS},
                    phones=file.get("phones"),
                )
        except (KeyError, ValueError, OSError) as error:
            raise Real3DError(
                f"{path}: not a sequence of speech. Make some with "
                "python -m finetune_video prepare-speech."
            ) from error


def read_split(folder: Path, split: str) -> Iterator[SpokenSequence]:
    """The sequences of one split in a folder, in the order of their names."""
    if not Path(folder).is_dir():
        raise Real3DError(f"{folder}: no such folder. Pass one that prepare-speech made.")
    for path in sorted(Path(folder).glob("*.npz")):
        sequence = SpokenSequence.read(path)
        if sequence.split == split and len(sequence.times_s) > 1:
            yield sequence
