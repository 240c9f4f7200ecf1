"""Render synthetic people into shards of training data (real3d.training.shards)."""

import logging
import multiprocessing
import os
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.procedural import TemplateAssets
from pretrain_synthetic.split import Split, numbers_of
from real3d.errors import Real3DError
from real3d.training.shards import TrackedClip, write_shard

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    import torch

    from pretrain_synthetic.people import Studio

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudioConfig:
    """How pictures are drawn."""

    assets: Path | None = None
    """Folder of the head assets (body.npz, proxies.npz, textures/, hdri/); without one, plainer
    heads are computed."""
    size: int = 384
    """Side of the pictures in pixels."""
    supersample: int = 2
    """Samples per pixel and axis; 1 is twice as fast, with grainy hair."""
    lights: int = 8
    """Directional lamps that stand for the light; fewer are faster."""

    def check(self) -> None:
        """Raise where a value makes no sense or the assets are not there."""
        for name in ("size", "supersample", "lights"):
            if getattr(self, name) < 1:
                raise Real3DError(f"--{name} is {getattr(self, name)}, must be 1 or more.")
        self.open_assets()

    def open_assets(self) -> "Assets | TemplateAssets":
        """The folder's, or those that need none."""
        return TemplateAssets() if self.assets is None else Assets(self.assets)

    def environment(self, device: "torch.device | str" = "cpu") -> list[str]:
        """Markdown lines of where and when a number was made; the assets are called DIR."""
        from real3d.evaluation.environment import Environment

        here = Environment.here(device)
        command = here.command.replace(".__main__", "")
        if self.assets is not None:
            command = command.replace(str(self.assets), "DIR")
        return replace(here, command=command).lines()

    def open(self, device: int = 0) -> "Studio":
        """On a GPU by its number; needs OpenGL (pretrain_synthetic.heads.render)."""
        from pretrain_synthetic.people import Studio

        return Studio.open(self.open_assets(), self.size, self.supersample, self.lights, device)


@dataclass(frozen=True)
class RenderConfig(StudioConfig):
    """Render people into one shard, or into a row of shards with --shard-people.

    Shards that exist are kept, so the same command continues where it was stopped.
    """

    out: Path = Path("synthetic.npz")
    """Shard to write; with --shard-people, STEM_000.npz, STEM_001.npz, ... beside it."""
    people: int = 100
    workers: int = 2
    """Processes, each with its own OpenGL context."""
    devices: int = 1
    """GPUs over which the processes are spread."""
    seed: int = 0
    first: int = 0
    """Number from which people are taken, to extend a set."""
    split: Split = "train"
    """Train or val: one in twenty numbers of a seed is kept back for val."""
    shard_people: int = 0
    """People a shard, so that what is finished can be used; 0: one shard."""

    def run(self) -> Path:
        """Render; returns the last shard."""
        return render(self)[-1]

    def shards(self) -> list[tuple[Path, list[int]]]:
        """The shards and the numbers of the people in each."""
        numbers = numbers_of(self.split, self.seed, self.first, self.people)
        if not self.shard_people:
            return [(self.out, numbers)]
        parts = [
            numbers[k : k + self.shard_people] for k in range(0, self.people, self.shard_people)
        ]
        name = self.out.with_name
        return [(name(f"{self.out.stem}_{k:03d}.npz"), part) for k, part in enumerate(parts)]


def render(config: RenderConfig) -> list[Path]:
    """Render what is missing and write it; returns all shards."""
    config.check()
    if min(config.people, config.workers, config.devices) < 1 or config.shard_people < 0:
        raise Real3DError(
            "--people, --workers and --devices must be 1 or more, --shard-people 0 or more."
        )
    if config.out.suffix != ".npz":
        raise Real3DError(f"--out is {config.out}, must end in .npz.")
    shards = config.shards()
    missing = [(path, people) for path, people in shards if not path.exists()]
    if len(missing) < len(shards):
        logger.info("%d of %d shards exist and are kept", len(shards) - len(missing), len(shards))
    config.out.parent.mkdir(parents=True, exist_ok=True)
    film = film_people(config, [number for _, people in missing for number in people])
    images, start = 0, time.perf_counter()
    for path, people in missing:
        clips = [clip for clip in (next(film) for _ in people) if clip is not None]
        if not clips:
            raise Real3DError(
                f"{path}: none of its {len(people)} people could be drawn; see above."
            )
        images += write_shard(path, clips)
        rate = images / (time.perf_counter() - start)
        logger.info("%s: %d people; %.2f images/s", path, len(people), rate)
    return [path for path, _ in shards]


def film_people(config: RenderConfig, numbers: list[int]) -> Iterator[TrackedClip | None]:
    """Clips of the people, in order, as they get ready; None for one that failed."""
    context = multiprocessing.get_context("spawn")  # an OpenGL context does not survive a fork
    started = context.Value("i", 0)
    tasks = [(config.seed, number) for number in numbers]
    with ProcessPoolExecutor(config.workers, context, _open_studio, (config, started)) as pool:
        try:
            for (_, number), (clip, reason) in zip(tasks, pool.map(_film, tasks), strict=True):
                if clip is None:
                    logger.warning("person %d is left out: %s", number, reason)
                yield clip
        except BrokenProcessPool as error:
            raise Real3DError(
                "a worker process ended (no OpenGL there, or out of memory; see above). Finished "
                "shards are kept: run the same command again, perhaps with fewer --workers."
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_studio: "Studio | None" = None
"""Of a worker process: tasks reach it only by a global name."""


def _open_studio(config: RenderConfig, started: "Synchronized[int]") -> None:
    global _studio
    with started.get_lock():
        device, started.value = started.value % config.devices, started.value + 1
    os.environ["LP_NUM_THREADS"] = "1"  # llvmpipe: the processes share the cores
    import cv2

    cv2.setNumThreads(1)
    _studio = config.open(device)


def _film(task: tuple[int, int]) -> tuple[TrackedClip | None, str]:
    """The clip, or why there is none: one odd person must not end a long render."""
    try:
        return _studio.film(*task), ""
    except Exception as error:
        return None, "".join(traceback.format_exception(error))
