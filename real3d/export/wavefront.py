"""Wavefront OBJ with its material and pictures: the still head, for everything that reads meshes.

Three kinds of file: NAME.obj, NAME.mtl and NAME_head.png, NAME_hair.png beside it.
"""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from real3d.export.glb import SYNTHETIC
from real3d.export.mesh import METRES, BakedHead, to_gltf_axes
from real3d.files import written_beside


def write_obj(baked: BakedHead, path: Path) -> None:
    """Write the files; either all of them or none. The face has the photo's expression."""
    path = Path(path)
    names = {name: f"{path.stem}_{name}.png" for name in baked.parts}
    material = [f"# {SYNTHETIC}"]
    for name, picture in names.items():
        material += [f"newmtl {name}", "Kd 1 1 1", "illum 0", f"map_Kd {picture}"]
        if baked.parts[name].texture.shape[-1] == 4:
            material += [f"map_d -imfchan m {picture}"]
    with ExitStack() as stack:
        to = {
            file: stack.enter_context(written_beside(path.with_name(file)))
            for file in (*names.values(), f"{path.stem}.mtl", path.name)
        }
        for name, picture in names.items():
            Image.fromarray(baked.parts[name].texture.numpy()).save(to[picture], "PNG")
        to[f"{path.stem}.mtl"].write_text("\n".join(material) + "\n")
        to[path.name].write_text("\n".join(_lines(baked, path.stem)) + "\n")


def _lines(baked: BakedHead, stem: str) -> list[str]:
    lines, start = [f"# {SYNTHETIC}", f"mtllib {stem}.mtl"], 1
    for name, mesh in baked.parts.items():
        places = (to_gltf_axes(mesh.posed(baked.coefficients)) * METRES).numpy()
        uv = mesh.uv.numpy() * np.float32([1, -1]) + np.float32([0, 1])
        lines += [f"o {name}", f"usemtl {name}"]
        lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in places]
        lines += [f"vt {u:.6f} {v:.6f}" for u, v in uv]
        lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in to_gltf_axes(mesh.normals).numpy()]
        lines += [
            "f " + " ".join(f"{k}/{k}/{k}" for k in corners)
            for corners in (mesh.triangles.numpy() + start)
        ]
        start += len(places)
    return lines
