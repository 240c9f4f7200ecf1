"""Small pieces that the networks share."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.tensors import constant

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue (ITU-R BT.601)."""


def sample(images: Tensor, grid: Tensor, mode: str = "bilinear", padding: str = "border") -> Tensor:
    """Look up images (B, C, H, W) at normalised coordinates (B, h, w, 2), in float32."""
    return F.grid_sample(
        images.float(), grid.float(), mode=mode, padding_mode=padding, align_corners=False
    )


def enlarge(x: Tensor, factor: int) -> Tensor:
    """Bilinear upsampling by a whole factor."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def eroded(x: Tensor, width: int = 3) -> Tensor:
    """The smallest value of (B, C, H, W) within squares of that odd width."""
    return -F.max_pool2d(-x, width, 1, width // 2)


def smoothstep(x: Tensor, low: float, high: float) -> Tensor:
    """0 below low, 1 above high, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def luma_of(picture: Tensor) -> Tensor:
    """(B, 1, ·, ·) of pictures (B, 3, ·, ·)."""
    return (picture * constant(LUMA, picture).view(1, 3, 1, 1)).sum(1, keepdim=True)


def softened(x: Tensor) -> Tensor:
    """(B, C, H, W) averaged over 3 x 3 pixels, those beyond the border left out."""
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def interval_of(x: Tensor, ends: Tensor) -> Tensor:
    """Index of the right end of the interval of rising ends (n,) that x lies in, or is nearest."""
    return torch.bucketize(x, ends).clamp(1, len(ends) - 1)


def pull_push(values: Tensor, mask: Tensor, leak: float = 0.02) -> Tensor:
    """Values (B, C, S, S) where mask (B, 1, S, S) is 1, continued smoothly to where it is 0.

    Gortler et al. 1996. S must be a power of two. leak is how much the coarser level weighs where
    a finer one knows something.
    """
    levels = [(values * mask, mask)]
    while levels[-1][0].shape[-1] > 1:
        levels.append(tuple(F.avg_pool2d(x, 2) for x in levels[-1]))
    filled = levels[-1][0] / (levels[-1][1] + 1e-6)
    for known, weight in levels[-2::-1]:
        filled = (known + leak * enlarge(filled, 2)) / (weight + leak)
    return filled


def covered(photo: Tensor, known: Tensor, where: Tensor) -> Tensor:
    """Photos (B, 3, S, S) with the colours of what is known (B, 1, S/4, S/4), continued.

    where: (B, 1, S/2, S/2) how far they are covered.
    """
    colour = F.avg_pool2d(photo, 4) * known / known.clamp_min(1e-3)
    return torch.lerp(photo, enlarge(pull_push(colour, known, 1e-3), 4), enlarge(where, 2))


class ChannelNorm(nn.Module):
    """Root mean square norm over a pixel's channels: one pass, and no statistics over space."""

    def __init__(self, channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        power = x.float().square().mean(1, keepdim=True)
        return x * (torch.rsqrt(power + 1e-4) * self.gain[:, None, None]).to(x.dtype)


class Residual(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut; a condition may scale and shift between them."""

    def __init__(self, inputs: int, outputs: int, condition: int = 0):
        super().__init__()
        self.norm1 = ChannelNorm(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = ChannelNorm(outputs)
        self.conv2 = zero_conv(outputs, outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.film = nn.Linear(condition, 2 * outputs) if condition else None
        if self.film is not None:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.film is not None:
            h = modulate(h, self.film(condition))
        return self.skip(x) + self.conv2(F.silu(h))


def modulate(x: Tensor, scale_and_shift: Tensor) -> Tensor:
    """FiLM: x (B, C, H, W) scaled and shifted by (B, 2C)."""
    scale, shift = scale_and_shift[..., None, None].chunk(2, 1)
    return x * (1 + scale) + shift


def zero_conv(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3 × 3 convolution that starts at nothing."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


def down(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3 × 3 convolution that halves the picture."""
    return nn.Conv2d(inputs, outputs, 3, 2, 1)


def dense(inputs: int, width: int) -> nn.Sequential:
    """Two layers that turn a vector into a condition."""
    return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
