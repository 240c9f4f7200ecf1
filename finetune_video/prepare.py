"""Recordings and photos to shards of tracked, cropped, matted frames; goes on where it stopped."""

import logging
import multiprocessing
import multiprocessing.util
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from real3d.errors import Real3DError
from real3d.files import require_writable

if TYPE_CHECKING:
    from finetune_video.harvest import FrameSettings, Harvest, Harvester
    from finetune_video.shard_set import PlannedShard
    from finetune_video.sources import Source

_LOG = logging.getLogger(__name__)
_WAITING = 8
"""Files that wait for each worker."""


@dataclass(frozen=True)
class PrepareConfig:
    """How frames are chosen and stored."""

    data: Path
    """Folder with clips.jsonl, orbits.jsonl, portraits.jsonl and the files they name; or a plain
    folder of videos and photos, or one video."""
    out: Path
    """Folder of the shards. Those that are there are kept."""
    split: str = "train"
    """Rows of the manifests to take."""
    real_frames: int = 16
    """Frames a clip that shows true motion."""
    generated_frames: int = 8
    """Frames a clip that a model generated."""
    orbit_frames: int = 22
    """Frames a camera sweep."""
    clip_px: int = 384
    """Side of the stored crops of recordings."""
    still_px: int = 448
    """Side of the stored crops of photos."""
    alpha_px: int = 192
    """Side of the stored mattes."""
    quality: int = 84
    """WebP quality of pictures."""
    smallest_crop: float = 1.5
    """Drop a crop that is smaller than this many face heights."""
    least_sharpness: float = 3.0
    """Drop what is more blurred; see finetune_video.harvest.sharpness. 0 keeps all."""
    longest_s: float = 300.0
    """Of a recording only so many seconds, from its beginning."""
    sides: bool = False
    """Take frames of sweeps that show no face as well, to yaw 95°, where their cameras follow from
    the sweep and pass two checks; see finetune_video.sweep."""
    shard_files: int = 128
    """Files of the data in one shard, at most."""
    part: int = 0
    """Make every `parts`-th shard alone, counted from this one: one number for each machine."""
    parts: int = 1
    """Machines that share the work."""
    identity: bool = True
    """Tell people apart by SFace, where it is installed."""
    workers: int = 2
    """Processes."""


def prepare(config: PrepareConfig) -> Path:
    """Write SET_NNN.npz and a note beside each, then a report; returns the report's path.

    Raises Real3DError for data that are missing or empty, for options that make no sense, and for
    shards in the way that were made of other files or with other settings.
    """
    from finetune_video.prepare_report import write_report
    from finetune_video.shard_set import plan
    from finetune_video.sources import FrameCounts, read_sources

    _require_options(config)
    counts = FrameCounts(config.real_frames, config.generated_frames, config.orbit_frames)
    sets = read_sources(config.data, config.split, counts)
    require_writable(config.out / "report.md")
    settings, shards = _settings(config), []
    for name, sources in sets.items():
        if (config.out / f"{name}.npz").is_file():
            _LOG.info("%s.npz is there already: this set is kept as it is", name)
        else:
            shards += plan(config.out, name, sources, config.shard_files)
    known = {shard.path: entries for shard in shards if (entries := shard.entries(settings))}
    waiting = [shard for shard in shards if shard.path not in known]
    mine = [s for k, s in enumerate(shards) if k % config.parts == config.part and s in waiting]
    _LOG.info("%d shards: %d are there, %d to be made here", len(shards), len(known), len(mine))
    for shard, harvests in _harvested(mine, settings, config):
        known[shard.path] = shard.write(harvests, settings)
        kept = sum(harvest.clip is not None for harvest in harvests)
        _LOG.info("%s: %d of %d files kept", shard.path, kept, len(harvests))
    there = [(shard, known[shard.path]) for shard in shards if shard.path in known]
    report = write_report(config.out, there, len(shards) - len(there))
    if there and not any(entry.frames for _, entries in there for entry in entries):
        raise Real3DError(f"{config.data}: nothing can be used. {report} says why.")
    return report


def _settings(config: PrepareConfig) -> "FrameSettings":
    from dataclasses import fields

    from finetune_video.harvest import FrameSettings

    return FrameSettings(**{f.name: getattr(config, f.name) for f in fields(FrameSettings)})


def _require_options(config: PrepareConfig) -> None:
    for name in ("real_frames", "generated_frames", "orbit_frames"):
        if getattr(config, name) < 3:
            raise Real3DError(
                f"--{name.replace('_', '-')} {getattr(config, name)}: wanted 3 or more."
            )
    for name in ("shard_files", "workers", "parts", "clip_px", "still_px", "alpha_px"):
        if getattr(config, name) < 1:
            raise Real3DError(
                f"--{name.replace('_', '-')} {getattr(config, name)}: wanted 1 or more."
            )
    if not 0 <= config.part < config.parts:
        raise Real3DError(f"--part {config.part}: wanted 0 to {config.parts - 1} (--parts less 1).")


def _harvested(
    shards: "list[PlannedShard]", settings: "FrameSettings", config: PrepareConfig
) -> "Iterator[tuple[PlannedShard, list[Harvest]]]":
    """Shards and what their files gave, one after the other; workers never wait for a shard's end.

    Raises Real3DError where a worker dies.
    """
    from tqdm import tqdm

    total = sum(len(shard.sources) for shard in shards)
    if not total:
        return
    sources = (source for shard in shards for source in shard.sources)
    with tqdm(total=total, unit=" files", disable=None) as bar:
        if config.workers == 1:
            with _open(settings, config.identity) as harvester:
                yield from _by_shard(shards, map(harvester.harvest, sources), bar)
            return
        context = multiprocessing.get_context("spawn")
        begin = (settings, config.identity)
        pool = ProcessPoolExecutor(min(config.workers, total), context, _begin, begin)
        try:
            yield from _by_shard(shards, _streamed(pool, sources, config.workers), bar)
        except BrokenProcessPool as error:
            raise Real3DError(
                "a worker process died, most likely for want of memory. Run again with fewer "
                "--workers: shards that are there are kept."
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _by_shard(shards, harvests, bar) -> "Iterator[tuple[PlannedShard, list[Harvest]]]":
    for shard in shards:
        found = []
        for _ in shard.sources:
            found.append(next(harvests))
            bar.update()
        yield shard, found


def _streamed(
    pool: ProcessPoolExecutor, sources: "Iterator[Source]", workers: int
) -> "Iterator[Harvest]":
    """Harvests in order, with a bounded number of files under way."""
    under_way: list[Future] = []
    for source in sources:
        under_way.append(pool.submit(_harvest, source))
        if len(under_way) >= _WAITING * workers:
            yield under_way.pop(0).result()
    for future in under_way:
        yield future.result()


def _open(settings: "FrameSettings", identity: bool) -> "Harvester":
    from finetune_video.harvest import Harvester, find_identity_network

    return Harvester(settings, find_identity_network() if identity else None)


_OWN: "list[Harvester]" = []
"""The harvester of a worker process."""


def _begin(settings: "FrameSettings", identity: bool) -> None:
    import cv2
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process says when it is over
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _OWN.append(_open(settings, identity))
    # Workers skip atexit; a tracker that is not closed complains while Python ends.
    multiprocessing.util.Finalize(None, _OWN[0].close, exitpriority=1)


def _harvest(source: "Source") -> "Harvest":
    return _OWN[0].harvest(source)
