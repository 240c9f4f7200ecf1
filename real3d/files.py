"""Files in and out: inputs that exist, outputs that are whole or absent."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from real3d.errors import Real3DError


def require_file(path: Path, wanted: str) -> Path:
    """The path, if it names a file with something in it; wanted says what, for the error."""
    path = Path(path)
    if path.is_dir():
        raise Real3DError(f"{path}: this is a folder. Pass {wanted}.")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Real3DError(f"{path}: no such file. Pass {wanted}.") from error
    if size == 0:
        raise Real3DError(f"{path}: the file is empty. Pass {wanted}.")
    if not os.access(path, os.R_OK):
        raise Real3DError(f"{path}: not readable. Check its permissions.")
    return path


def require_suffix(path: Path, suffixes: tuple[str, ...]) -> Path:
    """The path, if its name ends in one of the suffixes (lower case, with the dot)."""
    if Path(path).suffix.lower() not in suffixes:
        raise Real3DError(
            f"{path}: cannot write this type. Use a name ending in {_list(suffixes)}."
        )
    return Path(path)


def _list(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def for_ffmpeg(path: Path) -> str:
    """The path as FFmpeg takes it: what stands before a colon is no protocol."""
    return str(Path(path).absolute())


def disk_full(error: BaseException) -> bool:
    """Whether something could not be written because there is no room for it."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def require_writable(path: Path, *inputs: Path | str | None) -> Path:
    """The path, if it can be written: to be asked before anything long is computed.

    inputs: what else the user named, files or not; the output must be none of them.
    """
    for given in inputs:
        with contextlib.suppress(OSError, ValueError):  # it does not exist, or is no path
            if given and os.path.samefile(given, path):
                raise Real3DError(f"{path}: this is one of the inputs. Choose another name.")
    with contextlib.suppress(_Tried), written_beside(path):
        raise _Tried
    return Path(path)


class _Tried(Exception):
    """Ends a trial write, so that nothing is left of it."""


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A path in the same folder to write to; renamed to path on success, removed otherwise.

    Missing folders are made. Raises Real3DError where the folder cannot be written, before anything
    is computed, or when the disk is full.
    """
    path = Path(path)
    if path.is_dir():
        raise Real3DError(f"{path}: this is a folder. Pass the name of a file to write.")
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    except OSError as error:
        raise Real3DError(
            f"{path}: cannot be written ({error.strerror}). Choose another place with -o."
        ) from error
    try:
        yield partial
        partial.replace(path)
    except Exception as error:  # PyAV's errors carry the number too, but are no OSError
        if not disk_full(error):
            raise
        raise Real3DError(f"{path}: the disk is full. Free some space and run again.") from error
    finally:
        if partial.exists():  # something went wrong: no trace stays, not even empty folders
            partial.unlink()
            with contextlib.suppress(OSError):  # in use by now
                for folder in made:
                    folder.rmdir()
