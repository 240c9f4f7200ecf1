"""`real3d animate --audio` and `real3d plot`, with a stand-in for the renderer."""

import wave
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from skimage import data

import real3d
from real3d.cli import main
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.image import write_image
from real3d.motion import Motion
from real3d.samples import SPEECH
from real3d.video import VideoReader


@pytest.fixture
def seen(monkeypatch):
    """Stand-ins; what render was given is in seen. A frame is as bright as its jaw is open."""
    seen = {}

    def render(avatar, motion=None, *, cameras, coefficients, size, **_):
        seen["coefficients"] = coefficients
        for row in coefficients:
            yield np.full((size, size, 3), 255 * float(row[ARKIT_INDEX["jawOpen"]]), np.uint8)

    def retarget_speech(avatar, motion):
        seen["motion"] = motion
        return [None] * len(motion), torch.from_numpy(motion.coefficients)

    monkeypatch.setattr(real3d, "render", render, raising=False)
    monkeypatch.setattr(real3d, "load", lambda *_, **__: "model", raising=False)
    monkeypatch.setattr(real3d, "reconstruct", lambda *_: SimpleNamespace(), raising=False)
    monkeypatch.setattr("real3d.retarget_speech.retarget_speech", retarget_speech)
    return seen


@pytest.fixture
def photo(tmp_path):
    return write_image(tmp_path / "me.png", data.astronaut())


def _run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, (printed.out.splitlines() or [""])[-1], printed.err


def _wave(path, samples, rate_hz=16000):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def test_a_voice_drives_and_is_heard(capsys, seen, photo, tmp_path):
    out = tmp_path / "out.mp4"
    options = ("--emotion", "happy:0.6,surprised:0.3", "--intensity", "0.7", "--blink", "1.5",
               "--gaze=10,-5", "--head-motion", "0.5", "--mouth-gain", "1.2")  # fmt: skip
    code, last, said = _run(
        capsys, "animate", photo, "--audio", SPEECH, *options, "--size", "64", "-o", out
    )
    assert (code, last) == (0, str(out)), said
    assert len(seen["motion"]) == 116
    assert seen["motion"].coefficients[:, ARKIT_INDEX["mouthSmileLeft"]].mean() > 0.2
    assert seen["motion"].coefficients[:, ARKIT_INDEX["eyeLookOutLeft"]].mean() > 0.1
    with VideoReader(out) as video:
        assert video.has_audio
        assert len(list(video)) == 116


def test_sound_and_picture_stay_together_for_a_minute(capsys, seen, photo, tmp_path):
    rate_hz = 44100
    rng = np.random.default_rng(0)
    samples = np.zeros(60 * rate_hz)
    bursts_s = (1.0, 30.0, 58.5)
    for start_s in bursts_s:
        first = round(start_s * rate_hz)
        samples[first : first + rate_hz // 2] = 0.5 * rng.standard_normal(rate_hz // 2).clip(-1, 1)
    out = tmp_path / "minute.mp4"
    audio = _wave(tmp_path / "minute.wav", samples, rate_hz)
    code, _, said = _run(capsys, "animate", photo, "--audio", audio, "--size", "64", "-o", out)
    assert code == 0, said
    with av.open(str(out)) as container:
        stream = container.streams.audio[0]
        pieces = [(f.time, np.abs(f.to_ndarray()).max()) for f in container.decode(stream)]
        ends = [
            float((s.start_time + s.duration) * s.time_base)
            for s in (stream, container.streams.video[0])
        ]
    loud = np.array([time for time, level in pieces if level > 0.1])
    for start_s in bursts_s:  # an encoder's frame is 23 ms
        assert abs(loud[loud > start_s - 0.5][0] - start_s) < 0.04
    assert abs(ends[0] - ends[1]) < 0.04
    assert ends[1] == pytest.approx(60, abs=0.04)


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--emotion", "bored"), "emotion 'bored' is unknown"),
     (("--intensity", "2"), "--intensity 2: wanted"),
     (("--blink", "often"), "blink 'often': wanted"),
     (("--gaze", "up"), "gaze 'up': wanted"),
     (("--head-motion", "wild"), "wild: no such file. Pass natural"),
     (("--mouth-gain", "9"), "--mouth-gain 9: wanted"),
     (("--motion", "m.csv"), "animate needs a driver")],
)  # fmt: skip
def test_wrong_options_are_a_sentence(capsys, seen, photo, tmp_path, options, said):
    out = tmp_path / "x.mp4"
    code, _, complaint = _run(capsys, "animate", photo, "--audio", SPEECH, *options, "-o", out)
    assert code == 2
    assert said in complaint
    assert len(complaint.strip().splitlines()) == 1
    assert not out.exists()


def test_silence_and_no_sound_are_a_sentence(capsys, seen, photo, tmp_path):
    silent = _wave(tmp_path / "silent.wav", np.zeros(16000))
    for audio, said in ((silent, "silent"), (photo, "no sound track"), ("no.wav", "no such file")):
        code, _, complaint = _run(
            capsys, "animate", photo, "--audio", audio, "-o", tmp_path / "x.mp4"
        )
        assert (code, said in complaint) == (2, True), complaint


def test_gestures_belong_to_audio(capsys, seen, photo, tmp_path):
    motion = Motion.still(frames=2).write(tmp_path / "m.npz")
    code, _, said = _run(capsys, "animate", photo, "--motion", motion, "--gaze", "camera")
    assert (code, "--gaze belongs to --audio" in said) == (2, True)


def test_plot(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    motion = Motion.still({"jawOpen": 0.3}, frames=50).write(tmp_path / "m.csv")
    out = tmp_path / "plot.png"
    assert _run(capsys, "plot", motion, "-o", out)[:2] == (0, str(out))
    code, _, said = _run(capsys, "plot", motion, "--start", "9", "-o", out)
    assert (code, "lasts 2.00 s" in said) == (2, True)
