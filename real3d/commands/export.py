"""`real3d export`: a head for other programs."""

from dataclasses import dataclass
from pathlib import Path

from real3d.commands.options import (
    Input,
    ModelOptions,
    Out,
    read_subject,
    require_range,
    require_size,
)


@dataclass(frozen=True, kw_only=True)
class Export(ModelOptions):
    """Export the head of a photo: mesh with 52 morph targets, splats, a web page, a turntable."""

    subject: Input
    """A photo, or an avatar made by reconstruct."""
    out: Out = Path("head.glb")
    """The file to write: .glb (textured mesh that moves), .obj (the same, still), .ply (Gaussian
    splats), .html (a page with orbit and sliders) or .mp4 (a turntable)."""
    seconds: float = 4.0
    """Length of a turntable."""
    fps: float = 25.0
    """Frames a second of a turntable."""
    size: int = 512
    """Side of a turntable in pixels."""
    face: int = 0
    """Which face of the photo, from the largest (0)."""

    def run(self) -> Path:
        """Write the file."""
        from real3d.files import require_file, require_suffix, require_writable

        require_file(self.subject, "a photo or an .avatar file")
        require_range("seconds", self.seconds, 0.1, 600)
        require_range("fps", self.fps, 1, 120)
        size = require_size(self.size)
        from real3d.export.formats import SUFFIXES, write_head

        require_writable(require_suffix(self.out, SUFFIXES))
        from real3d.export.bake import bake

        model = self.load_model()
        baked = bake(read_subject(self.subject, model, self.face).avatar, model)
        return write_head(baked, self.out, seconds=self.seconds, fps=self.fps, size=size)
