"""Time the viewer with a webcam, end to end: JPEG to the server, pose back, picture of that pose.

    python benchmarks/live.py face.mp4                 # a recording stands in for the webcam
    python benchmarks/live.py face.mp4 --subject me.jpg --device cuda

The server runs in a process of its own; this one is the page: it sends another picture of the
webcam when the pose of one of the last two has come, and asks for the next frame when the last one
has come, as the page does. Prints markdown.
"""

import asyncio
import collections
import contextlib
import io
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import tyro
from PIL import Image
from skimage import data

from real3d.device import resolve_device
from real3d.evaluation.environment import Environment
from real3d.evaluation.tables import number, table
from real3d.image import write_image
from real3d.video import VideoReader

_WEBCAM_PX = 320
"""Longest side of the pictures that the page sends."""
_PICTURES = 100
_UNDERWAY = 2
"""So many of them the page sends before the pose of the first has come."""
_WARM_UP_S = 5.0


@dataclass(frozen=True)
class LiveBenchmark:
    """What to measure."""

    webcam: tyro.conf.Positional[Path]
    """A recording of a face."""
    subject: Path | None = None
    """A photo or an .avatar file; by default scikit-image's astronaut."""
    weights: str | None = None
    """As of `real3d view`."""
    device: str = "auto"
    """Where the server renders: auto, cpu, cuda or mps."""
    seconds: float = 15.0
    """How long, after a warm-up."""
    size: int = 512
    """Side of the frames in pixels."""


@dataclass
class Seen:
    """What the page has seen since the warm-up, ms."""

    watched_ms: list[float] = field(default_factory=list)
    """From a webcam's picture to its pose."""
    drawn_ms: list[float] = field(default_factory=list)
    """From asking for a frame to having it."""
    behind_ms: list[float] = field(default_factory=list)
    """From a webcam's picture to the frame that shows it."""


class Page:
    """The page's part of a live session."""

    def __init__(self, config: LiveBenchmark, pictures: list[bytes]):
        self._config, self._pictures = config, pictures
        self._latest: tuple[float, dict] | None = None
        self.seen = Seen()

    async def run(self, address: str) -> None:
        """Connect, wait for the head, drive it."""
        async with aiohttp.ClientSession(address) as http, http.ws_connect("/live") as socket:
            hello = await _message(socket, "hello")
            await _message(socket, "mesh")  # painted beside the frames: it would be in their way
            headers = {"X-Session": hello["session"]}
            end = time.perf_counter() + _WARM_UP_S + self._config.seconds
            await asyncio.gather(self._watch(socket, end), self._draw(http, headers, end))

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse, end: float) -> None:
        sent, pictures = collections.deque(), itertools.cycle(self._pictures)
        while time.perf_counter() < end:
            while len(sent) < _UNDERWAY:
                sent.append(time.perf_counter())
                await socket.send_bytes(next(pictures))
            pose, start = await _message(socket, "pose"), sent.popleft()
            if "coefficients" in pose:
                self._latest = start, pose
            self._note(self.seen.watched_ms, start, start, end)

    async def _draw(self, http: aiohttp.ClientSession, headers: dict, end: float) -> None:
        shown = None
        while (start := time.perf_counter()) < end:
            if self._latest is shown:
                await asyncio.sleep(0.001)
                continue
            taken, pose = shown = self._latest
            fields = ("coefficients", "rotation", "translation")
            content = {name: pose[name] for name in fields} | {"size": self._config.size}
            async with http.post("/frame", json=content, headers=headers) as answer:
                answer.raise_for_status()
                await answer.read()
            self._note(self.seen.drawn_ms, start, start, end)
            self._note(self.seen.behind_ms, taken, start, end)

    def _note(self, times: list[float], since: float, start: float, end: float) -> None:
        if start > end - self._config.seconds:
            times.append(1000 * (time.perf_counter() - since))


async def _message(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict:
    """The next message of this kind; what the server complains about ends the measurement."""
    while True:
        message = await socket.receive_json()
        if message["kind"] == "error":
            raise SystemExit(message["text"])
        if message["kind"] == kind:
            return message


def webcam_pictures(path: Path) -> list[bytes]:
    """The first pictures of a recording as the page sends them: JPEG, small."""
    pictures = []
    with VideoReader(path) as video:
        for _, frame in itertools.islice(video, _PICTURES):
            picture = Image.fromarray(frame)
            picture.thumbnail((_WEBCAM_PX, _WEBCAM_PX))
            picture.save(file := io.BytesIO(), "JPEG", quality=80)
            pictures.append(file.getvalue())
    return pictures


@contextlib.contextmanager
def served(config: LiveBenchmark) -> Iterator[str]:
    """The address of a server in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        subject = config.subject or Path(folder) / "astronaut.png"
        if config.subject is None:
            write_image(subject, data.astronaut())
        view = [sys.executable, "-m", "real3d.cli", "view", str(subject), "--no-browser"]
        options = ["--port", "0", "--device", config.device]
        options += ["--weights", config.weights] if config.weights else []
        server = subprocess.Popen([*view, *options], stderr=subprocess.PIPE, text=True)
        try:
            said = []
            for line in server.stderr:
                if line.startswith("http"):
                    yield line.split()[0]
                    return
                said.append(line)
            raise SystemExit("".join(said) or "the server ended.")
        finally:
            server.terminate()
            server.communicate()


def main(config: LiveBenchmark) -> None:
    """Measure and print."""
    page = Page(config, webcam_pictures(config.webcam))
    with served(config) as address:
        asyncio.run(page.run(address))
    for line in Environment.here(resolve_device(config.device)).lines():
        print(line)
    rows = [
        [name, number(len(times) / config.seconds, 1), *(number(q, 1) for q in _spread(times))]
        for name, times in (
            ("webcam's picture to pose", page.seen.watched_ms),
            ("frame", page.seen.drawn_ms),
            ("webcam's picture to its frame", page.seen.behind_ms),
        )
    ]
    print("\n" + table(["", "a second", "median, ms", "nine of ten within, ms"], rows))


def _spread(times_ms: list[float]) -> tuple[float, float]:
    return statistics.median(times_ms), statistics.quantiles(times_ms, n=10)[-1]


if __name__ == "__main__":
    main(tyro.cli(LiveBenchmark))
