"""What a photo shows of a person beside the face: hair, neck, bare skin.

Which pixels are hair is told by their colours: like those along the head's outline above the eyes,
unlike those of the face.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.networks.layers import enlarge, eroded

REDUCTION = 4
_PERSON, _FIRM, _LOOSE = 0.9, 0.9, 0.1
"""Matte, and the template's firmness of the face and of what is beside it."""
_RIM, _RIM_END = 0.97, -0.15
"""Share of the person around a pixel of the outline, and the height (y down) where brows begin."""
_FACE_END, _HAIR_END = 0.6, 0.7
"""Heights of the chin, and where clothes may begin."""
_NECK_TOP, _NECK_END, _SKIN_SPREADS = 0.4, 0.95, 3.0
"""Between which heights there may be neck, and how far its colours may be from the face's."""
_CLOTHES_TOP, _HAIR_SPREADS = 0.2, 2.5
"""Height below which there may be clothes, and how far from hair's colours are those that hang
together with the hair above: a dark jacket mostly does not."""
_GROWN, _HELD = 5, 0.75
"""How far clothes reach beyond what is so for sure, pixels, and the share of the person below that
must be clothes as well: strands of hair hang down to the picture's end."""
_LEAST_VARIANCE = 0.004


@dataclass(frozen=True)
class Parts:
    """Masks (B, 1, S/4, S/4); hair and neck are what is so for sure."""

    hair: Tensor
    neck: Tensor
    """Its skin."""
    beside: Tensor
    """The person without the face."""
    bare: Tensor
    """What of that has the colours of the face."""
    clothes: Tensor
    """What is below the ears, has not the face's colours and is no hair, and its border."""

    @classmethod
    @torch.no_grad()
    def of(cls, photo: Tensor, alpha: Tensor, camera: Camera, firmness: Tensor) -> "Parts":
        """Of photos (B, 3, S, S) in [-1, 1] and mattes (B, 1, S, S).

        camera: the photos'. firmness: SourceGeometry.ray_firmness (B, 1, S/8, S/8).
        """
        photo, alpha = F.avg_pool2d(photo, REDUCTION), F.avg_pool2d(alpha, REDUCTION)
        height, firm = camera.heights(photo.shape[-1]), enlarge(firmness, 2)
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
        like_hair = F.avg_pool2d(outline.distance(photo), 3, 1, 1) < _HAIR_SPREADS**2
        hanging = _connected(_mostly(like_hair & person), hair & (height < _CLOTHES_TOP))
        below_ears = (firm < _FIRM) & (height > _CLOTHES_TOP)
        clothes = person & below_ears & ~skin & ~hanging
        clothes = _sure(clothes) * (_below(clothes.float()) > _HELD * _below(person.float()))
        grown = F.max_pool2d(clothes, 2 * _GROWN + 1, 1, _GROWN) > 0
        clothes = grown & below_ears & ~(skin & person)
        hair = _sure(hair & ~clothes)
        return cls(hair, _sure(neck), beside.float(), bare.float(), clothes.float())


def _connected(mask: Tensor, seeds: Tensor) -> Tensor:
    """Whether a pixel is in a piece of a mask that holds a seed, or beside it."""
    found = mask * seeds
    for _ in range(mask.shape[-1]):
        found = F.max_pool2d(found, 3, 1, 1) * mask
    return F.max_pool2d(found, 5, 1, 2) > 0


def _below(mask: Tensor) -> Tensor:
    """How much of it is below each pixel, and a little to its sides."""
    near = F.avg_pool2d(mask, (1, 2 * _GROWN + 1), 1, (0, _GROWN))
    return near.flip(2).cumsum(2).flip(2)


def _mostly(mask: Tensor) -> Tensor:
    """Without single pixels."""
    return (F.avg_pool2d(mask.float(), 3, 1, 1) > 0.6).float()


def _sure(mask: Tensor) -> Tensor:
    return eroded(_mostly(mask))


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
