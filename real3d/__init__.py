"""One photo in, a living 3D head out.

    model = real3d.load()
    avatar = real3d.reconstruct(real3d.Portrait.read("me.jpg"), model)
    for frame in real3d.render(avatar, real3d.Motion.read("motion.csv"), model=model):
        ...  # (512, 512, 3) uint8 RGB

Names are imported when they are first used: `import real3d` alone loads nothing heavy.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from real3d.avatar import Avatar
    from real3d.errors import Real3DError
    from real3d.export.formats import export_head
    from real3d.motion import Motion
    from real3d.photo import Portrait
    from real3d.pipeline import (
        load,
        orbit,
        reconstruct,
        redirect,
        render,
        render_geometric_warp,
        track_video,
    )
    from real3d.video import VideoWriter

__version__ = "0.1.0"
__all__ = [
    "Avatar",
    "Motion",
    "Portrait",
    "Real3DError",
    "VideoWriter",
    "__version__",
    "export_head",
    "load",
    "orbit",
    "reconstruct",
    "redirect",
    "render",
    "render_geometric_warp",
    "track_video",
]

_HOME = {
    "Avatar": "real3d.avatar",
    "Motion": "real3d.motion",
    "export_head": "real3d.export.formats",
    "Portrait": "real3d.photo",
    "Real3DError": "real3d.errors",
    "VideoWriter": "real3d.video",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'real3d' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME.get(name, "real3d.pipeline")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
