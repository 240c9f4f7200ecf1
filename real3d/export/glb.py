"""Binary glTF 2.0: what Blender, three.js and game engines open.

One node "head" with the 52 shapes as morph targets (Apple's names in `mesh.extras.targetNames`, the
photo's expression as default weights) and one node "hair". Metres, y up, the face towards +z;
colours as in the photo, unlit where a program knows KHR_materials_unlit.
"""

import io
import json
import struct
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from real3d.export.mesh import METRES, BakedHead, TexturedMesh, to_gltf_axes
from real3d.face.blendshapes import ARKIT_NAMES

_FLOAT, _UINT = 5126, 5125
_VERTICES, _INDICES = 34962, 34963
_JPEG_QUALITY = 92
SYNTHETIC = "A synthetic likeness, made by Real3D from a photo"


def write_glb(baked: BakedHead, path: Path) -> None:
    """Write the file; callers write beside and rename."""
    Path(path).write_bytes(glb_bytes(baked))


def glb_bytes(baked: BakedHead) -> bytes:
    """The file's content."""
    builder = _Builder()
    for name, mesh in baked.parts.items():
        builder.add(name, mesh, baked.coefficients)
    return builder.packed()


class _Builder:
    """Collects accessors and their bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._json: dict[str, list] = {
            key: []
            for key in "nodes meshes materials textures images accessors bufferViews".split()
        }

    def add(self, name: str, mesh: TexturedMesh, coefficients: Tensor) -> None:
        """A node with one primitive and its material."""
        attributes = {
            "POSITION": self._accessor(to_gltf_axes(mesh.positions) * METRES, bounds=True),
            "NORMAL": self._accessor(_unit(to_gltf_axes(mesh.normals))),
            "TEXCOORD_0": self._accessor(mesh.uv),
        }
        primitive = {
            "attributes": attributes,
            "indices": self._accessor(mesh.triangles.reshape(-1)),
            "material": self._material(name, mesh.texture),
        }
        entry: dict[str, object] = {"name": name, "primitives": [primitive]}
        if mesh.moves is not None:
            moved = to_gltf_axes(mesh.moves) * METRES
            primitive["targets"] = [
                {"POSITION": self._accessor(move, bounds=True)} for move in moved
            ]
            entry["weights"] = [round(float(c), 4) for c in coefficients]
            entry["extras"] = {"targetNames": list(ARKIT_NAMES)}
        self._json["meshes"].append(entry)
        self._json["nodes"].append({"name": name, "mesh": len(self._json["meshes"]) - 1})

    def _material(self, name: str, texture: Tensor) -> int:
        clear = texture.shape[-1] == 4
        image = io.BytesIO()
        kind, options = ("PNG", {}) if clear else ("JPEG", {"quality": _JPEG_QUALITY})
        Image.fromarray(texture.numpy()).save(image, kind, **options)
        view = self._view(image.getvalue())
        json_ = self._json
        json_["images"].append(
            {"name": name, "bufferView": view, "mimeType": f"image/{kind.lower()}"}
        )
        json_["textures"].append({"source": len(json_["images"]) - 1, "sampler": 0})
        material = {
            "name": name,
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": len(json_["textures"]) - 1},
                "metallicFactor": 0.0,
                "roughnessFactor": 0.8,
            },
            "doubleSided": True,
            "extensions": {"KHR_materials_unlit": {}},
        }
        if clear:
            material |= {"alphaMode": "MASK", "alphaCutoff": 0.5}
        json_["materials"].append(material)
        return len(json_["materials"]) - 1

    def _accessor(self, values: Tensor, bounds: bool = False) -> int:
        index = not values.is_floating_point()
        array = values.numpy().astype("<u4" if index else "<f4")
        accessor = {
            "bufferView": self._view(array.tobytes(), _INDICES if index else _VERTICES),
            "componentType": _UINT if index else _FLOAT,
            "count": len(array),
            "type": "SCALAR" if array.ndim == 1 else f"VEC{array.shape[1]}",
        }
        if bounds:
            accessor |= {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
        self._json["accessors"].append(accessor)
        return len(self._json["accessors"]) - 1

    def _view(self, content: bytes, target: int | None = None) -> int:
        view = {"buffer": 0, "byteOffset": len(self._bytes), "byteLength": len(content)}
        if target:
            view["target"] = target
        self._bytes += content + bytes(-len(content) % 4)
        self._json["bufferViews"].append(view)
        return len(self._json["bufferViews"]) - 1

    def packed(self) -> bytes:
        """Header, JSON chunk, binary chunk."""
        content = {
            "asset": {"version": "2.0", "generator": "Real3D", "copyright": SYNTHETIC},
            "scene": 0,
            "scenes": [{"nodes": list(range(len(self._json["nodes"])))}],
            "extensionsUsed": ["KHR_materials_unlit"],
            "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
            **self._json,
            "buffers": [{"byteLength": len(self._bytes)}],
        }
        text = json.dumps(content, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self._bytes)
        return b"".join(
            [
                struct.pack("<4sII", b"glTF", 2, length),
                struct.pack("<I4s", len(text), b"JSON"),
                text,
                struct.pack("<I4s", len(self._bytes), b"BIN\0"),
                bytes(self._bytes),
            ]
        )


def _unit(vectors: Tensor) -> Tensor:
    """Normals of length 1; vertices without triangles get one as well."""
    length = vectors.norm(dim=-1, keepdim=True)
    up = vectors.new_tensor([0.0, 1.0, 0.0])
    return torch.where(length > 1e-6, vectors / length.clamp_min(1e-6), up)


def glb_parts(content: bytes) -> tuple[dict, np.ndarray]:
    """The JSON and the binary chunk (n,) uint8 of a file of ours."""
    length = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + length]), np.frombuffer(
        content, np.uint8, offset=28 + length
    )
