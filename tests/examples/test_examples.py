"""The examples run, one on what another wrote, with a small model instead of the bundled one."""

import json
import runpy
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

import real3d
from real3d.live_link import read_packet
from real3d.motion import Motion
from real3d.networks.config import SMOKE
from real3d.networks.model import build_network
from real3d.video import VideoReader, VideoWriter
from real3d.weight_files import ready_model

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ready_model(build_network(SMOKE), "cpu")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture
def run(model, monkeypatch):
    """An example's main function, by its number."""
    monkeypatch.setattr(real3d, "load", lambda *_, **__: model)

    def run(number, *arguments, **options):
        (path,) = EXAMPLES.glob(f"{number}_*.py")
        return runpy.run_path(str(path))["main"](*arguments, **options)

    return run


def test_each_example_is_short():
    numbered = sorted(EXAMPLES.glob("0*.py"))
    assert [path.name[:2] for path in numbered] == ["01", "02", "03", "04", "05", "06"]
    for path in numbered:
        assert len(path.read_text().splitlines()) < 50, path


def test_photo_to_avatar_to_everything(run, out, tmp_path):
    avatar = run("01", out)
    assert run("02", out, avatar).stat().st_size > 10_000
    with VideoReader(run("03", out, avatar, seconds=0.2)) as video:
        assert len(list(video)) == 5
    assert len(Motion.read(out / "nod.csv")) == 5

    recording = tmp_path / "drive.mp4"
    photo = data.astronaut()[:300, 80:380]
    with VideoWriter(recording, 10, (300, 300)) as video:
        for k in range(3):
            video.write(np.roll(photo, 3 * k, 1))
    with VideoReader(run("04", out, avatar, recording)) as video:
        assert len(list(video)) == 3

    assert run("05", out, avatar).name == "head.png"
    assert {p.name for p in out.iterdir()} > {"head.glb", "head.html", "head.ply", "drive.csv"}


def test_the_phones_stand_in_sends_packets(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        motion = Motion.still({"jawOpen": 0.5}, frames=3, fps=60)
        assert run("06", motion, port=ear.getsockname()[1]) == 3
        live = [read_packet(ear.recv(2000)) for _ in range(3)]
    assert [frame.frame for frame in live] == [0, 1, 2]
    np.testing.assert_array_equal(live[2].coefficients, motion.coefficients[2])


def test_the_notebook_runs(model, monkeypatch, tmp_path):
    """Its code cells, one after the other; Jupyter itself is not needed."""
    monkeypatch.setattr(real3d, "load", lambda *_, **__: model)
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((EXAMPLES / "first_steps.ipynb").read_text())
    assert notebook["nbformat"] == 4
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec("".join(cell["source"]), names)
    assert (tmp_path / "head.html").exists()
