"""ZIP archives that may be hostile: KMZ and Excel workbooks."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from geo.errors import ReadError

__all__ = ["open_archive"]

# A map of a million placemarks stays below; a bomb does not.
_MAX_BYTES = 512 * 1024 * 1024


def open_archive(data: bytes, name: str) -> zipfile.ZipFile:
    """
    Open a ZIP archive that is whole and unpacks to what it promises.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for the error.

    Returns
    -------
    zipfile.ZipFile
        The archive, every member of it tested.

    Raises
    ------
    ReadError
        If it is damaged, protected, or unpacks to more than 512 MiB.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        size = sum(member.file_size for member in archive.infolist())
        # Unpacks piece by piece, so that a member larger than it says cannot fill the memory.
        damaged = archive.testzip() if size <= _MAX_BYTES else None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        OverflowError,
        RuntimeError,
        ValueError,
        struct.error,
    ) as error:
        message = f"{name} is not a whole, open ZIP archive ({error}): export it again."
        raise ReadError(message) from error
    if damaged is not None:
        message = (
            f"{name} is damaged: {damaged} in it does not match its checksum. Export it again."
        )
        raise ReadError(message)
    if size > _MAX_BYTES:
        message = (
            f"{name} would unpack to {size / 2**20:,.0f} MiB, more than the "
            f"{_MAX_BYTES // 2**20} MiB allowed: it is damaged or made to do harm."
        )
        raise ReadError(message)
    return archive
