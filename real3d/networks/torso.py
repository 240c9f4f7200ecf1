"""The torso: the photo's own shoulders, moved by a small flow that depends on the head's turn."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.camera import Camera, pixel_grid
from real3d.networks.config import NetworkConfig
from real3d.networks.layers import Residual, dense, down, enlarge, smoothstep, zero_conv

POSE_WIDTH = 24
"""Numbers that describe the photo's and the wanted pose."""
_CONDITION = 128
_OWN_FLOW = 0.2
_SHOWN, _OWN_OPINION, _OVERRULED = 4.0, 3.0, 0.75
"""Logit of the torso's matte where the photo shows that a place is torso, or is not; the largest of
the network's own, which decides where the photo's head hid the place; and how much less that one
counts where the photo is sure."""
_BELOW = (0.35, 0.6)
"""Heights of the head frame (y down) between which a person begins to be torso."""


@dataclass(frozen=True)
class TorsoMotion:
    """Where each pixel of the torso was in the photo."""

    flow: Tensor
    """(B, 2, S/8, S/8) normalised, added to a pixel's own position."""
    opinion: Tensor
    """(B, 1, S/8, S/8) the network's own logit of the matte; see torso_alpha."""


class Torso(nn.Module):
    """Flow and matte of everything of the person that is not the head."""

    def __init__(self, _: NetworkConfig):
        super().__init__()
        self.condition = dense(POSE_WIDTH, _CONDITION)
        self.edge = nn.Conv2d(8, 48, 3, padding=1)
        self.down1, self.middle = down(48, 64), Residual(64, 64, _CONDITION)
        self.down2, self.deep = down(64, 96), Residual(96, 96, _CONDITION)
        self.up1 = Residual(96 + 64, 64, _CONDITION)
        self.up2 = nn.Conv2d(64 + 48, 32, 3, padding=1)
        self.last = zero_conv(32, 4)

    def forward(
        self,
        photo: Tensor,
        alpha: Tensor,
        head: Tensor,
        turn: Tensor,
        pose: Tensor,
    ) -> TorsoMotion:
        """All maps at S/8.

        photo (B, 3, ·, ·) in [-1, 1], its matte, the wanted head's alpha, turn (B, 2, ·, ·): the
        flow of a plane that turns with the shoulders, pose (B, 24).
        """
        condition = self.condition(pose)
        grid = pixel_grid(photo.shape[-1], photo.device)
        rows = grid[None, None, ..., 1].expand(len(photo), -1, -1, -1)
        edge = F.silu(self.edge(torch.cat([photo, alpha, head, turn, rows], 1)))
        middle = self.middle(self.down1(edge), condition)
        deep = self.deep(self.down2(middle), condition)
        x = self.up1(torch.cat([enlarge(deep, 2), middle], 1), condition)
        x = self.last(F.silu(self.up2(torch.cat([enlarge(x, 2), edge], 1)))).float()
        follow = torch.sigmoid(x[:, :1] - 1)
        flow = follow * turn.clamp(-0.5, 0.5) + _OWN_FLOW * x[:, 1:3]
        return TorsoMotion(flow, _OWN_OPINION * torch.tanh(x[:, 3:] / _OWN_OPINION))


@torch.no_grad()
def shown_torso(alpha: Tensor, head: Tensor, camera: Camera, clothes: Tensor) -> Tensor:
    """(B, 1, S, S) what a photo says about where its torso is, as a logit: 0 where it can't tell.

    alpha (B, 1, S, S) the person's, head (B, 1, S/8, S/8) the head's, which hides what is behind.
    clothes (B, 1, S, S) are torso at whatever height.
    """
    below = smoothstep(camera.heights(head.shape[-1]), *_BELOW)
    beside, below = enlarge(torch.cat([1 - head.float(), below], 1), 8).split(1, 1)
    return _SHOWN * beside * (2 * alpha * torch.maximum(below, clothes) - 1)


def torso_alpha(opinion: Tensor, shown: Tensor) -> Tensor:
    """The matte (B, 1, S, S) of the network's opinion (B, 1, S/8, S/8) and of what is shown."""
    doubt = 1 - _OVERRULED * shown.abs() / _SHOWN
    return torch.sigmoid(shown + enlarge(opinion, 8) * doubt)
