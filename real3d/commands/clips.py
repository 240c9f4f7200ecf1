"""`real3d orbit`, `real3d animate` and `real3d track`: recordings out and in."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from real3d.commands.options import (
    AVATAR_SUFFIX,
    Input,
    ModelOptions,
    Options,
    Out,
    Subject,
    read_subject,
    require_range,
    require_seed,
    require_size,
)
from real3d.commands.speaking import SpeakingOptions
from real3d.errors import Real3DError

if TYPE_CHECKING:
    from real3d.motion import Motion

BackgroundText = Annotated[str | None, tyro.conf.arg(metavar="IMG|COLOR|transparent")]


def _require_clip(path: Path, transparent: bool, *inputs: Path | str | None) -> Path:
    """The path, if a recording can be written there, in place of none of the inputs."""
    from real3d.files import require_suffix, require_writable
    from real3d.video import VideoWriter

    require_suffix(path, VideoWriter.SUFFIXES)
    if transparent and path.suffix.lower() != ".mov":
        raise Real3DError(f"{path}: MP4 has no transparency. Use a name ending in .mov.")
    return require_writable(path, *inputs)


@dataclass(frozen=True, kw_only=True)
class Orbit(ModelOptions):
    """Swing the camera around the head of a photo: a clip."""

    subject: Input
    """A photo, or an avatar made by reconstruct."""
    out: Out = Path("orbit.mp4")
    """The clip to write: .mp4 or .mov."""
    seconds: float = 4.0
    """Length of the clip in seconds."""
    yaw: float = 45.0
    """Degrees that the camera swings to either side."""
    background: BackgroundText = None
    """A picture, a colour (white, #20a060) or transparent (.mov); without it the photo's own."""
    fps: float = 25.0
    """Frames a second."""
    size: int = 512
    """Side of the clip in pixels."""
    face: int = 0
    """Which face of the photo, from the largest (0)."""

    def run(self) -> Path:
        """Write the clip."""
        from real3d.backdrop import TRANSPARENT, Backdrop
        from real3d.files import require_file

        require_file(self.subject, "a photo or an .avatar file")
        require_range("yaw", self.yaw, -90, 90)
        require_range("seconds", self.seconds, 0.1, 600)
        require_range("fps", self.fps, 1, 120)
        size = require_size(self.size)
        _require_clip(self.out, self.background == TRANSPARENT, self.background)
        backdrop = None if self.background is None else Backdrop.parse(self.background, size)
        model = self.load_model()
        avatar = read_subject(self.subject, model, self.face).avatar
        import real3d
        from real3d.progress import progress
        from real3d.video import VideoWriter

        frames = real3d.orbit(
            avatar,
            model,
            seconds=self.seconds,
            fps=self.fps,
            yaw_deg=self.yaw,
            size=size,
            background=TRANSPARENT if backdrop else None,
        )
        transparent = self.background == TRANSPARENT
        with VideoWriter(self.out, self.fps, (size, size), transparent=transparent) as video:
            count = round(self.seconds * self.fps)
            for frame in progress(frames, "orbit", count, "frames"):
                video.write(backdrop.behind(frame) if backdrop else frame)
        return self.out


@dataclass(frozen=True, kw_only=True)
class Animate(SpeakingOptions, ModelOptions):
    """Drive the head of a photo by speech, a video or a motion file: a clip with its sound."""

    subject: Input
    """A photo, or an avatar made by reconstruct."""
    video: Annotated[Path | None, tyro.conf.arg(metavar="VIDEO")] = None
    """A recording of whoever drives; its sound is kept."""
    motion: Annotated[Path | None, tyro.conf.arg(metavar="MOTION")] = None
    """A Live Link Face .csv, or a .json or .npz written by `real3d track`."""
    out: Out = Path("animated.mp4")
    """The clip to write: .mp4 or .mov."""
    relative: bool = False
    """Add the driver's changes since its first frame to the photo's own pose and expression: this
    is what happens without --absolute."""
    absolute: bool = False
    """Take the driver's expression and pose as they are."""
    background: BackgroundText = None
    """A picture, a colour (white, #20a060) or transparent (.mov); without it the photo's own."""
    paste_back: bool = False
    """Put the moving head back into the whole photo."""
    fps: float | None = None
    """Frames a second; without it the driver's, 25 with --audio."""
    size: int = 512
    """Side of the rendered crop in pixels."""
    face: int = 0
    """Which face of the photo, from the largest (0)."""
    driver_face: int = 0
    """Which face of the video, from the largest (0)."""

    def run(self) -> Path:
        """Write the clip."""
        from real3d.backdrop import TRANSPARENT, Backdrop
        from real3d.files import require_file

        require_file(self.subject, "a photo or an .avatar file")
        drivers = [path for path in (self.audio, self.video, self.motion) if path is not None]
        if len(drivers) != 1:
            raise Real3DError(
                "animate needs a driver, one of --audio FILE, --video FILE or --motion FILE."
            )
        require_file(drivers[0], "the driver: speech, a video or a motion file")
        if self.audio is None:
            self.require_audio_alone()
        if self.relative and self.absolute:
            raise Real3DError("--relative and --absolute exclude each other.")
        if self.paste_back and self.background:
            raise Real3DError("--paste-back keeps the photo's background: leave --background out.")
        if self.paste_back and self.subject.suffix.lower() == AVATAR_SUFFIX:
            raise Real3DError("--paste-back needs the photo itself. Pass it instead of the avatar.")
        size = require_size(self.size)
        if self.fps is not None:
            require_range("fps", self.fps, 1, 120)
        if self.driver_face and self.video is None:
            raise Real3DError("--driver-face belongs to --video FILE.")
        require_seed(self.seed)
        inputs = (self.subject, *drivers, self.background, self.head_motion)
        _require_clip(self.out, self.background == TRANSPARENT, *inputs)
        backdrop = None if self.background is None else Backdrop.parse(self.background, size)
        motion = self._hear() if self.audio else None  # before anything slow: it may be silent
        model = self.load_model()
        subject = read_subject(self.subject, model, self.face)
        self._write(model, subject, motion or self._read_motion(model), backdrop)
        return self.out

    def _hear(self) -> "Motion":
        from real3d.audio_motion import motion_from_audio
        from real3d.audio_weights import load_audio_weights

        how = self.speaking(self.seed)
        model = load_audio_weights(self.audio_weights)
        return motion_from_audio(self.audio, model, how, self.fps or 25.0)

    def _read_motion(self, model: object) -> "Motion":
        import real3d
        from real3d.motion import Motion

        if self.video is not None:
            motion = real3d.track_video(self.video, model, face=self.driver_face)
        else:
            motion = Motion.read(self.motion)
        return motion.resample(self.fps) if self.fps else motion

    def _write(self, model: object, subject: Subject, motion: "Motion", backdrop: object) -> None:
        import real3d
        from real3d.backdrop import TRANSPARENT
        from real3d.paste_back import PasteBack
        from real3d.progress import progress
        from real3d.video import VideoWriter

        paste = None
        if self.paste_back:
            paste = PasteBack(subject.portrait.original, subject.portrait.window)
        background = TRANSPARENT if backdrop else None
        if self.audio is not None and not self.absolute:
            from real3d.retarget_speech import retarget_speech

            cameras, coefficients = retarget_speech(subject.avatar, motion)
            driver = {"cameras": cameras, "coefficients": coefficients}
        else:
            driver = {"motion": motion, "relative": not self.absolute}
        frames = real3d.render(
            subject.avatar, model=model, size=self.size, background=background, **driver
        )
        size = paste.size if paste else (self.size, self.size)
        transparent = self.background == TRANSPARENT
        sound = self.audio or self.video
        with VideoWriter(self.out, motion.fps, size, sound, transparent=transparent) as video:
            for frame in progress(frames, "animate", len(motion), "frames"):
                frame = backdrop.behind(frame) if backdrop else frame
                video.write(paste(frame) if paste else frame)


@dataclass(frozen=True, kw_only=True)
class Track(Options):
    """Read the motion of a face from a video: expression and pose of every frame."""

    video: tyro.conf.Positional[Path]
    """The recording."""
    out: Out = Path("motion.csv")
    """The motion to write: .csv (Live Link Face), .json or .npz."""
    face: int = 0
    """Which face, from the largest (0)."""
    raw: bool = False
    """Leave out the smoothing."""

    def run(self) -> Path:
        """Write the motion."""
        from real3d.files import require_file, require_suffix, require_writable
        from real3d.motion_files import SUFFIXES

        require_file(self.video, "a video (MP4, MOV, WebM)")
        require_writable(require_suffix(self.out, SUFFIXES), self.video)
        import real3d

        motion = real3d.track_video(self.video, None, face=self.face, smooth=not self.raw)
        return motion.write(self.out)
