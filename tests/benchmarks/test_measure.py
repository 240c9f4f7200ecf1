"""The benchmark on a network that is small enough for a test."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from skimage import data

from real3d.networks.config import SMOKE
from real3d.networks.model import build_network
from real3d.photo import Portrait
from real3d.weight_files import ready_model


@pytest.fixture(scope="module")
def measure():
    path = Path(__file__).parents[2] / "benchmarks" / "measure.py"
    spec = importlib.util.spec_from_file_location("benchmarks_measure", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return ready_model(build_network(SMOKE), "cpu", "smoke")


def test_every_stage_takes_time_and_the_parts_are_in_the_whole(measure, model):
    found = measure.stages_ms(model, measure.Clock(torch.device("cpu"), 1), 128)
    photo = {stage: ms for (part, stage), ms in found.items() if part == measure._PHOTO}
    frame = {stage: ms for (part, stage), ms in found.items() if part == measure._FRAME}
    assert all(ms > 0 for ms in found.values())
    assert photo["image to plane"] < photo["encode, in all"] * 1.5
    for stage in ("geometry", "motion adapter", "volume", "torso", "HTB super-resolution"):
        assert stage in frame


def test_hooks_are_taken_off_again(measure, model):
    scene = measure.Scene.of(Portrait.from_image(data.astronaut()), model)
    clock = measure.Clock(torch.device("cpu"), 2)
    spent = clock.parts_ms(model.network, lambda: scene.encoded(model))
    assert set(spent) == {"image_to_plane", "volume"}
    for module in model.network.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_throughput_and_parameters(measure, model):
    photos, frames = measure.throughput(model, measure.Clock(torch.device("cpu"), 1), 2)
    assert photos > 0
    assert frames > 0
    assert "| in all |" in measure.parameter_table(model.network)
