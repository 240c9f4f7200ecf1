"""The torso: the photo's own shoulders, moved by a small flow that depends on the head's turn."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.camera import pixel_grid
from real3d.networks.config import NetworkConfig
from real3d.networks.layers import Residual, dense, down, enlarge, sample, zero_conv

POSE_WIDTH = 24
"""Numbers that describe the photo's and the wanted pose."""
_CONDITION = 128
_OWN_FLOW = 0.2
_SHOWN = 4.0
"""Logit of the torso's matte where the photo shows that a place is torso, or is not."""


@dataclass(frozen=True)
class TorsoMotion:
    """Where each pixel of the torso was in the photo."""

    flow: Tensor
    """(B, 2, S/8, S/8) normalised, added to a pixel's own position."""
    alpha: Tensor
    """(B, 1, S/8, S/8)."""


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
        own_head: Tensor,
        head: Tensor,
        turn: Tensor,
        pose: Tensor,
    ) -> TorsoMotion:
        """All maps at S/8.

        photo (B, 3, ·, ·) in [-1, 1], its matte, its head's alpha, the wanted head's alpha, turn
        (B, 2, ·, ·): the flow of a plane that moves with the head, pose (B, 24).
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
        shown = _SHOWN * (1 - own_head.float()) * (2 * alpha.float() - 1)
        there = sample(shown, grid + flow.permute(0, 2, 3, 1))
        return TorsoMotion(flow, torch.sigmoid(x[:, 3:] + there))
