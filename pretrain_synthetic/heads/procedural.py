"""Heads from pip packages alone: real3d's template head, its variations computed, its skin painted.

Stands in for the asset folder (pretrain_synthetic.heads.assets) and offers the same arrays: good
for a trial run and for tests; skin and clothes are far plainer than photographed ones.
"""

import functools
from dataclasses import dataclass

import numpy as np

from pretrain_synthetic.heads import paint
from pretrain_synthetic.heads.assets import Proxy
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.template import (
    CAVITY,
    LEFT_EYE,
    LOWER_TEETH,
    NECK,
    RIGHT_EYE,
    SKIN,
    TEMPLATE_FILE,
    TONGUE,
    UPPER_TEETH,
)

HEAD_UNIT_DM = 1.6
_ORIGIN_DM = np.array([0, -0.15, -0.55])
_AXES = np.array([1, -1, -1])
_REGION = {SKIN: 2, NECK: 3, CAVITY: 6}
"""Part label of each layer of the body."""
_PROXIES = {
    "eyes": (LEFT_EYE, RIGHT_EYE),
    "teeth": (UPPER_TEETH, LOWER_TEETH),
    "tongue": (TONGUE,),
}
_EYES = {"left": LEFT_EYE, "right": RIGHT_EYE}
_AXIS_Z = -0.75
"""The skin's texture is wound about this vertical axis."""
_BOTTOM, _TOP = -2.3, 1.4
_CHIN = 152
_IDENTITIES, _MODIFIERS = 80, 24
_MOVE_DM = 0.0028
"""Of one coarse field; eighty of them add up to about half a centimetre."""
_TORSO = np.array(  # height, half width, half depth, middle's z
    [
        (-1.6, 0.60, 0.56, -1.0),
        (-1.85, 0.78, 0.64, -1.02),
        (-2.0, 1.10, 0.70, -1.05),
        (-2.15, 1.60, 0.76, -1.05),
        (-2.4, 2.00, 0.84, -1.02),
        (-2.8, 2.20, 0.92, -0.98),
        (-3.5, 2.25, 1.0, -0.9),
        (-5.2, 2.2, 1.0, -0.9),
    ]
)
_NECK_FOOT_DM, _NECK_HALF_DM = -1.72, 0.72
_RING = 48
_CLOTH = "clothes_male_plain"
_CLOTH_LIFT_DM = 0.04


@dataclass(frozen=True)
class TemplateAssets:
    """The arrays of the asset folder, computed. Decimetres, generator's head frame."""

    @property
    def body(self) -> dict[str, np.ndarray]:
        """As Assets.body."""
        return _body()

    @property
    def arkit_names(self) -> list[str]:
        """The 52 expression names."""
        return list(ARKIT_NAMES)

    @property
    def landmarks(self) -> tuple[np.ndarray, np.ndarray]:
        """Body vertices (478, 3) and weights (478, 3) of the landmarks."""
        z = _template()
        return z["landmark_vertices"].astype(int), z["landmark_weights"]

    def proxy(self, name: str) -> Proxy:
        """One of "eyes", "teeth", "tongue" and a shirt."""
        return _cloth() if name == _CLOTH else _proxy(name)

    def proxy_names(self, prefix: str) -> list[str]:
        """Names that start with prefix."""
        return [name for name in (*_PROXIES, _CLOTH) if name.startswith(prefix)]

    def texture(self, name: str) -> np.ndarray:
        """(h, w, 4) uint8 RGBA, painted."""
        return _texture(name)

    def texture_names(self, prefix: str) -> list[str]:
        """Names that start with prefix."""
        return [name for name in paint.NAMES if name.startswith(prefix)]

    def probe(self, name: str) -> np.ndarray:
        """(64, 128, 3) float32 radiance."""
        return paint.probe(name)

    def probe_names(self) -> list[str]:
        """Names of the painted surroundings."""
        return list(paint.PROBES)


@functools.cache
def _template() -> dict[str, np.ndarray]:
    with np.load(TEMPLATE_FILE) as z:
        return {name: z[name] for name in z.files}


@functools.cache
def _body() -> dict[str, np.ndarray]:
    z = _template()
    head = z["vertices"] * _AXES * HEAD_UNIT_DM + _ORIGIN_DM
    torso, torso_face = _torso()
    mean = np.concatenate([head, torso]).astype(np.float32)
    every, count = np.arange(len(mean)), len(head)
    shapes = np.zeros((len(ARKIT_NAMES), *mean.shape), np.float32)
    shapes[:, :count] = z["shapes"] * _AXES * HEAD_UNIT_DM
    eyes = {s: np.flatnonzero(z["vertex_layer"] == k) for s, k in _EYES.items()}
    shapes[:, np.concatenate(list(eyes.values()))] = 0  # eyeballs turn instead
    kept = np.isin(z["layer"], list(_REGION))
    middle = head[z["triangles"].astype(int)].mean(1)
    ragged = (middle[:, 1] < _NECK_FOOT_DM) | (np.abs(middle[:, 0]) > _NECK_HALF_DM)
    kept &= ~((z["layer"] == NECK) & ragged)  # the torso takes over
    triangle = np.concatenate([z["triangles"][kept].astype(int), torso_face + count])
    layer = np.concatenate([z["layer"][kept], np.full(len(torso_face), NECK)])
    region = np.array([_REGION[k] for k in layer], np.uint8)
    uv, corner = _wound(mean, triangle, layer)
    rng = np.random.default_rng(0)
    moves = _smooth_moves(rng, mean, _IDENTITIES)
    local = _smooth_moves(rng, mean, _MODIFIERS)
    for layer_moves in (moves, local):
        for k in (LEFT_EYE, RIGHT_EYE, UPPER_TEETH, LOWER_TEETH, TONGUE):  # they move as a whole
            inner = np.flatnonzero(z["vertex_layer"] == k)
            layer_moves[:, inner] = layer_moves[:, inner].mean(1, keepdims=True)
    zeros = np.zeros((1, *mean.shape), np.float32)
    chin = z["landmark_vertices"][_CHIN].astype(int)
    return {
        "mean": mean,
        "phenotype": np.repeat(zeros, 18, 0),
        "build": np.repeat(zeros, 4, 0),
        "local": np.stack([local, -local], 1).reshape(-1, *mean.shape),
        "local_vertex": every,
        "local_names": np.array([f"smooth{k}" for k in range(_MODIFIERS)]),
        "arkit": shapes,
        "arkit_vertex": every,
        "arkit_names": np.array(ARKIT_NAMES),
        "ict_vertex": every,
        "ict_mean": zeros[0],
        "ict_identity": moves,
        "ict_expression": shapes,
        "ict_names": np.array(ARKIT_NAMES),
        "face": np.concatenate([triangle, corner], 1),
        "uv": uv,
        "region": region,
        "eye_left": eyes["left"],
        "eye_right": eyes["right"],
        "chin_vertex": chin,
        "torso_vertex": every[count:],
    }


def _torso() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and triangles (f, 3) of neck foot, shoulders and chest."""
    angle = np.linspace(0, 2 * np.pi, _RING, endpoint=False)
    x, z = (np.sign(w) * np.abs(w) ** 0.85 for w in (np.sin(angle), np.cos(angle)))
    y, wide, deep, middle = (row[:, None] for row in _TORSO.T)
    lean = 0.18 * (z < 0) * np.clip((y + 3) / 1.2, 0, 1) * -z  # the nape is higher than the throat
    points = np.stack([wide * x, y + lean, middle + deep * z], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(len(_TORSO) - 1), np.arange(_RING), indexing="ij")
    a, b = i * _RING + j, i * _RING + (j + 1) % _RING
    faces = [np.stack(t, -1) for t in ((a, a + _RING, b), (b, a + _RING, b + _RING))]
    return points, np.concatenate([f.reshape(-1, 3) for f in faces])


def _wound(
    points: np.ndarray, triangle: np.ndarray, layer: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """uv (t, 2) about the vertical axis, and its indices (f, 3); the cavity has a dark corner."""
    x, y, z = points.T
    u = 0.5 + np.arctan2(x, z - _AXIS_Z) / (2 * np.pi)
    v = paint.CAVITY_V + (1 - paint.CAVITY_V) * np.clip((y - _BOTTOM) / (_TOP - _BOTTOM), 0, 1)
    uv = np.stack([u, v], 1)
    uv = np.concatenate([uv, uv + np.array([1, 0]), [[0.5, paint.CAVITY_V / 3]]]).astype(np.float32)
    corner = triangle.copy()
    across = np.ptp(u[triangle], 1) > 0.5
    corner[across] += len(points) * (u[triangle[across]] < 0.5)
    corner[layer == CAVITY] = len(uv) - 1
    return uv, corner


def _smooth_moves(rng: np.random.Generator, points: np.ndarray, count: int) -> np.ndarray:
    """(count, v, 3) offsets: symmetric smooth fields, coarse ones first and largest."""
    mirror = np.array([-1, 1, 1])
    out = np.empty((count, *points.shape), np.float32)
    inside = np.clip((points[:, 1:2] + 2.0) / 0.8, 0, 1)
    for k in range(count):
        fine = 0.6 + 2.6 * k / count
        wave, phase = rng.normal(0, fine, (6, 3)), rng.uniform(0, 2 * np.pi, 6)
        lift = rng.normal(0, 1, (6, 3))

        def field(p: np.ndarray, wave=wave, phase=phase, lift=lift) -> np.ndarray:
            return np.sin(p @ wave.T + phase) @ lift

        both = field(points) + field(points * mirror) * mirror
        out[k] = both * inside * _MOVE_DM / fine
    return out


@functools.cache
def _proxy(name: str) -> Proxy:
    """A part of the template as a proxy of itself."""
    z, mean = _template(), _body()["mean"]
    triangle = z["triangles"][np.isin(z["layer"], _PROXIES[name])].astype(int)
    index, face = np.unique(triangle, return_inverse=True)
    face = face.reshape(-1, 3)
    points = mean[index]
    if name == "eyes":
        centres = z["eye_centres"] * _AXES * HEAD_UNIT_DM + _ORIGIN_DM
        side = (points[:, 0] < 0).astype(int)
        uv = 0.5 + (points - centres[side])[:, :2] / (2 * paint.EYE_HALF_DM)
        uv[points[:, 2] < centres[side, 2]] = 0.02
    else:
        uv = (points[:, :2] - points[:, :2].min(0)) / np.ptp(points[:, :2], axis=0)
    return _bound(index, np.zeros_like(points), face, uv, np.array([], int))


@functools.cache
def _cloth() -> Proxy:
    """A shirt over the torso."""
    body = _body()
    index = body["torso_vertex"][_RING:]
    points = body["mean"][index]
    _, face = _torso()
    face = face[(face >= _RING).all(1)] - _RING
    middle = np.array([0, 0, -1.0])
    out = (points - middle) * (1, 0, 1)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    offset = (out * (1, 0, 1) + np.array([0, 0.6, 0])) * _CLOTH_LIFT_DM
    uv = np.stack([np.arctan2(out[:, 0], out[:, 2]) / np.pi * 2, points[:, 1] / 2], 1)
    return _bound(index, offset, face, uv, body["torso_vertex"][3 * _RING :])


def _bound(
    index: np.ndarray, offset: np.ndarray, face: np.ndarray, uv: np.ndarray, hidden: np.ndarray
) -> Proxy:
    """A proxy whose vertices follow one body vertex each."""
    mean = _body()["mean"]
    extremes = np.stack([mean.argmin(0), mean.argmax(0)], 1)
    length = np.array([abs(mean[a, k] - mean[b, k]) for k, (a, b) in enumerate(extremes)])
    return Proxy(
        np.repeat(index[:, None], 3, 1),
        np.tile(np.array([1, 0, 0], np.float32), (len(index), 1)),
        offset.astype(np.float32),
        extremes,
        length,
        np.concatenate([face, face], 1),
        uv.astype(np.float32),
        hidden,
    )


@functools.lru_cache(64)
def _texture(name: str) -> np.ndarray:
    if not name.startswith("skin_"):
        return paint.texture(name)
    z, body = _template(), _body()
    at = (body["uv"][z["landmark_vertices"].astype(int)] * z["landmark_weights"][..., None]).sum(1)
    return paint.skin(name, at)
