import math

import pytest
import torch

from real3d.errors import Real3DError
from real3d.training import ablations
from real3d.training.ablations import AblateConfig, Judge, ablate
from real3d.training.perceptual import SFace, VGGFeatures
from real3d.weight_files import ready_model


def _config(data, out, **others):
    return AblateConfig(data, data, out, out / "vgg", out / "sface", **others)


@pytest.fixture(scope="module")
def judge(banks):
    of_kinds = {name.split("_")[0]: bank for name, bank in banks.items()}
    return Judge(of_kinds, VGGFeatures(), SFace(), torch.device("cpu"))


def test_every_kind_of_people_is_measured(judge, network):
    found = judge.numbers(ready_model(network, "cpu"))
    assert all(math.isfinite(value) for value in found.values())
    assert {name.split()[0] for name in found} == {"clips", "synthetic", "views"}
    assert {"views identity 30", "views identity 60", "clips mouth psnr"} <= set(found)


def test_a_variant_must_be_known(data, tmp_path):
    with pytest.raises(Real3DError, match="no such variant"):
        ablate(_config(data, tmp_path, only=("more of everything",)))


def test_without_shards_there_is_nothing_to_measure_with(data, tmp_path):
    config = AblateConfig(data, tmp_path, tmp_path / "out", tmp_path / "vgg", tmp_path / "sface")
    with pytest.raises(Real3DError, match="no shards"):
        ablate(config)


def test_what_is_measured_is_not_run_again(judge, data, tmp_path, monkeypatch):
    """A table of numbers that are there."""
    monkeypatch.setattr(Judge, "read", lambda *_: judge)
    (tmp_path / "00").mkdir()
    (tmp_path / "00" / "numbers.json").write_text('{"clips psnr": 20.5}')
    path = ablate(_config(data, tmp_path, only=("as it is",)))
    assert "as it is | 20.5" in path.read_text()


def test_a_run_that_fails_stops_no_other(judge, data, network, tmp_path, monkeypatch):
    monkeypatch.setattr(Judge, "read", lambda *_: judge)
    monkeypatch.setattr(Judge, "numbers", lambda *_: {"clips psnr": 20.5})
    monkeypatch.setattr(ablations, "load_weights", lambda *_: ready_model(network, "cpu"))

    def trained(config, name):
        if name == "as it is":
            raise Real3DError("00: the run failed: no memory")
        folder = ablations._folder(config, name)
        folder.mkdir(parents=True)
        return folder

    monkeypatch.setattr(ablations, "_trained", trained)
    with pytest.raises(Real3DError, match="no memory"):
        ablate(_config(data, tmp_path, only=("as it is", "another seed")))
    assert "another seed | 20.5" in (tmp_path / "ablations.md").read_text()
