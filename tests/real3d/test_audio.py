import wave

import av
import numpy as np
import pytest

from real3d.audio import RATE_HZ, AudioReader, measure_loudness, read_audio
from real3d.errors import Real3DError
from real3d.samples import SPEECH
from real3d.video import VideoWriter


def _write(path, samples, rate_hz, codec=None, layout="mono"):
    """A recording of (channels, N) samples in the format that the name says."""
    codec = codec or {".mp3": "mp3", ".flac": "flac", ".m4a": "aac", ".ogg": "libopus"}.get(
        path.suffix, "pcm_s16le"
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        packed = (samples.T.reshape(1, -1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(
            stream.format.name, layout, rate_hz, frame_size=stream.frame_size or None
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def _tone(seconds, rate_hz, hz=440.0, size=0.5):
    return size * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


@pytest.mark.parametrize(
    ("name", "rate_hz", "layout"),
    [("a.wav", 8000, "mono"), ("a.wav", 44100, "stereo"), ("a.flac", 48000, "mono"),
     ("a.mp3", 44100, "stereo"), ("a.m4a", 48000, "stereo"), ("a.ogg", 48000, "mono")],
)  # fmt: skip
def test_every_format_becomes_mono_at_16_khz(tmp_path, name, rate_hz, layout):
    tone = _tone(1.0, rate_hz)[None].repeat(2 if layout == "stereo" else 1, 0)
    samples = read_audio(_write(tmp_path / name, tone, rate_hz, layout=layout))
    assert samples.dtype == np.float32
    assert abs(len(samples) / RATE_HZ - 1) < 0.08  # lossy codecs pad
    spectrum = np.abs(np.fft.rfft(samples[4000:12000]))
    assert abs(spectrum.argmax() * RATE_HZ / 8000 - 440) < 5
    assert np.sqrt(np.mean(samples[4000:12000] ** 2)) == pytest.approx(0.35, abs=0.03)


def test_channels_of_opposite_sign_are_heard(tmp_path):
    tone = _tone(1.0, 16000)
    path = _write(tmp_path / "a.wav", np.stack([tone, -tone]), 16000, layout="stereo")
    assert np.sqrt(np.mean(read_audio(path)[4000:12000] ** 2)) == pytest.approx(0.35, abs=0.03)


def test_pieces_are_small_and_add_up(tmp_path):
    path = _write(tmp_path / "long.flac", _tone(30, 48000)[None], 48000)
    with AudioReader(path) as sound:
        sizes = [len(piece) for piece in sound]
    assert max(sizes) < RATE_HZ
    assert abs(sum(sizes) - 30 * RATE_HZ) < 20


def test_loudness_counts_the_loud_parts(tmp_path):
    quiet = np.concatenate([_tone(1, 16000, size=0.5), np.zeros(16000)])
    found = measure_loudness(_write(tmp_path / "a.wav", quiet[None], 16000))
    assert found.seconds == pytest.approx(2.0)
    assert found.level_db == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.6)


def test_silence_is_refused(tmp_path):
    path = _write(tmp_path / "still.wav", np.zeros((1, 16000)), 16000)
    with pytest.raises(Real3DError, match=r"still\.wav: silent"):
        measure_loudness(path)


def test_a_video_counts_from_its_first_picture(tmp_path):
    silence = np.zeros(16000)
    path = _write(tmp_path / "a.wav", np.concatenate([silence, _tone(1, 16000)])[None], 16000)
    with VideoWriter(tmp_path / "v.mp4", 25, (64, 64), audio_from=path) as video:
        for _ in range(50):
            video.write(np.zeros((64, 64, 3), np.uint8))
    loud = np.abs(read_audio(tmp_path / "v.mp4")) > 0.1
    assert np.flatnonzero(loud)[0] / RATE_HZ == pytest.approx(1.0, abs=0.03)


def test_what_cannot_be_heard_is_a_sentence(tmp_path):
    with VideoWriter(tmp_path / "dumb.mp4", 25, (64, 64)) as video:
        video.write(np.zeros((64, 64, 3), np.uint8))
    (tmp_path / "text.wav").write_text("no sound at all")
    for name, said in (("dumb.mp4", "no sound track"), ("text.wav", "not a recording"),
                       ("none.wav", "no such file")):  # fmt: skip
        with pytest.raises(Real3DError, match=said), AudioReader(tmp_path / name) as sound:
            list(sound)


def test_too_long_for_memory(tmp_path):
    path = _write(tmp_path / "a.wav", np.zeros((1, 32000)), 16000)
    with pytest.raises(Real3DError, match="longer than 1 s"):
        read_audio(path, longest_s=1)


def test_the_packaged_sample_is_a_few_seconds_of_speech():
    found = measure_loudness(SPEECH)
    assert 3 < found.seconds < 6
    assert -30 < found.level_db < -10


def test_waves_of_the_standard_library(tmp_path):
    with wave.open(str(tmp_path / "w.wav"), "wb") as file:
        file.setparams((1, 1, 11025, 0, "NONE", ""))  # 8 bits
        file.writeframes((128 + 100 * _tone(1, 11025, size=1)).astype(np.uint8).tobytes())
    assert np.abs(read_audio(tmp_path / "w.wav")).max() == pytest.approx(0.78, abs=0.05)
