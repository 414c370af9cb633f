"""Scales: one mapping from values to colours, shared by a layer and its legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["STATUS_SCALE", "Scale", "categorical_scale", "sequential_scale"]

# Eight hues chosen by Okabe and Ito (2008), "Color Universal Design", to stay apart under
# every common kind of colour vision; yellow is left out: it vanishes on a light ground.
_CATEGORICAL = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
# One hue from light to dark, so that the order survives grey print.
_SEQUENTIAL = ("#f3dfd3", "#e3b49d", "#cc8368", "#ab4a37", "#7c1b13")
_MISSING = "#d9d5cc"


@dataclass(frozen=True)
class Scale:
    """
    A frozen mapping from values to colours.

    Parameters
    ----------
    name : str
        What is measured, as the legend's heading.
    keys : tuple
        The categories, or for classes their upper bounds (inclusive), in legend order.
    colours : tuple of str
        One ``#rrggbb`` colour per key.
    labels : tuple of str
        One legend label per key.
    classes : bool, default False
        Whether `keys` are upper class bounds of numbers.
    missing : str
        Colour of missing and unlisted values.

    Raises
    ------
    ValueError
        If keys, colours and labels differ in number.
    """

    name: str
    keys: tuple[object, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    classes: bool = False
    missing: str = _MISSING

    def __post_init__(self) -> None:
        if not len(self.keys) == len(self.colours) == len(self.labels):
            message = (
                f"a scale needs one colour and one label per key, but has {len(self.keys)} keys, "
                f"{len(self.colours)} colours and {len(self.labels)} labels"
            )
            raise ValueError(message)

    def index(self, value: object) -> int:
        """
        Return the position of a value's legend entry, -1 if it has none.

        Parameters
        ----------
        value : object
            A category, or a number if the scale has classes.

        Returns
        -------
        int
            Position in `keys`, or -1.
        """
        if pd.isna(value):
            return -1
        if not self.classes:
            return self.keys.index(value) if value in self.keys else -1
        position = int(np.searchsorted(np.asarray(self.keys, dtype=float), float(value)))  # type: ignore[arg-type]
        return position if position < len(self.keys) else -1

    def __call__(self, value: object) -> str:
        """
        Return a value's colour.

        Parameters
        ----------
        value : object
            A category, or a number if the scale has classes.

        Returns
        -------
        str
            Its ``#rrggbb`` colour.
        """
        position = self.index(value)
        return self.missing if position < 0 else self.colours[position]


def categorical_scale(
    values: Iterable[object], *, name: str = "", labels: dict[object, str] | None = None
) -> Scale:
    """
    Give each distinct value a colour that colour-blind readers can tell apart.

    Parameters
    ----------
    values : iterable
        Values of a column; missing ones are left out. A categorical keeps its order,
        other values are sorted as text.
    name : str
        Heading of the legend.
    labels : dict, optional
        Words for the legend in place of the values.

    Returns
    -------
    Scale
        One key per distinct value.

    Raises
    ------
    ValueError
        If there are more than seven values: more hues cannot be told apart.

    Examples
    --------
    >>> import layers
    >>> scale = layers.categorical_scale(["casino", "hotel", "casino"])
    >>> scale.keys, scale("hotel")
    (('casino', 'hotel'), '#d55e00')
    """
    series = pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        keys = tuple(k for k in series.cat.categories if (series == k).any())
    else:
        keys = tuple(sorted(series.dropna().unique(), key=str))
    if len(keys) > len(_CATEGORICAL):
        message = (
            f"{len(keys)} categories were found, and at most {len(_CATEGORICAL)} colours can be "
            "told apart: group the rare ones first"
        )
        raise ValueError(message)
    words = labels or {}
    return Scale(name, keys, _CATEGORICAL[: len(keys)], tuple(words.get(k, str(k)) for k in keys))


def sequential_scale(
    values: Iterable[float], *, name: str = "", breaks: Sequence[float] | None = None
) -> Scale:
    """
    Divide counts or amounts into classes from light to dark.

    Parameters
    ----------
    values : iterable of float
        Values of a column; missing ones are left out.
    name : str
        Heading of the legend.
    breaks : sequence of float, optional
        Upper bounds of the classes (inclusive), rising, at most five; the last must reach
        the largest value. By default zero is a class of its own, and the quartiles of the
        positive values (of all, if some are negative) end the others.

    Returns
    -------
    Scale
        One key per class; none if every value is missing.

    Raises
    ------
    ValueError
        If the breaks do not rise, are more than five or end too low.

    Examples
    --------
    >>> import layers
    >>> layers.sequential_scale([0, 1, 2, 4, 16]).labels
    ('0', '1', '2 to 3', '4 to 7', '8 to 16')
    """
    numbers = np.asarray(pd.Series(values, dtype=float).dropna())
    if not len(numbers):
        return Scale(name, (), (), (), classes=True)
    if breaks is None:
        graded = numbers if numbers.min() < 0 else numbers[numbers > 0]
        quartiles = np.quantile(graded, [0.25, 0.5, 0.75, 1]) if len(graded) else []
        zero = [0.0] if numbers.min() == 0 else []
        whole = bool((numbers == numbers.round()).all())
        ends = np.floor(quartiles) if whole else [_rounded_up(q) for q in quartiles]
        bounds = sorted({*zero, *(float(e) for e in ends)})
    else:
        bounds = [float(b) for b in breaks]
    if bounds != sorted(set(bounds)) or not 1 <= len(bounds) <= len(_SEQUENTIAL):
        message = f"breaks must rise and be one to {len(_SEQUENTIAL)} in number, not {bounds}"
        raise ValueError(message)
    if bounds[-1] < numbers.max():
        message = f"the last break is {bounds[-1]:g}, but the largest value is {numbers.max():g}"
        raise ValueError(message)
    # The darkest colours go to the highest classes, however few there are.
    colours = _SEQUENTIAL[-len(bounds) :] if len(bounds) > 1 else _SEQUENTIAL[-1:]
    return Scale(name, tuple(bounds), colours, _class_labels(bounds, numbers), classes=True)


def _rounded_up(value: float) -> float:
    """Round up to three figures, so that a class still holds what it ends with."""
    if value == 0:
        return 0.0
    places = 2 - int(np.floor(np.log10(abs(value))))
    near = round(value, places)
    return near if near >= value else round(near + 10.0**-places, places)


def _class_labels(bounds: list[float], numbers: np.ndarray) -> tuple[str, ...]:
    """Word each class by its ends: whole numbers from the next whole number on."""
    whole = bool((numbers == numbers.round()).all()) and all(b == round(b) for b in bounds)
    labels, low = [], float(numbers.min())
    for high in bounds:
        ends = f"{_words(low)} to {_words(high)}" if low < high else _words(high)
        labels.append(ends if low <= high else f"up to {_words(high)}")
        low = max(low, high + 1 if whole else high)
    return tuple(labels)


def _words(number: float) -> str:
    """Write a number in full, without a fraction where it has none."""
    return f"{number:,.0f}" if number == round(number) else f"{number:,.12g}"


STATUS_SCALE = Scale(
    name="Claim",
    keys=("confirmed", "suspected", "rejected", "unknown"),
    # Filled against hollow is the message: it survives grey print and any colour vision.
    colours=("#a3271d", "#fffdf9", "#8d8474", "#d9d5cc"),
    labels=("confirmed", "suspected", "rejected", "not stated"),
)
