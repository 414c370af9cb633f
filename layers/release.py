"""
Publishing: one call that draws from the public view, reads back what it wrote, and may refuse.

The map is given as a function, not as a map: what it is handed is the public view, so that every
circle, hull and count on the page is made of places that are public. What it wrote is then
searched for all that is not. Nothing is moved to its place before every rule is met or overridden
by a person with a name.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import folium
import pandas as pd

import geo
from geo.errors import (
    ExportError,
    SensitivityWarning,
)
from layers._data_files import data_bytes
from layers._draft import Draft, view_of
from layers._folder import folder_files
from layers._gate import passed, refuse
from layers._placing import Place
from layers.export import page_html
from layers.rules import RULES, ReleasePolicy, broken

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    import geopandas as gpd
    from matplotlib.figure import Figure

__all__ = ["Drawing", "Release", "publish", "publish_data"]

_PAGES = (".html", ".htm")
_PAGE = "map.html"  # of a folder
_MANIFEST = "manifest.json"
_NAME = re.compile(r"\w[\w-]*")
_DEFAULT = ReleasePolicy()


class Drawing(Protocol):
    """A function that draws the public view, such as `site_map` or a `partial` of it."""

    def __call__(self, view: gpd.GeoDataFrame, /, *, methods: Sequence[str]) -> folium.Map:
        """
        Draw the public view.

        Parameters
        ----------
        view : geopandas.GeoDataFrame
            The public view.
        methods : sequence of str
            Paragraphs that the page has to show.

        Returns
        -------
        folium.Map
            The map.
        """


@dataclass(frozen=True, eq=False)
class Release:
    """
    What was published.

    Parameters
    ----------
    path : pathlib.Path
        The page, file or folder.
    manifest : dict
        What ``manifest.json`` says.
    view : geopandas.GeoDataFrame
        The rows as they were released.
    provenance : geo.Provenance
        What was read, run and changed.
    """

    path: Path
    manifest: dict[str, Any]
    view: gpd.GeoDataFrame
    provenance: geo.Provenance

    def summary(self) -> str:
        """
        Say what was published, and against which rules.

        Returns
        -------
        str
            Some sentences.
        """
        rules = self.manifest["rules"]
        against = [f"{o['rule']} ({o['reviewer']}: {o['reason']})" for o in rules["overrides"]]
        last = f"Overridden: {'; '.join(against)}." if against else "No rule was overridden."
        schemes = self.view["release_scheme"].value_counts()
        kinds = ", ".join(f"{n} {scheme}" for scheme, n in sorted(schemes.items()) if n)
        released = f"{len(self.view)} rows were published" + (f" ({kinds})" if kinds else "")
        met = f"{len(rules['passed'])} of {len(RULES)} rules were met"
        return f"{released}; {met}. {last}"

    def __repr__(self) -> str:
        return f"Release({self.path.name!r}, {len(self.view)} rows)"


def publish(
    site_map: Drawing,
    path: str | os.PathLike[str],
    *,
    sites: gpd.GeoDataFrame,
    policy: ReleasePolicy = _DEFAULT,
    masked: gpd.GeoDataFrame | None = None,
    results: Callable[[gpd.GeoDataFrame], Mapping[str, Any]] | None = None,
    figure: Callable[[gpd.GeoDataFrame], Figure] | None = None,
    registry: geo.ReleaseRegistry | None = None,
    previous: gpd.GeoDataFrame | None = None,
) -> Release:
    """
    Draw the public view of sites, prove that it gives nothing away, and publish it.

    1. `geo.public_view` makes the rows as coarse as sensitivity and status ask.
    2. `site_map` draws them, with the methods in words.
    3. The output is written to a temporary place, read back and searched by `scan`.
    4. Every rule of `RULES` is applied; what is found is either overridden or refuses.
    5. Output and manifest are moved to their place together.

    Parameters
    ----------
    site_map : callable
        Called with the public view and ``methods=``; returns a map. `layers.site_map` is one,
        and so is ``functools.partial(layers.site_map, title="...")``.
    path : path-like
        A page that ends in ``.html``, with ``manifest.json`` beside it; or a folder, which gets
        the page ``map.html``, data, tables, figures, the methods and the manifest, and is
        replaced as a whole. Only what an earlier release put there is replaced.
    sites : geopandas.GeoDataFrame
        Sites with ``sensitivity`` and ``status`` in every row.
    policy : ReleasePolicy
        Contact, licence, citation and decisions. The default lacks the first three: it refuses.
    masked : geopandas.GeoDataFrame, optional
        Rows of `donut_mask` or `laplace_mask`, whose points are shown in place of areas. Nothing
        else is taken from them, and their rows name no source.
    results : callable, optional
        Called with the public view; returns statistics and tables by name. Summaries go into the
        methods, tables into the folder.
    figure : callable, optional
        Called with the public view; returns a figure for the folder, such as `site_figure` does.
    registry : ReleaseRegistry, optional
        Where the release is recorded, and what earlier ones it may not contradict.
    previous : geopandas.GeoDataFrame, optional
        The last release, to compare small counts.

    Returns
    -------
    Release
        What was published.

    Raises
    ------
    ExportError
        If something cannot be written, would replace what no release put there, or somebody else
        is publishing there. The earlier release is then as it was.
    GeometryError
        If the sites are no points, or there are areas among the masked rows.
    PublishRefused
        If a rule is broken and not overridden; ``problems`` holds every finding by rule and row.
    ReadError
        If the registry is damaged, or the output holds what cannot be searched.
    SchemaError
        If the sites cannot be released: no radius, no ids.
    TypeError
        If a map is given in place of a function, or a function gives something else.
    ValueError
        If the name of a result is no name of a file.

    Notes
    -----
    Same sites, policy and key: same bytes. The functions have to do with their argument only: if
    they refer to frames or results of places that are not released, or warn of such places, the
    release is refused. A registry records the release before it is public.

    What the gate cannot know is what else is public, what a picture shows, and from what a
    surface or a number was reckoned that comes from a file or from another module. No release can
    be called back.

    Examples
    --------
    >>> import tempfile, geo, layers
    >>> from pathlib import Path
    >>> sites = geo.example_sites()
    >>> policy = layers.ReleasePolicy(
    ...     contact="corrections@example.org", licence="CC BY 4.0", citation="Example (2026)"
    ... ).override("G13", reason="As in the newspaper.", reviewer="Editor")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = Path(folder, "map.html")
    ...     release = layers.publish(layers.site_map, page, sites=sites, policy=policy)
    >>> print(release.summary())
    97 rows were published (5 country area, 6 district area, 52 exact, 18 none, 16 province area);
    22 of 23 rules were met. Overridden: G13 (Editor: As in the newspaper.).
    """
    _require_functions(site_map=site_map, results=results, figure=figure)
    target = Path(path)
    if target.suffix.lower() not in {"", *_PAGES}:
        message = f"{target.name!r} is no page and no folder: end it in .html, or see publish_data."
        raise ExportError(message)
    place = Place(target, _MANIFEST)
    sites, policy = sites.copy(), policy.dated()
    view = _view(sites, policy, masked)
    with _watched() as warned:
        answers = {} if results is None else _answers(results(view.copy()))
        record = _record(sites, view, policy, answers)
        page = site_map(view.copy(), methods=record.paragraphs())
        drawn = figure(view.copy()) if figure is not None and place.is_folder else None
        _require_made(page, drawn)
        # hosts are for a rule to judge, and for a person to allow
        files = {_PAGE if place.is_folder else target.name: page_html(page, online=True).encode()}
    tables = _tables(answers) if place.is_folder else {}
    if place.is_folder:
        files |= folder_files(view, tables, record, drawn)
    draft = Draft(
        sites,
        view,
        policy,
        files,
        paragraphs=record.paragraphs(),
        page=page,
        answers=answers,
        tables=tables,
        figure=drawn,
        functions=tuple(f for f in (site_map, results, figure) if f is not None),
        warned=tuple(warned),
        registry=registry,
        previous=previous,
    )
    return Release(target, passed(draft, place, record), view, record)


def publish_data(
    path: str | os.PathLike[str],
    *,
    sites: gpd.GeoDataFrame,
    policy: ReleasePolicy = _DEFAULT,
    masked: gpd.GeoDataFrame | None = None,
    registry: geo.ReleaseRegistry | None = None,
    previous: gpd.GeoDataFrame | None = None,
) -> Release:
    """
    Publish the rows of the public view as data, through the same gate as `publish`.

    Parameters
    ----------
    path : path-like
        A file that ends in ``.csv``, ``.geojson``, ``.gpkg``, ``.parquet`` or ``.geoparquet``;
        it is always written anew. ``NAME.manifest.json`` goes beside it.
    sites, policy, masked, registry, previous
        As for `publish`.

    Returns
    -------
    Release
        What was published.

    Raises
    ------
    ExportError
        As for `publish`, or if the suffix is another.
    GeometryError
        As for `publish`.
    PublishRefused
        If a rule is broken and not overridden.
    ReadError
        As for `publish`.
    SchemaError
        As for `publish`.

    Examples
    --------
    >>> import tempfile, geo, layers
    >>> from pathlib import Path
    >>> sites = geo.example_sites()
    >>> policy = layers.ReleasePolicy(
    ...     contact="corrections@example.org", licence="CC BY 4.0", citation="Example (2026)"
    ... ).override("G13", reason="As in the newspaper.", reviewer="Editor")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     layers.publish_data(Path(folder, "sites.csv"), sites=sites, policy=policy)
    Release('sites.csv', 97 rows)
    """
    target = Path(path)
    place = Place(target, f"{target.name}.{_MANIFEST}")
    sites, policy = sites.copy(), policy.dated()
    view = _view(sites, policy, masked)
    record = _record(sites, view, policy, {})
    files = {target.name: data_bytes(view, target.suffix)}
    draft = Draft(sites, view, policy, files, registry=registry, previous=previous)
    return Release(target, passed(draft, place, record), view, record)


def _require_functions(**given: object) -> None:
    """Raise TypeError for a map, figure or results that were made of the sites already."""
    for name, function in given.items():
        if not callable(function) and not (function is None and name != "site_map"):
            message = (
                f"{name} is a {type(function).__name__}. What is published is drawn and computed "
                "of what is public: give the function that does it, such as layers.site_map, and "
                "not what was made of the sites."
            )
            raise TypeError(message)


def _require_made(page: object, figure: object) -> None:
    """Raise TypeError unless functions gave what they were to give."""
    for name, made, fits in (
        ("site_map", page, isinstance(page, folium.Map)),
        ("figure", figure, figure is None or hasattr(figure, "savefig")),
    ):
        if not fits:
            message = f"The function {name} gave a {type(made).__name__}, and no {name} to publish."
            raise TypeError(message)


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Gather the warnings that speak of places which are not public; give on all others."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", category=SensitivityWarning)
        yield found
    for warning in caught:
        if issubclass(warning.category, SensitivityWarning):
            found.append("a layer was drawn of places that are not public: draw the argument only")
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def _answers(given: object) -> dict[str, Any]:
    """Check statistics and tables: their names become names of files."""
    if not isinstance(given, Mapping):
        message = f"results gave a {type(given).__name__}: give a dictionary of results by name."
        raise TypeError(message)
    for name, answer in given.items():
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            message = f"results has the name {name!r}; give one of letters, digits and _ only."
            raise ValueError(message)
        if not hasattr(answer, "to_frame") and not isinstance(answer, pd.DataFrame):
            message = f"The result {name!r} is a {type(answer).__name__}, and no result or table."
            raise TypeError(message)
    if len({name.casefold() for name in given}) < len(given):
        message = "Names of results differ in capitals only: not every disk can tell them apart."
        raise ValueError(message)
    return dict(given)


def _tables(answers: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Give every statistic as a table."""
    return {
        name: answer if isinstance(answer, pd.DataFrame) else answer.to_frame()
        for name, answer in answers.items()
    }


def _view(
    sites: gpd.GeoDataFrame, policy: ReleasePolicy, masked: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Give the rows to be released, once somebody decided on each."""
    decided = Draft(sites, sites.iloc[:0], policy)
    refuse(broken(decided, ("G03", "G20")), policy)
    return view_of(sites, policy, masked)


def _record(
    sites: gpd.GeoDataFrame,
    view: gpd.GeoDataFrame,
    policy: ReleasePolicy,
    answers: Mapping[str, Any],
) -> geo.Provenance:
    """Put down what was read, run and changed."""
    return geo.provenance(
        sites,
        view,
        results=[answer for answer in answers.values() if hasattr(answer, "summary")],
        contact=policy.contact,
        licence=policy.licence,
        citation=policy.citation,
        notes=policy.notes,
    )
