import builtins

import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.image import read_image
from real3d.motion import Motion
from real3d.motion_plot import plot_motion


def test_without_matplotlib_it_says_what_to_install(monkeypatch, tmp_path):
    real_import = builtins.__import__

    def without(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Real3DError, match=r"real3d\[plot\]"):
        plot_motion(Motion.still(frames=3), tmp_path / "a.png")


def test_curves_and_wrong_names(tmp_path):
    pytest.importorskip("matplotlib")
    motion = Motion.still({"jawOpen": 0.5}, frames=5)
    image = read_image(plot_motion(motion, tmp_path / "a.png"))
    assert image.shape[1] > 600
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 20
    assert plot_motion(motion, tmp_path / "b.svg", ("jawOpen", "eyeBlink")).stat().st_size > 1000
    with pytest.raises(Real3DError, match="jawWide"):
        plot_motion(motion, tmp_path / "c.png", ("jawWide",))
    assert not (tmp_path / "c.png").exists()
