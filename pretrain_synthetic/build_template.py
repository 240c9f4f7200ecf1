"""Build the template head of `real3d.face.template` from the asset folder.

One mesh in layers: the body's face, neck and mouth cavity as they are; eyeballs and tongue from
their proxies, thinned; teeth on arches of our own. Its 52 shapes are MakeHuman's, outside the lids
mixed with the mean of the scans'; `python -m pretrain_synthetic calibrate` then corrects them on
tracked frames.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

from pretrain_synthetic.dental_arches import Row, dental_rows, lower_teeth_moves
from pretrain_synthetic.heads.assets import Assets, Proxy
from pretrain_synthetic.heads.meshes import BODY, FACE, MOUTH, TONGUE_BACK
from pretrain_synthetic.heads.shape import ict_names_of
from pretrain_synthetic.landmarks import COUNT, HEAD_UNIT_DM, MESH_COUNT, SKIN_FILE
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.template import (
    CAVITY,
    IRISES,
    LEFT_EYE,
    LOWER_TEETH,
    NECK,
    RIGHT_EYE,
    SKIN,
    SKIN_LANDMARKS,
    TONGUE,
    UPPER_TEETH,
)
from real3d.files import written_beside

ORIGIN_DM = np.array([0, -0.15, -0.55])
"""real3d's head frame begins here in the generator's."""
_TO_OPENCV = np.array([1, -1, -1])
"""The generator's y points up and its z out of the face."""
_SCAN_MEAN, _SCAN_SHAPES = 0.75, 0.6
"""Share of the scans in the mean head, and in the shapes outside the lids."""
_KNOWN_PAIRS = np.array([(10, 10), (1, 1), (152, 152), (33, 263), (61, 291), (234, 454)])
"""Landmarks of forehead, nose, chin, eyes, mouth and ears, and their partners."""
_NECK_BELOW_DM, _NECK_WIDTH_DM = -2.05, 1.15
"""The body ends here: shoulders are no part of the head."""
_CELL_DM = {"eyes": 0.03, "tongue": 0.06}
"""Side of the cubes whose vertices become one."""
_IRIS_DM = 0.118
_IRIS_PLACES = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1))
"""Centre, right, top, left, bottom of an iris, in the picture of the generator's axes."""
_IRISES = ((MESH_COUNT, RIGHT_EYE), (MESH_COUNT + 5, LEFT_EYE))
_FOREHEAD = 10
_BEHIND, _ABOVE = (0.02, 0.2), (-0.02, 0.12)
"""Where firmness fades: behind the plane of the ears, above the forehead; head units."""
_NECK_FIRMNESS, _COLLAR = 0.4, (0.75, 0.95)
"""The neck's, and between which heights it fades: there may be clothes."""
_PAINTED = (CAVITY, NECK, SKIN, UPPER_TEETH, LOWER_TEETH, TONGUE, LEFT_EYE, RIGHT_EYE)
"""Layers by rising right to a vertex that several share."""


@dataclass(frozen=True)
class Layers:
    """A mesh whose triangles know their layer; decimetres in the generator's head frame."""

    vertices: np.ndarray
    """(N, 3)."""
    shapes: np.ndarray
    """(52, N, 3), in the order of ARKIT_NAMES."""
    triangles: np.ndarray
    """(M, 3)."""
    layer: np.ndarray
    """(M,)."""


@dataclass(frozen=True)
class TemplateConfig:
    """Build the template head from the asset folder; its shapes still want `calibrate`."""

    assets: Path
    """The folder of the head assets."""
    out: Path = Path("template.npz")

    def run(self) -> Path:
        """Build and write; returns the file's path."""
        arrays = build_template(Assets(self.assets))
        with written_beside(self.out) as partial:
            np.savez_compressed(partial, **arrays)
        return self.out


def build_template(assets: Assets) -> dict[str, np.ndarray]:
    """The arrays of real3d/face/template.npz, shapes uncalibrated."""
    mean, shapes = _body(assets)
    parts = [_body_layers(assets, mean, shapes)]
    for name in _CELL_DM:
        parts.append(_proxy_layers(assets.proxy(name), name, mean, shapes))
    toothless = _joined(parts)
    vertex, weight = _landmarks(toothless)
    jaw = lower_teeth_moves((toothless.shapes[:, vertex] * weight[..., None]).sum(2))
    upper, lower = dental_rows()
    teeth = [_teeth_layer(upper, UPPER_TEETH, 0 * jaw), _teeth_layer(lower, LOWER_TEETH, jaw)]
    mesh = _joined([toothless, *teeth])
    kept = np.zeros(len(mesh.vertices), bool)
    kept[mesh.triangles] = kept[vertex] = True
    number = np.cumsum(kept) - 1
    vertex_layer = np.zeros(len(kept), np.uint8)
    for layer in _PAINTED:
        vertex_layer[mesh.triangles[mesh.layer == layer]] = layer
    vertices = (mesh.vertices - ORIGIN_DM) / HEAD_UNIT_DM * _TO_OPENCV
    landmarks = (vertices[vertex] * weight[..., None]).sum(1)
    eyes = [vertices[mesh.triangles[mesh.layer == eye]] for eye in (LEFT_EYE, RIGHT_EYE)]
    firmness = _firmness(vertices[kept], vertex_layer[kept], landmarks[_FOREHEAD, 1])
    moves = mesh.shapes[:, kept] / HEAD_UNIT_DM * _TO_OPENCV
    return {
        "vertices": vertices[kept].astype(np.float32),
        "shapes": moves.astype(np.float16),
        "triangles": number[mesh.triangles].astype(np.int16),
        "layer": mesh.layer.astype(np.uint8),
        "vertex_layer": vertex_layer[kept],
        "landmark_vertices": number[vertex].astype(np.int16),
        "landmark_weights": weight.astype(np.float32),
        "landmark_twins": _landmark_twins(landmarks).astype(np.int16),
        "eye_centres": np.stack([_middle(eye.reshape(-1, 3)) for eye in eyes]).astype(np.float32),
        "firmness": firmness.astype(np.float32),
    }


def _body(assets: Assets) -> tuple[np.ndarray, np.ndarray]:
    """The mean body (v, 3), origin between the eyes, and its shapes (52, v, 3)."""
    z = assets.body
    eyes = np.concatenate([z["eye_left"], z["eye_right"]])
    mean = z["mean"].astype(float)
    mean[z["ict_vertex"]] += _SCAN_MEAN * z["ict_mean"].astype(float)
    shapes = np.zeros((len(ARKIT_NAMES), *mean.shape))
    scan_names = z["ict_names"].tolist()
    for shape, name in zip(shapes, ARKIT_NAMES, strict=True):
        own = name.startswith("eye") or name == "tongueOut"  # the scans close no eye
        share = 0 if own else _SCAN_SHAPES
        moved = z["arkit"][assets.arkit_names.index(name)]
        shape[z["arkit_vertex"]] = (1 - share) * moved.astype(float)
        if not own:
            for scan in ict_names_of(name, scan_names):
                moved = z["ict_expression"][scan_names.index(scan)]
                shape[z["ict_vertex"]] += share * moved.astype(float)
    shapes[:, eyes] = 0  # eyeballs turn instead
    return mean - mean[eyes].mean(0), shapes


def _body_layers(assets: Assets, mean: np.ndarray, shapes: np.ndarray) -> Layers:
    """Skin, mouth cavity and neck."""
    triangles, region = assets.body["face"][:, :3].astype(int), assets.body["region"]
    centre = mean[triangles].mean(1)
    neck = region == BODY
    neck &= (centre[:, 1] > _NECK_BELOW_DM) & (np.abs(centre[:, 0]) < _NECK_WIDTH_DM)
    kept = (region == FACE) | (region == MOUTH) | neck
    layer = np.where(region == MOUTH, CAVITY, np.where(neck, NECK, SKIN))
    return Layers(mean, shapes, triangles[kept], layer[kept])


def _proxy_layers(proxy: Proxy, name: str, mean: np.ndarray, shapes: np.ndarray) -> Layers:
    """Eyeballs or tongue, thinned."""
    points = proxy.fit(mean) + (TONGUE_BACK if name == "tongue" else 0)
    moves = (shapes[:, proxy.index] * proxy.weight[:, :, None]).sum(2)
    average, triangles = _thinned(points, proxy.face[:, :3], _CELL_DM[name])
    points, moves = average @ points, np.einsum("nm,emc->enc", average, moves)
    if name == "eyes":
        layer = np.where(points[triangles[:, 0], 0] > 0, LEFT_EYE, RIGHT_EYE)
    else:
        layer = np.full(len(triangles), TONGUE)
    return Layers(points, moves, triangles, layer)


def _teeth_layer(row: Row, layer: int, moves: np.ndarray) -> Layers:
    """An arch whose vertices all make the same moves (52, 3)."""
    points = row.vertices * _TO_OPENCV * HEAD_UNIT_DM + ORIGIN_DM
    shapes = np.repeat(moves[:, None], len(points), 1)
    return Layers(points, shapes, row.triangles, np.full(len(row.triangles), layer))


def _thinned(
    points: np.ndarray, triangles: np.ndarray, cell: float
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in one cube of side cell become their mean.

    Returns the averages (n, len(points)) that make the new vertices, and the triangles that are
    left.
    """
    key = np.floor(points / cell).astype(int)
    _, new = np.unique(key, axis=0, return_inverse=True)
    new = new.ravel()
    triangles = new[triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (a != c)]
    _, first = np.unique(np.sort(triangles, 1), axis=0, return_index=True)
    average = np.zeros((new.max() + 1, len(points)), np.float32)
    average[new, np.arange(len(points))] = 1
    return average / average.sum(1, keepdims=True), triangles[first]


def _joined(parts: list[Layers]) -> Layers:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Layers(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.shapes for part in parts], 1),
        np.concatenate([part.triangles + k for part, k in zip(parts, starts, strict=True)]),
        np.concatenate([part.layer for part in parts]),
    )


def _landmarks(mesh: Layers) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (478, 3) and weights (478, 3): the skin's are given, the irises' searched."""
    vertex, weight = np.zeros((COUNT, 3), int), np.full((COUNT, 3), 1 / 3)
    with np.load(SKIN_FILE) as file:
        vertex[:MESH_COUNT], weight[:MESH_COUNT] = file["vertex"], file["weight"]
    for first, eye in _IRISES:
        index = np.unique(mesh.triangles[mesh.layer == eye])
        arms = mesh.vertices[index] - _middle(mesh.vertices[index])
        behind = 10 * (arms[:, 2] < 0)
        for k, place in enumerate(_IRIS_PLACES):
            away = np.linalg.norm(arms[:, :2] - np.array(place) * _IRIS_DM, axis=1) + behind
            vertex[first + k] = index[np.argsort(away)[:3]]
    return vertex, weight


def _landmark_twins(points: np.ndarray) -> np.ndarray:
    """(478,) each landmark's partner on the other side, from landmarks (478, 3).

    No mean face is symmetric enough for places alone to tell: a landmark's partner is also as many
    edges of MediaPipe's mesh away from what is known on both sides.
    """
    from mediapipe.tasks.python.vision import FaceLandmarksConnections

    edges = np.array(
        [(e.start, e.end) for e in FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION]
    )
    graph = coo_array((np.ones(len(edges)), edges.T), shape=(SKIN_LANDMARKS, SKIN_LANDMARKS))
    steps = shortest_path(graph, directed=False, unweighted=True)
    left, right = _KNOWN_PAIRS.T
    one, other = steps[np.concatenate([left, right])], steps[np.concatenate([right, left])]
    away = cdist(points * [-1, 1, 1], points)
    twins = np.empty(len(points), int)
    skin = slice(SKIN_LANDMARKS)
    twins[skin] = linear_sum_assignment(away[skin, skin] + cdist(one.T, other.T, "cityblock"))[1]
    for iris, partner in (IRISES, IRISES[::-1]):
        twins[iris] = partner.start + linear_sum_assignment(away[iris, partner])[1]
    return twins


def _middle(points: np.ndarray) -> np.ndarray:
    return (points.min(0) + points.max(0)) / 2


def _firmness(vertices: np.ndarray, vertex_layer: np.ndarray, brow: float) -> np.ndarray:
    """(N,) how far the mesh alone decides where a pixel comes from: scalp, ears, neck less."""
    _, y, z = vertices.T
    front = np.clip((-z - _BEHIND[0]) / _BEHIND[1], 0, 1)
    low = np.clip(1 - (brow - y - _ABOVE[0]) / _ABOVE[1], 0, 1)
    collar = np.clip((_COLLAR[1] - y) / (_COLLAR[1] - _COLLAR[0]), 0, 1)
    return np.where(vertex_layer == NECK, _NECK_FIRMNESS * collar, front * low)
