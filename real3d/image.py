"""Pictures in and out: anything Pillow reads becomes (H, W, 3) uint8 RGB, upright, in sRGB."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from real3d.errors import Real3DError
from real3d.files import require_file, require_suffix, written_beside

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded."""
LONGEST_PX = 4096
"""Pictures with a longer side are reduced to it while they are read."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
"""What write_image can write."""
_BACKGROUND = (255, 255, 255)
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error)


def read_image(path: Path, longest_px: int = LONGEST_PX) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a picture file.

    EXIF orientation and embedded colour profiles are applied; CMYK, palette, grey and 16-bit
    pictures are converted; transparent pixels become white; of an animation the first frame counts.

    Raises Real3DError for what is no picture, is truncated or has more than MAX_PIXELS.
    """
    path = require_file(path, "a photo (JPEG, PNG, WebP, TIFF)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata and large pictures
        try:
            with Image.open(path) as image:
                _check_size(path, image)
                image.draft(None, (longest_px, longest_px))  # JPEG: decode at a reduced size
                image.load()
                picture = _to_srgb(image)
        except Image.DecompressionBombError as error:
            raise Real3DError(
                f"{path}: more than {MAX_PIXELS / 1e6:.0f} megapixels. Make the picture smaller "
                "first."
            ) from error
        except UnidentifiedImageError as error:
            raise Real3DError(
                f"{path}: not a picture that can be read. Use JPEG, PNG, WebP or TIFF."
            ) from error
        except _BROKEN as error:
            raise Real3DError(
                f"{path}: the picture is damaged or incomplete. Save or download it again."
            ) from error
        if max(picture.size) > longest_px:
            picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS, reducing_gap=3)
        return np.array(picture)


def _check_size(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Real3DError(
            f"{path}: {width} × {height} are {width * height / 1e6:.0f} megapixels, at most "
            f"{MAX_PIXELS / 1e6:.0f} can be read. Make the picture smaller first."
        )


def _to_srgb(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB of a decoded picture of any mode."""
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_bytes(np.array(image))).convert("RGB")
    if "transparency" in image.info or image.mode in ("LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        opaque = Image.new("RGB", image.size, _BACKGROUND)
        opaque.paste(image, mask=image.getchannel("A"))
        image = opaque
    if profile and image.mode in ("RGB", "CMYK", "L"):
        image = _apply_profile(image, profile)
    return image.convert("RGB")


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Integers of 16 bits, or floats in [0, 1] or [0, 255], to uint8."""
    values = np.nan_to_num(values.astype(np.float32))
    top = 65535 if values.max(initial=0) > 255 else 255 if values.max(initial=0) > 1 else 1
    return (values / top * 255 + 0.5).clip(0, 255).astype(np.uint8)


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a broken profile: the pixels are still a picture


def require_transparency(path: Path) -> Path:
    """The path, if pictures of its type can be transparent."""
    if Path(path).suffix.lower() in (".jpg", ".jpeg"):
        raise Real3DError(f"{path}: JPEG has no transparency. Use a name ending in .png or .webp.")
    return Path(path)


def write_image(path: Path, image: np.ndarray) -> Path:
    """Write an (H, W, 3) RGB or (H, W, 4) RGBA uint8 picture as PNG, JPEG or WebP."""
    path = require_suffix(path, SUFFIXES)
    if image.shape[-1] == 4:
        require_transparency(path)
    with written_beside(path) as partial:
        Image.fromarray(image).save(partial, quality=95)
    return path
