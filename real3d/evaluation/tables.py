"""Results to markdown tables: means over clips or photos, and a row for each."""

import math
from collections.abc import Iterable, Sequence

from real3d.evaluation.edits import EDIT_METHODS, EDITS, EditResult
from real3d.evaluation.self_reenactment import ClipResult
from real3d.evaluation.subject import COPY, METHODS, OURS, WARP
from real3d.evaluation.views import VIEW_METHODS, VIEWS_DEG, YAWS_DEG, ViewResult

METRICS = {
    "psnr_db": ("PSNR dB", 2),
    "ssim": ("SSIM", 3),
    "identity_to_source": ("identity to source", 3),
    "identity_to_target": ("identity to target", 3),
    "landmark_error_percent": ("landmarks % IOD", 2),
    "blendshape_error": ("blendshapes", 4),
    "pose_error_deg": ("pose °", 2),
    "jitter_percent": ("jitter % IOD", 2),
    "tracked_share": ("face tracked %", 1),
}
"""Key of a score, to its heading and decimals."""


def mean(values: Iterable[float]) -> float:
    """Mean of what is a number; NaN of nothing."""
    numbers = [float(value) for value in values if math.isfinite(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan


def mean_scores(clips: Sequence[ClipResult]) -> dict[str, dict[str, float]]:
    """Method, then metric, to the mean over clips of their means."""
    return {
        method: {key: mean(clip.scores[method][key] for clip in clips) for key in METRICS}
        for method in METHODS
    }


def self_reenactment_table(clips: Sequence[ClipResult]) -> str:
    """Methods and their means."""
    rows = []
    for method, scores in sorted(mean_scores(clips).items(), key=lambda item: item[0] == OURS):
        cells = [_score(key, scores[key]) for key in METRICS]
        rows.append([f"**{method}**" if method == OURS else method, *cells])
    return table(["method", *(heading for heading, _ in METRICS.values())], rows)


def clip_table(clips: Sequence[ClipResult]) -> str:
    """A row for each clip; where several numbers stand, copy / warp / ours."""
    keys = ("psnr_db", "ssim", "identity_to_source", "landmark_error_percent", "blendshape_error")
    headings = [METRICS[key][0] for key in keys]
    rows = []
    for clip in clips:
        scores = [
            " / ".join(_score(key, clip.scores[method][key]) for method in (COPY, WARP, OURS))
            for key in keys
        ]
        driver = number(clip.jitter_of_driver_percent, 2)
        jitter = f"{number(clip.scores[OURS]['jitter_percent'], 2)} ({driver})"
        lost = round(clip.frames * (1 - clip.scores[OURS]["tracked_share"]))
        left_out = f"{clip.faceless} / {clip.after_cut}"
        rows.append([clip.name, str(clip.frames), left_out, str(lost), *scores, jitter])
    start = ["clip", "frames", "no face / after a cut", "ours untracked"]
    return table([*start, *headings, "jitter (driver's)"], rows)


def edit_table(stills: Sequence[EditResult]) -> str:
    """What was asked for and what the tracker says, at rest and with the edit."""
    rows = []
    for edit in EDITS:
        row = [edit.name, edit.watched, f"{edit.asked_of_watched:g}"]
        for method in EDIT_METHODS:
            pairs = [still.seen[method][edit.name] for still in stills]
            rest, seen = (number(mean(pair[k] for pair in pairs), 2) for k in (0, 1))
            lost = sum(not math.isfinite(pair[1]) for pair in pairs)
            identity = number(mean(still.identity[method][edit.name] for still in stills), 3)
            row += [rest, seen + (f" ({lost} untracked)" if lost else ""), identity]
        rows.append(row)
    each = [f"{method}: {what}" for method in EDIT_METHODS for what in ("rest", "seen", "identity")]
    return table(["edit", "tracked", "asked", *each], rows)


def eye_table(stills: Sequence[EditResult]) -> str:
    """Lids and gaze, each eye for itself."""
    rows = []
    for name, values in (
        ("lids closed by a blink", lambda still, method: still.lid_closure[method]),
        *(
            (edit.name, lambda still, method, edit=edit: still.gaze_share[method][edit.name])
            for edit in EDITS
            if edit.gaze
        ),
    ):
        cells = [
            number(mean(values(still, method)[side] for still in stills), 2)
            for method in EDIT_METHODS
            for side in (0, 1)
        ]
        rows.append([name, *cells])
    sides = [f"{method}: {side} eye" for method in EDIT_METHODS for side in ("left", "right")]
    return table(["share of what was asked", *sides], rows)


def view_means(stills: Sequence[ViewResult]) -> dict[str, dict[str, float]]:
    """Method, then view, to the mean identity; "yaw ±30" is the mean of both sides."""
    means = {}
    for method in VIEW_METHODS:
        each = [mean(still.identity[method][k] for still in stills) for k in range(len(VIEWS_DEG))]
        both = {
            f"yaw ±{yaw}": mean(each[VIEWS_DEG.index((sign * yaw, 0.0))] for sign in (-1, 1))
            for yaw in YAWS_DEG
        }
        single = {_view_name(view): value for view, value in zip(VIEWS_DEG, each, strict=True)}
        means[method] = both | single
    return means


def view_table(stills: Sequence[ViewResult]) -> str:
    """Identity by view, and in how many views the tracker found the face."""
    means = view_means(stills)
    names = list(means[OURS])
    rows = []
    for method in VIEW_METHODS:
        rows.append([method, *(number(means[method][name], 3) for name in names)])
    for method in VIEW_METHODS:
        tracked = {
            _view_name(view): mean(100.0 * still.tracked[method][k] for still in stills)
            for k, view in enumerate(VIEWS_DEG)
        }
        tracked |= {
            f"yaw ±{yaw}": mean([tracked[f"yaw {yaw}"], tracked[f"yaw -{yaw}"]]) for yaw in YAWS_DEG
        }
        rows.append([f"{method}: tracked %", *(number(tracked[name], 0) for name in names)])
    return table(["identity to the photo", *names], rows)


def _view_name(view: tuple[float, float]) -> str:
    yaw, pitch = view
    return f"pitch {pitch:g}" if pitch else f"yaw {yaw:g}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float, decimals: int) -> str:
    """Rounded; a dash for what could not be measured."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "–"


def _score(key: str, value: float) -> str:
    return number(100 * value if key == "tracked_share" else value, METRICS[key][1])
