"""Dataclasses of tensors, as one, and tensors that never change."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def map_tensors(function: Callable[[Tensor], Tensor], value: T) -> T:
    """A tensor, or a dataclass of tensors and such dataclasses, with a function applied to all."""
    if is_dataclass(value):
        return type(value)(*(map_tensors(function, getattr(value, f.name)) for f in fields(value)))
    return function(value)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors of a dataclass of them and of such dataclasses, field by field."""
    if is_dataclass(value):
        for field in fields(value):
            yield from tensors_in(getattr(value, field.name))
    else:
        yield value


def constant(values: tuple, like: Tensor) -> Tensor:
    """Numbers, or tuples of them, as a tensor of like's type on its device. Not to be written to.

    It is made once: to copy numbers to a GPU, one has to wait for it, and a CUDA graph cannot.
    """
    if torch.compiler.is_compiling():
        return like.new_tensor(values)
    return _constant(values, like.dtype, like.device)


@functools.cache  # never forgotten: CUDA graphs know them by their addresses
def _constant(values: tuple, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # or none that needs gradients could use it
        return torch.tensor(values, dtype=dtype, device=device)
