"""Tiny shards: template heads with painted skin before one colour, drawn by our rasteriser."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from real3d.camera import camera_from_pose
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.fit import Fitter
from real3d.face.rasteriser import Rasteriser
from real3d.face.template import LEFT_EYE, NECK, RIGHT_EYE, SKIN, SKIN_LANDMARKS
from real3d.rotation import rotation_from_euler
from real3d.training.frame_bank import FrameBank
from real3d.training.shards import Shard, TrackedClip, TrackedFrame, encode_webp, write_shard

PEOPLE, FRAMES = 3, 4
REST, OPEN, SHUT, TURNED = range(FRAMES)
"""What a clip's frames show."""
POSES = ((0.05, 0, 0), (-0.1, 0.1, 0), (0.1, 0, 0.05), (0.45, -0.1, 0))
"""Yaw, pitch, roll of a clip's frames, radians."""
_NOSE_TIP = 4
_FACE, _BODY, _EYES, _MOUTH = 2, 3, 5, 6


class Painter:
    """People who differ in shape, place and paint."""

    def __init__(self, template):
        self._template, self._rasteriser = template, Rasteriser(template)

    def clip(self, name: str, kind: str, person: int, frames: int = FRAMES) -> TrackedClip:
        """One person at rest, with an open mouth, with shut eyes, and turned."""
        generator = torch.Generator().manual_seed(person)
        identity = 0.02 * torch.randn(1, 1, 3, generator=generator).expand(frames, 478, 3).clone()
        identity[:, SKIN_LANDMARKS:] = 0
        paint = 2 + 6 * torch.rand(3, 3, generator=generator)
        backdrop = torch.rand(3, generator=generator)
        coefficients = torch.zeros(FRAMES, 52)
        coefficients[OPEN, ARKIT_INDEX["jawOpen"]] = 0.8
        for side in ("Left", "Right"):
            coefficients[SHUT, ARKIT_INDEX[f"eyeBlink{side}"]] = 1.0
        coefficients = coefficients[:frames]
        camera = camera_from_pose(
            rotation_from_euler(torch.tensor(POSES[:frames])),
            torch.full((frames,), 0.75),
            torch.tensor([[0.04 * person, -0.05]]).expand(frames, 2),
        )
        vertices = self._template.posed(identity, coefficients)
        seen = camera.project(vertices)
        images = self._images(seen, paint, backdrop)
        landmarks = camera.project(self._template.posed_landmarks(vertices))
        depths = self._depths(seen, landmarks[:, _NOSE_TIP, 2])
        landmarks = torch.cat([landmarks[..., :2], landmarks[..., 2:] * camera.scale[0]], -1)
        landmarks[..., 2] -= landmarks[:, :SKIN_LANDMARKS, 2].mean(1, keepdim=True)
        parts = self._parts(seen)
        synthetic = kind == "synthetic"
        return TrackedClip(
            name,
            kind,
            [
                TrackedFrame(
                    encode_webp(images[k], 95),
                    encode_webp(np.where(parts[k] > 0, 255, 0).astype(np.uint8), 80),
                    landmarks[k].numpy(),
                    coefficients[k].numpy(),
                    cv2.imencode(".png", parts[k])[1].tobytes() if synthetic else b"",
                    depths[k] if synthetic else None,
                )
                for k in range(frames)
            ],
        )

    def _images(self, seen, paint, backdrop):
        """(F, 128, 128, 3) uint8, waves of colour over the head."""
        raster = self._rasteriser.draw(seen, 128)
        waves = 0.5 + 0.4 * torch.sin(self._template.vertices @ paint.T)
        head = raster.interpolate(waves.expand(len(seen), -1, -1))
        picture = head + (1 - raster.hit) * backdrop.view(1, 3, 1, 1)
        return (picture.permute(0, 2, 3, 1) * 255).byte().numpy()

    def _parts(self, seen):
        """(F, 192, 192) uint8 part labels."""
        triangle = self._rasteriser.draw(seen, 192).triangle
        layer = self._template.layer[triangle.clamp_min(0)]
        parts = torch.full_like(layer, _MOUTH)
        for of_layer, part in (
            (SKIN, _FACE), (NECK, _BODY), (LEFT_EYE, _EYES), (RIGHT_EYE, _EYES),
        ):  # fmt: skip
            parts[layer == of_layer] = part
        return torch.where(triangle >= 0, parts, 0).byte().numpy()

    def _depths(self, seen, nose):
        """(F, 64, 64) float16 behind the nose tip."""
        raster = self._rasteriser.draw(seen, 64)
        behind = seen[..., 2:] - nose[:, None, None]
        return raster.interpolate(behind, empty=9.0)[:, 0].half().numpy()


@pytest.fixture(scope="session")
def data(template, tmp_path_factory) -> Path:
    """A folder of shards: clips of three people, one of them generated, the same as synthetic
    ones, and portraits."""
    folder, painter = tmp_path_factory.mktemp("shards"), Painter(template)
    kinds = ("real", "real", "generated")
    clips = [painter.clip(f"clip{k}", kind, k) for k, kind in enumerate(kinds)]
    write_shard(folder / "clips.npz", clips)
    synthetic = [painter.clip(f"synthetic{k}", "synthetic", k) for k in range(PEOPLE)]
    write_shard(folder / "synthetic_000.npz", synthetic)
    tiers = ("still-B", "still-A", "still-B")
    stills = [painter.clip(f"still{k}", tier, k, frames=1) for k, tier in enumerate(tiers)]
    write_shard(folder / "portraits.npz", stills)
    return folder


@pytest.fixture(scope="session")
def banks(template, data) -> dict[str, FrameBank]:
    """The shards, decoded and fitted."""
    fitter = Fitter(template)
    return {
        path.stem: FrameBank.decoded(Shard.read(path), fitter, 2, torch.device("cpu"))
        for path in sorted(data.glob("*.npz"))
    }
