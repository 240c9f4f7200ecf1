"""The command `real3d`: parse first, import what is heavy only inside the command that runs."""

import errno
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence

import tyro

from real3d.commands.clips import Animate, Orbit, Track
from real3d.commands.demo import Demo
from real3d.commands.evaluate import Evaluate
from real3d.commands.evaluate_audio import EvaluateAudio
from real3d.commands.export import Export
from real3d.commands.options import Options
from real3d.commands.plot import Plot
from real3d.commands.stills import Reconstruct, Redirect
from real3d.commands.view import View
from real3d.errors import Real3DError

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
_USER_ERROR, _OUR_ERROR, _INTERRUPTED = 2, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0, 2 when the input was wrong, 1 when we are, 130 when interrupted."""
    command = tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog="real3d",
        description="One photo in, a living 3D head out.",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
    if not command.debug:
        warnings.simplefilter("ignore")
    if os.name == "posix" and arguments is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after Ctrl-C
    try:
        print(command.run())
    except KeyboardInterrupt:
        return _complain("interrupted; nothing half-written is left", _INTERRUPTED)
    except Exception as error:
        if command.debug:
            traceback.print_exc()
        return _complain(*_sentence(error))
    return 0


def _sentence(error: Exception) -> tuple[str, int]:
    """What to tell the user, and the exit code."""
    if isinstance(error, Real3DError):
        return str(error), _USER_ERROR
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "out of memory: use a smaller --size, or --device cpu.", _USER_ERROR
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Free some space and run again.", _USER_ERROR
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}. Check the path.", _USER_ERROR
    text = f"unexpected {type(error).__name__}: {error}. Run again with --debug and report it."
    return text, _OUR_ERROR


def _complain(sentence: str, code: int) -> int:
    print(f"real3d: {' '.join(sentence.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
