"""Rows by what is claimed of them, so that no count adds what is suspected to what is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import SchemaError
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ALL", "tiers"]

ALL, _UNKNOWN = "all", "unknown"


def tiers(frame: pd.DataFrame, by: str | None) -> dict[str, NDArray[np.bool_]]:
    """
    Sort rows by the values of a column.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per site.
    by : str or None
        The column; None keeps all rows together.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        Which rows have each value that occurs: in the order of its vocabulary, then from A to Z.
        A missing value is ``unknown``, and so are all rows without a column ``status``.

    Raises
    ------
    SchemaError
        If there is no such column.
    """
    if by is None:
        return {ALL: np.ones(len(frame), dtype=bool)}
    if by not in frame and by != "status":
        message = f"The sites have no column {by!r} to count by. Give the name of one, or by=None."
        raise SchemaError(message)
    if by not in frame:
        return {_UNKNOWN: np.ones(len(frame), dtype=bool)}
    words = frame[by].astype("string").fillna(_UNKNOWN).to_numpy(dtype=object)
    order = {word: place for place, word in enumerate(VOCABULARIES.get(by, ()))}
    found = sorted(set(words), key=lambda word: (order.get(word, len(order)), word))
    return {word: words == word for word in found}
