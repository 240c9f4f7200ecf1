"""HED-VGG distance: how far apart two pictures are for a network that knows edges and textures.

VGG16 as trained further for edges by HED (Xie & Tu 2015). It is neither LPIPS nor comparable with
it: no weights were fitted to what people find similar.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from real3d.evaluation.observer import OBSERVED_PX, reduced
from real3d.training.perceptual import VGGFeatures


class FeatureDistance:
    """Distance of square pictures; those larger than 256 px are reduced first."""

    def __init__(self, network: VGGFeatures, device: torch.device | str = "cpu"):
        self._network, self._device = network.to(device), torch.device(device)

    @classmethod
    def read(cls, path: Path, device: torch.device | str = "cpu") -> "FeatureDistance":
        """With weights that real3d/training/perceptual_weights.py made.

        Raises Real3DError for a file that is missing or holds something else.
        """
        return cls(VGGFeatures(path), device)

    @torch.inference_mode()
    def maps(self, picture: np.ndarray) -> list[Tensor]:
        """Feature maps of an (S, S, 3) uint8 picture, one for each of four blocks."""
        small = np.ascontiguousarray(reduced(picture, min(len(picture), OBSERVED_PX)))
        pixels = torch.from_numpy(small).to(self._device).permute(2, 0, 1)[None].float() / 255
        return self._network(pixels)

    @staticmethod
    @torch.inference_mode()
    def between(found: list[Tensor], wanted: list[Tensor]) -> float:
        """L1 distance of maps relative to those wanted, mean over the blocks; 0 if they agree."""
        shares = [(f - w).abs().mean() / w.abs().mean() for f, w in zip(found, wanted, strict=True)]
        return float(torch.stack(shares).mean())
