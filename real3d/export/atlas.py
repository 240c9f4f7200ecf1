"""Where the template's layers lie in one texture: charts, seams, and which texel is which point.

The skin is unwrapped around a centre inside the skull, with lids and lips a little apart so that
what a blink shows has texels of its own; the neck around its axis; eyes and teeth from the front,
tongue and cavity from above.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from real3d.export.mesh import Drawable, rasterised
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.template import (
    CAVITY,
    LEFT_EYE,
    LOWER_TEETH,
    NECK,
    RIGHT_EYE,
    SKIN,
    TONGUE,
    UPPER_TEETH,
    Template,
)

_SKULL = (0.0, 0.02, 0.12)
"""What the skin is unwrapped around."""
_UNWRAPPED_WITH = {"eyeBlinkLeft": 0.6, "eyeBlinkRight": 0.6, "jawOpen": 0.25}
_GAP = 0.006
"""Free border of a chart, share of the texture's side."""
_CHARTS = {
    SKIN: (0.0, 0.0, 1.0, 0.70),
    NECK: (0.0, 0.70, 0.60, 0.86),
    CAVITY: (0.0, 0.86, 0.30, 1.0),
    UPPER_TEETH: (0.30, 0.86, 0.60, 0.93),
    LOWER_TEETH: (0.30, 0.93, 0.60, 1.0),
    LEFT_EYE: (0.60, 0.70, 0.80, 0.90),
    RIGHT_EYE: (0.80, 0.70, 1.0, 0.90),
    TONGUE: (0.60, 0.90, 0.80, 1.0),
}
"""Left, top, right, bottom of each layer's chart."""
_SEAM = {SKIN: 0.2, NECK: 0.4}
"""Longitudes beyond a whole turn, for triangles across the seam at the back."""
_EYE_ANGLE = math.radians(80)
"""An eyeball's chart reaches this far from its pole; the rest is squeezed into its border."""


@dataclass(frozen=True)
class Atlas:
    """The template's triangles over repeated vertices, each with a place in the texture."""

    vertex: Tensor
    """(N',) which vertex of the template."""
    uv: Tensor
    """(N', 2) in [0, 1]."""
    triangles: Tensor
    """(M, 3) into the repeated vertices, in the template's order."""
    layer: Tensor
    """(M,)."""


@dataclass(frozen=True)
class Texels:
    """The texels that show a triangle."""

    size: int
    index: Tensor
    """(P,) flat texel numbers."""
    corners: Tensor
    """(P, 3) the triangle's vertices."""
    weights: Tensor
    """(P, 3) barycentric."""
    triangle: Tensor
    """(P,)."""

    def values(self, of_vertices: Tensor) -> Tensor:
        """(P, C) of vertex values (N, C)."""
        return (of_vertices[self.corners] * self.weights[..., None]).sum(1)

    def image(self, values: Tensor) -> Tensor:
        """(1, C, S, S) of texel values (P, C), 0 elsewhere."""
        canvas = values.new_zeros(self.size**2, values.shape[1])
        canvas[self.index] = values
        return canvas.view(1, self.size, self.size, -1).permute(0, 3, 1, 2)


def build_atlas(template: Template) -> Atlas:
    """Charts of all layers; vertices on a chart's border or seam are repeated."""
    open_ = torch.zeros(1, 52)
    for name, value in _UNWRAPPED_WITH.items():
        open_[0, ARKIT_INDEX[name]] = value
    posed = template.posed(torch.zeros(1, 478, 3), open_)[0]
    corners = posed[template.triangles]  # (M, 3, 3)
    flat = corners.new_zeros(*corners.shape[:2], 2)
    for layer, chart in _CHARTS.items():
        own = template.layer == layer
        flat[own] = _placed(_UNWRAP[layer](template, corners[own], posed), chart)
    key = torch.cat([template.triangles.reshape(-1, 1), (flat.view(-1, 2) * 2**14).round()], 1)
    _, number = torch.unique(key, dim=0, return_inverse=True)
    first = torch.zeros(int(number.max()) + 1, dtype=torch.long)
    first[number] = torch.arange(len(number))
    return Atlas(
        template.triangles.reshape(-1)[first],
        flat.view(-1, 2)[first],
        number.view(-1, 3),
        template.layer,
    )


def texels_of(uv: Tensor, triangles: Tensor, height: Tensor, size: int) -> Texels:
    """Texels of a (size, size) texture; where triangles overlap the higher one (N,) counts."""
    projected = torch.cat([uv * 2 - 1, -height[:, None]], 1)
    raster = rasterised(Drawable.two_sided(projected, triangles), projected, size)
    triangle = raster.triangle.view(-1)[raster.pixels]
    return Texels(size, raster.pixels, raster.corners, raster.weights, triangle)


def _placed(unit: Tensor, chart: tuple[float, float, float, float]) -> Tensor:
    left, top, right, bottom = chart
    low = unit.new_tensor([left + _GAP, top + _GAP])
    span = unit.new_tensor([right - left - 2 * _GAP, bottom - top - 2 * _GAP])
    return low + unit.clamp(0, 1) * span


def chart_middle(layer: int) -> float:
    """The u of the face's plane of symmetry in the chart of the skin or of the neck."""
    left, _, right, _ = _CHARTS[layer]
    share = math.pi / (2 * math.pi + _SEAM[layer])
    return left + _GAP + (right - left - 2 * _GAP) * share


def around(points: Tensor, centre: tuple[float, float, float]) -> tuple[Tensor, Tensor, Tensor]:
    """Longitude in [-π, π] (0 ahead, grows to the image's right), latitude (up), distance."""
    x, y, z = (points - points.new_tensor(centre)).unbind(-1)
    flat = (x.square() + z.square()).sqrt()
    return torch.atan2(x, -z), torch.atan2(-y, flat), (flat.square() + y.square()).sqrt()


def _unseamed(longitude: Tensor) -> Tensor:
    """Corners (M, 3) of triangles across the seam at the back get longitudes above π."""
    crossing = longitude.amax(1) - longitude.amin(1) > math.pi
    return torch.where(crossing[:, None] & (longitude < 0), longitude + 2 * math.pi, longitude)


def _sphere(template: Template, corners: Tensor, posed: Tensor) -> Tensor:
    longitude, latitude, _ = around(corners, _SKULL)
    return torch.stack(
        [
            (_unseamed(longitude) + math.pi) / (2 * math.pi + _SEAM[SKIN]),
            (math.pi / 2 - latitude) / math.radians(155),
        ],
        -1,
    )


def _cylinder(template: Template, corners: Tensor, posed: Tensor) -> Tensor:
    longitude, _, _ = around(corners, (0.0, 0.0, 0.3))
    height = corners[..., 1]
    v = (height - height.min()) / (height.max() - height.min())
    return torch.stack([(_unseamed(longitude) + math.pi) / (2 * math.pi + _SEAM[NECK]), v], -1)


def _plane(first: int, second: int) -> Callable[[Template, Tensor, Tensor], Tensor]:
    def flat(template: Template, corners: Tensor, posed: Tensor) -> Tensor:
        seen = corners[..., [first, second]]
        low, high = seen.amin((0, 1)), seen.amax((0, 1))
        return (seen - low) / (high - low)

    return flat


def _eye(side: int) -> Callable[[Template, Tensor, Tensor], Tensor]:
    def flat(template: Template, corners: Tensor, posed: Tensor) -> Tensor:
        arms = corners - template.eye_centres[side]
        off_axis = torch.atan2(arms[..., :2].norm(dim=-1), -arms[..., 2])
        way = torch.nn.functional.normalize(arms[..., :2], dim=-1)
        radius = 0.49 * (off_axis / _EYE_ANGLE).clamp(max=1)
        return 0.5 + way * radius[..., None]

    return flat


_UNWRAP = {
    SKIN: _sphere,
    NECK: _cylinder,
    CAVITY: _plane(0, 1),
    UPPER_TEETH: _plane(0, 1),
    LOWER_TEETH: _plane(0, 1),
    TONGUE: _plane(0, 2),
    LEFT_EYE: _eye(0),
    RIGHT_EYE: _eye(1),
}
