"""Where tensors live, and where randomness comes from."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from real3d.errors import Real3DError

DEVICES = ("auto", "cpu", "cuda", "mps")
_FEW = 4


def resolve_device(name: str = "auto") -> torch.device:
    """The device called name; "auto" is CUDA where there is one, then Apple's MPS, then the CPU.

    Raises Real3DError for a name that torch does not know or a device that is not there.
    """
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise Real3DError(f"{name}: not a device. Use one of {', '.join(DEVICES)}.") from error
    there = {"cpu": True, "cuda": has_cuda, "mps": has_mps}.get(device.type, False)
    if device.type == "cuda" and device.index is not None:
        there = there and device.index < torch.cuda.device_count()
    if not there:
        raise Real3DError(f"{name}: this machine has no such device. Use auto or cpu.")
    return device


def seeded(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own: the same seed gives the same numbers, whatever else runs."""
    return torch.Generator(device=device).manual_seed(seed)


@contextmanager
def few_threads() -> Iterator[None]:
    """For work on small tensors: many threads would wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(before, _FEW))
    try:
        yield
    finally:
        torch.set_num_threads(before)
