"""The command `real3d`: parse first, import what is heavy only inside the command that runs.

Even the parser is imported only once Ctrl-C and errors end in one sentence.
"""

import contextlib
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from real3d.commands.options import Options

_USER_ERROR, _OUR_ERROR, _INTERRUPTED = 2, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0, 2 when the input was wrong, 1 when we are, 130 when interrupted."""
    debug = False
    try:
        if os.name == "posix" and arguments is None:
            _clean_up_after_signals()
        command = _parsed(arguments)
        debug = command.debug
        logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
        if not debug:
            warnings.simplefilter("ignore")
        written = command.run()
    except KeyboardInterrupt:
        return _complain("interrupted; nothing half-written is left", _INTERRUPTED)
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _complain(*_sentence(error))
    _say(str(written))
    return 0


def _clean_up_after_signals() -> None:
    """Let being stopped, or the terminal closed, end as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)


def _parsed(arguments: Sequence[str] | None) -> "Options":
    import tyro

    from real3d.commands import COMMANDS

    return tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog="real3d",
        description="One photo in, a living 3D head out.",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def _say(text: str) -> None:
    """Print, where somebody listens: the work is done, whatever becomes of this line."""
    with contextlib.suppress(OSError, ValueError):
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def _sentence(error: Exception) -> tuple[str, int]:
    """What to tell the user, and the exit code."""
    from real3d.errors import Real3DError
    from real3d.files import disk_full

    if isinstance(error, Real3DError):
        return str(error), _USER_ERROR
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "out of memory: use a smaller --size, or --device cpu.", _USER_ERROR
    if disk_full(error):
        return "the disk is full. Free some space and run again.", _USER_ERROR
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}. Check the path.", _USER_ERROR
    text = f"unexpected {type(error).__name__}: {error}. Run again with --debug and report it."
    return text, _OUR_ERROR


def _complain(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        print(f"real3d: {' '.join(sentence.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
