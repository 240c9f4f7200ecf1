"""One-shot fit of the template head to tracked landmarks, in batches.

Identity comes from one frame and then stays; pose and expression of other frames are found with it
held. Landmarks are (B, 478, 3) in the picture's normalised coordinates, z away from the camera at
the same scale, as `real3d.face.crop` gives them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from real3d.camera import FOCAL, Camera
from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.face.template import EYE_RINGS, IRISES, SKIN_LANDMARKS, Template
from real3d.rotation import rotation_from_vector

_OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Landmarks of the face's outline, which slide over the skin when the head turns."""
_DEPTH_TRUST = 0.75
"""Share of the tracker's depth that identity takes over; it exaggerates."""
_DEPTH_WEIGHT = 0.25
_STEPS = 5
_IDENTITY_ROUNDS = 4
_REFINE_ROUNDS = 2
_RIDGE, _GAZE_RIDGE = 0.02, 0.002
_OPPOSED = [
    (ARKIT_INDEX[f"eyeLook{one}{side}"], ARKIT_INDEX[f"eyeLook{other}{side}"])
    for one, other in (("Out", "In"), ("Up", "Down"))
    for side in ("Left", "Right")
]
_INNER_LIPS = ((13, 82, 312, 81, 311), (14, 87, 317, 178, 402))
"""Landmarks of the upper and the lower inner lip, one above the other."""
_PARTING = {
    **dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight"), 1.0),
    **dict.fromkeys(("mouthLowerDownLeft", "mouthLowerDownRight"), 1.0),
    "jawOpen": 0.01,
}
"""How readily shapes part lips: teeth of a smile show without a lower jaw."""
_GAZE = [index for name, index in ARKIT_INDEX.items() if name.startswith("eyeLook")]


@dataclass(frozen=True)
class Fit:
    """Faces of frames in terms of the template."""

    identity: Tensor
    """(B, 478, 3) landmark offsets from the mean head, head units."""
    camera: Camera
    coefficients: Tensor
    """(B, 52)."""


class Fitter:
    """The template's landmarks and shapes on one device, ready to be fitted."""

    def __init__(self, template: Template):
        self.template = template
        self.mean = template.landmarks
        self.shapes = template.landmark_shapes()
        like = {"device": self.mean.device}
        outline = torch.tensor(_OUTLINE, **like)
        self._pose_weight = torch.ones(len(self.mean), **like)
        lips = (self.mean[:, 1] > 0.25) & (self.mean[:, 0].abs() < 0.25)
        self._pose_weight[lips] = 0.35
        self._pose_weight[outline] *= 0.4
        self._pose_weight[SKIN_LANDMARKS:] = 0
        self._skin = torch.ones(len(self.mean), **like)
        self._skin[SKIN_LANDMARKS:] = 0
        self._refine_weight = torch.ones(len(self.mean), **like)
        self._refine_weight[outline] = 0.3
        self._refine_weight[SKIN_LANDMARKS:] = 2
        readily = torch.tensor([_PARTING.get(name, 0.0) for name in ARKIT_NAMES], **like)
        apart = lip_gap(self.shapes)
        self._parting = readily * apart / (readily * apart * apart).sum()

    def source(self, landmarks: Tensor, coefficients: Tensor) -> Fit:
        """Identity, pose and gaze of B people from one frame each.

        coefficients: (B, 52) as tracked. The gaze is corrected by the irises, and what parts the
        lips by so much that they meet at rest; identity explains everything else.
        """
        identity = torch.zeros_like(landmarks)
        camera = None
        for _ in range(_IDENTITY_ROUNDS):
            coefficients = self._parted(coefficients, lip_gap(identity))
            moved = self._expression(identity, coefficients)
            camera = self._pose(self.mean + identity + moved, landmarks, camera)
            found = self._unproject(landmarks, camera) - moved
            offset = (found - self.mean) * found.new_tensor([0.98, 0.98, _DEPTH_TRUST])
            aligned = _similarity(self.mean + offset, self.mean, self._skin)
            identity = self._with_irises(aligned - self.mean)
        moved = self._expression(identity, coefficients)
        camera = self._pose(self.mean + identity + moved, landmarks, camera)
        fit = Fit(identity, camera, coefficients)
        return Fit(
            identity, camera, self._refined(fit, landmarks, coefficients, _GAZE, _GAZE_RIDGE)
        )

    def driven(self, identity: Tensor, landmarks: Tensor, coefficients: Tensor) -> Fit:
        """Pose and expression of B frames of people whose identity (B, 478, 3) is known."""
        tracked, camera = coefficients, None
        for round_ in range(_REFINE_ROUNDS + 1):
            moved = self._expression(identity, coefficients)
            camera = self._pose(self.mean + identity + moved, landmarks, camera)
            if round_ == 0:
                seen = self._unproject(landmarks, camera)
                tracked = self._parted(tracked, lip_gap(seen - self.mean - identity - moved))
            if round_ < _REFINE_ROUNDS:
                fit = Fit(identity, camera, coefficients)
                coefficients = self._refined(fit, landmarks, tracked, None, _RIDGE)
        fit = Fit(identity, camera, coefficients)
        return Fit(
            identity, camera, self._refined(fit, landmarks, coefficients, _GAZE, _GAZE_RIDGE)
        )

    def residual(self, fit: Fit, landmarks: Tensor) -> Tensor:
        """(B, 468, 2) fitted minus tracked skin landmarks, normalised picture coordinates."""
        face = self.mean + fit.identity + self._expression(fit.identity, fit.coefficients)
        return (fit.camera.project(face) - landmarks)[:, :SKIN_LANDMARKS, :2]

    def _with_irises(self, offsets: Tensor) -> Tensor:
        """Offsets (B, 478, 3) whose irises move with the rims of their eyes, as the eyeballs do."""
        moved = offsets.clone()
        for iris, ring in zip(IRISES, EYE_RINGS, strict=True):
            moved[:, iris] = offsets[:, list(ring)].mean(1, keepdim=True)
        return moved

    def _parted(self, coefficients: Tensor, more: Tensor) -> Tensor:
        """Coefficients (B, 52) that part lips by more (B,), head units, where that is positive."""
        return (coefficients + more.clamp_min(0)[:, None] * self._parting).clamp(0, 1)

    def _expression(self, identity: Tensor, coefficients: Tensor) -> Tensor:
        scaled = self.template.with_lid_gain(identity, coefficients)
        return torch.einsum("be,ekc->bkc", scaled, self.shapes)

    def _unproject(self, landmarks: Tensor, camera: Camera) -> Tensor:
        """Landmarks in the head frame, the tracker's depth taken from their mean."""
        depth = landmarks[..., 2] / camera.scale[:, None]
        face = self.mean[:SKIN_LANDMARKS].mean(0)
        centre = (
            camera.to_camera(face.expand(len(camera), 1, 3))[..., 2] - camera.translation[:, 2:]
        )
        mean = depth[:, :SKIN_LANDMARKS].mean(1, keepdim=True)
        return camera.unproject(landmarks[..., :2], depth - mean + centre)

    def _pose(self, face: Tensor, landmarks: Tensor, camera: Camera | None) -> Camera:
        """Gauss-Newton on rotation and translation; the tracker's depths count a little."""
        if camera is None:
            camera = self._first_pose(face, landmarks)
        weight = self._pose_weight
        weights = torch.stack([weight, weight, weight * _DEPTH_WEIGHT], -1).sqrt()
        share = weight / weight.sum()
        relative = landmarks[..., 2] - (landmarks[..., 2] * share).sum(1, keepdim=True)
        for _ in range(_STEPS):
            turned = face @ camera.rotation.mT
            seen = turned + camera.translation[:, None]
            z = seen[..., 2]
            scale = camera.scale[:, None]
            uv = FOCAL * seen[..., :2] / z[..., None]
            depth = turned[..., 2] - (turned[..., 2] * share).sum(1, keepdim=True)
            wanted = torch.cat([landmarks[..., :2], relative[..., None]], -1)
            found = torch.cat([uv, (depth * scale)[..., None]], -1)
            jacobian = self._pose_jacobian(turned, uv, z, scale)
            a = (jacobian * weights[None, ..., None]).flatten(1, 2)
            r = ((wanted - found) * weights).flatten(1)
            normal = a.mT @ a + 1e-6 * torch.eye(6, device=a.device)
            step = torch.linalg.solve(normal, (a.mT @ r[..., None])[..., 0])
            rotation = rotation_from_vector(step[:, :3]) @ camera.rotation
            camera = Camera(rotation, camera.translation + step[:, 3:])
        return camera

    @staticmethod
    def _pose_jacobian(turned: Tensor, uv: Tensor, z: Tensor, scale: Tensor) -> Tensor:
        """(B, K, 3, 6) of u, v, depth by a small turn about x, y, z and a shift along them."""
        x, y, depth = turned.unbind(-1)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        # columns of d(camera point) for the three turns, then the three shifts
        dx = torch.stack([zero, depth, -y, one, zero, zero], -1)
        dy = torch.stack([-depth, zero, x, zero, one, zero], -1)
        dz = torch.stack([y, -x, zero, zero, zero, one], -1)
        du = (FOCAL * dx - uv[..., :1] * dz) / z[..., None]
        dv = (FOCAL * dy - uv[..., 1:] * dz) / z[..., None]
        turns = torch.stack([y, -x, zero, zero, zero, zero], -1) * scale[..., None]
        return torch.stack([du, dv, turns], -2)

    def _first_pose(self, face: Tensor, landmarks: Tensor) -> Camera:
        rotation, scale, shift = _procrustes(face, landmarks, self._pose_weight)
        depth = FOCAL / scale
        return Camera(rotation, torch.cat([shift[:, :2] / scale[:, None], depth[:, None]], 1))

    def _refined(
        self, fit: Fit, landmarks: Tensor, tracked: Tensor, rows: list[int] | None, ridge: float
    ) -> Tensor:
        """Tracked coefficients (B, 52), some or all moved to the landmarks by ridge regression."""
        rows = list(range(len(self.shapes))) if rows is None else rows
        gains = self.template.with_lid_gain(fit.identity, torch.ones_like(tracked))[:, rows]
        face = self.mean + fit.identity + self._expression(fit.identity, tracked)
        seen = fit.camera.to_camera(face)
        uv, z = FOCAL * seen[..., :2] / seen[..., 2:], seen[..., 2]
        # d(u, v) of each shape, in head units at the head's distance, so that the ridge has a scale
        turned = torch.einsum("bij,ekj->beki", fit.camera.rotation, self.shapes[rows])
        turned = turned * gains[:, :, None, None]
        moves = turned[..., :2] - uv[:, None] * turned[..., 2:] / FOCAL
        moves = moves * (fit.camera.translation[:, 2, None] / z)[:, None, :, None]
        weight = self._refine_weight.sqrt()[:, None]
        jacobian = (moves * weight).flatten(2)
        missing = ((landmarks[..., :2] - uv) / fit.camera.scale[:, None, None] * weight).flatten(1)
        normal = jacobian @ jacobian.mT + ridge * torch.eye(len(rows), device=weight.device)
        step = torch.linalg.solve(normal, (jacobian @ missing[..., None])[..., 0])
        coefficients = tracked.clone()
        coefficients[:, rows] = tracked[:, rows] + step
        for one, other in _OPPOSED:  # an eye looks one way: what one loses the other must gain
            way = coefficients[:, one] - coefficients[:, other]
            coefficients[:, one], coefficients[:, other] = way, -way
        return coefficients.clamp(0, 1)


def lip_gap(landmarks: Tensor) -> Tensor:
    """(...) how much lower than the upper the lower inner lip is, of landmarks (..., 478, 3)."""
    # one by one: a list of them would be copied to a GPU, which no CUDA graph can do
    upper, lower = (torch.stack([landmarks[..., k, 1] for k in lip]).mean(0) for lip in _INNER_LIPS)
    return lower - upper


def _procrustes(points: Tensor, wanted: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rotation (B, 3, 3), scale (B,), shift (B, 3) from points to wanted (Umeyama 1991)."""
    share = (weight / weight.sum())[:, None]
    mean_p, mean_w = (points * share).sum(1, keepdim=True), (wanted * share).sum(1, keepdim=True)
    p, w = points - mean_p, wanted - mean_w
    u, s, vh = torch.linalg.svd((share * w).mT @ p.expand_as(w))
    sign = torch.ones_like(s)
    sign[:, 2] = torch.det(u @ vh).sign()
    rotation = (u * sign[:, None]) @ vh
    scale = (s * sign).sum(1) / (share * p * p).sum((1, 2)).expand(len(s))
    shift = mean_w[:, 0] - scale[:, None] * (mean_p.expand_as(mean_w) @ rotation.mT)[:, 0]
    return rotation, scale, shift


def _similarity(points: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Points (B, K, 3) rotated, scaled and shifted onto wanted (K, 3)."""
    wanted = wanted.expand_as(points)
    rotation, scale, shift = _procrustes(points, wanted, weight)
    return scale[:, None, None] * (points @ rotation.mT) + shift[:, None]
