"""Painted textures for heads without photographs: skin, eyes, teeth, cloth, surroundings."""

import zlib

import cv2
import numpy as np

CAVITY_V = 0.06
"""Texture rows below this v are the inside of the mouth."""
EYE_HALF_DM = 0.17
"""Half side of an eye's texture."""
_IRIS_DM, _PUPIL_DM = 0.118, 0.045
_SKINS = {  # sRGB of cheeks
    "african": (112, 74, 54),
    "asian": (214, 168, 138),
    "caucasian": (222, 172, 150),
}
_IRISES = {"eye_brown": (74, 46, 26), "eye_blue": (92, 124, 150), "eye_green": (98, 108, 72)}
PROBES = ("soft boxes", "window", "overcast")
NAMES = (
    *(
        f"skin_{age}_{race}_{sex}"
        for age in ("young", "old")
        for race in _SKINS
        for sex in ("female", "male")
    ),
    *_IRISES,
    "teeth",
    "tongue",
    "clothes_male_plain",
    "body_masks",
)
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_BROWS = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
_HAIRLINE_DEG = (0, 35, 55, 75, 95, 115, 140, 180)
_HAIRLINE_DM = (0.72, 0.70, 0.45, 0.22, 0.2, -0.3, -0.62, -0.72)
"""Height of the hairline by the angle from the face."""
_BOTTOM, _TOP = -2.3, 1.4
_SIZE = 1024


def texture(name: str) -> np.ndarray:
    """(h, w, 4) uint8 RGBA of anything but skin; its name is one of NAMES."""
    if name == "body_masks":
        return _masks()
    if name in _IRISES:
        return _eye(np.array(_IRISES[name], "f4"))
    plain = {"teeth": (226, 216, 196), "tongue": (176, 92, 88)}.get(name, (165, 112, 105))
    out = np.full((64, 64, 4), 255, np.uint8)
    out[..., :3] = plain
    if name == "teeth":  # gaps between them
        shade = 1 - 0.35 * (np.abs(np.sin(np.linspace(0, 11 * np.pi, 64))) < 0.25)
        out[..., :3] = out[..., :3] * shade[None, :, None]
    elif name.startswith("clothes"):  # a weave
        out[..., :3] = out[..., :3] + np.random.default_rng(1).integers(-9, 9, (64, 64, 1))
    return out


def skin(name: str, landmark_uv: np.ndarray) -> np.ndarray:
    """(1024, 1024, 4) uint8 RGBA of a face whose landmarks (478, 2) lie at these uv."""
    _, age, race, sex = name.split("_")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    out = np.ones((_SIZE, _SIZE, 3), "f4") * np.array(_SKINS[race], "f4")
    for cell, amount in ((2, 0.02), (6, 0.018), (30, 0.02), (120, 0.02)):
        out *= 1 + amount * _field(rng, cell)[..., None] * np.array([0.6, 1.0, 1.1])
    at = landmark_uv * (1, -1) * _SIZE + (0, _SIZE)
    cheeks = sum(_blob(at[k], 90) for k in (50, 280))
    out *= 1 - (0.5 * cheeks + 0.6 * _blob(at[4], 45))[..., None] * np.array([0.0, 0.12, 0.1])
    lips = _filled(at[list(_LIPS)], 3)
    out = out * (1 - lips * (1 - np.array([0.86, 0.62, 0.62])))
    if age == "old":
        for k in (151, 9, 108, 337):  # brow lines
            out *= (
                1
                - 0.08
                * np.abs(np.sin(at[k][1] + np.arange(_SIZE) / 9))[:, None, None]
                * _blob(at[k], 50)[..., None]
            )
    for brow in _BROWS:
        hair = _filled(at[list(brow)], 4) * (0.75 if sex == "male" else 0.6)
        streak = 0.6 + 0.4 * (_field(rng, 3)[..., None] > 0)
        out = out * (1 - hair * streak) + np.array([42, 30, 24]) * hair * streak
    mouth = round(CAVITY_V * _SIZE)
    out[-mouth:] = (96, 34, 34)
    return np.dstack([np.clip(out, 0, 255), np.full((_SIZE, _SIZE, 1), 255)]).astype(np.uint8)


def probe(name: str) -> np.ndarray:
    """(64, 128, 3) float32 radiance of painted surroundings; row 0 looks up."""
    h, w = 64, 128
    v, u = np.mgrid[0:h, 0:w] / (h, w)[0]
    sky = np.clip(1 - v * 1.2, 0.05, 1)[..., None]
    out = {
        "soft boxes": sky * 0.15 * np.ones(3),
        "window": sky * np.array([0.25, 0.22, 0.2]),
        "overcast": sky * np.array([0.8, 0.9, 1.0]) + 0.1,
    }[name]
    lamps = {
        "soft boxes": ((0.75, 0.35, 6, (1, 0.95, 0.9)), (1.3, 0.4, 3, (0.9, 0.95, 1))),
        "window": ((0.5, 0.45, 9, (0.9, 0.97, 1.0)),),
        "overcast": ((1.0, 0.15, 1.5, (1, 1, 1)),),
    }[name]
    for across, down, power, colour in lamps:
        blob = np.exp(-(((u - across) / 0.16) ** 2 + ((v - down) / 0.18) ** 2))
        out = out + power * blob[..., None] * np.array(colour)
    return out.astype("f4")


def _masks() -> np.ndarray:
    """(960, 512, 4) where hair (red) and beard (green) grow."""
    h, w = 960, 512
    row, column = np.mgrid[0:h, 0:w]
    v = 1 - (row + 0.5) / h
    y = _BOTTOM + (v - CAVITY_V) / (1 - CAVITY_V) * (_TOP - _BOTTOM)
    angle = np.abs((column + 0.5) / w - 0.5) * 360
    line = np.interp(angle, _HAIRLINE_DEG, _HAIRLINE_DM)
    out = np.zeros((h, w, 4), np.uint8)
    out[..., 0] = np.clip((y - line) / 0.16 + 0.5, 0, 1) * 255
    low = np.clip((-0.78 - y) / 0.25, 0, 1) * np.clip((y + 1.4) / 0.15, 0, 1)
    out[..., 1] = low * np.clip((75 - angle) / 25, 0, 1) * 170
    out[..., 3] = 255
    return out


def _eye(iris: np.ndarray) -> np.ndarray:
    n = 256
    y, x = (np.mgrid[0:n, 0:n] + 0.5) / n * 2 - 1
    r, angle = np.hypot(x, y) * EYE_HALF_DM, np.arctan2(y, x)
    out = np.ones((n, n, 3), "f4") * np.array([226, 220, 216], "f4")
    fibres = 1 + 0.2 * np.sin(angle * 37 + 3 * np.sin(angle * 11)) + 0.25 * (r / _IRIS_DM - 0.6)
    rim = np.clip((_IRIS_DM - r) / 0.012, 0, 1)[..., None]
    dark = 1 - 0.5 * np.exp(-(((r - _IRIS_DM + 0.01) / 0.012) ** 2))
    out = out * (1 - rim) + iris * (fibres * dark)[..., None] * rim
    pupil = np.clip((_PUPIL_DM - r) / 0.008, 0, 1)[..., None]
    out = out * (1 - pupil) + 6 * pupil
    return np.dstack([np.clip(out, 0, 255), np.full((n, n, 1), 255)]).astype(np.uint8)


def _field(rng: np.random.Generator, cell: int) -> np.ndarray:
    small = rng.normal(0, 1, (_SIZE // cell + 3, _SIZE // cell + 3)).astype("f4")
    return cv2.resize(small, (_SIZE, _SIZE), interpolation=cv2.INTER_CUBIC)


def _blob(at: np.ndarray, radius: float) -> np.ndarray:
    row, column = np.ogrid[0:_SIZE, 0:_SIZE]
    return np.exp(-((row - at[1]) ** 2 + (column - at[0]) ** 2) / (2 * radius**2))


def _filled(outline: np.ndarray, soft: float) -> np.ndarray:
    """(h, w, 1) 1 within outline (n, 2) pixels, with a soft edge."""
    mask = np.zeros((_SIZE, _SIZE), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 255, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), soft)[..., None] / np.float32(255)
