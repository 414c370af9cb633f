"""The methods in words: paragraphs from a record, and which texts may stand in them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo._resolution import counted, metres
from geo.errors import ExportError
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    Record = Mapping[str, Any]

__all__ = [
    "AREA",
    "EXACT",
    "hidden_texts",
    "paragraphs_of",
    "refuse_coordinates",
    "result_told",
    "without_hidden",
]

EXACT, AREA = "exact", "area"  # what a row is shown as that names no scheme

_BIAS = (
    "Reports come from where somebody looked, spoke and was heard. Places without reports are not "
    "places without compounds, and more reports may mean more attention."
)
_NOT_SUPPORTED = (
    "Distances finer than the radii, totals of all compounds, and comparisons of places that were "
    "not searched alike are not supported. This is no ground for acting against a place or anybody "
    "in it, and no legal identification of an owner, a company or a person."
)
_NUMBER = r"(\d[\d.e+]*)"
_AREAS = re.compile(r"(\w+) area")
_CELL = re.compile(rf"{_NUMBER} m cell")
_RING = re.compile(rf"donut {_NUMBER} to {_NUMBER} m")
_LAPLACE = re.compile(rf"planar Laplace of mean {_NUMBER} m")
_PLACES = {"lon", "lat", "longitude", "latitude", "x", "y", "geometry"}  # fields that are not told
_LEAST_LETTERS = 4  # of a text that names a place; in other scripts two may
_LEFT_OUT = "a place not named here"
_DECIMAL = re.compile(r"\d+\.\d{3,}")  # as fine as a hundred metres
_MOST_DECIMALS = 9  # that a coordinate is compared to


def paragraphs_of(record: Record) -> Iterator[str]:
    """
    Say what was read, run and changed, and what may be read from it.

    Parameters
    ----------
    record : mapping
        As `Provenance.to_dict` gives it.

    Yields
    ------
    str
        A paragraph without coordinates.
    """
    yield _counts(record)
    yield " ".join(_location(record))
    yield _sources(record["sources"])
    yield " ".join(_altered(record["release"], record["input"]["rows"]))
    yield from (result["summary"] for result in record["results"])
    yield _BIAS
    yield f"{_fineness(record['release'])} {_NOT_SUPPORTED}"
    yield from record["notes"]
    yield f"Corrections and requests for removal: {_ended(record['contact'])}"
    yield f"Licence: {_ended(record['licence'])}"
    yield f"To cite: {_ended(record['citation'])}"
    if record["credits"]:
        yield f"Credits: {_ended('; '.join(record['credits']))}"


def _counts(record: Record) -> str:
    """Say how many reports of each status were read."""
    read = f"{counted(record['input']['rows'], 'report')} read"
    status = record["status"]
    if not status:
        return f"{read}; what is claimed of them is not stated."
    return (
        f"{read}: {_listed(status)}. They are not added up: what is suspected is not established. "
        "A report is not a site; several may describe the same one."
    )


def _location(record: Record) -> Iterator[str]:
    """Yield how many have a location, how exact it is, and what reading did."""
    place, reading = record["location"], record["reading"]
    gone = f"{place['unlocated']} have none" if place["unlocated"] else "none is without"
    yield f"{place['located']} have a location, {gone}."
    if place["levels"]:
        yield f"Located to: {_listed(place['levels'])}."
    yield from _radii(place["radius_m"])
    done = {
        "by_name": "located by the name of a place",
        "repaired": "corrected where one correction only was possible",
        "doubtful": "called doubtful",
        "assumed": "given the radius of their level",
    }
    told = [f"{reading[key]} {words}" for key, words in done.items() if reading.get(key)]
    if told:
        yield f"When the file was read, of its rows were {', '.join(told)}."


def _radii(radius: Record) -> Iterator[str]:
    """Yield how large radii are."""
    if radius["median"] is not None:
        yield (
            f"Of the radii, half are at most {_about(radius['median'])} and nine in ten at most "
            f"{_about(radius['q90'])}; the largest is {_about(radius['largest'])}."
        )
    if radius["unknown"]:
        yield f"{counted(radius['unknown'], 'location')} without a radius."


def _sources(sources: Record) -> str:
    """Say how many speak, and from when to when."""
    words = (
        f"The reports name {counted(sources['publishers'], 'source')} and "
        f"{sources['addresses']} different addresses."
    )
    if sources["rows_without"]:
        words += f" {sources['rows_without']} name no source."
    if sources["first"] is None:
        return f"{words} None is dated."
    return f"{words} They are dated from {sources['first']} to {sources['last']}."


def _altered(release: Record, n_read: int) -> Iterator[str]:
    """Yield what was done to places before they were released, and what is held back."""
    held = {"withheld": "the place of {} is withheld", "none": "{} without a known location"}
    schemes = release["schemes"]
    shown = [f"{n} as {_as(scheme)}" for scheme, n in schemes.items() if scheme not in held]
    shown += [words.format(schemes[scheme]) for scheme, words in held.items() if scheme in schemes]
    yield f"{release['rows']} of {counted(n_read, 'row')} released: {', '.join(shown) or 'none'}."
    if any(_RING.fullmatch(scheme) or _LAPLACE.fullmatch(scheme) for scheme in schemes):
        yield (
            "A moved point is no place: nothing is known to be where it is drawn. It is moved the "
            "same way in every release, by a secret key."
        )
    if release["columns_left_out"]:
        yield f"{counted(release['columns_left_out'], 'column')} of the rows read not released."
    if release["withheld"]:
        parts = [
            part.strip(" .").lower() for text in release["withheld"] for part in text.split(",")
        ]
        yield f"Held back: {', '.join(dict.fromkeys(parts))}."


def _as(scheme: str) -> str:
    """Say what a place is shown as."""
    if found := _AREAS.fullmatch(scheme):
        return f"the {found[1]} that holds the place"
    if found := _CELL.fullmatch(scheme):
        return f"a cell of a grid of {metres(float(found[1]))}"
    if found := _RING.fullmatch(scheme):
        return f"a point moved by {metres(float(found[1]))} to {metres(float(found[2]))}"
    if found := _LAPLACE.fullmatch(scheme):
        return f"a point moved at random, by {metres(float(found[1]))} in the mean"
    return {EXACT: "the coordinates reported", AREA: "an area"}.get(scheme, f"{scheme!r}")


def _fineness(release: Record) -> str:
    """Say what cannot be told apart."""
    exact, radius = release["schemes"].get(EXACT, 0), release["radius_m"]
    if exact:
        near = "" if radius["median"] is None else f" (half within {_about(radius['median'])})"
        return (
            f"{counted(exact, 'row')} shown at the coordinates that a source gives: no more exact "
            f"than their radius{near}, and no proof of what stands there."
        )
    if radius["median"] is None:
        return "No building can be told from this release, for it shows no place."
    return (
        "No building can be told from this release: no place in it is known better than to within "
        f"{_about(radius['smallest'])}, half to within {_about(radius['median'])} or worse."
    )


def _listed(counts: Mapping[str, int]) -> str:
    """Join counts with what they are of."""
    return ", ".join(f"{n} {word.replace('_', ' ')}" for word, n in counts.items())


def _about(length_m: float) -> str:
    """Write a length to two digits."""
    return "any distance" if np.isinf(length_m) else metres(float(f"{length_m:.2g}"))


def _ended(text: str) -> str:
    """End a sentence."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


# ------------------------------------------------------------------------------ what may be told


def hidden_texts(sites: gpd.GeoDataFrame, released: gpd.GeoDataFrame) -> list[str]:
    """
    Find the texts of rows that a release does not tell.

    Parameters
    ----------
    sites, released : geopandas.GeoDataFrame
        The rows as read, and as released.

    Returns
    -------
    list of str
        The longest first, so that a name within another is left for the other.
    """
    told = {word for words in VOCABULARIES.values() for word in words} | _texts(released)
    texts = _texts(sites)
    texts |= {text.split(" (")[0] for text in texts}  # as summaries shorten names
    names = (text for text in texts - told if len(text) >= _least_letters(text))
    return sorted(names, key=lambda text: (-len(text), text))


def without_hidden(text: str, hidden: Sequence[str]) -> str:
    """
    Leave names out of a text.

    Parameters
    ----------
    text : str
        A sentence.
    hidden : sequence of str
        From `hidden_texts`.

    Returns
    -------
    str
        The sentence with other words in their place.
    """
    found = [re.escape(name) for name in hidden if name in text]
    return re.sub(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", _LEFT_OUT, text) if found else text


def result_told(result: Any, hidden: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - any kind
    """
    Take down what was asked and found, without names that the release does not tell.

    Parameters
    ----------
    result : object
        An answer with a ``summary()``.
    hidden : sequence of str
        From `hidden_texts`.

    Returns
    -------
    dict
        ``type``, ``parameters`` and ``summary``, as JSON can hold them.

    Raises
    ------
    TypeError
        If it has no ``summary()``.
    """
    if not callable(getattr(result, "summary", None)):
        message = (
            f"results holds a {type(result).__name__}, which has no summary(). Give answers such "
            "as those of dbscan() or proximity_test()."
        )
        raise TypeError(message)
    fields = dataclasses.fields(result) if dataclasses.is_dataclass(result) else ()
    values = {field.name: getattr(result, field.name) for field in fields}
    return {
        "parameters": dict(_plain_items(values, hidden)),
        "summary": without_hidden(str(result.summary()), hidden),
        "type": type(result).__name__,
    }


def refuse_coordinates(text: str, lonlat: NDArray[np.float64]) -> None:
    """
    Raise if both coordinates of one site stand in a text.

    Parameters
    ----------
    text : str
        All that is to be published.
    lonlat : numpy.ndarray, shape (n, 2)
        Places that are not.

    Raises
    ------
    ExportError
        If they do, in decimal degrees of three or more digits.
    """
    spelt = np.zeros(lonlat.shape, dtype=bool)
    for number in set(_DECIMAL.findall(text)):
        decimals = min(len(number.partition(".")[2]), _MOST_DECIMALS)
        spelt |= np.abs(np.abs(lonlat) - float(number)) < 10.0**-decimals
    if n := int(spelt.all(axis=1).sum()):
        message = (
            f"The coordinates of {counted(n, 'site')} stand in a note, a summary or another text, "
            "which is published. Leave them out."
        )
        raise ExportError(message)


def _texts(frame: gpd.GeoDataFrame) -> set[str]:
    """Gather the texts of a frame."""
    columns = (name for name in frame.columns if name != frame.geometry.name)
    worded = (frame[name] for name in columns)
    worded = (column for column in worded if not pd.api.types.is_numeric_dtype(column.dtype))
    return {str(text).strip() for column in worded for text in column.dropna()}


def _least_letters(text: str) -> int:
    """Give the fewest letters that are taken for a name."""
    return _LEAST_LETTERS if text.isascii() else _LEAST_LETTERS // 2


def _plain_items(values: Mapping[Any, Any], hidden: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield what can be written as JSON, by sorted names, but for coordinates."""
    for key in sorted(map(str, values.keys() - _PLACES)):
        value = values.get(key)
        if isinstance(value, Mapping):
            yield key, dict(_plain_items(value, hidden))
        elif isinstance(value, tuple) and all(isinstance(one, Real) for one in value):
            yield key, [_plain(one, hidden) for one in value]
        elif value is None or isinstance(value, str | Real):
            yield key, _plain(value, hidden)


def _plain(value: str | Real | None, hidden: Sequence[str]) -> str | float | bool | None:
    """Give a number or a word as JSON knows it: no word for what is not a number."""
    match value:
        case None:
            return None
        case str():
            return without_hidden(value, hidden)
        case bool():
            return bool(value)
        case Integral():
            return int(value)
    number = float(value)
    return number if np.isfinite(number) else None
