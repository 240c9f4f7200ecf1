"""The same arithmetic on every CPU; a headless Chromium for the tests marked browser."""

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = """--headless --no-sandbox --disable-gpu --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --use-angle=swiftshader
    --enable-unsafe-swiftshader --use-fake-device-for-media-stream --use-fake-ui-for-media-stream
    --autoplay-policy=no-user-gesture-required""".split()


@pytest.fixture(scope="session", autouse=True)
def single_precision() -> Iterator[None]:
    """Models compute in float32 on every CPU, but for tests that want half precision."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cpu, "get_capabilities", dict)
        yield


@pytest.fixture(scope="session")
def webcam_file(tmp_path_factory) -> Path:
    """What the browser's camera sees: the astronaut, who moves a little."""
    path = tmp_path_factory.mktemp("webcam") / "face.mjpeg"
    face = Image.fromarray(data.astronaut()[:270, 60:420])
    with path.open("wb") as file:
        for shift in (0, 4, 8, 4):
            face.transform((360, 270), Image.Transform.AFFINE, (1, 0, shift, 0, 1, 0)).resize(
                (320, 240)
            ).save(file, "JPEG")
    return path


@pytest.fixture(scope="session")
def chromium(webcam_file) -> Iterator[object]:
    """A browser of Playwright."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api")
    arguments = [*_ARGUMENTS, f"--use-file-for-fake-video-capture={webcam_file}"]
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Eyes:
    """A page, looked at: what it says, what it shows, and that nothing went wrong."""

    def __init__(self, browser: object, **options: object):
        self.context = browser.new_context(viewport={"width": 1000, "height": 640}, **options)
        self.page, self.faults = self.context.new_page(), []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def until(self, expression: str, seconds: float = 60) -> None:
        """Wait until a JavaScript expression is true (without eval, which the page forbids)."""
        for _ in range(round(seconds / 0.05)):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never true: {expression}; {self.faults}")

    def picture(self, of: str = "main") -> np.ndarray:
        """(H, W, 3) int of an element."""
        content = self.page.locator(of).first.screenshot()
        return np.array(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)

    def slide(self, name: str, value: float) -> None:
        """Move a slider."""
        script = """([name, value]) => {
            const input = document.querySelector(`input[data-name="${name}"]`);
            input.value = value; input.dispatchEvent(new Event("input"));
        }"""
        self.page.evaluate(script, [name, value])

    def drag(self, dx: float, dy: float, of: str = "main") -> None:
        """Drag with the mouse from an element's middle."""
        box = self.page.locator(of).first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=5)
        self.page.mouse.up()

    @staticmethod
    def differs(one: np.ndarray, other: np.ndarray, share: float = 0.003) -> bool:
        """Whether two pictures differ clearly in more than a share of their pixels."""
        return float((np.abs(one - other).max(-1) > 24).mean()) > share

    @staticmethod
    def blank(picture: np.ndarray) -> bool:
        """Whether a picture shows nothing."""
        return float(picture.std()) < 8


@pytest.fixture(scope="session")
def open_eyes(chromium) -> Iterator[Callable[..., Eyes]]:
    """A new browser window, as often as it is called."""
    opened = []

    def open_(**options: object) -> Eyes:
        opened.append(Eyes(chromium, **options))
        return opened[-1]

    yield open_
    for eyes in opened:
        eyes.context.close()
