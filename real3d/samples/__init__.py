"""Samples that come with the package, made by ourselves (examples/speech_sample.py)."""

from pathlib import Path

SPEECH = Path(__file__).parent / "speech.ogg"
"""A synthesised voice that says a sentence, Opus."""
