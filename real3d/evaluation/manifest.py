"""What is evaluated: recordings and photos that a JSON-lines manifest names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from real3d.errors import Real3DError

_VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi")
_ORBITS = "orbits"
_FOLDER_MANIFESTS = ("clips.jsonl", "portraits.jsonl", f"{_ORBITS}.jsonl")
_WANTED = (
    'Pass a file with lines like {"file": "me.mp4"}, or a folder with clips.jsonl or '
    "portraits.jsonl."
)
T = TypeVar("T")


@dataclass(frozen=True)
class Manifest:
    """Files to evaluate on; what trained the model must not be among them."""

    clips: tuple[Path, ...]
    """Recordings, for self-reenactment."""
    stills: tuple[Path, ...]
    """Photos, for edits and views."""
    orbits: tuple[Path, ...] = ()
    """Camera sweeps around heads that keep still."""

    def picked(
        self, clips: int | None, stills: int | None, orbits: int | None = None
    ) -> "Manifest":
        """At most so many of each, evenly spread; None keeps all."""
        return Manifest(
            spread(self.clips, clips), spread(self.stills, stills), spread(self.orbits, orbits)
        )


def read_manifest(path: Path) -> Manifest:
    """Read one manifest, or those of a folder (clips.jsonl, portraits.jsonl, orbits.jsonl).

    A row is a JSON object with "file", relative to the manifest or to the folder beside it that has
    its name ("clips/" of clips.jsonl). Where rows have a "split", only "val" counts. Recordings
    that orbits.jsonl names are camera sweeps.

    Raises Real3DError for a file that is no such manifest or names a file that is not there.
    """
    path = Path(path)
    files = [path / name for name in _FOLDER_MANIFESTS] if path.is_dir() else [path]
    files = [file for file in files if file.is_file()]
    if not files:
        raise Real3DError(f"{path}: no manifest found. {_WANTED}")
    rows = {manifest.stem: _rows(manifest) for manifest in files}
    if not any(rows.values()):
        raise Real3DError(f'{path}: nothing to evaluate: no row has "split": "val". {_WANTED}')
    orbits = rows.pop(_ORBITS, [])
    found = [file for files in rows.values() for file in files]
    videos = tuple(file for file in found if file.suffix.lower() in _VIDEO_SUFFIXES)
    stills = tuple(file for file in found if file not in set(videos))
    return Manifest(videos, stills, tuple(orbits))


def _rows(manifest: Path) -> list[Path]:
    files = []
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Real3DError(f"{manifest}: not a text file. {_WANTED}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name, split = row["file"], row.get("split", "val")
        except (json.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
            raise Real3DError(
                f'{manifest}: line {number} is no JSON object with a "file". {_WANTED}'
            ) from error
        if split == "val":
            files.append(_existing(manifest, name, number))
    return files


def _existing(manifest: Path, name: str, line: int) -> Path:
    for folder in (manifest.parent / manifest.stem, manifest.parent):
        if (folder / name).is_file():
            return folder / name
    raise Real3DError(f"{manifest}: line {line} names {name}, which is not there.")


def spread(items: Sequence[T], count: int | None) -> tuple[T, ...]:
    """At most so many of the items, evenly spread; None keeps all."""
    if count is None or count >= len(items):
        return tuple(items)
    return tuple(items[k * len(items) // count] for k in range(count))
