import dataclasses

import pytest
import torch

from real3d.face.template import CLASS_COUNT, TEETH_CLASS
from real3d.networks.htb_super_resolution import (
    CANDIDATES,
    Candidates,
    _composed,
    _hued,
    _painted,
    _toned,
)
from real3d.networks.layers import luma_of
from real3d.networks.palette import Palette

S = 32
COLOURS = {
    "look-up": 0.1, "mirror": 0.2, "torso": 0.3, "background": 0.4, "generated": 0.5, "hair": 0.6,
}  # fmt: skip
ZERO = torch.zeros(1, 1, 1, 1)
ANY_HUE = Palette(
    ZERO, ZERO.expand(-1, 2, -1, -1), ZERO.expand(-1, 2, -1, -1), ZERO.expand(-1, 3, -1, -1)
)
GREY = Palette.of(torch.linspace(-1, 1, S).expand(1, 3, S, S), torch.ones(1, 1, S, S))


def _map(value, channels=1):
    return torch.full((1, channels, S, S), float(value))


@pytest.fixture
def given():
    """A place of the head's loose part that the photo does not show."""
    return Candidates(
        look_up=_map(COLOURS["look-up"], 3),
        seen=_map(0),
        soft=_map(0),
        mirror=_map(COLOURS["mirror"], 3),
        mirror_seen=_map(0),
        hair=_map(COLOURS["hair"], 3),
        loose=_map(1),
        ears=_map(0),
        covered=_map(0),
        torso=_map(COLOURS["torso"], 3),
        torso_alpha=_map(0),
        background=_map(COLOURS["background"], 3),
        alpha=_map(1),
        classes=_map(0, CLASS_COUNT),
        eyes=_map(0),
        eyeball=_map(0, 3),
        eyeball_known=_map(0),
        enamel=_map(1, 3),
        teeth=torch.ones(1, 3, 1, 1),
        teeth_known=ZERO,
        far=ZERO,
        head_palette=ANY_HUE,
        clothes_palette=ANY_HUE,
    )


def _weights(given, painted=None, **logits):
    """Mean weight of each candidate, with logits by name, 0 for the others."""
    values = torch.cat([_map(logits.get(name, 0)) for name in CANDIDATES], 1)
    composite = _composed(given, _map(COLOURS["generated"], 3).atanh(), values, painted)
    return dict(zip(CANDIDATES, composite.weights.mean((0, 2, 3)).tolist(), strict=True))


def test_the_picture_is_the_weighted_sum(given):
    seen = dataclasses.replace(given, seen=_map(1))
    logits = torch.randn(1, len(CANDIDATES), S, S, generator=torch.Generator().manual_seed(0))
    composite = _composed(seen, _map(COLOURS["generated"], 3).atanh(), logits)
    expected = sum(
        composite.weights[:, k : k + 1] * COLOURS[name] for k, name in enumerate(CANDIDATES)
    )
    torch.testing.assert_close(composite.image, expected.expand(-1, 3, -1, -1))


@pytest.mark.parametrize(("paints_sides", "plate"), [(False, 1), (True, 0.5)])
def test_hidden_hair_and_neck_have_the_plates_mean_colour(given, paints_sides, plate):
    """Halfway, where the network's own brightness can be trusted."""
    only_made = torch.cat([_map(20 if name == "generated" else 0) for name in CANDIDATES], 1)
    detail = 0.1 * torch.sign(torch.randn(1, 1, S, S, generator=torch.Generator().manual_seed(0)))
    made = (COLOURS["generated"] + detail).atanh()
    composite = _composed(given, made, only_made, paints_sides=paints_sides)
    wanted = plate * COLOURS["hair"] + (1 - plate) * COLOURS["generated"]
    assert float(composite.image.mean()) == pytest.approx(wanted, abs=0.01)
    assert float(composite.image.std()) == pytest.approx(0.1, abs=0.01)


def test_an_eyes_white_is_not_darker_than_around_the_pupil(given):
    only_made = torch.cat([_map(20 if name == "generated" else 0) for name in CANDIDATES], 1)
    for around, expected in ((0.9, 0.9), (-0.5, COLOURS["generated"])):
        eyes = dataclasses.replace(
            given, loose=_map(0), eyes=_map(1), eyeball=_map(around, 3), eyeball_known=_map(1)
        )
        image = _composed(eyes, _map(COLOURS["generated"], 3).atanh(), only_made).image
        assert float(image.mean()) == pytest.approx(expected, abs=0.01)


def test_ears_have_no_colour_of_the_hairs(given):
    only_made = torch.cat([_map(20 if name == "generated" else 0) for name in CANDIDATES], 1)
    ears = dataclasses.replace(given, ears=_map(1))
    image = _composed(ears, _map(COLOURS["generated"], 3).atanh(), only_made).image
    assert float(image.mean()) == pytest.approx(COLOURS["generated"], abs=0.01)


def test_hidden_skin_has_no_hue_that_the_photo_has_not(given):
    orange = torch.tensor([0.9, 0.2, -0.8]).view(1, 3, 1, 1).expand(1, 3, S, S)
    only_made = torch.cat([_map(20 if name == "generated" else 0) for name in CANDIDATES], 1)
    skin = dataclasses.replace(given, loose=_map(0), head_palette=GREY)
    body = dataclasses.replace(skin, alpha=_map(0), torso_alpha=_map(1))
    spread = [
        float(_composed(x, orange.atanh(), only_made).image.std(1).mean()) for x in (skin, body)
    ]
    assert spread[0] < 0.2 * float(orange.std(1).mean())
    assert spread[1] > 0.8 * float(orange.std(1).mean())  # clothes may have any


def test_teeth_have_lines_whatever_the_network_paints(given):
    lines = torch.where(torch.arange(S) % 8 == 0, 0.5, 1.0).expand(1, 3, S, S)
    teeth = dataclasses.replace(given, loose=_map(0), enamel=lines)
    only_made = torch.cat([_map(20 if name == "generated" else 0) for name in CANDIDATES], 1)
    image = _composed(teeth, _map(COLOURS["generated"], 3).atanh(), only_made).image
    torch.testing.assert_close(image + 1, (COLOURS["generated"] + 1) * lines)


def test_what_is_shown_is_looked_up(given):
    shown = dataclasses.replace(given, seen=_map(1), mirror_seen=_map(1))
    assert _weights(shown)["look-up"] > 0.8


def test_what_would_be_blurred_may_be_painted_unless_it_is_the_face(given):
    blurred = dataclasses.replace(given, seen=_map(1), soft=_map(1))
    assert _weights(blurred, generated=4)["generated"] > 0.8
    face = dataclasses.replace(blurred, loose=_map(0))
    assert _weights(face, generated=1)["look-up"] > 0.8


def test_beside_a_far_turned_face_hidden_and_blurred_hair_is_of_one_piece(given):
    """Whatever the network wants; what the photo shows large enough may be looked up."""
    hidden = dataclasses.replace(given, mirror_seen=_map(1), far=ZERO + 1)
    blurred = dataclasses.replace(hidden, seen=_map(1), soft=_map(1))
    wanted = {"look-up": 9, "mirror": 9, "hair": 9}
    assert _weights(hidden, **wanted)["generated"] > 0.99
    assert _weights(blurred, **wanted)["generated"] > 0.99
    assert _weights(dataclasses.replace(blurred, soft=_map(0)), **wanted)["generated"] < 0.01
    assert _weights(dataclasses.replace(blurred, loose=_map(0)), **wanted)["generated"] < 0.01
    assert _weights(dataclasses.replace(hidden, far=ZERO), **wanted)["generated"] < 0.01


def test_sides_are_mixed_where_the_network_was_not_trained_to_paint_them(given):
    turned = dataclasses.replace(given, far=ZERO + 1)
    logits = torch.cat([_map(9 if name == "hair" else 0) for name in CANDIDATES], 1)
    made = _map(COLOURS["generated"], 3).atanh()
    mixed = _composed(turned, made, logits, paints_sides=False)
    assert float(mixed.weights[:, CANDIDATES.index("hair")].mean()) > 0.99


def test_a_painted_head_has_the_networks_own_colours_alone(given):
    shown = dataclasses.replace(given, seen=_map(1), mirror_seen=_map(1))
    assert _weights(shown, torch.ones(1))["generated"] > 0.99
    assert _weights(shown, torch.zeros(1)) == _weights(shown)
    wall = dataclasses.replace(shown, alpha=_map(0))
    assert _weights(wall, torch.ones(1)) == _weights(wall)


def test_hidden_hair_is_the_plate_or_the_networks_own(given):
    weights = _weights(given)
    assert weights["hair"] + weights["generated"] > 0.99
    assert _weights(given, hair=3)["hair"] > 0.8
    assert _weights(given, generated=3)["generated"] > 0.8


def test_no_hair_on_the_face(given):
    face = dataclasses.replace(given, loose=_map(0))
    assert _weights(face, hair=5)["hair"] < 0.01


def test_nothing_shines_through_the_head(given):
    weights = _weights(given, background=4, torso=4)
    assert weights["background"] + weights["torso"] < 0.05


def test_the_network_cannot_paint_walls(given):
    wall = dataclasses.replace(given, alpha=_map(0))
    weights = _weights(wall, generated=5, hair=2)
    assert weights["background"] > 0.8


def test_the_torso_may_be_painted_where_it_is(given):
    body = dataclasses.replace(given, alpha=_map(0), torso_alpha=_map(1))
    assert _weights(body)["torso"] > 0.9
    assert _weights(body, generated=6)["generated"] > 0.8


def test_clothes_are_the_torsos_alone(given):
    """What the head's surface finds in the photo turns with the head."""
    clothes = dataclasses.replace(
        given, alpha=_map(0), torso_alpha=_map(1), seen=_map(1), mirror_seen=_map(1)
    )
    found = _weights(clothes, **{"look-up": 5, "mirror": 5})
    assert found["torso"] > 0.9
    assert found["background"] < 0.01


def test_clothes_of_far_turned_heads_are_the_photos(given):
    body = dataclasses.replace(given, alpha=_map(0), torso_alpha=_map(1), far=ZERO + 1)
    assert _weights(body, generated=15, hair=15)["torso"] > 0.9  # whatever the network wants
    assert _weights(dataclasses.replace(body, alpha=_map(1)), generated=6)["torso"] < 0.01


def test_clothes_come_little_by_little_while_a_head_turns(given):
    """Also where the network is sure of something else."""
    body = dataclasses.replace(given, alpha=_map(0), torso_alpha=_map(1))
    for share in (0.25, 0.5, 0.75):
        turned = dataclasses.replace(body, far=ZERO + share)
        assert _weights(turned, generated=15)["torso"] == pytest.approx(share, abs=0.02)


def test_a_face_is_no_copy_of_the_torsos_picture(given):
    """Whatever the network wants: where the photo shows it, it is looked up."""
    face = dataclasses.replace(given, loose=_map(0))
    assert _weights(face, torso=20, background=20)["generated"] > 0.99
    shown = dataclasses.replace(face, seen=_map(1))
    assert _weights(shown, torso=20, background=20)["look-up"] > 0.99
    hair = _weights(given, torso=20)
    assert hair["torso"] > 0.9


def test_what_clothes_cover_of_a_neck_is_the_plate_in_the_shade(given):
    """Not what the photo shows there, nor what the network makes of it."""
    neck = dataclasses.replace(given, far=ZERO + 1, seen=_map(1), covered=_map(1), hair=_map(0, 3))
    found = _weights(neck, **{"look-up": 9, "mirror": 9})
    assert found["generated"] > 0.99
    only_made = torch.cat([_map(20 if name == "generated" else 0) for name in CANDIDATES], 1)
    dark = _composed(neck, _map(-0.8, 3).atanh(), only_made).image.mean()
    made = 0.5 * (-0.8 + 0)  # halfway as bright as the plate
    assert float(dark) == pytest.approx(0.2 * made + 0.8 * (0.85 - 1), abs=0.02)
    clothes = dataclasses.replace(neck, alpha=_map(0), torso_alpha=_map(1))
    assert _weights(clothes)["torso"] > 0.9


def test_tones_are_not_those_of_what_is_beside_the_head(given):
    """Colours that nobody sees would otherwise change those along the head's outline."""
    half = _map(1)
    half[..., : S // 2 - 4] = 0
    made = torch.where(half > 0, 0.2, -1.0).expand(-1, 3, -1, -1)
    toned = _toned(made, given.hair, half, half, 1.0)
    torch.testing.assert_close(toned[..., S // 2 :], given.hair[..., S // 2 :], atol=0.02, rtol=0)


def test_beside_far_turned_faces_hues_are_those_that_the_photo_shows_there(given):
    """Skin that is painted pink is nearly as brown as what is shown and as bright as it was."""
    brown = torch.cat([_map(0.1), _map(0), _map(-0.1)], 1)
    pink = torch.cat([_map(0.1), _map(-0.1), _map(0)], 1)
    gold = torch.cat([_map(0.9), _map(0.1), _map(-0.9)], 1)
    half = _map(1)
    half[..., S // 2 :] = 0
    turned = dataclasses.replace(given, look_up=brown, far=ZERO + 1)
    hued = _hued(pink, turned, half)
    torch.testing.assert_close(hued - luma_of(hued), brown - luma_of(brown), atol=0.04, rtol=0)
    torch.testing.assert_close(luma_of(hued), luma_of(pink))
    ahead = dataclasses.replace(turned, far=ZERO)
    assert torch.equal(_hued(pink, ahead, half), pink)
    beside_jewels = dataclasses.replace(turned, look_up=gold)
    assert float((_hued(pink, beside_jewels, half) - pink).abs().max()) < 0.16
    assert torch.equal(_hued(pink, turned, _map(0)), pink)


def test_beside_hidden_hair_is_its_hue(given):
    """Of a red rim the brightness stays; far from any hair the colour does as well."""
    hair = torch.cat([_map(-0.8, 2), _map(-0.6)], 1)
    red = torch.cat([_map(0.5), _map(-0.5, 2)], 1)
    beside = torch.cat([hair[..., : S // 2], red[..., S // 2 :]], 3)
    inside = _map(1)
    inside[..., S // 2 :] = 0
    toned = _toned(beside, hair, inside, _map(1), 0.5)[..., S // 2 + 2]
    red_over_blue = toned[:, 0] - toned[:, 2]
    assert float(red_over_blue.mean()) == pytest.approx(-0.2, abs=0.02)
    assert float((luma_of(toned[..., None]) - luma_of(red)[..., :1]).abs().max()) < 0.05
    assert torch.equal(_toned(red, hair, _map(0), _map(1), 0.5), red)


def test_the_photos_own_irises_are_hard_to_overrule(given):
    eye = dataclasses.replace(given, seen=_map(1), loose=_map(0), eyes=_map(1))
    assert _weights(eye, generated=4)["look-up"] > 0.9


def test_an_eye_that_was_shut_is_not_looked_up(given):
    shut = dataclasses.replace(given, seen=_map(0), loose=_map(0), eyes=_map(1))
    assert _weights(shut)["look-up"] < 0.01
    half = torch.cat([_map(0)[:, :, : S // 2], _map(1)[:, :, : S // 2]], 2)
    lid = dataclasses.replace(shut, seen=half)
    assert _weights(lid)["look-up"] > 0.8


def test_hidden_teeth_are_as_bright_as_those_of_the_photo_unless_in_the_shade(given):
    """Pinkish teeth of a mouth whose others are white, and some that are nearly black."""
    classes = _map(0, CLASS_COUNT).clone()
    classes[:, TEETH_CLASS] = 1
    pink = torch.tensor([0.75, 0.55, 0.55]).view(1, 3, 1, 1).expand(1, 3, S, S)
    tone = torch.full((1, 3, 1, 1), 0.8)
    for known, shade in ((0, 1), (1, 1), (1, 0.1)):
        mouth = dataclasses.replace(
            given, classes=classes, teeth=tone, teeth_known=torch.full((1, 1, 1, 1), float(known))
        )
        made = _painted((2 * pink * shade - 1).atanh(), mouth)[0, :, 0, 0] * 0.5 + 0.5
        if known and shade == 1:
            torch.testing.assert_close(made, torch.full((3,), 0.88 * 0.8))
        else:
            assert made.max() < 0.75 * shade


def test_a_face_that_the_photo_shows_is_the_photo_unless_it_is_turned_far(given):
    """Even if the network would rather paint it; hair it may paint."""
    face = dataclasses.replace(given, seen=_map(1), loose=_map(0))
    assert _weights(face, generated=4)["look-up"] > 0.9
    assert _weights(dataclasses.replace(face, far=ZERO + 1), generated=4)["look-up"] < 0.5
    assert _weights(dataclasses.replace(face, loose=_map(1)), generated=4)["look-up"] < 0.5
