"""Options that several commands share, and how they are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from real3d.errors import Real3DError

if TYPE_CHECKING:
    import numpy as np

    from real3d.avatar import Avatar
    from real3d.photo import Portrait

Out = Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="PATH")]
"""An output path, given by -o or --out."""
Input = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="PHOTO|AVATAR")]
AVATAR_SUFFIX = ".avatar"
_MIN_PX, _MAX_PX = 64, 2048


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every command takes."""

    debug: bool = False
    """Show the whole traceback of an error."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions(Options):
    """What every command that runs the networks takes."""

    weights: Annotated[Path | None, tyro.conf.arg(metavar="NAME|FOLDER")] = None
    """real3d-512 (the default), real3d-512-open (smaller, under the MIT licence) or a folder of
    weights (two safetensors files, config.json)."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    seed: int = 0
    """Seed of everything random: the same seed gives the same frames."""

    def load_model(self):
        """The model with these weights on this device."""
        require_seed(self.seed)
        import torch

        import real3d

        torch.manual_seed(self.seed)
        return real3d.load(self.weights, device=self.device)


@dataclass(frozen=True)
class Subject:
    """Whom a command is about."""

    avatar: "Avatar"
    portrait: "Portrait | None"
    """The portrait that it was just made from; None when it came from an .avatar file."""


def read_subject(path: Path, model: object, face: int) -> Subject:
    """An .avatar file as it is, or a photo reconstructed."""
    import real3d
    from real3d.files import require_file
    from real3d.photo import Portrait

    require_file(path, "a photo or an .avatar file")
    if path.suffix.lower() == AVATAR_SUFFIX:
        if face:
            raise Real3DError(f"--face {face}: an avatar has one face. Pass the photo instead.")
        return Subject(real3d.Avatar.load(path), None)
    portrait = Portrait.read(path, face)
    return Subject(real3d.reconstruct(portrait, model), portrait)


def require_seed(seed: int) -> int:
    """The seed, if every generator of random numbers takes it."""
    if not 0 <= seed < 2**63:
        raise Real3DError(f"--seed {seed}: wanted a whole number from 0 to 2^63 - 1.")
    return seed


def require_size(size: int) -> int:
    """The side of the output in pixels, if it makes sense."""
    if not _MIN_PX <= size <= _MAX_PX or size % 2:
        raise Real3DError(f"--size {size}: wanted an even number from {_MIN_PX} to {_MAX_PX}.")
    return size


def require_range(name: str, value: float, low: float, high: float) -> float:
    """The value of the option called name, if it lies between two bounds."""
    if not low <= value <= high:
        raise Real3DError(f"--{name} {value:g}: wanted a number from {low:g} to {high:g}.")
    return value


def read_expression(settings: tuple[str, ...]) -> "np.ndarray | None":
    """(52,) float32 of NAME=VALUE settings, such as jawOpen=0.5; None without any."""
    import numpy as np

    from real3d.face.blendshapes import ARKIT_NAMES, arkit_indices

    if not settings:
        return None
    coefficients = np.zeros(len(ARKIT_NAMES), np.float32)
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            indices, share = arkit_indices(name), float(value)
        except (KeyError, ValueError):
            indices, share = [], -1.0
        if not 0 <= share <= 1:
            raise Real3DError(
                f"--expression {setting}: wanted NAME=VALUE with one of Apple's 52 names (without "
                "its side for both) and a number from 0 to 1, such as jawOpen=0.5 or eyeBlink=1."
            )
        coefficients[indices] = share
    return coefficients
