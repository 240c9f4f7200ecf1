"""Short runs that differ from one another in one thing, and what each of them learned.

Every variant trains from nothing for the same number of steps, at 256 px and a third of the bundled
size, and is then measured on shards of people whom it never saw.
"""

import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from kornia.metrics import ssim
from torch import Tensor

from real3d.camera import Camera
from real3d.errors import Real3DError
from real3d.face.fit import Fitter
from real3d.face.template import Template
from real3d.files import written_beside
from real3d.networks.geometry import Head
from real3d.networks.model import Encoding, Frame
from real3d.rotation import rotation_from_euler
from real3d.tensors import map_tensors
from real3d.training.batches import joined_heads, matte_of, picture_of
from real3d.training.frame_bank import FrameBank, joined_banks
from real3d.training.free_views import Moment, landmarks_of
from real3d.training.losses import detail_crops, discord, feature_distance, unsteadiness
from real3d.training.perceptual import SFace, VGGFeatures
from real3d.training.shards import Shard
from real3d.weight_files import Model, load_weights

_LOG = logging.getLogger(__name__)
_ALL_ALIKE = (
    "--network.image-px 256 --network.encoder 40 72 128 --network.token-width 128 "
    "--network.token-depth 5 --network.compositor 40 64 88 120 --learning-rate 7e-4 "
    "--warm-up-steps 60 --seconds 1e9 --total-seconds 1e9 --save-every-s 1e9 --look-every-s 1e9"
)
VARIANTS = {
    "as it is": "",
    "another seed": "--seed 1",
    "no synthetic people": "--synthetic-share 0",
    "synthetic people 44 % of a batch": "--synthetic-share 0.44",
    "no sweeps": "--orbit-share 0",
    "sweeps 28 % of a batch": "--orbit-share 0.28",
    "no generated recordings": "--generated-weight 0",
    "generated recordings like true ones": "--generated-weight 1",
    "half of the recordings, sweeps and photos": "--limit-clips 56",
    "no VGG features": (
        "--losses.features 0 --losses.face-features 0 --losses.detail-features 0 "
        "--losses.side-features 0"
    ),
    "VGG features of the whole picture alone": (
        "--losses.face-features 0 --losses.detail-features 0 --losses.side-features 0"
    ),
    "no VGG features of mouth and eyes": "--losses.detail-features 0",
    "no VGG features of sides": "--losses.side-features 0",
    "no critics": "--adversarial-from 2",
    "critics three times as strong": (
        "--losses.adversarial 0.09 --losses.side-adversarial 0.18 --losses.feature-matching 0.21"
    ),
    "no discord": "--losses.discord 0",
    "no unsteadiness": "--losses.unsteady 0",
    "no heads in own colours alone": "--painted-share 0",
    "6 samples on a ray": "--network.samples 6",
    "24 samples on a ray": "--network.samples 24",
    "no identity": "--losses.identity 0 --losses.free-identity 0",
    "128 px in the first half": "--network.image-px 128",
}
"""What differs from a run as it is."""
_IN_HALVES = "128 px in the first half"
_YAWS, _LATER = (-60, -30, 30, 60), (40, 42)
"""Views of photos that are looked at, degrees, and two a moment apart."""
_STRIDE = 2
_TOGETHER = 8


@dataclass(frozen=True)
class AblateConfig:
    """Runs that differ in one thing."""

    data: Path
    """Folder of shards to train on."""
    validation: Path
    """Folder of shards of other people: clips, orbits, portraits, synthetic."""
    out: Path
    """Folder of the runs and of ablations.md. What is measured there is not run again."""
    vgg: Path
    """Weights of the VGG16 features."""
    sface: Path
    """Weights of the identity embedding."""
    steps: int = 500
    """Of every run."""
    batch: int = 48
    """Pairs a step."""
    at_once: int = 1
    """Runs side by side on one GPU; each takes some 31 GB of its memory."""
    only: tuple[str, ...] = tuple(VARIANTS)
    """Which variants."""


def ablate(config: AblateConfig) -> Path:
    """Train and measure variants; returns the table's path. A run that fails stops no other."""
    if unknown := set(config.only) - set(VARIANTS):
        raise Real3DError(f"{', '.join(sorted(unknown))}: no such variant. {', '.join(VARIANTS)}.")
    config.out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    judge = Judge.read(config, device)

    def one(name: str) -> str:
        """Train and measure a variant; returns what was wrong."""
        found = _folder(config, name) / "numbers.json"
        if found.is_file():
            return ""
        try:
            weights = _trained(config, name)
        except Real3DError as error:
            _LOG.error("%s: %s", name, error)
            return str(error)
        numbers = judge.numbers(load_weights(weights, device))
        with written_beside(found) as path:
            path.write_text(json.dumps(numbers))
        _LOG.info("%s: %s", name, numbers)
        return ""

    with ThreadPoolExecutor(config.at_once) as pool:
        failures = list(filter(None, pool.map(one, config.only)))
    table = _write_table(config)
    if failures:
        raise Real3DError("\n".join(failures))
    return table


def _folder(config: AblateConfig, name: str) -> Path:
    return config.out / f"{list(VARIANTS).index(name):02d}"


def _trained(config: AblateConfig, name: str) -> Path:
    """Weights of one variant, trained in a process of its own."""
    out, flags = _folder(config, name), VARIANTS[name].split()
    if name != _IN_HALVES:
        return _train(config, out, config.steps, flags)
    half = config.steps // 2
    first = _train(config, out / "first", half, flags)
    return _train(config, out, config.steps - half, ["--weights", str(first)])


def _train(config: AblateConfig, out: Path, steps: int, flags: list[str]) -> Path:
    given = {
        "data": config.data, "out": out, "vgg": config.vgg, "sface": config.sface,
        "max-steps": steps, "batch": config.batch, "sheet-every": steps,
    }  # fmt: skip
    command = [sys.executable, "-m", "finetune_video", "train", *_ALL_ALIKE.split()]
    command += [word for key, value in given.items() for word in (f"--{key}", str(value))]
    out.mkdir(parents=True, exist_ok=True)
    with (out / "train.log").open("w") as log:
        done = subprocess.run(command + flags, stdout=log, stderr=log, check=False)
    if done.returncode:
        last = (out / "train.log").read_text().strip().splitlines()[-1:]
        raise Real3DError(f"{out}: the run failed: {' '.join(last)}")
    return out / "weights"


@dataclass(frozen=True)
class Judge:
    """People whom no run saw, and what pictures of them are measured with."""

    banks: dict[str, FrameBank]
    vgg: VGGFeatures
    sface: SFace
    device: torch.device

    @classmethod
    def read(cls, config: AblateConfig, device: torch.device) -> "Judge":
        """Decode the shards for validation."""
        fitter = Fitter(Template().to(device))
        banks: dict[str, FrameBank] = {}
        for path in sorted(config.validation.glob("*.npz")):
            kind = path.stem.split("_")[0]
            bank = FrameBank.decoded(Shard.read(path), fitter, 1, device)
            banks[kind] = joined_banks(banks[kind], bank) if kind in banks else bank
        if not banks:
            raise Real3DError(f"{config.validation}: no shards to measure with.")
        vgg, sface = VGGFeatures(config.vgg).to(device), SFace(config.sface).to(device)
        return cls(banks, vgg, sface, device)

    @torch.inference_mode()
    def numbers(self, model: Model) -> dict[str, float]:
        """Means over people: dB, cosines, distances."""
        out: dict[str, float] = {}
        for kind in ("clips", "orbits", "synthetic"):
            if kind in self.banks:
                rows = [self._pairs(model, kind, row) for row in range(len(self._sources(kind)))]
                names = rows[0] if kind == "clips" else ["psnr"]
                out |= {f"{kind} {n}": float(np.mean([row[n] for row in rows])) for n in names}
        if "portraits" in self.banks:
            rows = [self._views(model, row) for row in range(len(self._sources("portraits")))]
            out |= {f"views {n}": float(np.mean([row[n] for row in rows])) for n in rows[0]}
        return {name: round(value, 4) for name, value in out.items()}

    def _sources(self, kind: str) -> np.ndarray:
        return self.banks[kind].fits.source

    def _encoded(self, model: Model, kind: str, row: int) -> tuple[Encoding, Head]:
        bank, size = self.banks[kind], model.config.image_px
        fits, frame = bank.fits, torch.tensor([self._sources(kind)[row]], device=self.device)
        entry = fits.first[row] + int(frame) - bank.clips[fits.clip[row]][0]
        head = fits.head(np.array([row]), np.array([entry]))
        with model.autocast():
            photo, matte = picture_of(bank, frame, size), matte_of(bank, frame, size)
            return model.network.encode(photo, matte, head), head

    @staticmethod
    def _rendered(model: Model, source: Encoding, heads: Head) -> Frame:
        same = torch.zeros(len(heads.coefficients), dtype=torch.long, device=model.device)
        source = map_tensors(lambda tensor: tensor[same], source)
        target = model.network.geometry.target(source.geometry, heads)
        with model.autocast():
            return model.network.render(source, target, heads)

    def _pairs(self, model: Model, kind: str, row: int) -> dict[str, float]:
        """One clip from its middle frame."""
        bank, fits = self.banks[kind], self.banks[kind].fits
        source, _ = self._encoded(model, kind, row)
        clip = bank.clips[fits.clip[row]]
        found: list[dict[str, float]] = []
        for first in range(0, len(clip), _STRIDE * _TOGETHER):
            offsets = np.arange(first, min(first + _STRIDE * _TOGETHER, len(clip)), _STRIDE)
            heads = fits.head(np.full(len(offsets), row), fits.first[row] + offsets)
            made = self._rendered(model, source, heads).image
            frames = torch.from_numpy(clip[0] + offsets).to(self.device)
            true = picture_of(bank, frames, model.config.image_px)
            found.append(self._compared(made, true, bank.landmarks[frames]))
        return {name: float(np.mean([f[name] for f in found])) for name in found[0]}

    def _compared(self, made: Tensor, true: Tensor, landmarks: Tensor) -> dict[str, float]:
        ours, theirs = (detail_crops(x, landmarks) for x in (made, true))
        embedded = [self.sface.embed((x + 1) / 2, landmarks) for x in (made, true)]
        return {
            "psnr": _psnr(made, true),
            "ssim": float(ssim((made + 1) / 2, (true + 1) / 2, 11).mean()),
            "features": float(feature_distance(self.vgg, made, true)),
            "mouth psnr": _psnr(ours.mouth, theirs.mouth),
            "eyes psnr": _psnr(ours.eyes, theirs.eyes),
            "identity": float((embedded[0] * embedded[1]).sum(-1).mean()),
        }

    def _views(self, model: Model, row: int) -> dict[str, float]:
        """One photo from other sides."""
        source, own = self._encoded(model, "portraits", row)

        def turned(degrees: tuple[int, ...]) -> Head:
            angles = torch.tensor([[np.radians(d), 0, 0] for d in degrees], device=self.device)
            camera = Camera(
                rotation_from_euler(angles.float()),
                own.camera.translation.expand(len(degrees), -1),
            )
            parts = (p.expand(len(degrees), *p.shape[1:]) for p in (own.identity, own.coefficients))
            return Head(*parts, camera)

        geometry = model.network.geometry

        def embedded(picture: Tensor, head: Head) -> Tensor:
            return self.sface.embed((picture + 1) / 2, landmarks_of(geometry, head))

        heads = turned(_YAWS)
        frame = self._rendered(model, source, heads)
        cosines = (embedded(frame.image, heads) * embedded(source.photo, own)).sum(-1).cpu().numpy()
        sides = np.abs(_YAWS)
        out = {f"identity {y}": float(cosines[sides == y].mean()) for y in np.unique(sides)}
        before, after = (turned((yaw,)) for yaw in _LATER)
        pair = self._rendered(model, source, joined_heads([before, after])).image
        moment = Moment.between(geometry, before, after)
        share = moment.seen.mean().clamp_min(1e-6)
        unsteady = unsteadiness(pair, moment) / share
        return out | {"discord": float(discord(frame)), "unsteady": float(unsteady)}


def _psnr(made: Tensor, true: Tensor) -> float:
    """Mean of pictures in [-1, 1], dB."""
    error = (made - true).div(2).square().mean((1, 2, 3))
    return float((-10 * error.log10()).mean())


def _write_table(config: AblateConfig) -> Path:
    from real3d.evaluation.tables import table  # not needed to train

    rows = {
        name: json.loads(path.read_text())
        for name in VARIANTS
        if (path := _folder(config, name) / "numbers.json").is_file()
    }
    titles = ["variant", *next(iter(rows.values()), {})]
    cells = [[name, *(f"{n:.4g}" for n in numbers.values())] for name, numbers in rows.items()]
    with written_beside(config.out / "ablations.md") as path:
        path.write_text(table(titles, cells) + "\n")
    return config.out / "ablations.md"
