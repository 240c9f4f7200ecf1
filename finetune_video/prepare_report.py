"""What preparing gave: counts, why files were left out, who is who, and a contact sheet."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from finetune_video.people import cluster
from finetune_video.shard_set import Entry, PlannedShard
from real3d.evaluation import sheets
from real3d.files import written_beside
from real3d.training.shards import Shard

PEOPLE, REPORT, SHEET = "people.json", "report.md", "sheet.jpg"
_ROWS, _COLUMNS, _CELL_PX = 24, 8, 112
_EXAMPLES = 5
_GREEN = (60, 170, 90)
"""Stands behind people on the sheet, so that their mattes can be judged."""

Known = list[tuple[PlannedShard, list[Entry]]]
"""Shards that are there, and what is in them."""


def write_report(out: Path, known: Known, missing: int) -> Path:
    """Write people.json, sheet.jpg and report.md; missing: shards that are still to be made."""
    people = _people(known)
    if people:
        with written_beside(out / PEOPLE) as partial:
            partial.write_text(json.dumps(people, indent=1) + "\n", encoding="utf-8")
    rows = list(_sheet_rows(known, people))
    if rows:
        headings = [*(f"{k + 1}" for k in range(_COLUMNS - 1)), "matte"]
        sheets.write_sheet(out / SHEET, headings, rows, _CELL_PX)
    with written_beside(out / REPORT) as partial:
        partial.write_text(_markdown(known, people, missing, bool(rows)), encoding="utf-8")
    return out / REPORT


def _people(known: Known) -> dict[str, str]:
    """ "set/name" to a person, for all whose identity is known."""
    keys, embeddings = [], []
    for shard, entries in known:
        for entry in entries:
            if entry.frames and entry.embedding is not None:
                keys.append(f"{_set(shard)}/{entry.name}")
                embeddings.append(entry.embedding)
    if not keys:
        return {}
    persons = cluster(np.array(embeddings, np.float32))
    return {key: f"p{person:05d}" for key, person in zip(keys, persons, strict=True)}


def _set(shard: PlannedShard) -> str:
    return shard.path.stem.rpartition("_")[0]


def _markdown(known: Known, people: dict[str, str], missing: int, sheet: bool) -> str:
    entries = [entry for _, rows in known for entry in rows]
    kept = [entry for entry in entries if entry.frames]
    parts = [
        "# Prepared",
        f"{len(kept)} of {len(entries)} files are in {len(known)} shards: "
        f"{sum(entry.frames for entry in kept)} frames.",
    ]
    if missing:
        parts.append(f"{missing} shards are still to be made: run the same command again.")
    rows = []
    for kind in dict.fromkeys(entry.kind for entry in entries):
        own = [entry for entry in entries if entry.kind == kind]
        good = [entry for entry in own if entry.frames]
        sharp = [entry.sharpness for entry in good if entry.sharpness is not None]
        persons = {
            people[key]
            for shard, found in known
            for entry in found
            if entry.kind == kind and (key := f"{_set(shard)}/{entry.name}") in people
        }
        rows.append(
            [
                kind,
                len(own),
                len(good),
                sum(entry.frames for entry in good),
                len(persons) or "–",
                f"{np.median(sharp):.1f}" if sharp else "–",
            ]
        )
    parts.append(_table(["kind", "files", "kept", "frames", "people", "sharpness"], rows))
    reasons = Counter(entry.reason for entry in entries if entry.reason)
    if reasons:
        lines = []
        for reason, count in reasons.most_common():
            names = [entry.name for entry in entries if entry.reason == reason]
            more = ", …" if count > _EXAMPLES else ""
            lines.append([reason, count, ", ".join(names[:_EXAMPLES]) + more])
        parts += ["## Left out", _table(["why", "files", "such as"], lines)]
    if people:
        sizes = Counter(Counter(people.values()).values())
        lines = [[size, sizes[size]] for size in sorted(sizes)]
        parts += ["## People", _table(["files of one person", "people"], lines)]
    elif kept:
        parts.append(
            "People are not told apart: SFace is not installed (`pip install "
            '"real3d[evaluate]"`), or `--no-identity` was given.'
        )
    if sheet:
        parts += ["## Contact sheet", f"![Frames, and the first one's matte]({SHEET})"]
    return "\n\n".join(parts) + "\n"


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _sheet_rows(known: Known, people: dict[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    """Name and pictures of files evenly spread over all: frames, then the first one's matte."""
    shards = [(shard, rows) for shard, rows in known if any(entry.frames for entry in rows)]
    places = [
        (k, number)
        for k, (_, rows) in enumerate(shards)
        for number in range(sum(entry.frames > 0 for entry in rows))
    ]
    chosen = (
        [places[i * len(places) // _ROWS] for i in range(_ROWS)] if len(places) > _ROWS else places
    )
    opened: tuple[int, Shard | None] = (-1, None)
    for k, number in chosen:
        shard, rows = shards[k]
        if opened[0] != k:
            opened = (k, Shard.read(shard.path))
        entry = [entry for entry in rows if entry.frames][number]
        person = people.get(f"{_set(shard)}/{entry.name}", "")
        label = "\n".join([entry.name, f"{entry.kind}, {entry.frames} frames", person])
        yield label, _strip(opened[1], opened[1].clips[number])


def _strip(shard: Shard, frames: range) -> np.ndarray:
    """Up to seven frames of a clip and, last, the first one before green."""
    count = min(len(frames), _COLUMNS - 1)
    cells = []
    for frame in (frames[i * len(frames) // count] for i in range(count)):
        cells.append(cv2.resize(shard.decode("image", frame), (_CELL_PX,) * 2, interpolation=3))
    cells += [np.full_like(cells[0], 255)] * (_COLUMNS - 1 - count)
    alpha = cv2.resize(shard.decode("alpha", frames[0]), (_CELL_PX,) * 2)[..., None] / 255
    cells.append((cells[0] * alpha + np.array(_GREEN) * (1 - alpha)).astype(np.uint8))
    return np.concatenate(cells, 1)
