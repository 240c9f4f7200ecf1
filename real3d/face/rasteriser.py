"""A z-buffer rasteriser in plain torch, for batches of posed template heads.

Every triangle lists the pixel centres of its bounding box, tests them and writes depth and its own
number, packed into one integer, by an atomic minimum. Slow and obvious twins, a loop and pyrender,
are in the tests.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from real3d.face.template import CAVITY, Template
from real3d.tensors import constant

_NOTHING = 2**31 - 1
_TRIANGLE_BITS = 14
_DEPTH_STEPS = 2**17 - 1
_DEPTH_RANGE = 1.6
"""Depths within ± this of the head's origin are told apart."""
_PUSH = (0.0, 0.0, 0.035, 0.035, 0.035, 0.035, 0.02, 0.02)
"""How much deeper a layer lies for the depth test: skin covers inner ones that touch it."""
_SLACK = 1e-4


@dataclass(frozen=True)
class Raster:
    """Which triangle a pixel shows, and where in it."""

    triangle: Tensor
    """(B, S, S) int64, -1 where there is none."""
    pixels: Tensor
    """(P,) flat indices of the pixels that show a triangle; B · S · S for none of them."""
    corners: Tensor
    """(P, 3) flat indices into (B · N) of their triangles' vertices."""
    weights: Tensor
    """(P, 3) barycentric weights of the pixel centres."""
    whole: Tensor
    """(B,) bool, whether there was room for all triangles."""

    @property
    def hit(self) -> Tensor:
        """(B, 1, S, S) float, 1 where there is a triangle."""
        return (self.triangle >= 0)[:, None].float()

    def at_pixels(self, values: Tensor) -> Tensor:
        """(P, C) of vertex values (B, N, C)."""
        flat = values.reshape(-1, values.shape[-1])
        a, b, c = self.corners.unbind(1)
        w = self.weights.to(flat.dtype)
        return flat[a] * w[:, :1] + flat[b] * w[:, 1:2] + flat[c] * w[:, 2:]

    def image(self, at_pixels: Tensor, empty: float = 0.0) -> Tensor:
        """(B, C, S, S) of values at the pixels (P, C)."""
        b, s, _ = self.triangle.shape
        canvas = at_pixels.new_full((b * s * s + 1, at_pixels.shape[1]), empty)
        canvas[self.pixels] = at_pixels
        return canvas[:-1].view(b, s, s, at_pixels.shape[1]).permute(0, 3, 1, 2)

    def interpolate(self, values: Tensor, empty: float = 0.0) -> Tensor:
        """(B, C, S, S) of vertex values (B, N, C)."""
        return self.image(self.at_pixels(values), empty)


class Rasteriser:
    """The template's triangles, ready to be drawn."""

    def __init__(self, template: Template):
        self._triangles = template.triangles
        self._push = constant(_PUSH, template.vertices)[template.layer]
        self._two_sided = template.layer == CAVITY

    def draw(self, projected: Tensor, size: int, room: int | None = None) -> Raster:
        """Draw vertices (B, N, 3), from Camera.project: u, v and depth. Back faces are culled.

        room: for so many pixels of boxes is there memory, in each of B pictures on average. With
        it all shapes are known before, the raster's P is B · S · S, and a GPU need not be waited
        for.
        """
        batch, count, device = len(projected), len(self._triangles), projected.device
        corners = projected[:, self._triangles]
        xy = (corners[..., :2] + 1) * (size / 2) - 0.5
        z = corners[..., 2] + self._push[:, None]
        first = xy.amin(2).ceil().clamp(0, size)
        last = xy.amax(2).floor().clamp(-1, size - 1)
        extent = (last - first + 1).clamp_min(0).long()
        e1, e2 = xy[:, :, 1] - xy[:, :, 0], xy[:, :, 2] - xy[:, :, 0]
        area = e1[..., 0] * e2[..., 1] - e1[..., 1] * e2[..., 0]
        faces_us = (area < 0) | self._two_sided  # v points down, so front faces turn the other way
        drawn = (area.abs() > 1e-6) & faces_us
        boxes = torch.where(drawn, extent[..., 0] * extent[..., 1], 0)

        slots = _slots(boxes, room)
        owner, place = slots.owner, slots.place
        width = extent.view(-1, 2)[owner, 0].clamp_min(1)
        row = torch.div(place, width, rounding_mode="floor")
        corner = first.view(-1, 2)[owner]
        x, y = corner[:, 0] + (place - row * width), corner[:, 1] + row

        # Barycentric weights are affine in x, y: three coefficients each, per triangle.
        inverse = 1 / torch.where(drawn, area, 1.0)
        origin = xy[:, :, 0]
        b1 = torch.stack([e2[..., 1], -e2[..., 0]], -1) * inverse[..., None]
        b2 = torch.stack([-e1[..., 1], e1[..., 0]], -1) * inverse[..., None]
        c1, c2 = -(b1 * origin).sum(-1), -(b2 * origin).sum(-1)
        dz1, dz2 = z[..., 1] - z[..., 0], z[..., 2] - z[..., 0]
        plane = torch.stack(
            [
                *b1.unbind(-1),
                c1,
                *b2.unbind(-1),
                c2,
                b1[..., 0] * dz1 + b2[..., 0] * dz2,
                b1[..., 1] * dz1 + b2[..., 1] * dz2,
                c1 * dz1 + c2 * dz2 + z[..., 0],
            ],
            -1,
        ).view(-1, 9)[owner]
        w1 = plane[:, 0] * x + plane[:, 1] * y + plane[:, 2]
        w2 = plane[:, 3] * x + plane[:, 4] * y + plane[:, 5]
        depth = plane[:, 6] * x + plane[:, 7] * y + plane[:, 8]
        inside = (w1 >= -_SLACK) & (w2 >= -_SLACK) & (w1 + w2 <= 1 + _SLACK)

        step = ((depth + _DEPTH_RANGE).clamp(0, 2 * _DEPTH_RANGE)) * (
            _DEPTH_STEPS / (2 * _DEPTH_RANGE)
        )
        key = (step.long() << _TRIANGLE_BITS) + owner % count
        key = torch.where(inside & slots.filled, key, _NOTHING).int()
        image = torch.div(owner, count, rounding_mode="floor")
        pixel = image * (size * size) + y.long() * size + x.long()
        if room is not None:  # slots that are not filled leave all as it is, each another pixel
            pixel = pixel % (batch * size * size)
        buffer = torch.full((batch * size * size,), _NOTHING, dtype=torch.int32, device=device)
        buffer.scatter_reduce_(0, pixel, key, "amin")
        triangle = torch.where(buffer == _NOTHING, -1, buffer & (2**_TRIANGLE_BITS - 1)).long()
        shown = (triangle >= 0).nonzero()[:, 0] if room is None else None
        triangle = triangle.view(batch, size, size)
        return self._raster(triangle, shown, xy, projected.shape[1], slots.whole)

    def _raster(
        self, triangle: Tensor, shown: Tensor | None, xy: Tensor, vertices: int, whole: Tensor
    ) -> Raster:
        """Weights at the shown pixels (P,), or None: at all of them."""
        size, flat = triangle.shape[-1], triangle.view(-1)
        pixels = torch.arange(len(flat), device=flat.device) if shown is None else shown
        image = torch.div(pixels, size * size, rounding_mode="floor")
        which = flat[pixels].clamp_min(0)
        a, b, c = xy[image, which].unbind(1)
        inside = pixels - image * (size * size)
        v = torch.div(inside, size, rounding_mode="floor")
        point = torch.stack([inside - v * size, v], -1).to(xy.dtype)
        d, e1, e2 = point - a, b - a, c - a
        area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
        w1 = (d[:, 0] * e2[:, 1] - d[:, 1] * e2[:, 0]) / area
        w2 = (d[:, 1] * e1[:, 0] - d[:, 0] * e1[:, 1]) / area
        weights = torch.stack([1 - w1 - w2, w1, w2], -1).clamp(-0.2, 1.2)
        corners = self._triangles[which] + (image * vertices)[:, None]
        if shown is None:
            pixels = torch.where(flat >= 0, pixels, len(flat))
        return Raster(triangle, pixels, corners, weights, whole)


@dataclass(frozen=True)
class _Slots:
    """Pixels of boxes, box after box."""

    owner: Tensor
    """(F,) which of B · M boxes."""
    place: Tensor
    """(F,) number of the pixel in its box."""
    filled: Tensor
    """(F,) bool, False where there are no boxes any more."""
    whole: Tensor
    """(B,) bool, whether all boxes of a picture have theirs."""


def _slots(boxes: Tensor, room: int | None) -> _Slots:
    """As many slots as boxes (B, M) have pixels, or B · room."""
    flat = boxes.flatten()
    ends = flat.cumsum(0)
    if room is None:
        owner = torch.repeat_interleave(flat)
        slot = torch.arange(len(owner), device=flat.device)
    else:
        slot = torch.arange(len(boxes) * room, device=flat.device)
        owner = torch.searchsorted(ends, slot, right=True).clamp_max(len(flat) - 1)
    whole = boxes.sum(1).cumsum(0) <= len(slot)
    return _Slots(owner, slot - (ends - flat)[owner], slot < flat.sum(), whole)
