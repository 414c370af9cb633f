"""Every error and warning that the two packages raise on purpose.

::

    Exception
    └── GeoError                 carries the rows at fault in `.problems` where there are any
        ├── ReadError            (also ValueError) a file cannot be understood
        │   └── NotFoundError    (also FileNotFoundError) a file or a layer in it does not exist
        ├── SchemaError          (also ValueError) rows break the Sites schema
        ├── CRSError             (also ValueError) no coordinate reference system, or a useless one
        ├── GeometryError        (also ValueError) the wrong kind of geometry, or none at all
        └── ExportError          (also ValueError) an output cannot be written as promised
            └── PublishRefused   a release breaks the rules of its policy

    UserWarning
    └── GeoWarning
        ├── HostWarning          a page calls hosts when it is read
        ├── ResolutionWarning    the radii or shared coordinates cannot carry what is asked
        │   └── CoincidentPointsWarning   many reports of a point pattern share coordinates
        ├── SensitivityWarning   places that are not public are shown at their own coordinates
        └── WindowWarning        the window of a point pattern is guessed from its points
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CRSError",
    "CoincidentPointsWarning",
    "ExportError",
    "GeoError",
    "GeoWarning",
    "GeometryError",
    "HostWarning",
    "NotFoundError",
    "PublishRefused",
    "ReadError",
    "ResolutionWarning",
    "SchemaError",
    "SensitivityWarning",
    "WindowWarning",
]


class GeoError(Exception):
    """
    Base of every error of Compound Atlas.

    Parameters
    ----------
    message : str
        What was found, what is needed and what to do.
    problems : pandas.DataFrame, optional
        The rows at fault, one problem per row.

    Attributes
    ----------
    problems : pandas.DataFrame or None
        The rows at fault. `SchemaError` has the columns ``row`` (row of the file, or
        position in the frame), ``column``, ``value`` and ``problem``.
    """

    def __init__(self, message: str, problems: pd.DataFrame | None = None) -> None:
        super().__init__(message)
        self.problems = problems


class ReadError(GeoError, ValueError):
    """A file cannot be understood: empty, unknown format, encoding or delimiter."""


class NotFoundError(ReadError, FileNotFoundError):
    """A file, or a layer within it, does not exist."""


class SchemaError(GeoError, ValueError):
    """Rows break the Sites schema; ``problems`` lists every fault at once."""


class CRSError(GeoError, ValueError):
    """A frame has no coordinate reference system, or one that cannot serve."""


class GeometryError(GeoError, ValueError):
    """A geometry is of the wrong kind, or there is none to work with."""


class ExportError(GeoError, ValueError):
    """An output cannot be written as promised."""


class PublishRefused(ExportError):  # noqa: N818 - what happened is no fault of the program
    """
    A release breaks the rules of its policy, and nothing was published.

    ``problems`` has the columns ``rule``, ``site_id``, ``problem`` and ``where``, one finding per
    row, and no coordinate.
    """


class GeoWarning(UserWarning):
    """Base of every warning of Compound Atlas: an assumption the user should know."""


class HostWarning(GeoWarning):
    """A page will call hosts, which learn who reads it and when."""


class ResolutionWarning(GeoWarning):
    """Radii or shared coordinates are too coarse for the distance that is asked."""


class CoincidentPointsWarning(ResolutionWarning):
    """Many reports share coordinates: short distances would measure the gazetteer."""


class SensitivityWarning(GeoWarning):
    """Places marked as not public are shown at their own coordinates."""


class WindowWarning(GeoWarning):
    """The window is guessed from the points: how clustered they look depends on the guess."""
