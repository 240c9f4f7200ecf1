import numpy as np
import pytest

from real3d.errors import Real3DError
from real3d.evaluation.feature_distance import FeatureDistance
from real3d.training.perceptual import VGGFeatures


def test_equal_pictures_are_at_no_distance_and_noise_is_further_than_a_shade():
    distance = FeatureDistance(VGGFeatures())
    picture = np.random.default_rng(0).integers(60, 190, (64, 64, 3), np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    own, shade, other = (distance.maps(p) for p in (picture, picture + 2, noise))
    assert [len(m) for m in own] == [1] * 4
    assert distance.between(own, own) == 0
    assert 0 < distance.between(shade, own) < distance.between(other, own)


def test_a_missing_file_is_a_user_error(tmp_path):
    with pytest.raises(Real3DError, match="no such weights"):
        FeatureDistance.read(tmp_path / "vgg.safetensors")
