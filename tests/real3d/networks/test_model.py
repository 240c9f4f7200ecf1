import pytest
import torch

from real3d.face.blendshapes import ARKIT_INDEX
from real3d.networks.config import SMOKE
from real3d.networks.geometry import Head
from real3d.renderer import encoding_of, network_pictures
from real3d.retarget import turned_camera

S, C = SMOKE.image_px, SMOKE.plane_channels


@pytest.fixture(scope="module")
def encoding(avatar, model):
    return encoding_of(avatar, model)


def _render(network, encoding, camera, coefficients):
    head = Head(encoding.head.identity, coefficients, camera)
    with torch.no_grad():
        return network.render(encoding, network.geometry.target(encoding.geometry, head), head)


def test_shapes_of_an_encoding(encoding):
    assert encoding.features.shape == (1, C, S // 4, S // 4)
    assert encoding.planes.frontal.shape == (1, C, S // 4, S // 4)
    assert encoding.planes.side.shape == (1, C, S // 8, S // 8)
    assert encoding.planes.hidden.shape == (1, 128, S // 8, S // 8)
    assert encoding.plates.background.shape == (1, 3, S, S)
    assert encoding.plates.hair.shape == (1, 3, S, S)
    assert encoding.volume.alpha.shape == (1, 1, S // 8, S // 8)


def test_shapes_and_ranges_of_a_frame(avatar, model, encoding):
    frame = _render(model.network, encoding, avatar.camera, avatar.coefficients)
    assert frame.image.shape == (1, 3, S, S)
    assert frame.image.abs().max() <= 1 + 1e-5
    assert frame.alpha.shape == (1, 1, S, S)
    assert frame.composite.weights.shape == (1, 6, S, S)
    torch.testing.assert_close(frame.composite.weights.sum(1), torch.ones(1, S, S))
    assert frame.volume.features.shape == (1, C, S // 4, S // 4)
    assert frame.torso.flow.shape == (1, 2, S // 8, S // 8)


def test_the_same_input_gives_the_same_output(avatar, model, encoding):
    camera = turned_camera(avatar, 20, 0, 0)
    first = _render(model.network, encoding, camera, avatar.coefficients)
    again = _render(model.network, encoding, camera, avatar.coefficients)
    assert torch.equal(first.image, again.image)
    other = avatar.coefficients.clone()
    other[:, [0, 7]] = 1
    moved = _render(model.network, encoding, camera, other)
    assert (first.image - moved.image).abs().max() > 0.05


def test_mouth_and_eyes_alone_go_by_the_coefficients(avatar, model, encoding, monkeypatch):
    """What a Motion Adapter adds that says which coefficients it was given."""
    network, planes = model.network, []

    def adapted(hidden, moves, *coefficients):
        """1 from the photo's own coefficients, 3 from those that are asked for."""
        asked = [(given[:, :52] != avatar.coefficients).any() for given in coefficients]
        return [(1 + 2 * one) * torch.ones_like(encoding.planes.frontal) for one in asked]

    monkeypatch.setattr(network.motion_adapter, "forward", adapted)
    hook = network.volume.register_forward_pre_hook(lambda _, given: planes.append(given[0]))
    _render(network, encoding, avatar.camera, avatar.coefficients + 0.5)
    hook.remove()
    added = planes[0].frontal - encoding.planes.frontal
    face, lively = network.geometry.face, network.geometry.lively
    torch.testing.assert_close(added, (face * (1 + 2 * lively)).expand_as(added))


def test_half_precision_renders_alike(avatar, model, encoding):
    given = (model.network, encoding, turned_camera(avatar, 30, 5, 0), avatar.coefficients)
    exact = _render(*given).image
    with torch.autocast("cpu", torch.bfloat16):
        half = _render(*given).image
    assert (exact - half).abs().mean() < 0.01


def test_partners_planes_are_fused(avatar, model, encoding):
    """A photo that is its own partner is encoded as if it had none."""
    photo, alpha = (x.expand(2, -1, -1, -1).clone() for x in (encoding.photo, encoding.alpha))
    photo[1] = -photo[1]
    head = Head(
        avatar.identity.expand(2, -1, -1), avatar.coefficients.expand(2, -1),
        avatar.camera.expand(2),
    )  # fmt: skip
    with torch.no_grad():
        alone, same, fused = (
            model.network.encode(photo, alpha, head, False, partner).planes
            for partner in (None, torch.tensor([0, 1]), torch.tensor([1, 0]))
        )
    torch.testing.assert_close(same.frontal, alone.frontal)
    torch.testing.assert_close(fused.frontal[0], fused.frontal[1])
    torch.testing.assert_close(fused.frontal[0], alone.frontal.mean(0), atol=1e-4, rtol=1e-4)


def test_the_photos_own_pose_finds_every_pixel_where_it_was(avatar, model, encoding):
    head = Head(avatar.identity, avatar.coefficients, avatar.camera)
    target = model.network.geometry.target(encoding.geometry, head)
    hit = target.hit[0, 0] > 0
    steps = (torch.arange(S) + 0.5) * (2 / S) - 1
    torch.testing.assert_close(
        target.source_uv[0, ..., 0][hit], steps.expand(S, S)[hit], atol=2e-3, rtol=0
    )
    assert target.seen[0, 0][hit].mean() > 0.7


def test_a_point_that_the_photo_hides_is_not_seen(avatar, model, encoding):
    """Turned by 60 degrees most of the far cheek is new; half as much as from the front is seen."""
    shares = []
    for yaw in (0, 60):
        camera = turned_camera(avatar, yaw, 0, 0, frontal=True)
        head = Head(avatar.identity, avatar.coefficients, camera)
        target = model.network.geometry.target(encoding.geometry, head)
        shares.append((target.seen.sum() / target.hit.sum()).item())
    assert shares[1] < 0.8 * shares[0]


def test_a_shut_lid_was_too_small_in_the_photo(avatar, model, encoding):
    """A blink needs more of the lids than open eyes show; the rest of the face is large enough."""
    ample = []
    for shut in (0.0, 1.0):
        coefficients = avatar.coefficients.clone()
        coefficients[:, [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]] = shut
        head = Head(avatar.identity, coefficients, avatar.camera)
        target = model.network.geometry.target(encoding.geometry, head)
        on_face = (target.firmness > 0.9) & (target.hit > 0)
        ample.append(target.ample[on_face])
    assert (ample[0] > 0.99).float().mean() > 0.97
    assert 0.005 < (ample[1] < 0.5).float().mean() < 0.1


def test_every_weight_learns(avatar, network):
    """A gradient from the picture reaches every parameter through encode and render."""
    photo, alpha = network_pictures(avatar.photo, avatar.alpha, S)
    own = Head(avatar.identity, avatar.coefficients, avatar.camera)
    head = Head(avatar.identity, avatar.coefficients * 0.5, turned_camera(avatar, 15, 5, 0))
    network.requires_grad_(True)
    try:
        encoding = network.encode(photo, alpha, own)
        frame = network.render(encoding, network.geometry.target(encoding.geometry, head), head)
        frame.image.square().mean().backward()
        without = [name for name, p in network.named_parameters() if p.grad is None]
        assert not without
        assert all(p.grad.isfinite().all() for p in network.parameters())
    finally:
        network.zero_grad()
        network.requires_grad_(False)
