"""The background plate: the photo without the person, completed once and then still."""

import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.networks.layers import enlarge, eroded, pull_push, smoothstep, softened

_REDUCTION = 4
_PERSON = 0.12
_INSIDE, _RIM = 0.9, 5
"""Matte from which on a pixel shows the person alone, if all within a square of so many do."""
_CONTINUED = 25
"""Side of the square around a pixel in which there is person, where its colours are continued."""


def background_plate(photo: Tensor, alpha: Tensor) -> Tensor:
    """(B, 3, S, S) of photos (B, 3, S, S) and mattes (B, 1, S, S).

    Far from the person the photo itself, behind the person its surroundings continued smoothly.
    """
    size = photo.shape[-1]
    reach = 2 * (size // 64) + 1
    person = F.max_pool2d(alpha, reach, 1, reach // 2)
    clear = 1 - smoothstep(person, 0.02, _PERSON)
    share = F.avg_pool2d(clear, _REDUCTION)
    known = F.avg_pool2d(photo * clear, _REDUCTION) / (share + 1e-4)
    filled = enlarge(pull_push(known, share, 1e-3), _REDUCTION)
    return torch.lerp(filled, photo, clear)


@torch.no_grad()
def person_plate(photo: Tensor, alpha: Tensor) -> Tensor:
    """(B, 3, S, S) of photos (B, 3, S, S) and mattes (B, 1, S, S).

    The person's colours end a little beyond the outline, with none of what is behind it at the rim.
    """
    inside = eroded((alpha > _INSIDE).float(), _RIM)
    near = F.max_pool2d(inside, _CONTINUED, 1, _CONTINUED // 2)
    near = F.avg_pool2d(near, _RIM, 1, _RIM // 2, count_include_pad=False)
    continued = pull_push(photo, inside, 1e-3)
    return torch.lerp(photo, continued, near * (1 - softened(inside) * inside))
