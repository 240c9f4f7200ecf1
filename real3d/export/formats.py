"""`export_head`: an avatar as a file of the kind that its name's ending says."""

from collections.abc import Callable
from pathlib import Path

from real3d.avatar import Avatar
from real3d.export.bake import bake
from real3d.export.draw import turntable
from real3d.export.glb import write_glb
from real3d.export.html_page import write_page
from real3d.export.mesh import BakedHead
from real3d.export.splats import write_splats
from real3d.export.wavefront import write_obj
from real3d.files import require_suffix, written_beside
from real3d.progress import progress
from real3d.video import VideoWriter
from real3d.weight_files import Model

SUFFIXES = (".glb", ".obj", ".ply", ".html", ".mp4")
"""Mesh with 52 morph targets, still mesh, Gaussian splats, page, turntable."""


def export_head(avatar: Avatar, model: Model, path: Path) -> Path:
    """Write an avatar as .glb, .obj (and .mtl, .png beside it), .ply, .html or .mp4.

    Raises Real3DError for another ending, and where the avatar was made with other weights.
    """
    require_suffix(path, SUFFIXES)
    return write_head(bake(avatar, model), path)


def write_head(
    baked: BakedHead, path: Path, *, seconds: float = 4.0, fps: float = 25.0, size: int = 512
) -> Path:
    """Write a baked head; seconds, fps and size (pixels) are those of a turntable."""
    path = require_suffix(Path(path), SUFFIXES)
    suffix = path.suffix.lower()
    if suffix == ".mp4":
        _write_turntable(baked, path, max(1, round(seconds * fps)), fps, size)
    elif suffix == ".obj":
        write_obj(baked, path)
    else:
        writers: dict[str, Callable[[BakedHead, Path], None]] = {
            ".glb": write_glb,
            ".ply": write_splats,
            ".html": write_page,
        }
        with written_beside(path) as partial:
            writers[suffix](baked, partial)
    return path


def _write_turntable(baked: BakedHead, path: Path, count: int, fps: float, size: int) -> None:
    with VideoWriter(path, fps, (size, size)) as video:
        for frame in progress(turntable(baked, count, size), "turntable", count, "frames"):
            video.write(frame)
