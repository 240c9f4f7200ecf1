"""The report: markdown around the tables, and sheets of what the numbers are about."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from real3d.evaluation import sheets, tables
from real3d.evaluation.edits import EDIT_COLUMNS, EDIT_METHODS, EditResult
from real3d.evaluation.self_reenactment import STRIP, ClipResult
from real3d.evaluation.store import Store
from real3d.evaluation.subject import OURS
from real3d.evaluation.views import VIEWS_DEG, ViewResult

_SHOWN_CLIPS, _SHOWN_STILLS = 4, 8
_CELL_PX = {"clip": 256, "edits": 176, "views": 160}


@dataclass(frozen=True)
class Protocol:
    """What is measured, and how much of it."""

    size: int = 256
    """Side of the compared pictures, px."""
    every: int = 3
    """Every so-manieth frame of a recording is compared."""
    seconds: float = 20.0
    """Of each recording, counted from the frame that makes the avatar."""
    clips: int | None = None
    stills: int | None = None
    """At most so many, evenly spread over the manifest; None for all."""


@dataclass(frozen=True)
class Results:
    """All that was measured, in the order of the manifest, and what was refused and why."""

    clips: dict[Path, ClipResult]
    edits: dict[Path, EditResult]
    views: dict[Path, ViewResult]
    refused: list[str]


def write_sheets(out: Path, store: Store, results: Results) -> dict[str, str]:
    """Kind to the name of its sheet, for what there is."""
    ranked = sorted(results.clips, key=lambda path: results.clips[path].scores[OURS]["psnr_db"])
    middle = max((len(ranked) - _SHOWN_CLIPS) // 2, 0)
    worst, typical = ranked[:_SHOWN_CLIPS], ranked[middle : middle + _SHOWN_CLIPS]
    clips = [(path, _clip_label("worst", results.clips[path])) for path in worst]
    clips += [
        (path, _clip_label("typical", results.clips[path])) for path in typical if path not in worst
    ]
    both = "\n".join(("upper row:", EDIT_METHODS[0], "lower row:", EDIT_METHODS[1]))
    views = [f"yaw {yaw:g}" if not pitch else f"pitch {pitch:g}" for yaw, pitch in VIEWS_DEG]
    written = {}
    for kind, headings, items in (
        ("clip", STRIP, clips),
        ("edits", EDIT_COLUMNS, [(p, f"{p.stem}\n{both}") for p in _few(results.edits)]),
        ("views", ("photo", *views), [(p, p.stem) for p in _few(results.views)]),
    ):
        if items:
            name = {"clip": "self_reenactment"}.get(kind, kind) + ".jpg"
            rows = [(label, store.picture(kind, path)) for path, label in items]
            sheets.write_sheet(out / name, headings, rows, _CELL_PX[kind])
            written[kind] = name
    return written


def _few(results: dict[Path, object]) -> list[Path]:
    paths = list(results)
    chosen = np.linspace(0, len(paths) - 1, min(len(paths), _SHOWN_STILLS)).round().astype(int)
    return [paths[k] for k in chosen]


def _clip_label(rank: str, clip: ClipResult) -> str:
    scores = clip.scores[OURS]
    return (
        f"{clip.name}\n{rank} by PSNR\n{scores['psnr_db']:.2f} dB\n"
        f"landmarks {scores['landmark_error_percent']:.2f} %\n"
        f"identity {scores['identity_to_source']:.2f}"
    )


def report(header: list[str], protocol: Protocol, results: Results, pictures: dict) -> str:
    clips, edits, views = (
        list(found.values()) for found in (results.clips, results.edits, results.views)
    )
    parts = ["# Evaluation", "\n".join(header)]
    if clips:
        parts += _self_reenactment(protocol, clips, pictures["clip"])
    if edits:
        parts += [
            f"## Edits: {len(edits)} photos",
            "Expressions asked of a neutral face beside what the tracker says of the picture, at "
            "rest and with the edit; means over the photos.",
            tables.edit_table(edits),
            "Lid gap closed by eyeBlink = 1 (1 is shut), and motion of the irises between the eye "
            "corners as a share of the mesh's.",
            tables.eye_table(edits),
            f"![Edits]({pictures['edits']})",
        ]
    if views:
        parts += [
            f"## Views: {len(views)} photos",
            "Identity (SFace cosine) between the photo and views counted from facing the camera. "
            "Where the tracker loses the face, the mesh's landmarks align it.",
            tables.view_table(views),
            f"![Views]({pictures['views']})",
        ]
    if results.refused:
        parts += ["## Refused", "\n".join(f"- {reason}" for reason in results.refused)]
    return "\n\n".join(parts) + "\n"


def _self_reenactment(protocol: Protocol, clips: list[ClipResult], picture: str) -> list[str]:
    frames = sum(clip.frames for clip in clips)
    left_out = {
        "showed no face": sum(clip.faceless for clip in clips),
        "came after a cut to somebody else": sum(clip.after_cut for clip in clips),
        "stood before the first face": sum(clip.skipped_frames for clip in clips),
    }
    counts = ", ".join(f"{count} {what}" for what, count in left_out.items())
    return [
        f"## Self-reenactment: {len(clips)} clips, {frames} frames",
        "The avatar is made from the first frame with a face alone; every "
        f"{protocol.every}. frame of the next {protocol.seconds:g} s is compared at "
        f"{protocol.size} px, where the recording covers it. Means over clips. Frames left out: "
        f"{counts}. IOD: interocular distance; jitter: second difference of the landmarks over the "
        f"compared frames (the driver's own: "
        f"{tables.number(tables.mean(c.jitter_of_driver_percent for c in clips), 2)}).",
        tables.self_reenactment_table(clips),
        f"![Self-reenactment]({picture})",
        "Three numbers in a cell: copy the source / geometric warp / Real3D.",
        tables.clip_table(clips),
    ]
