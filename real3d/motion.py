"""Motion: the 52 ARKit coefficients and the pose of a head over time, whatever drives it.

Axes are those of `real3d.camera`: +yaw turns the face towards the right of the image, +pitch looks
up, +roll tilts clockwise in the image; translation is in centimetres in the camera frame (x right,
y down, z away from the camera), and only its differences matter.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES

_WIDTHS = {"coefficients": len(ARKIT_NAMES), "rotation": 3, "translation": 3}
_LIMITS = {"coefficients": 10.0, "rotation": 100.0, "translation": 1e4}
"""What no face does, whatever its units."""
MAX_FPS = 240.0


@dataclass(frozen=True)
class Motion:
    """A head's expression and pose, one row a frame."""

    coefficients: np.ndarray
    """(T, 52) float32, nominally in [0, 1], order of ARKIT_NAMES."""
    rotation: np.ndarray
    """(T, 3) float32 radians: yaw, pitch, roll."""
    translation: np.ndarray
    """(T, 3) float32 centimetres in the camera frame."""
    fps: float
    """Rows a second."""

    def __post_init__(self) -> None:
        for name, width in _WIDTHS.items():
            values = np.ascontiguousarray(getattr(self, name), np.float32)
            object.__setattr__(self, name, values)
            if values.ndim != 2 or values.shape[1] != width:
                raise Real3DError(f"motion: {name} must be (T, {width}). Got {values.shape}.")
            if not np.isfinite(values).all():
                row = int(np.flatnonzero(~np.isfinite(values).all(1))[0])
                raise Real3DError(f"motion: {name} of frame {row} is not a finite number.")
            if values.size and np.abs(values).max() > _LIMITS[name]:
                row = int(np.abs(values).max(1).argmax())
                raise Real3DError(
                    f"motion: {name} of frame {row} reaches {np.abs(values).max():g}, at most "
                    f"{_LIMITS[name]:g} makes sense."
                )
        lengths = {len(getattr(self, name)) for name in _WIDTHS}
        if lengths == {0}:
            raise Real3DError("motion: there are no frames in it. At least one is needed.")
        if len(lengths) > 1:
            raise Real3DError(f"motion: tracks of different lengths ({sorted(lengths)}).")
        object.__setattr__(self, "fps", float(self.fps))
        if not 1 <= self.fps <= MAX_FPS:
            raise Real3DError(f"motion: {self.fps:g} frames a second; wanted 1 to {MAX_FPS:g}.")

    def __len__(self) -> int:
        return len(self.coefficients)

    def __getitem__(self, frames: slice) -> "Motion":
        """Some of the frames, at the same rate."""
        parts = (getattr(self, name)[frames] for name in _WIDTHS)
        return Motion(*parts, self.fps)

    @property
    def duration_s(self) -> float:
        """Length in seconds; every frame lasts 1 / fps."""
        return len(self) / self.fps

    @classmethod
    def still(
        cls,
        coefficients: np.ndarray | dict[str, float] | None = None,
        rotation: tuple[float, float, float] = (0.0, 0.0, 0.0),
        frames: int = 1,
        fps: float = 25.0,
    ) -> "Motion":
        """One held pose: coefficients (52,) or by name, rotation in radians."""
        row = np.zeros(len(ARKIT_NAMES), np.float32)
        if isinstance(coefficients, dict):
            for name, value in coefficients.items():
                if name not in ARKIT_INDEX:
                    raise Real3DError(f"{name}: not one of Apple's 52 names, such as jawOpen.")
                row[ARKIT_INDEX[name]] = value
        elif coefficients is not None:
            row = np.asarray(coefficients, np.float32)
        rows = (np.tile(np.asarray(r, np.float32), (frames, 1)) for r in (row, rotation, [0] * 3))
        return cls(*rows, fps)

    @classmethod
    def read(cls, path: Path, fps: float | None = None) -> "Motion":
        """Read a Live Link Face .csv, .json or .npz; fps overrides the file's own rate."""
        from real3d.motion_files import read_motion

        motion = read_motion(Path(path))
        return motion if fps is None else replace(motion, fps=fps)

    @classmethod
    def from_audio(
        cls, path: Path, model: object | None = None, *, fps: float = 25.0, **how: object
    ) -> "Motion":
        """The motion of a head that says what is in a recording (any sound or video file).

        how: emotion, intensity, seed, head_motion, blink, gaze, mouth_gain, as the fields of
        real3d.audio_motion.Speaking say. model: an AudioModel; without one the bundled weights.
        Coefficients count from a face at rest: see real3d.retarget_speech.

        Raises Real3DError for what cannot be read, has no sound track, is silent, or how it is not.
        """
        from real3d.audio_motion import Speaking, motion_from_audio

        return motion_from_audio(Path(path), model, Speaking(**how), fps)

    def write(self, path: Path) -> Path:
        """Write .csv (Live Link Face columns), .json or .npz, by the name's ending."""
        from real3d.motion_files import write_motion

        return write_motion(self, Path(path))

    def resample(self, fps: float) -> "Motion":
        """The same motion at another rate, by linear interpolation; at least one frame."""
        if fps == self.fps:
            return self
        count = max(1, round(self.duration_s * fps))
        times, wanted = np.arange(len(self)) / self.fps, np.arange(count) / fps
        parts = (interpolate(times, getattr(self, name), wanted) for name in _WIDTHS)
        return Motion(*parts, fps)


def interpolate(times_s: np.ndarray, values: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """(N, C) float32 of (T, C) values known at rising times (T,), linearly, held at the ends."""
    columns = [np.interp(wanted_s, times_s, column) for column in np.asarray(values).T]
    return np.stack(columns, 1).astype(np.float32)


def fill_gaps(
    times_s: np.ndarray, values: np.ndarray, valid: np.ndarray, longest_s: float = 1.0
) -> np.ndarray:
    """A track without gaps: rows that are not valid are interpolated, at the ends held.

    times_s (T,) seconds, rising; values (T, C); valid (T,) bool. Returns (T, C) float32.

    Raises Real3DError when nothing is valid or a gap lasts longer than longest_s.
    """
    times_s, valid = np.asarray(times_s, np.float64), np.asarray(valid, bool)
    if not valid.any():
        raise Real3DError(
            "no face found in any frame. Use a video in which one face is seen from the front."
        )
    seen = np.flatnonzero(valid)
    edges = np.concatenate([[-1], seen, [len(valid)]])
    for before, after in pairwise(edges):
        if after - before == 1:
            continue
        start = times_s[before] if before >= 0 else times_s[0]
        end = times_s[after] if after < len(valid) else times_s[-1]
        if end - start > longest_s:
            raise Real3DError(
                f"no face found from {start:.1f} s to {end:.1f} s; gaps of at most {longest_s:g} s "
                "can be bridged. Cut the video there."
            )
    rows = np.asarray(values)[seen]
    return interpolate(times_s[seen], rows, times_s)
