"""HTB super-resolution: head, torso and background become one picture.

A U-Net that works at half the picture's side and below sees the candidates for every pixel: the
photo looked up by the mesh, its mirror image, the warped torso, the plates of background and hair,
and features of the rendered volume. It answers with a weight for each candidate and a colour of its
own. Where the photo did not show a point, its look-up is switched off by construction.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from real3d.face.template import CLASS_COUNT, TEETH_CLASS
from real3d.networks.config import NetworkConfig
from real3d.networks.layers import Residual, dense, down, enlarge, luma_of, pull_push, smoothstep
from real3d.networks.palette import Palette
from real3d.tensors import constant

_CONDITION = 256
_OFF = 12.0
_OPAQUE = 4.0
"""Twice this speaks against torso and background where the head is, and against colours of the
network's own where neither head nor torso is."""
_BESIDE = 4.0
"""What speaks against the hair plate beside the head, and where the photo shows a point."""
_TONE_PX = 16
"""Side of the squares whose mean colours hidden hair and neck have from the hair plate."""
_AS_BRIGHT = 0.5
"""How much of their mean brightness is the plate's there, if the network can paint sides."""
_HUE_OFF = 0.15
"""How much a hue, in shares of the brightness, is changed at most to what the photo shows there:
not to that of jewels."""
_LEAST_TONED = 0.01
"""Keeps the mean of nothing at nothing."""
_EYES, _MIRRORED_EYES = 12.0, 3.5
"""What speaks for the photo's own irises."""
_TRUSTED = 4.0
"""What speaks for the photo's own face where it shows it and the head is not turned far: else, from
one frame to the next, the network may think that it paints better, and a face would be hazy."""
_SOFT = 1.5
"""What speaks for the network's own colours where a look-up would be enlarged much."""
_COVERED, _SHADED = 0.8, 0.85
"""How far the plate of hair and neck is what clothes cover of a far-turned head in the photo, and
how bright, in the shade of the jaw."""
_CLOTHES = (0.3, 0.9)
"""Opacity of the torso beside a head that is turned far between which it is the photo's own."""
_TEETH_GREY, _TEETH_TINT = 0.7, (1.14, 1.06, 0.94)
"""How far the colour of teeth is this tint of its own brightness."""
_TEETH_LEAST, _TEETH_LIT = 0.88, (0.3, 0.65)
"""How bright teeth are at least, against those of the photo, where the network's own are so bright
that they are not in the shade of cheeks and lips."""
_EVIDENT = 0.2
"""How much brighter an eye is around the pupil where the network's own colours give way."""
_EYE_STEP, _EYE_STEPS = 8, 5
"""An eye, in squares of so many pixels."""
_EYE_SHOWN = (0.1, 0.3)
"""Share of an eye from which on the photo's is trusted, with what a lid covers: not a shut eye."""
CANDIDATES = ("look-up", "mirror", "torso", "background", "generated", "hair")
_LOOK_UP, _TORSO, _OWN = (CANDIDATES.index(name) for name in ("look-up", "torso", "generated"))
_BEHIND = slice(_TORSO, CANDIDATES.index("background") + 1)  # these two alone
_LOOKED_UP = tuple(float(name in ("look-up", "mirror", "hair")) for name in CANDIDATES)
_ALL = (1.0,) * len(CANDIDATES)


@dataclass(frozen=True)
class Candidates:
    """What a pixel may be made of; pictures (B, ·, S, S) in [-1, 1], and hues."""

    look_up: Tensor
    seen: Tensor
    soft: Tensor
    """1 where a look-up would be enlarged much."""
    mirror: Tensor
    mirror_seen: Tensor
    hair: Tensor
    loose: Tensor
    """1 where no face is, so that hair may be."""
    ears: Tensor
    """1 on ears, which have no colour of the hair's."""
    covered: Tensor
    """1 where a look-up of a far-turned head would be the photo's clothes."""
    torso: Tensor
    torso_alpha: Tensor
    background: Tensor
    alpha: Tensor
    """Of the head."""
    classes: Tensor
    eyes: Tensor
    """1 where an eyeball shows: there the photo's own pixels are trusted."""
    eyeball: Tensor
    """Eyes as they are all around the pupil …"""
    eyeball_known: Tensor
    """… and where that is known."""
    enamel: Tensor
    """(B, 3, S, S) in [0, 1], what colours of the network's own are multiplied by on teeth."""
    teeth: Tensor
    """(B, 3, 1, 1) the colour in [0, 1] of the photo's teeth …"""
    teeth_known: Tensor
    """(B, 1, 1, 1) … and whether it shows them."""
    far: Tensor
    """(B, 1, 1, 1) 1 where a head is turned so far that no example shows how shoulders follow."""
    head_palette: Palette
    clothes_palette: Palette


@dataclass(frozen=True)
class Composite:
    """The picture and how it was mixed."""

    image: Tensor
    """(B, 3, S, S) in [-1, 1]."""
    weights: Tensor
    """(B, 6, S, S) of CANDIDATES."""
    generated: Tensor
    """(B, 3, S, S) the network's own colours."""


class HTBSuperResolution(nn.Module):
    """The compositor."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self._paints_sides = config.paints_sides
        a, b, c, d = config.compositor
        channels = config.plane_channels
        full, half = 4 * (3 * 5 + 2 + CLASS_COUNT), 2 + 3 + 3
        self.condition = dense(2 * 52 + 24, _CONDITION)
        self.edge = nn.Conv2d(full + half, a, 3, padding=1)
        self.down1 = down(a, b)
        self.mix = Residual(b + 3 * channels + 2, b)
        self.down2, self.middle = down(b, c), Residual(c, c, _CONDITION)
        self.down3 = down(c, d)
        self.deep1, self.deep2 = Residual(d, d, _CONDITION), Residual(d, d, _CONDITION)
        self.up1 = Residual(d + c, c, _CONDITION)
        self.up2 = Residual(c + b, b, _CONDITION)
        self.up3 = nn.Conv2d(b + a, a, 3, padding=1)
        self.fine = Residual(a, a)
        self.last = nn.Conv2d(a, 4 * (3 + len(CANDIDATES)), 3, padding=1)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)

    def forward(
        self,
        given: Candidates,
        maps: Tensor,
        features: Tensor,
        condition: Tensor,
        painted: Tensor | None = None,
    ) -> Composite:
        """Compose.

        maps (B, 6, S/2, S/2): PNCC and normals. features (B, 3C + 2, S/4, S/4): the volume's, the
        looked-up head's and torso's, alpha and seen; the volume's first three are a colour. painted
        (B,): 1 for heads in the network's own colours alone, as training wants some.
        """
        condition = self.condition(condition)
        pixels = torch.cat(
            [
                given.look_up * given.seen, given.mirror * given.mirror_seen, given.torso,
                given.background, given.seen, given.mirror_seen, given.classes,
                given.hair * given.loose,
            ], 1,
        )  # fmt: skip
        alphas = F.avg_pool2d(torch.cat([given.alpha, given.torso_alpha], 1), 2)
        edge = F.silu(self.edge(torch.cat([F.pixel_unshuffle(pixels, 2), alphas, maps], 1)))
        mixed = self.mix(torch.cat([self.down1(edge), features], 1))
        middle = self.middle(self.down2(mixed), condition)
        deep = self.deep2(self.deep1(self.down3(middle), condition), condition)
        x = self.up1(torch.cat([enlarge(deep, 2), middle], 1), condition)
        x = self.up2(torch.cat([enlarge(x, 2), mixed], 1), condition)
        x = self.fine(self.up3(torch.cat([enlarge(x, 2), edge], 1)))
        out = _without_checkerboard(F.pixel_shuffle(self.last(F.silu(x)), 2).float())
        base = enlarge(features[:, :3].float(), 4)
        return _composed(given, out[:, :3] + base, out[:, 3:], painted, self._paints_sides)


def _without_checkerboard(x: Tensor) -> Tensor:
    """Binomial blur whose response at the highest frequency, where pixel shuffle beats, is zero."""
    across = constant((0.25, 0.5, 0.25), x).view(1, 1, 1, 3).expand(x.shape[1], 1, 1, 3)
    x = F.conv2d(F.pad(x, (1, 1, 1, 1), "replicate"), across, groups=x.shape[1])
    return F.conv2d(x, across.transpose(2, 3), groups=x.shape[1])


def _composed(
    given: Candidates,
    colour: Tensor,
    logits: Tensor,
    painted: Tensor | None = None,
    paints_sides: bool = True,
) -> Composite:
    head, torso = given.alpha, given.torso_alpha
    behind, with_nobody = _unless(head), _unless(1 - torch.maximum(head, torso))
    clothes = torso * (1 - head)
    clothed = _unless(clothes)
    off = -_OFF * (1 - given.seen) + clothed
    trusted = _TRUSTED * (1 - given.far) * given.seen * (1 - given.loose)
    mirror_off = -_OFF * (1 - given.mirror_seen) + clothed
    bias = torch.cat(
        [
            (3 + _EYES * given.eyes * _eyes_shown(given)) * head + off + trusted,
            -1 + (1.5 + _MIRRORED_EYES * given.eyes) * (1 - given.seen) * head + mirror_off,
            3 * clothes + behind,
            2 * (1 - head) * (1 - torso) + behind + _unless(torso),
            head * (1 - given.seen + _SOFT * given.soft * given.loose) + with_nobody,
            -_OFF * (1 - given.loose) - _BESIDE * (1 - head + given.seen),
        ],
        1,
    )
    weights = _obeying(torch.softmax(logits + bias, 1), given)
    covered = given.loose * given.covered * head
    looked_up = 1 - covered
    if paints_sides:
        looked_up = looked_up * (1 - _of_one_piece(given))
    if painted is not None:
        looked_up = looked_up * (1 - painted.view(-1, 1, 1, 1) * head)
    weights = _moved(weights, 1 - looked_up, _LOOKED_UP, _OWN)
    weights = _with_clothes(weights, clothes, given.far)
    made = _in_palette(_painted(colour, given), given)
    made = _hued(made, given, head * given.seen * (1 - covered))
    made = torch.lerp(made, given.eyeball, given.eyeball_known * _brighter(given.eyeball, made))
    hidden = given.loose * (1 - given.seen * (1 - given.covered)) * (1 - given.ears)
    where = hidden * torch.maximum(head, 1 - torso)
    made = _toned(made, given.hair, hidden * head, where, _AS_BRIGHT if paints_sides else 1.0)
    made = torch.lerp(made, _SHADED * (given.hair + 1) - 1, _COVERED * covered)
    parts = (given.look_up, given.mirror, given.torso, given.background, made, given.hair)
    image = sum(weights[:, k : k + 1] * part for k, part in enumerate(parts))
    return Composite(image, weights, made)


def _obeying(weights: Tensor, given: Candidates) -> Tensor:
    """Weights (B, 6, S, S): a face is no copy of what is behind it.

    While a head does not turn, the torso's picture is the photo, and to copy a face from there is
    often right, but not when its expression changes.
    """
    behind = weights[:, _BEHIND] * given.alpha * (1 - given.loose)
    copied = behind.sum(1, keepdim=True)
    weights = weights.clone()
    weights[:, _BEHIND] -= behind
    weights[:, _LOOK_UP, None] += copied * given.seen
    weights[:, _OWN, None] += copied * (1 - given.seen)
    return weights


def _of_one_piece(given: Candidates) -> Tensor:
    """(B, 1, S, S) 1 where the network's own colours alone have the place of what the photo does
    not show, or shows so small that it would blur: beside the face of a far-turned head.

    A softmax would mix several pictures of the same hair there.
    """
    return given.far * given.loose * (1 - given.seen * (1 - given.soft))


def _with_clothes(weights: Tensor, clothes: Tensor, far: Tensor) -> Tensor:
    """Weights (B, 6, S, S): the farther a head is turned, the more are clothes the torso alone.

    Not their logits are changed: the network's may be so large that clothes would come at once,
    when a head turns by a degree.
    """
    return _moved(weights, far * smoothstep(clothes, *_CLOTHES), _ALL, _TORSO)


def _moved(weights: Tensor, share: Tensor, of: tuple[float, ...], to: int) -> Tensor:
    """Weights (B, 6, S, S), a share (B, 1, S, S) of those of some given to one; of: 1 for some."""
    moved = weights * constant(of, weights).view(1, -1, 1, 1) * share
    weights = weights - moved
    weights[:, to, None] += moved.sum(1, keepdim=True)
    return weights


def _brighter(one: Tensor, other: Tensor) -> Tensor:
    """(B, 1, S, S) 1 where one picture (B, 3, S, S) is brighter than another."""
    return smoothstep(luma_of(one) - luma_of(other), 0, _EVIDENT)


def _eyes_shown(given: Candidates) -> Tensor:
    """(B, 1, S, S) whether the photo shows most of the eye that is here."""
    both = torch.cat([given.eyes, given.eyes * given.seen], 1)
    near = F.avg_pool2d(F.avg_pool2d(both, _EYE_STEP), _EYE_STEPS, 1, _EYE_STEPS // 2)
    share = near[:, 1:] / (near[:, :1] + 1e-3)
    return enlarge(smoothstep(share, *_EYE_SHOWN), _EYE_STEP)


def _painted(colour: Tensor, given: Candidates) -> Tensor:
    """The network's own colours; teeth are nearly grey, or as the photo's, with lines between."""
    made = torch.tanh(colour) * 0.5 + 0.5
    luma = luma_of(made)
    grey = luma * constant(_TEETH_TINT, made).view(1, 3, 1, 1)
    grey = torch.lerp(made, grey, _TEETH_GREY)
    share = (luma / luma_of(given.teeth).clamp_min(0.1)).clamp(max=1)
    lit = given.teeth_known * smoothstep(share, *_TEETH_LIT)
    teeth = torch.lerp(grey, given.teeth * share.clamp_min(_TEETH_LEAST), lit)
    made = torch.lerp(made, teeth, given.classes[:, TEETH_CLASS, None]).clamp(max=1)
    return 2 * made * given.enamel - 1


def _in_palette(made: Tensor, given: Candidates) -> Tensor:
    """Colours with hues that the photo's head or clothes have; mouth and eyes are free."""
    clothes, head = given.clothes_palette.nearest(made), given.head_palette.nearest(made)
    either = torch.lerp(clothes, head, given.alpha)
    return torch.lerp(either, made, given.classes[:, 1:].sum(1, keepdim=True)).clamp(-1, 1)


def _hued(made: Tensor, given: Candidates, shown: Tensor) -> Tensor:
    """Colours beside a far-turned face with the hues that what is shown has around there.

    Hues, in shares of the brightness, are compared in squares, by their means where the photo shows
    the head (B, 1, S, S), and continued: an ear of the network's own is as red as the photo's.
    """
    shown = shown * (1 - given.classes[:, 1:].sum(1, keepdim=True))
    sums = torch.cat([given.look_up, made, torch.ones_like(shown)], 1) * shown
    there, own, known = F.avg_pool2d(sums, _TONE_PX).split((3, 3, 1), 1)
    away = _hue(there, known) - _hue(own, known)
    away = enlarge(pull_push(away, known), _TONE_PX)
    size = away.abs().amax(1, keepdim=True).clamp_min(_LEAST_TONED) / _HUE_OFF
    away = away * torch.tanh(size) / size
    return (made + given.far * given.loose * away * (luma_of(made) + 1)).clamp(-1, 1)


def _hue(colour: Tensor, count: Tensor) -> Tensor:
    """(B, 3, n, n) what is not grey of summed colours in [-1, 1], in shares of their brightness.

    count: (B, 1, n, n) how many were summed.
    """
    luma = luma_of(colour)
    return (colour - luma) / (luma + count).clamp_min(_LEAST_TONED)


def _toned(made: Tensor, plate: Tensor, inside: Tensor, where: Tensor, as_bright: float) -> Tensor:
    """The hair plate's hues, on the way from what is made to as bright as the plate.

    The plate knows the hair's colour, what is made its shape: plates have highlights where a head
    has none. Both are compared in squares, by their means inside (B, 1, S, S); where (B, 1, S, S)
    to do so. It reaches beyond: between dark hair and a pale wall lies the brightness of skin.
    """
    means = torch.cat([plate, made, torch.ones_like(inside)], 1) * inside
    means = enlarge(F.avg_pool2d(means, _TONE_PX), _TONE_PX)
    tone, mean = (means[:, :6] / (means[:, 6:] + _LEAST_TONED)).split(3, 1)
    bright = luma_of(tone)
    luma = luma_of(made) + as_bright * (bright - luma_of(mean))
    darker = ((luma + 1) / (bright + 1).clamp_min(_LEAST_TONED)).clamp(0, 1)
    known = (means[:, 6:] / _LEAST_TONED).clamp(max=1)
    toned = luma + (tone - bright) * darker  # in the dark there is less of any hue
    return torch.lerp(made, toned.clamp(-1, 1), where * known)


def _unless(alpha: Tensor) -> Tensor:
    """What speaks against a candidate the more, the surer something else is there."""
    return 2 * torch.log(1 - alpha + math.exp(-_OPAQUE))
