"""Somebody else's recording drives the avatar, with its sound.

python examples/04_drive_by_video.py out/me.avatar drive.mp4
"""

import sys
from pathlib import Path

import real3d


def main(out: Path, avatar_file: Path, recording: Path) -> Path:
    """Write out/drive.csv and out/driven.mp4."""
    model, avatar = real3d.load(), real3d.Avatar.load(avatar_file)
    motion = real3d.track_video(recording)
    motion.write(out / "drive.csv")
    with real3d.VideoWriter(
        out / "driven.mp4", motion.fps, (512, 512), audio_from=recording
    ) as video:
        for frame in real3d.render(avatar, motion, model=model, relative=True):
            video.write(frame)
    return out / "driven.mp4"


if __name__ == "__main__":
    print(main(Path("out"), Path(sys.argv[1]), Path(sys.argv[2])))
