"""What is known of the place of every row while a table is taken in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from geo import _cells
from geo._columns import COUNTRIES, DEFAULT_RADIUS_M, VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from geo._cells import Fault
    from geo._places import Place

__all__ = ["Draft", "draft_of"]


@dataclass
class Draft:
    """
    Places of the rows of a table, before the schema checks them.

    Parameters
    ----------
    cells : mapping of str to list of str or None
        Clean texts of the columns that say where a row is, by schema name; blank ones where
        the table has no such column.
    points : numpy.ndarray, shape (n, 2)
        Latitude and longitude in degrees, NaN where there is none (yet).
    precision_m : numpy.ndarray, shape (n,)
        What the notation of a coordinate leaves open, in metres; 0 where nothing is known.
    places : dict of int to Place
        Rows that were located by name.
    notations : dict of int to str
        How the texts were read, by position.
    notes : dict of int to list of str
        What a row should say of how it was located, or why it was not.
    repairs : dict of int to str
        What was corrected in a row.
    faults : list of Fault
        What is wrong. The coordinates of these rows are left out.
    written : dict of str to dict of int to Any
        Cells to write into the table, by schema name and position.
    """

    cells: Mapping[str, list[str | None]]
    points: NDArray[np.float64]
    precision_m: NDArray[np.float64]
    places: dict[int, Place] = field(default_factory=dict)
    notations: dict[int, str] = field(default_factory=dict)
    notes: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    repairs: dict[int, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    written: dict[str, dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def located(self) -> NDArray[np.bool_]:
        """Which rows have a point."""
        return np.asarray(np.isfinite(self.points).all(axis=1), dtype=np.bool_)

    def country(self, row: int) -> str | None:
        """Code of the country that a row names, None where there is none or it is no country."""
        return self._codes.get(self.cells["country"][row])

    def level(self, row: int) -> str | None:
        """Level that a row names, None where there is none or it is no level."""
        return self._levels.get(self.cells["location_level"][row])

    def __post_init__(self) -> None:
        codes = list(dict.fromkeys(self.cells["country"]))
        self._codes = dict(zip(codes, _cells.read_codes(codes, "", COUNTRIES)[0], strict=True))
        levels = list(dict.fromkeys(self.cells["location_level"]))
        words = _cells.read_words(levels, "", VOCABULARIES["location_level"])[0]
        self._levels = dict(zip(levels, words, strict=True)) | {w: w for w in DEFAULT_RADIUS_M}
        radii, _ = _cells.read_numbers(self.cells["uncertainty_m"], "", "")
        self.given_radius_m = np.array(radii, dtype=np.float64)

    def radius_m(self, row: int) -> float:
        """Radius that a row gives, or its level implies; NaN where neither does."""
        given = float(self.given_radius_m[row])
        return given if given > 0 else DEFAULT_RADIUS_M.get(self.level(row) or "", np.nan)

    def write(self, name: str, row: int, value: Any) -> None:  # noqa: ANN401 - a cell
        """Write a cell of a row."""
        self.written[name][row] = value
        if name == "uncertainty_m":
            self.given_radius_m[row] = value
        elif name in self.cells:
            self.cells[name][row] = value

    def replace(self, name: str, row: int, value: Any) -> bool:  # noqa: ANN401 - a cell
        """Write a cell of a row, unless what stands there is wrong: then the schema names it."""
        text = self.cells[name][row]
        if name == "uncertainty_m":
            wrong = text is not None and not self.given_radius_m[row] > 0
        else:
            wrong = text is not None and not _cells.read_words([text], "", VOCABULARIES[name])[0][0]
        if not wrong:
            self.write(name, row, value)
        return not wrong

    def fill(self, name: str, row: int, value: Any) -> None:  # noqa: ANN401 - a cell
        """Write a cell of a row that is blank."""
        if value is not None and self.cells[name][row] is None:
            self.write(name, row, value)

    def refuse(self, fault: Fault) -> None:
        """Report a fault and leave the point of its row out."""
        self.faults.append(fault)
        self.points[fault.position] = np.nan
        self.write("latitude", fault.position, None)
        self.write("longitude", fault.position, None)


_NEEDED = (
    *("country", "admin1", "admin2", "admin3", "locality", "verbatim_location"),
    *("uncertainty_m", "location_level", "location_method", "location_note"),
    *("latitude", "longitude", "coordinates"),
    *("first_reported", "last_reported", "source_date"),
)


def draft_of(frame: pd.DataFrame, labels: Mapping[str, object]) -> Draft:
    """
    Read the columns that say where rows are.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    labels : mapping of str to object
        Its columns by schema name.

    Returns
    -------
    Draft
        Without any point.
    """
    cells: dict[str, list[str | None]] = {
        name: _cells.read_texts(frame[labels[name]], name)[0]
        if name in labels
        else [None] * len(frame)
        for name in _NEEDED
    }
    return Draft(cells, np.full((len(frame), 2), np.nan), np.zeros(len(frame)))
