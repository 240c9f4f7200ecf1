"""The asset folder: body model, meshes bound to it (hair, clothes, eyes ...), textures, probes.

body.npz: `mean` (v, 3); `phenotype` (18 = 3 races x 2 genders x 3 ages, v, 3); `build` (thin,
heavy, weak, strong); `local` (210 = 105 x (up, down), k, 3) on `local_vertex`; `arkit` (52, k, 3)
on `arkit_vertex`; `ict_mean`, `ict_identity` (80), `ict_expression` (57) on `ict_vertex`; `face`
(f, 6: vertices, uvs), `uv`, `region` (f: part label). All are offsets in decimetres.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from real3d.errors import Real3DError


@dataclass(frozen=True)
class Proxy:
    """A mesh bound to the body: a vertex is a weighted sum of 3 body vertices plus an offset."""

    index: np.ndarray
    """(n, 3) body vertices."""
    weight: np.ndarray
    """(n, 3)."""
    offset: np.ndarray
    """(n, 3) decimetres, scaled per axis by the body's size."""
    scale_index: np.ndarray
    """(3, 2) body vertices whose distance along x, y, z sets that scale."""
    scale_length: np.ndarray
    """(3,) their distance on the body that the proxy was made for."""
    face: np.ndarray
    """(f, 6) three vertex and three uv indices."""
    uv: np.ndarray
    """(t, 2)."""
    hidden: np.ndarray
    """Body vertices that this proxy covers (no longer drawn)."""

    def fit(self, body: np.ndarray) -> np.ndarray:
        """Vertices (n, 3) on body vertices (v, 3); any motion of the body carries over."""
        size = [abs(body[a, k] - body[b, k]) for k, (a, b) in enumerate(self.scale_index)]
        scale = np.array(size) / self.scale_length
        return (body[self.index] * self.weight[..., None]).sum(1) + self.offset * scale


@dataclass(frozen=True)
class Assets:
    """The asset folder; what is read is kept in memory."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("body.npz", "proxies.npz", "textures", "hdri"):
            if not (self.folder / name).exists():
                raise Real3DError(
                    f"{self.folder}: no {name}. Give the folder of the head assets with --assets."
                )

    @property
    def body(self) -> dict[str, np.ndarray]:
        """All arrays of body.npz, half floats as float32."""
        return _arrays(self.folder / "body.npz")

    @property
    def arkit_names(self) -> list[str]:
        """The 52 expression names; an expression is a vector (52,) in [0, 1] in this order."""
        return self.body["arkit_names"].tolist()

    def proxy(self, name: str) -> Proxy:
        """One proxy by name, such as "hair_short02", "clothes_male_worksuit01", "eyes"."""
        return _proxy(self.folder / "proxies.npz", name)

    def proxy_names(self, prefix: str) -> list[str]:
        """Sorted names of the proxies that start with prefix."""
        arrays = _arrays(self.folder / "proxies.npz")
        return sorted({k.split("/")[0] for k in arrays if k.startswith(prefix)})

    def texture(self, name: str) -> np.ndarray:
        """(h, w, 4) uint8 RGBA, row 0 at the top (v = 1)."""
        return _texture(self.folder / "textures", name)

    def texture_names(self, prefix: str) -> list[str]:
        """Sorted names (no suffix) of the textures that start with prefix."""
        return sorted(p.stem for p in (self.folder / "textures").glob(prefix + "*"))

    def probe(self, name: str) -> np.ndarray:
        """Equirectangular radiance (128, 256, 3) float32 linear RGB; row 0 looks up (+y)."""
        return _probe(self.folder / "hdri" / f"{name}.hdr")

    def probe_names(self) -> list[str]:
        """Sorted names of the light probes."""
        return sorted(p.stem for p in (self.folder / "hdri").glob("*.hdr"))


@functools.cache
def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as z:
        return {k: z[k].astype(np.float32) if z[k].dtype == np.float16 else z[k] for k in z.files}


@functools.cache
def _proxy(path: Path, name: str) -> Proxy:
    z = _arrays(path)
    if f"{name}/idx" not in z:
        raise KeyError(f"no proxy {name!r} in {path}")
    index, weight, offset, scale_index, scale_length, face, uv, hidden = (
        z[f"{name}/{k}"] for k in "idx w off scale_idx scale_len f vt delete".split()
    )
    index, scale_index, face, hidden = (x.astype(int) for x in (index, scale_index, face, hidden))
    return Proxy(index, weight, offset, scale_index, scale_length, face, uv, hidden)


@functools.lru_cache(64)
def _texture(folder: Path, name: str) -> np.ndarray:
    paths = list(folder.glob(name + ".*"))
    if not paths:
        raise FileNotFoundError(f"no texture {name!r} in {folder}")
    image = cv2.imread(str(paths[0]), cv2.IMREAD_UNCHANGED)
    code = cv2.COLOR_BGR2RGBA if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    return cv2.cvtColor(image, code)


@functools.cache
def _probe(path: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1])
