import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from real3d import weight_files
from real3d.errors import Real3DError
from real3d.networks.config import SMOKE
from real3d.networks.model import build_network
from real3d.weight_files import (
    CONFIG,
    ENCODER,
    OPEN_LICENCE,
    RENDERER,
    TENSORS,
    bundled_name,
    licence_of,
    load_weights,
    ready_model,
    save_weights,
)


@pytest.fixture(scope="module")
def saved(network, tmp_path_factory):
    return save_weights(tmp_path_factory.mktemp("weights") / "smoke", network, {"steps": 7})


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to damage."""
    for name in (*TENSORS, CONFIG):
        (tmp_path / name).write_bytes((saved / name).read_bytes())
    return tmp_path


def _change(folder, **values):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, **values}))


def _replace(folder, name, change):
    """Other tensors, with their right sha256."""
    tensors = load_file(folder / name)
    change(tensors)
    save_file(tensors, folder / name)
    digests = json.loads((folder / CONFIG).read_text())["sha256"]
    _change(folder, sha256=digests | {name: _digest(folder / name)})


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
    assert config["sha256"] == {name: _digest(saved / name) for name in TENSORS}
    assert sorted(p.name for p in saved.iterdir()) == sorted([CONFIG, *TENSORS])


def test_the_encoder_has_a_file_of_its_own(saved):
    encoder, renderer = (load_file(saved / name) for name in TENSORS)
    assert {name.split(".")[0] for name in encoder} == {"features", "image_to_plane"}
    assert {name.split(".")[0] for name in renderer} == {
        "flow", "htb", "motion_adapter", "torso", "volume",
    }  # fmt: skip


def test_a_model_is_named_by_both_files(saved, folder):
    both = "".join(_digest(saved / name) for name in (ENCODER, RENDERER))
    first = load_weights(saved, "cpu").sha256
    assert first == hashlib.sha256(both.encode()).hexdigest()
    for name, tensor in ((ENCODER, "features.0.bias"), (RENDERER, "volume.prior_gain")):
        _replace(folder, name, lambda tensors, t=tensor: tensors[t].add_(1))
        assert load_weights(folder, "cpu").sha256 != first


def test_saving_over_other_weights(folder, network):
    (folder / ENCODER).write_bytes(b"something")
    save_weights(folder, network)
    load_weights(folder, "cpu")
    assert sorted(p.name for p in folder.iterdir()) == sorted([CONFIG, *TENSORS])


def test_a_file_that_cannot_be_written_leaves_the_others(folder, network):
    (folder / CONFIG).unlink()
    (folder / CONFIG).mkdir()
    before = {name: (folder / name).stat().st_mtime_ns for name in TENSORS}
    with pytest.raises(Real3DError, match="this is a folder"):
        save_weights(folder, network)
    assert {name: (folder / name).stat().st_mtime_ns for name in TENSORS} == before
    assert sorted(p.name for p in folder.iterdir()) == sorted([CONFIG, *TENSORS])


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


def test_bundled_weights_by_name(monkeypatch, saved, tmp_path):
    monkeypatch.setattr(weight_files, "_FOLDER", saved.parent)
    monkeypatch.setattr(weight_files, "OPEN", saved.name)
    monkeypatch.chdir(tmp_path)
    model = load_weights(saved.name, "cpu")
    assert bundled_name(model.sha256) == saved.name
    assert bundled_name("") is None
    (tmp_path / saved.name).mkdir()  # a folder of the user's goes first
    with pytest.raises(Real3DError, match="no such file"):
        load_weights(saved.name, "cpu")


def test_the_licence_is_kept(network, folder, tmp_path):
    assert "non-commercial" in licence_of(folder)
    opened = save_weights(tmp_path / "open", network, licence=OPEN_LICENCE)
    assert licence_of(opened) == OPEN_LICENCE


def test_what_is_bundled_is_small_enough_to_ship():
    files = [path for path in weight_files._FOLDER.rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) < 25e6
    assert sum(path.stat().st_size for path in files) < 50e6


def test_missing_folder_and_files(folder, tmp_path):
    _refused(tmp_path / "nowhere", "no such folder")
    for name in (CONFIG, RENDERER, ENCODER):
        (folder / name).unlink()
        _refused(folder, name, "no such file")


@pytest.mark.parametrize("name", [*TENSORS, CONFIG])
@pytest.mark.parametrize("content", [b"", b"not a tensor", b"\xff\xfe" * 40])
def test_other_content(folder, name, content):
    (folder / name).write_bytes(content)
    _refused(folder, name)


@pytest.mark.parametrize("name", TENSORS)
def test_damaged_tensors(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[-5] ^= 1
    (folder / name).write_bytes(content)
    _refused(folder, name, "sha256")
    (folder / name).write_bytes(content[:-100])
    _refused(folder, name, "cut off")


@pytest.mark.parametrize("digests", [None, "0" * 64, {}, {ENCODER: "0" * 64}, {RENDERER: 1}])
def test_config_without_both_digests(folder, digests):
    _change(folder, sha256=digests)
    _refused(folder, CONFIG, "sha256", ENCODER, RENDERER)


def test_files_of_two_trainings(folder, network, tmp_path_factory):
    """One file of other weights, which are whole themselves."""
    other = build_network(SMOKE)
    written = save_weights(tmp_path_factory.mktemp("other") / "w", other)
    (folder / RENDERER).write_bytes((written / RENDERER).read_bytes())
    _refused(folder, RENDERER, "sha256")


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
        {"compositor": [16, 24, 32, 48], "encoder": [16, 24, 32, 48]},
        {"compositor": [16, 24, 32, 48], "encoder": 16},
        {"compositor": [16, 24, 32, 48], "image_px": 100},
        {"compositor": [16, 24, 32, 48], "paints_sides": 1},
        {"compositor": [16, 24, 32, 48], "image_px": 1 << 20},
        {"compositor": [16, 24, 32, 48], "samples": -1},
        {"compositor": [16, 24, 32, 48], "token_width": "64"},
        {"compositor": [16, 24, 32, 48], "unknown": 1},
    ],
)
def test_impossible_sizes(folder, sizes):
    _change(folder, network=sizes)
    _refused(folder, "network")


@pytest.mark.parametrize(
    ("name", "tensor"), [(ENCODER, "features.0.bias"), (RENDERER, "volume.prior_gain")]
)
def test_other_names_and_shapes(folder, name, tensor):
    kept = load_file(folder / name)[tensor]

    def refused(change, sentence):
        _replace(folder, name, change)
        _refused(folder, name, sentence)

    refused(lambda tensors: tensors.pop(tensor), f"{tensor} is missing")
    refused(lambda tensors: tensors.update({tensor: torch.ones(2).half()}), f"{tensor} is (2,)")
    refused(lambda tensors: tensors.update({tensor: kept * torch.nan}), "no number")
    refused(lambda tensors: tensors.update({tensor: kept, "more": kept.clone()}), "more is unknown")


def test_a_tensor_in_the_other_file(folder):
    _replace(folder, RENDERER, lambda tensors: tensors.update({"features.0.bias": torch.ones(2)}))
    _refused(folder, RENDERER, "features.0.bias is unknown")


@pytest.mark.parametrize(
    ("found", "quick"),
    [({}, False), ({"avx512_bf16": False}, False), ({"avx512_bf16": True}, True)],
)
def test_half_precision_where_the_cpu_multiplies_it(monkeypatch, network, found, quick):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    model = ready_model(network, "cpu")
    with model.autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if quick else torch.float32)
