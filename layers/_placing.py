"""What is put in its place as a whole or not at all, by one publisher at a time."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Place", "move", "partial", "require_ours", "write"]

_NEW, _BEFORE = "new", "before"


@dataclass(frozen=True)
class Place:
    """
    Where a release goes: a page or a file with its manifest beside it, or a folder.

    Parameters
    ----------
    target : pathlib.Path
        The page, file or folder.
    manifest : str
        Name of the manifest.

    Raises
    ------
    ExportError
        If the target has no name.
    """

    target: Path
    manifest: str

    def __post_init__(self) -> None:
        """Refuse what cannot be replaced as a whole."""
        if self.target.name in {"", ".."}:
            message = f"{str(self.target)!r} names no file and no folder to write: give one."
            raise ExportError(message)

    @property
    def is_folder(self) -> bool:
        """Whether a folder is written."""
        return not self.target.suffix

    @property
    def owner(self) -> Path:
        """What is locked: pages that would share a manifest share it."""
        return self.target if self.is_folder else self.target.with_name(self.manifest)

    @property
    def base(self) -> Path:
        """The folder that the files lie in."""
        return self.target if self.is_folder else self.target.parent


def _unwritable(path: Path, error: OSError) -> ExportError:
    """Make the error for what cannot be written."""
    return ExportError(
        f"{path.name!r} cannot be written ({error.strerror or error}): check that its folder "
        "exists, may be written to and has room. Nothing was published."
    )


@contextmanager
def partial(place: Place) -> Iterator[Path]:
    """
    Give a folder beside the target, which is gone afterwards.

    Parameters
    ----------
    place : Place
        To be written.

    Yields
    ------
    pathlib.Path
        The folder ``new`` in it, for `write` and `move`.

    Raises
    ------
    ExportError
        If it cannot be made.
    """
    target = place.target
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield folder / _NEW
    finally:
        shutil.rmtree(folder / _NEW, ignore_errors=True)
        # an earlier release that could not be put back is all there is of it: it stays
        with suppress(OSError):
            (folder / _BEFORE).rmdir()
        with suppress(OSError):
            folder.rmdir()


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """
    Write files, and read each back: a full disk may show only then.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it does not exist.
    files : mapping of str to bytes
        By name within it.

    Raises
    ------
    ExportError
        If a file cannot be written whole.
    """
    for name, data in files.items():
        file = folder / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            whole = file.read_bytes() == data
        except OSError as error:
            raise _unwritable(file, error) from error
        if not whole:
            raise _unwritable(file, OSError("what was written is not what was read back"))


def require_ours(place: Place, names: Sequence[str]) -> None:
    """
    Refuse to replace what no release put there.

    Parameters
    ----------
    place : Place
        To be written.
    names : sequence of str
        The files of the release.

    Raises
    ------
    ExportError
        If a folder holds other files than those of its manifest, or the manifest beside a file
        does not name it: a table of the researcher's own, another page.
    """
    base, manifest = place.base, place.base / place.manifest
    listed = _listed(manifest)
    if place.is_folder and base.is_dir():
        there = {p.relative_to(base).as_posix() for p in base.rglob("*") if not p.is_dir()}
    else:
        there = {name for name in names if (base / name).exists()}
        there |= {base.name} if place.is_folder and base.exists() else set()
    strange = there - listed - {place.manifest}
    if manifest.exists() and names[0] not in listed:
        strange.add(place.manifest)
    if listed and strange == {place.manifest}:
        message = (
            f"{place.manifest!r} in this folder belongs to another release, and would be replaced: "
            f"publish {place.target.name!r} in a folder of its own."
        )
        raise ExportError(message)
    if strange:
        one = len(strange) == 1
        message = (
            f"{place.target.name!r} would replace {len(strange)} {'file' if one else 'files'} that "
            f"no release put there, such as {min(strange)!r}: give another place, or remove what "
            "is in this one."
        )
        raise ExportError(message)


def _listed(manifest: Path) -> set[str]:
    """Names of the files of a release; none where there is no manifest of ours."""
    try:
        return set(dict(json.loads(manifest.read_bytes())["outputs"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def move(place: Place, new: Path, names: Sequence[str]) -> None:
    """
    Put what was written in its place, as a whole or not at all.

    Parameters
    ----------
    place : Place
        Where it goes.
    new : pathlib.Path
        From `partial`.
    names : sequence of str
        The files.

    Raises
    ------
    ExportError
        If something cannot be moved; the earlier release is then where it was.
    """
    pairs = [(new, place.target)] if place.is_folder else [(new / n, place.base / n) for n in names]
    before = new.with_name(_BEFORE)
    kept: list[Path] = []
    put: list[Path] = []
    try:
        before.mkdir()
        for source, goal in pairs:
            if goal.exists():
                goal.rename(before / goal.name)
                kept.append(goal)
            source.rename(goal)
            put.append(goal)
    except BaseException as error:
        for goal in put:
            _remove(goal)
        for goal in kept:
            (before / goal.name).rename(goal)
        if isinstance(error, OSError):
            raise _unwritable(place.target, error) from error
        raise
    shutil.rmtree(before, ignore_errors=True)


def _remove(path: Path) -> None:
    """Remove a file or folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
