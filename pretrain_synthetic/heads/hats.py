"""Hats: which kind, how it sits, and what it is made of."""

from dataclasses import dataclass

import numpy as np

from pretrain_synthetic.heads.hat_fabric import plain_texture, sample_crown_texture

WOOLLY, CAP, BRIMMED = "woolly", "cap", "brimmed"
SHARE = 0.08
"""Of people who wear a hat."""
_KIND_SHARES = {WOOLLY: 0.42, CAP: 0.36, BRIMMED: 0.22}


@dataclass(frozen=True)
class Hat:
    """A hat. Lengths in decimetres."""

    kind: str
    front: float
    """Height of the rim above the brows."""
    back: float
    """Height of the rim at the back above the eyes."""
    gap: float
    """Between skin and cloth: hair lies in it."""
    height: float = 0.0
    """Of a stiff crown above the rim; 0: it lies on the head."""
    squareness: float = 2.3
    """Of a stiff crown's profile: 2 a bowl, 5 nearly a box."""
    crease: float = 0.0
    """Depth of the fold on top, from front to back."""
    slouch: float = 0.0
    """How far a soft top hangs over, backwards."""
    cuff: float = 0.0
    """Height of a fold at the rim."""
    pompom: float = 0.0
    """Radius of the ball on top."""
    brim: float = 0.0
    """Width of the brim, or of a cap's peak."""
    droop: float = 0.0
    """How far the brim falls, for each length outwards."""
    backwards: bool = False
    """The peak behind."""
    crown_texture: np.ndarray | None = None
    """(h, w, 4) uint8: the front in the middle, the rim below."""
    brim_texture: np.ndarray | None = None


def sample_hat(rng: np.random.Generator) -> Hat | None:
    """A random hat, or none for most people."""
    if rng.random() >= SHARE:
        return None
    kind = str(rng.choice(list(_KIND_SHARES), p=list(_KIND_SHARES.values())))
    return {WOOLLY: _woolly, CAP: _cap, BRIMMED: _brimmed}[kind](rng)


def _woolly(rng: np.random.Generator) -> Hat:
    cuff = rng.choice([0, rng.uniform(0.35, 0.55)], p=[0.35, 0.65])
    return Hat(
        WOOLLY,
        front=rng.uniform(0.12, 0.42),
        back=rng.uniform(-0.3, 0.05),
        gap=rng.uniform(0.07, 0.11),
        slouch=float(rng.uniform(0.05, 0.12) + rng.choice([0, rng.uniform(0.1, 0.4)])),
        cuff=float(cuff),
        pompom=float(rng.choice([0, rng.uniform(0.2, 0.3)], p=[0.75, 0.25])),
        crown_texture=sample_crown_texture(rng, WOOLLY),
    )


def _cap(rng: np.random.Generator) -> Hat:
    texture = sample_crown_texture(rng, CAP)
    return Hat(
        CAP,
        front=rng.uniform(0.2, 0.42),
        back=rng.uniform(0.0, 0.25),
        gap=rng.uniform(0.07, 0.1),
        height=rng.uniform(0.9, 1.1),
        squareness=rng.uniform(2.1, 2.7),
        brim=rng.uniform(0.6, 0.75),
        droop=rng.uniform(0.0, 0.3),
        backwards=bool(rng.random() < 0.15),
        crown_texture=texture,
        brim_texture=plain_texture(rng, texture[-1, 0, :3]),
    )


def _brimmed(rng: np.random.Generator) -> Hat:
    texture = sample_crown_texture(rng, BRIMMED)
    return Hat(
        BRIMMED,
        front=rng.uniform(0.15, 0.4),
        back=rng.uniform(0.0, 0.2),
        gap=rng.uniform(0.08, 0.11),
        height=rng.uniform(0.95, 1.25),
        squareness=rng.uniform(2.3, 5.0),
        crease=float(rng.choice([0, rng.uniform(0.1, 0.3)])),
        brim=rng.uniform(0.4, 0.85),
        droop=rng.uniform(-0.1, 0.45),
        crown_texture=texture,
        brim_texture=plain_texture(rng, texture[0, 0, :3]),
    )
