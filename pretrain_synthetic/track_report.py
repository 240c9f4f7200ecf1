"""`python -m pretrain_synthetic report`: what a face tracker makes of the synthetic heads."""

import logging
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pretrain_synthetic.render_shard import StudioConfig
from pretrain_synthetic.split import Split, numbers_of
from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.files import written_beside

if TYPE_CHECKING:
    from pretrain_synthetic.people import View

logger = logging.getLogger(__name__)
_YAW_BINS_DEG = (0, 15, 30, 45, 60, 75, 90)
_FOUND_WITHIN_DEG = 60.0
_ASKED = 0.3
"""A shape counts as asked for from here on."""
_UNTRACKED = ("tongueOut",)


@dataclass(frozen=True)
class Sighting:
    """One view and what the tracker says."""

    yaw_deg: float
    """Of the face against the camera, without sign."""
    asked: np.ndarray
    """(52,)."""
    tracked: np.ndarray | None
    """(52,), or none where no face was found."""


@dataclass(frozen=True)
class ReportConfig(StudioConfig):
    """Track rendered heads: how often a face is found, and how its coefficients differ."""

    people: int = 100
    seed: int = 0
    split: Split = "val"
    out: Path = Path("benchmarks/heads.md")

    def run(self) -> Path:
        """Render, track and write; returns the report's path."""
        self.check()
        if self.people < 1:
            raise Real3DError(f"--people is {self.people}, must be 1 or more.")
        from real3d.face.tracking import FaceTracker

        studio, seen = self.open(), []
        with FaceTracker(max_faces=1) as tracker, written_beside(self.out) as partial:
            for number in numbers_of(self.split, self.seed, 0, self.people):
                for view in studio.views(self.seed, number):
                    faces = tracker.track(view.frame.rgb)
                    tracked = faces[0].coefficients if faces else None
                    seen.append(Sighting(abs(face_yaw_deg(view)), view.coefficients, tracked))
                logger.info("person %d: %d views so far", number, len(seen))
            lines = ["# Synthetic heads under a face tracker", "", *self.environment()]
            partial.write_text("\n".join([*lines, *report(seen)]) + "\n")
        return self.out


def face_yaw_deg(view: "View") -> float:
    """How far the face looks past the camera, to the side; + = the subject's left is seen."""
    ahead = view.head_view[:3, 2]
    return float(np.rad2deg(np.arctan2(-ahead[0], ahead[2])))


def report(seen: list[Sighting]) -> list[str]:
    """Markdown lines of both tables."""
    from real3d.evaluation.tables import number, table

    yaw = np.array([s.yaw_deg for s in seen])
    found = np.array([s.tracked is not None for s in seen])
    near = yaw <= _FOUND_WITHIN_DEG
    rows = []
    for low, high in pairwise(_YAW_BINS_DEG):
        within = (yaw >= low) & (yaw < high)
        share = 100 * found[within].mean() if within.any() else np.nan
        rows.append([f"{low} to {high}", str(within.sum()), number(share, 1)])
    share = 100 * found[near].mean() if near.any() else np.nan
    lines = ["", f"Face found within ±60°: {number(share, 2)} % of {near.sum()} views.", ""]
    lines += [table(["yaw, degrees", "views", "found %"], rows), ""]
    frontal = [s for s in seen if s.tracked is not None and s.yaw_deg <= 30]
    if not frontal:
        return lines
    asked, tracked = (np.stack([getattr(s, k) for s in frontal]) for k in ("asked", "tracked"))
    error = np.abs(asked - tracked)
    counted = [k for k, name in enumerate(ARKIT_NAMES) if name not in _UNTRACKED]
    lines += [
        f"Coefficients of {len(frontal)} views within ±30°, mean absolute error "
        f"{error[:, counted].mean():.3f}. The last columns are of views that ask for {_ASKED} or "
        "more of the shape.",
        "",
    ]
    rows = []
    for k in counted:
        much = asked[:, k] >= _ASKED
        means = [x[much, k].mean() if much.any() else np.nan for x in (asked, tracked)]
        values = (error[:, k].mean(), tracked[~much, k].mean() if (~much).any() else np.nan)
        rows.append(
            [
                ARKIT_NAMES[k],
                *(number(v, 3) for v in values),
                str(much.sum()),
                *(number(v, 2) for v in means),
            ]
        )
    titles = ("shape", "mean error", "tracked at rest", "views asking", "asked", "tracked")
    return [*lines, table(titles, rows)]
