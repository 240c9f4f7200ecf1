"""What is measured already: numbers and pictures of finished recordings and photos.

A run that was stopped, or one with more material, goes on from here. A measurement counts again
only if code, model, settings and file are what they were.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

import real3d
from real3d.errors import Real3DError
from real3d.evaluation.sheets import Pictures, joined
from real3d.files import written_beside
from real3d.image import read_image, write_image

T = TypeVar("T")
_REFUSED = "refused"
_PRESENTATION = ("baseline", "plots", "report", "sheets", "tables", "worst")
"""Modules that only show numbers; they may change."""


@dataclass(frozen=True)
class Item(Generic[T]):
    """What came of measuring one file."""

    result: T | None
    """None where it was refused."""
    refused: str
    """Why; empty otherwise."""
    seconds: float
    """How long it took when it was measured."""


class Store:
    """A folder of finished items; key says what their numbers depend on besides the files.

    Several processes may share it as long as they measure different items.
    """

    def __init__(self, folder: Path, key: str):
        self._folder, self._key = folder, key

    def measured(
        self,
        kind: str,
        path: Path,
        make: type[T],
        measure: Callable[[], tuple[T, Pictures]],
        also: Sequence[object] = (),
    ) -> Item[T]:
        """What is known of a file, from the folder or measured now.

        also: further files (paths) and settings that the numbers depend on.
        """
        place, key = self._place(kind, path), self._item_key(kind, path, also)
        kept = _read(place)
        if kept is None or kept.get("key") != key:
            start = time.perf_counter()
            kept = {"key": key, "file": path.name} | self._new(place, measure)
            kept["seconds"] = round(time.perf_counter() - start, 2)
            with written_beside(place) as partial:
                partial.write_text(as_json(kept), encoding="utf-8")
        result = None if _REFUSED in kept else make(**kept["result"])
        return Item(result, kept.get(_REFUSED, ""), kept["seconds"])

    def _new(self, place: Path, measure: Callable[[], tuple[Any, Pictures]]) -> dict:
        try:
            result, pictures = measure()
        except Real3DError as error:
            return {_REFUSED: str(error)}
        write_image(place.with_suffix(".jpg"), joined(pictures))
        return {"result": asdict(result)}

    def picture(self, kind: str, path: Path) -> np.ndarray:
        """The joined pictures of an item that was measured."""
        return read_image(self._place(kind, path).with_suffix(".jpg"))

    def _place(self, kind: str, path: Path) -> Path:
        other = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:6]
        return self._folder / f"{kind}-{path.stem}-{other}.json"

    def _item_key(self, kind: str, path: Path, also: Sequence[object]) -> str:
        text = " ".join([self._key, kind, *map(_named, (path, *also))])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _named(value: object) -> str:
    """A setting as it is, a file with its size and date."""
    if not isinstance(value, Path):
        return repr(value)
    stat = value.stat()
    return f"{value.name} {stat.st_size} {stat.st_mtime_ns}"


def code_digest() -> str:
    """sha256 over the package's source and its template: measurements of other code differ.

    Commands, and what only shows numbers, do not count.
    """
    digest, folder = hashlib.sha256(), Path(real3d.__file__).parent
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.npz")]):
        shown = path.parent.name == "evaluation" and path.stem in _PRESENTATION
        if shown or path.parent.name == "commands":
            continue
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def as_json(value: object) -> str:
    """JSON with null for what is no number."""
    return json.dumps(_replaced(value, lambda x: None if _is_nan(x) else x), indent=1) + "\n"


def _read(path: Path) -> dict | None:
    """What a file holds, NaN for null; None where it is missing or broken, or its picture is."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if (
        not isinstance(kept, dict)
        or "seconds" not in kept
        or not (_REFUSED in kept or path.with_suffix(".jpg").is_file())
    ):
        return None
    return _replaced(kept, lambda x: math.nan if x is None else x)


def _replaced(value: Any, replace: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(inner, replace) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, replace) for inner in value]
    return replace(value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
