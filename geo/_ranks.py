"""Global envelopes by extreme rank length: one p-value for a whole curve.

Myllymaki, M., Mrkvicka, T., Grabarnik, P., Seijo, H., Hahn, U. (2017). Global envelope tests for
spatial processes. Journal of the Royal Statistical Society B 79, 381-404.
https://doi.org/10.1111/rssb.12172
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["extreme_rank_lengths", "global_envelope", "monte_carlo_p"]


def monte_carlo_p(observed: float, simulated: Floats, alternative: str) -> float:
    """
    Rank an observed number among simulated ones.

    Parameters
    ----------
    observed : float
        The statistic.
    simulated : numpy.ndarray, shape (n,)
        The statistic under the null hypothesis.
    alternative : {"less", "greater", "two-sided"}
        Which deviation counts.

    Returns
    -------
    float
        ``(r + 1) / (n + 1)``, r being the simulations at least as extreme, ties among them;
        two-sided, twice the smaller of both, and 1 at most.
    """
    n = len(simulated)
    low = (int((simulated <= observed).sum()) + 1) / (n + 1)
    high = (int((simulated >= observed).sum()) + 1) / (n + 1)
    return {"less": low, "greater": high, "two-sided": min(1.0, 2 * min(low, high))}[alternative]


def extreme_rank_lengths(curves: Floats, alternative: str) -> Floats:
    """
    Order curves by how extreme they are.

    Parameters
    ----------
    curves : numpy.ndarray, shape (n, m)
        n curves at m arguments.
    alternative : {"less", "greater", "two-sided"}
        Whether low values are extreme, high ones, or both.

    Returns
    -------
    numpy.ndarray, shape (n,)
        The share of curves that are at least as extreme as each, itself among them: the p-value
        that the curve would have.

    Notes
    -----
    At each argument a curve has a rank, counted from the extreme side, equal values sharing the
    mean of theirs. Curves are compared by their ranks in rising order, lexicographically.
    """
    n = len(curves)
    below = _doubled_ranks(curves)
    ranks = {
        "less": below,
        "greater": 2 * (n + 1) - below,
        "two-sided": np.minimum(below, 2 * (n + 1) - below),
    }[alternative]
    ordered = np.sort(ranks, axis=1)
    # bytes, the highest first, compare as the rows do
    as_bytes = np.ascontiguousarray(ordered.astype(">i4")).view(f"V{4 * ordered.shape[1]}").ravel()
    order = np.argsort(as_bytes)
    new = np.any(np.diff(ordered[order], axis=0) != 0, axis=1)
    # the last of each group of equal curves says how many are at least as extreme
    last = np.append(np.flatnonzero(new), n - 1)
    share = np.empty(n)
    share[order] = (last[np.searchsorted(last, np.arange(n))] + 1) / n
    return share


def _doubled_ranks(curves: Floats) -> NDArray[np.int32]:
    """Return twice the rank of each curve at each argument, equal values sharing the mean."""
    columns = np.ascontiguousarray(curves.T)
    order = np.argsort(columns, axis=1)
    values = np.take_along_axis(columns, order, axis=1)
    at = np.arange(len(curves), dtype=np.int32)
    new = np.ones(columns.shape, dtype=bool)
    new[:, 1:] = values[:, 1:] != values[:, :-1]
    first = np.maximum.accumulate(np.where(new, at, 0), axis=1)
    ends = np.ones(columns.shape, dtype=bool)
    ends[:, :-1] = new[:, 1:]
    last = np.where(ends, at, len(curves))
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(columns.shape, dtype=np.int32)
    np.put_along_axis(ranks, order, (first + last + 2).astype(np.int32), axis=1)
    return np.ascontiguousarray(ranks.T)


def global_envelope(
    curves: Floats, alternative: str, level: float = 0.95
) -> tuple[Floats, Floats, float]:
    """
    Draw the envelope that the first of some curves leaves only if its test rejects.

    Parameters
    ----------
    curves : numpy.ndarray, shape (n + 1, m)
        The observed curve, then n simulated ones.
    alternative : {"less", "greater", "two-sided"}
        Which deviation counts.
    level : float, default 0.95
        One minus the level of the test.

    Returns
    -------
    low, high : numpy.ndarray, shape (m,)
        The envelope; without an end on the side that does not count. Curves without ties leave it
        whenever the test rejects; those that tie, such as shares, may lie on it then.
    pvalue : float
        Of the observed curve, ties counted against the hypothesis.
    """
    share = extreme_rank_lengths(curves, alternative)
    central = curves[share > 1 - level + 1e-12]
    low, high = central.min(axis=0), central.max(axis=0)
    if alternative == "greater":
        low = np.full_like(low, -np.inf)
    elif alternative == "less":
        high = np.full_like(high, np.inf)
    return low, high, float(share[0])
