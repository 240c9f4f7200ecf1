"""Rotations of the head: matrices, small steps, and yaw, pitch and roll.

A head's rotation turns head axes to camera axes. +yaw turns the face towards the right of the
image, +pitch makes it look up, +roll tilts it clockwise in the image; radians.
"""

import torch
from torch import Tensor


def rotation_from_euler(angles: Tensor) -> Tensor:
    """Matrices (..., 3, 3) of angles (..., 3): yaw, pitch, roll. R = roll · pitch · yaw."""
    yaw, pitch, roll = angles.unbind(-1)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)

    def matrix(*rows: Tensor) -> Tensor:
        return torch.stack(rows, -1).unflatten(-1, (3, 3))

    c, s = yaw.cos(), yaw.sin()
    turn = matrix(c, zero, -s, zero, one, zero, s, zero, c)
    c, s = pitch.cos(), pitch.sin()
    nod = matrix(one, zero, zero, zero, c, s, zero, -s, c)
    c, s = roll.cos(), roll.sin()
    tilt = matrix(c, -s, zero, s, c, zero, zero, zero, one)
    return tilt @ nod @ turn


def euler_from_rotation(rotation: Tensor) -> Tensor:
    """Yaw, pitch, roll (..., 3) of matrices (..., 3, 3); pitch is in [-π/2, π/2].

    The matrix's second column is (-sin roll cos pitch, cos roll cos pitch, -sin pitch) and its
    third row is (cos pitch sin yaw, -sin pitch, cos pitch cos yaw).
    """
    yaw = torch.atan2(rotation[..., 2, 0], rotation[..., 2, 2])
    pitch = torch.asin((-rotation[..., 2, 1]).clamp(-1, 1))
    roll = torch.atan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    return torch.stack([yaw, pitch, roll], -1)


def rotation_from_vector(vector: Tensor) -> Tensor:
    """Rodrigues' formula: matrices (..., 3, 3) of axis times angle (..., 3)."""
    angle = vector.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    x, y, z = (vector / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    angle = angle[..., None]
    eye = torch.eye(3, dtype=vector.dtype, device=vector.device)
    return eye + angle.sin() * cross + (1 - angle.cos()) * (cross @ cross)


def vector_from_rotation(rotation: Tensor) -> Tensor:
    """Axis times angle (..., 3), radians, of matrices (..., 3, 3) that turn by well below π."""
    axis = torch.stack(
        [
            rotation[..., 2, 1] - rotation[..., 1, 2],
            rotation[..., 0, 2] - rotation[..., 2, 0],
            rotation[..., 1, 0] - rotation[..., 0, 1],
        ],
        -1,
    )
    sine = axis.norm(dim=-1, keepdim=True)
    trace = rotation.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)
    angle = torch.atan2(sine, trace - 1)
    return axis * (angle / sine.clamp_min(1e-12))
