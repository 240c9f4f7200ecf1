"""The commands on real input with the bundled weights: nothing is stood in for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import real3d
from real3d.cli import main
from real3d.demo_motion import demo_motion
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.image import read_image, write_image
from real3d.motion import Motion
from real3d.photo import Portrait
from real3d.video import VideoReader, VideoWriter

needs_tracking = pytest.mark.skipif(
    not hasattr(real3d, "track_video"), reason="this build has no pipeline"
)
needs_weights = pytest.mark.skipif(
    not list(Path(real3d.__file__).parent.glob("weights/*/config.json")),
    reason="this build carries no weights",
)


def _run(capsys, *arguments):
    """Exit code, last line of stdout, stderr."""
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, (printed.out.splitlines() or [""])[-1], printed.err


def _drive(path, faceless=(), count=60, fps=25):
    """The astronaut sways sideways; in the faceless frames there is only a wall."""
    photo = np.pad(data.astronaut()[:300, 80:380], ((0, 0), (30, 30), (0, 0)), mode="edge")
    with VideoWriter(path, fps, (300, 300)) as video:
        for index in range(count):
            shift = 30 + round(12 * np.sin(index / 6))
            frame = photo[:, shift : shift + 300]
            video.write(np.full_like(frame, 120) if index in faceless else frame)
    return path


@pytest.fixture
def photo(tmp_path):
    return write_image(tmp_path / "me.png", data.astronaut())


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@needs_tracking
def test_track_bridges_a_short_gap(capsys, tmp_path, out):
    video = _drive(tmp_path / "v.mp4", faceless=range(20, 30), count=40)
    code, last, complaint = _run(capsys, "track", video, "-o", out / "m.csv")
    assert (code, last) == (0, str(out / "m.csv")), complaint
    motion = Motion.read(out / "m.csv")
    assert (len(motion), motion.fps) == (40, 25)
    assert motion.coefficients[:, ARKIT_INDEX["mouthSmileLeft"]].min() > 0.2


@needs_tracking
@pytest.mark.parametrize(
    ("faceless", "found"), [(range(10, 40), "no face found from"), (range(60), "no face found")]
)
def test_track_refuses_a_long_gap(capsys, tmp_path, out, faceless, found):
    video = _drive(tmp_path / "v.mp4", faceless=faceless, count=48)
    code, last, complaint = _run(capsys, "track", video, "-o", out / "m.csv")
    assert (code, last) == (2, "")
    assert found in complaint
    assert list(out.iterdir()) == []


@needs_tracking
def test_track_refuses_a_truncated_video(capsys, tmp_path, out):
    video = _drive(tmp_path / "v.mp4", count=40)
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    code, _, complaint = _run(capsys, "track", video, "-o", out / "m.csv")
    assert code == 2
    assert "cut off" in complaint or "damaged" in complaint
    assert len(complaint.splitlines()) == 1
    assert list(out.iterdir()) == []


@needs_tracking
@pytest.mark.parametrize("content", [None, b"", b"not a tensor"])
def test_wrong_weights_are_a_sentence(capsys, photo, tmp_path, out, content):
    folder = tmp_path / "weights"
    if content is not None:
        folder.mkdir()
        for name in ("encoder.safetensors", "renderer.safetensors", "config.json"):
            (folder / name).write_bytes(content)
    code, _, complaint = _run(
        capsys, "redirect", photo, "--weights", folder, "-o", out / "a.png", "--device", "cpu"
    )
    assert code == 2, complaint
    assert len(complaint.splitlines()) == 1
    assert list(out.iterdir()) == []


@needs_tracking
@pytest.mark.parametrize("content", [b"", b"not an avatar" * 99])
def test_a_wrong_avatar_is_a_sentence(capsys, tmp_path, out, content):
    (tmp_path / "me.avatar").write_bytes(content)
    code, _, complaint = _run(capsys, "orbit", tmp_path / "me.avatar", "-o", out / "a.mp4")
    assert code == 2, complaint
    assert len(complaint.splitlines()) == 1
    assert list(out.iterdir()) == []


@needs_weights
def test_one_seed_one_picture(capsys, photo, out):
    for name in ("a.png", "b.png"):
        code, _, complaint = _run(
            capsys, "redirect", photo, "--yaw", "20", "--seed", "3", "-o", out / name
        )
        assert code == 0, complaint
    first, second = read_image(out / "a.png"), read_image(out / "b.png")
    assert first.shape == (512, 512, 3)
    np.testing.assert_array_equal(first, second)


@needs_weights
def test_a_cut_out_head_has_no_rim_of_its_old_wall(capsys, photo, out):
    """The wall is bright, the hair before it is not; few pixels are neither head nor wall."""
    arguments = ("--frontal", "--background", "transparent", "--size", "256")
    assert _run(capsys, "redirect", photo, *arguments, "-o", out / "a.png")[0] == 0
    rgba = np.asarray(Image.open(out / "a.png"))
    above = rgba[:110]
    rim = (above[..., 3] > 25) & (above[..., 3] < 153)
    assert 50 < rim.sum() < 800
    assert above[rim][:, :3].mean() < 130


@needs_weights
def test_photo_to_avatar_to_clip(capsys, photo, tmp_path, out):
    assert _run(capsys, "reconstruct", photo, "-o", out / "me.avatar")[0] == 0
    video = _drive(tmp_path / "v.mp4", count=6, fps=12)
    code, _, complaint = _run(
        capsys, "animate", out / "me.avatar", "--video", video, "--size", "256", "-o", out / "a.mp4"
    )
    assert code == 0, complaint
    with VideoReader(out / "a.mp4") as made:
        assert (made.size, made.fps, len(list(made))) == ((256, 256), 12, 6)


@needs_weights
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_nothing(photo, out):
    arguments = ["orbit", photo, "--seconds", "60", "-o", out / "a.mp4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "real3d.cli", *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        # a background job of a shell ignores Ctrl-C, and so would its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(out.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert "Traceback" not in complaint
    assert list(out.iterdir()) == []


@needs_weights
def test_a_head_does_not_turn_hazy_at_once_while_its_mouth_moves():
    """Frames in which a mouth is about to smile: none changes more than those around it."""
    motion, frames = demo_motion(), [0, *range(28, 32)]
    motion = Motion(
        motion.coefficients[frames], motion.rotation[frames], motion.translation[frames], 25.0
    )
    model = real3d.load(None, "cpu")
    avatar = real3d.reconstruct(Portrait.from_image(data.astronaut()), model)
    _, *pictures = real3d.render(avatar, motion, model=model)
    changes = np.abs(np.diff(np.stack(pictures).astype(int), axis=0)).mean((1, 2, 3))
    assert 0.3 < np.median(changes) < changes.max() < np.median(changes) + 2.5
