"""Picture sheets: rows of square pictures under headings, each row with its name beside it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from real3d.image import write_image

Pictures = list[list[np.ndarray]]
"""Rows of square pictures of one size, (size, size, 3) uint8 RGB."""
_INK, _PAPER = (30, 30, 30), (255, 255, 255)
_LINE_PX, _MARGIN_PX = 15, 132
_CHARACTERS = 21


def joined(rows: Pictures) -> np.ndarray:
    """One picture of rows, without headings."""
    return np.concatenate([np.concatenate(row, 1) for row in rows])


def write_sheet(
    path: Path, headings: Sequence[str], items: list[tuple[str, np.ndarray]], cell_px: int
) -> Path:
    """Write a sheet of items: a name (lines) and the picture that joined made of its rows.

    Every column is cell_px wide, with one of the headings above it.
    """
    width = _MARGIN_PX + cell_px * len(headings)
    head = np.full((_LINE_PX + 6, width, 3), _PAPER, np.uint8)
    sheet = Image.fromarray(head)
    for k, heading in enumerate(headings):
        _write(sheet, (_MARGIN_PX + k * cell_px + 4, 3), heading, cell_px // 6)
    parts = [np.array(sheet)]
    for name, picture in items:
        height = round(picture.shape[0] * cell_px * len(headings) / picture.shape[1])
        small = cv2.resize(picture, (width - _MARGIN_PX, height), interpolation=cv2.INTER_AREA)
        margin = Image.new("RGB", (_MARGIN_PX, height), _PAPER)
        for k, line in enumerate(name.splitlines()):
            _write(margin, (4, 4 + k * _LINE_PX), line, _CHARACTERS)
        parts.append(np.concatenate([np.array(margin), small], 1))
    return write_image(path, np.concatenate(parts))


def _write(picture: Image.Image, place: tuple[int, int], text: str, characters: int) -> None:
    font = ImageFont.load_default(size=11)
    ImageDraw.Draw(picture).text(place, text[:characters], fill=_INK, font=font)
