"""Square tables as coloured pictures."""

from collections.abc import Sequence

import cv2
import numpy as np

_CELL_PX, _MARGIN_PX = 74, 86


def draw_matrices(
    matrices: dict[str, np.ndarray], names: Sequence[str], quantity: str
) -> np.ndarray:
    """(h, w, 3) uint8 BGR: a panel for each title, rows the photo's quantity, columns the view's.

    names: of the rows and columns, short enough for a cell.
    """
    return np.hstack([_panel(title, m, names, quantity) for title, m in matrices.items()])


def _panel(title: str, values: np.ndarray, names: Sequence[str], quantity: str) -> np.ndarray:
    count = len(names)
    side = _MARGIN_PX + count * _CELL_PX + 14
    out = np.full((side, side, 3), 255, np.uint8)
    others = values[~np.eye(count, dtype=bool)]  # a photo shown as it is would outshine them all
    low, high = (f(others) if np.isfinite(others).any() else 0.0 for f in (np.nanmin, np.nanmax))
    shade = np.clip(np.nan_to_num((values - low) / max(high - low, 1e-9)), 0, 1)
    colours = cv2.applyColorMap((shade * 215 + 20).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    decimals = 1 if high >= 10 else 2 if high >= 0.2 else 3
    for i in range(count):
        for j in range(count):
            x, y = _MARGIN_PX + j * _CELL_PX, _MARGIN_PX + i * _CELL_PX
            colour = colours[i, j].tolist()
            cv2.rectangle(out, (x, y), (x + _CELL_PX - 2, y + _CELL_PX - 2), colour, -1)
            ink = (255, 255, 255) if sum(colour) < 330 else (0, 0, 0)
            _write(out, f"{values[i, j]:.{decimals}f}", (x + 10, y + 42), ink, 0.55)
        place = _MARGIN_PX + i * _CELL_PX
        _write(out, names[i], (place + 2, _MARGIN_PX - 8), (0, 0, 0), 0.42)
        _write(out, names[i], (8, place + 42), (0, 0, 0), 0.42)
    _write(out, title, (8, 22), (0, 0, 0), 0.55)
    _write(out, f"down: photo's {quantity}, across: view's", (8, 46), (0, 0, 0), 0.45)
    return out


def _write(
    image: np.ndarray, text: str, at: tuple[int, int], colour: tuple[int, int, int], size: float
) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
