from fractions import Fraction

import av
import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.video import VideoReader, VideoWriter

SIZE = (96, 64)


def _frame(index: int, width: int = SIZE[0], height: int = SIZE[1]) -> np.ndarray:
    """A grey ramp with a red mark at the top left corner; brightness tells the index."""
    image = np.full((height, width, 3), 40 + 5 * index, np.uint8)
    image[: height // 4, : width // 4] = (220, 20, 30)
    return image


def _write(path, count=20, fps=25.0, audio_from=None):
    with VideoWriter(path, fps, SIZE, audio_from=audio_from) as video:
        for index in range(count):
            video.write(_frame(index))
    return path


def _write_with_tone(path, start_s=0.0, seconds=1.0):
    """A recording of one second with a tone that starts at start_s."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = *SIZE, "yuv420p"
        sound = container.add_stream("aac", rate=44100, layout="mono")
        for index in range(25):
            frame = av.VideoFrame.from_ndarray(_frame(index), format="rgb24")
            container.mux(picture.encode(frame))
        times = np.arange(round(seconds * 44100)) / 44100
        tone = 0.5 * np.sin(2 * np.pi * 440 * times) * (times >= start_s)
        piece = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), "fltp", "mono")
        piece.sample_rate, piece.pts = 44100, 0
        container.mux(sound.encode(piece))
        container.mux(sound.encode(None))
        container.mux(picture.encode(None))
    return path


def _sound(path):
    """Rate and samples of a file's first sound track."""
    with av.open(str(path)) as container:
        pieces = [frame.to_ndarray() for frame in container.decode(audio=0)]
        return container.streams.audio[0].rate, np.concatenate(pieces, 1)[0]


def test_frames_times_and_colours_survive(tmp_path):
    with VideoReader(_write(tmp_path / "a.mp4")) as video:
        assert (video.fps, video.size, video.has_audio) == (25.0, SIZE, False)
        assert video.frame_count == 20
        frames = list(video)
    np.testing.assert_allclose([time for time, _ in frames], np.arange(20) / 25, atol=1e-6)
    for index, (_, image) in enumerate(frames):
        assert abs(image.astype(int) - _frame(index)).mean() < 4


def test_ntsc_rate_is_exact(tmp_path):
    with VideoReader(_write(tmp_path / "a.mp4", fps=30000 / 1001)) as video:
        assert video.fps == pytest.approx(30000 / 1001, abs=1e-6)


def test_odd_sizes_are_written(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 25, (65, 33)) as video:
        video.write(np.zeros((33, 65, 3), np.uint8))
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.size == (64, 32)


def test_sound_is_kept_in_step_and_cut(tmp_path):
    driver = _write_with_tone(tmp_path / "driver.mp4", start_s=0.4)
    with VideoReader(_write(tmp_path / "out.mp4", audio_from=driver)) as video:
        assert video.has_audio
    rate, samples = _sound(tmp_path / "out.mp4")
    assert len(samples) / rate == pytest.approx(0.8, abs=0.06)
    loud = np.flatnonzero(np.abs(samples) > 0.2)[0] / rate
    assert loud == pytest.approx(0.4, abs=0.04)


def test_a_long_piece_of_sound_spans_many_frames(tmp_path):
    driver = _write_with_tone(tmp_path / "driver.mp4")
    with VideoWriter(tmp_path / "out.mp4", 240, SIZE, audio_from=driver) as video:
        for _ in range(240):
            video.write(_frame(0))
    rate, samples = _sound(tmp_path / "out.mp4")
    assert len(samples) / rate == pytest.approx(1.0, abs=0.06)
    assert np.abs(samples[2000:40000]).reshape(-1, 1000).max(1).min() > 0.4  # no holes


def test_driver_without_sound(tmp_path):
    silent = _write(tmp_path / "silent.mp4")
    with VideoReader(_write(tmp_path / "out.mp4", audio_from=silent)) as video:
        assert not video.has_audio


def test_rotated_phone_video_is_upright(tmp_path):
    upright = tmp_path / "upright.mp4"
    _write(upright, count=3)
    data = bytearray(upright.read_bytes())
    identity = np.array([65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30], ">i4").tobytes()
    quarter = np.array([0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30], ">i4").tobytes()
    track = data.index(b"tkhd")
    place = data.index(identity, track)
    data[place : place + 36] = quarter
    (tmp_path / "phone.mp4").write_bytes(data)
    with VideoReader(tmp_path / "phone.mp4") as video:
        assert video.size == (64, 96)
        frames = [image for _, image in video]
    assert len(frames) == 3
    expected = np.rot90(_frame(0), -1)  # this matrix asks for a clockwise quarter turn
    assert abs(frames[0].astype(int) - expected).mean() < 4


def test_variable_frame_rate_keeps_times(tmp_path):
    times_ms = [0, 40, 200, 220, 500]
    with av.open(str(tmp_path / "vfr.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(_frame(index), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoReader(tmp_path / "vfr.mkv") as video:
        np.testing.assert_allclose([t for t, _ in video], np.array(times_ms) / 1000, atol=2e-3)


def test_large_frames_are_reduced(tmp_path):
    with VideoReader(_write(tmp_path / "a.mp4", count=2), longest_px=48) as video:
        assert video.size == (48, 32)
        assert next(iter(video))[1].shape == (32, 48, 3)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_truncated_video(tmp_path, share):
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / "a.mp4", 25, SIZE) as video:
        for _ in range(30):
            video.write(rng.integers(0, 255, (64, 96, 3)).astype(np.uint8))
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Real3DError, match="cut"), VideoReader(tmp_path / "cut.mp4") as video:
        list(video)


def test_no_video(tmp_path):
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(Real3DError, match="not a video"):
        VideoReader(tmp_path / "letter.mp4")
    with pytest.raises(Real3DError, match="no such file"):
        VideoReader(tmp_path / "none.mp4")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_an_interrupted_writer_leaves_nothing(tmp_path, stop):
    with pytest.raises(stop), VideoWriter(tmp_path / "a.mp4", 25, SIZE) as video:
        video.write(_frame(0))
        raise stop
    assert list(tmp_path.iterdir()) == []


def test_no_frames_and_no_place(tmp_path):
    with pytest.raises(Real3DError, match="no frames"), VideoWriter(tmp_path / "a.mp4", 25, SIZE):
        pass
    (tmp_path / "file").touch()
    with (
        pytest.raises(Real3DError, match="cannot be written"),
        VideoWriter(tmp_path / "file" / "a.mp4", 25, SIZE),
    ):
        pass
    with pytest.raises(Real3DError, match=r"\.mp4"):
        VideoWriter(tmp_path / "a.gif", 25, SIZE)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_transparency_survives(tmp_path):
    image = np.zeros((64, 96, 4), np.uint8)
    image[:, 48:] = (200, 100, 50, 255)
    with VideoWriter(tmp_path / "a.mov", 25, SIZE, transparent=True) as video:
        video.write(image)
    with av.open(str(tmp_path / "a.mov")) as container:
        read = next(container.decode(video=0)).to_ndarray(format="rgba")
    assert read[:, :40, 3].max() < 8
    assert read[:, 56:, 3].min() > 247
    with pytest.raises(Real3DError, match=r"\.mov"):
        VideoWriter(tmp_path / "a.mp4", 25, SIZE, transparent=True)
