"""`python -m pretrain_synthetic evaluate`: real3d against the truth, on heads that nobody saw.

A synthetic person is photographed with the head turned by yaw a, reconstructed, and shown turned by
yaw b; then photographed with one expression and shown with another. Camera, chest and light stay,
as in a call. The truth of every view is known to the pixel.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pretrain_synthetic import expression_transfer, turned_heads
from pretrain_synthetic.expression_transfer import compare_expressions
from pretrain_synthetic.matrix_plot import draw_matrices
from pretrain_synthetic.people import EXPRESSIONS
from pretrain_synthetic.render_shard import StudioConfig
from pretrain_synthetic.shown import METHODS
from pretrain_synthetic.sitting import YAWS_DEG, photograph
from pretrain_synthetic.split import numbers_of
from pretrain_synthetic.turned_heads import compare_turned
from real3d.errors import Real3DError
from real3d.files import written_beside

if TYPE_CHECKING:
    from real3d.weight_files import Model

logger = logging.getLogger(__name__)
Scores = dict[str, list[list]]
"""Method to a square of one person's scores: rows are photos, columns views."""
Means = dict[str, dict[str, np.ndarray]]
"""Method, then metric, to a square of means over people."""


@dataclass(frozen=True)
class Part:
    """One part of the evaluation."""

    title: str
    quantity: str
    """What rows and columns differ in."""
    names: tuple[str, ...]
    """Of rows and columns."""
    metrics: dict[str, tuple[str, int]]
    """Field of a score to its heading and decimals."""
    plot: str
    summed: np.ndarray
    """(n, n) bool: what the summary is the mean over."""
    what: str
    """Those, in words."""


def _frontal_to_sides() -> np.ndarray:
    chosen = np.zeros((len(YAWS_DEG),) * 2, bool)
    chosen[YAWS_DEG.index(0), [YAWS_DEG.index(yaw) for yaw in (-30, 30)]] = True
    return chosen


TURNED = Part(
    "Photo at one yaw, view at another",
    "yaw",
    tuple(f"{yaw:+d} deg" if yaw else "0 deg" for yaw in YAWS_DEG),
    turned_heads.METRICS,
    "plot.png",
    _frontal_to_sides(),
    "frontal photo to yaw ±30°",
)
TRANSFERRED = Part(
    "Photo with one expression, view with another",
    "expression",
    EXPRESSIONS,
    expression_transfer.METRICS,
    "expressions.png",
    ~np.eye(len(EXPRESSIONS), dtype=bool),
    "to another expression",
)


@dataclass(frozen=True)
class EvaluateConfig(StudioConfig):
    """Yaw to yaw and expression to expression: pictures, mattes, depth, normals and what a tracker
    sees, against exact truth."""

    size: int = 512
    """Side of the photos; views are compared at half of it."""
    heads: int = 200
    """People of the part kept back."""
    seed: int = 0
    out: Path = Path("evaluation")
    """Folder of tables.md, results.json, plot.png and expressions.png."""
    weights: Path | None = None
    """A folder of weights; without one, the bundled ones."""
    device: str = "auto"
    """Where the network runs: auto, cpu, cuda or mps."""

    def run(self) -> Path:
        """Measure and write; returns the folder."""
        self.check()
        if self.heads < 1:
            raise Real3DError(f"--heads is {self.heads}, must be 1 or more.")
        from real3d.evaluation.observer import Observer
        from real3d.pipeline import load

        model, studio = load(self.weights, self.device), self.open()
        turned, transferred = [], []
        with Observer() as observer:
            for number in numbers_of("val", self.seed, 0, self.heads):
                sitting = photograph(studio, self.seed, number)
                turned.append(compare_turned(sitting, model))
                transferred.append(compare_expressions(sitting, model, observer))
                logger.info("%d of %d heads", len(turned), self.heads)
        return self._write([(TURNED, turned), (TRANSFERRED, transferred)], model)

    def _write(self, measured: list[tuple[Part, list[Scores]]], model: "Model") -> Path:
        self.out.mkdir(parents=True, exist_ok=True)
        lines = ["# Against exact truth", "", *self.environment(model.device)]
        lines += [f"- weights: {model.sha256[:12]}", f"- heads: {self.heads}, seed {self.seed}"]
        for part, everyone in measured:
            means = mean_matrices(everyone, part.metrics)
            lines += ["", *part_lines(part, means)]
            ours = {title: means["real3d"][m] for m, (title, _) in part.metrics.items()}
            plot = draw_matrices(ours, part.names, part.quantity)
            cv2.imwrite(str(self.out / part.plot), plot)
        with written_beside(self.out / "tables.md") as partial:
            partial.write_text("\n".join([*lines, ""]))
        with written_beside(self.out / "results.json") as partial:
            parts = {
                part.quantity: {"names": part.names, "heads": [_plain(p) for p in everyone]}
                for part, everyone in measured
            }
            partial.write_text(json.dumps(parts))
        return self.out


def _plain(scores: Scores) -> dict[str, list[list[dict]]]:
    return {m: [[asdict(cell) for cell in row] for row in rows] for m, rows in scores.items()}


def mean_matrices(everyone: list[Scores], metrics: Iterable[str]) -> Means:
    """Method, then metric, to the mean (n, n) over people; NaN where nothing was measured."""
    means = {}
    for method in METHODS:
        means[method] = {}
        for metric in metrics:
            each = np.array(
                [[[getattr(c, metric) for c in row] for row in p[method]] for p in everyone], float
            )
            measured = np.isfinite(each)
            total = np.where(measured, each, 0).sum(0)
            means[method][metric] = np.where(
                measured.any(0), total / np.maximum(measured.sum(0), 1), np.nan
            )
    return means


def part_lines(part: Part, means: Means) -> list[str]:
    """Markdown lines of a part: the summary, then a table for each metric and method."""
    lines = [f"## {part.title}", "", *summary(part, means)]
    for metric, (title, decimals) in part.metrics.items():
        for method in METHODS:
            if np.isfinite(means[method][metric]).any():
                table = matrix_table(means[method][metric], part.names, decimals)
                lines += ["", f"### {title}: {method}", "", table]
    return lines


def summary(part: Part, means: Means) -> list[str]:
    """A line for each method."""
    lines = []
    for method in METHODS:
        figures = (
            f"{title} {np.nanmean(means[method][metric][part.summed]):.{decimals}f}"
            for metric, (title, decimals) in part.metrics.items()
            if np.isfinite(means[method][metric][part.summed]).any()
        )
        lines.append(f"- {method}, {part.what}: {', '.join(figures)}")
    return lines


def matrix_table(values: np.ndarray, names: Sequence[str], decimals: int) -> str:
    """Markdown of values (n, n)."""
    from real3d.evaluation.tables import number, table

    rows = [
        [f"photo: {name}", *(number(value, decimals) for value in row)]
        for name, row in zip(names, values, strict=True)
    ]
    return table(["", *(f"view: {name}" for name in names)], rows)
