"""
The data of our own pages, read back: points and outlines as coordinates, the rest as texts.

What `layers.columns.pack` and `layers.payload.encode_geometry` write hides coordinates well:
steps of whole numbers, byte by byte, deflated. A search for a place must see the places.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import numpy as np

from geo.errors import ReadError
from layers._inflating import RAW, inflated
from layers.payload import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from layers._inflating import Budget

__all__ = ["Part", "row_text", "take_payloads"]

_PACK = re.compile(r'\{"(?:columns|bytes)"')
_SHAPES = re.compile(r'"shapes":\s*(?=\[)')
_LAYER = re.compile(r'_(\d+)_data"')
_NEAR = 2000  # characters between a layer's id and its first column
_RULE = re.compile(r'#\w+?_(\d+)_data\{\n((?:--part-\d+:"[^"]*";?\n)*)\}\n')
_PART = re.compile(r'"([^"]*)"')
_JSON = json.JSONDecoder()
_MOST_DECIMALS = 12
_FAULTS = (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError)


class Part(NamedTuple):
    """
    Something that was found in something else.

    Parameters
    ----------
    where : str
        What it is, in words.
    content : str or bytes or numpy.ndarray
        Text or bytes to look into, or longitudes and latitudes, shape (n, 2).
    """

    where: str
    content: str | bytes | NDArray[np.float64]


def take_payloads(text: str, budget: Budget) -> tuple[list[Part], str]:
    """
    Decode the data of layers in a page, or in the file of data beside it.

    Parameters
    ----------
    text : str
        Any text.
    budget : Budget
        What may be decoded.

    Returns
    -------
    parts : list of Part
        Coordinates and texts.
    rest : str
        The text without what was decoded.

    Raises
    ------
    ReadError
        If the data are more than the budget.
    """
    parts, text = _rejoined(text)
    rest, at = [], 0
    number = 0
    while match := _PACK.search(text, at):
        start = match.start()
        rest.append(text[at:start])
        number = _layer_of(text, start) or number
        try:
            pack, at = _JSON.raw_decode(text, start)
            parts += _columns(pack, f"data of layer {number}", budget)
        except ReadError:
            raise
        except _FAULTS:  # somebody else's
            at = match.end()
            rest.append(text[start:at])
        else:
            rest.append(json.dumps(pack["columns"]))
    rest.append(text[at:])
    whole = "".join(rest)
    parts += _plain_shapes(whole)
    return parts, whole


def row_text(columns: list[Any]) -> str:
    """
    Write columns as lines of texts, so that what stands in one row stands together.

    Parameters
    ----------
    columns : list of pyarrow.Array
        Equally long; numbers are written in as few digits as tell them apart.

    Returns
    -------
    str
        Cells parted by tabs, rows by line breaks.
    """
    import pyarrow as pa  # noqa: PLC0415  # takes long to load
    import pyarrow.compute as pc  # noqa: PLC0415

    if not columns:
        return ""
    texts = [_as_text(column, pa) for column in columns]
    rows = pc.binary_join_element_wise(
        *texts, pa.scalar("\t", pa.large_string()), null_handling="replace"
    )
    return "\n".join(rows.to_pylist())


def _as_text(column: Any, pa: Any) -> Any:  # noqa: ANN401  # pyarrow has no types
    """Write a column as texts, one of a nested kind as Python shows it."""
    try:
        return column.cast(pa.large_string())
    except pa.ArrowException:
        cells = [None if cell is None else str(cell) for cell in column.to_pylist()]
        return pa.array(cells, pa.large_string())


def _rejoined(text: str) -> tuple[list[Part], str]:
    """Put together what `layers._apart` has cut."""
    parts: list[Part] = []

    def taken(match: re.Match[str]) -> str:
        whole = "".join([unquote(part) for part in _PART.findall(match[2])])
        parts.append(Part(f"data of layer {match[1]}", whole))
        return ""

    return parts, _RULE.sub(taken, text) if "--part-0:" in text else text


def _layer_of(text: str, at: int) -> int:
    """Return the number of the layer whose data a place in the page is, 0 if it does not say."""
    found = _LAYER.findall(text[max(0, at - _NEAR) : at])
    return int(found[-1][:9]) if found else 0


def _columns(pack: dict[str, Any], where: str, budget: Budget) -> list[Part]:
    """Decode packed columns."""
    packed = base64.b64decode(pack["bytes"], validate=True)
    stream = inflated(packed, 0, RAW, budget)
    if not stream.complete or not isinstance(pack["columns"], list):
        raise ValueError
    budget.take(len(stream.content))
    data = memoryview(stream.content)
    steps: dict[str, NDArray[np.float64]] = {}
    numbers, parts = [], []
    for about in pack["columns"]:
        found, used = _column(about, data)
        data = data[used:]
        if about["kind"] == "steps":
            steps[str(about["name"])] = found
        elif about["kind"] in {"number", "float"}:
            numbers.append(found)
        else:
            parts.append(Part(f"{where} > texts", found))
    parts += _points(steps, where)
    parts += [Part(f"{where} > numbers", text) for text in _number_texts(numbers)]
    parts += [Part(f"{where} > rest", bytes(data))] if len(data) else []
    parts += [Part(f"{where} > rest", packed[stream.end :])] if stream.end < len(packed) else []
    return parts


def _points(steps: dict[str, NDArray[np.float64]], where: str) -> Iterator[Part]:
    """Pair longitudes and latitudes; what has no partner of its length is written as text."""
    lon, lat = steps.get("lon"), steps.get("lat")
    if lon is not None and lat is not None and len(lon) == len(lat):
        yield Part(f"{where} > coordinates", np.column_stack([lon, lat]))
        steps = {name: values for name, values in steps.items() if name not in {"lon", "lat"}}
    for text in _number_texts(list(steps.values())):
        yield Part(f"{where} > steps", text)


def _number_texts(columns: list[NDArray[np.float64]]) -> Iterator[str]:
    """Write columns of numbers as text, those of equal length row by row."""
    import pyarrow as pa  # noqa: PLC0415  # takes long to load

    for length in dict.fromkeys(len(column) for column in columns):
        if length:
            yield row_text([pa.array(column) for column in columns if len(column) == length])


def _column(about: dict[str, Any], data: memoryview) -> tuple[Any, int]:
    """Read one column as numbers or as one text, and tell how many bytes it took."""
    kind, n = about["kind"], int(about["n"])
    if kind == "text":
        size = int(about["size"])
        return _words(data, 0, size), size
    if kind == "float":
        planes = np.frombuffer(data, np.uint8, 8 * n).reshape(8, n)
        return np.ascontiguousarray(planes.T).view("<f8").ravel(), 8 * n
    width = int(about["width"])
    whole, used = _whole(data, n, width), n * width
    if kind == "words":
        size = int(about["size"])
        return _words(data, used, size), used + size
    if kind == "numbered":
        return _numbered(about, whole), used
    scale = 10.0 ** min(max(int(about["decimals"]), 0), _MOST_DECIMALS)
    if kind == "steps":
        return np.cumsum((whole >> 1) ^ -(whole & 1)) / scale, used
    if kind != "number":
        raise ValueError
    return np.where(whole == 0, np.nan, (whole - 1 + int(about["least"])) / scale), used


def _whole(data: memoryview, n: int, width: int) -> NDArray[np.int64]:
    """Read whole numbers that are stored byte by byte."""
    if not 1 <= width <= 4 or not 0 <= n * width <= len(data):  # noqa: PLR2004  # bytes of a number
        raise ValueError
    padded = np.zeros((n, 4), np.uint8)
    if n:
        padded[:, :width] = np.frombuffer(data, np.uint8, n * width).reshape(width, n).T
    return padded.view("<u4").ravel().astype(np.int64)


def _words(data: memoryview, start: int, size: int) -> str:
    """Read texts that NUL joins."""
    if not 0 <= size <= len(data) - start:
        raise ValueError
    return bytes(data[start : start + size]).decode("utf-8", "replace").replace("\0", "\n")


def _numbered(about: dict[str, Any], whole: NDArray[np.int64]) -> str:
    """Write texts that are a prefix and a number."""
    import pyarrow as pa  # noqa: PLC0415  # takes long to load
    import pyarrow.compute as pc  # noqa: PLC0415

    digits = min(max(int(about["digits"]), 0), _MOST_DECIMALS)
    texts = pc.utf8_lpad(pa.array(whole).cast(pa.string()), digits, "0")
    return "\n".join(pc.binary_join_element_wise(str(about["prefix"]), texts, "").to_pylist())


def _plain_shapes(text: str) -> Iterator[Part]:
    """Read outlines that stand in a text as `encode_geometry` made them."""
    for match in _SHAPES.finditer(text):
        try:
            shapes, _ = _JSON.raw_decode(text, match.end())
            rings = [np.reshape(r, (-1, 2)) for shape in shapes for part in shape for r in part]
            whole = np.concatenate([np.cumsum(ring.astype(float), axis=0) for ring in rings])
        except (*_FAULTS, MemoryError):  # somebody else's
            continue
        yield Part("shapes", whole[:, ::-1] / 10.0**DECIMALS)
