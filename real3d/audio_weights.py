"""Weights of Audio-to-Motion in a folder: model.safetensors in half precision, config.json.

As with the pictures' networks: the format's version, sizes, preprocessing, licence and sha256 are
in config.json and checked; nothing is unpickled.
"""

import hashlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from real3d.errors import Real3DError
from real3d.networks import log_mel
from real3d.networks.audio_to_motion import (
    SPOKEN,
    STEPS_PER_S,
    AudioConfig,
    AudioToMotion,
    build_audio_network,
)
from real3d.weight_files import CONFIG, LICENCE, described, half_precision, write_folder

BUNDLED = "audio-to-motion"
"""Folder of the weights that come with the package."""
TENSORS = "model.safetensors"
_FORMAT, _VERSION = "real3d.audio-weights", 1
_FOLDER = Path(__file__).parent / "weights"
_WANTED = f"a folder with {TENSORS} and {CONFIG}"
_MAX_BYTES = 1 << 28
_LARGEST = {"width": 1024, "manner": 64, "emotions": 7}
_LARGEST_REACH, _MOST_BLOCKS = 64, 32


@dataclass(frozen=True)
class AudioModel:
    """A network that is ready to listen, on the CPU, where it is quick enough."""

    network: AudioToMotion
    """float32, in evaluation mode."""
    sha256: str = ""

    @property
    def config(self) -> AudioConfig:
        """The network's sizes."""
        return self.network.config


def save_audio_weights(folder: Path, network: AudioToMotion, extra: dict | None = None) -> Path:
    """Write a network's weights and what they are; extra is kept as "training" in config.json.

    Raises Real3DError where a weight is not a finite number in half precision.
    """
    tensors = half_precision(folder, network)
    content = save(tensors, {"format": _FORMAT})
    config = {
        "format": _FORMAT,
        "version": _VERSION,
        "network": asdict(network.config),
        "coefficients": list(SPOKEN),
        "preprocessing": {
            "rate_hz": log_mel.RATE_HZ,
            "hop": log_mel.HOP,
            "window": log_mel.WINDOW,
            "fft": log_mel.FFT,
            "bands": log_mel.BANDS,
            "level_db": log_mel.LEVEL_DB,
            "steps_per_s": STEPS_PER_S,
        },
        "licence": LICENCE,
        "sha256": {TENSORS: hashlib.sha256(content).hexdigest()},
        "training": extra or {},
    }
    return write_folder(Path(folder), config, {TENSORS: content})


def load_audio_weights(folder: Path | None = None) -> AudioModel:
    """The network in a folder, or the bundled one.

    Raises Real3DError for what is missing, damaged, of another version or another shape.
    """
    folder = _FOLDER / BUNDLED if folder is None else Path(folder)
    if not folder.is_dir():
        raise Real3DError(f"{folder}: no such folder of audio weights. Pass {_WANTED}.")
    config, wanted = _read_config(folder / CONFIG)
    content = _content(folder / TENSORS)
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise Real3DError(
            f"{folder / TENSORS}: damaged: its sha256 is {found[:12]}…, {CONFIG} says "
            f"{wanted[:12]}…. Copy the folder again."
        )
    network = build_audio_network(config)
    try:
        tensors = {name: tensor.float() for name, tensor in load(content).items()}
        network.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise Real3DError(
            f"{folder / TENSORS}: these weights belong to another version of real3d."
        ) from error
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise Real3DError(f"{folder / TENSORS}: it holds something that is no number.")
    return AudioModel(network.eval().requires_grad_(False), found)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise Real3DError(f"{path}: no such file. Pass {_WANTED}.")
    if not 0 < path.stat().st_size <= _MAX_BYTES:
        raise Real3DError(f"{path}: empty, or larger than any weights of ours. Copy it again.")
    return path.read_bytes()


def _read_config(path: Path) -> tuple[AudioConfig, str]:
    """Sizes of the network, and the sha256 of its weights."""
    content = described(path, _content(path), _FORMAT, _VERSION)
    if content.get("coefficients") != list(SPOKEN):
        raise Real3DError(f"{path}: its coefficients are not those of this version of real3d.")
    try:
        config, digest = _checked(content["network"]), content["sha256"][TENSORS]
    except (KeyError, TypeError, ValueError) as error:
        raise Real3DError(f"{path}: not one of ours ({error}).") from error
    if type(digest) is not str:
        raise Real3DError(f'{path}: "sha256" is not one of {TENSORS}.')
    return config, digest


def _checked(given: dict) -> AudioConfig:
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    config = AudioConfig(**values)
    for field in fields(config):
        value = getattr(config, field.name)
        many = value if isinstance(value, tuple) else (value,)
        top = _LARGEST.get(field.name, _LARGEST_REACH)
        if len(many) > _MOST_BLOCKS or any(type(n) is not int or not 1 <= n <= top for n in many):
            raise ValueError(f"{field.name} is {value!r}, wanted 1 to {top}")
    return config
