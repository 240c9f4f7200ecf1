"""`real3d demo`: everything once, on a photo that comes with a package."""

from dataclasses import dataclass
from pathlib import Path

from real3d.commands.options import ModelOptions, Out, require_range, require_size

_SWING_DEG = 35.0
"""The orbit stays where the bundled weights know the hair."""


@dataclass(frozen=True, kw_only=True)
class Demo(ModelOptions):
    """Show what Real3D does: a driven clip, an orbit and a turned still of an astronaut's photo."""

    out: Out = Path("demo")
    """The folder to write driven.mp4, orbit.mp4 and redirected.png to."""
    seconds: float = 4.0
    """Length of the driven clip."""
    fps: float = 25.0
    """Frames a second."""
    size: int = 512
    """Side of the pictures in pixels."""

    def run(self) -> Path:
        """Write the folder."""
        from real3d.files import require_writable

        require_range("seconds", self.seconds, 0.2, 60)
        require_range("fps", self.fps, 1, 60)
        size = require_size(self.size)
        for name in ("driven.mp4", "orbit.mp4", "redirected.png"):
            require_writable(self.out / name)
        from skimage import data

        import real3d
        from real3d.demo_motion import demo_motion
        from real3d.image import write_image
        from real3d.photo import Portrait
        from real3d.progress import progress
        from real3d.video import VideoWriter

        model = self.load_model()
        portrait = Portrait.from_image(data.astronaut(), name="the astronaut's photo")
        avatar = real3d.reconstruct(portrait, model)
        turned = real3d.redirect(avatar, model, 25, 5, 0, size=size)
        write_image(self.out / "redirected.png", turned)

        motion = demo_motion(self.seconds, self.fps, self.seed)
        frames = real3d.render(avatar, motion, model=model, size=size, relative=True)
        with VideoWriter(self.out / "driven.mp4", self.fps, (size, size)) as video:
            for frame in progress(frames, "driven.mp4", len(motion), "frames"):
                video.write(frame)

        seconds = 0.75 * self.seconds
        frames = real3d.orbit(
            avatar, model, seconds=seconds, fps=self.fps, yaw_deg=_SWING_DEG, size=size
        )
        with VideoWriter(self.out / "orbit.mp4", self.fps, (size, size)) as video:
            for frame in progress(frames, "orbit.mp4", round(seconds * self.fps), "frames"):
                video.write(frame)
        return self.out
