import dataclasses
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from real3d.avatar import Avatar
from real3d.errors import Real3DError
from real3d.networks.config import SMOKE


@pytest.fixture
def file(avatar, tmp_path):
    avatar.save(tmp_path / "me.avatar")
    return tmp_path / "me.avatar"


def _rewrite(path, tensors=None, **note):
    """The file with some tensors or notes replaced; its sha256 stays."""
    with safe_open(path, "pt") as file:
        kept = json.loads(file.metadata()["real3d"])
    content = {**load_file(path), **(tensors or {})}
    save_file(content, path, {"real3d": json.dumps({**kept, **note})})


def _refused(path, *words):
    with pytest.raises(Real3DError) as caught:
        Avatar.load(path)
    for word in (str(path), *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_an_avatar_holds(avatar, portrait):
    assert torch.equal(avatar.photo, torch.from_numpy(portrait.image))
    assert (avatar.identity.shape, avatar.coefficients.shape) == ((1, 478, 3), (1, 52))
    side = SMOKE.ray_px
    assert avatar.planes.frontal.shape == (1, SMOKE.plane_channels, side, side)
    assert avatar.features.dtype == torch.float16


def test_round_trip(avatar, file):
    loaded = Avatar.load(file)
    for field in ("photo", "alpha", "identity", "coefficients", "features"):
        assert torch.equal(getattr(loaded, field), getattr(avatar, field)), field
    assert torch.equal(loaded.camera.rotation, avatar.camera.rotation)
    for field in dataclasses.fields(avatar.planes):
        name = field.name
        assert torch.equal(getattr(loaded.planes, name), getattr(avatar.planes, name)), name
    assert loaded.weights_sha256 == avatar.weights_sha256


@pytest.mark.parametrize("content", [b"", b"x", b"not an avatar" * 99, b"\x08" + b"\0" * 90])
def test_other_files(tmp_path, content):
    path = tmp_path / "me.avatar"
    path.write_bytes(content)
    _refused(path)


def test_a_missing_file(tmp_path):
    _refused(tmp_path / "me.avatar", "no such file")


def test_tensors_of_something_else(tmp_path):
    path = tmp_path / "me.avatar"
    save_file({"weight": torch.ones(3)}, path)
    _refused(path, "not an avatar")


def test_a_cut_off_file(file):
    file.write_bytes(file.read_bytes()[:-9])
    _refused(file, "cut off")


def test_a_changed_byte(file):
    content = bytearray(file.read_bytes())
    content[-2000] ^= 1
    file.write_bytes(content)
    _refused(file, "damaged")


def test_another_version(file):
    _rewrite(file, version=2)
    _refused(file, "version 2", "Update real3d")


@pytest.mark.parametrize(
    ("name", "tensor", "words"),
    [
        ("coefficients", torch.zeros(1, 51), "coefficients is (1, 51)"),
        ("identity", torch.full((1, 478, 3), torch.nan), "identity is not finite"),
        ("photo", torch.zeros(0, 0, 3, dtype=torch.uint8), "photo is (0, 0, 3)"),
        ("features", torch.zeros(1, 32, 32, 32), "features is (1, 32, 32, 32) torch.float32"),
        ("camera.translation", torch.zeros(1, 3), "behind the camera"),
        ("extra", torch.zeros(1), "extra is missing or unknown"),
    ],
)
def test_impossible_tensors(file, name, tensor, words):
    _rewrite(file, {name: tensor})
    _refused(file, "damaged", words)
