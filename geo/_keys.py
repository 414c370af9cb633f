"""The key of random masks, and where secrets may not lie."""

from __future__ import annotations

import string
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import ExportError, NotFoundError, ReadError

if TYPE_CHECKING:
    import os

__all__ = ["checked_key", "outside_projects", "read_key"]

_LEAST_BYTES = 32
_LEAST_KINDS = 12  # different bytes: fewer among 32 random ones happen less than once in 1e20 keys
_MOST_BYTES = 4096
_MARKS = (".git", ".hg", ".svn", "pyproject.toml", "setup.py")
_PRINTABLE = frozenset(string.printable.encode())


def checked_key(key: bytes) -> bytes:
    """
    Refuse a key that can be guessed.

    Parameters
    ----------
    key : bytes
        At least 32 random bytes.

    Returns
    -------
    bytes
        The key.

    Raises
    ------
    TypeError
        If it is no bytes: text is something that somebody thought of.
    ValueError
        If it is short, is text, or repeats itself.
    """
    if not isinstance(key, bytes | bytearray):
        message = (
            f"The key is a {type(key).__name__}. It must be at least {_LEAST_BYTES} random bytes, "
            "never text that can be guessed: load_key() reads them from a file."
        )
        raise TypeError(message)
    key = bytes(key)
    fault = ""
    if len(key) < _LEAST_BYTES:
        fault = f"has {len(key)} bytes"
    elif _PRINTABLE.issuperset(key):
        fault = "is text"
    elif len(set(key)) < _LEAST_KINDS:
        fault = "repeats itself"
    if fault:
        message = (
            f"The key {fault}, so it could be guessed and every place recovered. It must be at "
            f"least {_LEAST_BYTES} random bytes: secrets.token_bytes(32)."
        )
        raise ValueError(message)
    return key


def read_key(path: str | os.PathLike[str]) -> bytes:
    """
    Read a key from a file that lies in no project.

    Parameters
    ----------
    path : path-like
        A file of random bytes, or of their hexadecimal digits.

    Returns
    -------
    bytes
        The key.

    Raises
    ------
    ExportError
        If the file lies within a project tree.
    NotFoundError
        If there is no such file.
    ReadError
        If it cannot be read or is no key.
    """
    file = Path(path)
    outside_projects(file, "The key")
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        message = (
            f"There is no key file {file.name!r}. Make one outside of every project: "
            "Path(...).write_bytes(secrets.token_bytes(32)), and keep a copy: without it, no "
            "later release can be the same."
        )
        raise NotFoundError(message) from error
    except OSError as error:
        message = f"The key file {file.name!r} cannot be read ({error.strerror or error})."
        raise ReadError(message) from error
    if len(content) > _MOST_BYTES:
        message = f"{file.name!r} is more than {_MOST_BYTES} bytes long: that is no key file."
        raise ReadError(message)
    try:
        return checked_key(_bytes_of(content))
    except ValueError as error:
        message = f"{file.name!r} holds no key. {error}"
        raise ReadError(message) from error


def _bytes_of(content: bytes) -> bytes:
    """Bytes that hexadecimal digits stand for; anything else as it is."""
    try:
        return bytes.fromhex(content.decode("ascii"))
    except ValueError:
        return content


def outside_projects(path: Path, what: str) -> None:
    """
    Refuse a path within a project tree, where it would be shared with the project.

    Parameters
    ----------
    path : pathlib.Path
        A file, which need not exist.
    what : str
        What it holds, as the beginning of a sentence.

    Raises
    ------
    ExportError
        If a folder above it, or above what it links to, holds ``.git``, ``.hg``, ``.svn``,
        ``pyproject.toml`` or ``setup.py``.
    """
    for folder in dict.fromkeys([*path.absolute().parents, *path.resolve().parents]):
        found = next((mark for mark in _MARKS if (folder / mark).exists()), None)
        if found:
            message = (
                f"{what} {path.name!r} lies within the project {str(folder)!r} ({found} is there) "
                "and would be shared with it. Keep it outside of every project tree."
            )
            raise ExportError(message)
