"""What a photo is continued to where it ends: computed once, looked up in every frame."""

from dataclasses import dataclass

import torch
from kornia.filters import guided_blur
from torch import Tensor

from real3d.face.template import Template
from real3d.networks.background import background_plate, person_plate
from real3d.networks.ears import bare_ears
from real3d.networks.enamel import teeth_tone
from real3d.networks.eyes import EyeRings
from real3d.networks.geometry import Head, SourceGeometry
from real3d.networks.hair import hair_plate
from real3d.networks.layers import enlarge, luma_of
from real3d.networks.lids import lid_plate
from real3d.networks.lips import lip_plate
from real3d.networks.palette import Palette, head_and_clothes
from real3d.networks.parts import REDUCTION, Parts

_EDGE_PX, _EDGE_EPSILON = 13, 1e-3
"""Side of the squares in which a mask is made to follow the photo, pixels, and the variance below
which it does not."""


@dataclass(frozen=True)
class Plates:
    """Pictures (B, 3, S, S) in [-1, 1], and colours."""

    background: Tensor
    """The photo without the person."""
    person: Tensor
    """The photo's person, its colours continued outwards."""
    hair: Tensor
    """The photo's hair, continued everywhere."""
    bare_ears: Tensor
    """(B, 1, 1, 1) 0 where that hair covers the ears."""
    clothes: Tensor
    """(B, 1, S, S) where the photo shows clothes for sure, along its own edges."""
    shut: Tensor
    """The photo, its eyes covered by the skin around them, and its mouth by the lips."""
    teeth: Tensor
    """(B, 3, 1, 1) their colour in [0, 1] …"""
    teeth_known: Tensor
    """(B, 1, 1, 1) … where the photo shows some."""
    eyes: EyeRings
    """The eyes' colours, all around their pupils."""
    head_palette: Palette
    """Hues of the photo's head."""
    clothes_palette: Palette
    """Hues of the photo's person below the chin."""

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        photo: Tensor,
        alpha: Tensor,
        head: Head,
        geometry: SourceGeometry,
        template: Template,
    ) -> "Plates":
        """Plates of photos (B, 3, S, S) in [-1, 1] with mattes (B, 1, S, S)."""
        parts = Parts.of(photo, alpha, head.camera, geometry.ray_firmness)
        return cls(
            background_plate(photo, alpha),
            person_plate(photo, alpha),
            hair_plate(photo, alpha, head.camera, parts),
            bare_ears(parts, head.camera),
            _along_edges(parts.clothes, photo),
            lip_plate(lid_plate(photo, geometry.classes), geometry.classes),
            *teeth_tone(photo, geometry.classes),
            EyeRings.of(photo, geometry.classes, geometry.projected, template),
            *head_and_clothes(photo, alpha, head.camera),
        )


def _along_edges(mask: Tensor, photo: Tensor) -> Tensor:
    """A mask (B, 1, S/4, S/4) at a photo's size (B, 3, S, S), by guided filtering of its luma."""
    coarse, guide = enlarge(mask, REDUCTION), luma_of(photo) * 0.5 + 0.5
    return guided_blur(guide, coarse, _EDGE_PX, _EDGE_EPSILON, subsample=2).clamp(0, 1)
