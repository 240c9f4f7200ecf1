"""Worst cases: what to look at first."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from real3d.evaluation import tables
from real3d.evaluation.protocol import CROSS, EDITS, ORBITS, SELF, SEVERAL, VIEWS
from real3d.evaluation.results import Results
from real3d.evaluation.subject import OURS
from real3d.evaluation.views import VIEWS_DEG

_SHOWN = 5
_NEAR = [k for k, (yaw, _) in enumerate(VIEWS_DEG) if abs(yaw) <= 60]


def _view_identity(still) -> float:
    return tables.mean(still.identity[OURS][k] for k in _NEAR)


def _edit_identity(still) -> float:
    return tables.mean(still.identity[OURS].values())


def _cross(key: str) -> Callable:
    return lambda still: tables.mean(each[OURS][key] for each in still.scores.values())


def _clip(key: str) -> Callable:
    return lambda clip: clip.scores[OURS][key]


_QUALITY: dict[str, Callable] = {
    SELF: _clip("psnr_db"),
    CROSS: _cross("identity"),
    VIEWS: _view_identity,
    EDITS: _edit_identity,
    SEVERAL: lambda clip: clip.scores["1"]["psnr_db"],
    ORBITS: _clip("psnr_db"),
}
"""Part to what its sheets are ranked by; the lowest, and what could not be measured, first."""
_LISTED = (
    ("PSNR dB, self-reenactment", SELF, _clip("psnr_db"), 2, 1),
    ("landmarks % IOD, self-reenactment", SELF, _clip("landmark_error_percent"), 2, -1),
    ("identity to target, self-reenactment", SELF, _clip("identity_to_target"), 3, 1),
    ("jitter % IOD, self-reenactment", SELF, _clip("jitter_percent"), 2, -1),
    ("identity, cross-reenactment", CROSS, _cross("identity"), 3, 1),
    ("expression, cross-reenactment", CROSS, _cross("expression_error"), 4, -1),
    ("pose °, cross-reenactment", CROSS, _cross("pose_error_deg"), 2, -1),
    ("identity, views to ±60°", VIEWS, _view_identity, 3, 1),
    ("identity, edits", EDITS, _edit_identity, 3, 1),
    ("PSNR dB, camera sweeps", ORBITS, _clip("psnr_db"), 2, 1),
)
"""Heading, part, value, decimals, and 1 where more is better, -1 where less is."""


def ranked(results: Results, part: str) -> list[Path]:
    """Files of a part, the worst first."""
    found = results.parts.get(part, {})
    values = {path: _QUALITY[part](result) for path, result in found.items()}
    return sorted(found, key=lambda path: values[path] if math.isfinite(values[path]) else -np.inf)


def worst_table(results: Results) -> str:
    """For each of several metrics the files that are worst, and how bad."""
    rows = []
    for heading, part, value, decimals, sign in _LISTED:
        pairs = [(value(result), result.name) for result in results.of_part(part)]
        pairs = sorted((sign * v, name) for v, name in pairs if math.isfinite(v))[:_SHOWN]
        if pairs:
            cells = [f"{name} ({tables.number(sign * v, decimals)})" for v, name in pairs]
            rows.append([heading, *cells, *["–"] * (_SHOWN - len(cells))])
    headings = ["metric", "worst", *(f"{k}." for k in range(2, _SHOWN + 1))]
    return tables.table(headings, rows)
