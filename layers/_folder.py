"""What lies beside the page of a release: rows, tables, figures, and the methods as text."""

from __future__ import annotations

import io
import re
from textwrap import fill
from typing import TYPE_CHECKING

import pandas as pd

from layers._data_files import data_bytes
from layers.furniture import DISCLAIMER
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from matplotlib.figure import Figure

    import geo

__all__ = ["folder_files"]

_WIDTH = 88
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_FIGURES = ("svg", "pdf", "png")


def folder_files(
    view: gpd.GeoDataFrame,
    tables: Mapping[str, pd.DataFrame],
    record: geo.Provenance,
    figure: Figure | None,
) -> dict[str, bytes]:
    """
    Make the files of a folder but its page.

    Parameters
    ----------
    view : geopandas.GeoDataFrame
        The rows that are released.
    tables : mapping of str to pandas.DataFrame
        Statistics by name.
    record : geo.Provenance
        What was read, run and changed.
    figure : matplotlib.figure.Figure, optional
        A figure of the map.

    Returns
    -------
    dict of str to bytes
        By name within the folder.
    """
    files = {f"data/released{suffix}": data_bytes(view, suffix) for suffix in (".csv", ".geojson")}
    for name, table in tables.items():
        files[f"tables/{name}.csv"] = _table(table)
    if figure is not None:
        from layers._paper import content  # noqa: PLC0415  # matplotlib is loaded when it is used

        files |= {f"figures/map.{suffix}": content(figure, suffix) for suffix in _FIGURES}
    files["README.txt"] = _readme(["map.html", *files, "manifest.json"], record.paragraphs())
    return files


def _table(table: pd.DataFrame) -> bytes:
    """Give a table as CSV, without shapes."""
    shapes = [c for c, kind in table.dtypes.items() if str(kind) == "geometry"]
    rows = pd.DataFrame(table.drop(columns=shapes))
    words = [c for c, kind in rows.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    rows = rows.assign(**{c: [_cell(value) for value in rows[c]] for c in words})
    text = io.StringIO()
    rows.rename(columns=_cell).to_csv(text, index=False, lineterminator="\n")
    return text.getvalue().encode()


def _cell(value: object) -> str:
    """Write a text so that no spreadsheet program takes it for a formula."""
    words = plain(value)
    return f"'{words}" if _FORMULA.match(words) else words


def _readme(names: Iterable[str], paragraphs: Iterable[str]) -> bytes:
    """Say what is in the folder, and how it came about."""
    listed = "\n".join(f"  {name}" for name in names)
    blocks = (fill(paragraph, _WIDTH) for paragraph in (*paragraphs, DISCLAIMER))
    return ("\n\n".join(["FILES", listed, "METHODS", *blocks]) + "\n").encode()
