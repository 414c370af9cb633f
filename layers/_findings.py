"""What the views of a file hold of sites: coordinates in numbers and codes, and private values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layers._agreeing import agreeing_pairs, agreeing_values
from layers._binary_numbers import binary_numbers, camera_numbers, integer_pairs
from layers._numbers import array_numbers, plain_bytes, text_numbers
from layers._spelling import spelt_places
from layers._values import find_values, shipped_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from layers._agreeing import Plane
    from layers._numbers import Numbers
    from layers._secrets import Known, Secrets
    from layers._values import Values

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Findings"]

_REACH = 200  # characters between the two numbers of a pair
_STEPS = 8  # numbers between them
_BYTES = 32  # between two binary numbers: x, y, z and m of a point
_FINEST_DEG = 1e-6  # pairs of numbers agree that differ by ten centimetres
_FINEST_M = (1.0, 30.0)


class Findings:
    """
    Findings of one scan, gathered view by view.

    Parameters
    ----------
    secrets : Secrets
        Places.
    values : Values
        Private values.
    known : Known
        What may be shown.
    """

    def __init__(self, secrets: Secrets, values: Values, known: Known) -> None:
        self._secrets, self._values, self._known = secrets, values, known
        self._places: set[tuple[int, str, str]] = set()
        self._codes: set[tuple[int, str, str]] = set()
        self._private: set[tuple[int, str]] = set()

    def look(self, content: str | bytes | Floats, where: str) -> None:
        """
        Search one view.

        Parameters
        ----------
        content : str or bytes or numpy.ndarray
            Text, bytes, or vertices in degrees.
        where : str
            What the view is called.
        """
        if isinstance(content, str):
            self._private |= {(i, where) for i in find_values(content, self._values)}
        if not len(self._secrets.lon):
            return
        if isinstance(content, str):
            self._look_in_text(content, where)
        elif isinstance(content, bytes):
            self._look_in_bytes(content, where)
        else:
            numbers = array_numbers(content)
            self._pairs("layer geometry", where, numbers, self._secrets.degrees, (5, 1))

    def rows(self) -> Iterator[tuple[str, str | None, str, str]]:
        """
        Give what was found.

        Yields
        ------
        tuple of str
            Rule, ``site_id``, form and where.
        """
        yield from self._coordinate_rows()
        yield from self._value_rows()

    def _coordinate_rows(self) -> Iterator[tuple[str, str | None, str, str]]:
        """Give the places that were found, without towns in other forms than degrees."""
        secrets = self._secrets
        codes = sorted(self._codes)
        if codes:
            at = np.array([place for place, _, _ in codes])
            shown = self._known.places(secrets.lon[at], secrets.lat[at])
            codes = [code for code, is_ in zip(codes, shown, strict=True) if not is_]
        for place, form, where in [*self._places, *codes]:
            if place < 0:
                yield "G10", None, form, where
            else:
                for site in secrets.sites[place]:
                    yield "G10", site, form, where

    def _value_rows(self) -> Iterator[tuple[str, str | None, str, str]]:
        """Give the private values that were found, without those of every page."""
        if not self._private:
            return
        texts, owners = self._values.texts, self._values.owners
        shipped = shipped_values({texts[i] for i, _ in self._private})
        for i, where in self._private:
            if texts[i] not in shipped:
                for site, column in owners[i]:
                    yield "G02", site, f"value of {column!r}", where

    def _look_in_text(self, text: str, where: str) -> None:
        """Search a text for numbers and codes."""
        data = plain_bytes(text)
        for form, numbers in text_numbers(data, self._secrets.heads):
            if form == "metres":
                self._metres(where, numbers, (_REACH, _STEPS))
            else:
                self._pairs(form, where, numbers, self._secrets.degrees, (_REACH, _STEPS))
                self._singles(form, where, numbers)
        for form, place in spelt_places(data, self._secrets):
            self._codes.add((place, form, where))

    def _look_in_bytes(self, content: bytes, where: str) -> None:
        """Search bytes for binary numbers."""
        near = (_BYTES, 4)
        for form, numbers in binary_numbers(content, self._secrets.ranges):
            self._pairs(form, where, numbers, self._secrets.degrees, near)
            self._metres(where, numbers, near)
            self._singles(form, where, numbers)
        for form, numbers in camera_numbers(content):
            self._pairs(form, where, numbers, self._secrets.degrees[:1], (_REACH, _STEPS))
        lon, lat = self._secrets.degrees[0].ranges
        for form, numbers in integer_pairs(content, lat, lon):
            self._pairs(form, where, numbers, self._secrets.degrees[:1], (4, 2))

    def _pairs(
        self,
        form: str,
        where: str,
        numbers: Numbers,
        planes: Sequence[Plane],
        near: tuple[int, int],
    ) -> None:
        """Look for pairs of degrees."""
        found = agreeing_pairs(
            numbers,
            planes,
            reach=near[0],
            steps=near[1],
            finest=_FINEST_DEG,
            known=self._known.pairs,
        )
        for plane, rows in zip(planes, found, strict=True):
            name = plane.form if plane is not self._secrets.degrees[0] else form
            self._places |= {(i, name, where) for i in np.unique(plane.place[rows]).tolist()}

    def _metres(self, where: str, numbers: Numbers, near: tuple[int, int]) -> None:
        """Look for pairs of metres, first exactly and then nearly."""
        for plane in self._secrets.metres:
            for finest in _FINEST_M:
                (rows,) = agreeing_pairs(
                    numbers, [plane], reach=near[0], steps=near[1], finest=finest
                )
                found = np.unique(plane.place[rows]).tolist()
                self._codes |= {(i, plane.form, where) for i in found}

    def _singles(self, form: str, where: str, numbers: Numbers) -> None:
        """Look for one coordinate alone, of places of which both were not found."""
        plane = self._secrets.degrees[0]
        rows = agreeing_values(numbers, plane, finest=1e-9, known=self._known.values)
        paired = {place for place, name, at in self._places if name == form and at == where}
        found = set(np.unique(plane.place[rows]).tolist()) - paired
        self._places |= {(i, f"{form}, one axis", where) for i in found}
