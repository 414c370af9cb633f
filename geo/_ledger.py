"""The file of a registry: sealed, read whole or refused, written by one publisher at a time."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypedDict

from geo import _files
from geo.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Entry", "Ledger", "read_ledger", "write_ledger"]

_FORMAT = "Compound Atlas release registry"
_VERSION = 1
_PRIVATE = 0o600


class Entry(TypedDict):
    """What a site was released as."""

    release: str
    scheme: str
    shape: str  # sha256 of its well-known binary, which is kept once for all sites
    uncertainty_m: float


class Ledger(TypedDict):
    """All that is in the file but its seal."""

    format: str
    version: int
    keyed: bool
    releases: list[str]
    shapes: dict[str, str]  # well-known binary in hexadecimal digits
    sites: dict[str, list[Entry]]


def _content(ledger: Ledger) -> bytes:
    """Text of a ledger, the same for the same ledger."""
    text = json.dumps(ledger, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _seal(content: bytes, key: bytes | None) -> str:
    """Proof that a ledger is whole, and with a key that it belongs to the key."""
    if key is None:
        return hashlib.sha256(content).hexdigest()
    return hmac.digest(key, b"registry\0" + content, "sha256").hex()


def read_ledger(path: Path, key: bytes | None) -> Ledger:
    """
    Read the file, or give an empty ledger where there is none.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    key : bytes or None
        The key that it is sealed with.

    Returns
    -------
    Ledger
        Its content.

    Raises
    ------
    ReadError
        If the file is something else, damaged, or sealed with another key.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Ledger(
            format=_FORMAT,
            version=_VERSION,
            keyed=key is not None,
            releases=[],
            shapes={},
            sites={},
        )
    except OSError as error:
        message = f"The registry {path.name!r} cannot be read ({error.strerror or error})."
        raise ReadError(message) from error
    try:
        document = json.loads(raw)
        seal = document.pop("seal")
        if document["format"] != _FORMAT or document["version"] != _VERSION:
            raise KeyError(_FORMAT)  # noqa: TRY301 - one answer to everything that is not ours
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = (
            f"{path.name!r} is no release registry, or is damaged. Restore it from a copy: a new "
            "one would not know what was released before."
        )
        raise ReadError(message) from error
    return _opened(document, seal, path, key)


def _opened(document: Any, seal: object, path: Path, key: bytes | None) -> Ledger:  # noqa: ANN401
    """Ledger whose seal is whole."""
    keyed = bool(document.get("keyed"))
    if keyed and key is None:
        message = f"The registry {path.name!r} is sealed with a key: open it with key=."
        raise ReadError(message)
    expected = _seal(_content(document), key if keyed else None)
    if not hmac.compare_digest(expected, str(seal)):
        other = " or was sealed with another key" if keyed else ""
        message = (
            f"The registry {path.name!r} was changed by hand or damaged{other}. A second key would "
            "displace every site anew, and the two could be averaged: use the first, or restore "
            "the file from a copy."
        )
        raise ReadError(message)
    ledger: Ledger = document
    ledger["keyed"] = key is not None
    return ledger


def write_ledger(path: Path, ledger: Ledger, key: bytes | None) -> None:
    """
    Write the file, whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    ledger : Ledger
        Its content.
    key : bytes or None
        What to seal it with.

    Raises
    ------
    ExportError
        If it cannot be written; the file is then as it was.
    """
    seal = _seal(_content(ledger), key)
    _files.write_bytes(path, _content({**ledger, "seal": seal}) + b"\n")  # type: ignore[typeddict-unknown-key]
    with suppress(OSError):
        path.chmod(_PRIVATE)
