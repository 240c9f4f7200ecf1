import json

import pytest
import torch

from real3d.audio_weights import CONFIG, TENSORS, load_audio_weights, save_audio_weights
from real3d.errors import Real3DError
from real3d.networks.audio_to_motion import AudioConfig, build_audio_network

SMALL = AudioConfig(width=8, around=(1,), before=(2,))


@pytest.fixture
def folder(tmp_path):
    return save_audio_weights(tmp_path / "weights", build_audio_network(SMALL), {"steps": 3})


def test_round_trip_in_half_precision(folder):
    model = load_audio_weights(folder)
    assert model.config == SMALL
    assert not model.network.training
    tensor = model.network.front.weight
    assert tensor.dtype == torch.float32
    assert torch.equal(tensor, tensor.half().float())
    described = json.loads((folder / CONFIG).read_text())
    assert described["training"] == {"steps": 3}
    assert "non-commercial" in described["licence"]
    assert described["sha256"][TENSORS] == model.sha256


def test_the_bundled_weights_are_small():
    model = load_audio_weights()
    assert sum(p.numel() for p in model.network.parameters()) < 3e6
    assert model.config.look_ahead_s <= 0.3


def _change(folder, **values):
    path = folder / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_defects_are_sentences(folder, tmp_path):
    content = (folder / TENSORS).read_bytes()
    (folder / TENSORS).write_bytes(content[:-8] + b"12345678")
    with pytest.raises(Real3DError, match="damaged"):
        load_audio_weights(folder)
    (folder / TENSORS).unlink()
    with pytest.raises(Real3DError, match="no such file"):
        load_audio_weights(folder)
    with pytest.raises(Real3DError, match="no such folder"):
        load_audio_weights(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "said"),
    [({"version": 9}, "version 9"), ({"format": "x"}, "JSON object with"),
     ({"network": {"width": 1 << 20}}, "width"), ({"network": {"depth": 3}}, "not one of ours"),
     ({"coefficients": []}, "coefficients"), ({"sha256": {}}, "not one of ours")],
)  # fmt: skip
def test_other_configs_are_refused(folder, change, said):
    _change(folder, **change)
    with pytest.raises(Real3DError, match=said):
        load_audio_weights(folder)


def test_other_sizes_are_refused(folder):
    network = json.loads((folder / CONFIG).read_text())["network"]
    _change(folder, network=network | {"width": 16})
    with pytest.raises(Real3DError, match="another version"):
        load_audio_weights(folder)


def test_numbers_that_half_precision_cannot_hold(tmp_path):
    network = build_audio_network(SMALL)
    with torch.no_grad():
        network.head.bias[0] = 1e6
    with pytest.raises(Real3DError, match="not finite"):
        save_audio_weights(tmp_path / "w", network)
    assert not (tmp_path / "w").exists()
