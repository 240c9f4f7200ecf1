"""What the networks are made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the model; saved beside its weights."""

    image_px: int = 512
    """Side of pictures in and out."""
    plane_channels: int = 32
    """Channels of a tri-plane, of the source's features and of rendered features."""
    encoder: tuple[int, int, int] = (48, 96, 192)
    """Channels of Image-to-Plane's convolutions at 1/4, 1/8 and 1/16 of the picture."""
    token_width: int = 320
    """Width of the transformer."""
    token_depth: int = 6
    """Blocks of the transformer."""
    samples: int = 12
    """Samples on a ray."""
    compositor: tuple[int, int, int, int] = (48, 96, 160, 256)
    """Channels of HTB-SR at 1/2, 1/4, 1/8 and 1/16 of the picture."""
    paints_sides: bool = True
    """Whether the sides of far-turned heads are in HTB-SR's own colours alone, trained for it."""

    @property
    def ray_px(self) -> int:
        """Side of the rendered volume, of the features and of the frontal plane."""
        return self.image_px // 4

    @property
    def flow_px(self) -> int:
        """Side of the maps on which motion is refined, and of the side planes."""
        return self.image_px // 8


SMOKE = NetworkConfig(
    image_px=128, token_width=64, token_depth=2, samples=8, compositor=(16, 24, 32, 48)
)
"""A model small enough to be trained a few steps on a CPU."""
