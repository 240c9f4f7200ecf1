"""Make the packaged speech sample: a synthesised voice, nobody's own.

It needs the program espeak-ng (apt-get install espeak-ng); what it says is ours.

    python examples/speech_sample.py
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import av
import numpy as np

from real3d.audio import RATE_HZ, read_audio

TEXT = "Hello! A single photo is enough, and a voice moves my lips."
OUT = Path(__file__).parent.parent / "real3d" / "samples" / "speech.ogg"
_PAUSE_S = (0.15, 0.25)


def main() -> None:
    """Synthesise, add a little silence at both ends, write Opus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        voice = ["espeak-ng", "-v", "en-us+f3", "-s", "165", "-p", "45", "-w", str(spoken)]
        subprocess.run([*voice, arguments.text], check=True)
        samples = read_audio(spoken)
    before, after = (np.zeros(round(s * RATE_HZ), np.float32) for s in _PAUSE_S)
    samples = np.concatenate([before, 0.5 * samples / np.abs(samples).max(), after])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(arguments.out), "w") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 32_000
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = RATE_HZ
        for piece in av.AudioResampler(format="s16", layout="mono", rate=48_000).resample(frame):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    print(arguments.out)


if __name__ == "__main__":
    main()
