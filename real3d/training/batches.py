"""Pairs of a source and a target picture of one person, chosen to teach."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from real3d.camera import Camera, camera_from_pose
from real3d.face.blendshapes import ARKIT_INDEX
from real3d.face.mirror import Mirror
from real3d.networks.geometric_warp import geometric_warp
from real3d.networks.geometry import Geometry, Head
from real3d.networks.layers import sample
from real3d.rotation import rotation_from_euler
from real3d.training.frame_bank import FrameBank

CLIP, PSEUDO, SYNTHETIC, PLAIN = 0, 1, 2, 3
"""Kinds of a pair: two true frames, a false source of a true photo, two synthetic frames, a photo
that is source and target."""

_JAW = ARKIT_INDEX["jawOpen"]
_BLINK = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_CANDIDATES = 5
_OPEN_OR_SHUT, _FAR = 0.33, 0.88
"""Shares of targets chosen for open mouths and shut eyes, then for distance; the rest at random."""
_FALSE_TURN = (0.65, 0.25, 0.12)
"""Largest yaw, pitch and roll between a photo and its false source, radians."""
_COUPLED = 0.25
"""Share of pairs of true or synthetic frames that have a partner."""
_OWN_SOURCE = 0.4
"""Share of photos that are their own source."""


@dataclass(frozen=True)
class Batch:
    """B pairs at the network's size; pictures in [-1, 1]."""

    source: Tensor
    source_alpha: Tensor
    source_head: Head
    target: Tensor
    target_alpha: Tensor
    target_head: Head
    landmarks: Tensor
    """(B, 478, 3) tracked in the target."""
    kind: Tensor
    """(B,) CLIP, PSEUDO, SYNTHETIC or PLAIN."""
    depth: Tensor
    """(B, 1, 64, 64) of synthetic targets behind their nose tip, 9 where unknown."""
    head_label: Tensor
    """(B, 2, 1, h, h) head of synthetic sources and targets, -1 where unknown."""
    partner: Tensor
    """(B,) a pair whose source is another picture of the same person, or the pair itself."""


class PairSampler:
    """Draws batches from banks of frames."""

    def __init__(
        self,
        banks: dict[str, FrameBank],
        geometry: Geometry,
        shares: dict[str, float],
        generated_weight: float,
        seed: int,
        mirrored_share: float = 0.5,
    ):
        self._banks, self._geometry = banks, geometry
        there = {name: share for name, share in shares.items() if name in banks and share > 0}
        total = sum(there.values())
        self._shares = {name: share / total for name, share in there.items()}
        self._random = np.random.default_rng(seed)
        self._rows = {name: _rows_by_clip(bank, generated_weight) for name, bank in banks.items()}
        self._mirror, self._mirrored_share = Mirror(geometry.template), mirrored_share
        self._measures = {name: _Measures(bank) for name, bank in banks.items()}
        self._expressions = torch.cat(
            [bank.fits.coefficients for n, bank in banks.items() if n != "portraits"]
            or [bank.fits.coefficients for bank in banks.values()]
        )

    def draw(self, count: int) -> Batch:
        """A batch of that many pairs."""
        names, edges = list(self._shares), np.cumsum(list(self._shares.values()))
        places = (np.arange(count) + self._random.random()) / count * edges[-1]
        counts = np.bincount(np.searchsorted(edges, places, "right"), minlength=len(names))
        parts = []
        for name, n in zip(names, counts.tolist(), strict=True):
            if n:
                part = (
                    self._photos(name, n) if name.startswith("portraits") else self._pairs(name, n)
                )
                parts.append(part)
        batch = joined_batches(parts)
        which = torch.from_numpy(self._random.random(count) < self._mirrored_share)
        which = which.to(batch.source.device)[_first_of_couple(batch)]
        return _with_colours(mirrored(batch, which, self._mirror), self._random)

    def _pairs(self, name: str, count: int) -> Batch:
        bank, fits = self._banks[name], self._banks[name].fits
        clips, weights, rows_of = self._rows[name]
        chosen = self._random.choice(len(clips), count, p=weights)
        partner = np.arange(count)
        for k in range(0, round(_COUPLED * count) // 2 * 2, 2):
            chosen[k + 1], partner[k], partner[k + 1] = chosen[k], k + 1, k
        rows = np.array([self._random.choice(rows_of[k]) for k in chosen])
        sources = np.array([self._offset(bank, row) for row in rows])
        targets = np.array([self._target(name, r, s) for r, s in zip(rows, sources, strict=True)])
        entry = fits.first[rows]
        frame = np.array([bank.clips[c][0] for c in fits.clip[rows]])
        return self._batch(
            bank,
            (frame + sources, fits.head(rows, entry + sources)),
            (frame + targets, fits.head(rows, entry + targets)),
            CLIP if bank.parts is None else SYNTHETIC,
            partner,
        )

    @staticmethod
    def _offset(bank: FrameBank, row: int) -> int:
        return int(bank.fits.source[row] - bank.clips[bank.fits.clip[row]][0])

    def _target(self, name: str, row: int, source: int) -> int:
        """Offset in the clip of a frame that differs from the source in a way that teaches."""
        measures, fits = self._measures[name], self._banks[name].fits
        first, length = fits.first[row], fits.first[row + 1] - fits.first[row]
        offsets = self._random.choice(length, min(_CANDIDATES, length), replace=False)
        u = self._random.random()
        if u < _OPEN_OR_SHUT:
            score = measures.open_or_shut[first + offsets]
        elif u < _FAR:
            score = measures.distance(first + source, first + offsets)
        else:
            return int(offsets[0])
        return int(offsets[np.argmax(score)])

    def _batch(
        self,
        bank: FrameBank,
        source: tuple[np.ndarray, Head],
        target: tuple[np.ndarray, Head],
        kind: int,
        partner: np.ndarray,
    ) -> Batch:
        device, size = bank.images.device, self._geometry.image_px
        s, t = (torch.from_numpy(k).to(device) for k in (source[0], target[0]))
        count = len(s)
        depth = torch.full((count, 1, 64, 64), 9.0, device=device)
        label = torch.full((count, 2, 1, 192, 192), -1.0, device=device)
        if bank.parts is not None:
            depth = bank.depth[t].float()
            label = torch.stack([_head_label(bank.parts[k]) for k in (s, t)], 1)
        return Batch(
            picture_of(bank, s, size), matte_of(bank, s, size), source[1],
            picture_of(bank, t, size), matte_of(bank, t, size), target[1],
            bank.landmarks[t], torch.full((count,), kind, device=device), depth, label,
            torch.from_numpy(partner).to(device),
        )  # fmt: skip

    @torch.no_grad()
    def _photos(self, name: str, count: int) -> Batch:
        """A photo is the target; its source is made from it, with another pose and expression."""
        bank = self._banks[name]
        rows = self._random.choice(len(bank.fits.source), count)
        frames, entries = bank.fits.source[rows], bank.fits.first[rows]
        head = bank.fits.head(rows, entries)
        true = self._batch(bank, (frames, head), (frames, head), PSEUDO, np.arange(count))
        plain = round(_OWN_SOURCE * count)
        false = self._false_head(head[plain:])
        both = torch.cat([true.target, true.target_alpha], 1)
        warped, _ = geometric_warp(self._geometry, both[plain:], head[plain:], false)
        sources = torch.cat([both[:plain], warped])
        true.kind[:plain] = PLAIN
        return Batch(
            sources[:, :3], sources[:, 3:].clamp(0, 1), joined_heads([head[:plain], false]),
            true.target, true.target_alpha, head,
            true.landmarks, true.kind, true.depth, true.head_label, true.partner,
        )  # fmt: skip

    def _false_head(self, head: Head) -> Head:
        count, device = len(head.coefficients), head.coefficients.device
        random = torch.from_numpy(self._random.random((count, 6))).float().to(device)
        limits = random.new_tensor(_FALSE_TURN)
        turn = rotation_from_euler((2 * random[:, :3] - 1) * limits)
        scale = head.camera.scale * (0.94 + 0.12 * random[:, 3])
        camera = camera_from_pose(turn @ head.camera.rotation, scale, head.camera.offset)
        drawn = self._expressions[self._random.integers(len(self._expressions), size=count)]
        coefficients = torch.where(random[:, 4:5] < 0.6, 0.9 * drawn, head.coefficients)
        shut = random[:, 5] < 0.35  # mouths that must open are what the mouth's inside learns from
        coefficients[:, _JAW] = torch.where(shut, 0.1, 1.0) * coefficients[:, _JAW]
        return Head(head.identity, coefficients, camera)


class _Measures:
    """Numbers of a bank's fits that pairs are chosen by, on the CPU."""

    def __init__(self, bank: FrameBank):
        self._coefficients = bank.fits.coefficients.cpu().numpy()
        self._rotation = bank.fits.camera.rotation.flatten(1).cpu().numpy()
        jaw, blink = self._coefficients[:, _JAW], self._coefficients[:, _BLINK].sum(1)
        self.open_or_shut = 2 * jaw + blink

    def distance(self, one: int, others: np.ndarray) -> np.ndarray:
        """How far poses and expressions are apart."""
        faces = np.abs(self._coefficients[others] - self._coefficients[one]).sum(1)
        poses = np.abs(self._rotation[others] - self._rotation[one]).sum(1)
        return 0.5 * faces + poses


def _rows_by_clip(bank: FrameBank, generated_weight: float) -> tuple[list, np.ndarray, list]:
    rows: dict[int, list[int]] = {}
    for row, clip in enumerate(bank.fits.clip.tolist()):
        rows.setdefault(clip, []).append(row)
    clips = list(rows)
    weights = np.where(bank.kinds[clips] == "generated", generated_weight, 1.0)
    return clips, weights / weights.sum(), list(rows.values())


def picture_of(bank: FrameBank, frames: Tensor, size: int) -> Tensor:
    """(B, 3, size, size) pictures of a bank, in [-1, 1]."""
    pictures = bank.images[frames].float() / 127.5 - 1
    smaller = size < pictures.shape[-1]
    scaled = F.interpolate(pictures, size=(size, size), mode="bicubic", antialias=smaller)
    return scaled.clamp(-1, 1)


def matte_of(bank: FrameBank, frames: Tensor, size: int) -> Tensor:
    """(B, 1, size, size) their mattes."""
    return F.interpolate(bank.alphas[frames].float() / 255, size=(size, size), mode="bilinear")


def _head_label(parts: Tensor) -> Tensor:
    """1 on the head, 0.5 on neck and shoulders' skin, 0 elsewhere, of part labels."""
    head = (parts == 1) | (parts == 2) | (parts == 5) | (parts == 6)
    return head.float() + 0.5 * (parts == 3).float()


def joined_heads(heads: list[Head]) -> Head:
    """Heads one after the other."""
    return Head(
        torch.cat([h.identity for h in heads]),
        torch.cat([h.coefficients for h in heads]),
        Camera.cat([h.camera for h in heads]),
    )


def joined_batches(parts: list[Batch]) -> Batch:
    """Pairs one after the other."""

    def join(values: list) -> Tensor | Head:
        return joined_heads(values) if isinstance(values[0], Head) else torch.cat(values)

    first = np.cumsum([0] + [len(part.kind) for part in parts[:-1]]).tolist()
    parts = [
        dataclasses.replace(p, partner=p.partner + k) for p, k in zip(parts, first, strict=True)
    ]
    return Batch(*(join([getattr(p, name) for p in parts]) for name in Batch.__dataclass_fields__))


def _first_of_couple(batch: Batch) -> Tensor:
    """(B,) of a pair and its partner the one that comes first."""
    return torch.minimum(batch.partner, torch.arange(len(batch.partner), device=batch.kind.device))


def mirrored(batch: Batch, which: Tensor, mirror: Mirror) -> Batch:
    """Both pictures of some pairs, which (B,), with left and right exchanged."""

    def either(value: Tensor, other: Tensor) -> Tensor:
        return torch.where(which.view(-1, *[1] * (value.dim() - 1)), other, value)

    def head(own: Head) -> Head:
        camera = mirror.camera(own.camera)
        return Head(
            either(own.identity, mirror.identity(own.identity)),
            either(own.coefficients, own.coefficients[:, mirror.coefficients]),
            Camera(
                either(own.camera.rotation, camera.rotation),
                either(own.camera.translation, camera.translation),
            ),
        )

    pictures = ("source", "source_alpha", "target", "target_alpha", "depth", "head_label")
    changed = {name: either(value := getattr(batch, name), value.flip(-1)) for name in pictures}
    return dataclasses.replace(
        batch,
        **changed,
        source_head=head(batch.source_head),
        target_head=head(batch.target_head),
        landmarks=either(batch.landmarks, mirror.offsets(batch.landmarks)),
    )


def _with_colours(batch: Batch, random: np.random.Generator) -> Batch:
    """Both pictures, and a partner's, with the same random gain of each channel, and brightness."""
    drawn = torch.from_numpy(random.random((len(batch.kind), 4, 1, 1))).to(batch.source)
    drawn = drawn[_first_of_couple(batch)]
    gain, lift = 0.9 + 0.2 * drawn[:, :3], 0.12 * (drawn[:, 3:] - 0.5)
    changed = {n: (getattr(batch, n) * gain + lift).clamp(-1, 1) for n in ("source", "target")}
    return dataclasses.replace(batch, **changed)


def crops(
    pictures: Tensor, landmarks: Tensor, points: tuple[int, ...], half: float, size: int
) -> Tensor:
    """(B, C, size, size) squares of half side half (normalised) around the mean of landmarks."""
    return square_crops(pictures, landmarks[:, list(points), :2].mean(1), half, size)


def square_crops(pictures: Tensor, centre: Tensor, half: float, size: int) -> Tensor:
    """(B, C, size, size) squares of half side half (normalised) around centres (B, 2)."""
    steps = (torch.arange(size, device=pictures.device) + 0.5) * (2 / size) - 1
    v, u = torch.meshgrid(steps, steps, indexing="ij")
    grid = torch.stack([u, v], -1) * half + centre[:, None, None]
    return sample(pictures, grid)
