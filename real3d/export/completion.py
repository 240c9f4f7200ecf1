"""What no view showed: the face's other side, the rest of the iris, the surroundings."""

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import pixel_grid
from real3d.export.atlas import Atlas, Texels, chart_middle
from real3d.face.template import (
    CAVITY,
    LEFT_EYE,
    LOWER_TEETH,
    NECK,
    RIGHT_EYE,
    SKIN,
    TONGUE,
    UPPER_TEETH,
)
from real3d.networks.layers import pull_push, sample

UNSEEN = {
    CAVITY: (0.27, 0.11, 0.10),
    UPPER_TEETH: (0.86, 0.82, 0.76),
    LOWER_TEETH: (0.80, 0.76, 0.70),
    TONGUE: (0.58, 0.30, 0.29),
    LEFT_EYE: (0.85, 0.82, 0.80),
    RIGHT_EYE: (0.85, 0.82, 0.80),
    SKIN: (0.75, 0.60, 0.52),
    NECK: (0.75, 0.60, 0.52),
}
"""Colours where too little of a layer was seen."""
_ENOUGH = 0.03
_RINGS = 40
_IRIS, _LIDS = 0.40, 0.75
"""Shares of an eye's chart: the white begins, and what is seen beyond is lid more than eye."""
_EYE_BORDER_PX = 7
"""So much of a seen eye beside the lids is lash and shadow."""


def completed(colour: Tensor, known: Tensor, atlas: Atlas, texels: Texels) -> Tensor:
    """A whole texture (1, 3, S, S) of colours known (1, 1, S, S) here and there.

    Gutters between charts are filled as well, so that no border shows when the texture is reduced.
    """
    layer = texels.image(atlas.layer[texels.triangle][:, None].float() + 1)
    result = torch.zeros_like(colour)
    for which, unseen in UNSEEN.items():
        own = (layer == which + 1).float()
        part, seen = colour, known * own
        if which in (SKIN, NECK):
            part, seen = _mirrored(colour, seen, which)
        elif which in (LEFT_EYE, RIGHT_EYE):
            part, seen = _ringed(colour, seen, own)
        if seen.sum() < _ENOUGH * own.sum():
            part, seen = colour.new_tensor(unseen)[:, None, None].expand_as(colour), own
        result = torch.where(own > 0, pull_push(part, seen), result)
    return _into_gutters(result, layer > 0)


def _into_gutters(colour: Tensor, charted: Tensor) -> Tensor:
    """The nearest chart's colour where there is none."""
    rows, columns = distance_transform_edt(
        ~charted[0, 0].numpy(), return_distances=False, return_indices=True
    )
    return colour[:, :, rows, columns]


def _mirrored(colour: Tensor, seen: Tensor, layer: int) -> tuple[Tensor, Tensor]:
    """Colours with the other side's where only that was seen."""
    size = colour.shape[-1]
    u, v = pixel_grid(size).unbind(-1)
    grid = torch.stack([2 * (2 * chart_middle(layer) - 1) - u, v], -1)[None]
    other = sample(torch.cat([colour * seen, seen], 1), grid, padding="zeros")
    soft = F.avg_pool2d(seen, 9, 1, 4) * seen
    total = soft + 0.02 * other[:, 3:]
    mixed = (colour * soft + 0.02 * other[:, :3]) / total.clamp_min(1e-6)
    return mixed, (total > 1e-3).float()


def _ringed(colour: Tensor, seen: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """An eye whose hidden parts have the mean colour of their distance from the pupil."""
    seen = -F.max_pool2d(-seen, _EYE_BORDER_PX, 1, _EYE_BORDER_PX // 2)
    place = own[0, 0].nonzero().float()
    if seen.sum() < _ENOUGH * own.sum() or not len(place):
        return colour, seen
    low, high = place.amin(0), place.amax(0)
    middle, reach = (low + high) / 2, (high - low).max() / 2
    rows, columns = own[0, 0].nonzero().unbind(1)
    radius = (place - middle).norm(dim=1) / reach
    ring = (radius * _RINGS).long().clamp(0, _RINGS - 1)
    weight = seen[0, 0, rows, columns]
    inks = colour[0, :, rows, columns].T
    total = torch.zeros(_RINGS).index_add_(0, ring, weight)
    mean = torch.zeros(_RINGS, 3).index_add_(0, ring, inks * weight[:, None])
    found = total > 3
    mean[found] /= total[found][:, None]
    order = torch.arange(_RINGS)
    nearest = (order[:, None] - order[found][None]).abs().argmin(1)
    profile = _white_outside(mean[order[found][nearest]])
    soft = F.avg_pool2d(seen, 7, 1, 3)[0, 0, rows, columns] * weight
    result = torch.zeros_like(colour)
    result[0, :, rows, columns] = (profile[ring] + (inks - profile[ring]) * soft[:, None]).T
    return result, own


def _white_outside(profile: Tensor) -> Tensor:
    """Ring colours (R, 3) that beyond the iris are the brightest that was seen there."""
    white = int(_IRIS * len(profile))
    brightest = white + int(profile[white : int(_LIDS * len(profile))].sum(1).argmax())
    return torch.cat([profile[:brightest], profile[brightest:][:1].expand_as(profile[brightest:])])
