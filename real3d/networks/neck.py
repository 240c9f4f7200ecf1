"""The neck: it twists, so that shoulders turn less than the head.

Up to some degrees the shoulders follow, as they do in films of people who talk; then the head turns
alone. A photo shows one side of the clothes: turned far they would be torn.
"""

import torch
from torch import Tensor

from real3d.camera import Camera, exact
from real3d.networks.layers import smoothstep
from real3d.rotation import rotation_from_vector, vector_from_rotation
from real3d.tensors import constant

_BASE = (0.0, 0.9, 0.27)
"""Where the neck stands on the shoulders, head frame: that point moves with the head."""
_TWISTS = (0.65, 0.95)
"""Heights of the template (y down) between which the neck twists."""
_LARGEST_TURN = 0.35
"""Radians by which shoulders turn at most."""


def torso_camera(source: Camera, target: Camera) -> Camera:
    """How the wanted view (B) sees the shoulders, if the photo's camera sees them with the head."""
    with exact(target.rotation.device):
        turn = vector_from_rotation(target.rotation @ source.rotation.mT)
        angle = turn.norm(dim=1, keepdim=True).clamp_min(1e-6)
        turn = turn * (_LARGEST_TURN * torch.tanh(angle / _LARGEST_TURN) / angle)
        rotation = rotation_from_vector(turn) @ source.rotation
        base = constant(_BASE, target.translation)
        return Camera(rotation, target.translation + (target.rotation - rotation) @ base)


def turn_between(source: Camera, target: Camera) -> Tensor:
    """(B,) radians by which heads turn."""
    with exact(target.rotation.device):
        return vector_from_rotation(target.rotation @ source.rotation.mT).norm(dim=1)


def twisted(vertices: Tensor, heights: Tensor, source: Camera, target: Camera) -> Tensor:
    """Posed vertices (B, N, 3) whose neck is twisted; heights (N,) are the template's."""
    shoulders, share = torso_camera(source, target), smoothstep(heights, *_TWISTS)
    with exact(vertices.device):
        back = vector_from_rotation(target.rotation.mT @ shoulders.rotation)
        turns = rotation_from_vector(share[:, None] * back[:, None])
        base = constant(_BASE, vertices)
        return (turns @ (vertices - base)[..., None])[..., 0] + base
