"""Hair styles: what a random person may wear."""

from collections.abc import Callable

import numpy as np

from pretrain_synthetic.heads.grow import Style

Sampler = Callable[[np.random.Generator], Style]


def _crop(rng: np.random.Generator) -> Style:
    top = rng.uniform(0.3, 0.65)
    return Style(
        "crown",
        top,
        rng.uniform(0.12, 0.3),
        lift=rng.uniform(0.25, 0.6),
        volume=rng.uniform(0.06, 0.14),
        gravity=0.1,
        messy=rng.uniform(0.12, 0.3),
        cards=2400,
        segments=5,
        width=0.11,
        fringe=rng.uniform(0, 1),
        clump=0.5,
    )


def _parted(rng: np.random.Generator) -> Style:
    return Style(
        "part",
        rng.uniform(0.7, 1.0),
        rng.uniform(0.25, 0.6),
        lift=rng.uniform(0.3, 0.55),
        volume=rng.uniform(0.1, 0.2),
        gravity=0.25,
        messy=rng.uniform(0.08, 0.18),
        cards=1900,
        segments=7,
        width=0.14,
        part_x=rng.choice([-1, 1]) * rng.uniform(0.25, 0.45),
        wave=rng.choice([0, 0.03]),
        curl_wave=0.5,
    )


def _swept_back(rng: np.random.Generator) -> Style:
    return Style(
        "back",
        rng.uniform(0.8, 1.3),
        rng.uniform(0.5, 0.8),
        lift=rng.uniform(0.25, 0.6),
        volume=rng.uniform(0.08, 0.2),
        gravity=0.15,
        messy=rng.uniform(0.05, 0.15),
        cards=1900,
        segments=8,
        width=0.14,
    )


def _fringe(rng: np.random.Generator) -> Style:
    return Style(
        "forward",
        rng.uniform(0.75, 1.0),
        rng.uniform(0.3, 0.6),
        lift=0.3,
        volume=rng.uniform(0.1, 0.18),
        gravity=0.3,
        messy=rng.uniform(0.1, 0.2),
        cards=2000,
        segments=7,
        width=0.13,
        clump=0.6,
    )


def _messy(rng: np.random.Generator) -> Style:
    return Style(
        "crown",
        rng.uniform(0.5, 0.8),
        rng.uniform(0.3, 0.5),
        lift=rng.uniform(0.6, 0.9),
        volume=0.15,
        gravity=0.15,
        messy=rng.uniform(0.35, 0.55),
        cards=2000,
        segments=6,
        width=0.12,
        clump=0.75,
        fringe=0.5,
    )


def _long(rng: np.random.Generator) -> Style:
    length = rng.uniform(2.2, 4.2)
    return Style(
        "part",
        length,
        length * rng.uniform(0.8, 0.95),
        lift=rng.uniform(0.25, 0.45),
        volume=rng.uniform(0.1, 0.22),
        gravity=0.75,
        messy=rng.uniform(0.04, 0.1),
        cards=1500,
        segments=16,
        width=0.2,
        part_x=rng.choice([0, rng.uniform(-0.4, 0.4)]),
        fringe=0.0,
        behind=rng.uniform(0, 1.3),
        clump=rng.uniform(0.3, 0.6),
        wave=rng.choice([0, 0, 0.05]),
        curl_wave=rng.uniform(0.7, 1.3),
    )


def _wavy(rng: np.random.Generator) -> Style:
    length = rng.uniform(1.8, 3.6)
    return Style(
        "part",
        length,
        length * 0.9,
        lift=0.45,
        volume=rng.uniform(0.18, 0.3),
        gravity=0.65,
        messy=rng.uniform(0.08, 0.15),
        cards=1500,
        segments=20,
        width=0.2,
        part_x=rng.uniform(-0.4, 0.4),
        behind=rng.uniform(0, 1.2),
        clump=0.7,
        curl=rng.uniform(0.04, 0.08),
        curl_wave=rng.uniform(0.7, 1.2),
        wave=0.06,
    )


def _curly(rng: np.random.Generator) -> Style:
    length = rng.uniform(0.9, 2.4)
    return Style(
        "part",
        length,
        length * 0.9,
        lift=0.5,
        volume=rng.uniform(0.12, 0.28),
        gravity=0.6,
        messy=rng.uniform(0.1, 0.2),
        cards=2100,
        segments=24,
        width=0.11,
        part_x=rng.uniform(-0.3, 0.3),
        behind=rng.uniform(0, 1),
        clump=0.8,
        curl=rng.uniform(0.06, 0.11),
        curl_wave=rng.uniform(0.3, 0.55),
    )


def _short_curls(rng: np.random.Generator) -> Style:
    return Style(
        "crown",
        rng.uniform(0.5, 0.9),
        rng.uniform(0.25, 0.5),
        lift=0.75,
        volume=rng.uniform(0.15, 0.3),
        gravity=0.1,
        messy=0.3,
        cards=1900,
        segments=12,
        width=0.11,
        clump=0.6,
        curl=rng.uniform(0.04, 0.07),
        curl_wave=rng.uniform(0.2, 0.35),
        fringe=0.3,
    )


def _afro(rng: np.random.Generator) -> Style:
    length = rng.uniform(0.25, 0.9)
    return Style(
        "out",
        length,
        length * rng.uniform(0.6, 1.0),
        lift=1.0,
        volume=0.05,
        gravity=0.0,
        messy=0.25,
        cards=2600,
        segments=9,
        width=0.12,
        clump=0.2,
        curl=0.045,
        curl_wave=0.17,
    )


def _bob(rng: np.random.Generator) -> Style:
    length = rng.uniform(1.3, 1.9)
    return Style(
        "part",
        length * 1.05,
        length * 0.75,
        lift=rng.uniform(0.3, 0.45),
        volume=rng.uniform(0.14, 0.26),
        gravity=0.75,
        messy=rng.uniform(0.04, 0.1),
        cards=1600,
        segments=12,
        width=0.18,
        part_x=rng.uniform(-0.4, 0.4),
        behind=0.2,
        fringe=rng.choice([0.0, 0.0, 0.9]),
        clump=0.35,
    )


def _ponytail(rng: np.random.Generator) -> Style:
    height = rng.uniform(-0.3, 0.9)
    return Style(
        "tie",
        1.5,
        1.5,
        lift=0.1,
        volume=rng.uniform(0.04, 0.1),
        gravity=0.0,
        messy=0.03,
        cards=1500,
        segments=10,
        width=0.17,
        knot=(0.0, height, -1.95 - 0.1 * (0.3 - height) ** 2),
        tail=rng.uniform(1.0, 2.6),
        clump=0.15,
    )


def _bun(rng: np.random.Generator) -> Style:
    high = rng.random() < 0.4
    knot = (0.0, 1.2, -1.35) if high else (0.0, rng.uniform(-0.1, 0.4), -2.0)
    return Style(
        "tie",
        1.5,
        1.5,
        lift=0.1,
        volume=rng.uniform(0.04, 0.1),
        gravity=0.0,
        messy=0.03,
        cards=1500,
        segments=10,
        width=0.17,
        knot=knot,
        clump=0.15,
    )


def _receding(rng: np.random.Generator) -> Style:
    return Style(
        "crown",
        rng.uniform(0.2, 0.5),
        rng.uniform(0.2, 0.4),
        lift=0.35,
        volume=0.08,
        gravity=0.15,
        messy=0.2,
        cards=1600,
        segments=5,
        width=0.1,
        receding=rng.uniform(0.3, 1.0),
    )


SHARES = {  # how often women and men wear a style
    "crop": (0.3, 4),
    "parted": (0.5, 3),
    "swept back": (0.6, 2),
    "fringe": (0.7, 2),
    "messy": (0.5, 2),
    "long": (4, 0.5),
    "wavy": (3, 0.4),
    "curly": (2, 0.5),
    "short curls": (0.7, 1.5),
    "afro": (0.6, 0.6),
    "bob": (3, 0.2),
    "ponytail": (2, 0.3),
    "bun": (1.5, 0.2),
    "receding": (0.05, 2.0),
}
_CURLY = ("curly", "short curls", "afro")


def sample_style(
    rng: np.random.Generator, female: bool, curly: float, age: float
) -> tuple[str, Style]:
    """A random style and its name; curly 0 to 1 favours curls, age (see Identity) bald spots."""
    share = np.array([SHARES[name][0 if female else 1] for name in STYLES], float)
    for k, name in enumerate(STYLES):
        if name in _CURLY:
            share[k] *= 0.5 + 3 * curly
        elif name == "receding":
            share[k] *= 3 if age > 0.8 else 0.4
    name = str(rng.choice(list(STYLES), p=share / share.sum()))
    return name, STYLES[name](rng)


STYLES: dict[str, Sampler] = {
    "crop": _crop,
    "parted": _parted,
    "swept back": _swept_back,
    "fringe": _fringe,
    "messy": _messy,
    "long": _long,
    "wavy": _wavy,
    "curly": _curly,
    "short curls": _short_curls,
    "afro": _afro,
    "bob": _bob,
    "ponytail": _ponytail,
    "bun": _bun,
    "receding": _receding,
}
