"""One browser: its avatar, what drives it, and its files; nothing is shared with another."""

import dataclasses
import io
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import real3d
from real3d.avatar import Avatar
from real3d.backdrop import TRANSPARENT, Backdrop
from real3d.camera import HEAD_UNIT_CM, Camera
from real3d.errors import Real3DError
from real3d.export.bake import bake
from real3d.export.glb import glb_bytes
from real3d.motion import Motion
from real3d.networks.layers import eroded, pull_push, smoothstep, softened
from real3d.networks.model import Encoding
from real3d.photo import Portrait
from real3d.renderer import Renderer, encoding_of
from real3d.rotation import euler_from_rotation, rotation_from_euler
from real3d.video import VideoWriter
from real3d.weight_files import Model

Told = Callable[[float, str], None]
"""Hears the share of a job that is done, and what is being done."""
_JPEG_QUALITY = 90
_TORSO = (0.25, 0.75)
_BESIDE, _BEHIND, _BEFORE = (0.35, 0.5), (0.65, 0.8), (0.8, 0.87)
"""Heights of the head frame (y down) between which a person begins to be body that stays while the
mesh moves: beside head and neck, behind them, and before the mesh's end."""
_NECK = (0.1, 0.4)
"""Firmness of the mesh from which on it is head or neck, and hides the body."""
_PERSON = 0.9
MAX_FRAMES = 25 * 120
"""A recording of the viewer is at most this long."""


@dataclasses.dataclass(frozen=True)
class Pose:
    """What one frame shows."""

    coefficients: np.ndarray
    """(T, 52)."""
    rotation: np.ndarray
    """(T, 3) radians: yaw, pitch, roll of the head towards the camera."""
    translation: np.ndarray
    """(T, 3) head units, in the camera frame."""

    def __len__(self) -> int:
        return len(self.coefficients)

    @classmethod
    def parse(cls, content: dict) -> "Pose":
        """From a request; raises Real3DError for anything but finite numbers of these shapes."""
        rows = []
        for field, width in (("coefficients", 52), ("rotation", 3), ("translation", 3)):
            try:
                values = np.array(content[field], np.float32)
            except (KeyError, TypeError, ValueError) as error:
                raise Real3DError(f"{field}: wanted rows of {width} numbers.") from error
            if values.ndim != 2 or values.shape[1] != width or not np.isfinite(values).all():
                raise Real3DError(f"{field}: wanted rows of {width} finite numbers.")
            rows.append(values)
        if not 0 < len(rows[0]) <= MAX_FRAMES or len({len(row) for row in rows}) > 1:
            raise Real3DError(f"wanted 1 to {MAX_FRAMES} frames, the same number of each field.")
        coefficients, rotation, translation = rows
        return cls(coefficients.clip(0, 1), rotation.clip(-4, 4), translation.clip(-2, 2))


@dataclasses.dataclass(frozen=True)
class Subject:
    """An avatar, ready to be rendered and, once baked, to be drawn by the browser."""

    avatar: Avatar
    renderer: Renderer
    behind: bytes
    """JPEG of the background, the person taken out."""
    body: bytes
    """PNG of the body, which is behind the mesh."""
    torso: bytes
    """PNG of the torso, which covers the end of the mesh's neck."""
    glb: bytes = b""


class Session:
    """The state of one browser. Its methods compute: call them off the event loop, one by one."""

    def __init__(self, model: Model):
        self.key = secrets.token_urlsafe(24)
        self._model, self._folder = model, tempfile.TemporaryDirectory(prefix="real3d-viewer-")
        self.folder = Path(self._folder.name)
        self.subject: Subject | None = None
        self.driver: Path | None = None

    def close(self) -> None:
        """Forget everything."""
        self.subject = None
        self._folder.cleanup()

    def inbox(self) -> Path:
        """A fresh folder for one upload."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def read(self, path: Path, told: Told) -> None:
        """Take a photo or an avatar file as the subject; baked by `bake` afterwards."""
        try:
            avatar = self._read(path, told)
        finally:
            shutil.rmtree(path.parent)  # nobody's photo stays longer than it is needed
        self.show(avatar, told)

    def _read(self, path: Path, told: Told) -> Avatar:
        if path.suffix == ".avatar":
            told(0.3, "reading the avatar")
            return Avatar.load(path)
        told(0.05, "looking for the face")
        portrait = Portrait.read(path)
        told(0.2, "reconstructing the head")
        return real3d.reconstruct(portrait, self._model)

    def drive_by(self, driver: Path | None) -> None:
        """Keep the recording whose sound a clip will have, and forget the one before."""
        if self.driver is not None:
            shutil.rmtree(self.driver.parent, ignore_errors=True)
        self.driver = driver

    def show(self, avatar: Avatar, told: Told) -> None:
        """Take an avatar as the subject."""
        told(0.35, "rendering")
        renderer = Renderer(avatar, self._model)
        self.subject = Subject(avatar, renderer, *_around(avatar, self._model))

    def bake(self, told: Told) -> None:
        """Make the mesh that the browser draws."""
        subject = self._shown()
        baked = bake(
            subject.avatar, self._model, told=lambda s: told(0.4 + 0.6 * s, "painting the mesh")
        )
        if self.subject is subject:
            self.subject = dataclasses.replace(subject, glb=glb_bytes(baked))

    def _shown(self) -> Subject:
        if self.subject is None:
            raise Real3DError("there is no head yet. Drop a photo first.")
        return self.subject

    @property
    def own(self) -> dict:
        """The photo's own expression and pose, for the page."""
        avatar = self._shown().avatar
        return {
            "coefficients": avatar.coefficients[0].tolist(),
            "rotation": euler_from_rotation(avatar.camera.rotation)[0].tolist(),
            "translation": avatar.camera.translation[0].tolist(),
        }

    def frame(self, pose: Pose, size: int, transparent: bool, exact: bool) -> bytes:
        """One picture: JPEG, or PNG where it is to be transparent or exact."""
        picture = next(self._frames(pose, size, TRANSPARENT if transparent else None))
        return _encoded(picture, "PNG" if transparent or exact else "JPEG")

    def _frames(self, pose: Pose, size: int, background: str | None) -> Iterator[np.ndarray]:
        subject = self._shown()
        camera = Camera(
            rotation_from_euler(torch.from_numpy(pose.rotation)),
            subject.avatar.camera.translation + torch.from_numpy(pose.translation),
        )
        coefficients = torch.from_numpy(pose.coefficients)
        return subject.renderer.frames(camera, coefficients, size, background)

    def record(
        self, pose: Pose, fps: float, size: int, background: str | None, sound: bool, told: Told
    ) -> Path:
        """An mp4 of some frames, with the driver's sound if wanted. background: #rrggbb or None."""
        backdrop = Backdrop.parse(background, size) if background else None
        path = self.folder / "recording.mp4"
        sound_from = self.driver if sound and self.driver else None
        frames = self._frames(pose, size, TRANSPARENT if backdrop else None)
        with VideoWriter(path, fps, (size, size), sound_from) as video:
            for k, frame in enumerate(frames):
                video.write(backdrop.behind(frame) if backdrop else frame)
                told((k + 1) / len(pose), "recording")
        return path

    def save_avatar(self) -> bytes:
        """The .avatar file."""
        path = self.folder / "me.avatar"
        self._shown().avatar.save(path)
        return path.read_bytes()

    def save_motion(self, pose: Pose, fps: float) -> bytes:
        """A Live Link Face CSV of some frames."""
        path = self.folder / "motion.csv"
        centimetres = pose.translation * HEAD_UNIT_CM
        Motion(pose.coefficients, pose.rotation, centimetres, fps).write(path)
        return path.read_bytes()


@torch.inference_mode()
def _around(avatar: Avatar, model: Model) -> tuple[bytes, bytes, bytes]:
    """Background, body and torso as the network has them in the photo's own pose."""
    source = encoding_of(avatar, model)
    target = model.network.geometry.target(source.geometry, source.head)
    with model.autocast():
        given = model.network.render(source, target, source.head).candidates
    heights = source.head.camera.heights(model.config.image_px)
    alpha = smoothstep(given.torso_alpha.float(), *_TORSO)  # without the hair's faint halo
    alpha = torch.maximum(alpha, source.alpha * smoothstep(heights, *_BEFORE))
    neck = smoothstep(target.firmness * target.hit, *_NECK)
    pictures = (source.plates.background, "JPEG"), (_body(source, heights, neck), "PNG")
    torso = torch.cat([given.torso.float(), 2 * alpha - 1], 1)
    return tuple(_file(p * 0.5 + 0.5, kind) for p, kind in (*pictures, (torso, "PNG")))


def _body(source: Encoding, heights: torch.Tensor, neck: torch.Tensor) -> torch.Tensor:
    """(1, 4, S, S) in [-1, 1]: the person below the chin, continued behind head and neck there."""
    beside = source.alpha * smoothstep(heights, *_BESIDE) * (1 - neck)
    person = source.plates.person
    clothes = pull_push(person, eroded((beside > _PERSON).float()))
    colour = torch.lerp(clothes, person, softened(beside))
    alpha = torch.maximum(beside, source.alpha * smoothstep(heights, *_BEHIND))
    return torch.cat([colour, 2 * alpha - 1], 1)


def _file(picture: torch.Tensor, kind: str) -> bytes:
    """A picture (1, C, S, S) in [0, 1], encoded."""
    pixels = (picture[0].clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return _encoded(pixels, kind)


def _encoded(pixels: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    options = {"quality": _JPEG_QUALITY} if kind == "JPEG" else {"compress_level": 1}
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()
