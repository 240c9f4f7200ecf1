"""Image-to-Plane: a photo, unwrapped onto the frontal template, to three feature planes.

High-resolution convolutions keep texture; a vision transformer's blocks on the frontal tokens and
on learned tokens for the two side planes carry the global view (Trevithick et al. 2023).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.networks.config import NetworkConfig
from real3d.networks.geometry import SourceGeometry
from real3d.networks.layers import Residual, down, enlarge, sample
from real3d.torchvision_compat import import_timm

_HEAD_WIDTH = 64


@dataclass(frozen=True)
class Planes:
    """What a photo says about a head, in template space."""

    frontal: Tensor
    """(B, C, S/4, S/4) over x, y."""
    side: Tensor
    """(B, C, S/8, S/8) over z (right), y (down)."""
    top: Tensor
    """(B, C, S/8, S/8) over x (right), z (down)."""
    hidden: Tensor
    """(B, 128, S/8, S/8) frontal features that the Motion Adapter starts from."""
    confidence: Tensor
    """(B, 1, S/4, S/4) how much of the frontal plane the photo showed."""


class ImageToPlane(nn.Module):
    """One photo to planes."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        block = import_timm().models.vision_transformer.Block
        width, channels = config.token_width, config.plane_channels
        self._tokens = config.image_px // 16
        heads = max(1, width // _HEAD_WIDTH)
        edge, middle, deep = config.encoder
        self.edge = nn.Conv2d(channels + 10, edge, 3, padding=1)
        self.down1 = down(edge, middle)
        self.middle = Residual(middle, middle)
        self.down2 = down(middle, deep)
        self.deep = Residual(deep, deep)
        self.embed = nn.Conv2d(deep, width, 1)
        frontal, sides = self._tokens**2, 2 * (self._tokens // 2) ** 2
        self.position = nn.Parameter(torch.randn(1, frontal, width) * 0.02)
        self.side_tokens = nn.Parameter(torch.randn(1, sides, width) * 0.02)
        self.blocks = nn.ModuleList(
            block(width, heads, qkv_bias=True) for _ in range(config.token_depth)
        )
        self.norm = nn.LayerNorm(width)
        self.up1 = Residual(width + middle, 128)
        self.up2 = Residual(128 + edge, 64)
        self.to_frontal = nn.Conv2d(64, channels, 1)
        self.side1, self.side2 = Residual(width, 128), Residual(128, 64)
        self.to_sides = nn.Conv2d(64, 2 * channels, 1)

    def forward(
        self,
        photo: Tensor,
        alpha: Tensor,
        features: Tensor,
        geometry: SourceGeometry,
        frontal_depth: Tensor,
    ) -> Planes:
        """Planes of photos (B, 3, S, S) in [-1, 1], their mattes and features (B, C, S/4, S/4)."""
        uv, seen = geometry.frontal_uv, geometry.frontal_seen
        size = features.shape[-1]
        small = F.avg_pool2d(torch.cat([photo, alpha], 1), photo.shape[-1] // size)
        shown = sample(torch.cat([small, features.float()], 1), uv)
        image, rest = shown[:, :3], shown[:, 3:]
        depth = frontal_depth.expand(len(photo), -1, -1, -1)
        x = torch.cat([image, image.flip(3), seen, seen.flip(3), rest, depth], 1)
        edge = F.silu(self.edge(x))
        middle = self.middle(self.down1(edge))
        tokens = self.embed(self.deep(self.down2(middle))).flatten(2).mT + self.position
        tokens = torch.cat([tokens, self.side_tokens.expand(len(tokens), -1, -1)], 1)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens).mT
        frontal, sides = tokens.split([self._tokens**2, tokens.shape[2] - self._tokens**2], 2)
        frontal = frontal.unflatten(2, (self._tokens, self._tokens))
        hidden = self.up1(torch.cat([enlarge(frontal, 2), middle], 1))
        plane = self.to_frontal(self.up2(torch.cat([enlarge(hidden, 2), edge], 1)))
        half = self._tokens // 2
        sides = torch.cat(sides.chunk(2, 2)).unflatten(2, (half, half))
        sides = self.to_sides(self.side2(enlarge(self.side1(enlarge(sides, 2)), 2)))
        side, top = sides.chunk(2)
        channels = plane.shape[1]
        return Planes(plane, side[:, :channels], top[:, channels:], hidden, seen)


def fuse(planes: list[Planes]) -> Planes:
    """Planes of several photos of one person as one, weighted by what each photo showed."""
    weights = torch.softmax(torch.stack([4 * p.confidence for p in planes]), 0)
    overall = weights.mean((-1, -2), keepdim=True)
    half = F.avg_pool2d(weights.flatten(0, 1), 2).unflatten(0, weights.shape[:2])

    def blend(name: str, weight: Tensor) -> Tensor:
        stacked = torch.stack([getattr(p, name) for p in planes])
        return (stacked * weight).sum(0).to(stacked.dtype)

    return Planes(
        blend("frontal", weights),
        blend("side", overall),
        blend("top", overall),
        blend("hidden", half),
        torch.stack([p.confidence for p in planes]).amax(0),
    )
