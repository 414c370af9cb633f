"""Writing files whole or not at all, and one rule for where that cannot be done."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["locked", "make_folder", "write_bytes"]

_OWNER_MAY_WRITE = 0o200
_OWNER_ONLY = 0o600


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """
    Write a file under a temporary name beside its place, then move it there.

    Parameters
    ----------
    path : path-like
        Where the file goes; its folder must exist. A file of this name is replaced, unless it
        is read-only.
    content : bytes
        The whole file.

    Returns
    -------
    pathlib.Path
        The path written.

    Raises
    ------
    ExportError
        If the path is a folder or a read-only file, or its folder does not exist or cannot be
        written; nothing is left behind.
    """
    target = Path(path)
    try:
        _check_target(target)
        _replace(target, content)
    except OSError as error:
        message = (
            f"{str(target)!r} cannot be written ({error.strerror or error}): check that its "
            "folder exists and may be written to."
        )
        raise ExportError(message) from error
    return target


def make_folder(path: str | os.PathLike[str]) -> Path:
    """
    Make a folder and those above it, where they do not exist.

    Parameters
    ----------
    path : path-like
        The folder.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ExportError
        If it cannot be made, because a file of that name exists for one.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"{str(folder)!r} cannot be made a folder ({error.strerror or error}): choose a "
            "place where no file of that name is, and that may be written to."
        )
        raise ExportError(message) from error
    return folder


def _check_target(target: Path) -> None:
    """Raise ExportError where something stands that must not be replaced."""
    if target.is_dir():
        message = f"{str(target)!r} is a folder: give the name of a file in it."
        raise ExportError(message)
    # Moving a file over another asks the folder for permission, not the file that goes.
    if target.exists() and not target.stat().st_mode & _OWNER_MAY_WRITE:
        message = f"{str(target)!r} is read-only: choose another name, or make it writable first."
        raise ExportError(message)


def _replace(target: Path, content: bytes) -> None:
    """Write beside the target, then move: readers see the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes private files; a published page must be readable as usual.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """
    Keep others from writing a file or folder at the same time.

    Parameters
    ----------
    path : pathlib.Path
        What is to be written; the lock is a file beside it.
    busy : str
        What somebody else may be doing, as a sentence without its full stop.

    Yields
    ------
    None
        While the lock is held.

    Raises
    ------
    ExportError
        If somebody else holds it, or it cannot be made.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
    except FileExistsError as error:
        message = (
            f"{busy}: wait until that is done. If nobody is at it, because a program was ended, "
            f"delete {lock.name!r}."
        )
        raise ExportError(message) from error
    except OSError as error:
        message = (
            f"{path.name!r} cannot be written ({error.strerror or error}): check that its folder "
            "exists and may be written to."
        )
        raise ExportError(message) from error
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
