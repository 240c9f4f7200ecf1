"""What lids hide of the eyes.

An eye is much the same all around its pupil. So rings around it, as far as the photo shows them,
tell the colours of the white that appears below when the eye turns up.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from real3d.face.template import EYE_CLASSES, Template
from real3d.networks.layers import eroded, luma_of, sample, smoothstep

_RINGS, _REACH = 12, 0.12
"""How many rings, and the radius of the last, on the template."""
_SPREAD = 0.006
"""How far from a ring a vertex counts for it."""
_KNOWN = 0.5
"""A ring is known when so much of a vertex is shown."""
_BESIDE, _PLACES = 0.024, 7
"""How far a pupil may be from where gaze coefficients have it, and in how many places a row."""
_DOUBT = 60.0
"""What a place's squared distance counts, against the variance of brightness in rings around it."""
_BELOW = (0.0, 0.02)
"""How far below the pupil an eye begins to be out of the upper lid's shade."""
_CORNERS = (0.03, 0.055)
"""How far beside the pupil the corners of an eye begin."""


@dataclass(frozen=True)
class EyeRings:
    """Rings around the left and the right pupil."""

    colours: Tensor
    """(B, 4, 2, 12) of rings, from the pupil outwards, and how well each is known."""
    pupils: Tensor
    """(B, 2, 2) where the pupils are on the template."""

    @classmethod
    @torch.no_grad()
    def of(
        cls, photo: Tensor, classes: Tensor, projected: Tensor, template: Template
    ) -> "EyeRings":
        """Of photos (B, 3, S, S); classes and projected are those of SourceGeometry."""
        both = []
        for side, vertices in enumerate(template.eye_vertices):
            middle, places = template.eye_centres[side], template.vertices[vertices]
            grid = projected[:, vertices, None, :2]
            inside = eroded((classes == EYE_CLASSES[side] + 1).float())
            shown = sample(inside, grid, "nearest", "zeros")[:, 0, :, 0]
            shown = shown * (places[:, 2] < middle[2])
            there = sample(photo, grid)
            luma, colours = luma_of(there)[:, 0, :, 0], there[..., 0]
            pupil = _pupil(luma, shown, places, middle)
            near = _near(places, pupil) * shown[..., None]
            weight = near.sum(1)
            ring = (colours[..., None] * near[:, None]).sum(2) / weight.clamp_min(1e-6)[:, None]
            known = (weight / _KNOWN).clamp(max=1)[:, None]
            both.append((torch.cat([ring, known], 1), pupil))
        colours, pupils = zip(*both, strict=True)
        return cls(torch.stack(colours, 2), torch.stack(pupils, 1))

    @torch.no_grad()
    def at(self, canonical: Tensor) -> tuple[Tensor, Tensor]:
        """Colours (B, 3, S, S) at template positions (B, 3, S, S) of eyes, and how well they are
        known below the pupils: above and in the corners an eye is in the shade."""
        left = canonical[:, :1] > 0
        pupils = self.pupils[..., None, None, None]
        x, y = (torch.where(left, pupils[:, 0, k], pupils[:, 1, k]) for k in (0, 1))
        x, y = canonical[:, :1] - x, canonical[:, 1:2] - y
        side = torch.where(left, -0.5, 0.5)
        grid = torch.stack([torch.hypot(x, y) * (2 / _REACH) - 1, side], -1)[:, 0]
        colour, known = sample(self.colours, grid).split([3, 1], 1)
        below = smoothstep(y, *_BELOW) * (1 - smoothstep(x.abs(), *_CORNERS))
        return colour, known * below


def _pupil(luma: Tensor, shown: Tensor, places: Tensor, middle: Tensor) -> Tensor:
    """(B, 2) around which vertices' brightness (B, V), as far as shown (B, V), is most alike."""
    steps = torch.linspace(-_BESIDE, _BESIDE, _PLACES, device=luma.device)
    beside = torch.cartesian_prod(steps, steps)
    weight = _near(places, middle[:2] + beside) * shown[:, None, :, None]  # (B, K, V, R)
    count, value = weight.sum(2).clamp_min(1e-6), luma[:, None, :, None]
    mean = (weight * value).sum(2) / count
    variance = (weight * (value - mean[:, :, None]).square()).sum((2, 3)) / count.sum(2)
    best = (variance + _DOUBT * beside.square().sum(1)).argmin(1)
    return middle[:2] + beside[best]


def _near(places: Tensor, pupils: Tensor) -> Tensor:
    """(..., V, R) how near vertices (V, 3) are to rings around pupils (..., 2)."""
    rings = (torch.arange(_RINGS, device=places.device) + 0.5) * (_REACH / _RINGS)
    distance = (places[:, :2] - pupils[..., None, :]).norm(dim=-1)
    return torch.exp(-(((distance[..., None] - rings) / _SPREAD) ** 2))
