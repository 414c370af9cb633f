"""Bounds of classes: by the schemes of cartography, in figures that a legend can show."""

from __future__ import annotations

import numpy as np

__all__ = ["rounded_up", "scheme_bounds"]

_FIGURES = 15  # that a float holds for certain


def scheme_bounds(numbers: np.ndarray, scheme: str, most: int) -> list[float]:
    """
    Return the upper bounds of the classes that a scheme makes.

    Parameters
    ----------
    numbers : numpy.ndarray, shape (n,)
        Finite values, at least one.
    scheme : str
        Name of the scheme, as in `sequential_scale`.
    most : int
        Largest number of classes.

    Returns
    -------
    list of float
        Rising; the last is at least the largest value. Zero is the first if no value is less.

    Raises
    ------
    ValueError
        If the scheme is unknown.
    """
    # Loaded, with networkx and scikit-learn, only where a scheme is asked for.
    import mapclassify  # noqa: PLC0415

    schemes = {
        "quantiles": mapclassify.Quantiles,
        "equal_interval": mapclassify.EqualInterval,
        "fisher_jenks": mapclassify.FisherJenks,
        "head_tail": mapclassify.HeadTailBreaks,
    }
    if scheme not in schemes:
        message = f"scheme is {scheme!r}; it must be one of {', '.join(map(repr, schemes))}"
        raise ValueError(message)
    zero = [0.0] if numbers.min() == 0 else []
    graded = np.sort(numbers[numbers > 0] if zero else numbers)
    room = min(most - len(zero), len(np.unique(graded)))
    if room == 0:
        return zero
    found = graded[-1:]  # all that can be said of one value
    if room > 1 and scheme == "head_tail":
        found = np.append(schemes[scheme](graded).bins[: room - 1], graded[-1])
    elif room > 1:
        found = np.asarray(schemes[scheme](graded, k=room).bins)
    # of bounds between the same two values one is enough: there is no class between them
    _, first = np.unique(np.searchsorted(graded, found, side="right"), return_index=True)
    return [*zero, *(_shortened(float(bound), graded) for bound in found[first])]


def rounded_up(value: float) -> float:
    """
    Round up to three figures, so that a class still holds what it ends with.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    float
        At least the value.
    """
    if value == 0:
        return 0.0
    places = 2 - int(np.floor(np.log10(abs(value))))
    near = round(value, places)
    return near if near >= value else round(near + 10.0**-places, places)


def _shortened(bound: float, values: np.ndarray) -> float:
    """Round a bound to the fewest figures that leave each of the sorted values in its class."""
    at = int(np.searchsorted(values, bound, side="right"))
    low, high = values[at - 1], values[at] if at < len(values) else np.inf
    if (values == values.round()).all():
        return float(low)  # classes of whole numbers end with one that occurs
    magnitude = int(np.floor(np.log10(abs(bound)))) if bound else 0
    for places in range(-magnitude, _FIGURES - magnitude):
        near = round(bound, places)
        for short in (near, round(near + 10.0**-places, places)):
            if low <= short < high:
                return short
    return bound
