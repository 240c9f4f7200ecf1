"""`real3d plot`: a motion as curves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from real3d.commands.options import Options, Out, require_range
from real3d.errors import Real3DError


@dataclass(frozen=True, kw_only=True)
class Plot(Options):
    """Draw a motion as curves over time: mouth, lids, gaze, brows and the head's pose."""

    motion: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MOTION")]
    """A motion file: .csv, .json or .npz."""
    out: Out = Path("motion.png")
    """The picture to write: .png, .svg or .pdf."""
    start: float = 0.0
    """First second to draw."""
    seconds: float = 20.0
    """How many seconds to draw."""
    names: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...")] = ()
    """Draw these coefficients alone, by ARKit names; without its side a name means both."""

    def run(self) -> Path:
        """Write the picture."""
        from real3d.files import require_suffix, require_writable
        from real3d.motion import Motion

        require_range("start", self.start, 0, 1e6)
        require_range("seconds", self.seconds, 0.1, 3600)
        require_writable(require_suffix(self.out, (".png", ".svg", ".pdf")))
        motion = Motion.read(self.motion)
        first = round(self.start * motion.fps)
        if first >= len(motion):
            raise Real3DError(
                f"--start {self.start:g}: {self.motion} lasts {motion.duration_s:.2f} s."
            )
        from real3d.motion_plot import plot_motion

        shown = motion[first : first + max(2, round(self.seconds * motion.fps))]
        return plot_motion(shown, self.out, self.names, first / motion.fps)
