"""Views of true photos from sides of which there is no picture.

They have nothing to be compared with, pixel by pixel; but they must look photographed and show the
same person.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.networks.geometry import Geometry, Head, TargetGeometry
from real3d.networks.model import Frame
from real3d.rotation import rotation_from_euler
from real3d.training.batches import CLIP, PLAIN, PSEUDO, Batch
from real3d.training.perceptual import SFace

_YAW, _PITCH = (0.35, 1.25), 0.25
"""Yaw and largest pitch, radians, counted from facing the camera."""
_PERSON_SURE, _PERSON_LOST = math.radians(45), math.radians(68)
"""Up to which yaw the person must be recognised, and from where an embedding says nothing."""

_SURE, _HAIR_END = 0.9, -0.1
"""What is surely head or hair, and the height (y down) above which there are no ears."""
_STRANDS, _TOLERANCE = 4, 0.06
"""Side of the squares, in pixels of the volume, whose mean colours are compared, and how much these
may differ: light is not the same everywhere."""


@dataclass(frozen=True)
class FreeViews:
    """F wanted views of sources of a batch."""

    rows: Tensor
    """(F,) whose source in the batch."""
    head: Head
    recognisable: Tensor
    """(F,) 0 to 1."""


def draw_free_views(batch: Batch, count: int, random: np.random.Generator) -> FreeViews:
    """Views of up to so many of the batch's true sources, photos first."""
    kind, device = batch.kind.cpu().numpy(), batch.source.device
    ranked = [random.permutation(np.flatnonzero(kind == k)) for k in (PLAIN, CLIP)]
    rows = torch.from_numpy(np.concatenate(ranked)[:count]).to(device)
    drawn = random.random((len(rows), 2))
    yaw = _YAW[0] + (_YAW[1] - _YAW[0]) * drawn[:, 0]
    pitch = _PITCH * (2 * drawn[:, 1] - 1)
    yaw = np.where(random.random(len(rows)) < 0.5, -yaw, yaw)
    angles = torch.from_numpy(np.stack([yaw, pitch, 0 * yaw], 1)).float().to(device)
    own = batch.source_head[rows]
    camera = Camera(rotation_from_euler(angles), own.camera.translation)
    recognisable = (_PERSON_LOST - angles[:, 0].abs()) / (_PERSON_LOST - _PERSON_SURE)
    return FreeViews(rows, Head(own.identity, own.coefficients, camera), recognisable.clamp(0, 1))


@torch.no_grad()
def turned_back(batch: Batch, views: FreeViews, free: Frame) -> Batch:
    """Free views of photos as sources, and the photos as their targets.

    So the network meets sources that lack half of the face.
    """
    which = (batch.kind[views.rows] == PLAIN).nonzero()[:, 0]
    rows = views.rows[which]
    return Batch(
        free.image[which].detach(), free.alpha[which].detach(), views.head[which],
        batch.target[rows], batch.target_alpha[rows], batch.target_head[rows],
        batch.landmarks[rows], torch.full_like(batch.kind[rows], PSEUDO),
        batch.depth[rows], batch.head_label[rows],
    )  # fmt: skip


def identity_loss(
    sface: SFace, geometry: Geometry, batch: Batch, made: Tensor, views: FreeViews, turned: Tensor
) -> Tensor:
    """How little the pictures show the person: 1 - cosine, of pairs and of free views; a scalar.

    made (B, 3, S, S) pictures of the batch's pairs, turned (F, 3, S, S) the free views.
    """
    rows = views.rows
    with torch.no_grad():
        true = sface.embed((batch.target + 1) / 2, batch.landmarks)
        photo = batch.source_head[rows]
        seen = sface.embed((batch.source[rows] + 1) / 2, _landmarks(geometry, photo))
    pairs = 1 - F.cosine_similarity(sface.embed((made + 1) / 2, batch.landmarks), true)
    if not len(rows):
        return pairs.mean()
    found = sface.embed((turned + 1) / 2, _landmarks(geometry, views.head))
    free = (1 - F.cosine_similarity(found, seen)) * views.recognisable
    return pairs.mean() + free.mean()


def hair_colour_loss(target: TargetGeometry, frame: Frame) -> Tensor:
    """How far the colours of hair that no photo shows are from the hair plate's; a scalar.

    target and frame: of free views. Compared without strands, which need not lie alike.
    """
    view, given = frame.volume, frame.candidates
    factor = frame.image.shape[-1] // view.alpha.shape[-1]
    with torch.no_grad():
        height = view.canonical[:, 1:2] / view.alpha.clamp_min(1e-3)
        hair = (view.alpha > _SURE) & (target.ray_firmness < 1 - _SURE) & (height < _HAIR_END)
        hidden = (hair & (F.avg_pool2d(given.seen, factor) < 1 - _SURE)).float()
        hidden = (F.avg_pool2d(hidden, _STRANDS) > _SURE).float()
    made, wanted = (F.avg_pool2d(x, factor * _STRANDS) for x in (frame.image, given.hair))
    away = F.relu((made - wanted.detach()).abs() - _TOLERANCE)
    return (away * hidden).sum() / (3 * hidden.sum() + 1)


def _landmarks(geometry: Geometry, head: Head) -> Tensor:
    template = geometry.template
    vertices = template.posed(head.identity, head.coefficients)
    return head.camera.project(template.posed_landmarks(vertices))
