"""Work shared among ordinary threads: the compiled kernels and Karney's loop hold no lock."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_threads"]

_PORTION = 16_384  # rows that are worth handing to a thread


def in_threads(work: Callable[[int, int], object], n: int, *, portion: int = _PORTION) -> None:
    """
    Do some work on rows 0 to n, in portions.

    Parameters
    ----------
    work : callable
        Takes the first row and the row after the last, and writes what it finds for these rows
        and no others, so that the answer cannot depend on how the rows are shared.
    n : int
        Number of rows.
    portion : int
        Rows that are worth handing to a thread.

    Notes
    -----
    As many threads as there are processors for this process; the environment variable
    ``NUMBA_NUM_THREADS`` sets another number. Threads start with the call and end with it, so
    worker processes may be forked at any time.
    """
    if n <= portion or _threads() == 1:
        work(0, n)
        return
    starts = range(0, n, portion)
    with ThreadPoolExecutor(_threads()) as pool:
        list(pool.map(work, starts, [min(start + portion, n) for start in starts]))


def _threads() -> int:
    """Return how many threads to use."""
    given = os.environ.get("NUMBA_NUM_THREADS", "")
    if given.isascii() and given.isdigit() and int(given):
        return int(given)
    # a process may be kept to some of the processors, where the system can tell
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
