"""A posed person as triangles: body, worn proxies, loose hair, shells of beard and buzz cut."""

import functools

import cv2
import numpy as np

from pretrain_synthetic.heads.assets import Assets
from pretrain_synthetic.heads.look import Look
from pretrain_synthetic.heads.scene import Mesh
from pretrain_synthetic.heads.turn import cloth_follows, hair_follows, skin_follows

HAIR, FACE, BODY, CLOTHES, EYES, MOUTH = range(1, 7)
"""Part labels (pretrain_synthetic.heads.PARTS)."""
_SOFT = -1.0
_STYLE = {  # first word of a proxy's name: material, part label, alpha cut, bump
    "hair": ("hair", HAIR, _SOFT, 0.0),
    "brow": ("hair", FACE, _SOFT, 0.0),
    "lash": ("hair", FACE, _SOFT, 0.0),
    "eyes": ("eye", EYES, 0.3, 0.0),
    "teeth": ("mouth", MOUTH, 0.3, 0.0),
    "tongue": ("mouth", MOUTH, 0.0, 0.0),
    "clothes": ("cloth", CLOTHES, 0.5, 0.01),
}
TONGUE_BACK = np.array([0, 0.02, -0.06])
"""Decimetres: the mouth of the scans is shallower; keep the tip behind the teeth."""
_FOLLOWS = {"hair": hair_follows, "clothes": cloth_follows}
"""Who moves less than the head when it turns."""
_SKIN_BUMP = 0.035
_SHELLS = 8


def build_meshes(assets: Assets, look: Look, neutral: np.ndarray, posed: np.ndarray) -> list[Mesh]:
    """Meshes of a person with body vertices (v, 3) at rest and with an expression."""
    body = assets.body
    chin = neutral[body["chin_vertex"]].mean(0)
    face = body["face"].astype(int)
    hidden = np.zeros(len(posed), bool)
    meshes = []
    for name, texture in look.textures.items():
        meshes += _worn(assets, look, name, texture, posed, chin)
        if name.startswith("clothes"):
            hidden[assets.proxy(name).hidden] = True
    follows = skin_follows(neutral, chin)
    follows[face[body["region"] != BODY, :3]] = 1
    vertex = _vertices(assets, "body", posed, normals(posed, face[:, :3]), follows)
    triangle = _seams(assets, "body")[2]
    shown = ~hidden[face[:, :3]].all(1)
    region = body["region"]
    for label in (FACE, BODY, MOUTH):
        part = triangle[shown & (region == label)]
        skin = look.skin_texture
        meshes.append(Mesh(vertex, part, skin, "skin", label, cut=0.0, bump=_SKIN_BUMP))
    skin = (region == FACE) | ((region == BODY) & shown)
    red, green = _grown_over(assets)
    return meshes + _shells(look, vertex, (triangle[skin & red], triangle[skin & green]))


def _worn(
    assets: Assets,
    look: Look,
    name: str,
    texture: np.ndarray,
    posed: np.ndarray,
    chin: np.ndarray,
) -> list[Mesh]:
    """One proxy; hair with its loose layers."""
    proxy = assets.proxy(name)
    kind = name.split("_")[0]
    points = proxy.fit(posed)
    if kind == "hair":
        points = look.cut.shape(points)
    elif kind == "tongue":
        points = points + TONGUE_BACK
    follows = np.ones(len(points))
    if kind in _FOLLOWS:
        follows = _FOLLOWS[kind](points, chin)
    vertex = _vertices(assets, name, points, normals(points, proxy.face[:, :3]), follows)
    triangle = _seams(assets, name)[2]
    material, label, cut, bump = _STYLE[kind]
    tint = look.enamel if kind == "teeth" else (1.0, 1.0, 1.0)
    solid = Mesh(vertex, triangle, texture, material, label, cut, bump, tint, shadow=kind != "lash")
    if kind != "hair":
        return [solid]
    return [solid] + [
        Mesh(
            vertex,
            triangle,
            texture,
            material,
            label,
            cut,
            lift=lift,
            strands=strands,
            shadow=False,
        )
        for lift, strands in look.cut.layers()
    ]


def _shells(look: Look, vertex: np.ndarray, triangles: tuple[np.ndarray, np.ndarray]) -> list[Mesh]:
    """Stacked layers of short hair over the skin: buzz cut and beard, on triangles of their own."""
    kinds = []
    if look.cut.kind == "buzz":
        kinds.append((0.05, 900.0, 0.0, HAIR))
    if look.beard > 0.1:
        kinds.append((0.03 + 0.09 * look.beard, 620.0, 1.0, FACE))
    return [
        Mesh(
            vertex,
            triangles[int(is_beard)],
            look.skin_texture,
            "hair",
            label,
            cut=0.0,
            tint=tuple(look.cut.rgb),
            shell=(k / _SHELLS, cells, is_beard, 0.85),
            lift=length * k / _SHELLS,
            shadow=False,
        )
        for length, cells, is_beard, label in kinds
        for k in range(1, _SHELLS + 1)
    ]


def normals(vertex: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Area-weighted vertex normals (v, 3) of triangles face (f, 3)."""
    a, b, c = (vertex[face[:, k]] for k in range(3))
    side = np.cross(b - a, c - a)
    out = np.zeros(vertex.shape)
    for axis in range(3):
        for k in range(3):
            out[:, axis] += np.bincount(face[:, k], side[:, axis], len(vertex))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


def _vertices(
    assets: Assets, name: str, point: np.ndarray, normal: np.ndarray, follows: np.ndarray
) -> np.ndarray:
    """(n, 9) float32 position, normal, uv, share of the head's turn; split at the uv seams."""
    v, t, _ = _seams(assets, name)
    uv = assets.body["uv"] if name == "body" else assets.proxy(name).uv
    return np.concatenate([point[v], normal[v], uv[t], follows[v, None]], 1).astype("f4")


@functools.cache
def _grown_over(assets: Assets) -> tuple[np.ndarray, np.ndarray]:
    """(f,) bool of the body's triangles: the scalp's, and the beard's."""
    masks = cv2.dilate(assets.texture("body_masks"), np.ones((9, 9), np.uint8))
    h, w = masks.shape[:2]
    uv = assets.body["uv"]
    row = np.clip((1 - uv[:, 1]) * h, 0, h - 1).astype(int)
    grows = masks[row, (np.clip(uv[:, 0] * w, 0, w - 1)).astype(int), :2] > 0
    scalp, beard = grows[assets.body["face"][:, 3:].astype(int)].any(1).T
    return scalp, beard


@functools.cache
def _seams(assets: Assets, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertex (n,) and uv (n,) of each split vertex of a mesh, and its triangles (f, 3)."""
    face = assets.body["face"].astype(int) if name == "body" else assets.proxy(name).face
    code = face[:, :3].ravel() * 65536 + face[:, 3:].ravel()
    unique, inverse = np.unique(code, return_inverse=True)
    return unique // 65536, unique % 65536, inverse.reshape(-1, 3).astype("i4")
