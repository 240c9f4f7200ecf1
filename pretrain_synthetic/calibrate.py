"""Correct the template's shapes by regression on tracked frames.

A tracker's coefficient and a modelled shape of the same name move a face differently. Frames of
people whose identity comes from another frame show by how much: the landmarks' residuals, turned
into the head frame, are regressed on the coefficients' change since that frame.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pretrain_synthetic.dental_arches import lower_teeth_moves
from real3d.camera import Camera
from real3d.face.blendshapes import ARKIT_NAMES
from real3d.face.fit import Fitter
from real3d.face.mirror import Mirror
from real3d.face.template import (
    LEFT_EYE,
    LOWER_TEETH,
    RIGHT_EYE,
    SKIN_LANDMARKS,
    UPPER_TEETH,
    Template,
)
from real3d.files import written_beside
from real3d.rotation import euler_from_rotation
from real3d.training.shards import Shard

_MAX_TURN = np.radians(32)
_RIDGE = 12.0
_ROUNDS = 3
_LID_REACH = 0.12
"""Radius around an eye in which the blink keeps its lids' travel, head units."""
_MIDDLE_WIDTH = 0.2
"""Band around the middle of the face in which left gives way to right, head units."""
_WHOLE_FACE = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Their sides are directions."""
_ASKED = 0.25
"""A frame tells about a shape in the table when the coefficient changed by this much."""


@dataclass(frozen=True)
class Residuals:
    """What the shapes leave unexplained."""

    change: Tensor
    """(F, 52) coefficients minus those of the frame that gave the identity."""
    missing: Tensor
    """(F, 478, 3) head units in the head frame; its depth is zero."""
    error: Tensor
    """(F, 468) share of the interocular distance."""


def measure(fitter: Fitter, shard: Shard, sources_per_clip: int = 2) -> Residuals:
    """Residuals of all near-frontal frames of a shard, pose fitted and coefficients as tracked."""
    landmarks = torch.from_numpy(shard.arrays["landmarks"])
    coefficients = torch.from_numpy(shard.arrays["coefficients"])
    pairs = [
        (clip[int((k + 0.5) * len(clip) / sources_per_clip)], frame)
        for clip in shard.clips
        for k in range(sources_per_clip)
        for frame in clip
    ]
    source, frame = torch.tensor(pairs).T
    parts = []
    for s, f in zip(source.split(512), frame.split(512), strict=True):
        kept, inverse = s.unique(return_inverse=True)
        identity = fitter.source(landmarks[kept], coefficients[kept]).identity[inverse]
        parts.append(_residuals(fitter, identity, landmarks[f], coefficients[s], coefficients[f]))
    return Residuals(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _residuals(
    fitter: Fitter, identity: Tensor, landmarks: Tensor, before: Tensor, now: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    scaled = fitter.template.with_lid_gain(identity, now)
    face = fitter.mean + identity + torch.einsum("be,ekc->bkc", scaled, fitter.shapes)
    camera: Camera = fitter._pose(face, landmarks, None)
    depth = camera.to_camera(face)[..., 2] - camera.translation[:, 2:]
    missing = camera.unproject(landmarks[..., :2], depth) - face
    missing[..., 2] = 0
    eyes = landmarks[:, [33, 133], :].mean(1) - landmarks[:, [362, 263], :].mean(1)
    seen = (camera.project(face) - landmarks)[:, :SKIN_LANDMARKS, :2].norm(dim=-1)
    error = seen / eyes.norm(dim=-1, keepdim=True)
    turn = euler_from_rotation(camera.rotation)[:, :2].abs().amax(1)
    good = (turn < _MAX_TURN) & (error.mean(1) < 0.12)
    change = (scaled - fitter.template.with_lid_gain(identity, before))[good]
    return change, missing[good], error[good]


def regress(residuals: Residuals, allowed: Tensor, ridge: float = _RIDGE) -> Tensor:
    """(52, 478, 3) corrections of the landmarks' shapes; irises are left alone.

    allowed: (52, 478) in [0, 1], how far a shape may explain a landmark. A landmark's ridge
    regression sees the coefficients scaled by it, so that what one shape may not explain falls to
    the others.
    """
    x, allowed = residuals.change, allowed.mT
    normal = allowed[:, :, None] * (x.mT @ x) * allowed[:, None] + ridge * torch.eye(x.shape[1])
    explained = (x.mT @ residuals.missing.flatten(1)).unflatten(1, (-1, 3)).transpose(0, 1)
    explained = explained * allowed[..., None]
    corrections = (torch.linalg.solve(normal, explained) * allowed[..., None]).transpose(0, 1)
    corrections[:, SKIN_LANDMARKS:] = 0
    return corrections


@dataclass(frozen=True)
class CalibrateConfig:
    """Correct a template's shapes on tracked frames, and print what that changed."""

    shard: Path
    """Tracked frames of recordings, as `python -m finetune_video prepare` writes them."""
    template: Path
    """The template to correct, uncalibrated as `template` writes it."""
    out: Path = Path("template.npz")

    def run(self) -> Path:
        """Calibrate and write; returns the file's path."""
        arrays, report = calibrate(Shard.read(self.shard), self.template)
        with written_beside(self.out) as partial:
            np.savez_compressed(partial, **arrays)
        print(report)
        return self.out


def calibrate(frames: Shard, template: Path) -> tuple[dict[str, np.ndarray], str]:
    """A template's arrays with shapes corrected on a shard's frames, and a table of the errors."""
    head = Template(template)
    before = residuals = measure(Fitter(head), frames)
    mirror = Mirror(head)
    allowed = correctable(head)
    layers = head.vertex_layer
    rigid = torch.isin(layers, torch.tensor([LEFT_EYE, RIGHT_EYE, UPPER_TEETH, LOWER_TEETH]))
    for _ in range(_ROUNDS):
        corrections = regress(residuals, allowed)
        corrections = (corrections + mirror.offsets(corrections[mirror.coefficients])) / 2
        moved = torch.einsum("nk,ekc->enc", head.spread, corrections)
        moved[:, rigid] = 0
        head.shapes += moved
        residuals = measure(Fitter(head), frames)
    jaw = torch.from_numpy(lower_teeth_moves(head.landmark_shapes().numpy())).float()
    head.shapes[:, layers == LOWER_TEETH] = jaw[:, None]
    with np.load(template) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["shapes"] = head.shapes.numpy().astype(np.float16)
    return arrays, table(before, residuals)


def correctable(head: Template) -> Tensor:
    """(52, 478) how far a shape may be corrected at a landmark.

    Lids keep the travel that shuts them: no tracker ever reports 1 for an eye that is just shut, so
    regression would leave it ajar. A shape of one side stays on its side: both sides mostly move
    together, so regression would let each of them move the whole face by half.
    """
    allowed = torch.ones(len(ARKIT_NAMES), len(head.landmarks))
    for side, (end, sign) in enumerate((("Left", 1), ("Right", -1))):
        ramp = (0.5 + sign * head.landmarks[:, 0] / _MIDDLE_WIDTH).clamp(0, 1)
        for index, name in enumerate(ARKIT_NAMES):
            if name.endswith(end) and name not in _WHOLE_FACE:
                allowed[index] = ramp
        away = (head.landmarks - head.eye_centres[side])[:, :2].norm(dim=-1)
        lids = ((away - _LID_REACH) / _LID_REACH).clamp(0, 1)
        allowed[ARKIT_NAMES.index(f"eyeBlink{end}")] *= lids
    return allowed


def table(before: Residuals, after: Residuals) -> str:
    """Markdown: landmark error where a coefficient changed, before and after the correction."""
    lines = ["| shape | frames | before, % of interocular | after |", "|---|---|---|---|"]
    for index, name in enumerate(ARKIT_NAMES):
        row = []
        for residuals in (before, after):
            asked = residuals.change[:, index].abs() > _ASKED
            row += [int(asked.sum()), 100 * float(residuals.error[asked].mean())]
        if row[0]:
            lines.append(f"| {name} | {row[0]} | {row[1]:.2f} | {row[3]:.2f} |")
    means = (100 * float(residuals.error.mean()) for residuals in (before, after))
    lines.append("| all | {} | {:.2f} | {:.2f} |".format(len(before.error), *means))
    return "\n".join(lines)
