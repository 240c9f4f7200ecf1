"""The subcommands of `real3d`: each a frozen dataclass of options with a `run` that returns a path.

Importing them costs nothing: what needs torch is imported when a command runs.
"""

from real3d.commands.clips import Animate, Orbit, Track
from real3d.commands.demo import Demo
from real3d.commands.evaluate import Evaluate
from real3d.commands.evaluate_audio import EvaluateAudio
from real3d.commands.export import Export
from real3d.commands.options import Options
from real3d.commands.plot import Plot
from real3d.commands.stills import Reconstruct, Redirect
from real3d.commands.view import View

COMMANDS: dict[str, type[Options]] = {
    "demo": Demo,
    "reconstruct": Reconstruct,
    "redirect": Redirect,
    "orbit": Orbit,
    "animate": Animate,
    "track": Track,
    "export": Export,
    "view": View,
    "plot": Plot,
    "evaluate": Evaluate,
    "evaluate-audio": EvaluateAudio,
}
