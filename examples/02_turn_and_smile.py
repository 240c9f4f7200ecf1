"""One picture of an avatar: another view, another expression, another background.

python examples/02_turn_and_smile.py out/me.avatar
"""

import sys
from pathlib import Path

import real3d
from real3d.backdrop import TRANSPARENT, Backdrop
from real3d.face.blendshapes import arkit_indices
from real3d.image import write_image


def main(out: Path, avatar_file: Path) -> Path:
    """Write out/turned.png."""
    model = real3d.load()
    avatar = real3d.Avatar.load(avatar_file)
    expression = avatar.coefficients[0].clone()
    for name, value in {"mouthSmile": 0.7, "jawOpen": 0.2}.items():
        expression[arkit_indices(name)] = value  # both sides
    frame = real3d.redirect(
        avatar, model, yaw=25, pitch=-5, coefficients=expression, background=TRANSPARENT
    )
    behind = Backdrop.parse("#3b6e57", len(frame))
    return write_image(out / "turned.png", behind.behind(frame))


if __name__ == "__main__":
    print(main(Path("out"), Path(sys.argv[1])))
