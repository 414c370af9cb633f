"""Many simulations shared among threads, with a bar: each has its own stream of random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo._threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["simulated"]

_AT_ONCE = 32  # simulations between two steps of the bar


def simulated(
    evaluate: Callable[[list[np.random.Generator]], Floats],
    rngs: list[np.random.Generator],
    *,
    progress: bool,
    called: str = "simulations",
) -> Floats:
    """
    Evaluate a statistic of as many simulations as there are streams.

    Parameters
    ----------
    evaluate : callable
        From some streams to the statistic of a pattern drawn from each, along the first axis.
    rngs : list of numpy.random.Generator
        A stream for each simulation, at least one.
    progress : bool
        Whether a bar is shown if the work lasts longer than two seconds.
    called : str, default "simulations"
        What the bar counts.

    Returns
    -------
    numpy.ndarray, shape (len(rngs), ...)
        The statistics, in the order of the streams whatever the number of threads.
    """
    # only simulations need a bar; the one made of text asks for nothing in notebooks
    from tqdm import tqdm  # noqa: PLC0415

    starts = range(0, len(rngs), _AT_ONCE)
    found = [np.empty(0)] * len(starts)
    with tqdm(total=len(rngs), delay=2, disable=not progress, desc=called) as bar:

        def work(first: int, last: int) -> None:
            for part in range(first, last):
                some = rngs[starts[part] : starts[part] + _AT_ONCE]
                found[part] = evaluate(some)
                bar.update(len(some))

        in_threads(work, len(starts), portion=1)
    return np.concatenate(found)
