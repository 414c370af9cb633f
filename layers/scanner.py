"""Files read back, and searched for what should not have left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from geo.errors import CRSError, NotFoundError, SchemaError
from layers._exposure import exposures
from layers._findings import Findings
from layers._secrets import known_of, secrets_of
from layers._unwrapping import views
from layers._values import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd

__all__ = ["scan"]

_COLUMNS = ["rule", "site_id", "form", "where"]


def scan(
    source: str | os.PathLike[str] | bytes,
    *,
    against: gpd.GeoDataFrame,
    released: gpd.GeoDataFrame | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """
    Search files for exact places and private values of sites.

    The bytes are read as anybody could read them: through archives, compression, base64, escapes,
    layers of maps, databases and pictures' notes; `ReadError` says what cannot be read.

    Parameters
    ----------
    source : str or os.PathLike or bytes
        A file, a folder (every file in it is searched) or the bytes of a file.
    against : geopandas.GeoDataFrame
        Sites whose places and values are looked for, in any coordinate reference system; rows
        that are no points have no place.
    released : geopandas.GeoDataFrame, optional
        What was released of them. Places released as points, vertices of released areas, and
        texts that stand in it are not looked for. Without it everything is.
    progress : bool, default True
        Whether to show a bar where it takes long.

    Returns
    -------
    pandas.DataFrame
        One row for each site, form and place in a file, sorted; empty if nothing was found. No
        coordinate and no value is in it.

        - ``rule``: ``G10`` a coordinate; ``G02`` a value of a column that was not released;
          ``G14`` active content; ``G15`` a host that is called; ``G17`` notes of a program or a
          person; ``G22`` a notebook with outputs.
        - ``site_id``: missing where the finding is no single site's.
        - ``form``: what was found, in words: ``decimal degrees``, ``MGRS``, ``value of 'name'``.
        - ``where``: the file and the way into it: ``map.html > encoded run > deflate``.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    NotFoundError
        If there is no such file or folder.
    ReadError
        If a file cannot be read, wholly or in part: what cannot be read cannot be called clean.
    SchemaError
        If a frame has no ``site_id``.
    TypeError
        If a frame is no GeoDataFrame.

    Notes
    -----
    *Numbers.* A number with `d` decimals, three at least, agrees with a coordinate that it is,
    rounded or cut off to `d` decimals; signs, hemispheres, order and script do not matter. A
    number with fewer agrees if it is the whole coordinate. A finding is a pair, latitude and
    longitude of one site within 200 characters, the numbers side by side if three decimals are
    all they have. Read are decimal degrees (point, comma, exponent), degrees and minutes with
    seconds or decimals, whole numbers of 1e-5, 1e-6 and 1e-7 degree, metres of web mercator and of
    UTM (the site's zone and those beside it; within 30 m), in text; the first and the last two as
    binary numbers at any offset of bytes; and vertices of layers. So are means, medians, middles
    and corners of the bounds of all places.

    *Chance.* A file with many numbers agrees with many places by chance. For each precision the
    number of pairs to be expected is reckoned from the file: of the numbers that stand where a
    partner could, and lie within 500 units of the place without agreeing with it, 0.3 % would
    agree by chance. Pairs are findings if as many of them have a probability below 0.005 by
    Poisson's law. One coordinate alone is a finding under the same law at 1e-4, where the
    expectation is the larger of the one from numbers within 500 units and of
    ``1.5 * numbers * sites * unit / range``: with few sites always from about seven decimals on,
    with fewer if several agree. Vertices of the shipped layers and towns of the gazetteer are
    public: a number that is one of theirs is no finding.

    *Codes.* MGRS (four digits and more), geohash (seven characters and more), Plus Codes (whole,
    or without the first four digits), H3 (level 7 and finer), in capitals or not.

    *Values.* Texts of all columns but `geo.RELEASED_COLUMNS`, of six characters at least, as
    words of their own and whatever their case, blanks and width; numbers of seven digits at
    least; telephone numbers, those within a text too, in any grouping. Dates, names in the
    gazetteer, words of the vocabularies and what stands in every page are no private values.

    *What is not found*: pictures of a map, distances to known places, orders of rows, statistics
    from which a place could be reckoned, a place less exact than above, and whatever a person
    could conclude.

    Examples
    --------
    >>> import geo, layers
    >>> import pandas as pd
    >>> table = pd.DataFrame({"id": ["A1"], "lat": 12.8514, "lon": 104.5536, "radius_m": [500]})
    >>> sites = geo.validate_sites(table)
    >>> layers.scan(b"var map = L.map('map').setView([12.8514, 104.5536], 9)", against=sites)
      rule site_id             form  where
    0  G10      A1  decimal degrees  bytes
    >>> layers.scan(geo.generalise(sites).to_json().encode(), against=sites).empty
    True
    """
    ids = _ids(against, "against")
    if released is not None:
        _ids(released, "released")
    findings = Findings(
        secrets_of(against, ids, released),
        values_of(against, ids, released),
        known_of(released),
    )
    exposed: set[tuple[str, str | None, str, str]] = set()
    for data, name in _files(source, progress=progress):
        for view in views(data, name):
            findings.look(view.content, view.where)
        exposed |= {(rule, None, words, name) for rule, words in exposures(data, name)}
    rows = sorted({*findings.rows(), *exposed}, key=lambda row: tuple(part or "" for part in row))
    return pd.DataFrame(rows, columns=_COLUMNS, dtype="string")


def _ids(frame: gpd.GeoDataFrame, argument: str) -> list[str]:
    """Give the ids by which findings name sites."""
    if not hasattr(frame, "crs"):
        message = f"`{argument}` is a {type(frame).__name__}; a GeoDataFrame of sites is needed."
        raise TypeError(message)
    if "site_id" not in frame:
        message = (
            f"`{argument}` has no column site_id, by which findings name sites: validate_sites() "
            "gives one."
        )
        raise SchemaError(message)
    if frame.crs is None:
        message = f"`{argument}` has no coordinate reference system: set it with set_crs()."
        raise CRSError(message)
    ids: list[str] = frame["site_id"].astype("string").fillna("").tolist()
    return ids


def _files(
    source: str | os.PathLike[str] | bytes, *, progress: bool
) -> Iterator[tuple[bytes, str]]:
    """Read a file, every file of a folder, or bytes."""
    from tqdm import tqdm  # noqa: PLC0415

    if isinstance(source, bytes):
        yield source, "bytes"
        return
    path = Path(source)
    if path.is_dir():
        files = sorted(part for part in path.rglob("*") if part.is_file())
        for file in tqdm(files, delay=2, disable=not progress, desc="files"):
            yield file.read_bytes(), file.relative_to(path).as_posix()
    elif path.is_file():
        yield path.read_bytes(), path.name
    else:
        message = f"There is no file {os.fspath(source)!r}: give the path of a file or a folder."
        raise NotFoundError(message)
