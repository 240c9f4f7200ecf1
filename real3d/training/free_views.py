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
from real3d.networks.model import Encoding, Frame
from real3d.rotation import rotation_from_euler
from real3d.training.batches import CLIP, PLAIN, PSEUDO, Batch
from real3d.training.perceptual import SFace

_YAW, _PITCH = (0.35, 1.25), 0.25
"""Yaw and largest pitch, radians, counted from facing the camera."""
_PERSON_SURE, _PERSON_LOST = math.radians(45), math.radians(68)
"""Up to which yaw the person must be recognised, and from where an embedding says nothing."""

_SURE, _HAIR_END, _FEWEST = 0.9, 0.2, 20
"""What is surely head or hair, the height (y down) above which it is no neck, and how many pixels
of hair tell its colour."""
_SPREADS = 1.5
"""Standard deviations of the shown hair's colours within which those of hidden hair should lie."""


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


def hair_colour_loss(
    source: Encoding, rows: Tensor, target: TargetGeometry, frame: Frame
) -> Tensor:
    """How far hair that no photo shows is from the colours of the hair that the photo does show.

    A scalar. source: the batch's; target and frame: of the F free views of its rows.
    """
    with torch.no_grad():
        own = source.volume
        alpha, size = own.alpha[rows], own.alpha.shape[-1]
        photo = F.adaptive_avg_pool2d(source.photo[rows], size)
        sure = F.adaptive_avg_pool2d(source.alpha[rows], size) > _SURE
        firm = source.geometry.ray_firmness[rows]
        shown = (_is_hair(alpha, own.canonical[rows], firm) & sure).float()
        count = shown.sum((2, 3), keepdim=True)
        mean = (photo * shown).sum((2, 3), keepdim=True) / count.clamp_min(1)
        variance = ((photo - mean).square() * shown).sum((2, 3), keepdim=True) / count.clamp_min(1)
        view = frame.volume
        unseen = F.avg_pool2d(frame.candidates.seen, 4) < 1 - _SURE
        hidden = _is_hair(view.alpha, view.canonical, target.ray_firmness) & unseen
        hidden = (hidden & (count > _FEWEST)).float()
    made = F.avg_pool2d(frame.image, 4)
    away = F.relu((made - mean).abs() - _SPREADS * variance.sqrt())
    return (away * hidden).sum() / (3 * hidden.sum() + 1)


def _is_hair(alpha: Tensor, canonical: Tensor, firmness: Tensor) -> Tensor:
    height = canonical[:, 1:2] / alpha.clamp_min(1e-3)
    return (alpha > _SURE) & (firmness < 1 - _SURE) & (height < _HAIR_END)


def _landmarks(geometry: Geometry, head: Head) -> Tensor:
    template = geometry.template
    vertices = template.posed(head.identity, head.coefficients)
    return head.camera.project(template.posed_landmarks(vertices))
