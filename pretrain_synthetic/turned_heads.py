"""Photo at one yaw, views at others: picture, matte and depth against exact truth."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from pretrain_synthetic.compare import Depths, Score, score
from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.shown import METHODS, Shot, Shown, shown_from, shrink
from real3d.camera import FOCAL

if TYPE_CHECKING:
    from pretrain_synthetic.heads.scene import Frame
    from pretrain_synthetic.sitting import Sitting
    from real3d.weight_files import Model

METRICS = {
    "psnr_db": ("PSNR inside the head, dB", 1),
    "alpha_iou": ("alpha IoU", 3),
    "depth_percent": ("depth error, % of head depth", 2),
    "normals_deg": ("normals of the face, degrees", 1),
}
"""Field of Score to its heading and decimals."""
FACE = [PARTS.index(name) for name in ("face", "eyes", "mouth")]
HEAD = [*FACE, PARTS.index("hair")]


def compare_turned(sitting: "Sitting", model: "Model") -> dict[str, list[list[Score]]]:
    """Method to (5, 5) scores: rows are the photo's yaw, columns the view's."""
    scores = {method: [] for method in METHODS}
    for source in sitting.turned:
        shown = shown_from(source, sitting.turned, model)
        for method in METHODS:
            pairs = zip(shown[method], sitting.turned, strict=True)
            row = [compare_view(view, shot, sitting.head_depth_dm) for view, shot in pairs]
            scores[method].append(row)
    return scores


def compare_view(view: Shown, shot: Shot, head_depth_dm: float) -> Score:
    """What a method shows against the truth."""
    true, size = shot.view.frame, len(view.picture)
    head = np.isin(true.parts[::2, ::2], HEAD)
    mattes = None if view.matte is None else (view.matte, shrink(true.alpha, size))
    depths = None if view.depth_dm is None else depths_of(view.depth_dm, true, head_depth_dm)
    return score(view.picture, shrink(true.rgb, size), head, mattes, depths)


def depths_of(found: np.ndarray, true: "Frame", head_depth_dm: float) -> Depths:
    """Found depth (n, n) beside the true one, averaged to the same pixels."""
    n = len(found)
    parts = cv2.resize(true.parts, (n, n), interpolation=cv2.INTER_NEAREST)
    depth = shrink(np.where(true.depth > 0, true.depth, np.nan), n)
    return Depths(found, depth, np.isin(parts, HEAD), np.isin(parts, FACE), head_depth_dm, FOCAL)
