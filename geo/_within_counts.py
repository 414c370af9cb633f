"""How many of some independent events occur, each with a probability of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["count_distribution", "interval_of", "n_at_one_place"]

_LEVEL = 0.95
_ROUNDING = 1e-12  # of sums of probabilities


def count_distribution(chance: Floats) -> Floats:
    """
    Convolve the distribution of how many of some independent events occur.

    Parameters
    ----------
    chance : numpy.ndarray, shape (n,)
        The probability of each.

    Returns
    -------
    numpy.ndarray, shape (n + 1,)
        The probability of every count, within 1e-15; the same to the last bit in any order.
    """
    sure = int((chance == 1).sum())
    # in an order of their own: the order of rows must not change a bit
    open_ = np.sort(chance[(chance > 0) & (chance < 1)])
    size = 1 << max(len(open_) - 1, 0).bit_length()
    parts = np.zeros((size, 2))
    # events that never occur fill up the pairs, so that all are convolved at once
    parts[:, 0] = 1
    parts[: len(open_)] = np.column_stack([1 - open_, open_])
    while len(parts) > 1:
        wide = 2 * parts.shape[1] - 1
        turned = np.fft.rfft(parts, wide, axis=1)
        parts = np.fft.irfft(turned[0::2] * turned[1::2], wide, axis=1)
    distribution = np.zeros(len(chance) + 1)
    some = np.maximum(parts[0, : len(open_) + 1], 0)
    distribution[sure : sure + len(some)] = some / some.sum()
    return distribution


def interval_of(distribution: Floats) -> tuple[int, int]:
    """
    Find the counts between which 95 % of a distribution lies.

    Parameters
    ----------
    distribution : numpy.ndarray, shape (n + 1,)
        The probability of every count.

    Returns
    -------
    tuple of int
        The least and the greatest count; less than 2.5 % lies below and 2.5 % at most above.
    """
    below = np.cumsum(distribution) + _ROUNDING
    low, high = np.searchsorted(below, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return int(low), int(high)


def n_at_one_place(sites: pd.DataFrame, disc: Ints) -> int:
    """
    Count the sites that have a place in common with another one, so that they hang together.

    Parameters
    ----------
    sites : pandas.DataFrame
        With the column ``place_id``, or without.
    disc : numpy.ndarray of int, shape (n,)
        The same number for sites of the same coordinate and radius.

    Returns
    -------
    int
        Those that share their disc or their ``place_id``.
    """
    shared = np.bincount(disc, minlength=1)[disc] > 1
    if "place_id" in sites:
        named = sites["place_id"]
        shared |= (named.notna() & named.duplicated(keep=False)).to_numpy(dtype=bool)
    return int(shared.sum())
