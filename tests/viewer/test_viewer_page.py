"""The viewer in a real browser: every control is used, and what it does is seen."""

import socket
import wave

import numpy as np
import pytest

from real3d.avatar import Avatar
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.live_link import LiveFrame, write_packet
from real3d.motion import Motion
from real3d.video import VideoReader

pytestmark = pytest.mark.browser

READY = "stage.meshed && stage.arrived > 0"


@pytest.fixture(scope="module")
def ready(open_eyes, viewer_url, photo):
    """A page on which the astronaut is ready."""
    eyes = open_eyes(accept_downloads=True)
    eyes.page.goto(viewer_url)
    eyes.until("session !== ''")
    assert eyes.page.is_visible("#ask")
    eyes.page.set_input_files("#photo", photo)
    eyes.until(READY)
    assert not eyes.page.is_visible("#ask")
    assert "ynthetic" in eyes.page.inner_text("#mark")
    return eyes


@pytest.fixture
def eyes(ready):
    """The same page as it was at first; no script of it may fail."""
    ready.page.select_option("#quality", "auto")
    ready.page.select_option("#background", "photo")
    ready.page.click("#reset")
    ready.page.click("#expression >> text=Reset")
    yield ready
    assert ready.faults == []


def _nodding(path, frames=20):
    motion = Motion.still({"jawOpen": 0.8}, frames=frames, fps=10)
    coefficients = motion.coefficients * (np.arange(frames) % 2)[:, None]
    rotation = np.linspace(0, 0.4, frames, dtype=np.float32)[:, None] * np.float32([1, 0, 0])
    return Motion(coefficients, rotation, motion.translation, 10).write(path)


def _beep(path):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        wave_ = np.sin(np.arange(16000 * 2) / 8) * 8000
        file.writeframes(wave_.astype("<i2").tobytes())
    return path


def _drop(eyes, name, content):
    """Drop a file onto the page."""
    script = """([name, content]) => {
        const dropped = new DataTransfer();
        dropped.items.add(new File([content], name));
        const event = new DragEvent("drop", { dataTransfer: dropped, cancelable: true });
        document.getElementById("drop").dispatchEvent(event);
    }"""
    eyes.page.evaluate(script, [name, content])


def _still(eyes):
    """Wait for the full frame of what is shown."""
    eyes.page.wait_for_timeout(200)
    eyes.until("stage.shown === stage.last && !stage.pending")


def test_orbit_sliders_and_views_are_seen(eyes):
    _still(eyes)
    full = eyes.picture()
    assert not eyes.blank(full)

    eyes.page.select_option("#quality", "fast")
    eyes.drag(90, 0)
    eyes.until("stage.layers.classList.contains('moving')")
    turned = eyes.picture()
    assert not eyes.blank(turned)
    assert eyes.differs(full, turned)
    drawn = eyes.page.evaluate("stage.view.framesDrawn")
    assert drawn > 0

    eyes.slide("jawOpen", 1)
    eyes.page.wait_for_timeout(300)
    opened = eyes.picture()
    assert eyes.differs(turned, opened)
    eyes.page.click("text=Random")
    eyes.page.select_option("[data-name=preset]", "wink")
    winked = eyes.page.evaluate("Array.from(app.panel.values)")
    assert winked[ARKIT_INDEX["eyeBlinkLeft"]] == 1
    assert winked[ARKIT_INDEX["eyeBlinkRight"]] == 0
    eyes.page.click("#expression >> text=Reset")
    eyes.slide("yaw", 30)
    eyes.slide("gaze right", 1)
    eyes.page.wait_for_timeout(300)
    assert eyes.differs(opened, eyes.picture())

    eyes.page.click("#front")
    assert eyes.page.evaluate("[...app.pose, ...app.orbit]") == [0, 0, 0, 0, 0]
    eyes.page.mouse.move(300, 300)
    eyes.page.mouse.wheel(0, -400)
    eyes.page.wait_for_timeout(200)
    assert eyes.page.evaluate("stage.zoom") > 1
    eyes.page.click("#reset")
    assert eyes.page.evaluate("stage.zoom") == 1
    eyes.page.select_option("#quality", "auto")
    _still(eyes)
    assert not eyes.differs(full, eyes.picture())

    eyes.page.select_option("#background", "colour")
    _still(eyes)
    eyes.page.wait_for_timeout(200)
    assert eyes.differs(full, eyes.picture(), 0.05)
    eyes.slide("gaze right", 0)


def test_frames_that_come_soon_are_shown_while_it_moves(eyes):
    moving = "stage.layers.classList.contains('moving')"
    _still(eyes)
    eyes.page.evaluate("stage.pace = 20")  # as with a graphics card
    eyes.slide("yaw", 20)
    eyes.page.wait_for_timeout(50)
    assert not eyes.page.evaluate(moving)
    assert eyes.page.evaluate("stage.pending !== null")
    _still(eyes)
    eyes.page.evaluate("stage.pace = 500")
    eyes.slide("yaw", 0)
    eyes.until(moving)
    _still(eyes)


def test_motion_sound_and_idle_life_move_it(eyes, tmp_path, monkeypatch):
    eyes.page.select_option("#quality", "fast")
    eyes.page.set_input_files("#driver", _nodding(tmp_path / "m.csv"))
    eyes.until("app.playing")
    eyes.page.wait_for_timeout(300)
    one = eyes.picture()
    eyes.page.wait_for_timeout(700)
    assert eyes.differs(one, eyes.picture())
    eyes.page.click("#play")
    assert not eyes.page.evaluate("app.playing")

    def from_audio(path, model):
        return Motion.still({"jawOpen": 0.3}, frames=50)

    monkeypatch.setattr(Motion, "from_audio", staticmethod(from_audio), raising=False)
    eyes.page.set_input_files("#driver", _beep(tmp_path / "a.wav"))
    eyes.until("app.playing && app.driver.sound && app.driver.sound.currentTime > 0.1")
    eyes.page.click("#play")
    assert eyes.page.evaluate("app.driver.sound.paused")

    eyes.page.click("#life")
    eyes.page.wait_for_timeout(300)
    one = eyes.page.evaluate("stage.last")
    eyes.page.wait_for_timeout(500)
    assert eyes.page.evaluate("stage.last") != one
    eyes.page.click("#life")


def test_files_are_saved(eyes, tmp_path):
    def saved(button):
        with eyes.page.expect_download(timeout=60000) as download:
            eyes.page.click(button)
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    eyes.page.select_option("#size", "256")
    eyes.page.click("#record")
    eyes.until("recorder.frames.length > 2")
    eyes.slide("yaw", 20)
    eyes.page.wait_for_timeout(500)
    with VideoReader(saved("#record")) as video:
        frames = [frame for _, frame in video]
    assert len(frames) >= 8
    assert frames[0].shape == (256, 256, 3)
    assert eyes.differs(frames[0].astype(int), frames[-1].astype(int))
    motion = Motion.read(saved("#csv"))
    assert len(motion) == len(frames)
    assert abs(np.degrees(motion.rotation[-1, 0]) - 20) < 0.5
    assert saved("#png").read_bytes()[:4] == b"\x89PNG"
    assert Avatar.load(saved("#avatar")).photo.shape == (512, 512, 3)
    assert saved("#glb").read_bytes()[:4] == b"glTF"


def test_two_pages_do_not_mix_and_wrong_files_are_refused(eyes, open_eyes, viewer_url, tmp_path):
    other = open_eyes()
    other.page.goto(viewer_url)
    other.until("session !== ''")
    assert other.page.is_visible("#ask")
    assert other.page.evaluate("session") != eyes.page.evaluate("session")

    _drop(other, "photo.png", "no picture")
    other.until("!document.getElementById('error').hidden")
    assert "not a picture" in other.page.inner_text("#error")
    assert "/tmp" not in other.page.inner_text("#error")
    assert other.page.is_visible("#ask")
    other.page.click("#error")
    program = tmp_path / "program.exe"
    program.write_bytes(b"MZ")
    other.page.evaluate("document.getElementById('driver').removeAttribute('accept')")
    other.page.set_input_files("#driver", program)
    other.until("!document.getElementById('error').hidden")
    assert ".exe" in other.page.inner_text("#error")


def test_webcam_and_phone_drive_it(eyes, phone_port):
    eyes.page.select_option("#quality", "fast")
    eyes.page.click("#webcam")
    eyes.until("app.live !== null", 20)
    first = eyes.page.evaluate("stage.last")
    eyes.until(f"stage.last !== {first!r}", 20)
    eyes.page.click("#webcam")
    assert eyes.page.evaluate("[app.liveFrom, app.live]") == ["", None]

    eyes.page.click("#phone")
    eyes.page.wait_for_timeout(300)
    coefficients = np.zeros(52, np.float32)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for k, opened in enumerate((0, 0, 0.9, 0.9, 0.9)):
            coefficients[ARKIT_INDEX["jawOpen"]] = opened
            live = LiveFrame("test", k, 60, coefficients, np.float32([0.2 * opened, 0, 0]))
            phone.sendto(write_packet(live), ("127.0.0.1", phone_port))
            phone.sendto(b"noise", ("127.0.0.1", phone_port))
            eyes.page.wait_for_timeout(150)
    eyes.until(f"app.live && app.live.coefficients[{ARKIT_INDEX['jawOpen']}] > 0.5", 10)
