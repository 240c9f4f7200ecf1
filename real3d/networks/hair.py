"""The hair plate: the photo's hair, continued over everything that is not hair.

A point on the far side of a head, which the photo does not show, projects into the photo inside the
outline of the head. There the plate has the hair that is shown along the outline, mirrored at its
border, so that strands go on and colours agree. A hat and a bald head are continued likewise.

Which pixels are hair is told by their colours: like those along the head's outline above the eyes,
unlike those of the face.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.networks.layers import enlarge, pull_push, sample

_REDUCTION = 4
_PERSON, _FIRM, _LOOSE = 0.9, 0.9, 0.1
"""Matte, and the template's firmness of the face and of what is beside it."""
_RIM, _RIM_END = 0.97, -0.15
"""Share of the person around a pixel of the outline, and the height (y down) where brows begin."""
_FACE_END, _HAIR_END = 0.6, 0.7
"""Heights of the chin, and where clothes may begin."""
_LEAST_VARIANCE = 0.004
_DEPTH = 0.6
"""How deep into the shown hair what lies behind its border is mirrored, beside its distance."""
_LARGEST_STEP = 6
"""Pixels of the mask by which the nearest hair of neighbours may differ in what is mirrored."""
_NO_HAIR = 1e-5
"""How much other pixels of the person count for the plate's smooth parts, beside hair."""


@torch.no_grad()
def hair_plate(photo: Tensor, alpha: Tensor, camera: Camera, firmness: Tensor) -> Tensor:
    """(B, 3, S, S) of photos (B, 3, S, S) in [-1, 1] and mattes (B, 1, S, S).

    camera: the photos'. firmness: SourceGeometry.ray_firmness (B, 1, S/8, S/8).
    """
    hair = _hair(photo, alpha, camera, firmness)
    full = (enlarge(hair, _REDUCTION) > 0.9).float()
    smooth = pull_push(photo, torch.maximum(full, _NO_HAIR * alpha))
    uv, steady = _mirrored_at_border(hair)
    there = ((sample(hair, uv) > 0.9) & (steady > 0.9)).float()
    mirrored = torch.lerp(smooth, sample(photo, uv), F.avg_pool2d(_eroded(there, 9), 9, 1, 4))
    return torch.where(full > 0, photo, mirrored)


def _hair(photo: Tensor, alpha: Tensor, camera: Camera, firmness: Tensor) -> Tensor:
    """(B, 1, S/4, S/4) 1 where there is hair for sure."""
    small, matte = F.avg_pool2d(photo, _REDUCTION), F.avg_pool2d(alpha, _REDUCTION)
    size = small.shape[-1]
    flat = pixel_grid(size, photo.device).view(1, -1, 2).expand(len(photo), -1, -1)
    height = camera.unproject(flat, torch.zeros_like(flat[..., 0]))[..., 1]
    height = height.unflatten(1, (1, size, size))
    firm = enlarge(firmness, 2)
    person = matte > _PERSON
    reach = size // 20
    rim = F.avg_pool2d(matte, 2 * reach + 1, 1, reach) < _RIM
    beside = person & (firm < _LOOSE)
    face = person & (firm > _FIRM) & (height < _FACE_END)
    unlike_face = _unlikeliness(small, face) - _unlikeliness(
        small, beside & rim & (height < _RIM_END)
    )
    like_hair = F.avg_pool2d(unlike_face, 3, 1, 1) > 0
    hair = (like_hair & beside & (height < _HAIR_END)).float()
    hair = (F.avg_pool2d(hair, 3, 1, 1) > 0.6).float()
    return _eroded(hair, 3)


def _eroded(x: Tensor, width: int) -> Tensor:
    return -F.max_pool2d(-x, width, 1, width // 2)


def _unlikeliness(picture: Tensor, where: Tensor) -> Tensor:
    """(B, 1, n, n) negative log likelihood of colours, as normally distributed as those there."""
    weight = where.float()
    count = weight.sum((2, 3), keepdim=True).clamp_min(1)
    away = picture - (picture * weight).sum((2, 3), keepdim=True) / count
    spread = torch.einsum("bihw,bjhw->bij", away * weight, away) / count[..., 0]
    spread = spread + _LEAST_VARIANCE * torch.eye(3, device=picture.device)
    inverse = torch.linalg.inv_ex(spread).inverse
    squared = torch.einsum("bihw,bij,bjhw->bhw", away, inverse, away)
    return squared[:, None] + torch.linalg.det(spread).log()[:, None, None, None]


def _mirrored_at_border(hair: Tensor) -> tuple[Tensor, Tensor]:
    """For every pixel a place as far behind the nearest hair, or a little less.

    (B, S, S, 2), and (B, 1, S, S) whether the places of neighbours are neighbours.
    """
    nearest, grid = _nearest(hair)
    spread = F.max_pool2d(nearest, 3, 1, 1) + F.max_pool2d(-nearest, 3, 1, 1)
    steady = (spread.amax(1, keepdim=True) < _LARGEST_STEP * 2 / hair.shape[-1]).float()
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
