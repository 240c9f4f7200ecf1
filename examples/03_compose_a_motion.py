"""A motion made of numbers: a nod and a blink, written as Live Link Face CSV and rendered.

python examples/03_compose_a_motion.py out/me.avatar
"""

import sys
from pathlib import Path

import numpy as np

import real3d
from real3d.face.blendshapes import ARKIT_NAMES, arkit_indices

FPS = 25


def main(out: Path, avatar_file: Path, seconds: float = 2.0) -> Path:
    """Write out/nod.csv and out/nod.mp4."""
    times_s = np.arange(round(seconds * FPS)) / FPS
    coefficients = np.zeros((len(times_s), len(ARKIT_NAMES)), np.float32)
    blink = np.exp(-(((times_s - 0.6) / 0.07) ** 2))
    coefficients[:, arkit_indices("eyeBlink")] = blink[:, None]
    rotation = np.zeros((len(times_s), 3), np.float32)
    rotation[:, 1] = -0.15 * np.sin(2 * np.pi * times_s) ** 2  # pitch, radians
    motion = real3d.Motion(coefficients, rotation, np.zeros_like(rotation), FPS)
    motion.write(out / "nod.csv")

    model, avatar = real3d.load(), real3d.Avatar.load(avatar_file)
    with real3d.VideoWriter(out / "nod.mp4", FPS, (512, 512)) as video:
        for frame in real3d.render(avatar, motion, model=model, size=512):
            video.write(frame)
    return out / "nod.mp4"


if __name__ == "__main__":
    print(main(Path("out"), Path(sys.argv[1])))
