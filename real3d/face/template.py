"""The template head: one mesh in layers with Apple's 52 shapes, and how a person bends it.

Layers are skin, neck, mouth cavity, upper teeth, lower teeth, tongue and two eyeballs. A person is
offsets of the 478 landmarks from the mean head, spread over the mesh; eyeballs, teeth and tongue
move rigidly. The file comes from `python -m pretrain_synthetic template`.
"""

import math
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.face.blendshapes import ARKIT_INDEX
from real3d.rotation import rotation_from_euler
from real3d.tensors import constant

LAYERS = ("skin", "neck", "cavity", "upper teeth", "lower teeth", "tongue", "left eye", "right eye")
SKIN, NECK, CAVITY, UPPER_TEETH, LOWER_TEETH, TONGUE, LEFT_EYE, RIGHT_EYE = range(8)
PIXEL_CLASSES = (0, 0, 1, 2, 2, 1, 3, 4)
"""Class of each layer: a pixel takes pixels of the photo from its own class alone."""
CLASS_COUNT = 5
MOUTH_CLASS, TEETH_CLASS, EYE_CLASSES = 1, 2, (3, 4)

GAZE_YAW, GAZE_PITCH = math.radians(30), math.radians(22)
"""Turn of an eyeball when eyeLookOut or eyeLookUp is 1."""
_LID_TRAVEL = 0.072
"""Lid gap that eyeBlink = 1 shuts with a little to spare, head units."""
_LID_GAIN = (0.35, 1.7)
_BLINKS = (ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"])
_LID_PAIRS = (
    ((386, 385, 387), (374, 380, 373)),
    ((159, 158, 160), (145, 153, 144)),
)
EYE_RINGS = (
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
)
"""Landmarks around the left and the right eye."""
SKIN_LANDMARKS = 468
"""The first landmarks lie on the skin; five an iris follow, the right eye's first."""
IRISES = (slice(473, 478), slice(468, 473))
"""Landmarks of the left and of the right iris."""

TEMPLATE_FILE = Path(__file__).parent / "template.npz"


class Template(nn.Module):
    """The mean head and its shapes; a module only so that it moves between devices."""

    vertices: Tensor  # (N, 3)
    shapes: Tensor  # (52, N, 3)
    triangles: Tensor  # (M, 3)
    layer: Tensor  # (M,) layer of a triangle
    vertex_layer: Tensor  # (N,)
    landmark_vertices: Tensor  # (478, 3)
    landmark_weights: Tensor  # (478, 3)
    landmark_twins: Tensor  # (478,) the landmark on the other side
    eye_centres: Tensor  # (2, 3) left, right
    firmness: Tensor  # (N,) how far the mesh alone decides where a pixel comes from
    spread: Tensor  # (N, 478)

    def __init__(self, path: Path = TEMPLATE_FILE):
        super().__init__()
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        for name, array in arrays.items():
            tensor = torch.from_numpy(array)
            tensor = tensor.float() if tensor.is_floating_point() else tensor.long()
            self.register_buffer(name, tensor, persistent=False)
        self.register_buffer("landmarks", self._landmarks_of(self.vertices), persistent=False)
        spread = _spread(self.vertices.numpy(), self.landmarks.numpy(), arrays["vertex_layer"])
        self.register_buffer("spread", torch.from_numpy(spread), persistent=False)

    def _landmarks_of(self, vertices: Tensor) -> Tensor:
        corners = vertices[..., self.landmark_vertices, :]
        return (corners * self.landmark_weights[..., None]).sum(-2)

    @cached_property
    def eye_vertices(self) -> tuple[Tensor, Tensor]:
        """Indices of the left and of the right eyeball's vertices."""
        return tuple((self.vertex_layer == k).nonzero()[:, 0] for k in (LEFT_EYE, RIGHT_EYE))

    def landmark_shapes(self) -> Tensor:
        """(52, 478, 3) what the shapes do to the landmarks; gaze turns the irises (linearised)."""
        moves = self._landmarks_of(self.shapes)
        for side, (name, sign) in enumerate((("Left", 1.0), ("Right", -1.0))):
            iris = IRISES[side]
            arms = self.landmarks[iris] - self.eye_centres[side]
            for direction, axis in (
                ("Out", (0.0, -sign * GAZE_YAW, 0.0)),
                ("In", (0.0, sign * GAZE_YAW, 0.0)),
                ("Up", (-GAZE_PITCH, 0.0, 0.0)),
                ("Down", (GAZE_PITCH, 0.0, 0.0)),
            ):
                turn = torch.tensor(axis, device=arms.device).expand_as(arms)
                index = ARKIT_INDEX[f"eyeLook{direction}{name}"]
                moves[index, iris] = torch.linalg.cross(turn, arms)
        return moves

    def lid_gain(self, identity: Tensor) -> Tensor:
        """(B, 2) how far this person's left and right lids travel, against the mean head's."""
        face, gaps = self.landmarks + identity, []
        for pair in _LID_PAIRS:
            upper, lower = (constant(lid, self.triangles) for lid in pair)
            gaps.append((face[:, upper] - face[:, lower]).norm(dim=-1).mean(-1))
        return (torch.stack(gaps, -1) / _LID_TRAVEL).clamp(*_LID_GAIN)

    def with_lid_gain(self, identity: Tensor, coefficients: Tensor) -> Tensor:
        """Coefficients (B, 52) with the blinks scaled to this person's lids."""
        blink = constant(_BLINKS, self.triangles)
        scaled = coefficients.clone()
        scaled[:, blink] = coefficients[:, blink] * self.lid_gain(identity)
        return scaled

    def posed(self, identity: Tensor, coefficients: Tensor) -> Tensor:
        """Vertices (B, N, 3) in the head frame.

        identity: (B, 478, 3) landmark offsets from the mean head. coefficients: (B, 52).
        """
        scaled = self.with_lid_gain(identity, coefficients)
        own = torch.einsum("nk,bkc->bnc", self.spread, identity)
        moved = (scaled @ self.shapes.flatten(1)).unflatten(1, self.vertices.shape)
        vertices = self.vertices + own + moved
        for side, eye in enumerate(self.eye_vertices):
            turn = _gaze_rotation(coefficients, side)
            arms = self.vertices[eye] - self.eye_centres[side]
            turned = arms @ turn.mT + self.eye_centres[side]
            vertices[:, eye] = turned + own[:, eye]
        return vertices

    def posed_landmarks(self, vertices: Tensor) -> Tensor:
        """(B, 478, 3) of posed vertices (B, N, 3)."""
        return self._landmarks_of(vertices)

    def normals(self, vertices: Tensor) -> Tensor:
        """Outward unit normals (B, N, 3)."""
        a, b, c = vertices[:, self.triangles].unbind(2)
        faces = torch.linalg.cross(b - a, c - a)
        normals = torch.zeros_like(vertices)
        for corner in range(3):
            normals.index_add_(1, self.triangles[:, corner], faces)
        return F.normalize(normals, dim=-1)


def _gaze_rotation(coefficients: Tensor, side: int) -> Tensor:
    """(B, 3, 3) of the left (0) or right (1) eyeball."""
    name, sign = (("Left", 1.0), ("Right", -1.0))[side]
    look = {
        d: coefficients[:, ARKIT_INDEX[f"eyeLook{d}{name}"]] for d in ("Out", "In", "Up", "Down")
    }
    yaw = sign * (look["Out"] - look["In"]) * GAZE_YAW
    pitch = (look["Up"] - look["Down"]) * GAZE_PITCH
    still = torch.zeros_like(yaw)
    turn = rotation_from_euler(torch.stack([yaw, still, still], -1))
    return turn @ rotation_from_euler(torch.stack([still, pitch, still], -1))


def _spread(vertices: np.ndarray, landmarks: np.ndarray, vertex_layer: np.ndarray) -> np.ndarray:
    """(N, 478) weights that carry landmark offsets to vertices.

    Smoothed linear radial basis functions, faded out far from the face; teeth and tongue follow as
    one piece each, an eyeball follows the mean of its rim.
    """
    points = landmarks[:SKIN_LANDMARKS]
    _, unique = np.unique(points.round(3), axis=0, return_index=True)
    unit = np.eye(SKIN_LANDMARKS)[unique]
    basis = RBFInterpolator(points[unique], unit, kernel="linear", degree=1, smoothing=0.001)
    spread = np.zeros((len(vertices), len(landmarks)), np.float32)
    spread[:, :SKIN_LANDMARKS] = basis(vertices)
    distance = np.linalg.norm(vertices[:, None] - points[None, unique[::3]], axis=-1).min(1)
    spread *= np.clip(1 - (distance - 0.15) / 0.7, 0, 1)[:, None]
    for layer in (UPPER_TEETH, LOWER_TEETH, TONGUE):
        rigid = vertex_layer == layer
        spread[rigid] = spread[rigid].mean(0)
    for layer, ring in zip((LEFT_EYE, RIGHT_EYE), EYE_RINGS, strict=True):
        row = np.zeros(len(landmarks), np.float32)
        row[list(ring)] = 1 / len(ring)
        spread[vertex_layer == layer] = row
    return spread
