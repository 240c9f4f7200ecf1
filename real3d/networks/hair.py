"""The hair plate: the photo's hair, continued over everything that is not hair.

A point on the far side of a head, which the photo does not show, projects into the photo inside the
outline of the head. There the plate has the hair that is shown along the outline, mirrored at its
border, so that strands go on and colours agree. A hat and a bald head are continued likewise, and
the back of the neck has the colours of its front.

Which pixels are hair is told by their colours: like those along the head's outline above the eyes,
unlike those of the face.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.networks.layers import enlarge, eroded, pull_push, sample, smoothstep

_REDUCTION = 4
_PERSON, _FIRM, _LOOSE = 0.9, 0.9, 0.1
"""Matte, and the template's firmness of the face and of what is beside it."""
_RIM, _RIM_END = 0.97, -0.15
"""Share of the person around a pixel of the outline, and the height (y down) where brows begin."""
_CLOTHES_TOP = 0.45
"""Height below which what is neither hair nor skin is clothes."""
_FACE_END, _HAIR_END = 0.6, 0.7
"""Heights of the chin, and where clothes may begin."""
_NECK_TOP, _NECK_END, _SKIN_SPREADS = 0.4, 0.95, 3.0
"""Between which heights there may be neck, and how far its colours may be from the face's."""
_LEAST_VARIANCE = 0.004
_DEPTH = 0.6
"""How deep into the shown hair what lies behind its border is mirrored, beside its distance."""
_NAPE = (0.3, 0.5)
"""Between which heights hair ends at the back of the head, if the neck is bare."""
_LARGEST_STEP = 6
"""Pixels of the mask by which the nearest hair of neighbours may differ in what is mirrored."""
_SMOOTHED = 5
"""Pixels of the mask over which the nearest hair's place is averaged: pixels have corners."""
_NO_HAIR = 1e-5
"""How much other pixels of the person count for the plate's smooth parts, beside hair."""


@torch.no_grad()
def hair_plate(
    photo: Tensor, alpha: Tensor, camera: Camera, firmness: Tensor
) -> tuple[Tensor, Tensor]:
    """(B, 3, S, S) of photos (B, 3, S, S) in [-1, 1] and mattes (B, 1, S, S).

    Also (B, 3, S/4, S/4), 1 where the person is and no face, where that has a face's colours, and
    where it is clothes.

    camera: the photos'. firmness: SourceGeometry.ray_firmness (B, 1, S/8, S/8).
    """
    small, matte = F.avg_pool2d(photo, _REDUCTION), F.avg_pool2d(alpha, _REDUCTION)
    height = camera.heights(small.shape[-1])
    hair, neck, beside = _hair_and_neck(small, matte, height, enlarge(firmness, 2))
    anybody = _NO_HAIR * matte
    above = pull_push(small, torch.maximum(hair, anybody))
    below = pull_push(small, torch.maximum(torch.maximum(hair, neck), anybody))
    bare = smoothstep(height, *_NAPE)
    smooth = enlarge(torch.lerp(above, below, bare), _REDUCTION)
    shown = torch.maximum(hair, neck)
    uv, steady = _mirrored_at_border(hair)
    there = ((sample(hair, uv) > 0.9) & (steady > 0.9)).float()
    there = F.avg_pool2d(eroded(there, 9), 9, 1, 4) * enlarge(1 - bare, _REDUCTION)
    mirrored = torch.lerp(smooth, sample(photo, uv), there)
    return torch.where(enlarge(shown, _REDUCTION) > 0.9, photo, mirrored), beside


def _hair_and_neck(
    photo: Tensor, alpha: Tensor, height: Tensor, firm: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """(B, 1, n, n) 1 where there is hair for sure, and where the neck's skin is; the person beside
    the face, its skin and its clothes (B, 3, n, n)."""
    person = alpha > _PERSON
    reach = photo.shape[-1] // 20
    rim = F.avg_pool2d(alpha, 2 * reach + 1, 1, reach) < _RIM
    beside = person & (firm < _LOOSE)
    outline = _Colours.of(photo, beside & rim & (height < _RIM_END))
    face = _Colours.of(photo, person & (firm > _FIRM) & (height < _FACE_END))
    sooner = face.unlikeliness(photo) - outline.unlikeliness(photo)
    hair = (F.avg_pool2d(sooner, 3, 1, 1) > 0) & beside & (height < _HAIR_END)
    skin = F.avg_pool2d(face.distance(photo), 3, 1, 1) < _SKIN_SPREADS**2
    neck = skin & person & (firm < _FIRM) & (height > _NECK_TOP) & (height < _NECK_END)
    bare = skin & beside & ~hair
    clothes = _sure(beside & ~skin & ~hair & (height > _CLOTHES_TOP))
    return _sure(hair), _sure(neck), torch.cat([beside.float(), bare.float(), clothes], 1)


def _sure(mask: Tensor) -> Tensor:
    return eroded((F.avg_pool2d(mask.float(), 3, 1, 1) > 0.6).float())


@dataclass(frozen=True)
class _Colours:
    """Normally distributed colours."""

    mean: Tensor
    """(B, 3, 1, 1)."""
    inverse: Tensor
    """(B, 3, 3) of their covariance."""

    @classmethod
    def of(cls, picture: Tensor, where: Tensor) -> "_Colours":
        weight = where.float()
        count = weight.sum((2, 3), keepdim=True).clamp_min(1)
        mean = (picture * weight).sum((2, 3), keepdim=True) / count
        away = picture - mean
        spread = torch.einsum("bihw,bjhw->bij", away * weight, away) / count[..., 0]
        spread = spread + _LEAST_VARIANCE * torch.eye(3, device=picture.device)
        return cls(mean, torch.linalg.inv_ex(spread).inverse)

    def distance(self, picture: Tensor) -> Tensor:
        """(B, 1, n, n) squared distance of colours from the mean, in spreads."""
        away = picture - self.mean
        return torch.einsum("bihw,bij,bjhw->bhw", away, self.inverse, away)[:, None]

    def unlikeliness(self, picture: Tensor) -> Tensor:
        """(B, 1, n, n) twice the negative log likelihood, but for a constant."""
        return self.distance(picture) - torch.linalg.det(self.inverse).log().view(-1, 1, 1, 1)


def _mirrored_at_border(hair: Tensor) -> tuple[Tensor, Tensor]:
    """For every pixel a place as far behind the nearest hair, or a little less.

    (B, S, S, 2), and (B, 1, S, S) whether the places of neighbours are neighbours.
    """
    nearest, grid = _nearest(hair)
    spread = F.max_pool2d(nearest, 3, 1, 1) + F.max_pool2d(-nearest, 3, 1, 1)
    steady = (spread.amax(1, keepdim=True) < _LARGEST_STEP * 2 / hair.shape[-1]).float()
    nearest = F.avg_pool2d(nearest, _SMOOTHED, 1, _SMOOTHED // 2, count_include_pad=False)
    uv = enlarge(nearest + _DEPTH * (nearest - grid), _REDUCTION)
    return uv.permute(0, 2, 3, 1), enlarge(steady, _REDUCTION)


def _nearest(hair: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2, n, n) where the nearest pixel of hair is, and (2, n, n) where each pixel is.

    Jump flooding (Rong and Tan 2006).
    """
    size = hair.shape[-1]
    grid = pixel_grid(size, hair.device).permute(2, 0, 1)
    nowhere = torch.full_like(grid, 9.0)
    nearest = torch.where(hair > 0.9, grid, nowhere)
    step = size // 2
    while step:
        padded = F.pad(nearest, (step,) * 4, value=9.0)
        moved = torch.stack(
            [
                padded[:, :, y : y + size, x : x + size]
                for y in (0, step, 2 * step)
                for x in (0, step, 2 * step)
            ]
        )
        closest = (moved - grid).square().sum(2, keepdim=True).argmin(0, keepdim=True)
        nearest = moved.gather(0, closest.expand(-1, -1, 2, -1, -1))[0]
        step //= 2
    return nearest, grid
