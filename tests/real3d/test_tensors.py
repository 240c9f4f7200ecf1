import torch

from real3d.tensors import constant


def test_a_constant_has_the_type_of_what_it_is_for():
    like = torch.zeros(2, dtype=torch.float64)
    found = constant((1, 2.5), like)
    torch.testing.assert_close(found, torch.tensor([1, 2.5], dtype=torch.float64))
    assert constant(((0, 1), (2, 3)), like.long()).tolist() == [[0, 1], [2, 3]]


def test_a_constant_is_made_once():
    like = torch.zeros(1)
    assert constant((0.125, 7.0), like) is constant((0.125, 7.0), like + 1)
    assert constant((0.125, 7.0), like.half()) is constant((0.125, 7.0), like.half())


def test_a_constant_made_without_gradients_can_be_used_with_them():
    with torch.inference_mode():
        made = constant((3.0, 0.0625), torch.zeros(1))
        assert not made.is_inference()
    x = torch.ones(2, requires_grad=True)
    (x.square() * constant((3.0, 0.0625), x)).sum().backward()
    assert constant((3.0, 0.0625), x) is made
    torch.testing.assert_close(x.grad, torch.tensor([6.0, 0.125]))


def test_a_compiled_function_may_have_constants():
    def scaled(x: torch.Tensor) -> torch.Tensor:
        return x * constant((3.0, 4.0), x)

    x = torch.ones(2, requires_grad=True)
    compiled = torch.compile(scaled, backend="aot_eager", fullgraph=True)
    compiled(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([3.0, 4.0]))
