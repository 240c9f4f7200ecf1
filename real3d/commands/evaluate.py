"""`real3d evaluate`: how good the model is, in numbers and pictures."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from real3d.commands.options import ModelOptions, Out, require_size


@dataclass(frozen=True, kw_only=True)
class Evaluate(ModelOptions):
    """Measure self-reenactment and edits on recordings: a table and picture sheets."""

    manifest: tyro.conf.Positional[Path]
    """JSON lines that name recordings and photos, beside the files themselves."""
    out: Out = Path("report")
    """The folder to write to."""
    size: int = 256
    """Side of the compared pictures in pixels."""

    def run(self) -> Path:
        """Write the report."""
        from real3d.files import require_file, require_writable

        size = require_size(self.size)
        require_file(self.manifest, "a manifest (JSON lines)")
        require_writable(self.out / "report.md")
        from real3d import evaluation

        evaluation.run(self.manifest, self.out, model=self.load_model(), size=size)
        return self.out
