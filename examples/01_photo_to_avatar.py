"""A photo becomes an avatar: slow once, saved in one file.

python examples/01_photo_to_avatar.py [me.jpg] — without a photo the astronaut of scikit-image.
"""

import sys
from pathlib import Path

from skimage import data

import real3d
from real3d.files import written_beside


def main(out: Path, photo: Path | None = None) -> Path:
    """Write out/me.avatar."""
    model = real3d.load()
    if photo is None:
        portrait = real3d.Portrait.from_image(data.astronaut())
    else:
        portrait = real3d.Portrait.read(photo)
    avatar = real3d.reconstruct(portrait, model)
    with written_beside(out / "me.avatar") as partial:
        avatar.save(partial)
    return out / "me.avatar"


if __name__ == "__main__":
    print(main(Path("out"), Path(sys.argv[1]) if len(sys.argv) > 1 else None))
