import pytest
import torch

from real3d.device import few_threads, resolve_device, seeded
from real3d.errors import Real3DError


def test_auto_is_there_and_cpu_is_cpu():
    assert resolve_device("auto").type in ("cpu", "cuda", "mps")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xpu"])
def test_unknown_or_absent_device(name):
    with pytest.raises(Real3DError, match=f"{name}: "):
        resolve_device(name)


def test_same_seed_same_numbers():
    assert torch.equal(torch.rand(4, generator=seeded(3)), torch.rand(4, generator=seeded(3)))
    assert not torch.equal(torch.rand(4, generator=seeded(3)), torch.rand(4, generator=seeded(4)))


@pytest.mark.parametrize(("threads", "inside"), [(1, 1), (16, 4)])
def test_small_work_is_not_shared_among_many_threads(threads, inside):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        with pytest.raises(ZeroDivisionError), few_threads():
            assert torch.get_num_threads() == inside
            raise ZeroDivisionError
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
