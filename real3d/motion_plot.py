"""A motion as a picture of curves."""

import logging
from pathlib import Path

import numpy as np

from real3d.errors import Real3DError
from real3d.face.blendshapes import arkit_indices
from real3d.face.lips import mouth_opening
from real3d.files import written_beside
from real3d.motion import Motion

_ROWS: dict[str, tuple[str, ...]] = {
    "jaw, lips": ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthPress"),
    "mouth": ("mouthSmile", "mouthFrown", "mouthStretch", "mouthUpperUp", "mouthLowerDown"),
    "brows": ("browInnerUp", "browOuterUp", "browDown"),
    "lids": ("eyeBlink", "eyeWide", "eyeSquint"),
    "gaze": ("eyeLookUp", "eyeLookDown", "eyeLookOutLeft", "eyeLookInLeft"),
}


def plot_motion(
    motion: Motion, path: Path, names: tuple[str, ...] = (), start_s: float = 0.0
) -> Path:
    """Draw a motion: groups of coefficients (both sides averaged), the mouth's opening, the pose.

    names: draw these coefficients alone. start_s: the time of the first frame on the axis.
    Raises Real3DError without matplotlib and for names that are not ARKit's.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # a home that is not writable is fine
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise Real3DError('plot needs matplotlib. Run: pip install "real3d[plot]"') from error
    rows = {name: (name,) for name in names} or _ROWS
    times_s = start_s + np.arange(len(motion)) / motion.fps
    count = len(rows) + (0 if names else 2)
    figure, axes = pyplot.subplots(
        count, 1, sharex=True, figsize=(12, 1.5 * count + 0.6), squeeze=False, layout="constrained"
    )
    try:
        for axis, (title, shown) in zip(axes[:, 0], rows.items(), strict=False):
            for name in shown:
                axis.plot(times_s, motion.coefficients[:, _indices(name)].mean(1), label=name)
            axis.set_ylabel(title if not names else "")
            axis.set_ylim(-0.02, 1.02)
        if not names:
            _plot_opening_and_pose(axes[-2:, 0], times_s, motion)
        for axis in axes[:, 0]:
            axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
            axis.grid(alpha=0.3)
        axes[-1, 0].set_xlabel("seconds")
        with written_beside(Path(path)) as partial:
            figure.savefig(partial, dpi=110)
    finally:
        pyplot.close(figure)
    return Path(path)


def _plot_opening_and_pose(axes: np.ndarray, times_s: np.ndarray, motion: Motion) -> None:
    axes[0].plot(times_s, mouth_opening(motion.coefficients), color="black", label="lips apart")
    axes[0].set_ylabel("mm")
    for name, column in zip(("yaw", "pitch", "roll"), motion.rotation.T, strict=True):
        axes[1].plot(times_s, np.degrees(column), label=name)
    axes[1].set_ylabel("head, °")


def _indices(name: str) -> list[int]:
    try:
        return arkit_indices(name)
    except KeyError as error:
        raise Real3DError(
            f"{name}: not one of Apple's 52 names, such as jawOpen, nor one without its side."
        ) from error
