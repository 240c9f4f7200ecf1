"""Results to markdown tables: means over clips or photos, and a row for each."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from real3d.evaluation.comparison import pixel_key
from real3d.evaluation.cross_reenactment import CrossResult
from real3d.evaluation.edits import EDIT_METHODS, EDITS, LIPS_CLOSED, EditResult
from real3d.evaluation.orbits import OrbitResult
from real3d.evaluation.self_reenactment import ClipResult
from real3d.evaluation.several_photos import SOURCE_COUNTS, SeveralResult
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
HED_VGG = ("HED-VGG", 3)
CROSS_METRICS = {
    "identity": ("identity to the photo", 3),
    "expression_error": ("expression", 4),
    "pose_error_deg": ("pose °", 2),
    "tracked_share": ("face tracked %", 1),
}
Table = dict[str, dict[str, float]]
"""Method, then metric, to a number."""


def mean(values: Iterable[float]) -> float:
    """Mean of what is a number; NaN of nothing."""
    numbers = [float(value) for value in values if math.isfinite(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan


def median(values: Iterable[float]) -> float:
    """Median of what is a number; NaN of nothing."""
    numbers = [float(value) for value in values if math.isfinite(value)]
    return float(np.median(numbers)) if numbers else math.nan


def scores_over(results: Sequence[ClipResult | OrbitResult], over=mean) -> Table:
    """Method, then metric, to the mean over results of their means; over may be median."""
    if not results:
        return {}
    keys = results[0].scores[OURS]
    return {
        method: {key: over(result.scores[method][key] for result in results) for key in keys}
        for method in METHODS
    }


def cross_over(stills: Sequence[CrossResult], over=mean) -> Table:
    """The same over photos and drivers."""
    if not stills:
        return {}
    return {
        method: {
            key: over(each[method][key] for still in stills for each in still.scores.values())
            for key in CROSS_METRICS
        }
        for method in METHODS
    }


def several_over(clips: Sequence[SeveralResult], over=mean) -> Table:
    """Number of sources, then metric, to the mean over clips."""
    if not clips:
        return {}
    keys = clips[0].scores["1"]
    return {
        str(count): {key: over(clip.scores[str(count)][key] for clip in clips) for key in keys}
        for count in SOURCE_COUNTS
    }


def edits_over(stills: Sequence[EditResult]) -> Table:
    """Method, then "edit, what", to the mean over photos."""
    if not stills:
        return {}
    means: Table = {}
    for method in EDIT_METHODS:
        row = means[method] = {}
        for edit in EDITS:
            row[f"{edit.name}, seen"] = mean(s.seen[method][edit.name][1] for s in stills)
            row[f"{edit.name}, identity"] = mean(s.identity[method][edit.name] for s in stills)
            if edit.name != LIPS_CLOSED:
                share = mean(s.motion_share[method][edit.name] for s in stills)
                row[f"{edit.name}, motion share"] = share
            if edit.gaze:
                eyes = (value for s in stills for value in s.gaze_share[method][edit.name])
                row[f"{edit.name}, iris share"] = mean(eyes)
        row["lid closure"] = mean(value for s in stills for value in s.lid_closure[method])
        row["lip closure"] = mean(s.lip_closure[method] for s in stills)
    return means


def method_rows(means: Table, metrics: dict[str, tuple[str, int]], suffix: str = "") -> list:
    """Rows of methods, ours last and in bold."""
    rows = []
    for method, scores in sorted(means.items(), key=lambda item: item[0] == OURS):
        cells = [score(key, scores[key], decimals) for key, (_, decimals) in metrics.items()]
        name = method + suffix
        rows.append([f"**{name}**" if method == OURS and not suffix else name, *cells])
    return rows


def self_reenactment_table(clips: Sequence[ClipResult], sizes: Sequence[int]) -> str:
    """Methods and their means, then their medians; pixels at each size."""
    means, medians = scores_over(clips), scores_over(clips, median)
    metrics = dict(METRICS)
    if math.isfinite(means[OURS]["hed_vgg"]):
        metrics["hed_vgg"] = HED_VGG
    for size in sizes[1:]:
        for key in ("psnr_db", "ssim"):
            heading, decimals = METRICS[key]
            metrics[pixel_key(key, size, sizes[0])] = (f"{heading} at {size}", decimals)
    rows = method_rows(means, metrics) + method_rows(medians, metrics, ", median")
    return table(["method", *(heading for heading, _ in metrics.values())], rows)


def clip_table(clips: Sequence[ClipResult]) -> str:
    """A row for each clip; where several numbers stand, copy / warp / ours."""
    keys = ("psnr_db", "ssim", "identity_to_source", "landmark_error_percent", "blendshape_error")
    headings = [METRICS[key][0] for key in keys]
    rows = []
    for clip in clips:
        scores = [
            " / ".join(
                score(key, clip.scores[method][key], METRICS[key][1])
                for method in (COPY, WARP, OURS)
            )
            for key in keys
        ]
        driver = number(clip.jitter_of_driver_percent, 2)
        jitter = f"{number(clip.scores[OURS]['jitter_percent'], 2)} ({driver})"
        lost = round(clip.frames * (1 - clip.scores[OURS]["tracked_share"]))
        left_out = f"{clip.faceless} / {clip.after_cut}"
        rows.append([clip.name, str(clip.frames), left_out, str(lost), *scores, jitter])
    start = ["clip", "frames", "no face / after a cut", "ours untracked"]
    return table([*start, *headings, "jitter (driver's)"], rows)


def cross_table(stills: Sequence[CrossResult]) -> str:
    """Methods and their means, then their medians, over photos and drivers."""
    rows = method_rows(cross_over(stills), CROSS_METRICS)
    rows += method_rows(cross_over(stills, median), CROSS_METRICS, ", median")
    return table(["method", *(heading for heading, _ in CROSS_METRICS.values())], rows)


def driver_table(stills: Sequence[CrossResult]) -> str:
    """A row for each driver: ours over all photos."""
    names = list(dict.fromkeys(name for still in stills for name in still.scores))
    rows = []
    for name in names:
        ours = [still.scores[name][OURS] for still in stills if name in still.scores]
        cells = [
            score(key, mean(each[key] for each in ours), decimals)
            for key, (_, decimals) in CROSS_METRICS.items()
        ]
        rows.append([name, *cells])
    return table(["driver", *(heading for heading, _ in CROSS_METRICS.values())], rows)


def several_table(clips: Sequence[SeveralResult]) -> str:
    """A row for each number of sources."""
    keys = ("psnr_db", "ssim", "identity_to_target", "landmark_error_percent", "blendshape_error")
    rows = []
    for over, what in ((mean, ""), (median, ", median")):
        for count, scores in several_over(clips, over).items():
            cells = [score(key, scores[key], METRICS[key][1]) for key in keys]
            rows.append([f"{count} source{'s' * (count != '1')}{what}", *cells])
    return table(["avatar of", *(METRICS[key][0] for key in keys)], rows)


def orbit_table(sweeps: Sequence[OrbitResult]) -> str:
    """Methods and their means, then their medians."""
    keys = ("psnr_db", "ssim", "identity_to_source", "identity_to_target", "landmark_error_percent")
    metrics = {key: METRICS[key] for key in (*keys, "tracked_share")}
    rows = method_rows(scores_over(sweeps), metrics)
    rows += method_rows(scores_over(sweeps, median), metrics, ", median")
    return table(["method", *(heading for heading, _ in metrics.values())], rows)


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
            share = number(mean(still.motion_share[method][edit.name] for still in stills), 2)
            row += [rest, seen + (f" ({lost} untracked)" if lost else ""), identity, share]
        rows.append(row)
    what = ("rest", "seen", "identity", "motion")
    each = [f"{method}: {name}" for method in EDIT_METHODS for name in what]
    return table(["edit", "tracked", "asked", *each], rows)


def eye_table(stills: Sequence[EditResult]) -> str:
    """Lids, lips and gaze, each eye for itself."""
    open_mouths = sum(math.isfinite(still.lip_closure[OURS]) for still in stills)
    rows = []
    for name, values in (
        ("lids closed by a blink", lambda still, method: still.lid_closure[method]),
        *(
            (edit.name, lambda still, method, edit=edit: still.gaze_share[method][edit.name])
            for edit in EDITS
            if edit.gaze
        ),
        (
            f"lips closed ({open_mouths} photos with an open mouth)",
            lambda still, method: [still.lip_closure[method], math.nan],
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


def view_means(stills: Sequence[ViewResult], what: str = "identity") -> Table:
    """Method, then view, to the mean of a field; "yaw ±30" is the mean of both sides."""
    if not stills:
        return {}
    means = {}
    for method in VIEW_METHODS:
        values = [getattr(still, what)[method] for still in stills]
        each = [mean(row[k] for row in values) for k in range(len(VIEWS_DEG))]
        both = {
            f"yaw ±{yaw}": mean(each[VIEWS_DEG.index((sign * yaw, 0.0))] for sign in (-1, 1))
            for yaw in YAWS_DEG
        }
        single = {_view_name(view): value for view, value in zip(VIEWS_DEG, each, strict=True)}
        means[method] = both | single
    return means


def view_table(stills: Sequence[ViewResult]) -> str:
    """Identity and landmark error by view, and how often the tracker found the face."""
    rows = []
    for what, suffix, factor, decimals in (
        ("identity", "", 1, 3),
        ("landmark_error_percent", ": landmarks % IOD", 1, 1),
        ("tracked", ": tracked %", 100, 0),
    ):
        means = view_means(stills, what)
        for method in VIEW_METHODS:
            cells = [number(factor * value, decimals) for value in means[method].values()]
            rows.append([method + suffix, *cells])
    return table(["identity to the photo", *means[OURS]], rows)


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


def score(key: str, value: float, decimals: int) -> str:
    """A score as it stands in tables: shares in percent."""
    return number(100 * value if key == "tracked_share" else value, decimals)
