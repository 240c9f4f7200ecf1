"""The one progress bar: on standard error, and only where a person is looking."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(
    items: Iterable[T], what: str, total: int | None = None, unit: str = ""
) -> Iterator[T]:
    """The items, while a bar says how far they are; what is its label."""
    yield from tqdm(items, what, total, leave=False, unit=f" {unit}", disable=None)
