"""What is prepared: recordings, camera sweeps and photos that manifests name, or a plain folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from real3d.errors import Real3DError

CLIPS, ORBITS, PORTRAITS = "clips", "orbits", "portraits"
SETS = (CLIPS, ORBITS, PORTRAITS)
"""Sets of shards; each may have a manifest."""
_VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi")
_PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_WANTED = (
    'Pass a folder with clips.jsonl, orbits.jsonl or portraits.jsonl (lines like {"file": '
    '"me.mp4", "split": "train"}), a folder of videos, or one video.'
)
_OTHER_STYLE = "no photograph"


@dataclass(frozen=True)
class FrameCounts:
    """Frames that are taken of a recording."""

    real: int
    generated: int
    orbit: int


@dataclass(frozen=True)
class Source:
    """One file to prepare."""

    path: Path
    name: str
    """Unlike that of all others of its set."""
    kind: str
    """"real", "generated", "orbit", or "still-" and a tier."""
    frames: int
    """How many to take; 1 is a photo."""
    refused: str = ""
    """Why the manifest itself rules it out."""


def read_sources(data: Path, split: str, counts: FrameCounts) -> dict[str, list[Source]]:
    """Set to its files, in the order of the manifest, or by name where there is none.

    Raises Real3DError for what is missing, for a manifest that is none, and where nothing is named.
    """
    if not data.exists():
        raise Real3DError(f"{data}: no such folder. {_WANTED}")
    manifests = {name: data / f"{name}.jsonl" for name in SETS}
    if any(path.is_file() for path in manifests.values()):
        found = {n: _named(n, p, split, counts) for n, p in manifests.items() if p.is_file()}
        nothing = f'no manifest there has a row with "split": "{split}".'
    else:
        found = _plain(data, counts)
        nothing = "neither manifests nor videos nor photos are in it."
    found = {name: sources for name, sources in found.items() if sources}
    if not found:
        raise Real3DError(f"{data}: {nothing} {_WANTED}")
    return found


def _plain(data: Path, counts: FrameCounts) -> dict[str, list[Source]]:
    """Every video and photo in a folder and those below, or a file itself."""
    root = data if data.is_dir() else data.parent
    files = sorted(p for p in data.rglob("*") if p.is_file()) if data.is_dir() else [data]

    def sources(suffixes: tuple[str, ...], kind: str, frames: int) -> list[Source]:
        chosen = [path for path in files if path.suffix.lower() in suffixes]
        names = [path.relative_to(root).with_suffix("").as_posix() for path in chosen]
        return [
            Source(path, name.replace("/", "-"), kind, frames)
            for path, name in zip(chosen, _distinct(names), strict=True)
        ]

    return {
        CLIPS: sources(_VIDEO_SUFFIXES, "real", counts.real),
        PORTRAITS: sources(_PHOTO_SUFFIXES, "still-own", 1),
    }


def _distinct(names: list[str]) -> Iterator[str]:
    """The names; one that stands before already (another suffix) gets a number."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}-{seen[name]}"


def _named(name: str, manifest: Path, split: str, counts: FrameCounts) -> list[Source]:
    rows = [row for row in _rows(manifest) if row.get("split", split) == split]
    names = _distinct([Path(row["file"]).with_suffix("").as_posix() for row in rows])
    sources = []
    for row, own in zip(rows, names, strict=True):
        if name == PORTRAITS:
            kind, frames = f"still-{row.get('tier', 'own')}", 1
        elif name == ORBITS:
            kind, frames = "orbit", counts.orbit
        elif row.get("real", True):
            kind, frames = "real", counts.real
        else:
            kind, frames = "generated", counts.generated
        refused = "" if row.get("style") in (None, "photo") else _OTHER_STYLE
        path = _place(manifest, row["file"])
        sources.append(Source(path, own.replace("/", "-"), kind, frames, refused))
    return sources


def _place(manifest: Path, file: str) -> Path:
    """A file in the folder that has the manifest's name, or beside the manifest."""
    inside = manifest.parent / manifest.stem / file
    return (
        inside
        if inside.is_file() or not (manifest.parent / file).is_file()
        else (manifest.parent / file)
    )


def _rows(manifest: Path) -> list[dict]:
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Real3DError(f"{manifest}: not a text file. {_WANTED}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            file = row["file"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise Real3DError(
                f'{manifest}: line {number} is no JSON object with a "file". {_WANTED}'
            ) from error
        if not isinstance(file, str):
            raise Real3DError(f'{manifest}: line {number}: "file" is no text. {_WANTED}')
        rows.append(row)
    return rows
