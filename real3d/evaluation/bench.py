"""The work of an evaluation: tasks, and the processes that share them.

A task is what one file asks for. Where several parts look at one photo, they stand in one task, so
that its avatar is made once.
"""

import itertools
import multiprocessing
import multiprocessing.util
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from real3d.errors import Real3DError
from real3d.evaluation.cross_reenactment import (
    CrossResult,
    Driver,
    measure_cross,
    read_driver,
)
from real3d.evaluation.edits import EditResult, measure_edits
from real3d.evaluation.instruments import Instruments
from real3d.evaluation.manifest import Manifest, spread
from real3d.evaluation.orbits import OrbitResult, measure_orbit
from real3d.evaluation.protocol import (
    CROSS,
    EDITS,
    ORBITS,
    SELF,
    SEVERAL,
    VIEWS,
    Protocol,
)
from real3d.evaluation.self_reenactment import ClipResult, measure_clip
from real3d.evaluation.several_photos import SeveralResult, measure_several
from real3d.evaluation.sheets import Pictures
from real3d.evaluation.store import Item, Store
from real3d.evaluation.subject import Subject
from real3d.evaluation.views import ViewResult, measure_views
from real3d.photo import Portrait

RESULTS = {
    SELF: ClipResult,
    SEVERAL: SeveralResult,
    CROSS: CrossResult,
    EDITS: EditResult,
    VIEWS: ViewResult,
    ORBITS: OrbitResult,
}
"""Part to the type of its results."""


@dataclass(frozen=True)
class Task:
    """One file, and the parts that look at it."""

    path: Path
    parts: tuple[str, ...]
    drivers: tuple[Path, ...] = ()
    """Recordings that drive it in cross-reenactment."""


def tasks_of(manifest: Manifest, protocol: Protocol) -> list[Task]:
    """What a protocol asks of a manifest; what takes longest comes first."""
    chosen = manifest.picked(protocol.clips, protocol.stills, protocol.orbits)
    drivers = spread(chosen.clips, protocol.drivers)
    driven = set(spread(chosen.stills, protocol.cross_stills)) if drivers else set()
    tasks = [Task(path, (SELF,)) for path in chosen.clips]
    for path in chosen.stills:
        parts = (EDITS, VIEWS, *((CROSS,) if path in driven else ()))
        tasks.append(Task(path, parts, drivers if path in driven else ()))
    tasks += [Task(path, (SEVERAL,)) for path in spread(chosen.clips, protocol.several)]
    return tasks + [Task(path, (ORBITS,)) for path in chosen.orbits]


class Bench:
    """The instruments of one process at work."""

    def __init__(self, instruments: Instruments, store: Store, protocol: Protocol):
        self._instruments, self._store, self._protocol = instruments, store, protocol
        self._drivers: dict[Path, Driver | None] = {}

    def perform(self, task: Task) -> list[tuple[str, Path, Item]]:
        """Part, file and what came of it, for each part of a task."""
        still = _Still(task.path, self._instruments)
        done = []
        for part in task.parts:
            measure = self._measure(part, task, still)
            also = [self._protocol.settings(part)]
            if part == CROSS:
                also += task.drivers
            elif part == SELF:
                also.append(self._instruments.features is not None)
            item = self._store.measured(part, task.path, RESULTS[part], measure, also)
            done.append((part, task.path, item))
        return done

    def _measure(self, part: str, task: Task, still: "_Still") -> Callable[[], tuple]:
        """What measures a part of a task."""
        own, protocol = self._instruments, self._protocol
        whole = {SELF: measure_clip, SEVERAL: measure_several, ORBITS: measure_orbit}
        if part in whole:
            return partial(whole[part], task.path, own, protocol)
        if part == CROSS:
            return partial(self._cross, task, still)
        make = {EDITS: measure_edits, VIEWS: measure_views}[part]
        sizes = (protocol.size, protocol.sizes[-1])
        return lambda: make(*still.made(), own.observer, task.path.stem, *sizes)

    def _cross(self, task: Task, still: "_Still") -> tuple[CrossResult, Pictures]:
        made, drivers = still.made(), {path.stem: self._driver(path) for path in task.drivers}
        if not any(drivers.values()):
            raise Real3DError(f"{task.path}: no driver shows a face that could drive it.")
        sizes = (self._protocol.size, self._protocol.sizes[-1])
        return measure_cross(*made, self._instruments.observer, task.path.stem, drivers, sizes)

    def _driver(self, path: Path) -> Driver | None:
        """A driver, read once; None where its recording is refused."""
        if path not in self._drivers:
            try:
                driver = read_driver(path, self._instruments.observer, self._protocol)
            except Real3DError:  # as a clip of its own it is refused with the reason
                driver = None
            self._drivers[path] = driver
        return self._drivers[path]


class _Still:
    """A photo whose portrait and subject are made when they are first needed."""

    def __init__(self, path: Path, instruments: Instruments):
        self._path, self._build = path, instruments.build
        self._made: tuple[Portrait, Subject] | None = None

    def made(self) -> tuple[Portrait, Subject]:
        """The portrait, and the subject built of it."""
        if self._made is None:
            portrait = Portrait.read(self._path)
            self._made = portrait, self._build([portrait])
        return self._made


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def performed(
    tasks: Sequence[Task],
    open_instruments: Callable[[], Instruments],
    store: Store,
    protocol: Protocol,
    workers: int = 1,
) -> Iterator[list[tuple[str, Path, Item]]]:
    """What comes of tasks, as they end. One worker is this process; several share the cores.

    Raises Real3DError where a process dies; what is measured by then is kept.
    """
    if workers == 1:
        instruments = open_instruments()
        with instruments.observer:
            bench = Bench(instruments, store, protocol)
            for task in tasks:
                yield bench.perform(task)
        return
    context = multiprocessing.get_context("spawn")
    begin = (open_instruments, store, protocol)
    pool = ProcessPoolExecutor(min(workers, max(len(tasks), 1)), context, _begin, begin)
    try:
        yield from _streamed(pool, tasks)
    except BrokenProcessPool as error:
        raise Real3DError(
            "a worker process died, most likely for want of memory. Run again with fewer "
            "--workers: what is measured is kept."
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _streamed(
    pool: ProcessPoolExecutor, tasks: Sequence[Task]
) -> Iterator[list[tuple[str, Path, Item]]]:
    waiting = {pool.submit(_perform, task) for task in tasks}
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


_OWN: list[Bench] = []
"""The bench of a worker process."""


def _begin(open_instruments: Callable[[], Instruments], store: Store, protocol: Protocol) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process says when it is over
    instruments = open_instruments()
    _OWN.append(Bench(instruments, store, protocol))
    # Workers skip atexit; a tracker that is not closed complains while Python ends.
    multiprocessing.util.Finalize(None, instruments.observer.close, exitpriority=1)


def _perform(task: Task) -> list[tuple[str, Path, Item]]:
    return _OWN[0].perform(task)


def in_order(
    manifest: Manifest, found: Sequence[tuple[str, Path, Item]], part: str
) -> dict[Path, Item]:
    """A part's items in the order of the manifest."""
    items = {path: item for name, path, item in found if name == part}
    every = itertools.chain(manifest.clips, manifest.stills, manifest.orbits)
    return {path: items[path] for path in every if path in items}
