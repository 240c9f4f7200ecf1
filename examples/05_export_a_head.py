"""A head for other programs: baked once, written as mesh, page and splats.

python examples/05_export_a_head.py out/me.avatar
"""

import sys
from pathlib import Path

import real3d
from real3d.export.bake import bake
from real3d.export.draw import draw
from real3d.export.formats import write_head
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.image import write_image


def main(out: Path, avatar_file: Path) -> Path:
    """Write out/head.glb, .html, .ply and a picture of the mesh with its mouth open."""
    baked = bake(real3d.Avatar.load(avatar_file), real3d.load())
    for suffix in (".glb", ".html", ".ply"):
        write_head(baked, out / f"head{suffix}")
    opened = baked.coefficients.clone()
    opened[ARKIT_INDEX["jawOpen"]] = 0.8
    return write_image(out / "head.png", draw(baked, baked.camera, opened, 512))


if __name__ == "__main__":
    print(main(Path("out"), Path(sys.argv[1])))
