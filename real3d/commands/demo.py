"""`real3d demo`: everything once, on a photo that comes with a package."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from real3d.commands.options import ModelOptions, Out, require_range, require_size

if TYPE_CHECKING:
    from real3d.avatar import Avatar
    from real3d.weight_files import Model

_SWING_DEG = 35.0
"""The orbit stays where the bundled weights know the hair."""


@dataclass(frozen=True, kw_only=True)
class Demo(ModelOptions):
    """Show what Real3D does with an astronaut's photo: driven, speaking, turned, seen all round."""

    out: Out = Path("demo")
    """The folder to write driven.mp4, speaking.mp4, orbit.mp4 and redirected.png to."""
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
        for name in ("driven.mp4", "speaking.mp4", "orbit.mp4", "redirected.png"):
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

        self._speak(avatar, model)

        seconds = 0.75 * self.seconds
        frames = real3d.orbit(
            avatar, model, seconds=seconds, fps=self.fps, yaw_deg=_SWING_DEG, size=size
        )
        with VideoWriter(self.out / "orbit.mp4", self.fps, (size, size)) as video:
            for frame in progress(frames, "orbit.mp4", round(seconds * self.fps), "frames"):
                video.write(frame)
        return self.out

    def _speak(self, avatar: "Avatar", model: "Model") -> None:
        """Write speaking.mp4: the packaged sample, said by the avatar."""
        import real3d
        from real3d.progress import progress
        from real3d.retarget_speech import retarget_speech
        from real3d.samples import SPEECH
        from real3d.video import VideoWriter

        motion = real3d.Motion.from_audio(SPEECH, fps=self.fps, seed=self.seed)
        motion = motion[: max(1, round(1.2 * self.seconds * self.fps))]  # the sample lasts 4.6 s
        cameras, coefficients = retarget_speech(avatar, motion)
        frames = real3d.render(
            avatar, model=model, cameras=cameras, coefficients=coefficients, size=self.size
        )
        name = self.out / "speaking.mp4"
        with VideoWriter(name, self.fps, (self.size, self.size), audio_from=SPEECH) as video:
            for frame in progress(frames, name.name, len(motion), "frames"):
                video.write(frame)
