"""`real3d evaluate`: measure what a manifest names, and write the report."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from real3d.evaluation import plots
from real3d.evaluation.baseline import NUMBERS, Baseline, baseline_section, is_weights
from real3d.evaluation.bench import RESULTS, cores, in_order, performed, tasks_of
from real3d.evaluation.environment import Environment
from real3d.evaluation.instruments import Instruments, Recipe
from real3d.evaluation.manifest import Manifest, read_manifest
from real3d.evaluation.observer import load_identity
from real3d.evaluation.protocol import Protocol
from real3d.evaluation.report import report, write_sheets
from real3d.evaluation.results import Results
from real3d.evaluation.store import Store, as_json, code_digest
from real3d.files import written_beside
from real3d.progress import progress
from real3d.weight_files import load_weights

_REPORT = "report.md"


@dataclass(frozen=True)
class Run:
    """What is evaluated, by what, and where it runs."""

    manifest: Path
    out: Path
    """Folder of the report."""
    recipe: Recipe
    protocol: Protocol
    workers: int = 0
    """Processes; 0: one for every two cores."""
    baseline: Path | None = None
    """An earlier report's folder, or other weights, to stand beside."""


def evaluate(run: Run) -> Path:
    """Measure a model on a manifest; write report.md, numbers.json, sheets and plots.

    Raises Real3DError for a wrong manifest, without an identity model, and for a baseline that is
    neither a report nor weights.
    """
    manifest, recipe = read_manifest(run.manifest), run.recipe
    load_identity(recipe.identity_model)  # to complain before anything is measured
    baseline = None
    if run.baseline is not None and is_weights(run.baseline):
        other = replace(recipe, weights=run.baseline)
        folder = run.out / "baseline"
        evaluate(replace(run, out=folder, recipe=other, baseline=None))
        baseline = Baseline.read(folder)
    elif run.baseline is not None:
        baseline = Baseline.read(run.baseline)
    model = load_weights(recipe.weights, recipe.device)
    workers = run.workers or max(1, cores() // 2)
    if workers > 1:
        recipe = replace(recipe, threads=max(1, cores() // workers))
    header = [f"- model: {model.sha256[:12] or 'unnamed'}", f"- workers: {workers}"]
    environment = Environment.here(model.device)
    return measure(manifest, run, recipe, environment, model.sha256, workers, baseline, header)


def measure(
    manifest: Manifest,
    run: Run,
    open_instruments: Callable[[], Instruments],
    environment: Environment,
    model_sha256: str,
    workers: int = 1,
    baseline: Baseline | None = None,
    header: list[str] | None = None,
) -> Path:
    """See evaluate; with any instruments. Returns the report's path."""
    out, protocol, start = run.out, run.protocol, time.perf_counter()
    store = Store(out / "items", f"{code_digest()} {model_sha256}")
    tasks, found = tasks_of(manifest, protocol), []
    done = performed(tasks, open_instruments, store, protocol, workers)
    for items in progress(done, "evaluate", len(tasks), "files"):
        found += items
    results = Results.of({part: in_order(manifest, found, part) for part in RESULTS})
    wall_s = round(time.perf_counter() - start, 1)
    pictures = write_sheets(out, store, results)
    drawn = plots.write_plots(out, results) if plots.can_plot() else {}
    means, lists = results.means(), results.as_lists()
    numbers = {
        "environment": asdict(environment) | {"model_sha256": model_sha256},
        "protocol": asdict(protocol) | {"size": protocol.size},
        "seconds": {"wall": wall_s} | {p: round(s, 1) for p, s in results.seconds.items()},
        "means": means,
        "medians": results.medians(),
        **lists,
        "refused": results.refused,
    }
    with written_beside(out / NUMBERS) as partial:
        partial.write_text(as_json(numbers), encoding="utf-8")
    beside = baseline_section(baseline, means, lists, protocol) if baseline else []
    lines = [*environment.lines(), *(header or []), f"- this run took: {wall_s:.0f} s"]
    text = report(lines, protocol, results, pictures, drawn, beside)
    if not drawn:
        text += '\nNo plots: matplotlib is not installed (`pip install "real3d[evaluate]"`).\n'
    with written_beside(out / _REPORT) as partial:
        partial.write_text(text, encoding="utf-8")
    return out / _REPORT
