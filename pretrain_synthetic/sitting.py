"""A synthetic person photographed for the evaluation: the head turned, and the face moved."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pretrain_synthetic.framing import FACE_SHARE, frame_face
from pretrain_synthetic.heads import PARTS
from pretrain_synthetic.heads.expression import sample_expression
from pretrain_synthetic.heads.light import sample_backdrop
from pretrain_synthetic.heads.turn import HeadTurn
from pretrain_synthetic.landmarks import MESH_COUNT
from pretrain_synthetic.people import sample_expressions
from pretrain_synthetic.shown import Shot
from real3d.camera import FIELD_OF_VIEW_DEG

if TYPE_CHECKING:
    from pretrain_synthetic.heads.scene import Camera
    from pretrain_synthetic.people import Studio

YAWS_DEG = (-60, -30, 0, 30, 60)
_AHEAD = HeadTurn()


@dataclass(frozen=True)
class Sitting:
    """Pictures of one person; camera, chest and light stay, as in a call."""

    turned: list[Shot]
    """One expression with the head at YAWS_DEG."""
    expressions: list[Shot]
    """The frontal head with the EXPRESSIONS of pretrain_synthetic.people."""
    head_depth_dm: float
    """From the nose to the back of the head."""


def photograph(studio: "Studio", seed: int, number: int) -> Sitting:
    """The person's pictures; the same seed gives the same ones."""
    rng = np.random.default_rng([seed, number])
    person = studio.invite(rng)
    amounts = sample_expression(rng, studio.assets)
    points = studio.pose(person, amounts)
    camera = _portrait_camera(points)
    backdrop = sample_backdrop(rng, person.light, camera, studio.renderer.size)
    turned = [
        _shot(studio, points, amounts, camera, backdrop, HeadTurn(float(yaw))) for yaw in YAWS_DEG
    ]
    camera = _portrait_camera(studio.places.points(studio.assets, person.neutral))
    expressions = []
    for amounts in sample_expressions(rng, studio.assets):
        points = studio.pose(person, amounts)
        expressions.append(_shot(studio, points, amounts, camera, backdrop, _AHEAD))
    studio.dismiss()
    body = studio.assets.body
    face = body["face"][body["region"] == PARTS.index("face"), :3].astype(int)
    return Sitting(turned, expressions, float(np.ptp(person.neutral[face, 2])))


def _portrait_camera(points: np.ndarray) -> "Camera":
    """Before the face of landmarks (478, 3)."""
    fov = float(np.deg2rad(FIELD_OF_VIEW_DEG))
    return frame_face(points, (0.0, 0.0, 0.0), fov, FACE_SHARE, np.zeros(2))


def _shot(
    studio: "Studio",
    points: np.ndarray,
    amounts: np.ndarray,
    camera: "Camera",
    backdrop: np.ndarray,
    turn: HeadTurn,
) -> Shot:
    seen = camera.view @ turn.matrix()
    distance = -float((points[:MESH_COUNT] @ seen[2, :3]).mean() + seen[2, 3])
    return Shot(studio.shot(points, amounts, camera, backdrop, turn), distance)
