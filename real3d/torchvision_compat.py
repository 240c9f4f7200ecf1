"""Import timm beside a CPU build of torch.

PyPI's torchvision on Linux is compiled against the CUDA build of torch. Beside the CPU build its
C++ library does not load, and its import then stops at `operator torchvision::nms does not exist`,
because it describes operators that nobody declared. Real3D needs none of them, timm's import does:
declare them by name only, and import again.
"""

import sys
from types import ModuleType

from torch import library

_MISSING = "operator torchvision::nms does not exist"
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[library.Library] = []  # operators live as long as this object


def _declare_operators() -> None:
    fragment = library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        fragment.define(schema)
    _declared.append(fragment)


def _forget(*packages: str) -> None:
    """Drop half-imported packages, so that the next import starts afresh."""
    for name in list(sys.modules):
        if name.split(".")[0] in packages:
            del sys.modules[name]


def import_timm() -> ModuleType:
    """The timm module; works with torchvision for CUDA, for the CPU and in the mixture above."""
    try:
        import timm
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        _forget("timm", "torchvision")
        _declare_operators()
        import timm
    return timm
