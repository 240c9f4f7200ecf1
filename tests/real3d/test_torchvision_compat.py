import builtins
import sys

import pytest

from real3d import torchvision_compat
from real3d.torchvision_compat import import_timm


def test_timm_imports_and_its_blocks_run():
    import torch

    import_timm()
    from timm.models.vision_transformer import Block

    assert Block(32, 2)(torch.zeros(1, 5, 32)).shape == (1, 5, 32)
    assert import_timm() is sys.modules["timm"]


def _timm_fails_once(monkeypatch, message):
    """Make the first `import timm` raise RuntimeError(message)."""
    failures, original = [message], builtins.__import__

    def fail_once(name, *args, **kwargs):
        if name == "timm" and failures:
            raise RuntimeError(failures.pop())
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fail_once)


def test_operators_are_declared_on_exactly_that_error(monkeypatch):
    timm, declared = import_timm(), []
    monkeypatch.setattr(torchvision_compat, "_declare_operators", lambda: declared.append(1))
    monkeypatch.setattr(torchvision_compat, "_forget", lambda *_: None)
    _timm_fails_once(monkeypatch, "operator torchvision::nms does not exist")
    assert import_timm() is timm
    assert declared == [1]


def test_other_errors_pass_through(monkeypatch):
    import_timm()
    _timm_fails_once(monkeypatch, "CUDA driver too old")
    with pytest.raises(RuntimeError, match="driver too old"):
        import_timm()
