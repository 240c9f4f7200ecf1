import numpy as np
import torch

from real3d.face.blendshapes import ARKIT_INDEX, arkit_indices
from real3d.motion import Motion
from real3d.retarget_speech import _lip_gap_mm, resting, retarget_speech


def test_a_smiling_photo_shuts_its_lips(avatar):
    rest = resting(avatar)
    zero = torch.zeros_like(rest)
    shut_mm = _lip_gap_mm(torch.zeros_like(avatar.identity), zero)
    assert _lip_gap_mm(avatar.identity, avatar.coefficients) > shut_mm + 3  # the astronaut laughs
    assert abs(_lip_gap_mm(avatar.identity, rest) - shut_mm) < 0.5
    smile = arkit_indices("mouthSmile")
    assert (rest[:, smile] > 0.2).all()
    brows = arkit_indices("browOuterUp")
    torch.testing.assert_close(rest[:, brows], avatar.coefficients[:, brows])


def test_frames_count_from_rest_not_from_the_first(avatar):
    motion = Motion.still({"jawOpen": 0.5, "mouthSmileLeft": 1.0}, (0.1, 0, 0), frames=3)
    cameras, coefficients = retarget_speech(avatar, motion)
    assert len(cameras) == len(coefficients) == 3
    jaw = coefficients[:, ARKIT_INDEX["jawOpen"]]
    np.testing.assert_allclose(jaw, 0.5, atol=1e-5)
    assert (coefficients[:, ARKIT_INDEX["mouthSmileLeft"]] > 0.95).all()
    assert not torch.allclose(cameras.rotation[0], avatar.camera.rotation[0])
