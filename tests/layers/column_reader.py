"""A second reader of the columns in a page, written from their description alone."""

import base64
import zlib
from types import SimpleNamespace

import numpy as np


def whole(data, n, width):
    planes = np.frombuffer(data, np.uint8, n * width).reshape(width, n)
    return sum(plane.astype(np.int64) << 8 * k for k, plane in enumerate(planes)), n * width


def column(about, data):
    """The values of one column, and how many bytes it took."""
    kind, n = about["kind"], about["n"]
    if kind == "text":
        return data[: about["size"]].decode().split("\0"), about["size"]
    if kind == "float":
        planes = np.frombuffer(data, np.uint8, 8 * n).reshape(8, n)
        return np.ascontiguousarray(planes.T).view("<f8").ravel().tolist(), 8 * n
    values, used = whole(data, n, about["width"]) if n else (np.zeros(0, np.int64), 0)
    if kind == "steps":
        return np.cumsum((values >> 1) ^ -(values & 1)).tolist(), used
    if kind == "number":
        scale = 10 ** about["decimals"]
        return [np.nan if v == 0 else (v - 1 + about["least"]) / scale for v in values], used
    if kind == "numbered":
        return [about["prefix"] + str(v).zfill(about["digits"]) for v in values], used
    assert kind == "words"
    words = data[used : used + about["size"]].decode().split("\0")
    return [words[v] for v in values], used + about["size"]


def unpack(pack):
    """Every column by name."""
    data = zlib.decompressobj(-15).decompress(base64.b64decode(pack["bytes"]))
    found = {}
    for about in pack["columns"]:
        found[about["name"]], used = column(about, data)
        data = data[used:]
    assert data == b""
    return found


def rows_of(layer):
    """What the page knows of a layer of sites, row by row in its own order."""
    payload = layer.payload
    symbols, cards = unpack(payload["symbols"]), unpack(payload["cards"])
    n, reports = len(symbols["status"]), [int(r) for r in symbols["reports"]]
    place = [p for p, count in enumerate(reports) for _ in range(count)]
    place += [-2] * payload["polar"]
    place += [-1] * (n - len(place))
    return SimpleNamespace(
        place=place,
        places=[
            (lon / 1e5, lat / 1e5) for lon, lat in zip(symbols["lon"], symbols["lat"], strict=True)
        ],
        reports=reports,
        status=[payload["statuses"][int(s)]["key"] for s in symbols["status"]],
        cards=cards,
        details=unpack(payload["details"]),
    )
