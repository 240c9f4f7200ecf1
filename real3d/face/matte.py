"""From a coarse person mask to a soft matte: guided filtering along the photo's own edges."""

import numpy as np
import torch
from kornia.filters import guided_blur

from real3d.device import few_threads


@few_threads()
def refine_matte(image: np.ndarray, mask: np.ndarray, radius: float = 0.02) -> np.ndarray:
    """Matte (H, W) float32 in [0, 1] of an (H, W, 3) uint8 RGB picture from a coarse (H, W) mask.

    radius is a share of the picture's height. Guided filter of He et al. 2010 with the picture as
    its guide, then contrast so that the inside is 1 and the outside 0.
    """
    guide = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]
    coarse = torch.from_numpy(mask.astype(np.float32))[None, None]
    size = 2 * max(1, round(radius * image.shape[0])) + 1
    soft = guided_blur(guide, coarse, size, 1e-4, subsample=2 if size > 7 else 1)
    return ((soft[0, 0] - 0.08) / 0.84).clamp(0, 1).numpy()
