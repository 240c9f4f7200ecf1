"""MediaPipe's 478 landmarks on the generator's meshes: exact, where a tracker would guess."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pretrain_synthetic.heads.assets import Assets, Proxy
from pretrain_synthetic.heads.procedural import TemplateAssets

MESH_COUNT, COUNT = 468, 478
"""The first 468 landmarks lie on the skin; five for each iris follow, the right eye's first."""
NOSE_TIP = 4
HEAD_UNIT_DM = 1.6
"""Decimetres in a unit of real3d's head frame."""
SKIN_FILE = Path(__file__).parent / "landmarks.npz"
"""vertex, weight (468, 3): body vertices of each landmark, found by voting over rendered heads."""
_IRIS_UV = {"left": (0.290, 0.291), "right": (0.706, 0.703)}
"""Centres of the irises in the eye textures."""
_IRIS_RADIUS_UV = 0.114
_IRIS_AROUND = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""Order of the rim in the picture: right, top, left, bottom."""


@dataclass(frozen=True)
class LandmarkPlaces:
    """Where the landmarks sit: three weighted vertices each, of the body or of the eyes."""

    vertex: np.ndarray
    """(468, 3) int body vertices."""
    weight: np.ndarray
    """(468, 3)."""
    eye_vertex: np.ndarray
    """(10, 3) int vertices of the eyes' proxy."""
    eye_weight: np.ndarray
    """(10, 3)."""

    @classmethod
    def on(cls, assets: Assets) -> "LandmarkPlaces":
        """Places on the meshes of assets."""
        if isinstance(assets, TemplateAssets):
            vertex, weight = assets.landmarks
            eyes = assets.proxy("eyes").index[:, 0]
            iris = np.searchsorted(eyes, vertex[MESH_COUNT:])
            return cls(vertex[:MESH_COUNT], weight[:MESH_COUNT], iris, weight[MESH_COUNT:])
        with np.load(SKIN_FILE) as z:
            vertex, weight = z["vertex"].astype(int), z["weight"]
        eyes = assets.proxy("eyes")
        rest = eyes.fit(assets.body["mean"])
        places = [_iris_places(eyes, rest, side) for side in ("right", "left")]
        eye_vertex, eye_weight = (np.concatenate(x) for x in zip(*places, strict=True))
        return cls(vertex, weight, eye_vertex, eye_weight)

    def uv(self, assets: Assets) -> np.ndarray:
        """(478, 2) of the landmarks in the skin's texture.

        Zero for the irises, which are not in it; 66 and 296 sit on a seam.
        """
        body = assets.body
        of_vertex = np.zeros(len(body["mean"]), int)
        of_vertex[body["face"][:, :3].ravel()] = body["face"][:, 3:].ravel()
        out = np.zeros((COUNT, 2))
        corners = body["uv"][of_vertex[self.vertex]]
        out[:MESH_COUNT] = (corners * self.weight[..., None]).sum(1)
        return out

    def points(self, assets: Assets, posed: np.ndarray) -> np.ndarray:
        """(478, 3) landmarks in the head frame, decimetres, of body vertices (v, 3)."""
        eyes = assets.proxy("eyes").fit(posed)
        skin = (posed[self.vertex] * self.weight[..., None]).sum(1)
        return np.concatenate([skin, (eyes[self.eye_vertex] * self.eye_weight[..., None]).sum(1)])


def project(points: np.ndarray, view: np.ndarray, fov: float) -> np.ndarray:
    """(n, 3) normalised crop coordinates of points (n, 3) in the head frame.

    x right and y down in [-1, 1] over the picture; z away from the camera at the same scale, its
    mean over the first 468 zero, as the tracker has it.
    """
    camera = points @ view[:3, :3].T + view[:3, 3]
    depth, focal = -camera[:, 2], 1 / np.tan(fov / 2)
    middle = depth[:MESH_COUNT].mean()
    z = (depth - middle) * focal / middle
    return np.stack([focal * camera[:, 0] / depth, -focal * camera[:, 1] / depth, z], 1)


def _iris_places(eyes: Proxy, rest: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (5, 3) and weights (5, 3) of an iris: centre, then the rim."""
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], 1) * _IRIS_RADIUS_UV
    centre = locate_uv(eyes, np.array(_IRIS_UV[side]))
    rim = [locate_uv(eyes, _IRIS_UV[side] + step) for step in circle]
    points = np.array([weight @ rest[vertex] for vertex, weight in rim])
    extremes = [rim[(points[:, :2] @ towards).argmax()] for towards in _IRIS_AROUND]
    vertex, weight = zip(centre, *extremes, strict=True)
    return np.array(vertex), np.array(weight)


def locate_uv(proxy: Proxy, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (3,) and barycentric weights (3,) of the triangle of proxy that holds uv (2,)."""
    a, b, c = proxy.uv[proxy.face[:, 3:]].transpose(1, 0, 2)
    e, f, q = b - a, c - a, uv - a
    area = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    s = (q[:, 0] * f[:, 1] - q[:, 1] * f[:, 0]) / area
    t = (e[:, 0] * q[:, 1] - e[:, 1] * q[:, 0]) / area
    weight = np.stack([1 - s - t, s, t], 1)
    best = weight.min(1).argmax()
    return proxy.face[best, :3], weight[best]
