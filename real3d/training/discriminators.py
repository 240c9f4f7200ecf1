"""Patch discriminators: mouth, eyes, sides and the picture's texture must look photographed."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from real3d.face.template import CLASS_COUNT

_SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """Hinge-loss critic of overlapping patches, spectrally normalised (Miyato et al. 2018)."""

    def __init__(self, inputs: int, width: int, depth: int):
        super().__init__()
        widths = [inputs] + [width * 2**k for k in range(depth)]
        layers = [nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths)]
        layers.append(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        normed = nn.utils.parametrizations.spectral_norm
        self.layers = nn.ModuleList(normed(layer) for layer in layers)
        self.last = normed(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Scores (B, 1, h, w), positive for real, and the maps of all layers."""
        maps = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            maps.append(x)
        return self.last(x), maps


class Discriminators(nn.Module):
    """Of mouths and of eyes, which see the layers too, of sides of heads, which see where on the
    template they are, and of texture."""

    def __init__(self) -> None:
        super().__init__()
        self.mouth = PatchDiscriminator(3 + CLASS_COUNT, 40, 3)
        self.eyes = PatchDiscriminator(3 + CLASS_COUNT, 32, 3)
        self.side = PatchDiscriminator(3 + 3, 48, 4)
        self.texture = PatchDiscriminator(3, 48, 4)

    def forward(self, patches: dict[str, Tensor]) -> dict[str, tuple[Tensor, list[Tensor]]]:
        """Scores and maps of named patches."""
        return {name: getattr(self, name)(x) for name, x in patches.items()}


def critic_loss(real: Tensor, made: Tensor) -> Tensor:
    """Hinge loss of a critic, from its scores; a scalar."""
    return mean(F.relu(1 - real.float())) + mean(F.relu(1 + made.float()))


def mean(x: Tensor) -> Tensor:
    """Mean, or 0 of nothing: a batch may have no photo that a critic could look at."""
    return x.sum() / max(x.numel(), 1)
