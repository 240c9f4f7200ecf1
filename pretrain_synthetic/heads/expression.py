"""What expression: random ARKit coefficients of plausible faces, in the assets' order."""

import numpy as np

from pretrain_synthetic.heads.assets import Assets

_KINDS = {
    "neutral": 0.1,
    "speech": 0.28,
    "smile": 0.2,
    "frown": 0.1,
    "surprise": 0.1,
    "free": 0.22,
}
_LIPS = ["mouthPucker", "mouthFunnel", "mouthStretch", "mouthLowerDown", "mouthRollLower"]
_MORE_LIPS = ["mouthUpperUp", "mouthPress", "mouthShrugLower", "mouthDimple", "mouthSmile"]
_GRIM = ["mouthFrown", "mouthPress", "noseSneer", "mouthShrugLower"]


def expression(assets: Assets, **amounts: float) -> np.ndarray:
    """(52,) of the named amounts; a name without its side sets both sides."""
    names = assets.arkit_names
    out = np.zeros(len(names), np.float32)
    for name, amount in amounts.items():
        for full in (name,) if name in names else (name + "Left", name + "Right"):
            out[names.index(full)] = amount
    return out


def gaze(assets: Assets, right: float, up: float) -> np.ndarray:
    """(52,) of both eyes looking along (right, up) in [-1, 1]; right is the picture's right."""
    return expression(
        assets,
        eyeLookOutLeft=max(right, 0),
        eyeLookInRight=max(right, 0),
        eyeLookInLeft=max(-right, 0),
        eyeLookOutRight=max(-right, 0),
        eyeLookUp=max(up, 0),
        eyeLookDown=max(-up, 0),
    )


def sample_expression(rng: np.random.Generator, assets: Assets) -> np.ndarray:
    """Random (52,): rest, speech, smile, frown, surprise or a free mix, plus gaze and blink."""
    e = dict.fromkeys(assets.arkit_names, 0.0)

    def add(low: float, high: float, *names: str) -> None:
        amount = rng.uniform(low, high)
        for name in names:
            for full in (name,) if name in e else (name + "Left", name + "Right"):
                e[full] = float(np.clip(max(e[full], amount * rng.uniform(0.85, 1.1)), 0, 1))

    kind = rng.choice(list(_KINDS), p=list(_KINDS.values()))
    if kind == "speech":
        add(0.0, 0.5, "jawOpen")
        add(0.1, 0.8, rng.choice(_LIPS))
        add(0.0, 0.5, rng.choice(_MORE_LIPS))
    elif kind == "smile":
        add(0.3, 1.0, "mouthSmile")
        add(0.0, 0.6, "cheekSquint", "eyeSquint")
        add(0.0, 0.45, "mouthUpperUp")
        add(0.0, 0.35, "jawOpen")
    elif kind == "frown":
        add(0.3, 1.0, "browDown")
        add(0.1, 0.7, rng.choice(_GRIM))
        add(0.0, 0.5, "eyeSquint")
    elif kind == "surprise":
        add(0.4, 1.0, "browInnerUp", "browOuterUp")
        add(0.2, 0.9, "eyeWide")
        add(0.1, 0.8, "jawOpen")
    elif kind == "free":
        free = [n for n in e if not n.startswith(("eyeLook", "eyeBlink", "tongue"))]
        for name in rng.choice(free, rng.integers(1, 6), replace=False):
            e[name] = float(rng.uniform(0.1, 0.9))
    right, up = np.clip(rng.normal(0, 0.35, 2), -1, 1)
    if rng.random() < 0.15:
        add(0.3, 1.2, "eyeBlink")
    return np.array([e[n] for n in assets.arkit_names], np.float32) + gaze(assets, right, up)
