"""Curves of an evaluation: quality over time, over clips, over the angle of view."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from real3d.evaluation import tables
from real3d.evaluation.protocol import SELF, VIEWS
from real3d.evaluation.results import Results
from real3d.evaluation.self_reenactment import ClipResult
from real3d.evaluation.subject import COPY, METHODS, OURS, WARP
from real3d.evaluation.views import VIEW_METHODS, VIEWS_DEG, ViewResult
from real3d.evaluation.worst import ranked
from real3d.files import written_beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {OURS: "#1f5fbf", WARP: "#c07020", COPY: "#888888"}
_OVER_TIME = (
    ("psnr_db", "PSNR dB"),
    ("landmark_error_percent", "landmarks % IOD"),
    ("identity_to_target", "identity to target"),
)
_CLIPS_OVER_TIME = 6
_DPI = 110


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def write_plots(out: Path, results: Results) -> dict[str, str]:
    """Caption to the name of its file in a folder, for what there is to plot."""
    figures = {}
    clips = results.parts.get(SELF, {})
    if clips:
        worst = [clips[path] for path in ranked(results, SELF)]
        figures["Every clip, sorted"] = ("clips.png", _over_clips(worst))
        figures["Over time: the worst clips"] = (
            "over_time.png",
            _over_time(worst[:_CLIPS_OVER_TIME]),
        )
    if stills := results.of_part(VIEWS):
        figures["Over the yaw of the view"] = ("over_yaw.png", _over_yaw(stills))
    for name, figure in figures.values():
        with written_beside(out / name) as partial:
            figure.savefig(partial, dpi=_DPI, format="png")
    return {caption: name for caption, (name, _) in figures.items()}


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _over_clips(clips: Sequence[ClipResult]) -> "Figure":
    """Sorted by PSNR: PSNR and identity of each clip."""
    figure = _figure(10, 5)
    axes = figure.subplots(2, 1, sharex=True)
    for axis, (key, heading) in zip(axes, (_OVER_TIME[0], _OVER_TIME[2]), strict=True):
        for method in METHODS:
            values = [clip.scores[method][key] for clip in clips]
            axis.plot(values, "o-", color=_COLOURS[method], label=method, markersize=3)
        axis.set_ylabel(heading)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    axes[1].set_xticks(range(len(clips)), [clip.name[:18] for clip in clips], rotation=90)
    axes[1].tick_params(axis="x", labelsize=6)
    return figure


def _over_time(clips: Sequence[ClipResult]) -> "Figure":
    figure = _figure(12, 2.1 * len(clips))
    grid = figure.subplots(len(clips), len(_OVER_TIME), squeeze=False)
    for row, clip in zip(grid, clips, strict=True):
        for axis, (key, heading) in zip(row, _OVER_TIME, strict=True):
            for method in (WARP, OURS):
                axis.plot(
                    clip.times_s,
                    clip.curves[method][key],
                    ".-",
                    color=_COLOURS[method],
                    label=method,
                    markersize=3,
                )
            axis.set_title(f"{clip.name[:24]}: {heading}", fontsize=8)
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.3)
    for axis in grid[-1]:
        axis.set_xlabel("seconds since the source", fontsize=8)
    grid[0, 0].legend(fontsize=7)
    return figure


def _over_yaw(stills: Sequence[ViewResult]) -> "Figure":
    """Identity and landmark error: median and the middle half of the photos."""
    figure = _figure(10, 3.6)
    axes = figure.subplots(1, 2)
    which = [k for k, (_, pitch) in enumerate(VIEWS_DEG) if not pitch]
    yaws = [VIEWS_DEG[k][0] for k in which]
    fields = (("identity", "identity to the photo"), ("landmark_error_percent", "landmarks % IOD"))
    for axis, (field, heading) in zip(axes, fields, strict=True):
        for method in VIEW_METHODS:
            values = np.array([getattr(still, field)[method] for still in stills], float)[:, which]
            middle = [tables.median(column) for column in values.T]
            axis.plot(yaws, middle, "o-", color=_COLOURS[method], label=method, markersize=3)
            low, high = (
                [
                    np.percentile(c[np.isfinite(c)], q) if np.isfinite(c).any() else np.nan
                    for c in values.T
                ]
                for q in (25, 75)
            )
            axis.fill_between(yaws, low, high, color=_COLOURS[method], alpha=0.15)
        if field != "identity":
            axis.set_yscale("symlog", linthresh=1)
        axis.set_xlabel("yaw °")
        axis.set_ylabel(heading)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    return figure
