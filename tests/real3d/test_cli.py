"""The command line with a stand-in for the networks: what it reads, writes, says and refuses."""

import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from skimage import data

import real3d
from real3d.cli import main
from real3d.errors import Real3DError
from real3d.image import read_image, write_image
from real3d.motion import Motion
from real3d.video import VideoReader, VideoWriter


@pytest.fixture
def calls(monkeypatch):
    """Stand-ins for the pipeline; each call leaves its options under its name."""
    seen = {}

    def frame(size, background):
        image = np.full((size, size, 4), 200, np.uint8)
        image[..., 3] = 255 * (np.arange(size) >= size // 2)[:, None]
        return image if background == "transparent" else image[..., :3]

    def render(avatar, motion=None, **options):
        seen["render"] = {"motion": motion, **options}
        for index in range(len(options["coefficients"] if motion is None else motion)):
            if index == seen.get("interrupt_at"):
                raise KeyboardInterrupt
            yield frame(options["size"], options.get("background"))

    def orbit(avatar, model, **options):
        seen["orbit"] = options
        for _ in range(round(options["seconds"] * options["fps"])):
            yield frame(options["size"], options.get("background"))

    def redirect(avatar, model, *angles, size, background=None, **options):
        seen["redirect"] = {"angles": angles, **options}
        return frame(size, background)

    def reconstruct(portraits, model):
        seen["reconstruct"] = portraits
        return SimpleNamespace(save=lambda path: path.write_text("avatar"))

    def load(weights=None, device="auto"):
        seen["load"] = {"weights": weights, "device": device}
        return "model"

    def track_video(path, model, **options):
        seen["track_video"] = options
        return Motion.still({"jawOpen": 0.5}, frames=12, fps=25)

    def retarget_speech(avatar, motion):
        seen["retarget_speech"] = motion
        return None, motion.coefficients

    monkeypatch.setattr("real3d.retarget_speech.retarget_speech", retarget_speech)
    for function in (render, orbit, redirect, reconstruct, load, track_video):
        monkeypatch.setattr(real3d, function.__name__, function, raising=False)
    return seen


@pytest.fixture
def photo(tmp_path):
    return write_image(tmp_path / "in" / "me.png", data.astronaut())


@pytest.fixture
def out(tmp_path):
    """A folder that must be empty after every error."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def _run(capsys, *arguments):
    """Exit code, last line of stdout, stderr."""
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, (printed.out.splitlines() or [""])[-1], printed.err


def test_help_is_quick():
    start = time.perf_counter()
    printed = subprocess.run(
        [sys.executable, "-m", "real3d.cli", "--help"], capture_output=True, text=True, check=True
    )
    assert "animate" in printed.stdout
    assert time.perf_counter() - start < 2.0  # 0.2 s where nothing else runs


def test_parsing_does_not_import_torch():
    code = "import sys, real3d.cli; print('torch' in sys.modules, 'numpy' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout.split() == ["False", "False"], printed.stderr


def test_reconstruct(capsys, calls, photo, out):
    code, last, _ = _run(capsys, "reconstruct", photo, photo, "-o", out / "me.avatar")
    assert (code, last) == (0, str(out / "me.avatar"))
    assert (out / "me.avatar").read_text() == "avatar"
    assert [portrait.image.shape for portrait in calls["reconstruct"]] == [(512, 512, 3)] * 2


def test_redirect_over_a_colour(capsys, calls, photo, out):
    arguments = ("--yaw", "-20", "--pitch", "5", "--expression", "jawOpen=0.5", "--size", "128")
    path = out / "a.png"
    code, last, _ = _run(
        capsys, "redirect", photo, *arguments, "--background", "#102030", "-o", path
    )
    assert (code, last) == (0, str(path))
    image = read_image(path)
    assert image[0, 0].tolist() == [16, 32, 48]
    assert image[-1, 0].tolist() == [200, 200, 200]
    assert calls["redirect"]["angles"] == (-20, 5, 0)
    assert calls["redirect"]["coefficients"].max() == 0.5


def test_orbit(capsys, calls, photo, out):
    code, _, _ = _run(
        capsys, "orbit", photo, "--seconds", "0.4", "--size", "64", "-o", out / "o.mp4"
    )
    assert code == 0
    with VideoReader(out / "o.mp4") as video:
        assert (len(list(video)), video.size) == (10, (64, 64))


def test_animate_by_motion(capsys, calls, photo, out, tmp_path):
    motion = Motion.still(frames=20, fps=50).write(tmp_path / "m.csv")
    base = ("animate", photo, "--motion", motion, "--size", "64", "-o", out / "a.mp4")
    assert _run(capsys, *base)[0] == 0
    assert calls["render"]["relative"] is True
    with VideoReader(out / "a.mp4") as video:
        assert (len(list(video)), video.fps) == (20, 50)
    assert _run(capsys, *base, "--absolute", "--fps", "25")[0] == 0
    assert calls["render"]["relative"] is False
    with VideoReader(out / "a.mp4") as video:
        assert (len(list(video)), video.fps) == (10, 25)


def test_animate_pastes_back(capsys, calls, out, tmp_path):
    wide = np.full((600, 900, 3), 30, np.uint8)
    wide[44:556, 300:812] = data.astronaut()
    photo, motion = write_image(tmp_path / "wide.png", wide), tmp_path / "m.npz"
    Motion.still(frames=2).write(motion)
    path = out / "a.mp4"
    code, _, _ = _run(
        capsys, "animate", photo, "--motion", motion, "--paste-back", "--size", "256", "-o", path
    )
    assert code == 0
    with VideoReader(path) as video:
        frame = next(iter(video))[1]
    assert frame.shape == (600, 900, 3)
    assert np.abs(frame[:, :200].astype(int) - 30).max() < 8


def test_animate_transparent(capsys, calls, photo, out, tmp_path):
    motion = Motion.still(frames=2).write(tmp_path / "m.json")
    base = ("animate", photo, "--motion", motion, "--background", "transparent", "--size", "64")
    assert _run(capsys, *base, "-o", out / "a.mp4")[::2] == (
        2,
        f"real3d: {out / 'a.mp4'}: MP4 has no transparency. Use a name ending in .mov.\n",
    )
    assert _run(capsys, *base, "-o", out / "a.mov")[0] == 0


def test_track(capsys, calls, out, tmp_path):
    with VideoWriter(tmp_path / "v.mp4", 25, (64, 64)) as video:
        video.write(np.zeros((64, 64, 3), np.uint8))
    code, last, _ = _run(capsys, "track", tmp_path / "v.mp4", "-o", out / "m.csv")
    assert (code, last) == (0, str(out / "m.csv"))
    assert len(Motion.read(out / "m.csv")) == 12
    assert calls["track_video"] == {"face": 0, "smooth": True}


def test_demo(capsys, calls, out):
    code, last, _ = _run(capsys, "demo", "-o", out / "demo", "--size", "64", "--seconds", "0.4")
    assert (code, last) == (0, str(out / "demo"))
    made = sorted(path.name for path in (out / "demo").iterdir())
    assert made == ["driven.mp4", "orbit.mp4", "redirected.png", "speaking.mp4"]


ERRORS = {
    "text named jpg": (("orbit", "{letter.jpg}", "-o", "{out}/a.mp4"), "not a picture"),
    "no such photo": (("orbit", "{none.jpg}", "-o", "{out}/a.mp4"), "no such file"),
    "no face": (("redirect", "{wall.png}", "-o", "{out}/a.png"), "no face found"),
    "tiny face": (("redirect", "{tiny.png}", "-o", "{out}/a.png"), "px high"),
    "second face": (("redirect", "{me.png}", "--face", "1", "-o", "{out}/a.png"), "face 1"),
    "wrong ending": (("orbit", "{me.png}", "-o", "{out}/a.gif"), "cannot write this type"),
    "a file as folder": (("orbit", "{me.png}", "-o", "{letter.jpg}/a.mp4"), "cannot be written"),
    "no photo": (("reconstruct", "-o", "{out}/a.avatar"), "no photo given"),
    "no driver": (("animate", "{me.png}", "-o", "{out}/a.mp4"), "needs a driver"),
    "text as motion": (
        ("animate", "{me.png}", "--motion", "{m.csv}", "-o", "{out}/a.mp4"),
        "ARKit columns",
    ),
    "a large turn": (("redirect", "{me.png}", "--yaw", "120", "-o", "{out}/a.png"), "--yaw 120"),
    "an odd size": (("orbit", "{me.png}", "--size", "99", "-o", "{out}/a.mp4"), "--size 99"),
    "no colour": (
        ("orbit", "{me.png}", "--background", "blu", "-o", "{out}/a.mp4"),
        "neither a picture file nor a colour",
    ),
    "unknown name": (
        ("redirect", "{me.png}", "--expression", "chin=1", "-o", "{out}/a.png"),
        "52 names",
    ),
    "its own input": (("redirect", "{me.png}", "-o", "{me.png}"), "one of the inputs"),
    "a negative seed": (("redirect", "{me.png}", "--seed", "-1", "-o", "{out}/a.png"), "--seed -1"),
    "a face of no video": (
        ("animate", "{me.png}", "--motion", "{m.csv}", "--driver-face", "1", "-o", "{out}/a.mp4"),
        "--driver-face belongs to",
    ),
    "a manner of no speech": (
        ("animate", "{me.png}", "--motion", "{m.csv}", "--mouth-gain", "2", "-o", "{out}/a.mp4"),
        "--mouth-gain belongs to",
    ),
    "a transparent jpg": (
        ("redirect", "{me.png}", "--background", "transparent", "-o", "{out}/a.jpg"),
        "JPEG has no transparency",
    ),
    "too much jaw": (
        ("redirect", "{me.png}", "--expression", "jawOpen=2", "-o", "{out}/a.png"),
        "from 0 to 1",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_wrong_input_is_one_sentence(capsys, calls, out, tmp_path, case):
    write_image(tmp_path / "me.png", data.astronaut())
    write_image(tmp_path / "tiny.png", data.astronaut()[::3, ::3])
    write_image(tmp_path / "wall.png", np.full((300, 300, 3), 90, np.uint8))
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    (tmp_path / "m.csv").write_text("a,b\n1,2\n")
    arguments, found = ERRORS[case]
    given = [
        a.replace("{out}", str(out)).replace("{", f"{tmp_path}/").replace("}", "")
        for a in arguments
    ]
    code, last, complaint = _run(capsys, *given)
    assert (code, last) == (2, "")
    assert found in complaint
    assert complaint.startswith("real3d: ")
    assert len(complaint.splitlines()) == 1
    assert list(out.iterdir()) == []


def test_an_interrupt_leaves_nothing(capsys, calls, photo, out, tmp_path):
    calls["interrupt_at"] = 3
    motion = Motion.still(frames=9).write(tmp_path / "m.csv")
    code, _, complaint = _run(
        capsys, "animate", photo, "--motion", motion, "--size", "64", "-o", out / "a.mp4"
    )
    assert code == 130
    assert "nothing half-written" in complaint
    assert list(out.iterdir()) == []


def test_debug_shows_the_traceback(capsys, calls, photo, out):
    arguments = ("redirect", photo, "--yaw", "200", "-o", out / "a.png")
    assert "Traceback" not in _run(capsys, *arguments)[2]
    assert "Traceback" in _run(capsys, *arguments, "--debug")[2]


def test_our_own_mistakes_exit_with_1(capsys, calls, photo, out, monkeypatch):
    monkeypatch.setattr(real3d, "redirect", lambda *_, **__: 1 / 0)
    code, _, complaint = _run(capsys, "redirect", photo, "-o", out / "a.png")
    assert code == 1
    assert "unexpected ZeroDivisionError" in complaint
    assert list(out.iterdir()) == []


def test_errors_of_the_pipeline_are_sentences(capsys, calls, photo, out, monkeypatch):
    def refuse(*_, **__):
        raise Real3DError("weights: not the format 1.")

    monkeypatch.setattr(real3d, "load", refuse)
    assert _run(capsys, "orbit", photo, "-o", out / "a.mp4")[::2] == (
        2,
        "real3d: weights: not the format 1.\n",
    )
    assert list(out.iterdir()) == []


def test_an_unknown_option_exits_with_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["orbit", "me.jpg", "--fast"])
    assert stop.value.code == 2
