"""Everything that a training run can be told."""

from dataclasses import dataclass, field
from pathlib import Path

from real3d.networks.config import SMOKE, NetworkConfig


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts."""

    pixels: float = 2.0
    features: float = 1.0
    """VGG16 features of the whole picture."""
    face_features: float = 1.0
    """The same on the face at full size."""
    detail_features: float = 0.5
    """The same on mouth and eyes."""
    side_features: float = 0.5
    """The same on the side of the head that is nearer to the camera."""
    volume: float = 1.0
    look_up: float = 0.7
    alpha: float = 0.4
    person: float = 0.3
    """Matte of the composed picture."""
    depth: float = 1.5
    torso: float = 1.0
    smooth_flow: float = 1.0
    empty: float = 0.1
    """What the volume has far from the template."""
    identity: float = 0.3
    """Whether SFace knows the person again."""
    free_identity: float = 0.1
    """The same in free views: what an embedding asks for there is soon paint."""
    discord: float = 0.5
    """How different the pictures are that a head is mixed from."""
    unsteady: float = 0.3
    """What of a head does not turn with it, or changes with its face."""
    adversarial: float = 0.03
    side_adversarial: float = 0.1
    """Of sides of heads that have turned; the other of mouths, eyes and texture."""
    feature_matching: float = 0.07


@dataclass(frozen=True)
class TrainConfig:
    """A run of the trainer."""

    data: Path
    """Folder of shards: clips, orbits, portraits and synthetic*.npz, those that are there."""
    out: Path
    """Folder for weights/, checkpoint, log and sheets."""
    openly_licensed: bool = False
    """Take only photos of tier A and synthetic people, so that the weights may be given away."""
    vgg: Path | None = None
    """Weights of the VGG16 features (real3d.training.perceptual_weights); random without."""
    sface: Path | None = None
    """Weights of the identity embedding SFace; without, the identity loss is left out."""
    weights: Path | None = None
    """Folder of weights to start from (another run's out/weights)."""
    resume: bool = False
    """Go on from the checkpoint in out."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    seconds: float = 540.0
    """Wall time of this run."""
    total_seconds: float = 1600.0
    """Wall time of the whole schedule, over all resumed runs."""
    max_steps: int = 10**9
    batch: int = 32
    """Pairs a step and a process."""
    clip_share: float = 0.42
    orbit_share: float = 0.14
    synthetic_share: float = 0.22
    """Shares of the batch; the rest are photos with false sources."""
    generated_weight: float = 0.4
    """How often a generated clip is drawn, against a real one."""
    sources_per_clip: int = 4
    free_views: int = 7
    """Views a step and a process of photos from sides of which there is no picture: they must look
    like the person, and the photo must be found again from them."""
    painted_share: float = 0.4
    """How many pictures show the head in the network's own colours alone, so that these learn to be
    a picture of one piece where the photo shows nothing else."""
    learning_rate: float = 5e-4
    warm_up_steps: int = 200
    adversarial_from: float = 0.4
    """Share of the schedule after which the discriminators join."""
    ema: float = 0.998
    losses: LossWeights = field(default_factory=LossWeights)
    compile: bool = True
    """Compile the convolutional parts (CUDA only)."""
    limit_clips: int = 0
    """Use only so many clips of each shard (tests)."""
    profile: bool = False
    """Print a table of GPU kernels after some steps."""
    log_every: int = 50
    sheet_every: int = 1000
    save_every_s: float = 180.0
    look_every_s: float = 30.0
    """How often the data folder is looked at for new shards."""
    seed: int = 0


def cpu_smoke(data: Path, out: Path) -> TrainConfig:
    """A minute on a CPU: everything runs, nothing is learned."""
    return TrainConfig(
        data, out, network=SMOKE, seconds=60, total_seconds=60, batch=6, max_steps=8,
        adversarial_from=0.0, log_every=1, sheet_every=4, limit_clips=6, compile=False,
    )  # fmt: skip
