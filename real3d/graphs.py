"""CUDA graphs: what always does the same is recorded once and then replayed.

A frame is a thousand small kernels, and starting them one by one takes longer than they do. What
is recorded must not wait for the GPU, copy numbers to it, or have shapes that depend on data.
Where it cannot be recorded it is computed step by step, as on a CPU.
"""

import contextlib
import functools
import logging
import threading
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from real3d.tensors import map_tensors, tensors_in

_LOG = logging.getLogger(__name__)
_UNRECORDED = 2
"""So often a run is asked for before it is recorded, which takes as long as several runs."""
_KEPT = 4
_WARM_UPS = 2
_OFF = 1.0
"""Mean difference, levels of a picture, from which on a replay is not what was recorded."""
_ONE_AT_A_TIME = threading.Lock()
_FAILED: list = []
"""Graphs whose recording broke off; torch's allocator goes on asking them what is theirs."""
S, G = TypeVar("S"), TypeVar("G")
Tensors = tuple[Tensor, ...]
Run = Callable[[S, G], Tensors]
"""What stands and what is given, dataclasses of tensors, to what is made of them."""


class Graphs(Generic[S, G]):
    """The last few runs on one device, recorded. May be used from several threads."""

    def __init__(self, device: torch.device | str):
        cuda = torch.device(device).type == "cuda"
        self._recorder = _Recorder(torch.device(device)) if cuda else None
        self._lock = threading.Lock()
        self._asked: Counter[Hashable] = Counter()
        self._kept: OrderedDict[Hashable, _Recording[G]] = OrderedDict()
        self._standing: S | None = None
        self._shown: Callable[[], S | None] = lambda: None

    @torch.inference_mode()
    def replayed(self, key: Hashable, run: Run, standing: S, given: G) -> Tensors | None:
        """run(standing, given); None where that is to be computed step by step.

        key: equal for equal runs with equal shapes of what is given. standing: of the same shapes
        in all runs; it is copied when it is another than before, what is given always.
        """
        with self._lock:
            if self._recorder is None:
                return None
            with self._recorder.in_order():
                found = self._kept.pop(key, None) or self._recorded(key, run, standing, given)
                if found is None:
                    return None
                self._kept[key] = found  # the last that was used is the last
                self._show(standing)
                _copy(given, found.given)
                return found.replay()

    def _recorded(self, key: Hashable, run: Run, standing: S, given: G) -> "_Recording[G] | None":
        self._asked[key] += 1
        if self._asked[key] <= _UNRECORDED:
            return None
        while len(self._kept) >= _KEPT:
            oldest, _ = self._kept.popitem(last=False)
            del self._asked[oldest]
        try:
            self._show(standing)
            own = map_tensors(torch.clone, given)
            return _Recording(
                own, self._recorder.recorded(functools.partial(run, self._standing, own))
            )
        except Exception as error:  # whatever it is: the same can be computed step by step
            self._give_up(error.__context__ or error)
            return None

    def _show(self, standing: S) -> None:
        """Make it what recorded runs read."""
        if self._shown() is standing:
            return
        if self._standing is None:
            self._standing = map_tensors(torch.clone, standing)
        else:
            _copy(standing, self._standing)
        self._shown = weakref.ref(standing)

    def _give_up(self, reason: BaseException) -> None:
        what = str(reason).partition("\n")[0] or type(reason).__name__
        _LOG.warning("frames take longer, as they cannot be recorded as a CUDA graph: %s", what)
        self._recorder, self._standing, self._shown = None, None, lambda: None
        self._kept.clear()


@dataclass(frozen=True)
class _Recording(Generic[G]):
    """A recorded run."""

    given: G
    """Tensors that it reads."""
    replay: Callable[[], Tensors]


class _Recorder:
    """Records on one CUDA device, on a stream of its own; all recordings share memory."""

    def __init__(self, device: torch.device):
        self._device, self._stream = device, torch.cuda.Stream(device)
        self._pool, self._done = torch.cuda.graph_pool_handle(), torch.cuda.Event()

    @contextlib.contextmanager
    def in_order(self) -> Iterator[None]:
        """What is asked of the device within comes after what was, whatever the stream."""
        with torch.cuda.device(self._device):
            stream = torch.cuda.current_stream()
            stream.wait_event(self._done)
            try:
                yield
            finally:
                self._done.record(stream)

    def recorded(self, run: Callable[[], Tensors]) -> Callable[[], Tensors]:
        """What does the same as run, later, with what its tensors hold then.

        Raises what run raises, and RuntimeError where it cannot be recorded.
        """
        graph, stream = torch.cuda.CUDAGraph(), self._stream
        with _ONE_AT_A_TIME, torch.cuda.stream(stream):
            torch.cuda.synchronize()
            for _ in range(_WARM_UPS):  # libraries choose algorithms and take memory
                wanted = run()
            try:
                with torch.cuda.graph(
                    graph, pool=self._pool, stream=stream, capture_error_mode="thread_local"
                ):
                    found = run()
            except Exception:
                self._break_off(graph)
                raise

        def replay() -> Tensors:
            graph.replay()
            return tuple(map(torch.clone, found))

        for one, other in zip(replay(), wanted, strict=True):
            if not (one.float() - other.float()).abs().mean() <= _OFF:
                raise RuntimeError("what was replayed differs from what was recorded")
        return replay

    def _break_off(self, graph: torch.cuda.CUDAGraph) -> None:
        """Give back the memory; torch before 2.12 counts a failed recording as still underway."""
        _FAILED.append(graph)
        device = torch.cuda.current_device()
        with contextlib.suppress(Exception):  # the first says so where torch has done it
            torch._C._cuda_endAllocateToPool(device, self._pool)
            torch._C._cuda_releasePool(device, self._pool)


def _copy(new: S, into: S) -> None:
    for source, target in zip(tensors_in(new), tensors_in(into), strict=True):
        target.copy_(source)
