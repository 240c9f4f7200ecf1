"""Weights in a folder: tensors in half precision, and config.json that describes them.

What runs once for a photo is in encoder.safetensors, the rest in renderer.safetensors: two files,
because many hosts of repositories take none over 25 MB. config.json carries the format's version,
the network's sizes, how pictures are prepared, the licence and the sha256 of both files, which are
checked when they are read. Nothing is unpickled.
"""

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from real3d.camera import FIELD_OF_VIEW_DEG, HEAD_UNIT_CM
from real3d.errors import Real3DError
from real3d.face.crop import FACE_SHARE
from real3d.files import written_beside
from real3d.graphs import Graphs
from real3d.networks.config import NetworkConfig
from real3d.networks.geometry import Head
from real3d.networks.model import Encoding, Real3DNetwork, build_network

BUNDLED, OPEN = "real3d-512", "real3d-512-open"
"""Folders of the weights that come with the package: the default, and those for any use."""
ENCODER, RENDERER, CONFIG = "encoder.safetensors", "renderer.safetensors", "config.json"
TENSORS = (ENCODER, RENDERER)
LICENCE = "Real3D Model Licence (research and non-commercial use), see LICENSE_MODEL"
OPEN_LICENCE = "MIT, see LICENSE"
"""Of weights that were trained on openly licensed photos and our own synthetic people alone."""
_FORMAT, _VERSION = "real3d.weights", 1
_FOLDER = Path(__file__).parent / "weights"
_MAX_BYTES = 1 << 30
_LARGEST = {"image_px": 1024, "samples": 64}
_LARGEST_WIDTH = 2048
_WIDTHS = {"encoder": 3, "compositor": 4}
_WANTED = f"{BUNDLED}, {OPEN}, or a folder with {ENCODER}, {RENDERER} and {CONFIG}"
_ENCODER_PREFIXES = ("features.", "image_to_plane.")


@dataclass(frozen=True)
class Model:
    """A network that is ready to run, and where."""

    network: Real3DNetwork
    """float32, in evaluation mode."""
    config: NetworkConfig
    device: torch.device
    graphs: Graphs[Encoding, Head]
    """Of rendering it."""
    sha256: str = ""
    """Of both files' sha256; an avatar can only be rendered by the weights that made it."""

    @property
    def half_precision(self) -> bool:
        """Whether it renders in bfloat16: on CUDA and on CPUs that multiply it."""
        if self.device.type == "cpu":
            found = torch.cpu.get_capabilities()
            return any(found.get(name) for name in ("avx512_bf16", "amx_bf16"))
        return self.device.type == "cuda"

    def autocast(self) -> torch.autocast:
        """Half precision where it is quick."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half_precision)


def ready_model(network: Real3DNetwork, device: torch.device | str, sha256: str = "") -> Model:
    """A model of a network; the network itself moves and changes to evaluation mode."""
    device = torch.device(device)
    network = network.to(device).float().eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):  # a sixth faster, on CPUs as on GPUs
            module.to(memory_format=torch.channels_last)
    return Model(network, network.config, device, Graphs(device), sha256)


def save_weights(
    folder: Path, network: Real3DNetwork, extra: dict | None = None, licence: str = LICENCE
) -> Path:
    """Write a network's weights and what they are; extra is kept as "training" in config.json.

    Raises Real3DError where a weight is not a finite number in half precision.
    """
    tensors = half_precision(folder, network)
    contents = {
        name: save({n: t for n, t in tensors.items() if _file_of(n) == name}, {"format": _FORMAT})
        for name in TENSORS
    }
    config = {
        "format": _FORMAT,
        "version": _VERSION,
        "network": asdict(network.config),
        "preprocessing": {
            "image": f"RGB in [-1, 1], {network.config.image_px} px",
            "face_share_of_height": FACE_SHARE,
            "field_of_view_deg": FIELD_OF_VIEW_DEG,
            "head_unit_cm": HEAD_UNIT_CM,
        },
        "licence": licence,
        "sha256": {name: _digest(content) for name, content in contents.items()},
        "training": extra or {},
    }
    return write_folder(Path(folder), config, contents)


def half_precision(folder: Path, network: torch.nn.Module) -> dict[str, Tensor]:
    """A network's state on the CPU in float16; folder stands in the error.

    Raises Real3DError where a weight is not a finite number in half precision.
    """
    tensors = {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in network.state_dict().items()
    }
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise Real3DError(f"{folder}: {name} is not finite in half precision. Train again.")
    return tensors


def write_folder(folder: Path, config: dict, contents: dict[str, bytes]) -> Path:
    """Write config.json and files of tensors; all are written before the first is renamed."""
    text = (json.dumps(config, indent=1) + "\n").encode()
    with contextlib.ExitStack() as stack:
        for name, content in ({CONFIG: text} | contents).items():
            stack.enter_context(written_beside(folder / name)).write_bytes(content)
    return folder


def described(path: Path, content: bytes, kind: str, version: int) -> dict:
    """What a config.json says, checked to be of a kind of weights and of a version.

    Raises Real3DError otherwise.
    """
    try:
        found = json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise Real3DError(f"{path}: not a JSON file. Copy the folder again.") from error
    if not isinstance(found, dict) or found.get("format") != kind:
        raise Real3DError(f'{path}: wanted a JSON object with "format": "{kind}".')
    if found.get("version") != version:
        raise Real3DError(
            f"{path}: version {found.get('version')} is not {version}. Update real3d."
        )
    return found


def load_weights(folder: Path | str | None, device: torch.device | str) -> Model:
    """The model in a folder, or a bundled one (by its name; None: the default), on a device.

    Raises Real3DError for what is missing, damaged, of another version or another shape.
    """
    folder = _found(folder)
    contents = {name: _content(folder / name) for name in TENSORS}
    config, wanted = _read_config(folder / CONFIG)
    network = build_network(config)
    state = {}
    for name, content in contents.items():
        tensors = _checked_tensors(folder / name, content, wanted[name])
        own = {n: t for n, t in network.state_dict().items() if _file_of(n) == name}
        _check_names_and_shapes(folder / name, own, tensors)
        state |= tensors
    network.load_state_dict(state)
    return ready_model(network, device, _sha256_of(wanted))


def licence_of(folder: Path | str) -> str:
    """What the config.json of weights says of their licence.

    Raises Real3DError where there is none that can be read.
    """
    path = _found(folder) / CONFIG
    return str(described(path, _content(path), _FORMAT, _VERSION).get("licence", ""))


def bundled_name(sha256: str) -> str | None:
    """Which bundled weights have this Model.sha256; None where none do."""
    for name in (BUNDLED, OPEN):
        path = _FOLDER / name / CONFIG
        if path.is_file() and sha256 == _sha256_of(_read_config(path)[1]):
            return name
    return None


def _found(folder: Path | str | None) -> Path:
    """The folder, or the bundled one of that name."""
    if folder is None:
        if not (_FOLDER / BUNDLED).is_dir():
            raise Real3DError(
                f"this build of real3d carries no weights. Pass --weights, {_WANTED}."
            )
        return _FOLDER / BUNDLED
    if not Path(folder).is_dir() and str(folder) in (BUNDLED, OPEN):
        folder = _FOLDER / folder
    if not Path(folder).is_dir():
        raise Real3DError(f"{folder}: no such folder. Pass {_WANTED}.")
    return Path(folder)


def _sha256_of(digests: dict[str, str]) -> str:
    """Of both files of tensors, from the sha256 of each."""
    return _digest("".join(digests[name] for name in TENSORS).encode())


def _file_of(name: str) -> str:
    """Which file a tensor is in."""
    return ENCODER if name.startswith(_ENCODER_PREFIXES) else RENDERER


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise Real3DError(f"{path}: no such file. Pass {_WANTED}.")
    size = path.stat().st_size
    if not 0 < size <= _MAX_BYTES:
        what = "the file is empty" if size == 0 else "larger than any weights of ours"
        raise Real3DError(f"{path}: {what}. Copy the folder again.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Real3DError(f"{path}: not readable ({error.strerror}).") from error


def _checked_tensors(path: Path, content: bytes, wanted: str) -> dict[str, Tensor]:
    """Tensors of a file whose sha256 is wanted."""
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise Real3DError(
            f"{path}: not a safetensors file, or cut off. Copy the folder again."
        ) from error
    if (found := _digest(content)) != wanted:
        raise Real3DError(
            f"{path}: damaged: its sha256 is {found[:12]}…, {CONFIG} says "
            f"{wanted[:12]}…. Copy the folder again."
        )
    return tensors


def _read_config(path: Path) -> tuple[NetworkConfig, dict[str, str]]:
    """Sizes of the network, and the sha256 of each file of its weights."""
    content = described(path, _content(path), _FORMAT, _VERSION)
    try:
        config = _checked_config(content["network"])
    except (KeyError, TypeError, ValueError) as error:
        raise Real3DError(f'{path}: "network" is not one of ours ({error}).') from error
    digests = content.get("sha256")
    if not isinstance(digests, dict) or any(type(digests.get(n)) is not str for n in TENSORS):
        raise Real3DError(f'{path}: "sha256" is not one for each of {ENCODER} and {RENDERER}.')
    return config, digests


def _checked_config(given: dict) -> NetworkConfig:
    values = {"encoder": NetworkConfig.encoder, "paints_sides": False} | given
    for name, count in _WIDTHS.items():
        values[name] = tuple(values[name])
        if len(values[name]) != count:
            raise ValueError(f"{name} has {len(values[name])} widths, not {count}")
    config = NetworkConfig(**values)
    for field in fields(config):
        value = getattr(config, field.name)
        if type(field.default) is bool:
            if type(value) is not bool:
                raise ValueError(f"{field.name} is {value!r}, wanted true or false")
            continue
        top = _LARGEST.get(field.name, _LARGEST_WIDTH)
        for number in value if isinstance(value, tuple) else (value,):
            if type(number) is not int or not 1 <= number <= top:
                raise ValueError(f"{field.name} is {number!r}, wanted 1 to {top}")
    if config.image_px < 64 or config.image_px & (config.image_px - 1):
        raise ValueError(f"image_px is {config.image_px}, wanted a power of two from 64")
    return config


def _check_names_and_shapes(path: Path, wanted: dict, found: dict) -> None:
    """Strict: nothing missing, nothing unknown, every shape and every number as it must be."""
    differing = sorted(set(wanted) ^ set(found))
    if differing:
        what = "is missing" if differing[0] in wanted else "is unknown"
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        raise Real3DError(
            f"{path}: {differing[0]} {what}{more}. "
            "These weights belong to another version of real3d."
        )
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            raise Real3DError(
                f"{path}: {name} is {tuple(tensor.shape)}, wanted "
                f"{tuple(wanted[name].shape)}. These weights belong to another version of real3d."
            )
        if not (tensor.is_floating_point() and tensor.isfinite().all()):
            raise Real3DError(f"{path}: {name} holds something that is no number.")
