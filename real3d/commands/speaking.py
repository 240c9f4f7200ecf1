"""Options that say how somebody speaks, looks and moves; they edit any motion."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from real3d.commands.options import Options, require_range
from real3d.errors import Real3DError

if TYPE_CHECKING:
    from real3d.audio_motion import Speaking
    from real3d.motion import Motion


@dataclass(frozen=True, kw_only=True)
class SpeakingOptions(Options):
    """What `real3d animate --audio` takes beside the sound."""

    audio: Annotated[Path | None, tyro.conf.arg(metavar="AUDIO")] = None
    """Speech: WAV, MP3, FLAC, M4A, OGG, or a video's sound. It becomes the clip's sound."""
    emotion: Annotated[str | None, tyro.conf.arg(metavar="EMOTION")] = None
    """neutral, happy, sad, angry, surprised, disgusted, fearful, contempt; a blend such as
    happy:0.6,surprised:0.3; or changing at seconds: "neutral; 2.5 happy; 6 sad:0.5"."""
    intensity: float | None = None
    """How strong the emotion is, 0 to 1 (without it 1)."""
    head_motion: Annotated[str | None, tyro.conf.arg(metavar="natural|still|NUMBER|FILE")] = None
    """natural, still, so many times as much (0.5), or the pose in a video or a motion file."""
    blink: Annotated[str | None, tyro.conf.arg(metavar="natural|none|N/min|SECONDS")] = None
    """natural (every 2 to 6 s), none, a rate such as 20/min, or at seconds such as 1.2,3.5."""
    gaze: Annotated[str | None, tyro.conf.arg(metavar="camera|wander|YAW,PITCH")] = None
    """camera, wander, or degrees to the right of the image and up, such as 10,-5."""
    mouth_gain: float | None = None
    """How far the mouth moves, 0 to 3: 1, and without it, what was heard."""
    audio_weights: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Folder of weights that hear (model.safetensors, config.json) instead of the bundled ones."""

    def speaking(self, seed: int) -> "Speaking":
        """The choices; what was not said is natural."""
        from real3d import audio_motion

        intensity = 1.0 if self.intensity is None else self.intensity
        mouth_gain = 1.0 if self.mouth_gain is None else self.mouth_gain
        require_range("intensity", intensity, 0, 1)
        require_range("mouth-gain", mouth_gain, 0, 3)
        return audio_motion.Speaking(
            audio_motion.NEUTRAL if self.emotion is None else self.emotion,
            intensity,
            seed,
            self._head_motion(),
            self.blink or audio_motion.NATURAL,
            self.gaze or audio_motion.CAMERA,
            mouth_gain,
        )

    def require_audio_alone(self) -> None:
        """Refuse what only makes sense with sound."""
        mine = ("emotion", "intensity", "head_motion", "blink", "gaze", "mouth_gain")
        for name in (*mine, "audio_weights"):
            if getattr(self, name) is not None:
                raise Real3DError(f"--{name.replace('_', '-')} belongs to --audio FILE.")

    def _head_motion(self) -> "str | float | Motion":
        how = self.head_motion
        if how is None:
            return "natural"
        try:
            return float(how)
        except ValueError:
            pass
        if how in ("natural", "still"):
            return how
        import real3d
        from real3d.files import require_file
        from real3d.motion_files import SUFFIXES

        path = require_file(
            Path(how), "natural, still, a number, a motion file or a video to --head-motion"
        )
        if path.suffix.lower() in SUFFIXES:
            return real3d.Motion.read(path)
        return real3d.track_video(path, None)
