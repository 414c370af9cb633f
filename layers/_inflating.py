"""Compressed streams and ZIP members, also where they lie within other bytes."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

from geo.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RAW", "Budget", "DamagedError", "Inflated", "Unpacked", "inflated", "streams"]

RAW = -15  # deflate without a header, for zlib
_GZIP, _ZLIB = 31, 15
_STARTS = re.compile(
    rb"\x1f\x8b\x08|BZh[1-9]1AY&SY|\xfd7zXZ\x00|PK\x03\x04|\x78[\x01\x5e\x9c\xda]|stream\r?\n"
)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL = struct.Struct("<4s5H3I2H")  # the header before each member of a ZIP
_ENCRYPTED, _ENDED = 1, 2  # flags in it
_STORED, _DEFLATED, _LZMA = 0, 8, 14
_NO_SIZE = b"\xff" * 8
_FIRST_PIECE, _LARGEST_PIECE = 64, 1 << 20
_MOST_MEMORY = 1 << 28  # that a stream of xz may ask for
_LEAST = 16  # bytes that a broken stream must give to be more than chance
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


class DamagedError(ReadError):
    """A file is not whole; a piece of text that looks like one need not be."""


class Budget:
    """
    How many bytes may still be decoded.

    Parameters
    ----------
    most : int
        Bytes in all.
    """

    def __init__(self, most: int) -> None:
        self.left = most

    def take(self, size: int) -> None:
        """
        Count what was decoded.

        Parameters
        ----------
        size : int
            Its bytes.

        Raises
        ------
        ReadError
            If it is more than was left.
        """
        self.left -= size
        if self.left < 0:
            message = (
                "it unpacks to more than can be read: publish it in smaller files, or less "
                "compressed"
            )
            raise ReadError(message)


class Inflated(NamedTuple):
    """
    What a stream held.

    Parameters
    ----------
    content : bytes
        All of it, or what comes before the fault.
    end : int
        Position after the stream.
    complete : bool
        Whether the stream has an end and no fault.
    """

    content: bytes
    end: int
    complete: bool


def inflated(data: bytes, start: int, kind: int, budget: Budget) -> Inflated:
    """
    Inflate a stream that begins somewhere in bytes, as far as it goes.

    Parameters
    ----------
    data : bytes
        The bytes.
    start : int
        Where the stream begins.
    kind : int
        Bits of the window, as zlib counts them: `RAW` for one without a header.
    budget : Budget
        What may be decoded; it is only looked at, whoever reads the content takes it.

    Returns
    -------
    Inflated
        The content.

    Raises
    ------
    ReadError
        If it is more than the budget.
    """
    stream, view = zlib.decompressobj(kind), memoryview(data)
    found: list[bytes] = []
    at, size, piece, growing = start, 0, _FIRST_PIECE, True
    while at < len(data) and not stream.eof:
        saved = stream.copy()
        try:
            out = stream.decompress(view[at : at + piece], budget.left - size + 1)
        except zlib.error:
            if piece == 1:
                break
            # What a piece gave before its fault is lost: once more, in smaller ones.
            stream, piece, growing = saved, max(1, piece // 8), False
            continue
        found.append(out)
        size += len(out)
        if size > budget.left:
            budget.take(size)
        at = min(at + piece, len(data))
        piece = min(2 * piece, _LARGEST_PIECE) if growing else piece
    return Inflated(b"".join(found), at - len(stream.unused_data), stream.eof)


class Unpacked(NamedTuple):
    """
    What was compressed in bytes.

    Parameters
    ----------
    where : str
        What it is, in words.
    content : bytes
        What it holds.
    is_file : bool
        Whether it is a file for certain, not something that looks like one among others.
    """

    where: str
    content: bytes
    is_file: bool


def streams(data: bytes, budget: Budget) -> Iterator[Unpacked]:
    """
    Find what is compressed in bytes, at their start or later.

    Parameters
    ----------
    data : bytes
        Any bytes.
    budget : Budget
        What may be decoded.

    Yields
    ------
    Unpacked
        The content; of a stream with a fault, what comes before it.

    Raises
    ------
    ReadError
        If the bytes are a compressed file or a ZIP archive that is damaged or encrypted, or
        hold more than the budget.
    """
    ends: dict[int, int] = {}
    if data.startswith(_ZIP_STARTS):
        yield from _members(data, budget, ends)
    at = 0
    while match := _STARTS.search(data, at):
        at = ends.get(match.start(), 0)
        if at:
            continue
        at = match.start() + 1
        found = _stream(data, match, budget)
        if found is None:
            continue
        words, stream = found
        if stream.complete:
            at = max(at, stream.end)
        if stream.content and (stream.complete or len(stream.content) >= _LEAST):
            is_file = stream.complete and match.start() == 0
            yield Unpacked(f"{words} at byte {match.start()}", stream.content, is_file)


def _stream(data: bytes, match: re.Match[bytes], budget: Budget) -> tuple[str, Inflated] | None:
    """Read what begins at a mark."""
    start, mark = match.start(), match[0]
    if mark.startswith(b"PK"):
        return _member_at(data, start, budget)
    if mark.startswith(b"stream"):
        return "stream", inflated(data, match.end(), _ZLIB, budget)
    if mark.startswith(b"x"):
        return "zlib", inflated(data, start, _ZLIB, budget)
    if mark.startswith(b"\x1f"):
        words, stream = "gzip", inflated(data, start, _GZIP, budget)
    elif mark.startswith(b"BZ"):
        words, stream = "bz2", _decompressed(data, start, bz2.BZ2Decompressor(), budget)
    else:
        words, stream = (
            "xz",
            _decompressed(data, start, lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY), budget),
        )
    if start == 0 and not stream.complete:
        message = f"it is a damaged {words} file: write it again"
        raise DamagedError(message)
    return words, stream


def _decompressed(
    data: bytes,
    start: int,
    stream: bz2.BZ2Decompressor | lzma.LZMADecompressor,
    budget: Budget,
) -> Inflated:
    """Read a stream of bz2 or xz."""
    try:
        content = stream.decompress(memoryview(data)[start:], budget.left + 1)
    except (OSError, lzma.LZMAError, EOFError, ValueError, MemoryError):
        return Inflated(b"", start, complete=False)
    if len(content) > budget.left:
        budget.take(len(content))
    return Inflated(content, len(data) - len(stream.unused_data), stream.eof)


def _members(data: bytes, budget: Budget, ends: dict[int, int]) -> Iterator[Unpacked]:
    """Read a ZIP archive by its directory, and note where each member begins and ends."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        listed = archive.infolist()
    except _BROKEN as error:
        message = "it is a damaged ZIP archive: write it again"
        raise DamagedError(message) from error
    names = "\n".join([info.filename for info in listed])
    yield Unpacked("names of members", names.encode("utf-8", "replace"), is_file=True)
    for number, info in enumerate(listed, start=1):
        yield Unpacked(f"comment of member {number}", info.comment, is_file=True)
        if info.flag_bits & _ENCRYPTED:
            _refuse_encrypted()
        try:
            with archive.open(info) as member:
                content = member.read(budget.left + 1)
                end = info.header_offset + _payload_offset(data, info.header_offset)
        except _BROKEN as error:
            message = f"member {number} of a ZIP archive is damaged: write the archive again"
            raise DamagedError(message) from error
        if len(content) > budget.left:
            budget.take(len(content))
        ends[info.header_offset] = max(end + info.compress_size, info.header_offset + 1)
        yield Unpacked(f"member {number}", content, is_file=True)
    yield Unpacked("comment of the archive", archive.comment, is_file=True)


def _payload_offset(data: bytes, start: int) -> int:
    """Return how far behind its header a member of a ZIP begins."""
    *_, name, extra = _LOCAL.unpack_from(data, start)
    return int(_LOCAL.size + name + extra)


def _member_at(data: bytes, start: int, budget: Budget) -> tuple[str, Inflated] | None:
    """Read a member of a ZIP that no directory at the end of the file lists."""
    if len(data) - start < _LOCAL.size:
        return None
    _, _, flags, method, _, _, _, size, whole, _, _ = _LOCAL.unpack_from(data, start)
    begin = start + _payload_offset(data, start)
    if flags & _ENCRYPTED:
        _refuse_encrypted()
    if method == _DEFLATED:
        return "ZIP member", inflated(data, begin, RAW, budget)
    if method == _LZMA:  # behind four bytes, what begins a file of .lzma but for its length
        length = _NO_SIZE if flags & _ENDED else whole.to_bytes(8, "little")
        alone = data[begin + 4 : begin + 9] + length + data[begin + 9 :]
        stream = lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MOST_MEMORY)
        content, _, complete = _decompressed(alone, 0, stream, budget)
        return "ZIP member", Inflated(content, begin, complete)
    if method == _STORED and 0 < size <= len(data) - begin:
        # Others may lie in it: they are found where they begin.
        return "ZIP member", Inflated(data[begin : begin + size], begin, complete=True)
    return None


def _refuse_encrypted() -> None:
    """Stop at what nobody can look into."""
    message = "it is an encrypted ZIP archive: publish what is in it, open to be checked"
    raise ReadError(message)
