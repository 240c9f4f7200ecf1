"""A viewer with a small model, served in a thread."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data

from real3d.networks.config import SMOKE
from real3d.networks.model import build_network
from real3d.weight_files import Model, ready_model


@pytest.fixture(scope="session")
def model() -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(SMOKE)
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.01)
    return ready_model(network, "cpu")


@pytest.fixture(scope="session")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


@contextlib.contextmanager
def served(model: Model, phone_port: int = 0) -> Iterator[str]:
    """A viewer's address, on a free port."""
    web = pytest.importorskip("aiohttp.web")
    from viewer.server import HOST, Viewer, ViewerConfig

    loop, ready, address = asyncio.new_event_loop(), threading.Event(), []

    async def start() -> None:
        runner = web.AppRunner(Viewer(model, ViewerConfig(phone_port=phone_port)).app())
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        address.append((f"http://{HOST}:{runner.addresses[0][1]}/", runner))
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(30)
    url, runner = address[0]
    yield url
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)


@pytest.fixture(scope="session")
def phone_port() -> int:
    """A free UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def viewer_url(model, phone_port) -> Iterator[str]:
    with served(model, phone_port) as url:
        yield url
