"""Apple's 52 ARKit face coefficients: names and order of Live Link Face recordings."""

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
_PAIRS = (
    "mouthSmile mouthFrown mouthDimple mouthStretch".split(),
    "mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper".split(),
    "mouthPress mouthLowerDown mouthUpperUp browDown".split(),
)


def _both(names: list[str]) -> list[str]:
    return [name + side for name in names for side in ("Left", "Right")]


ARKIT_NAMES: tuple[str, ...] = (
    *(f"eye{name}{side}" for side in ("Left", "Right") for name in _EYE),
    *"jawForward jawRight jawLeft jawOpen".split(),
    *"mouthClose mouthFunnel mouthPucker mouthRight mouthLeft".split(),
    *_both(_PAIRS[0]),
    *_PAIRS[1],
    *_both(_PAIRS[2]),
    *"browInnerUp browOuterUpLeft browOuterUpRight cheekPuff".split(),
    *_both(["cheekSquint", "noseSneer"]),
    "tongueOut",
)
"""The 52 names; a coefficient vector (..., 52) in [0, 1] has this order everywhere."""

ARKIT_INDEX: dict[str, int] = {name: k for k, name in enumerate(ARKIT_NAMES)}
"""Name to position in a coefficient vector."""

MOUTH_ROWS = [k for k, n in enumerate(ARKIT_NAMES) if n.startswith(("jaw", "mouth", "tongue"))]
"""Positions of what moves jaw, lips and tongue."""


def arkit_indices(name: str) -> list[int]:
    """Positions of a coefficient, or of both sides of a name without its side ("eyeBlink")."""
    found = [ARKIT_INDEX[n] for n in (name, name + "Left", name + "Right") if n in ARKIT_INDEX]
    if not found:
        raise KeyError(f"{name!r} is not an ARKit coefficient")
    return found
