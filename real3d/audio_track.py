"""Sound of one recording carried into another: decoded, aligned to the frames, encoded as AAC."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from real3d.files import for_ffmpeg

_LOG = logging.getLogger(__name__)
_RATES = (48000, 44100, 32000, 24000, 22050, 16000)


class AudioTrack:
    """Copies sound piecewise, so that it lies beside the frames of its time in the file."""

    @classmethod
    def between(cls, source: Path, target: av.container.OutputContainer) -> "AudioTrack | None":
        """The track from a recording into an open one, None where there is no usable sound."""
        try:
            container = av.open(for_ffmpeg(source))
        except (av.error.FFmpegError, OSError) as error:
            _LOG.warning("%s: no sound can be read from it (%s)", source, error)
            return None
        if not container.streams.audio:
            container.close()
            return None
        return cls(container, target)

    def __init__(self, source: av.container.InputContainer, target: av.container.OutputContainer):
        self._source, self._target = source, target
        stream = source.streams.audio[0]
        self.rate_hz = stream.rate if stream.rate in _RATES else 48000
        self._layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        self._stream = target.add_stream("aac", rate=self.rate_hz, layout=self._layout)
        self._stream.bit_rate = 160_000 if self._layout == "stereo" else 96_000
        self._chunks = self._decoded()
        self._left = np.zeros((1, 0), np.float32)  # decoded, but later than the frames so far
        self._written = 0

    def close(self) -> None:
        """Close the recording that is read."""
        self._source.close()

    def _first_frame_s(self) -> float:
        """When the source's picture starts: time 0 of the output."""
        for stream in self._source.streams.video[:1]:
            if stream.start_time is not None:
                return float(stream.start_time * stream.time_base)
        return 0.0

    def _decoded(self) -> Iterator[np.ndarray]:
        """(channels, n) float32 pieces from the time of the first frame on, without gaps at 0."""
        resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self.rate_hz)
        skip: int | None = None
        with contextlib.suppress(av.error.FFmpegError):  # sound that breaks off: keep what is good
            for frame in self._source.decode(audio=0):
                if skip is None:
                    skip = round((self._first_frame_s() - (frame.time or 0)) * self.rate_hz)
                    if skip < 0:  # it starts after the picture
                        channels = 1 if self._layout == "mono" else 2
                        yield np.zeros((channels, -skip), np.float32)
                        skip = 0
                for piece in resampler.resample(frame):
                    samples = piece.to_ndarray()
                    yield samples[:, skip:]
                    skip = max(0, skip - samples.shape[1])

    def copy_until(self, time_s: float) -> None:
        """Write the sound up to that time; past the end of the source nothing happens."""
        wanted = round(time_s * self.rate_hz)
        while self._written < wanted:
            chunk = self._left if self._left.shape[1] else next(self._chunks, None)
            if chunk is None:
                return
            room = wanted - self._written
            self._left = chunk[:, room:]
            self._encode(chunk[:, :room])

    def _encode(self, samples: np.ndarray) -> None:
        if not samples.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32), format="fltp", layout=self._layout
        )
        frame.sample_rate, frame.pts = self.rate_hz, self._written
        self._written += samples.shape[1]
        self._target.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Flush the encoder."""
        self._target.mux(self._stream.encode(None))
