"""Time every stage of real3d on this machine: photo to avatar, avatar to frame, batches.

    python benchmarks/measure.py                       # bundled weights; CPU with 1 and 2 threads
    python benchmarks/measure.py --device cuda --batches 1 8 32
    python benchmarks/measure.py --untrained           # a fresh network of the default sizes

Prints markdown: where and when, then milliseconds (median over the repeats, after a warm-up).
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import tyro
from skimage import data
from torch import nn

import real3d
from real3d.camera import Camera
from real3d.device import resolve_device
from real3d.evaluation.environment import Environment
from real3d.evaluation.tables import number, table
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.fitting import fit_portraits
from real3d.image import write_image
from real3d.networks.config import NetworkConfig
from real3d.networks.geometry import Head
from real3d.networks.model import Encoding, build_network
from real3d.photo import Portrait
from real3d.renderer import Renderer, network_pictures
from real3d.retarget import turned_camera
from real3d.weight_files import Model, ready_model

_YAW_DEG, _JAW = 15.0, 0.3
_BEFORE = 3
"""Clips rendered before one is timed: on CUDA batches are recorded meanwhile."""
_PHOTO, _FRAME = "photo → avatar", "avatar → frame"
_PARTS = {  # child of the network, to its name in the table
    "image_to_plane": "image to plane",
    "motion_adapter": "motion adapter",
    "volume": "volume",
    "flow": "correspondence refinement",
    "torso": "torso",
    "htb": "HTB super-resolution",
}
Timings = dict[tuple[str, str], float]
"""Part of the line and stage, to milliseconds."""


@dataclass(frozen=True)
class Benchmark:
    """What to measure."""

    weights: Path | None = None
    """Folder of weights; by default the bundled ones."""
    untrained: bool = False
    """Measure a fresh network of the default sizes instead: its speed is the same."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""
    threads: tuple[int, ...] = (1, 2)
    """CPU threads; a column for each (one column on other devices)."""
    repeats: int = 10
    """How often each stage runs."""
    batches: tuple[int, ...] = (1, 4)
    """Batch sizes for throughput; empty for none."""
    size: int = 512
    """Side of the frames in pixels."""


class Clock:
    """Milliseconds of what runs on a device."""

    def __init__(self, device: torch.device, repeats: int):
        self._device, self._repeats = device, repeats

    def now_ms(self) -> float:
        """The time, once everything asked of the device is done."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()
        return 1e3 * time.perf_counter()

    def median_ms(self, run: Callable[[], object]) -> float:
        """Median over the repeats, after a warm-up."""
        run()
        return statistics.median(self._once_ms(run) for _ in range(self._repeats))

    def _once_ms(self, run: Callable[[], object]) -> float:
        start = self.now_ms()
        run()
        return self.now_ms() - start

    def parts_ms(self, network: nn.Module, run: Callable[[], object]) -> dict[str, float]:
        """Child of the network to its median, for those that run; each waits for the device."""
        run()
        with self._watched(network) as spent:
            for _ in range(self._repeats):
                run()
        return {name: statistics.median(times) for name, times in spent.items()}

    @contextmanager
    def _watched(self, network: nn.Module) -> Iterator[dict[str, list[float]]]:
        spent: dict[str, list[float]] = {}
        started: dict[str, float] = {}
        handles = []
        for name in _PARTS:
            child = getattr(network, name)

            def before(*_: object, name: str = name) -> None:
                started[name] = self.now_ms()

            def after(*_: object, name: str = name) -> None:
                spent.setdefault(name, []).append(self.now_ms() - started[name])

            handles += [child.register_forward_pre_hook(before), child.register_forward_hook(after)]
        try:
            yield spent
        finally:
            for handle in handles:
                handle.remove()


@dataclass(frozen=True)
class Scene:
    """A photo and a pose, as the network takes them."""

    photo: torch.Tensor
    alpha: torch.Tensor
    head: Head
    target: Head

    @classmethod
    def of(cls, portrait: Portrait, model: Model, count: int = 1) -> "Scene":
        """The portrait so many times, and its head turned with an open jaw."""
        heads, _ = fit_portraits([portrait])
        own = heads[0]
        avatar = real3d.reconstruct(portrait, model)
        coefficients = own.coefficients.clone()
        coefficients[:, ARKIT_INDEX["jawOpen"]] = _JAW
        turned = Head(own.identity, coefficients, turned_camera(avatar, _YAW_DEG, 0.0, 0.0))
        alpha = torch.from_numpy((portrait.alpha * 255).astype(np.uint8))
        image = torch.from_numpy(portrait.image.copy())
        pictures = network_pictures(image, alpha, model.config.image_px, model.device)
        photo, matte = (picture.expand(count, -1, -1, -1).contiguous() for picture in pictures)
        return cls(photo, matte, *(_repeated(head, count, model.device) for head in (own, turned)))

    def encoded(self, model: Model) -> Encoding:
        """The photos, encoded."""
        with model.autocast():
            return model.network.encode(self.photo, self.alpha, self.head)

    def rendered(self, model: Model, encoding: Encoding) -> torch.Tensor:
        """The frames, geometry included."""
        target = model.network.geometry.target(encoding.geometry, self.target)
        with model.autocast():
            return model.network.render(encoding, target, self.target).image


def _repeated(head: Head, count: int, device: torch.device) -> Head:
    camera: Camera = head.camera[:1].expand(count).to(device)
    identity, coefficients = (
        x[:1].expand(count, *x.shape[1:]).to(device) for x in (head.identity, head.coefficients)
    )
    return Head(identity.contiguous(), coefficients.contiguous(), camera)


@torch.inference_mode()
def stages_ms(model: Model, clock: Clock, size: int) -> Timings:
    """Every stage of one photo and one frame."""
    network, found = model.network, {}
    with tempfile.TemporaryDirectory() as folder:
        path = write_image(Path(folder) / "astronaut.png", data.astronaut())
        found[_PHOTO, "read, find, crop, matte"] = clock.median_ms(lambda: Portrait.read(path))
        portrait = Portrait.read(path)
    scene = Scene.of(portrait, model)
    found[_PHOTO, "fit the template"] = clock.median_ms(lambda: fit_portraits([portrait]))
    geometry = clock.median_ms(lambda: network.geometry.source(scene.head))
    found[_PHOTO, "geometry of the photo"] = geometry
    parts = clock.parts_ms(network, lambda: scene.encoded(model))
    found |= {(_PHOTO, _PARTS[name]): spent for name, spent in parts.items()}
    found[_PHOTO, "encode, in all"] = clock.median_ms(lambda: scene.encoded(model))
    found[_PHOTO, "real3d.reconstruct(portrait)"] = clock.median_ms(
        lambda: real3d.reconstruct(portrait, model)
    )

    encoding = scene.encoded(model)
    found[_FRAME, "geometry"] = clock.median_ms(
        lambda: network.geometry.target(encoding.geometry, scene.target)
    )
    parts = clock.parts_ms(network, lambda: scene.rendered(model, encoding))
    found |= {(_FRAME, _PARTS[name]): spent for name, spent in parts.items()}
    found[_FRAME, "network with geometry, in all"] = clock.median_ms(
        lambda: scene.rendered(model, encoding)
    )
    found[_FRAME, "a frame alone, to its pixels"] = _alone_ms(portrait, model, scene, clock, size)
    found[_FRAME, "real3d.render, a frame"] = _streamed_ms(portrait, model, scene, clock, size)
    return found


def _alone_ms(portrait: Portrait, model: Model, scene: Scene, clock: Clock, size: int) -> float:
    """A frame as the viewer asks for it, uint8 on the CPU; on CUDA it is soon a replayed graph."""
    renderer = Renderer(real3d.reconstruct(portrait, model), model)
    camera, coefficients = scene.target.camera.to("cpu"), scene.target.coefficients.cpu()
    return clock.median_ms(lambda: next(renderer.frames(camera, coefficients, size)))


def _streamed_ms(
    portrait: Portrait, model: Model, scene: Scene, clock: Clock, size: int, count: int = 16
) -> float:
    """A frame of real3d.render, its start-up left out, uint8 on the CPU."""
    avatar = real3d.reconstruct(portrait, model)
    cameras = scene.target.camera.to("cpu").expand(count)
    coefficients = scene.target.coefficients.cpu().expand(count, -1)

    def streamed(frames: int) -> float:
        poses = {"cameras": cameras[:frames], "coefficients": coefficients[:frames]}
        start = clock.now_ms()
        for _ in real3d.render(avatar, model=model, size=size, **poses):
            pass
        return clock.now_ms() - start

    for _ in range(_BEFORE):
        streamed(count)
    half = count // 2
    return (streamed(count) - streamed(half)) / (count - half)


@torch.inference_mode()
def throughput(model: Model, clock: Clock, count: int) -> tuple[float, float]:
    """Photos encoded and frames rendered a second, in batches of count."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_image(Path(folder) / "astronaut.png", data.astronaut())
        scene = Scene.of(Portrait.read(path), model, count)
    encoding = scene.encoded(model)
    photos = clock.median_ms(lambda: scene.encoded(model))
    frames = clock.median_ms(lambda: scene.rendered(model, encoding))
    return 1e3 * count / photos, 1e3 * count / frames


def parameter_table(network: nn.Module) -> str:
    """Parameters of the network's parts."""
    rows = [
        [_PARTS.get(name, name), number(sum(p.numel() for p in child.parameters()) / 1e6, 2)]
        for name, child in network.named_children()
        if any(True for _ in child.parameters())
    ]
    total = sum(p.numel() for p in network.parameters()) / 1e6
    return table(["part", "parameters, M"], [*rows, ["in all", number(total, 2)]])


def main(benchmark: Benchmark) -> None:
    """Measure and print."""
    device = resolve_device(benchmark.device)
    if benchmark.untrained:
        torch.manual_seed(0)
        model = ready_model(build_network(NetworkConfig()), device, "untrained")
    else:
        model = real3d.load(benchmark.weights, device=benchmark.device)
    clock = Clock(device, benchmark.repeats)
    threads = benchmark.threads if device.type == "cpu" else (torch.get_num_threads(),)
    print("\n".join(_header(benchmark, model)))
    columns = {}
    for count in threads:
        torch.set_num_threads(count)
        columns[_column(device, count)] = stages_ms(model, clock, benchmark.size)
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    rows = [[*key, *(number(column[key], 1) for column in columns.values())] for key in keys]
    print("\n" + table(["", "stage", *(f"{name}, ms" for name in columns)], rows))
    if benchmark.batches:
        rows = []
        for count in benchmark.batches:
            photos, frames = throughput(model, clock, count)
            rows.append([str(count), number(photos, 2), number(frames, 2)])
        name = _column(device, threads[-1])
        headings = ["batch", "photos encoded / s", "frames rendered / s"]
        print(f"\nThroughput, {name}, network with geometry:\n\n" + table(headings, rows))
    print("\n" + parameter_table(model.network))


def _column(device: torch.device, threads: int) -> str:
    if device.type != "cpu":
        return device.type
    return f"{threads} CPU thread{'s' if threads > 1 else ''}"


def _header(benchmark: Benchmark, model: Model) -> list[str]:
    config = model.config
    arithmetic = "bfloat16 autocast" if model.half_precision else "float32"
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return [
        *Environment.here(model.device).lines(),
        f"- load average before: {load}",
        f"- model: {model.sha256[:12]}, {config.image_px} px, rays {config.ray_px}² × "
        f"{config.samples} samples; {arithmetic}",
        f"- frames: {benchmark.size} px; photo: scikit-image's astronaut, 512 px; median of "
        f"{benchmark.repeats}",
    ]


if __name__ == "__main__":
    main(tyro.cli(Benchmark, config=(tyro.conf.FlagCreatePairsOff,)))
