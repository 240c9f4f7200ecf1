"""Who: a person's parameters to body vertices, at rest and with an expression."""

from dataclasses import dataclass

import numpy as np

from pretrain_synthetic.heads.assets import Assets

AGES = (0.5, 2 / 3, 1.0)
"""MakeHuman's age axis: 1/3 child, 1/2 teenager, 2/3 young adult, 1 old."""
EYE_YAW_DEG, EYE_PITCH_DEG = 30.0, 22.0
"""Turn of an eyeball at eyeLook* = 1."""


@dataclass(frozen=True)
class Identity:
    """A person's shape."""

    race: np.ndarray
    """(3,) african, asian, caucasian; sums to 1."""
    gender: float
    """0 female, 1 male."""
    age: float
    """0.5 teenager, 0.667 young adult, 1 old."""
    weight: float
    """-1 thin to 1 heavy."""
    muscle: float
    """-1 to 1."""
    local: np.ndarray
    """(105,) MakeHuman face modifiers, left-right symmetric, in [-1, 1]."""
    ict: np.ndarray
    """(80,) ICT-FaceKit identity PCA coefficients, unit normal."""
    expression_style: float
    """0: MakeHuman face units, 1: ICT-FaceKit scans; between: blend."""


def sample_identity(rng: np.random.Generator, assets: Assets) -> Identity:
    """A random person; a Dirichlet mixes races so that most are near one or two of them."""
    local = np.clip(rng.normal(0, 0.13, len(assets.body["local_names"])), -0.6, 0.6)
    return Identity(
        race=rng.dirichlet([0.35] * 3),
        gender=float(rng.beta(0.5, 0.5)),
        age=float(rng.choice([rng.uniform(0.58, 0.8), rng.uniform(0.6, 0.98)])),
        weight=float(np.clip(rng.normal(0, 0.4), -0.8, 0.9)),
        muscle=float(rng.normal(0, 0.3)),
        local=local,
        ict=np.clip(rng.normal(0, 0.85, 80), -2.2, 2.2),
        expression_style=float(rng.uniform(0.2, 1)),
    )


def neutral_vertices(assets: Assets, person: Identity) -> np.ndarray:
    """Body vertices (v, 3) at rest, origin between the eyeballs."""
    z = assets.body
    points = z["mean"].copy()
    age = np.interp(person.age, AGES, range(3))
    age_weight = np.maximum(0, 1 - np.abs(age - np.arange(3)))
    gender_weight = np.array([1 - person.gender, person.gender])
    corner = np.einsum("r,g,a->rga", person.race, gender_weight, age_weight).ravel()
    points += np.tensordot(corner.astype(np.float32), z["phenotype"], 1)
    for k, x in enumerate((person.weight, person.muscle)):
        points += abs(x) * z["build"][2 * k + (x > 0)]
    signed = np.stack([np.maximum(person.local, 0), np.maximum(-person.local, 0)], 1).ravel()
    points[z["local_vertex"]] += np.tensordot(signed.astype(np.float32), z["local"], 1)
    to_scans = 0.5 + 0.5 * person.gender  # the mean of the scans is rather male
    scan = np.tensordot(person.ict.astype(np.float32), z["ict_identity"], 1)
    points[z["ict_vertex"]] += to_scans * z["ict_mean"] + scan
    eyes = np.concatenate([z["eye_left"], z["eye_right"]])
    return points - points[eyes].mean(0)


def posed_vertices(
    assets: Assets, person: Identity, neutral: np.ndarray, expression: np.ndarray
) -> np.ndarray:
    """Body vertices (v, 3) of an expression (52,): MakeHuman's lids, the rest blended with ICT."""
    z, names = assets.body, assets.arkit_names
    lids = np.array([n.startswith("eye") or n == "tongueOut" for n in names])
    own = expression * np.where(lids, 1.0, 1 - person.expression_style)
    points = neutral.copy()
    points[z["arkit_vertex"]] += np.tensordot(own.astype(np.float32), z["arkit"], 1)
    scan = _ict_weights(assets, np.where(lids, 0, expression)) * person.expression_style
    points[z["ict_vertex"]] += np.tensordot(scan, z["ict_expression"], 1)
    for side in ("left", "right"):
        index = z[f"eye_{side}"]
        centre = neutral[index].mean(0)
        turn = eye_rotation(assets, expression, side)
        points[index] = (neutral[index] - centre) @ turn.T + centre
    return points


def ict_names_of(name: str, ict_names: list[str]) -> set[str]:
    """ICT shapes that make up an ARKit shape: ICT writes _L and _R and splits a few more."""
    short = name.replace("Left", "_L").replace("Right", "_R")
    return {name, short, name + "_L", name + "_R"} & set(ict_names)


def _ict_weights(assets: Assets, expression: np.ndarray) -> np.ndarray:
    """ARKit coefficients (52,) to the weights of the ICT shapes."""
    names = assets.body["ict_names"].tolist()
    out = np.zeros(len(names), np.float32)
    for name, amount in zip(assets.arkit_names, expression, strict=True):
        for ict in ict_names_of(name, names):
            out[names.index(ict)] = amount
    return out


def eye_rotation(assets: Assets, expression: np.ndarray, side: str) -> np.ndarray:
    """Rotation (3, 3) of the eyeball of a side ("left" or "right") by an expression's gaze.

    It turns +z by yaw towards +x, then by pitch towards +y.
    """
    names, s = assets.arkit_names, side.title()
    look = {d: expression[names.index(f"eyeLook{d}{s}")] for d in ("Out", "In", "Up", "Down")}
    yaw_deg = (1 if side == "left" else -1) * (look["Out"] - look["In"]) * EYE_YAW_DEG
    a, b = np.deg2rad([yaw_deg, -(look["Up"] - look["Down"]) * EYE_PITCH_DEG])
    ry = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    rx = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return ry @ rx
