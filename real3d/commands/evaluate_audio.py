"""`real3d evaluate-audio`: does the mouth move as the speaker's did?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from real3d.commands.options import Options, Out, read_subject
from real3d.errors import Real3DError

_FOR_EMOTIONS = 8
"""So many sequences, evenly spread, are spoken with every emotion, and shown on the sheet of
lips."""


@dataclass(frozen=True, kw_only=True)
class EvaluateAudio(Options):
    """Compare lips made from sound with those of held-out speakers, beside two baselines."""

    sequences: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]
    """Sequences of speech, made by `python -m finetune_video prepare-speech`."""
    out: Out = Path("report")
    """The folder to write report.md to."""
    split: str = "val"
    """Which sequences to compare with; the baselines are fitted to those of split train."""
    audio_weights: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Folder of weights (model.safetensors, config.json) instead of the bundled ones."""

    photo: Annotated[Path | None, tyro.conf.arg(metavar="PHOTO|AVATAR")] = None
    """Also draw this face with every emotion, and see what the face tracker says; and lips.jpg,
    its mouth as some speakers moved theirs, above as it moves from their sound."""

    def run(self) -> Path:
        """Write the report."""
        from real3d.files import require_writable

        require_writable(self.out / "report.md")
        from real3d.audio_weights import load_audio_weights
        from real3d.evaluation.speech import evaluate_speech, fit_baselines
        from real3d.training.speech_sequences import read_split

        model = load_audio_weights(self.audio_weights)
        sequences = list(read_split(self.sequences, self.split))
        if not sequences:
            raise Real3DError(f"{self.sequences}: no sequences of split {self.split!r}.")
        baselines = fit_baselines(read_split(self.sequences, "train"))
        return evaluate_speech(
            sequences, self.out, *baselines, model, self._emotions(sequences, model)
        )

    def _emotions(self, sequences: list, model: object) -> dict[str, str]:
        """Tables of emotions: in coefficients, and in pictures of the photo."""
        import real3d
        from real3d.evaluation.emotions import emotion_table, rendered_table
        from real3d.evaluation.lip_sheet import write_lip_sheet

        some = sequences[:: -(-len(sequences) // _FOR_EMOTIONS)]
        tables = {"Emotions, in the coefficients": emotion_table(some, model)}
        if self.photo is not None:
            painter = real3d.load(device="cpu")
            avatar = read_subject(self.photo, painter, 0).avatar
            tables["Emotions, in pictures"] = rendered_table(avatar, painter)
            write_lip_sheet(self.out / "lips.jpg", some, model, avatar, painter)
        return tables
