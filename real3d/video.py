"""Recordings in and out by PyAV, streamed: one frame in memory at a time, sound kept."""

import contextlib
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from real3d.audio_track import AudioTrack
from real3d.errors import Real3DError
from real3d.files import for_ffmpeg, require_file, require_suffix, written_beside

_LOG = logging.getLogger(__name__)

LONGEST_PX = 1920
"""Frames with a longer side are reduced while they are read."""
_LARGEST_SIDE_PX = 16384
_WHOLE_SHARE = 0.9
"""A file that gives fewer of its promised frames than this is called truncated."""
_WANTED = "a video (MP4, MOV, WebM)"


class VideoReader:
    """Frames of a recording with their times; a context manager and an iterable, to be read once.

    `with VideoReader(path) as video: for time_s, rgb in video: ...` yields seconds from the first
    frame (variable frame rates keep their times) and (H, W, 3) uint8 RGB, upright.

    Raises Real3DError for what is no recording, is damaged or ends early.
    """

    def __init__(self, path: Path, longest_px: int = LONGEST_PX):
        self.path, self.longest_px = require_file(path, _WANTED), longest_px
        try:
            self._container = av.open(for_ffmpeg(path))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise Real3DError(
                f"{path}: not a video that can be read, or cut off. Pass {_WANTED}."
            ) from error
        streams = self._container.streams
        if not streams.video or not streams.video[0].codec_context:
            self.close()
            raise Real3DError(f"{path}: there is no picture track in it. Pass {_WANTED}.")
        self._stream = streams.video[0]
        self._stream.thread_type = "AUTO"
        if max(self._stream.width, self._stream.height) > _LARGEST_SIDE_PX:
            self.close()
            raise Real3DError(f"{path}: frames wider than {_LARGEST_SIDE_PX} px cannot be read.")
        self.has_audio = bool(streams.audio)
        self._angle_deg: int | None = None

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    @property
    def fps(self) -> float:
        """Frames a second on average; 25 where the file does not say."""
        rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
        return float(rate) if 1 <= rate <= 240 else 25.0

    @property
    def frame_count(self) -> int | None:
        """How many frames the file promises, where it says."""
        if self._stream.frames:
            return self._stream.frames
        seconds = self.duration_s
        return max(1, round(seconds * self.fps)) if seconds else None

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, where the file says."""
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        return self._container.duration / av.time_base if self._container.duration else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the frames that are yielded (upright, reduced)."""
        width, height = self._reduced(self._stream.width, self._stream.height)
        return (height, width) if self._rotation_deg() % 180 else (width, height)

    def _rotation_deg(self) -> int:
        """Counter-clockwise turn that puts frames upright, from the file's display matrix."""
        if self._angle_deg is None:  # only a decoded frame carries it
            with contextlib.suppress(av.error.FFmpegError, StopIteration):
                self._angle_deg = next(self._container.decode(self._stream)).rotation
                self._container.seek(0)
            self._angle_deg = self._angle_deg or 0
        return self._angle_deg

    def _reduced(self, width: int, height: int) -> tuple[int, int]:
        share = min(1.0, self.longest_px / max(width, height))
        return max(2, round(width * share)), max(2, round(height * share))

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        start_s, last_s, count = None, -1.0, 0
        try:
            for frame in self._container.decode(self._stream):
                time_s = frame.time if frame.time is not None else last_s + 1 / self.fps
                start_s = time_s if start_s is None else start_s
                time_s = time_s - start_s
                if time_s <= last_s:  # repeated or disordered stamps: keep time running
                    time_s = last_s + 1e-3
                last_s, count = time_s, count + 1
                yield time_s, self._upright(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise Real3DError(
                f"{self.path}: damaged after {count} frames ({max(last_s, 0):.1f} s). "
                "Save or download it again."
            ) from error
        promised = self._stream.frames
        if count == 0 or count < _WHOLE_SHARE * promised:
            raise Real3DError(
                f"{self.path}: cut off, it holds {count} of {promised} frames. "
                "Save or download it again."
            )

    def _upright(self, frame: av.VideoFrame) -> np.ndarray:
        width, height = self._reduced(frame.width, frame.height)
        rgb = frame.reformat(width, height, "rgb24", src_colorspace=_colorspace(frame)).to_ndarray()
        turns = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(rgb, turns)) if turns else rgb


def _colorspace(frame: av.VideoFrame) -> Colorspace | None:
    """BT.709 for large frames that do not say, as players do; None leaves it to FFmpeg."""
    unsaid = frame.colorspace in (0, 2)
    return Colorspace.ITU709 if unsaid and frame.height >= 720 else None


class VideoWriter:
    """H.264 in MP4 or MOV, written beside and renamed when complete; a context manager.

    With transparent: ProRes 4444 in MOV, which keeps an alpha channel.

    `with VideoWriter(path, fps, (width, height)) as video: video.write(rgb)`. An exception inside
    leaves no file. Sound comes from audio_from, where that has any, cut to the frames' length.
    crf: 0 is lossless, 18 looks it, 23 is small.
    """

    SUFFIXES = (".mp4", ".mov", ".m4v")

    def __init__(
        self,
        path: Path,
        fps: float,
        size: tuple[int, int],
        audio_from: Path | None = None,
        crf: int = 18,
        transparent: bool = False,
    ):
        self.path = require_suffix(path, self.SUFFIXES)
        self.fps, self.size = Fraction(fps).limit_denominator(1001), size
        self._audio_from, self._crf, self._count = audio_from, crf, 0
        self._transparent = transparent
        if transparent and self.path.suffix.lower() != ".mov":
            raise Real3DError(f"{path}: MP4 has no transparency. Use a name ending in .mov.")

    def __enter__(self) -> "VideoWriter":
        with contextlib.ExitStack() as stack:
            partial = stack.enter_context(written_beside(self.path))
            options = {"movflags": "+faststart"}
            kind = "mov" if self.path.suffix.lower() == ".mov" else "mp4"
            self._container = stack.enter_context(
                av.open(for_ffmpeg(partial), "w", format=kind, options=options)
            )
            self._stream = self._add_stream()
            self._audio = None
            if self._audio_from is not None:
                self._audio = AudioTrack.between(self._audio_from, self._container)
                if self._audio:
                    stack.callback(self._audio.close)
            self._stack = stack.pop_all()
        return self

    def _add_stream(self) -> av.VideoStream:
        if self._transparent:
            codec, self._format, options = "prores_ks", "yuva444p10le", {"profile": "4444"}
        else:
            codec, self._format = "libx264", "yuv420p"
            options = {"crf": str(self._crf), "preset": "medium"}
        stream = self._container.add_stream(codec, rate=self.fps, options=options)
        stream.width, stream.height = (side - side % 2 for side in self.size)
        stream.pix_fmt = self._format
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        return stream

    def write(self, image: np.ndarray) -> None:
        """Append an (H, W, 3) uint8 RGB frame, or (H, W, 4) RGBA to a transparent recording.

        Odd sides lose a pixel: 4:2:0 needs even ones.
        """
        height, width = self._stream.height, self._stream.width
        channels, packed = (4, "rgba") if self._transparent else (3, "rgb24")
        pixels = np.ascontiguousarray(image[:height, :width, :channels])
        frame = av.VideoFrame.from_ndarray(pixels, format=packed).reformat(
            format=self._format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = self._count, 1 / self.fps
        self._container.mux(self._stream.encode(frame))
        self._count += 1
        if self._audio:
            self._audio.copy_until(float(self._count / self.fps))

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as failure:
            if not self._stack.__exit__(type(failure), failure, failure.__traceback__):
                raise
        else:
            self._stack.__exit__(kind, error, trace)

    def _finish(self) -> None:
        if not self._count:
            raise Real3DError(f"{self.path}: there are no frames to write.")
        self._container.mux(self._stream.encode(None))
        if self._audio:
            self._audio.finish()
