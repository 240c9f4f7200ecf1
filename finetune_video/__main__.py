"""`python -m finetune_video prepare | train | ablate | prepare-speech | train-speech`.

Training the pictures' networks on several GPUs: `torchrun … -m finetune_video train`.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from finetune_video.prepare import PrepareConfig
from finetune_video.speech_sequences import SpeechConfig
from real3d.errors import Real3DError
from real3d.training.ablations import AblateConfig
from real3d.training.config import TrainConfig, cpu_smoke
from real3d.training.speech_trainer import SpeechTrainConfig


def _prepare(config: Annotated[PrepareConfig, tyro.conf.arg(name="")]) -> None:
    """Track, crop and matte recordings and photos into shards."""
    from finetune_video.prepare import prepare

    print(prepare(config))


def _train(config: Annotated[TrainConfig, tyro.conf.arg(name="")]) -> None:
    """Train the whole model on shards."""
    from real3d.training.trainer import train

    train(config)


def _ablate(config: Annotated[AblateConfig, tyro.conf.arg(name="")]) -> None:
    """Train many small models that differ in one thing each, and measure them."""
    from real3d.training.ablations import ablate

    print(ablate(config))


def _smoke(data: Path, out: Path) -> None:
    """Train a tiny model for a few steps on a CPU."""
    from real3d.training.trainer import train

    train(cpu_smoke(data, out))


def _prepare_speech(config: Annotated[SpeechConfig, tyro.conf.arg(name="")]) -> None:
    """Track recordings of people who speak: sequences of sound and coefficients."""
    from finetune_video.speech_sequences import prepare_speech

    prepare_speech(config)


def _train_speech(config: Annotated[SpeechTrainConfig, tyro.conf.arg(name="")]) -> None:
    """Train Audio-to-Motion on sequences, on a CPU."""
    from real3d.training.speech_trainer import train_speech

    train_speech(config)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0, or 2 when the input was wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        tyro.extras.subcommand_cli_from_dict(
            {
                "prepare": _prepare,
                "train": _train,
                "smoke": _smoke,
                "ablate": _ablate,
                "prepare-speech": _prepare_speech,
                "train-speech": _train_speech,
            },
            prog="python -m finetune_video",
            args=arguments,
        )
    except Real3DError as error:
        print(f"finetune_video: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("finetune_video: interrupted; what is whole is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
