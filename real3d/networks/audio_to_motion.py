"""Audio-to-Motion: speech to the coefficients that speak, fifty rows a second.

A stack of temporal convolutions over log-mel features, with residual blocks whose channels are
scaled and shifted (FiLM, Perez et al. 2018) by who speaks how: a manner (how far the mouth opens,
how wide it moves, ...) and the strength of each emotion. Convolutions are not padded: whoever calls
gives what lies before and after, so a long recording in pieces gives what it gives as a whole.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from real3d.face.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from real3d.networks.log_mel import AFTER, BANDS, BEFORE, HOP, RATE_HZ, log_mel

STEPS_PER_S = 50
STEP_SAMPLES = RATE_HZ // STEPS_PER_S
_STEP = STEP_SAMPLES // HOP  # frames of log-mel in a step
_FRONT_LEFT, _FRONT_RIGHT = 3, 4
_DROPPED = 0.1
SPOKEN: tuple[str, ...] = tuple(
    name
    for name in ARKIT_NAMES
    if not name.startswith(("eyeBlink", "eyeLook")) and name != "tongueOut"
)
"""What speech moves. Lids and gaze have reasons of their own; the tongue is not tracked."""
SPOKEN_INDICES: tuple[int, ...] = tuple(ARKIT_INDEX[name] for name in SPOKEN)


@dataclass(frozen=True)
class AudioConfig:
    """Sizes of the network."""

    width: int = 160
    """Channels."""
    around: tuple[int, ...] = (1, 1, 2, 3, 5)
    """Steps that each of the first blocks reaches before and after."""
    before: tuple[int, ...] = (6, 10, 16)
    """Half the steps that each of the other blocks reaches back; they do not look ahead."""
    manner: int = 6
    """Numbers that say how somebody speaks, each of variance 1 over people, 0 the average."""
    emotions: int = 7
    """Strengths of emotions, in [0, 1], order of real3d.emotion."""

    @property
    def left_steps(self) -> int:
        """Steps of context before the first result."""
        return sum(self.around) + 2 * sum(self.before)

    @property
    def right_steps(self) -> int:
        """Steps of context after the last result."""
        return sum(self.around)

    @property
    def left_frames(self) -> int:
        """Frames of log-mel before the first result's."""
        return _STEP * self.left_steps + _FRONT_LEFT

    @property
    def right_frames(self) -> int:
        """Frames of log-mel after the last result's own two."""
        return _STEP * self.right_steps + _FRONT_RIGHT - 1

    @property
    def left_samples(self) -> int:
        """Samples before the first step that log_mel needs for its context."""
        return self.left_frames * HOP + BEFORE

    @property
    def right_samples(self) -> int:
        """Samples after the last step that log_mel needs for its context."""
        return self.right_frames * HOP + AFTER - HOP

    @property
    def look_ahead_s(self) -> float:
        """How much of the future a result needs."""
        frames = _STEP * self.right_steps + _FRONT_RIGHT
        return (frames * HOP + AFTER) / RATE_HZ


class _Block(nn.Module):
    """A residual block of one dilated convolution, scaled and shifted by the condition."""

    def __init__(self, width: int, reach: int, ahead: bool, condition: int):
        super().__init__()
        self.first, self.last = (reach, reach) if ahead else (2 * reach, 0)
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Conv1d(width, width, 3, dilation=reach)
        self.out = nn.Conv1d(width, width, 1)
        self.drop = nn.Dropout1d(_DROPPED)
        self.film = nn.Linear(condition, 2 * width)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition)[:, :, None].chunk(2, 1)
        y = self.norm(x.mT).mT
        y = nn.functional.gelu(self.mix(y) * (1 + scale) + shift)
        kept = x[:, :, self.first : x.shape[2] - self.last]
        return kept + self.drop(self.out(y))


class AudioToMotion(nn.Module):
    """Features of speech to coefficients; see the module's text."""

    def __init__(self, config: AudioConfig):
        super().__init__()
        self.config = config
        condition = config.manner + config.emotions
        self.front = nn.Conv1d(BANDS, config.width, 5)
        self.halve = nn.Conv1d(config.width, config.width, 4, stride=_STEP)
        reaches = [(r, True) for r in config.around] + [(r, False) for r in config.before]
        self.blocks = nn.ModuleList(
            _Block(config.width, reach, ahead, condition) for reach, ahead in reaches
        )
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, len(SPOKEN))

    def forward(self, mel: Tensor, manner: Tensor, emotion: Tensor) -> Tensor:
        """Coefficients (B, T, len(SPOKEN)) of step k at k / 50 s; may leave [0, 1] a little.

        mel: (B, 80, left_frames + 2 T + right_frames), two frames a step with what lies around.
        manner: (B, config.manner). emotion: (B, config.emotions).
        """
        return self.head(self.understood(mel, manner, emotion))

    def understood(self, mel: Tensor, manner: Tensor, emotion: Tensor) -> Tensor:
        """(B, T, width) what the coefficients are a linear function of."""
        condition = torch.cat([manner, emotion], 1)
        x = nn.functional.gelu(self.front(mel))
        x = nn.functional.gelu(self.halve(x))
        for block in self.blocks:
            x = block(x, condition)
        return self.norm(x.mT)

    def whole(self, samples: Tensor, manner: Tensor, emotion: Tensor) -> Tensor:
        """Coefficients (B, T, len(SPOKEN)) of whole recordings (B, N) in memory, at any length."""
        steps = max(1, -(-samples.shape[-1] // STEP_SAMPLES))
        before, after = self.config.left_samples, self.config.right_samples
        after += steps * STEP_SAMPLES - samples.shape[-1]
        return self.hear(nn.functional.pad(samples, (before, after)), manner, emotion)

    def hear(self, samples: Tensor, manner: Tensor, emotion: Tensor) -> Tensor:
        """Coefficients (B, T, len(SPOKEN)) of samples (B, left_samples + 320 T + right_samples)."""
        return self.forward(log_mel(samples), manner, emotion)


def build_audio_network(config: AudioConfig) -> AudioToMotion:
    """A network with random weights; as it is, everybody speaks in the same manner."""
    return AudioToMotion(config)
