"""Motion Adapter: what an expression changes beyond moving the surface, as a residual plane.

It sees the frontal displacement maps (PNCC) of the photo's and of the wanted pose and both
coefficient vectors: shading of folds, lips and lids, which geometry alone does not give. The
network takes its plane with the wanted coefficients for mouth and eyes, with the photo's own for
the face around them, and none beside the face.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.networks.config import NetworkConfig
from real3d.networks.layers import Residual, dense, enlarge, modulate, zero_conv

_WIDTH, _CONDITION, _HIDDEN, _COEFFICIENTS = 64, 256, 128, 52
_MOVE_SCALE = 5.0


class MotionAdapter(nn.Module):
    """Residual of the frontal plane."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.condition = dense(2 * _COEFFICIENTS, _CONDITION)
        self.first = nn.Conv2d(_HIDDEN + 6, _WIDTH, 3, padding=1)
        self.film = nn.Linear(_CONDITION, 2 * _WIDTH)
        self.body = Residual(_WIDTH, _WIDTH, _CONDITION)
        self.last = zero_conv(_WIDTH, config.plane_channels)

    def forward(self, hidden: Tensor, moves: Tensor, *coefficients: Tensor) -> list[Tensor]:
        """Planes (B, C, S/4, S/4) to add to the frontal one, one for each vector of coefficients.

        hidden: (B, 128, S/8, S/8). moves: (B, 6, S/4, S/4) frontal displacements of the photo and
        of the wanted pose. coefficients: (B, 104) wanted and the photo's.
        """
        x = self.first(torch.cat([hidden, F.avg_pool2d(moves, 2) * _MOVE_SCALE], 1))
        return [self._plane(x, self.condition(given)) for given in coefficients]

    def _plane(self, x: Tensor, condition: Tensor) -> Tensor:
        x = self.body(modulate(x, self.film(condition)), condition)
        return enlarge(self.last(F.silu(x)), 2)
