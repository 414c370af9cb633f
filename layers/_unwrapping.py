"""
Every reading of a file in which a place or a private word could be found.

A file that is published hides what it holds in many ways, none of them meant: compressed, in
base64, escaped for one language within another, as steps of whole numbers. Here each is undone,
again and again, until nothing more can be, so that a search sees what any reader could see.

What is not undone: ciphers, pixels and sounds, outlines drawn on a page of paper.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from geo.errors import ReadError
from layers._binary_geometry import vertices
from layers._containers import parts_of, refuse_unreadable, without_pixels
from layers._inflating import RAW, Budget, DamagedError, inflated, streams
from layers._payload_reading import Part, take_payloads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["View", "views"]

_MOST_BYTES = 1 << 30
_DEEPEST = 24  # wrappings within each other: a program makes more, a person does not

# Each begins with a character of its own: such patterns are found fast.
_ESCAPES = re.compile(
    r"\\(?:u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*|x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2})*"
    r"|u\{[0-9a-fA-F]{1,6}\}|[nrtbfv0\"'`/\\])"
)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*")
_CODE = re.compile(r"</?(?:script|style)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")

_WORD = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}")  # base64 in both alphabets
_LINES = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{16,}(?:\r?\n[ \t]*[A-Za-z0-9+/]+)+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}")
_HEX = re.compile(r"[0-9a-fA-F]{16,}")
_STANDARD = str.maketrans("-_", "+/")
_LONG = 512  # characters: shorter runs are many, and are looked at together
_LEAST = 4  # bytes of a short stream that are more than chance
_ONE_BLOCK = {3, 5}  # how deflate begins where one block, packed in either way, is all

_CONTROLS = bytes({*range(32), 127} - {9, 10, 12, 13})
_MOST_CONTROLS = 0.01  # of the bytes of a text
_LEGIBLE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]{4,}")
_WIDE = re.compile(rb"\0[\t\n\r\x20-\x7e](?:\0[\t\n\r\x20-\x7e]){2,}")  # behind one letter
_MARKED = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32"}
_MARKED |= {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# How files begin that may stand in a text as a run.
_KNOWN = (
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"GIF8",
    b"wOF",
    b"OTTO",
    b"PK\3\4",
    b"%PDF",
    b"PAR1",
    b"SQLite",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\0",
    b"II*\0",
    b"MM\0*",
)


class View(NamedTuple):
    """
    One reading of a file or of a part of it.

    Parameters
    ----------
    where : str
        The path to it in words; nothing of what the file holds is in it.
    content : str or bytes or numpy.ndarray
        Text; bytes, in which binary numbers may stand; or longitude and latitude of the points
        of a layer, shape (n, 2).
    """

    where: str
    content: str | bytes | NDArray[np.float64]


def views(data: bytes, name: str) -> Iterator[View]:
    """
    Read a file in every way in which it can be read.

    Parameters
    ----------
    data : bytes
        The whole file: a page or its data, a notebook, a table, a database, an archive, a
        document, a picture.
    name : str
        What to call it.

    Yields
    ------
    View
        The bytes and the text as they are first, then all that is wrapped in them. The same
        content comes once.

    Raises
    ------
    ReadError
        If it or a file in it is damaged, encrypted, or of a format that nobody here can read;
        if it unpacks to more than 1 GiB, or is wrapped more than 24 times. What cannot be read
        cannot be called clean. Only of what stands in a text in base64 nobody can tell whether
        it is damaged or one piece of several: that is read as far as it goes.

    Examples
    --------
    >>> from layers._unwrapping import views
    >>> [view.content for view in views(b"Kampong%20Example", "a.txt")]
    [b'Kampong%20Example', 'Kampong%20Example', 'Kampong Example']
    """
    reader = _Reader(Budget(_MOST_BYTES))
    try:
        yield from reader.of_bytes(data, name, 0)
    except ReadError as error:
        message = f"{name} cannot be checked, for {error}"
        raise ReadError(message) from error


class _Reader:
    """What is known while a file is read: what was seen, and what may still be decoded."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._seen: set[bytes] = set()
        self._runs: set[str] = set()

    def of_bytes(self, data: bytes, where: str, depth: int) -> Iterator[View]:
        """Read a file."""
        if not data or not self._is_new(data, b"bytes", depth):
            return
        refuse_unreadable(data)
        yield View(where, data)
        try:
            yield from self._of_parts(parts_of(data, self._budget), where, depth)
            for words, content, is_file in streams(without_pixels(data), self._budget):
                read = self.of_bytes if is_file else self._of_piece
                yield from read(content, f"{where} > {words}", depth + 1)
        except DamagedError:  # it was not read to its end
            self._seen.discard(_digest(data, b"bytes"))
            raise
        for text in _texts(data):
            yield from self.of_text(text, where, depth)

    def of_text(self, text: str, where: str, depth: int) -> Iterator[View]:
        """Read a text."""
        if not text.strip() or not self._is_new(text.encode("utf-8", "replace"), b"text", depth):
            return
        yield View(where, text)
        parts, rest = take_payloads(text, self._budget)
        yield from self._of_parts(parts, where, depth)
        yield from self._of_runs(rest, where, depth)
        for words, decode in _DECODERS.items():
            changed = decode(rest)
            if changed != rest:
                yield from self.of_text(changed, f"{where} > {words}", depth + 1)

    def _of_parts(self, parts: Iterable[Part], where: str, depth: int) -> Iterator[View]:
        """Read what a container holds."""
        for words, content in parts:
            path = f"{where} > {words}"
            if isinstance(content, str):
                yield from self.of_text(content, path, depth + 1)
            elif isinstance(content, bytes):
                yield from self._of_piece(content, path, depth + 1)
            elif len(content) and self._is_new(content.tobytes(), b"points", depth):
                yield View(path, content)

    def _of_runs(self, text: str, where: str, depth: int) -> Iterator[View]:
        """Read what stands in a text in base64 or in hexadecimal digits."""
        words = _WORD.findall(text)
        runs = dict.fromkeys(_base64_runs(text, list(filter(_mixed, words))), _decoded)
        digits = _HEX.findall("\n".join(words))
        runs |= {run: _from_hex for run in digits if not run.isdecimal()}
        short: list[bytes] = []
        path = f"{where} > encoded run"
        for run, decode in runs.items():
            if run in self._runs:
                continue
            self._runs.add(run)
            found = decode(run)
            if len(run) < _LONG:
                short += found
                found = [content for content in found if content.startswith(_KNOWN)]
            for content in found:
                yield from self._of_run(content, path, depth)
                if _recognised(content):
                    break
        path = f"{where} > short encoded runs"
        for content in filter(None, map(_deflated, short)):
            yield from self._of_piece(content, f"{path} > deflate", depth + 1)
        yield from self._of_parts([Part("geometries", vertices(short))], path, depth)
        yield from self._of_piece(b"\n".join([b"", *short]), path, depth + 1)

    def _of_run(self, content: bytes, where: str, depth: int) -> Iterator[View]:
        """Read what a long run held, which may be deflated without a header."""
        stream = inflated(content, 0, RAW, self._budget)
        if stream.complete or len(stream.content) >= _LONG:
            yield from self._of_piece(stream.content, f"{where} > deflate", depth + 1)
        if not (stream.complete and stream.end == len(content)):
            yield from self._of_piece(content, where, depth + 1)

    def _of_piece(self, data: bytes, where: str, depth: int) -> Iterator[View]:
        """Read bytes that may be one piece of several, such as a line: no damaged file then."""
        try:
            yield from self.of_bytes(data, where, depth)
        except DamagedError:  # behind a line break nothing is the beginning of a file
            yield from self.of_bytes(b"\n" + data, where, depth)

    def _is_new(self, data: bytes, kind: bytes, depth: int) -> bool:
        """Count what is read, unless it was read before."""
        digest = _digest(data, kind)
        if digest in self._seen:
            return False
        if depth > _DEEPEST:
            message = f"what it holds is wrapped more than {_DEEPEST} times: write it plainly"
            raise ReadError(message)
        self._seen.add(digest)
        self._budget.take(len(data))
        return True


def _digest(data: bytes, kind: bytes) -> bytes:
    """Return what tells contents apart."""
    return hashlib.blake2b(data, digest_size=16, person=kind).digest()


def _texts(data: bytes) -> Iterator[str]:
    """Read bytes as text: all of them, or what is legible in them."""
    for mark, encoding in _MARKED.items():
        if data.startswith(mark):
            yield data.decode(encoding, "replace")
            break
    zeros = data.count(0)
    if zeros * 8 >= len(data):
        even = data[::2].count(0)
        if max(even, zeros - even) >= 4 * min(even, zeros - even):
            yield data.decode("utf-16-be" if 2 * even > zeros else "utf-16-le", "replace")
    text = data.decode("utf-8", "replace")
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls <= _MOST_CONTROLS * len(data):
        yield text.removeprefix("\ufeff")
        if "\ufffd" in text:
            yield data.decode("cp1252", "replace")
        return
    yield "\n".join(_LEGIBLE.findall(text))
    wide = [data[max(0, m.start() - 1) : m.end()] for m in _WIDE.finditer(data)]
    yield b"\n".join(wide).replace(b"\0", b"").decode("ascii", "replace")


def _base64_runs(text: str, words: list[str]) -> Iterator[str]:
    """Write runs of base64 in the standard alphabet and in one line."""
    for word in words:
        yield word.translate(_STANDARD)
        if "-" in word or "_" in word:
            yield from filter(_mixed, _BASE64.findall(word))
    for block in _LINES.findall(text) if words and "\n" in text else ():
        lines = block.split()
        yield "".join(lines)
        yield "".join(lines[1:])  # the first may be a word that happens to stand there


def _mixed(run: str) -> bool:
    """Tell whether a run has letters of both cases, as base64 has and words have not."""
    return run.lower() != run != run.upper()


def _decoded(run: str) -> list[bytes]:
    """Decode base64 of which the beginning is not known: a word may stand before it."""
    parts = [run[start:] for start in range(4)]
    # One character more than fours holds no byte.
    whole = [part[:-1] if len(part) % 4 == 1 else part for part in parts]
    return [base64.b64decode(part + "==") for part in whole]


def _from_hex(run: str) -> list[bytes]:
    """Decode hexadecimal digits."""
    odd = len(run) % 2
    return [bytes.fromhex(run[odd:]), *([bytes.fromhex(run[:-1])] if odd else [])]


def _deflated(data: bytes) -> bytes:
    """Inflate few bytes if they are a whole stream."""
    if not data or data[0] & 7 not in _ONE_BLOCK:
        return b""
    stream = zlib.decompressobj(RAW)
    try:
        content = stream.decompress(data)
    except zlib.error:
        return b""
    whole = stream.eof and len(stream.unused_data) < _LEAST
    return content if whole and len(content) >= _LEAST else b""


def _recognised(data: bytes) -> bool:
    """Tell whether bytes are something: then they were decoded from their beginning."""
    if data.startswith(_KNOWN) or inflated(data, 0, RAW, Budget(_MOST_BYTES)).complete:
        return True
    start = data[:_LONG]
    return len(start) - len(start.translate(None, _CONTROLS)) <= _MOST_CONTROLS * len(start)


def _unescaped(text: str) -> str:
    """Undo the escapes of JSON and JavaScript."""
    return _ESCAPES.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    """Return what an escape, or several in a row, stand for."""
    found = match[0]
    if found.startswith("\\u{"):
        try:
            return chr(int(found[3:-1], 16)).encode().decode()
        except ValueError:  # no character has this number
            return "\ufffd"
    if found.startswith("\\u"):
        return bytes.fromhex(found.replace("\\u", "")).decode("utf-16-be", "replace")
    if found.startswith("\\x"):
        raw = bytes.fromhex(found.replace("\\x", ""))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")
    return _SIMPLE.get(found[1], found[1])


def _unquoted(text: str) -> str:
    """Undo percent-encoding."""
    if "%" not in text:
        return text
    return _PERCENT.sub(
        lambda m: bytes.fromhex(m[0].replace("%", "")).decode("utf-8", "replace"), text
    )


def _unmarked(text: str) -> str:
    """Leave the tags out of markup, and scripts and styles with them."""
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return text
    return _TAG.sub("", "".join(_CODE.split(text)[::2]))


_DECODERS = {
    "entities": html.unescape,
    "escapes": _unescaped,
    "percent-encoding": _unquoted,
    "without tags": _unmarked,
}
