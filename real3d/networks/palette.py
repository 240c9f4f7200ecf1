"""Which hues a photo's head and clothes have, so that what is painted has no others.

Colours of the network's own are free where no photo shows what is there: left to itself it paints
ears and necks that glow. So their hues are drawn to the photo's. Hues may depend on the luma, as
those of skin and hair do.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera
from real3d.networks.layers import LUMA, luma_of

_REDUCTION = 8
_PERSON = 0.9
_CHIN = 0.6
"""Height (y down) down to which there is no clothing."""
_OTHER = 1e-3
"""How much the rest of the person counts, beside head or clothes: some photos show no clothes."""
_SPREADS = 2.0
"""Standard deviations that a hue may be off."""
_LEAST_VARIANCE, _LEAST_LUMA_VARIANCE = 0.002, 0.02


@dataclass(frozen=True)
class Palette:
    """Normally distributed hues (red and blue minus luma) around a mean that follows the luma."""

    luma: Tensor
    """(B, 1, 1, 1) mean."""
    hue: Tensor
    """(B, 2, 1, 1) mean."""
    slope: Tensor
    """(B, 2, 1, 1) of the mean hue over the luma."""
    inverse: Tensor
    """(B, 3, 1, 1) of the covariance: red, blue, and between them."""

    @classmethod
    def of(cls, picture: Tensor, weight: Tensor) -> "Palette":
        """Of pictures (B, 3, n, n) in [-1, 1], whose pixels count (B, 1, n, n)."""
        weight = weight / weight.sum((2, 3), keepdim=True).clamp_min(1e-6)

        def mean(values: Tensor) -> Tensor:
            return (values * weight).sum((2, 3), keepdim=True)

        luma, hue = _luma_and_hue(picture)
        middle, typical = mean(luma), mean(hue)
        bright, away = luma - middle, hue - typical
        slope = mean(bright * away) / (mean(bright.square()) + _LEAST_LUMA_VARIANCE)
        red, blue = (away - slope * bright).split(1, 1)
        reds, blues = (mean(x.square()) + _LEAST_VARIANCE for x in (red, blue))
        both = mean(red * blue)
        inverse = torch.cat([blues, reds, -both], 1) / (reds * blues - both.square())
        return cls(middle, typical, slope, inverse)

    def nearest(self, picture: Tensor) -> Tensor:
        """Pictures (B, 3, S, S), hues far from the palette's drawn to it; luma stays."""
        luma, hue = _luma_and_hue(picture)
        middle = self.hue + self.slope * (luma - self.luma)
        away = hue - middle
        red, blue = away.split(1, 1)
        reds, blues, both = self.inverse.split(1, 1)
        power = reds * red.square() + blues * blue.square() + 2 * both * red * blue
        red, blue = (middle + away * (1 + (power / _SPREADS**2).square()).pow(-0.25)).split(1, 1)
        green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1]
        return luma + torch.cat([red, green, blue], 1)


@torch.no_grad()
def head_and_clothes(photo: Tensor, alpha: Tensor, camera: Camera) -> tuple[Palette, Palette]:
    """Palettes of photos (B, 3, S, S) in [-1, 1] with mattes (B, 1, S, S)."""
    small = F.avg_pool2d(photo, _REDUCTION)
    person = (F.avg_pool2d(alpha, _REDUCTION) > _PERSON).float()
    head = (camera.heights(small.shape[-1]) < _CHIN).float()
    parts = (person * part.clamp_min(_OTHER) for part in (head, 1 - head))
    return tuple(Palette.of(small, part) for part in parts)


def _luma_and_hue(picture: Tensor) -> tuple[Tensor, Tensor]:
    luma = luma_of(picture)
    return luma, picture[:, ::2] - luma
