import contextlib
import copy
import dataclasses
import logging

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from real3d import renderer as rendering
from real3d.camera import Camera
from real3d.graphs import Graphs
from real3d.networks.geometry import Head
from real3d.pipeline import load, reconstruct
from real3d.renderer import Renderer
from real3d.retarget import turned_camera
from real3d.weight_files import ready_model

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
_POSES_DEG = ((0, 0, 0), (25, -10, 5), (-50, 10, 0), (70, 0, -20))
_WAITS = ("lift_fresh", "_local_scalar_dense", "item", "nonzero", "masked_select", "is_nonzero")
_TIMES = 4
"""So often a run has to be asked for until it is replayed, and once more."""


@dataclasses.dataclass(frozen=True)
class _Numbers:
    values: torch.Tensor


class _Again:
    """In place of a recorder: a replay runs once more what would be recorded."""

    def __init__(self):
        self.recorded_runs = 0

    def in_order(self):
        return contextlib.nullcontext()

    def recorded(self, run):
        self.recorded_runs += 1
        return lambda: tuple(tensor.clone() for tensor in run())


class _Broken(_Again):
    def recorded(self, run):
        super().recorded(run)
        run()
        try:
            raise RuntimeError("operation not permitted\nand where it was")
        finally:
            raise ValueError("capture was invalidated")


def _graphs(recorder):
    graphs = Graphs("cpu")
    graphs._recorder = recorder
    return graphs


def _sum(standing, given):
    return (standing.values + given.values,)


def _asked(graphs, standing, given, key="sum", run=_sum):
    return graphs.replayed(key, run, standing, _Numbers(torch.tensor(given)))


@pytest.fixture
def replaying(model):
    """The model, and what stands in for a recorder of its frames."""
    recorder = _Again()
    return dataclasses.replace(model, graphs=_graphs(recorder)), recorder


def _frames(avatar, model, size=128, background=None, poses=_POSES_DEG, batch=None):
    """(T, size, size, 3 or 4) of poses with other expressions."""
    renderer = Renderer(avatar, model)
    renderer._batch = batch or renderer._batch
    cameras = Camera.cat([turned_camera(avatar, *pose) for pose in poses])
    coefficients = avatar.coefficients.repeat(len(poses), 1)
    coefficients[:, 17] = torch.linspace(0, 0.6, len(poses))
    return np.stack(list(renderer.frames(cameras, coefficients, size, background))).astype(int)


def _over_black(frames):
    """Frames whose colours count as far as they are opaque."""
    return frames[..., :3] * frames[..., 3:] // 255 if frames.shape[-1] == 4 else frames


def test_nothing_is_recorded_on_a_cpu(model):
    graphs = Graphs("cpu")
    assert all(_asked(graphs, _Numbers(torch.ones(1)), [1.0]) is None for _ in range(9))
    assert model.graphs._recorder is None


def test_what_is_asked_for_often_is_replayed():
    recorder, standing = _Again(), _Numbers(torch.tensor([10.0]))
    graphs = _graphs(recorder)
    found = [_asked(graphs, standing, [float(k)]) for k in range(6)]
    assert found[:2] == [None, None]
    assert [float(sums) for (sums,) in found[2:]] == [12, 13, 14, 15]
    assert recorder.recorded_runs == 1


def test_what_stands_is_copied_when_it_is_another():
    graphs = _graphs(_Again())
    one, other = (_Numbers(torch.tensor([x])) for x in (10.0, 20.0))
    found = [_asked(graphs, standing, [1.0]) for standing in [one, one, one, other, other, one]]
    assert [float(sums) for (sums,) in found[2:]] == [11, 21, 21, 11]
    assert float(one.values) == 10


def test_results_stay_when_more_is_asked_for():
    graphs, standing = _graphs(_Again()), _Numbers(torch.zeros(1))
    found = [_asked(graphs, standing, [float(k)]) for k in range(5)]
    assert [float(sums) for (sums,) in found[2:]] == [2, 3, 4]


def test_the_run_that_was_not_used_for_longest_is_forgotten():
    recorder, standing = _Again(), _Numbers(torch.zeros(1))
    graphs = _graphs(recorder)
    for key in (0, 1, 2, 3, 0, 4):
        for _ in range(_TIMES):
            _asked(graphs, standing, [1.0], key)
    assert recorder.recorded_runs == 5
    assert _asked(graphs, standing, [1.0], 0) is not None
    assert _asked(graphs, standing, [1.0], 1) is None


def test_what_cannot_be_recorded_is_not_tried_again(caplog):
    recorder, standing = _Broken(), _Numbers(torch.zeros(1))
    graphs = _graphs(recorder)
    with caplog.at_level(logging.WARNING):
        assert all(_asked(graphs, standing, [1.0]) is None for _ in range(9))
    assert recorder.recorded_runs == 1
    assert len(caplog.records) == 1
    assert caplog.messages[0].endswith(": operation not permitted")


@pytest.mark.parametrize("background", [None, "transparent"])
def test_replayed_frames_are_those_computed_step_by_step(avatar, model, replaying, background):
    """To the bit: with room for the mesh, and from copies of everything."""
    other = dataclasses.replace(avatar, photo=255 - avatar.photo)
    replayed, recorder = replaying
    for person in (avatar, other, avatar):
        found = _frames(person, replayed, background=background)
        np.testing.assert_array_equal(found, _frames(person, model, background=background))
    assert recorder.recorded_runs == 1


def test_batches_are_replayed_and_what_is_left_of_them_is_not(avatar, model, replaying):
    replayed, recorder = replaying
    poses = _POSES_DEG * 2
    for _ in range(2):
        found = _frames(avatar, replayed, 64, poses=poses, batch=3)
        np.testing.assert_array_equal(found, _frames(avatar, model, 64, poses=poses, batch=3))
    assert recorder.recorded_runs == 1


def test_frames_whose_mesh_has_no_room_are_computed_step_by_step(
    avatar, model, replaying, monkeypatch
):
    monkeypatch.setattr(rendering, "_ROOM", 0)
    replayed, recorder = replaying
    np.testing.assert_array_equal(_frames(avatar, replayed), _frames(avatar, model))
    assert recorder.recorded_runs == 1


def test_frames_that_cannot_be_recorded_are_computed_step_by_step(avatar, model, caplog):
    broken = dataclasses.replace(model, graphs=_graphs(_Broken()))
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(_frames(avatar, broken), _frames(avatar, model))
    assert len(caplog.records) == 1


class _Watch(TorchDispatchMode):
    """Operations for which a GPU would have to be waited for."""

    def __init__(self):
        super().__init__()
        self.waits = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        masks = name.startswith("index") and any(x.dtype == torch.bool for x in tensors)
        by_data = function is torch.ops.aten.repeat_interleave.Tensor
        if name in _WAITS or masks or by_data:
            self.waits.add(name)
        return function(*args, **(kwargs or {}))


@torch.inference_mode()
@pytest.mark.parametrize("background", [None, "transparent"])
def test_what_is_recorded_waits_for_nothing(avatar, model, background):
    encoding = Renderer(avatar, model)._encoding
    head = Head(avatar.identity, avatar.coefficients, avatar.camera)

    def waits(room):
        rendering._drawn(model, 96, background, room, encoding, head)
        with _Watch() as watch:
            rendering._drawn(model, 96, background, room, encoding, head)
        return watch.waits

    assert not waits(3 * 128**2)
    assert waits(None) == {"nonzero", "repeat_interleave"}


@pytest.fixture(scope="module")
def on_gpu(network):
    """Two models of one network on CUDA: one that replays, one that does not."""
    own = ready_model(copy.deepcopy(network), "cuda")
    return own, dataclasses.replace(own, graphs=Graphs("cpu"))


@needs_cuda
@pytest.mark.parametrize("background", [None, "transparent"])
@pytest.mark.parametrize("batch", [1, 2])
def test_on_a_gpu_replayed_frames_are_those_computed_step_by_step(
    avatar, on_gpu, batch, background
):
    replayed, plain = on_gpu
    other = dataclasses.replace(avatar, photo=255 - avatar.photo)
    for person in (avatar, other, avatar):
        poses = _POSES_DEG * 2
        found = _frames(person, replayed, background=background, poses=poses, batch=batch)
        wanted = _frames(person, plain, background=background, poses=poses, batch=batch)
        assert abs(_over_black(found) - _over_black(wanted)).max() <= 2
    assert (batch, 128, background) in replayed.graphs._kept


@needs_cuda
def test_on_a_gpu_a_run_that_waits_is_not_recorded(caplog):
    """And the stream can be used afterwards."""

    def waiting(standing, given):
        return (standing.values * given.values.sum().item(),)

    graphs, standing = Graphs("cuda"), _Numbers(torch.ones(3, device="cuda"))
    given = _Numbers(torch.ones(2, device="cuda"))
    with caplog.at_level(logging.WARNING):
        assert all(graphs.replayed(0, waiting, standing, given) is None for _ in range(9))
    assert len(caplog.records) == 1
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    assert not torch.cuda.is_current_stream_capturing()
    torch.cuda.empty_cache()
    assert torch.ones(1000, device="cuda").cumsum(0)[-1].item() == 1000
    other = Graphs("cuda")
    found = [other.replayed(0, _sum, given, given) for _ in range(_TIMES)]
    assert found[-1][0].tolist() == [2, 2]


@pytest.mark.slow
@needs_cuda
def test_on_a_gpu_frames_of_the_bundled_weights_are_replayed(portrait):
    model = load(device="cuda")
    own = reconstruct(portrait, model)
    plain = dataclasses.replace(model, graphs=Graphs("cpu"))
    found, wanted = (_frames(own, m, 512, poses=_POSES_DEG * 2, batch=1) for m in (model, plain))
    assert abs(found - wanted).max() <= 2
