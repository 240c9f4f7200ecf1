"""Shards of bounded size, each with a note of what is in it; the notes are all the state there is.

Shard k of a set holds the files k·n to (k+1)·n of its manifest: so a run that was stopped, and
several machines at once, agree on who makes what without asking anybody.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from finetune_video.harvest import FrameSettings, Harvest
from finetune_video.sources import Source
from real3d.errors import Real3DError
from real3d.files import written_beside
from real3d.training.shards import write_shard

_FORMAT = "finetune_video.shard"


@dataclass(frozen=True)
class Entry:
    """What a note says of one file."""

    name: str
    kind: str
    frames: int
    """Kept; 0 where it was left out."""
    reason: str
    """Why it was left out; empty otherwise."""
    sharpness: float | None
    embedding: list[float] | None
    """Of the person's identity, length 1; None without an identity network."""


@dataclass(frozen=True)
class PlannedShard:
    """A shard that is there or is to be made."""

    path: Path
    """SET_NNN.npz; it is missing where nothing could be kept."""
    sources: tuple[Source, ...]

    @property
    def note(self) -> Path:
        """Where its note is: SET_NNN.json."""
        return self.path.with_suffix(".json")

    def entries(self, settings: FrameSettings) -> list[Entry] | None:
        """What is in it; None where it is to be made, for the first time or because it has grown.

        Raises Real3DError where it holds other files, or was made with other settings.
        """
        entries = read_note(self.note, settings)
        if entries is None:
            return None
        names = [source.name for source in self.sources]
        found = [entry.name for entry in entries]
        if found != names[: len(found)]:
            raise Real3DError(
                f"{self.note}: holds other files than the data name now. Choose another --out, or "
                "remove this set of shards."
            )
        whole = self.path.is_file() or not any(entry.frames for entry in entries)
        return entries if whole and len(found) == len(names) else None

    def write(self, harvests: Sequence[Harvest], settings: FrameSettings) -> list[Entry]:
        """Write the shard, then its note; returns what the note says."""
        entries = [_entry(harvest) for harvest in harvests]
        clips = [harvest.clip for harvest in harvests if harvest.clip is not None]
        if clips:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                write_shard(self.path, clips)
            except OSError as error:
                self.path.with_suffix(".part.npz").unlink(missing_ok=True)
                raise Real3DError(
                    f"{self.path}: cannot be written ({error.strerror}). Shards that are there "
                    "are kept: run again when that is mended."
                ) from error
        else:
            self.path.unlink(missing_ok=True)  # what was there has been made anew
        note = {
            "format": _FORMAT,
            "settings": asdict(settings),
            "files": [asdict(entry) for entry in entries],
        }
        with written_beside(self.note) as partial:
            partial.write_text(json.dumps(note) + "\n", encoding="utf-8")
        return entries


def plan(out: Path, name: str, sources: Sequence[Source], size: int) -> list[PlannedShard]:
    """The shards of a set, with so many files each."""
    starts = range(0, len(sources), size)
    return [
        PlannedShard(out / f"{name}_{k:03d}.npz", tuple(sources[start : start + size]))
        for k, start in enumerate(starts)
    ]


def read_note(path: Path, settings: FrameSettings | None = None) -> list[Entry] | None:
    """What a note says; None where there is none, or where it is damaged.

    Raises Real3DError where its shard was made with other settings than those given.
    """
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        if note["format"] != _FORMAT:
            return None
        entries = [Entry(**row) for row in note["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if settings is not None and note.get("settings") != asdict(settings):
        changed = [k for k, v in asdict(settings).items() if note["settings"].get(k) != v]
        options = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
        raise Real3DError(f"{path}: made with another {options}. Choose another --out.")
    return entries


def _entry(harvest: Harvest) -> Entry:
    sharp, embedding = harvest.sharpness, harvest.embedding
    return Entry(
        harvest.source.name,
        harvest.source.kind,
        len(harvest.clip.frames) if harvest.clip else 0,
        harvest.reason,
        round(sharp, 2) if np.isfinite(sharp) else None,
        None if embedding is None else [round(float(x), 4) for x in embedding],
    )
