"""Beside another evaluation: an earlier report, or other weights."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from real3d.errors import Real3DError
from real3d.evaluation import tables
from real3d.evaluation.edits import LIPS_CLOSED
from real3d.evaluation.protocol import EDITS, SELF, TITLES, Protocol
from real3d.evaluation.subject import OURS

NUMBERS = "numbers.json"
_WANTED = f"an earlier report ({NUMBERS}) or weights (config.json)"
_SHOWN = 5
_MORE_IS_BETTER = ("psnr", "ssim", "identity", "tracked", "yaw", "pitch")
"""Beginnings of metrics; of the rest less is better."""


@dataclass(frozen=True)
class Baseline:
    """Numbers of another evaluation."""

    name: str
    numbers: dict

    @classmethod
    def read(cls, folder: Path) -> "Baseline":
        """From the folder of a report.

        Raises Real3DError where it is none.
        """
        path = folder / NUMBERS
        try:
            numbers = json.loads(path.read_text(encoding="utf-8"))
            numbers["means"][SELF], numbers["clips"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Real3DError(f"{path}: not the numbers of a report. Pass {_WANTED}.") from error
        sha256 = numbers.get("environment", {}).get("model_sha256", "")
        return cls(f"{folder.name} ({sha256[:12] or 'unnamed weights'})", numbers)


def is_weights(folder: Path) -> bool:
    """Whether a folder holds weights rather than a report.

    Raises Real3DError where it holds neither.
    """
    if (folder / NUMBERS).is_file():
        return False
    if (folder / "config.json").is_file():
        return True
    raise Real3DError(f"{folder}: neither report nor weights. Pass {_WANTED}.")


def baseline_section(
    baseline: Baseline, means: dict, lists: dict[str, list[dict]], protocol: Protocol
) -> list:
    """Paragraphs of the report: means of both, and the clips that changed most."""
    rows = []
    for part, metric, this, other in _pairs(means, baseline.numbers["means"]):
        better = (this > other) == _more_is_better(part, metric)
        sign = "" if abs(this - other) < 1e-3 * abs(other) else ("better" if better else "worse")
        title = TITLES.get(part, part.replace("_", ", "))
        rows.append([title, metric, f"{this:.4g}", f"{other:.4g}", f"{this - other:+.4g}", sign])
    parts = [
        f"## Beside the baseline: {baseline.name}",
        "Means of Real3D here and there, over what both reports measured.",
    ]
    parts += _warnings(baseline.numbers, lists, protocol)
    parts.append(tables.table(["part", "metric", "this", "baseline", "difference", ""], rows))
    changes = _changes(lists["clips"], baseline.numbers["clips"])
    if changes:
        ends = changes[:_SHOWN] + [c for c in changes[-_SHOWN:] if c not in changes[:_SHOWN]]
        lines = [[name, f"{a:.2f}", f"{b:.2f}", f"{a - b:+.2f}"] for name, a, b in ends]
        parts += [
            "Clips whose PSNR changed most for the worse and for the better:",
            tables.table(["clip", "this, dB", "baseline, dB", "difference"], lines),
        ]
    return parts


def _warnings(theirs: dict, ours: dict[str, list[dict]], protocol: Protocol) -> list[str]:
    """What makes means hard to compare: other frames, other files."""
    found, settings = [], theirs.get("protocol", {})
    for name in ("every", "seconds", "size"):
        this, other = getattr(protocol, name), settings.get(name)
        if other is not None and this != other:
            found.append(f"{name} is {this:g} here, {other:g} there")
    for part, results in ours.items():
        here, there = ({r["name"] for r in rows} for rows in (results, theirs.get(part, [])))
        if here and there and here != there:
            common = f"{len(here & there)} in common"
            found.append(f"{part}: {len(here)} files here, {len(there)} there, {common}")
    return [f"**Not the same measurement**: {'; '.join(found)}."] if found else []


def _pairs(ours: dict, theirs: dict) -> Iterator[tuple[str, str, float, float]]:
    """Part, metric and both numbers, where both reports have them."""
    for part, methods in ours.items():
        for method, metrics in methods.items():
            if method not in (OURS, *"124"):
                continue
            other = theirs.get(part, {}).get(method, {})
            for metric, value in metrics.items():
                one_side = metric.startswith("yaw ") and "±" not in metric and metric != "yaw 0"
                if not one_side and _is_number(value) and _is_number(other.get(metric)):
                    label = metric if method == OURS else f"{metric}, {method} sources"
                    yield part, label, value, other[metric]


def _more_is_better(part: str, metric: str) -> bool:
    if part == EDITS:
        return metric != f"{LIPS_CLOSED}, seen"
    return not part.endswith("landmarks") and metric.startswith(_MORE_IS_BETTER)


def _changes(ours: list[dict], theirs: list[dict]) -> list[tuple[str, float, float]]:
    """Clip, our PSNR and theirs, from the greatest loss to the greatest gain."""
    other = {clip["name"]: clip["scores"][OURS]["psnr_db"] for clip in theirs}
    pairs = [
        (clip["name"], clip["scores"][OURS]["psnr_db"], other[clip["name"]])
        for clip in ours
        if clip["name"] in other
    ]
    pairs = [pair for pair in pairs if _is_number(pair[1]) and _is_number(pair[2])]
    return sorted(pairs, key=lambda pair: pair[1] - pair[2])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
