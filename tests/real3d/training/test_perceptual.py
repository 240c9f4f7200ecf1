import math

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from real3d.errors import Real3DError
from real3d.training.perceptual import (
    SFACE_PX,
    SFace,
    VGGFeatures,
    align_faces,
    similarity_to_template,
)

TEMPLATE = torch.tensor(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
EYES_NOSE_MOUTH = ((33, 133), (362, 263), (1,), (61,), (291,))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def landmarks_at(points: torch.Tensor) -> torch.Tensor:
    """(1, 478, 3) landmarks whose five alignment points are points (5, 2)."""
    landmarks = torch.randn(1, 478, 3)
    for indices, point in zip(EYES_NOSE_MOUTH, points, strict=True):
        for index in indices:
            landmarks[0, index, :2] = point
    return landmarks


def test_vgg_gives_four_maps_and_gradients_to_pictures_only():
    network = VGGFeatures()
    images = torch.rand(2, 3, 36, 32, requires_grad=True)
    maps = network(images)
    assert [tuple(m.shape) for m in maps] == [
        (2, 64, 36, 32),
        (2, 128, 18, 16),
        (2, 256, 9, 8),
        (2, 512, 5, 4),
    ]
    sum(m.mean() for m in maps).backward()
    assert images.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in network.parameters())


def test_vgg_sees_bgr_minus_the_mean_of_0_to_255():
    network = VGGFeatures()
    image = torch.rand(1, 3, 8, 8)
    bgr = image[:, [2, 1, 0]] * 255 - torch.tensor([103.94, 116.78, 123.68]).view(1, 3, 1, 1)
    expected = F.relu(network.blocks[0][1](F.relu(network.blocks[0][0](bgr))))
    torch.testing.assert_close(network(image)[0], expected)


def test_vgg_in_bfloat16_and_channels_last_agrees_with_float32():
    network = VGGFeatures()
    images = torch.rand(1, 3, 32, 32)
    expected = network(images)
    network = network.to(memory_format=torch.channels_last, dtype=torch.bfloat16)
    found = network(images.to(memory_format=torch.channels_last))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == torch.bfloat16
        assert (a.float() - b).abs().mean() < 0.03 * b.abs().mean()


def test_sface_embeds_and_passes_gradients():
    network = SFace()
    faces = torch.rand(2, 3, SFACE_PX, SFACE_PX, requires_grad=True)
    embeddings = network(faces)
    assert embeddings.shape == (2, 128)
    embeddings.square().sum().backward()
    assert faces.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in network.parameters())


def test_embed_has_length_one_and_agrees_with_itself():
    network, image = SFace(), torch.rand(1, 3, 128, 128)
    landmarks = landmarks_at(TEMPLATE / 56 - 1)
    embedding = network.embed(image, landmarks)
    torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(1))
    torch.testing.assert_close((embedding * network.embed(image, landmarks)).sum(-1), torch.ones(1))


def test_similarity_recovers_a_known_one():
    angle, scale, shift = 0.4, 0.013, torch.tensor([0.2, -0.3])
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points = (scale * (TEMPLATE + 0.5) @ turn.T + shift)[None].requires_grad_()
    affine = similarity_to_template(points)
    moved = points @ affine[..., :2].mT + affine[:, None, :, 2]
    torch.testing.assert_close(moved[0], TEMPLATE + 0.5, atol=1e-3, rtol=0)
    affine.sum().backward()
    assert points.grad.isfinite().all()


def test_align_is_the_identity_for_a_face_that_is_aligned_already():
    image = torch.rand(1, 3, SFACE_PX, SFACE_PX)
    landmarks = landmarks_at((TEMPLATE + 0.5) / (SFACE_PX / 2) - 1)
    torch.testing.assert_close(align_faces(image, landmarks), image, atol=2e-3, rtol=0)


def test_align_averages_large_pictures():
    image = torch.rand(1, 3, 512, 512, requires_grad=True)
    landmarks = landmarks_at((TEMPLATE + 0.5) / (SFACE_PX / 2) - 1).requires_grad_()
    crop = align_faces(image, landmarks)
    assert crop.shape == (1, 3, SFACE_PX, SFACE_PX)
    assert crop.std() < image.std() / 2
    crop.square().sum().backward()
    assert image.grad.abs().sum() > 0
    assert landmarks.grad.abs().sum() > 0


def test_weights_travel_in_half_precision(tmp_path):
    network = VGGFeatures()
    state = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, str(tmp_path / "vgg.safetensors"))
    image = torch.rand(1, 3, 16, 16)
    found = VGGFeatures(tmp_path / "vgg.safetensors")(image)[-1]
    torch.testing.assert_close(found, network(image)[-1], rtol=0.02, atol=0.02)


def test_missing_and_wrong_weights_are_user_errors(tmp_path):
    with pytest.raises(Real3DError, match="no such weights"):
        SFace(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("Dear Sir or Madam")
    with pytest.raises(Real3DError, match="not the weights of SFace"):
        SFace(tmp_path / "text.safetensors")
    save_file({"other": torch.zeros(1)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(Real3DError, match="not the weights of SFace"):
        SFace(tmp_path / "other.safetensors")
