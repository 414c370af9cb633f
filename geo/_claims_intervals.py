"""Intervals of shares and counts: exact for independent rows, else by drawing groups anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["bootstrap_interval", "clopper_pearson", "poisson_interval"]


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


def poisson_interval(count: Ints, level: float) -> tuple[Floats, Floats]:
    """
    Give the exact intervals of expected counts.

    Parameters
    ----------
    count : numpy.ndarray of int
        What was counted.
    level : float
        Such as 0.95.

    Returns
    -------
    low, high : numpy.ndarray
        Their ends.

    Examples
    --------
    >>> import numpy as np
    >>> from geo._claims_intervals import poisson_interval
    >>> low, high = poisson_interval(np.array([0, 10]), 0.95)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 4.8], [3.69, 18.39])
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 - scipy takes long to load

    tail = (1 - level) / 2
    # half the quantiles of chi squared with 2 n and 2 n + 2 degrees of freedom
    low = np.where(count > 0, gammaincinv(np.maximum(count, 1), tail), 0.0)
    return low, np.asarray(gammaincinv(count + 1, 1 - tail))


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
        the condition; 0 and 1 if there are no two groups. Where all rows or none of them meet it,
        draws cannot differ: then the end is that of `clopper_pearson` for as many groups.
    """
    names = groups.astype("string")
    alone = names.isna().to_numpy()
    code = pd.factorize(names, sort=True)[0]
    code[alone] = code.max(initial=-1) + 1 + np.arange(alone.sum())
    table = pd.DataFrame({"code": code, "n": 1, "surely": met[0], "possibly": met[1]})
    # rows without a group are alike but for what they meet: in an order of their own
    sums = table.groupby("code").sum().sort_values(["n", "surely", "possibly"]).to_numpy(np.int64)
    if len(sums) < 2:  # noqa: PLR2004 - of what others would say one says nothing
        return 0.0, 1.0
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=many) @ sums
    tail = (1 - level) / 2
    low = float(np.quantile(drawn[:, 1] / drawn[:, 0], tail))
    high = float(np.quantile(drawn[:, 2] / drawn[:, 0], 1 - tail))
    if met[0].all():
        low = clopper_pearson(len(sums), len(sums), level)[0]
    if not met[1].any():
        high = clopper_pearson(0, len(sums), level)[1]
    return low, high
