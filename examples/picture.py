"""Draw the picture of the README: the astronaut's photo and what both sets of weights make of it.

python examples/picture.py [docs/astronaut.jpg]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import real3d
from real3d.image import write_image
from real3d.motion import Motion
from real3d.photo import Portrait

SIDE_PX = 320


def strip(portrait: Portrait, weights: str) -> np.ndarray:
    """Photo, two expressions, four views."""
    model = real3d.load(weights)
    avatar = real3d.reconstruct(portrait, model)
    pictures = [portrait.image]
    for changes, yaw in (
        ({"jawOpen": 0.6}, 0.2),
        ({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, -0.2),
    ):
        still, moved = Motion.still(), Motion.still(changes, rotation=(yaw, 0.0, 0.0))
        both = Motion(
            np.concatenate([still.coefficients, moved.coefficients]),
            np.concatenate([still.rotation, moved.rotation]),
            np.concatenate([still.translation, moved.translation]),
            25.0,
        )
        *_, last = real3d.render(avatar, both, model=model, relative=True)
        pictures.append(last)
    pictures += [real3d.redirect(avatar, model, yaw, 0, 0) for yaw in (-40, -20, 20, 40)]
    small = [Image.fromarray(p).resize((SIDE_PX, SIDE_PX), Image.LANCZOS) for p in pictures]
    return np.concatenate([np.array(p) for p in small], 1)


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/astronaut.jpg")
    astronaut = Portrait.from_image(data.astronaut())
    strips = [strip(astronaut, weights) for weights in ("real3d-512", "real3d-512-open")]
    print(write_image(out, np.concatenate(strips)))
