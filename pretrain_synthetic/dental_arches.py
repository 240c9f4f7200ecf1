"""The template's teeth: two smooth arches whose edges show the single teeth.

Head units, x to the subject's left, y down, z away from the camera, as in the template.
"""

from dataclasses import dataclass

import numpy as np

from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.teeth import LOWER_ARCH, UPPER_ARCH, Arch

_COLUMNS = 6
"""Of vertices in a tooth."""
_ROUNDING = 0.004
"""How far a tooth's edge draws back at its corners."""
_BULGE = 0.006
_THICKNESS = 0.035
_OUTER_ROWS, _INNER_ROWS = 5, 3
_JAW = ("jawOpen", "jawForward", "jawLeft", "jawRight")
_LOWER_LIP, _CHIN = 14, 200


@dataclass(frozen=True)
class Row:
    """The mesh of one arch."""

    vertices: np.ndarray
    """(N, 3)."""
    triangles: np.ndarray
    """(M, 3), outward."""


def dental_rows() -> tuple[Row, Row]:
    """Upper and lower teeth."""
    return _row(UPPER_ARCH), _row(LOWER_ARCH)


def lower_teeth_moves(landmark_shapes: np.ndarray) -> np.ndarray:
    """(52, 3) how the lower teeth move: as lip and chin (52, 478, 3) do, where the jaw moves them.

    The upper teeth never move in the head.
    """
    moves = np.zeros((len(landmark_shapes), 3))
    rows = [ARKIT_INDEX[name] for name in _JAW]
    moves[rows] = landmark_shapes[rows][:, [_LOWER_LIP, _CHIN]].mean(1)
    return moves


def _row(arch: Arch) -> Row:
    """A strip from the gum over the teeth's edge to their back."""
    ends = arch.boundaries
    within = np.linspace(-1, 1, _COLUMNS, endpoint=False)
    middle, half = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
    along = np.append((middle[:, None] + half[:, None] * within).ravel(), ends[-1])
    across = np.append(np.tile(within, len(half)), 1.0)
    edge = arch.edge - arch.down * _ROUNDING * across**4
    point, outward = arch.curve(along)
    rows = []
    for k in range(_OUTER_ROWS):
        share = k / (_OUTER_ROWS - 1)
        y = arch.root + share * (edge - arch.root)
        rows.append(_at(point + outward * (_BULGE * share * (1 - across**2))[:, None], y))
    for k in range(_INNER_ROWS):
        share = 1 - k / (_INNER_ROWS - 1)
        y = arch.root + share * (edge - arch.root)
        rows.append(_at(point - outward * _THICKNESS * (1 - 0.5 * share), y))
    return Row(np.concatenate(rows), _quads(len(rows), len(along), arch.down))


def _at(flat: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack([flat[:, 0], y, flat[:, 1]], 1)


def _quads(rows: int, columns: int, down: int) -> np.ndarray:
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b = corner[:-1, :-1].ravel(), corner[:-1, 1:].ravel()
    c, d = corner[1:, :-1].ravel(), corner[1:, 1:].ravel()
    triangles = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    return triangles if down > 0 else triangles[:, ::-1]
