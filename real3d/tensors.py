"""Dataclasses of tensors, as one."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import TypeVar

from torch import Tensor

T = TypeVar("T")


def map_tensors(function: Callable[[Tensor], Tensor], value: T) -> T:
    """A tensor, or a dataclass of tensors and such dataclasses, with a function applied to all."""
    if is_dataclass(value):
        return type(value)(*(map_tensors(function, getattr(value, f.name)) for f in fields(value)))
    return function(value)
