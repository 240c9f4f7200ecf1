"""`python -m pretrain_synthetic evaluate`: real3d against the truth, on heads that nobody saw.

A synthetic person is photographed with the head turned by yaw a, reconstructed, and shown turned by
yaw b; camera, chest and light stay, as in a call. The truth of every view is known to the pixel.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pretrain_synthetic.compare import Score, score
from pretrain_synthetic.framing import FACE_SHARE, frame_face
from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.heads.expression import sample_expression
from pretrain_synthetic.heads.light import sample_backdrop
from pretrain_synthetic.heads.turn import HeadTurn
from pretrain_synthetic.matrix_plot import draw_matrices
from pretrain_synthetic.render_shard import StudioConfig
from pretrain_synthetic.split import numbers_of
from real3d.camera import FIELD_OF_VIEW_DEG, HEAD_UNIT_CM
from real3d.errors import Real3DError
from real3d.files import written_beside

if TYPE_CHECKING:
    from torch import Tensor

    from pretrain_synthetic.people import Studio, View
    from real3d.avatar import Avatar
    from real3d.camera import Camera
    from real3d.photo import Portrait
    from real3d.weight_files import Model

logger = logging.getLogger(__name__)
YAWS_DEG = (-60, -30, 0, 30, 60)
METHODS = ("copy", "warp", "real3d")
"""The photo as it is; the photo warped by the mesh alone; the network."""
METRICS = {
    "psnr_db": ("PSNR inside the head, dB", 1),
    "alpha_iou": ("alpha IoU", 3),
    "depth_percent": ("depth error, % of head depth", 2),
}
_HEAD = [PARTS.index(name) for name in ("hair", "face", "eyes", "mouth")]
_UNITS_IN_DM = 10 / HEAD_UNIT_CM


@dataclass(frozen=True)
class Shot:
    """A true view and its camera's distance."""

    view: "View"
    distance_dm: float
    """Of the head's landmarks from the camera."""


@dataclass(frozen=True)
class EvaluateConfig(StudioConfig):
    """Photo at yaw a, views at yaw b: PSNR, alpha IoU and depth error against exact truth."""

    size: int = 512
    """Side of the photos; views are compared at half of it."""
    heads: int = 200
    """People of the part kept back."""
    seed: int = 0
    out: Path = Path("evaluation")
    """Folder of tables.md, results.json and plot.png."""
    weights: Path | None = None
    """A folder of weights; without one, the bundled ones."""
    device: str = "auto"
    """Where the network runs: auto, cpu, cuda or mps."""

    def run(self) -> Path:
        """Measure and write; returns the folder."""
        self.check()
        if self.heads < 1:
            raise Real3DError(f"--heads is {self.heads}, must be 1 or more.")
        from real3d.pipeline import load

        model, studio, everyone = load(self.weights, self.device), self.open(), []
        for number in numbers_of("val", self.seed, 0, self.heads):
            everyone.append(compare_person(studio, model, self.seed, number))
            logger.info("%d of %d heads", len(everyone), self.heads)
        return self._write(everyone, model)

    def _write(self, everyone: list[dict[str, list[list[Score]]]], model: "Model") -> Path:
        self.out.mkdir(parents=True, exist_ok=True)
        means = mean_matrices(everyone)
        lines = ["# Against exact truth", "", *self.environment(model.device)]
        lines += [f"- weights: {model.sha256[:12]}", f"- heads: {self.heads}, seed {self.seed}", ""]
        lines += [*summary(means), ""]
        for metric, (title, decimals) in METRICS.items():
            for method in METHODS:
                if np.isfinite(means[method][metric]).any():
                    table = matrix_table(means[method][metric], decimals)
                    lines += [f"## {title}: {method}", "", table, ""]
        with written_beside(self.out / "tables.md") as partial:
            partial.write_text("\n".join(lines))
        with written_beside(self.out / "results.json") as partial:
            rows = [
                {m: [[asdict(cell) for cell in row] for row in person[m]] for m in METHODS}
                for person in everyone
            ]
            partial.write_text(json.dumps({"yaws_deg": YAWS_DEG, "heads": rows}))
        plot = draw_matrices(
            {title: means["real3d"][metric] for metric, (title, _) in METRICS.items()}, YAWS_DEG
        )
        cv2.imwrite(str(self.out / "plot.png"), plot)
        return self.out


def compare_person(
    studio: "Studio", model: "Model", seed: int, number: int
) -> dict[str, list[list[Score]]]:
    """Method to (5, 5) scores: rows are the photo's yaw, columns the view's."""
    shots, head_depth = photograph(studio, seed, number)
    scores = {method: [] for method in METHODS}
    for source in shots:
        rows = compare_views(source, shots, head_depth, model)
        for method in METHODS:
            scores[method].append(rows[method])
    return scores


def photograph(studio: "Studio", seed: int, number: int) -> tuple[list[Shot], float]:
    """One expression of a person with the head at YAWS_DEG, and the head's depth in decimetres."""
    rng = np.random.default_rng([seed, number])
    person = studio.invite(rng)
    amounts = sample_expression(rng, studio.assets)
    points = studio.pose(person, amounts)
    fov = np.deg2rad(FIELD_OF_VIEW_DEG)
    camera = frame_face(points, (0.0, 0.0, 0.0), fov, FACE_SHARE, np.zeros(2))
    backdrop = sample_backdrop(rng, person.light, camera, studio.renderer.size)
    shots = []
    for yaw in YAWS_DEG:
        turn = HeadTurn(float(yaw))
        seen = camera.view @ turn.matrix()
        distance = -float((points[:468] @ seen[2, :3]).mean() + seen[2, 3])
        shots.append(Shot(studio.shot(points, amounts, camera, backdrop, turn), distance))
    studio.dismiss()
    body = studio.assets.body
    face = body["face"][body["region"] == PARTS.index("face"), :3].astype(int)
    return shots, float(np.ptp(person.neutral[face, 2]))


def compare_views(
    source: Shot, shots: list[Shot], head_depth_dm: float, model: "Model"
) -> dict[str, list[Score]]:
    """Method to the scores of each shot as shown from the source's photo."""
    from real3d.fitting import fit_motion
    from real3d.pipeline import reconstruct, render_geometric_warp

    photo = portrait_of(source.view)
    avatar = reconstruct(photo, model)
    landmarks = np.stack([shot.view.landmarks for shot in shots]).astype(np.float32)
    amounts = np.stack([shot.view.coefficients for shot in shots]).astype(np.float32)
    cameras, coefficients = fit_motion(avatar, landmarks, amounts)
    size = len(source.view.frame.rgb) // 2
    warped = render_geometric_warp(avatar, cameras=cameras, coefficients=coefficients, size=size)
    shown = network_views(avatar, model, cameras, coefficients, size)
    unchanged = shrink(source.view.frame.rgb, size)
    unit = head_depth_dm * _UNITS_IN_DM
    out = {method: [] for method in METHODS}
    for k, (shot, warp, (picture, matte, depth)) in enumerate(
        zip(shots, warped, shown, strict=True)
    ):
        true = shot.view.frame
        truth, head = shrink(true.rgb, size), np.isin(true.parts[::2, ::2], _HEAD)
        scale = float(cameras.translation[k, 2]) / (shot.distance_dm * _UNITS_IN_DM)
        depths = (depth / scale, true.depth[::2, ::2] * _UNITS_IN_DM, unit)
        out["copy"].append(score(unchanged, truth, head))
        out["warp"].append(score(warp, truth, head))
        out["real3d"].append(score(picture, truth, head, (matte, shrink(true.alpha, size)), depths))
    return out


def portrait_of(view: "View") -> "Portrait":
    """A view as a portrait: landmarks and matte are the truth, so that the tracker's errors stay
    out of the figures."""
    from real3d.face.crop import CropWindow
    from real3d.photo import Portrait

    frame, side = view.frame, len(view.frame.rgb)
    return Portrait(
        image=frame.rgb,
        alpha=frame.alpha.astype(np.float32),
        landmarks=view.landmarks.astype(np.float32),
        coefficients=view.coefficients.astype(np.float32),
        window=CropWindow(side / 2, side / 2, side),
        original=frame.rgb,
    )


def network_views(
    avatar: "Avatar", model: "Model", cameras: "Camera", coefficients: "Tensor", size: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Picture (size, size, 3) uint8, matte and depth (size, size) float32 of each of T views.

    Depth is behind the head's origin in the avatar's head units, NaN where the volume is empty.
    """
    import torch

    from real3d.networks.geometry import Head
    from real3d.renderer import encoding_of

    encoding, network = encoding_of(avatar, model), model.network
    for k in range(len(cameras)):
        rows = slice(k, k + 1)
        target = Head(
            encoding.head.identity,
            coefficients[rows].to(model.device),
            cameras[rows].to(model.device),
        )
        with torch.inference_mode(), model.autocast():
            geometry = network.geometry.target(encoding.geometry, target)
            frame = network.render(encoding, geometry, target)
        picture = (frame.image[0].float().permute(1, 2, 0).cpu().numpy() + 1) * 127.5
        seen = frame.volume.alpha[0, 0].float().cpu().numpy() > 0.5
        depth = np.where(seen, frame.volume.depth[0, 0].float().cpu().numpy(), np.nan)
        yield (
            shrink(np.clip(picture + 0.5, 0, 255).astype(np.uint8), size),
            shrink(frame.alpha[0, 0].float().cpu().numpy(), size),
            cv2.resize(depth, (size, size), interpolation=cv2.INTER_NEAREST),
        )


def shrink(image: np.ndarray, size: int) -> np.ndarray:
    """(size, size, ...) of a square picture, averaged."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def summary(means: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """What the frontal photo gives at ±30 degrees, in a line for each method."""
    front, sides = YAWS_DEG.index(0), [YAWS_DEG.index(yaw) for yaw in (-30, 30)]
    lines = []
    for method in METHODS:
        figures = (
            f"{title} {means[method][metric][front, sides].mean():.{decimals}f}"
            for metric, (title, decimals) in METRICS.items()
            if np.isfinite(means[method][metric]).any()
        )
        lines.append(f"- {method}, frontal photo to yaw ±30°: {', '.join(figures)}")
    return lines


def mean_matrices(
    everyone: list[dict[str, list[list[Score]]]],
) -> dict[str, dict[str, np.ndarray]]:
    """Method, then metric, to the mean (5, 5) over people; NaN where nothing was measured."""
    means = {}
    for method in METHODS:
        means[method] = {}
        for metric in METRICS:
            each = np.array(
                [[[getattr(c, metric) for c in row] for row in p[method]] for p in everyone], float
            )
            measured = np.isfinite(each)
            total = np.where(measured, each, 0).sum(0)
            means[method][metric] = np.where(
                measured.any(0), total / np.maximum(measured.sum(0), 1), np.nan
            )
    return means


def matrix_table(values: np.ndarray, decimals: int) -> str:
    """Markdown of values (5, 5)."""
    from real3d.evaluation.tables import number, table

    rows = [
        [f"photo at {yaw}°", *(number(value, decimals) for value in row)]
        for yaw, row in zip(YAWS_DEG, values, strict=True)
    ]
    return table(["", *(f"view at {yaw}°" for yaw in YAWS_DEG)], rows)
