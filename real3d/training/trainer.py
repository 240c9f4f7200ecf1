"""The training loop that pre-training and fine-tuning share.

`torchrun` starts one process a GPU; a single process needs no torchrun. The clock of rank 0 alone
decides when to stop, so that all ranks stop together.
"""

import contextlib
import copy
import dataclasses
import json
import logging
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from real3d.errors import Real3DError
from real3d.face.fit import Fitter
from real3d.networks.geometry import Head, TargetGeometry
from real3d.networks.model import Encoding, Frame, Real3DNetwork, build_network
from real3d.tensors import map_tensors
from real3d.training.batches import SYNTHETIC, Batch, PairSampler, joined_batches, joined_heads
from real3d.training.config import TrainConfig
from real3d.training.discriminators import Discriminators, critic_loss, mean
from real3d.training.frame_bank import FrameBank, joined_banks
from real3d.training.free_views import (
    FreeViews,
    draw_free_views,
    identity_losses,
    turned_back,
)
from real3d.training.losses import (
    Details,
    believed,
    detail_crops,
    discord,
    emptiness_loss,
    exemplary,
    feature_distance,
    pixel_weights,
    side_crops,
    structure_losses,
    turned_sides,
    unsteadiness,
)
from real3d.training.perceptual import SFace, VGGFeatures
from real3d.training.shards import Shard
from real3d.training.sheets import write_sheet, write_views
from real3d.weight_files import (
    LICENCE,
    OPEN_LICENCE,
    licence_of,
    load_weights,
    save_weights,
)

_LOG = logging.getLogger(__name__)
_NOSE_TIP = 4
_TEXTURE_PX = 192
_CRITIC_RATE = 2e-4
_LARGEST_GRADIENT = 1.0
_KINDS = ("clips", "orbits", "synthetic", "portraits")
"""Kinds of shards, by the beginning of a file's name."""
_GRIDS = {"image_to_plane.position": 1, "image_to_plane.side_tokens": 2}
"""Weights that are grids over the picture, and how many each."""
_OPENLY_LICENSED = ("still-A", "synthetic")
"""Kinds of clips that weights may be given away with."""


@dataclass(frozen=True)
class _Drawn:
    """What a step trains on."""

    batch: Batch
    views: FreeViews
    rows: Tensor
    """(B + F,) whose source each rendered picture has."""
    heads: Head
    """The wanted heads of B pairs and F free views."""
    target: TargetGeometry
    """The same."""
    painted: Tensor
    """(B + F,) 1 for those whose heads are in the network's own colours alone."""


@dataclass(frozen=True)
class _Shown:
    """What a step made."""

    batch: Batch
    frame: Frame
    """Of the B pairs."""
    views: FreeViews
    turned: Tensor
    """(F, 3, S, S) the free views."""


class _Step(nn.Module):
    """Both halves of the network in one forward, as DDP wants it."""

    def __init__(self, network: Real3DNetwork):
        super().__init__()
        self.network = network

    def forward(self, drawn: _Drawn) -> tuple[Encoding, Frame, Tensor]:
        """The sources, the pictures of pairs and free views, and how much is far from the head."""
        batch, network = drawn.batch, self.network
        source = network.encode(
            batch.source, batch.source_alpha, batch.source_head, True, batch.partner
        )
        repeated = map_tensors(lambda tensor: tensor[drawn.rows], source)
        frame = network.render(repeated, drawn.target, drawn.heads, True, drawn.painted)
        return source, frame, emptiness_loss(network, source.planes)


class Trainer:
    """Everything that a run holds."""

    def __init__(self, config: TrainConfig):
        self.config = config
        self.rank = int(os.environ.get("LOCAL_RANK", 0))
        self.world = int(os.environ.get("WORLD_SIZE", 1))
        cuda = torch.cuda.is_available()
        self.device = torch.device("cuda", self.rank) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(self.device)
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high")
        if self.world > 1:
            dist.init_process_group("nccl" if cuda else "gloo")
        torch.manual_seed(config.seed)
        self.network = _start(config).to(self.device)
        for parameter in self.network.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.critics = Discriminators().to(self.device, memory_format=torch.channels_last)
        self.vgg = VGGFeatures(config.vgg).to(self.device, memory_format=torch.channels_last)
        self.sface = SFace(config.sface).to(self.device) if config.sface else None
        self.state = {"step": 0, "seconds": 0.0, "images": 0}
        rates = {"betas": (0.9, 0.99), "fused": cuda}
        self.optimiser = torch.optim.Adam(self.network.parameters(), config.learning_rate, **rates)
        self.critic_optimiser = torch.optim.Adam(
            self.critics.parameters(), _CRITIC_RATE, betas=(0.5, 0.99), fused=cuda
        )
        if config.resume and self._checkpoint.exists():
            self._resume()
        torch.manual_seed(config.seed + 1000 * self.rank + self.state["step"])
        if config.compile and cuda:
            _compile(self.network, self.vgg)
        self.step_module = _Step(self.network)
        if self.world > 1:
            self.step_module = DistributedDataParallel(
                self.step_module, device_ids=[self.rank] if cuda else None, broadcast_buffers=False
            )
        self._fitter = Fitter(self.network.geometry.template)
        self._banks: dict[str, FrameBank] = {}
        self._taken_up: set[Path] = set()
        self._looked_s = 0.0
        self._ahead = ThreadPoolExecutor(1)
        self._turned_back: Batch | None = None
        self._take_up_shards()
        if not self._banks:
            raise Real3DError(
                f"{config.data}: no shards of training data. Make some with "
                "python -m finetune_video prepare, or pretrain_synthetic render."
            )

    @property
    def _checkpoint(self) -> Path:
        return self.config.out / "checkpoint.pt"

    def _take_up_shards(self) -> None:
        """Read the shards that are new in the data folder, and draw from them as well.

        So people can be rendered while a run already learns from others.
        """
        config, found = self.config, False
        for path in sorted(config.data.glob("*.npz")):
            kind = path.stem.split("_")[0]
            if kind not in _KINDS or path.stem.endswith(".part") or path in self._taken_up:
                continue  # another file, one that is being written, or an old one
            self._taken_up.add(path)
            start, shard = time.perf_counter(), Shard.read(path)
            if config.openly_licensed:
                shard = shard.only(_OPENLY_LICENSED)
            if not len(shard):
                continue
            found = True
            bank = FrameBank.decoded(
                shard, self._fitter, config.sources_per_clip, self.device, config.limit_clips
            )
            if (old := self._banks.pop(kind, None)) is not None:
                _require_size_of(old, bank, path)
                bank = joined_banks(old, bank)
            self._banks[kind] = bank
            took_s = time.perf_counter() - start
            _LOG.info("%s: %d frames of %s, %.1f s", path, len(bank.images), kind, took_s)
        if found:
            kinds = (config.clip_share, config.orbit_share, config.synthetic_share)
            shares = dict(zip(_KINDS, (*kinds, 1 - sum(kinds)), strict=True))
            seed = config.seed + 7919 * self.rank + self.state["step"]
            self._sampler = PairSampler(
                self._banks, self.network.geometry, shares, config.generated_weight, seed
            )
            self._random = np.random.default_rng(seed + 1)
            self._next = self._ahead.submit(self._drawn, self._turned_back)

    @torch.no_grad()
    def _drawn(self, back: Batch | None) -> _Drawn:
        """The next batch; drawn in a thread beside the step before, whose GPU work it follows.

        back: photos seen turned by the network, as sources.
        """
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        geometry = self.network.geometry
        if back is None:
            batch = self._sampler.draw(self.config.batch)
        else:
            batch = self._sampler.draw(self.config.batch - len(back.kind))
            batch = joined_batches([batch, back])
        views = draw_free_views(batch, self.config.free_views, geometry, self._random)
        rows = torch.cat([torch.arange(len(batch.kind), device=self.device), views.rows])
        heads = joined_heads([batch.target_head, views.head])
        target = geometry.target(geometry.source(batch.source_head)[rows], heads)
        painted = self._random.random(len(rows)) < self.config.painted_share
        painted = torch.from_numpy(painted).float().to(self.device)
        return _Drawn(batch, views, rows, heads, target, painted)

    def run(self) -> None:
        """Train until the time or the steps are used up; writes weights, log and sheets."""
        start, before = time.perf_counter(), self.state["seconds"]
        self.config.out.mkdir(parents=True, exist_ok=True)
        log = (self.config.out / "log.jsonl").open("a") if self.rank == 0 else None
        first, seen, saved = self.state["step"], self.state["images"], 0.0
        while self.state["step"] < self.config.max_steps:
            elapsed = self._agreed(time.perf_counter() - start)
            self.state["seconds"] = before + elapsed
            if elapsed > self.config.seconds:
                break
            if elapsed - self._looked_s > self.config.look_every_s:
                self._looked_s = elapsed
                self._take_up_shards()
            profiled = self.config.profile and self.state["step"] - first == 12
            with _profile() if profiled else contextlib.nullcontext():
                shown, values = self._step()
            self.state["step"] += 1
            self.state["images"] += self.config.batch * self.world
            step = self.state["step"]
            if self.rank == 0 and (step % self.config.log_every == 0 or step - first in (1, 10)):
                rate = (self.state["images"] - seen) / (time.perf_counter() - start)
                row = dict(self.state) | {"images_per_s": rate} | _numbers(values)
                log.write(json.dumps(row) + "\n")
                log.flush()
                _LOG.info("%s", json.dumps({k: round(v, 4) for k, v in row.items()}))
            if self.rank == 0 and step % self.config.sheet_every == 0:
                self._write_sheets(f"_{step:06d}", shown)
            if self.rank == 0 and elapsed - saved > self.config.save_every_s:
                saved = elapsed
                self.save()
        if self.rank == 0:
            if first < self.state["step"]:
                self._write_sheets("", shown)
            self.save()
        if self.world > 1:
            dist.destroy_process_group()

    def _write_sheets(self, name: str, shown: _Shown) -> None:
        write_sheet(self.config.out / f"sheet{name}.jpg", shown.batch, shown.frame)
        if len(shown.turned):
            photos = shown.batch.source[shown.views.rows]
            write_views(self.config.out / f"views{name}.jpg", photos, shown.turned)

    def _agreed(self, seconds: float) -> float:
        if self.world == 1:
            return seconds
        clock = torch.tensor([seconds], device=self.device)
        dist.broadcast(clock, 0)
        return float(clock)

    @property
    def _progress(self) -> float:
        config = self.config
        by_time = self.state["seconds"] / config.total_seconds
        return min(1.0, max(by_time, self.state["step"] / config.max_steps))

    def _step(self) -> tuple[_Shown, dict[str, Tensor]]:
        config, progress = self.config, self._progress
        warm = min(1.0, (self.state["step"] + 1) / config.warm_up_steps)
        rate = (
            config.learning_rate * warm * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * progress)))
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        drawn = self._next.result()
        self._next = self._ahead.submit(self._drawn, self._turned_back)
        with self._autocast():
            source, rendered, far = self.step_module(drawn)
        batch, count = drawn.batch, len(drawn.batch.kind)
        target, shown = (map_tensors(lambda t: t[:count], x) for x in (drawn.target, rendered))
        example = exemplary(batch)
        frame = believed(shown, batch, example)
        free = map_tensors(lambda t: t[count:], rendered)
        self._turned_back = turned_back(batch, drawn.views, free)
        adversarial = progress >= config.adversarial_from
        ramp = min(1.0, (progress - config.adversarial_from) / 0.05 + 1e-3)
        made, true = (
            detail_crops(x, batch.landmarks, batch.target_head.camera)
            for x in (frame.image, batch.target)
        )
        values = self._losses(batch, target, source, frame, made, true, example) | {
            "empty": far,
            "discord": discord(rendered),
            "unsteady": unsteadiness(free.image, drawn.views.moment),
        }
        if self.sface is not None:
            with self._autocast():
                values["identity"], values["free_identity"] = identity_losses(
                    self.sface, self.network.geometry, batch, frame.image, drawn.views, free.image
                )
        if adversarial:
            patches = self._patches(batch, target, frame, made, true)
            values |= self._fooling(patches, ramp)
        loss = sum(getattr(config.losses, name) * value for name, value in values.items())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
        if torch.isfinite(norm):
            self.optimiser.step()
        if adversarial:
            values["critic"] = self._train_critics(patches)
        self._average()
        error = (shown.image.detach() - batch.target).div(2).square().mean((1, 2, 3))
        values["psnr"] = -10 * error.log10().mean()
        values["gradient"] = norm
        return _Shown(batch, shown, drawn.views, free.image), values

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def _losses(
        self,
        batch: Batch,
        target: TargetGeometry,
        source: Encoding,
        frame: Frame,
        made: Details,
        true: Details,
        example: Tensor,
    ) -> dict[str, Tensor]:
        pixels = ((frame.image - batch.target).abs() * pixel_weights(batch, target)).mean()
        half = (F.avg_pool2d(x, 2) for x in (frame.image, batch.target))
        with self._autocast():
            features = feature_distance(self.vgg, *half)
            face = feature_distance(self.vgg, made.face, true.face)
            detail = [torch.cat([d.mouth, d.eyes]) for d in (made, true)]
            details = feature_distance(self.vgg, *detail, blocks=3)
            side = feature_distance(self.vgg, made.side, true.side)
        values = {
            "pixels": pixels,
            "features": features,
            "face_features": face,
            "detail_features": details,
            "side_features": side,
        }
        nose = target.landmarks[:, _NOSE_TIP, 2]
        return values | structure_losses(batch, source, frame, nose, example)

    def _patches(
        self, batch: Batch, target: TargetGeometry, frame: Frame, made: Details, true: Details
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Made and true patches of the same for each critic; synthetic ones are no example."""
        photos = batch.kind != SYNTHETIC
        both = torch.cat([photos, photos])
        turned, camera = turned_sides(batch), batch.target_head.camera
        layers = detail_crops(target.classes, batch.landmarks)
        place = side_crops(target.canonical, camera)[turned]
        size = min(_TEXTURE_PX, frame.image.shape[-1])
        x, y = (int(torch.randint(frame.image.shape[-1] - size + 1, ())) for _ in range(2))
        window = (..., slice(y, y + size), slice(x, x + size))
        return {
            "mouth": tuple(torch.cat([d.mouth, layers.mouth], 1)[photos] for d in (made, true)),
            "eyes": tuple(torch.cat([d.eyes, layers.eyes], 1)[both] for d in (made, true)),
            "side": tuple(torch.cat([d.side[turned], place], 1) for d in (made, true)),
            "texture": tuple(p[window][photos] for p in (frame.image, batch.target)),
        }

    def _fooling(self, patches: dict[str, tuple[Tensor, Tensor]], ramp: float) -> dict[str, Tensor]:
        self.critics.requires_grad_(False)
        with self._autocast():
            found = self.critics({name: made for name, (made, _) in patches.items()})
            with torch.no_grad():
                wanted = self.critics({name: true for name, (_, true) in patches.items()})
        self.critics.requires_grad_(True)
        losses = {name: -ramp * mean(scores.float()) for name, (scores, _) in found.items()}
        matching = sum(
            mean((f.float() - w.float()).abs())
            for name in found
            for f, w in zip(found[name][1][1:], wanted[name][1][1:], strict=True)
        )
        side = losses.pop("side")
        return {
            "adversarial": sum(losses.values()),
            "side_adversarial": side,
            "feature_matching": ramp * matching,
        }

    def _train_critics(self, patches: dict[str, tuple[Tensor, Tensor]]) -> Tensor:
        with self._autocast():
            both = {
                name: torch.cat([made.detach(), true]) for name, (made, true) in patches.items()
            }
            scores = {name: found for name, (found, _) in self.critics(both).items()}
            loss = sum(
                critic_loss(scores[name][len(made) :], scores[name][: len(made)])
                for name, (made, _) in patches.items()
            )
        self.critic_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.world > 1:
            for parameter in self.critics.parameters():
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.world
        self.critic_optimiser.step()
        return loss.detach()

    @torch.no_grad()
    def _average(self) -> None:
        step = self.state["step"]
        keep = min(self.config.ema, (step + 1) / (step + 10))
        averaged = list(self.average.parameters())
        torch._foreach_mul_(averaged, keep)
        torch._foreach_add_(averaged, list(self.network.parameters()), alpha=1 - keep)

    def save(self) -> None:
        """Averaged weights for use and everything for resuming, written beside and renamed."""
        out = self.config.out
        licence = OPEN_LICENCE if self.config.openly_licensed else LICENCE
        save_weights(out / "weights", self.average, self._summary(), licence)
        (out / "run.json").write_text(
            json.dumps(
                {"state": self.state, "config": dataclasses.asdict(self.config)}, default=str
            )
        )
        torch.save(self._everything(), out / "checkpoint.part")
        (out / "checkpoint.part").replace(self._checkpoint)

    def _summary(self) -> dict:
        """What the weights' config.json says of this run; nothing of where files are."""
        config = dataclasses.asdict(self.config)
        chosen = (
            "total_seconds", "batch", "clip_share", "orbit_share", "synthetic_share", "free_views",
            "painted_share", "openly_licensed", "learning_rate", "adversarial_from", "losses",
            "seed",
        )  # fmt: skip
        counts = {"steps": self.state["step"], "images": self.state["images"]}
        time = {"seconds": round(self.state["seconds"]), "processes": self.world}
        return counts | time | {"config": {name: config[name] for name in chosen}}

    def _everything(self) -> dict:
        parts = ("network", "average", "critics", "optimiser", "critic_optimiser")
        return {"state": self.state} | {name: getattr(self, name).state_dict() for name in parts}

    def _resume(self) -> None:
        kept = torch.load(self._checkpoint, map_location=self.device, weights_only=True)
        self.state = kept.pop("state")
        for name, state in kept.items():
            getattr(self, name).load_state_dict(state)
        _LOG.info("resumed after %d steps", self.state["step"])


def _require_size_of(old: FrameBank, new: FrameBank, path: Path) -> None:
    sides = [bank.images.shape[-1] for bank in (new, old)]
    if sides[0] != sides[1]:
        raise Real3DError(
            f"{path}: its pictures have {sides[0]} px, those of the shards before it {sides[1]}. "
            "Shards of one kind need one size."
        )


def _start(config: TrainConfig) -> Real3DNetwork:
    """The network, fresh or with the weights that the run starts from."""
    network = build_network(config.network)
    if config.weights is not None:
        if config.openly_licensed and (licence := licence_of(config.weights)) != OPEN_LICENCE:
            raise Real3DError(
                f"{config.weights}: licensed as {licence!r}, so what is trained further from them "
                "cannot be given away. Start an openly licensed run without weights."
            )
        given = load_weights(config.weights, "cpu")
        try:
            network.load_state_dict(_at_size_of(network, given.network.state_dict()))
        except RuntimeError as error:
            raise Real3DError(
                f"{config.weights}: weights of another network ({given.config}). "
                "Give the run the same sizes."
            ) from error
    return network


def _at_size_of(network: Real3DNetwork, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """State of a network, maybe for pictures of another size."""
    own = network.state_dict()
    grids = {name: _resampled(state[name], own[name].shape[1], n) for name, n in _GRIDS.items()}
    return state | grids


def _resampled(tokens: Tensor, count: int, grids: int) -> Tensor:
    """So many tokens (1, count, W) as (1, N, W) are, which are square grids one after the other."""
    if tokens.shape[1] == count:
        return tokens
    before, after = (math.isqrt(n // grids) for n in (tokens.shape[1], count))
    squares = tokens.mT.unflatten(2, (grids, before, before)).transpose(1, 2)[0]
    resized = F.interpolate(squares, size=(after, after), mode="bicubic")
    return resized.transpose(0, 1).flatten(1).mT[None]


def _compile(network: Real3DNetwork, vgg: VGGFeatures) -> None:
    """Fuse what is between convolutions; modules keep their names and weights."""
    for module in (
        network.features, network.motion_adapter, network.volume.decoder, network.torso,
        network.flow, network.htb, vgg,
    ):  # fmt: skip
        module.compile(dynamic=False)


@contextlib.contextmanager
def _profile():
    activities = [torch.profiler.ProfilerActivity.CUDA, torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities) as profile:
        yield
    order = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    table = profile.key_averages().table(sort_by=order, row_limit=25, max_name_column_width=60)
    _LOG.info("%s", table)


def _numbers(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in values.items()}


def train(config: TrainConfig) -> None:
    """Train with this configuration."""
    Trainer(config).run()
