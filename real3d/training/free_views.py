"""Views of true photos from sides of which there is no picture.

They have nothing to be compared with, pixel by pixel; but they must show the same person, and the
photo must be found again from them.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.networks.geometry import Geometry, Head
from real3d.networks.layers import eroded
from real3d.networks.model import Frame
from real3d.rotation import rotation_from_euler
from real3d.training.batches import CLIP, PLAIN, PSEUDO, Batch
from real3d.training.perceptual import SFace

_YAW, _PITCH = (0.35, 1.25), 0.25
"""Yaw and largest pitch, radians, counted from facing the camera."""
_LATER, _LATER_TURN = 0.43, 0.05
"""Share of views that are other ones a moment later, and by how much they are turned then, radians
(about each axis, at most)."""
_LATER_YAW = 0.05
"""Least yaw of those, radians: heads mostly move where they are nearly seen from the front."""
_LATER_FACE = 0.5
"""How much of another person's expression they have then: nothing else may change with it."""
_AROUND = 0.5
"""How much hair and neck count beside the face; there the mesh is not quite where they are."""
_PERSON_SURE, _PERSON_LOST = math.radians(45), math.radians(68)
"""Up to which yaw the person must be recognised, and from where an embedding says nothing."""


@dataclass(frozen=True)
class Moment:
    """Where faces come from in their pictures of a moment ago: the last M views in the first M."""

    uv: Tensor
    """(M, S, S, 2)."""
    seen: Tensor
    """(M, 1, S, S) where both show the head, the face above all."""

    @classmethod
    def between(cls, geometry: Geometry, before: Head, after: Head) -> "Moment":
        """Of heads (M) in two poses."""
        found = geometry.target(geometry.source(before), after)
        firm = _AROUND + (1 - _AROUND) * found.firmness
        return cls(found.source_uv, eroded(found.seen * found.hit * firm))


@dataclass(frozen=True)
class FreeViews:
    """F wanted views of sources of a batch."""

    rows: Tensor
    """(F,) whose source in the batch."""
    head: Head
    recognisable: Tensor
    """(F,) 0 to 1."""
    moment: Moment


def draw_free_views(
    batch: Batch, count: int, geometry: Geometry, random: np.random.Generator
) -> FreeViews:
    """Views of up to so many of the batch's true sources, photos first."""
    kind, device = batch.kind.cpu().numpy(), batch.source.device
    ranked = [random.permutation(np.flatnonzero(kind == k)) for k in (PLAIN, CLIP)]
    rows = torch.from_numpy(np.concatenate(ranked)[:count]).to(device)
    drawn = random.random((len(rows), 2))
    later = round(_LATER * len(rows))
    least = np.where(np.arange(len(rows)) < later, _LATER_YAW, _YAW[0])
    yaw = least + (_YAW[1] - least) * drawn[:, 0]
    pitch = _PITCH * (2 * drawn[:, 1] - 1)
    yaw = np.where(random.random(len(rows)) < 0.5, -yaw, yaw)
    turns = np.stack([yaw, pitch, 0 * yaw], 1)
    rows[len(rows) - later :] = rows[:later]
    turns[len(rows) - later :] = turns[:later] + _LATER_TURN * (2 * random.random((later, 3)) - 1)
    angles = torch.from_numpy(turns).float().to(device)
    own = batch.source_head[rows]
    camera = Camera(rotation_from_euler(angles), own.camera.translation)
    recognisable = (_PERSON_LOST - angles[:, 0].abs()) / (_PERSON_LOST - _PERSON_SURE)
    face = own.coefficients.clone()
    others = own.coefficients[:later].roll(1, 0)
    face[len(rows) - later :] = torch.lerp(own.coefficients[:later], others, _LATER_FACE)
    head = Head(own.identity, face, camera)
    moment = Moment.between(geometry, head[:later], head[len(rows) - later :])
    return FreeViews(rows, head, recognisable.clamp(0, 1), moment)


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
        batch.depth[rows], batch.head_label[rows], torch.arange(len(rows), device=rows.device),
    )  # fmt: skip


def identity_losses(
    sface: SFace, geometry: Geometry, batch: Batch, made: Tensor, views: FreeViews, turned: Tensor
) -> tuple[Tensor, Tensor]:
    """How little the pictures show the person: 1 - cosine, of pairs and of free views; scalars.

    made (B, 3, S, S) pictures of the batch's pairs, turned (F, 3, S, S) the free views.
    """
    rows = views.rows
    with torch.no_grad():
        true = sface.embed((batch.target + 1) / 2, batch.landmarks)
        photo = batch.source_head[rows]
        seen = sface.embed((batch.source[rows] + 1) / 2, landmarks_of(geometry, photo))
    pairs = 1 - F.cosine_similarity(sface.embed((made + 1) / 2, batch.landmarks), true)
    if not len(rows):
        return pairs.mean(), pairs.new_zeros(())
    found = sface.embed((turned + 1) / 2, landmarks_of(geometry, views.head))
    free = (1 - F.cosine_similarity(found, seen)) * views.recognisable
    return pairs.mean(), free.mean()


def landmarks_of(geometry: Geometry, head: Head) -> Tensor:
    """(B, 478, 3) where cameras see the landmarks of heads."""
    template = geometry.template
    vertices = template.posed(head.identity, head.coefficients)
    return head.camera.project(template.posed_landmarks(vertices))
