"""Avatar: everything that rendering needs of one person, in one `.avatar` file.

The file is safetensors with a JSON note: format, version, the sha256 of its tensors, and which
weights the planes belong to. It holds no code and is checked before it is used.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from real3d.camera import Camera
from real3d.errors import Real3DError
from real3d.files import require_file
from real3d.networks.image_to_plane import Planes

_FORMAT, _VERSION = "real3d.avatar", 1
_NOTE = "real3d"
_MAX_BYTES = 256 << 20
_LANDMARKS, _COEFFICIENTS, _HIDDEN = 478, 52, 128
_WANTED = "an .avatar file made by `real3d reconstruct`"


@dataclass(frozen=True)
class Avatar:
    """One person, reconstructed; tensors on the CPU, B = 1."""

    photo: Tensor
    """(S, S, 3) uint8 RGB crop: the most frontal photo."""
    alpha: Tensor
    """(S, S) uint8 matte of the person."""
    identity: Tensor
    """(1, 478, 3) float32 landmark offsets from the mean head, head units."""
    camera: Camera
    """The photo's own."""
    coefficients: Tensor
    """(1, 52) float32 in [0, 1]: the photo's own expression."""
    planes: Planes
    """float16; fused where there were several photos."""
    features: Tensor
    """(1, C, s/4, s/4) float16 features of the photo; s is the network's picture."""
    weights_sha256: str = ""
    """The weights that made planes and features, and that alone can render them."""

    def save(self, path: Path) -> None:
        """Write the file; callers write beside and rename (`real3d.files.written_beside`)."""
        tensors = {name: tensor.contiguous() for name, tensor in _tensors(self).items()}
        note = {
            "format": _FORMAT,
            "version": _VERSION,
            "weights_sha256": self.weights_sha256,
            "sha256": _digest(tensors),
        }
        Path(path).write_bytes(save(tensors, {_NOTE: json.dumps(note)}))

    @classmethod
    def load(cls, path: Path) -> "Avatar":
        """Read a file that save wrote.

        Raises Real3DError for another kind of file, another version, and damage.
        """
        path = require_file(path, _WANTED)
        if path.stat().st_size > _MAX_BYTES:
            raise Real3DError(f"{path}: larger than any avatar. Pass {_WANTED}.")
        try:
            with safe_open(str(path), "pt") as file:
                note = json.loads((file.metadata() or {}).get(_NOTE, "null"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, ValueError, OSError, TypeError) as error:
            raise Real3DError(f"{path}: not an avatar, or cut off. Pass {_WANTED}.") from error
        if not isinstance(note, dict) or note.get("format") != _FORMAT:
            raise Real3DError(f"{path}: not an avatar. Pass {_WANTED}.")
        if note.get("version") != _VERSION:
            raise Real3DError(
                f"{path}: version {note.get('version')} is not {_VERSION}. Update real3d, or "
                "reconstruct the photo again."
            )
        defect = _defect(tensors)
        if defect or note.get("sha256") != _digest(tensors):
            defect = defect or "its sha256 is not what it says"
            raise Real3DError(f"{path}: damaged: {defect}. Reconstruct the photo again.")
        return _assembled(tensors, str(note.get("weights_sha256", "")))


def _tensors(avatar: Avatar) -> dict[str, Tensor]:
    names = ("photo", "alpha", "identity", "coefficients", "features")
    tensors = {name: getattr(avatar, name) for name in names}
    tensors["camera.rotation"] = avatar.camera.rotation
    tensors["camera.translation"] = avatar.camera.translation
    for field in fields(Planes):
        tensors[f"planes.{field.name}"] = getattr(avatar.planes, field.name)
    return tensors


def _assembled(tensors: dict[str, Tensor], weights_sha256: str) -> Avatar:
    return Avatar(
        tensors["photo"],
        tensors["alpha"],
        tensors["identity"],
        Camera(tensors["camera.rotation"], tensors["camera.translation"]),
        tensors["coefficients"],
        Planes(*(tensors[f"planes.{field.name}"] for field in fields(Planes))),
        tensors["features"],
        weights_sha256,
    )


def _digest(tensors: dict[str, Tensor]) -> str:
    """sha256 over names, shapes, types and numbers."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _defect(tensors: dict[str, Tensor]) -> str:
    """What is wrong with the tensors of a file; empty where nothing is."""
    shape = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    side = shape.get("photo", (0,))[0]
    features = shape.get("features", ())
    channels, rays = (features[1], features[2]) if len(features) == 4 else (0, 0)
    small, half = torch.float32, torch.float16
    wanted = {
        "photo": ((side, side, 3), torch.uint8),
        "alpha": ((side, side), torch.uint8),
        "identity": ((1, _LANDMARKS, 3), small),
        "coefficients": ((1, _COEFFICIENTS), small),
        "camera.rotation": ((1, 3, 3), small),
        "camera.translation": ((1, 3), small),
        "features": ((1, channels, rays, rays), half),
        "planes.frontal": ((1, channels, rays, rays), half),
        "planes.side": ((1, channels, rays // 2, rays // 2), half),
        "planes.top": ((1, channels, rays // 2, rays // 2), half),
        "planes.hidden": ((1, _HIDDEN, rays // 2, rays // 2), half),
        "planes.confidence": ((1, 1, rays, rays), half),
    }
    if set(wanted) != set(tensors):
        return f"{min(set(wanted) ^ set(tensors))} is missing or unknown"
    for name, (size, dtype) in wanted.items():
        if 0 in size or shape[name] != size or tensors[name].dtype != dtype:
            return f"{name} is {shape[name]} {tensors[name].dtype}"
        if not tensors[name].isfinite().all():
            return f"{name} is not finite"
    if tensors["camera.translation"][0, 2] < 1:
        return "its head is behind the camera"
    return ""
