"""The template head fitted to portraits and to other frames of the same person."""

import functools

import numpy as np
import torch
from torch import Tensor

from real3d.avatar import Avatar
from real3d.camera import Camera
from real3d.device import few_threads
from real3d.face.fit import Fit, Fitter
from real3d.face.template import Template
from real3d.networks.geometry import Head
from real3d.photo import Portrait
from real3d.rotation import euler_from_rotation

CHUNK = 256
"""Frames that are fitted at once."""


@functools.cache
def cpu_fitter() -> Fitter:
    """The fitter of the bundled template on the CPU; it never changes, and is made once."""
    return Fitter(Template())


def turn_away(camera: Camera) -> Tensor:
    """(B,) how far heads are turned from facing the camera, radians; roll does not count."""
    return euler_from_rotation(camera.rotation)[:, :2].norm(dim=-1)


def as_rows(values: np.ndarray | Tensor) -> Tensor:
    """Numbers as a float32 tensor on the CPU."""
    return torch.as_tensor(values, dtype=torch.float32).cpu()


@torch.no_grad()
@few_threads()
def fit_portraits(portraits: list[Portrait]) -> tuple[list[Head], int]:
    """Heads of photos of one person, with one identity, and the index of the most frontal photo.

    Across the picture the most frontal photo knows the face best; its depth, which a photo hardly
    shows, is the mean over all.
    """
    fitter = cpu_fitter()
    landmarks = torch.from_numpy(np.stack([p.landmarks for p in portraits]))
    tracked = torch.from_numpy(np.stack([p.coefficients for p in portraits]))
    found = fitter.source(landmarks, tracked)
    best = int(turn_away(found.camera).argmin())
    identity = found.identity[best].clone()
    identity[:, 2] = found.identity[..., 2].mean(0)
    held = identity.expand(len(portraits), -1, -1)
    fit = fitter.driven(held, landmarks, tracked)
    heads = Head(held, fit.coefficients, fit.camera)
    return [heads[k : k + 1] for k in range(len(portraits))], best


@torch.no_grad()
@few_threads()
def fit_frames(identity: Tensor, landmarks: Tensor, coefficients: Tensor) -> Fit:
    """Pose and expression in frames (T, 478, 3), (T, 52) of one identity (1, 478, 3)."""
    fitter, fits = cpu_fitter(), []
    for points, tracked in zip(landmarks.split(CHUNK), coefficients.split(CHUNK), strict=True):
        fits.append(fitter.driven(identity.expand(len(points), -1, -1), points, tracked))
    camera = Camera.cat([fit.camera for fit in fits])
    return Fit(identity, camera, torch.cat([fit.coefficients for fit in fits]))


def fit_motion(
    avatar: Avatar, landmarks: np.ndarray | Tensor, coefficients: np.ndarray | Tensor
) -> tuple[Camera, Tensor]:
    """Cameras and coefficients (T, 52) of tracked frames of the avatar's own person.

    landmarks: (T, 478, 3) in the avatar's portrait window. coefficients: (T, 52) as tracked.
    """
    fit = fit_frames(avatar.identity, as_rows(landmarks), as_rows(coefficients))
    return fit.camera, fit.coefficients


@torch.no_grad()
@few_threads()
def mesh_landmarks(avatar: Avatar, camera: Camera, coefficients: Tensor) -> Tensor:
    """(T, 478, 2) where the avatar's mesh has the landmarks, normalised picture coordinates."""
    template, found = cpu_fitter().template, []
    camera, coefficients = camera.to("cpu"), as_rows(coefficients)
    for rows in torch.arange(len(coefficients)).split(CHUNK):
        identity = avatar.identity.expand(len(rows), -1, -1)
        vertices = template.posed(identity, coefficients[rows])
        found.append(camera[rows].project(template.posed_landmarks(vertices))[..., :2])
    return torch.cat(found)
