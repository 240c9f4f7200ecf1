"""What stands behind a head: its own background, a colour, a picture, or nothing."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageOps

from real3d.errors import Real3DError
from real3d.image import read_image

TRANSPARENT = "transparent"


@dataclass(frozen=True)
class Backdrop:
    """A background given by the user."""

    picture: np.ndarray | None
    """(size, size, 3) uint8, or None for transparency."""

    @classmethod
    def parse(cls, text: str, size: int) -> "Backdrop":
        """From "transparent", a colour ("white", "#20a060") or the path of a picture.

        Pictures are cut to the middle square. Raises Real3DError for anything else.
        """
        if text == TRANSPARENT:
            return cls(None)
        if not Path(text).exists():
            try:
                colour = ImageColor.getrgb(text)[:3]
            except ValueError as error:
                raise Real3DError(
                    f"--background {text}: neither a picture file nor a colour such as white or "
                    "#20a060, nor transparent."
                ) from error
            return cls(np.full((size, size, 3), colour, np.uint8))
        picture = Image.fromarray(read_image(Path(text)))
        return cls(np.array(ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)))

    def behind(self, frame: np.ndarray) -> np.ndarray:
        """The (size, size, 4) RGBA frame over the picture: (size, size, 3), or as it is."""
        if self.picture is None:
            return frame
        alpha = frame[..., 3:].astype(np.uint16)
        mixed = frame[..., :3] * alpha + self.picture * (255 - alpha)
        return ((mixed + 127) // 255).astype(np.uint8)
