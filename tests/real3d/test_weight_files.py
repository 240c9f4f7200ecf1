import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from real3d import weight_files
from real3d.errors import Real3DError
from real3d.networks.config import SMOKE
from real3d.networks.model import build_network
from real3d.weight_files import CONFIG, TENSORS, load_weights, save_weights


@pytest.fixture(scope="module")
def saved(network, tmp_path_factory):
    return save_weights(tmp_path_factory.mktemp("weights") / "smoke", network, {"steps": 7})


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to damage."""
    for name in (TENSORS, CONFIG):
        (tmp_path / name).write_bytes((saved / name).read_bytes())
    return tmp_path


def _change(folder, **values):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, **values}))


def _replace(folder, change):
    """Other tensors, with their right sha256."""
    tensors = load_file(folder / TENSORS)
    change(tensors)
    save_file(tensors, folder / TENSORS)
    _change(folder, sha256=hashlib.sha256((folder / TENSORS).read_bytes()).hexdigest())


def _refused(folder, *words):
    with pytest.raises(Real3DError) as caught:
        load_weights(folder, "cpu")
    sentence = str(caught.value)
    assert str(folder) in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def test_round_trip(saved, network):
    model = load_weights(saved, "cpu")
    assert model.config == SMOKE
    assert not model.network.training
    loaded = model.network.state_dict()
    for name, tensor in network.state_dict().items():
        assert loaded[name].dtype == torch.float32
        assert torch.equal(loaded[name], tensor.half().float()), name


def test_config_says_what_the_weights_are(saved):
    config = json.loads((saved / CONFIG).read_text())
    assert config["version"] == 1
    assert config["network"]["image_px"] == SMOKE.image_px
    assert "non-commercial" in config["licence"]
    assert config["training"] == {"steps": 7}
    assert sorted(p.name for p in saved.iterdir()) == [CONFIG, TENSORS]


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    network = build_network(SMOKE)
    with torch.no_grad():
        network.volume.prior_gain.fill_(1e9)
    with pytest.raises(Real3DError, match="prior_gain is not finite"):
        save_weights(tmp_path / "w", network)
    assert list(tmp_path.iterdir()) == []


def test_no_bundled_weights_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(weight_files, "_FOLDER", tmp_path)
    with pytest.raises(Real3DError, match="carries no weights"):
        load_weights(None, "cpu")


def test_bundled_weights_are_the_default(monkeypatch, saved):
    monkeypatch.setattr(weight_files, "_FOLDER", saved.parent)
    monkeypatch.setattr(weight_files, "BUNDLED", saved.name)
    assert load_weights(None, "cpu").config == SMOKE


def test_missing_folder_and_files(folder, tmp_path):
    _refused(tmp_path / "nowhere", "no such folder")
    (folder / CONFIG).unlink()
    _refused(folder, CONFIG, "no such file")
    (folder / TENSORS).unlink()
    _refused(folder, TENSORS, "no such file")


@pytest.mark.parametrize("name", [TENSORS, CONFIG])
@pytest.mark.parametrize("content", [b"", b"not a tensor", b"\xff\xfe" * 40])
def test_other_content(folder, name, content):
    (folder / name).write_bytes(content)
    _refused(folder, name)


def test_damaged_tensors(folder):
    content = bytearray((folder / TENSORS).read_bytes())
    content[-5] ^= 1
    (folder / TENSORS).write_bytes(content)
    _refused(folder, "sha256")
    (folder / TENSORS).write_bytes(content[:-100])
    _refused(folder, "cut off")


def test_another_version_or_format(folder):
    _change(folder, version=99)
    _refused(folder, "version 99", "Update real3d")
    _change(folder, format="something")
    _refused(folder, "real3d.weights")


@pytest.mark.parametrize(
    "sizes",
    [
        None,
        {},
        {"compositor": [1, 2]},
        {"compositor": [16, 24, 32, 48], "image_px": 100},
        {"compositor": [16, 24, 32, 48], "image_px": 1 << 20},
        {"compositor": [16, 24, 32, 48], "samples": -1},
        {"compositor": [16, 24, 32, 48], "token_width": "64"},
        {"compositor": [16, 24, 32, 48], "unknown": 1},
    ],
)
def test_impossible_sizes(folder, sizes):
    _change(folder, network=sizes)
    _refused(folder, "network")


def test_other_names_and_shapes(folder):
    _replace(folder, lambda tensors: tensors.pop("volume.prior_gain"))
    _refused(folder, "volume.prior_gain is missing")
    _replace(folder, lambda tensors: tensors.update({"volume.prior_gain": torch.ones(2).half()}))
    _refused(folder, "volume.prior_gain is (2,)")
    _replace(folder, lambda tensors: tensors.update({"volume.prior_gain": torch.tensor(torch.nan)}))
    _refused(folder, "no number")
