"""`real3d reconstruct` and `real3d redirect`: a photo to an avatar, an avatar to a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from real3d.commands.options import (
    AVATAR_SUFFIX,
    Input,
    ModelOptions,
    Out,
    read_expression,
    read_subject,
    require_range,
    require_size,
)
from real3d.errors import Real3DError


@dataclass(frozen=True, kw_only=True)
class Reconstruct(ModelOptions):
    """Make an avatar from one or several photos of one person."""

    photos: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="PHOTO ...")]
    """Photos of one person; several are fused."""
    out: Out = Path("me.avatar")
    """The .avatar file to write."""
    face: int = 0
    """Which face of a photo, from the largest (0)."""

    def run(self) -> Path:
        """Write the avatar."""
        from real3d.files import require_suffix, require_writable, written_beside

        if not self.photos:
            raise Real3DError("no photo given. Run: real3d reconstruct me.jpg -o me.avatar")
        require_writable(require_suffix(self.out, (AVATAR_SUFFIX,)))
        from real3d.photo import Portrait

        portraits = [Portrait.read(path, self.face) for path in self.photos]
        import real3d

        avatar = real3d.reconstruct(portraits, self.load_model())
        with written_beside(self.out) as partial:
            avatar.save(partial)
        return self.out


@dataclass(frozen=True, kw_only=True)
class Redirect(ModelOptions):
    """Turn the head of a photo, and change its expression: one picture."""

    subject: Input
    """A photo, or an avatar made by reconstruct."""
    out: Out = Path("redirected.png")
    """The picture to write: .png, .jpg or .webp."""
    yaw: float = 0.0
    """Degrees; positive turns the face towards the right of the image."""
    pitch: float = 0.0
    """Degrees; positive looks up."""
    roll: float = 0.0
    """Degrees; positive tilts clockwise in the image."""
    frontal: bool = False
    """Count the angles from facing the camera instead of from the photo's own pose."""
    expression: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE ...")] = ()
    """Expression instead of the photo's own, by ARKit names: jawOpen=0.5 mouthSmile=0.7."""
    background: Annotated[str | None, tyro.conf.arg(metavar="IMG|COLOR|transparent")] = None
    """A picture, a colour (white, #20a060) or transparent; without it the photo's own."""
    size: int = 512
    """Side of the picture in pixels."""
    face: int = 0
    """Which face of the photo, from the largest (0)."""

    def run(self) -> Path:
        """Write the picture."""
        from real3d.backdrop import TRANSPARENT, Backdrop
        from real3d.files import require_file, require_suffix, require_writable
        from real3d.image import SUFFIXES, require_transparency, write_image

        require_file(self.subject, "a photo or an .avatar file")
        for name, limit in (("yaw", 90), ("pitch", 60), ("roll", 90)):
            require_range(name, getattr(self, name), -limit, limit)
        size, coefficients = require_size(self.size), read_expression(self.expression)
        require_writable(require_suffix(self.out, SUFFIXES), self.subject, self.background)
        backdrop = None if self.background is None else Backdrop.parse(self.background, size)
        if self.background == TRANSPARENT:
            require_transparency(self.out)
        model = self.load_model()
        avatar = read_subject(self.subject, model, self.face).avatar
        import real3d

        frame = real3d.redirect(
            avatar,
            model,
            self.yaw,
            self.pitch,
            self.roll,
            frontal=self.frontal,
            coefficients=coefficients,
            size=size,
            background=TRANSPARENT if backdrop else None,
        )
        return write_image(self.out, backdrop.behind(frame) if backdrop else frame)
