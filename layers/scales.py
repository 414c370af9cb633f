"""Scales: one mapping from values to colours, shared by a layer and its legend."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from layers._classes import rounded_up, scheme_bounds
from layers._words import Phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "STATUS_SCALE",
    "TOO_FEW",
    "Scale",
    "categorical_scale",
    "diverging_scale",
    "greens",
    "number_words",
    "sequential_scale",
]

Scheme: TypeAlias = Literal["quantiles", "equal_interval", "fisher_jenks", "head_tail"]

# Eight hues chosen by Okabe and Ito (2008), "Color Universal Design", to stay apart under
# every common kind of colour vision; yellow is left out: it vanishes on a light ground.
_CATEGORICAL = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
# One hue from light to dark, so that the order survives grey print.
_SEQUENTIAL = ("#f3dfd3", "#e3b49d", "#cc8368", "#ab4a37", "#7c1b13")
# The same in another hue, for surfaces beneath symbols: red is kept for the subject.
_GREEN = ("#d5e3d6", "#a6c9bd", "#6fa39b", "#3f7875", "#184b4f")
# Blue to red over paper. Each lightness occurs once, so that grey print parts all five too.
_DIVERGING = ("#82b3c7", "#c3dfe8", "#f8f5ee", "#cc7248", "#7c1b13")
_MISSING = "#d9d5cc"
TOO_FEW = "#fffdf9"  # paper: lighter than every class, nothing is claimed


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
    values: Iterable[float],
    *,
    name: str = "",
    breaks: Sequence[float] | None = None,
    scheme: Scheme | None = None,
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
    scheme : {"quantiles", "equal_interval", "fisher_jenks", "head_tail"}, optional
        Another rule for the classes: as many values in each; equal steps; least variance
        within classes [1]_; split at the mean, then what lies above it again [2]_. A zero
        keeps its own class.

    Returns
    -------
    Scale
        One key per class; none if every value is missing.

    Raises
    ------
    ValueError
        If the breaks do not rise, are more than five or end too low; if both `breaks` and
        `scheme` are given, or `scheme` is unknown; if a value is infinite.

    Notes
    -----
    Classes of a scheme are those of mapclassify, five with that of zero; fewer where there are
    fewer different values. Bounds are shortened to figures that a legend can show as long as no
    value changes its class. Head/tail breaks beyond the fifth class are left out.

    References
    ----------
    .. [1] Fisher, W. D. (1958). On grouping for maximum homogeneity. Journal of the American
       Statistical Association 53, 789-798.
    .. [2] Jiang, B. (2013). Head/tail breaks: a new classification scheme for data with a
       heavy-tailed distribution. The Professional Geographer 65, 482-494.

    Examples
    --------
    >>> import layers
    >>> layers.sequential_scale([0, 1, 2, 4, 16]).labels
    ('0', '1', '2 to 3', '4 to 7', '8 to 16')
    >>> layers.sequential_scale([0, 1, 2, 4, 5, 16], scheme="fisher_jenks").labels
    ('0', '1', '2', '3 to 5', '6 to 16')
    """
    numbers = np.asarray(pd.Series(values, dtype=float).dropna())
    if breaks is not None and scheme is not None:
        message = "breaks and scheme are both given, and each makes the classes: leave one out"
        raise ValueError(message)
    if not np.isfinite(numbers).all():
        message = f"{np.isinf(numbers).sum()} values are infinite: leave them out, or mask them"
        raise ValueError(message)
    if not len(numbers):
        return Scale(name, (), (), (), classes=True)
    if scheme is not None:
        bounds = scheme_bounds(numbers, scheme, len(_SEQUENTIAL))
    elif breaks is None:
        graded = numbers if numbers.min() < 0 else numbers[numbers > 0]
        quartiles = np.quantile(graded, [0.25, 0.5, 0.75, 1]) if len(graded) else []
        zero = [0.0] if numbers.min() == 0 else []
        whole = bool((numbers == numbers.round()).all())
        ends = np.floor(quartiles) if whole else [rounded_up(q) for q in quartiles]
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


def diverging_scale(
    *, name: str = "Relative risk", breaks: Sequence[float] = (0.5, 0.8, 1.25, 2.0)
) -> Scale:
    """
    Divide ratios or differences into classes on both sides of "about the same".

    The classes do not depend on data: the same colour means the same on every map.

    Parameters
    ----------
    name : str
        Heading of the legend.
    breaks : sequence of float, default (0.5, 0.8, 1.25, 2)
        Upper bounds (inclusive) of the two lower classes and of the two next, rising: what
        lies between the middle ones is about the same, what lies above the last is the
        fifth class. The default is for ratios.

    Returns
    -------
    Scale
        Five classes, blue below and red above.

    Raises
    ------
    ValueError
        If the breaks are not four, finite and rising.

    Examples
    --------
    >>> import layers
    >>> scale = layers.diverging_scale()
    >>> scale.labels
    ('up to 0.5', '0.5 to 0.8', '0.8 to 1.25', '1.25 to 2', 'over 2')
    >>> scale(1.0), scale(3.7)
    ('#f8f5ee', '#7c1b13')
    """
    bounds = [float(b) for b in breaks]
    if len(bounds) != len(_DIVERGING) - 1 or not all(np.diff([*bounds, np.inf]) > 0):
        message = f"breaks must be four numbers that rise, not {bounds}"
        raise ValueError(message)
    ends = [number_words(bound) for bound in bounds]
    between = [Phrase("span", a=a, b=b) for a, b in pairwise(ends)]
    labels = (Phrase("up-to", a=ends[0]), *between, Phrase("over", a=ends[-1]))
    return Scale(name, (*bounds, np.inf), _DIVERGING, labels, classes=True)


def greens(n_classes: int) -> tuple[str, ...]:
    """
    Return the colours of surfaces, beneath symbols that keep red for themselves.

    Parameters
    ----------
    n_classes : int
        Up to five.

    Returns
    -------
    tuple of str
        From light to dark, as far apart as they can be.
    """
    if n_classes == 1:
        return _GREEN[2:3]
    return tuple(_GREEN[round(i)] for i in np.linspace(0, len(_GREEN) - 1, n_classes))


def _class_labels(bounds: list[float], numbers: np.ndarray) -> tuple[str, ...]:
    """Word each class by its ends: whole numbers from the next whole number on."""
    whole = bool((numbers == numbers.round()).all()) and all(b == round(b) for b in bounds)
    labels: list[str] = []
    low = float(numbers.min()) if whole else -rounded_up(-float(numbers.min()))
    for high in bounds:
        end = number_words(high)
        span = Phrase("span", a=number_words(low), b=end) if low < high else end
        labels.append(span if low <= high else Phrase("up-to", a=end))
        low = max(low, high + 1 if whole else high)
    return tuple(labels)


def number_words(number: float) -> str:
    """
    Write a number in full, without a fraction where it has none.

    Parameters
    ----------
    number : float
        Finite.

    Returns
    -------
    str
        With commas between thousands.
    """
    return f"{number:,.0f}" if number == round(number) else f"{number:,.12g}"


STATUS_SCALE = Scale(
    name="Claim",
    keys=("confirmed", "suspected", "rejected", "unknown"),
    # Filled against hollow is the message: it survives grey print and any colour vision.
    colours=("#a3271d", "#fffdf9", "#8d8474", "#d9d5cc"),
    labels=("confirmed", "suspected", "rejected", "not stated"),
)
