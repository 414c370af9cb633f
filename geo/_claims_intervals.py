"""Intervals of a share: exact for independent rows, resampled for rows that hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

__all__ = ["bootstrap_interval", "clopper_pearson"]


def clopper_pearson(count: int, n: int, level: float) -> tuple[float, float]:
    """
    Give the exact interval of a share.

    Parameters
    ----------
    count, n : int
        How many of how many.
    level : float
        Such as 0.95.

    Returns
    -------
    tuple of float
        Its ends; 0 and 1 if there are none.

    Examples
    --------
    >>> from geo._claims_intervals import clopper_pearson
    >>> [round(end, 4) for end in clopper_pearson(81, 263, 0.95)]
    [0.2527, 0.3676]
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - scipy takes long to load

    tail = (1 - level) / 2
    low = betaincinv(count, n - count + 1, tail) if count else 0.0
    high = betaincinv(count + 1, n - count, 1 - tail) if count < n else 1.0
    return float(low), float(high)


def bootstrap_interval(
    met: tuple[Flags, Flags],
    groups: pd.Series,
    level: float,
    many: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """
    Give the interval of a share of rows that come in groups, by drawing groups anew.

    Parameters
    ----------
    met : tuple of numpy.ndarray of bool, shape (n,)
        Which rows surely meet the condition, and which possibly do.
    groups : pandas.Series, shape (n,)
        What rows have in common, such as their source; a row without is a group by itself.
    level : float
        Such as 0.95.
    many : int
        How many times.
    rng : numpy.random.Generator
        What is drawn with.

    Returns
    -------
    tuple of float
        The lower end of the share that surely, and the upper end of the one that possibly meets
        the condition; 0 and 1 if there are no rows.
    """
    if not len(groups):
        return 0.0, 1.0
    names = groups.astype("string")
    alone = names.isna().to_numpy()
    code = pd.factorize(names, sort=True)[0]
    code[alone] = code.max() + 1 + np.arange(alone.sum())
    table = pd.DataFrame({"code": code, "n": 1, "surely": met[0], "possibly": met[1]})
    # rows without a group are alike but for what they meet: in an order of their own
    sums = table.groupby("code").sum().sort_values(["n", "surely", "possibly"]).to_numpy(np.int64)
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=many) @ sums
    tail = (1 - level) / 2
    low = np.quantile(drawn[:, 1] / drawn[:, 0], tail)
    high = np.quantile(drawn[:, 2] / drawn[:, 0], 1 - tail)
    return float(low), float(high)
