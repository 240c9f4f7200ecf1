import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from real3d.errors import Real3DError
from real3d.networks.config import SMOKE
from real3d.networks.model import build_network
from real3d.training import losses
from real3d.training.config import TrainConfig, cpu_smoke
from real3d.training.shards import encode_webp
from real3d.training.trainer import Trainer, train
from real3d.weight_files import OPEN_LICENCE, licence_of, load_weights, save_weights


@pytest.fixture(scope="module", autouse=True)
def _small_details():
    """VGG looks at small crops here; everything else is as it always is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(losses, "DETAIL_PX", 32)
        patch.setattr(losses, "FACE_PX", 48)
        patch.setattr(losses, "SIDE_PX", 48)
        yield


def _config(data, out, steps, **changes) -> TrainConfig:
    given = cpu_smoke(data, out)
    return dataclasses.replace(given, **{"batch": 4, "max_steps": steps, "seconds": 500} | changes)


def _rows(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def _state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """The folder of a run of three steps, with critics."""
    out = tmp_path_factory.mktemp("run") / "out"
    train(_config(data, out, 3, sheet_every=2, warm_up_steps=1))
    return out


def test_steps_run_and_everything_is_a_number(run):
    rows = _rows(run)
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert [row["images"] for row in rows] == [4, 8, 12]
    for row in rows:
        assert {"pixels", "depth", "torso", "adversarial", "critic", "gradient"} < set(row)
        assert np.isfinite(list(row.values())).all()
        assert row["gradient"] > 0


def test_a_run_leaves_weights_checkpoint_log_and_sheets(run):
    assert {path.name for path in run.iterdir()} == {
        "weights", "checkpoint.pt", "run.json", "log.jsonl", "sheet.jpg", "sheet_000002.jpg",
        "views.jpg", "views_000002.jpg",
    }  # fmt: skip


def test_weights_of_a_run_are_weights_like_any(run):
    model = load_weights(run / "weights", "cpu")
    assert model.config == SMOKE
    kept = torch.load(run / "checkpoint.pt", weights_only=True)
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(tensor, kept["average"][name].half().float()), name
    training = json.loads((run / "weights" / "config.json").read_text())["training"]
    assert (training["steps"], training["images"], training["processes"]) == (3, 12, 1)
    assert training["config"]["batch"] == 4
    assert str(run.parent) not in json.dumps(training)


def test_a_run_learns(run):
    """All but what lies behind layers that start at nothing; the average lags behind."""
    torch.manual_seed(0)
    fresh = build_network(SMOKE).state_dict()
    kept = torch.load(run / "checkpoint.pt", weights_only=True)
    still = [name for name, tensor in kept["network"].items() if torch.equal(tensor, fresh[name])]
    assert len(still) < 0.05 * len(fresh), still
    name = "features.0.weight"
    assert not torch.equal(kept["network"][name], kept["average"][name])


def test_a_resumed_run_goes_on(run, data, tmp_path):
    for name in ("checkpoint.pt", "log.jsonl"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    trainer = Trainer(_config(data, tmp_path, 4, resume=True))
    kept = torch.load(run / "checkpoint.pt", weights_only=True)
    assert trainer.state == kept["state"]
    assert trainer.state["step"] == 3
    assert all(torch.equal(t, kept["network"][n]) for n, t in trainer.network.state_dict().items())
    assert trainer.optimiser.state_dict()["state"][0]["step"] == 3
    before = trainer.state["seconds"]
    trainer.run()
    rows = _rows(tmp_path)
    assert [(row["step"], row["images"]) for row in rows] == [(1, 4), (2, 8), (3, 12), (4, 16)]
    assert rows[-1]["seconds"] >= before
    assert json.loads((tmp_path / "run.json").read_text())["state"]["step"] == 4


def test_without_resume_a_run_starts_anew(run, data, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes((run / "checkpoint.pt").read_bytes())
    assert Trainer(_config(data, tmp_path, 4)).state == {"step": 0, "seconds": 0.0, "images": 0}


def test_a_run_starts_from_weights(run, data, tmp_path):
    trainer = Trainer(_config(data, tmp_path, 4, weights=run / "weights"))
    assert trainer.state["step"] == 0
    given = load_weights(run / "weights", "cpu").network.state_dict()
    for network in (trainer.network, trainer.average):
        assert all(torch.equal(t, given[n]) for n, t in network.state_dict().items())
    assert all(p.requires_grad for p in trainer.network.parameters())


def test_a_run_starts_from_weights_of_another_size(data, tmp_path):
    """What is learned of places is the same at both sizes, as far as the smaller one tells."""
    small = build_network(dataclasses.replace(SMOKE, image_px=64))
    tokens = small.image_to_plane
    with torch.no_grad():
        tokens.position.copy_(torch.linspace(-1, 1, 4).repeat(4)[None, :, None])
        tokens.side_tokens[:, :4], tokens.side_tokens[:, 4:] = -1, 1
    folder = save_weights(tmp_path / "w", small)
    network = Trainer(_config(data, tmp_path / "out", 4, weights=folder)).network
    position = network.image_to_plane.position[0, :, 0].unflatten(0, (8, 8))
    torch.testing.assert_close(position, position[:1].expand(8, -1))
    assert (position[0].diff() > 0).all()
    side, top = network.image_to_plane.side_tokens[0].split(16)
    assert (side == -1).all()
    assert (top == 1).all()
    given = load_weights(folder, "cpu").network
    assert network.htb.last.weight.equal(given.htb.last.weight)


def test_wrong_weights_to_start_from(run, data, tmp_path):
    other = dataclasses.replace(SMOKE, token_width=32)
    config = _config(data, tmp_path / "out", 4)
    with pytest.raises(Real3DError, match="no such folder"):
        Trainer(dataclasses.replace(config, weights=tmp_path / "none"))
    folder = save_weights(tmp_path / "w", build_network(other))
    with pytest.raises(Real3DError, match=r"weights of another network .*token_width=32"):
        Trainer(dataclasses.replace(config, weights=folder))
    (folder / "encoder.safetensors").write_bytes(b"nothing")
    with pytest.raises(Real3DError, match="cut off"):
        Trainer(dataclasses.replace(config, weights=folder))
    assert not (tmp_path / "out").exists()


def test_no_data_is_a_sentence(tmp_path):
    (tmp_path / "synthetic.part.npz").write_bytes(b"half a shard")
    (tmp_path / "notes.npz").write_bytes(b"something else")
    with pytest.raises(Real3DError, match="no shards"):
        Trainer(_config(tmp_path, tmp_path / "out", 1))


def test_openly_licensed_data_alone(data, tmp_path):
    """Photos of tier A and synthetic people are left, whole."""
    trainer = Trainer(_config(data, tmp_path / "out", 1, openly_licensed=True))
    trainer.run()
    kinds = json.loads((tmp_path / "out" / "log.jsonl").read_text().splitlines()[0])
    assert kinds["images"] == 4
    assert licence_of(tmp_path / "out" / "weights") == OPEN_LICENCE
    (tmp_path / "other").mkdir()
    shutil.copy(data / "clips.npz", tmp_path / "other")
    with pytest.raises(Real3DError, match="no shards"):
        Trainer(_config(tmp_path / "other", tmp_path / "out", 1, openly_licensed=True))


def test_an_openly_licensed_run_starts_from_nothing_else(run, data, tmp_path):
    config = _config(data, tmp_path, 1, openly_licensed=True, weights=run / "weights")
    with pytest.raises(Real3DError, match="cannot be given away"):
        Trainer(config)


def test_one_seed_one_run(data, tmp_path):
    """Where the clock has no say in the learning rate."""
    states = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        trainer = Trainer(_config(data, tmp_path / name, 2, batch=2, seed=seed, total_seconds=1e12))
        trainer.run()
        states.append(_state(trainer.network))
    first, again, other = states
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not torch.equal(first["features.0.weight"], other["features.0.weight"])


def test_the_clock_ends_a_run(data, tmp_path):
    trainer = Trainer(_config(data, tmp_path, 10**9, seconds=0.0))
    trainer.run()
    assert trainer.state["step"] == 0
    load_weights(tmp_path / "weights", "cpu")


def test_synthetic_people_alone_train_the_network_but_no_critic(data, tmp_path):
    (tmp_path / "data").mkdir()
    shard = "synthetic_000.npz"
    (tmp_path / "data" / shard).write_bytes((data / shard).read_bytes())
    trainer = Trainer(_config(tmp_path / "data", tmp_path / "out", 2, batch=2))
    before = {name: p.detach().clone() for name, p in trainer.critics.named_parameters()}
    trainer.run()
    rows = _rows(tmp_path / "out")
    assert len(rows) == 2
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    assert all(row["critic"] == 0 for row in rows)
    for name, parameter in trainer.critics.named_parameters():
        assert torch.equal(parameter, before[name]), name


@pytest.mark.slow
def test_two_processes_end_together(data, tmp_path):
    """By the clock of the first one; each sees pairs of its own, both have one network."""
    sizes = dataclasses.asdict(SMOKE) | {"compositor": "16 24 32 48"}
    network = [w for k, v in sizes.items() for w in (f"--network.{k.replace('_', '-')}", str(v))]
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "finetune_video", "train", "--data", data, "--out", tmp_path / "out"),
        *" ".join(network).split(),
        *"--seconds 30 --batch 2 --log-every 1 --adversarial-from 0 --total-seconds 60".split(),
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = _rows(tmp_path / "out")
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["images"] == 4 * len(rows)
    training = json.loads((tmp_path / "out/weights/config.json").read_text())["training"]
    assert (training["steps"], training["processes"]) == (len(rows), 2)
    load_weights(tmp_path / "out" / "weights", "cpu")


def test_shards_that_appear_while_a_run_goes_on_are_taken_up(data, tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    shutil.copy(data / "clips.npz", folder)
    shutil.copy(data / "synthetic_000.npz", folder)
    trainer = Trainer(_config(folder, tmp_path / "out", 1))
    before = len(trainer._banks["synthetic"].clips)
    trainer._take_up_shards()
    assert len(trainer._banks["synthetic"].clips) == before
    shutil.copy(data / "synthetic_000.npz", folder / "synthetic_001.npz")
    shutil.copy(data / "portraits.npz", folder)
    trainer._take_up_shards()
    assert len(trainer._banks["synthetic"].clips) == 2 * before
    assert set(trainer._banks) == {"clips", "synthetic", "portraits"}
    trainer.run()


def test_shards_of_one_kind_have_one_size(data, tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    shutil.copy(data / "portraits.npz", folder / "portraits_000.npz")
    with np.load(data / "portraits.npz") as file:
        arrays = {name: file[name] for name in file.files}
    small = [encode_webp(np.zeros((64, 64, 3), np.uint8), 80)] * len(arrays["landmarks"])
    arrays["image"] = np.frombuffer(b"".join(small), np.uint8)
    arrays["image_offset"] = np.cumsum([0] + [len(picture) for picture in small])
    np.savez(folder / "portraits_001.npz", **arrays)
    with pytest.raises(Real3DError, match=r"portraits_001\.npz: its pictures have 64 px"):
        Trainer(_config(folder, tmp_path / "out", 1))
