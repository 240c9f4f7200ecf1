"""How well identity from a clip's first frame explains its other frames: the one-shot residual."""

from dataclasses import dataclass
from pathlib import Path

import torch

from real3d.face.fit import Fitter
from real3d.face.template import SKIN_LANDMARKS, Template
from real3d.training.shards import Shard


@dataclass(frozen=True)
class OneShotConfig:
    """Measure the fit: identity from the first frame of each clip, pose and expression of all."""

    shard: Path
    """Shard of tracked recordings (`python -m finetune_video prepare`)."""

    def run(self) -> str:
        """The figures, in % of the interocular distance."""
        head = Template()
        fitter, shard = Fitter(head), Shard.read(self.shard)
        landmarks = torch.from_numpy(shard.arrays["landmarks"])
        coefficients = torch.from_numpy(shard.arrays["coefficients"])
        first = torch.tensor([clip[0] for clip in shard.clips])
        owner = torch.repeat_interleave(
            torch.arange(len(first)), torch.tensor([len(clip) for clip in shard.clips])
        )
        identity = fitter.source(landmarks[first], coefficients[first]).identity[owner]
        fit = fitter.driven(identity, landmarks, coefficients)
        eyes = (landmarks[:, [33, 133]].mean(1) - landmarks[:, [362, 263]].mean(1)).norm(dim=-1)
        others = torch.ones(len(owner), dtype=torch.bool)
        others[first] = False

        def percent(residual: torch.Tensor) -> float:
            share = residual[..., :2].norm(dim=-1).mean(1) / eyes
            return 100 * float(share[others].mean())

        points = fitter.residual(fit, landmarks)
        mesh = fit.camera.project(head.posed_landmarks(head.posed(identity, fit.coefficients)))
        surface = (mesh - landmarks)[:, :SKIN_LANDMARKS]
        return (
            f"{int(others.sum())} frames of {len(first)} clips: landmarks {percent(points):.2f} %, "
            f"the mesh they bend {percent(surface):.2f} % of the interocular distance"
        )
