"""The command line: compound-atlas demo | check | map | publish | scan."""

from __future__ import annotations

import re
import sys
import warnings
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import geo
from layers.demo import write_demo
from layers.export import save_html
from layers.maps import site_map
from layers.release import publish as publish_release
from layers.release import publish_data
from layers.rules import Override, ReleasePolicy
from layers.scanner import scan
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import pandas as pd

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Reported sites as maps and tables that can be published.",
)

File = Annotated[
    Path, typer.Argument(help="CSV, TSV, GeoJSON, GeoPackage, KML, KMZ, GeoParquet or Excel.")
]
Layer = Annotated[str | None, typer.Option(help="Layer or sheet, where the file has several.")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="THEIRS=OURS", help="What a column is: 'Breite=latitude'. Repeatable."
    ),
]
Level = Annotated[
    str | None,
    typer.Option(help="Kind of place of points without radius or level: building, town, ..."),
]

_NO_SHAPES = "{!r} holds no shapes with a reference system: give GeoJSON, GeoPackage or GeoParquet."
# What errors advise in Python, and what it is called here.
_OPTIONS = {
    "read with repair=True": "use --repair",
    "location_level=": "--level",
    "layer=": "--layer ",
}


def main() -> None:
    """Run the command; problems end it with a message, not a traceback."""
    warnings.showwarning = _say_warning
    try:
        app()
    except (geo.GeoError, OSError) as error:
        typer.echo(f"compound-atlas: {error}", err=True)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _options(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,  # noqa: FBT002  # a flag
) -> None:
    if show_version:
        typer.echo(version("compound-atlas"))
        raise typer.Exit


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")] = Path(
        "compound-atlas-demo"
    ),
) -> None:
    """Map the shipped public reports and write the tables beside the map."""
    result = write_demo(output)
    for sentence in result.summary:
        typer.echo(f"{sentence}\n")
    typer.echo("Written:")
    for name in result.files:
        typer.echo(f"  {result.folder / name}")


@app.command()
def check(
    file: File,
    layer: Layer = None,
    column: Columns = None,
    level: Level = None,
    repair: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Correct what is proved to be wrong; write it to OUT."),
    ] = None,
) -> None:
    """Print what a file was read as, or every problem of it; exit with 1 if there are any."""
    if repair is not None:
        _refuse_input(file, repair)
    sites = _read(file, layer, column, level, repair=repair is not None, err=False)
    _print_report(geo.read_report(sites))
    located = int(sites.geometry.notna().sum())
    typer.echo(
        f"{file.name}: no problems in {len(sites):,} rows; {located:,} have a location, "
        f"{len(sites) - located:,} do not."
    )
    if repair is not None:
        typer.echo(f"Written: {geo.write_sites(sites, repair)}")


@app.command("map")
def map_(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "",
    subtitle: Annotated[str, typer.Option(help="One sentence beneath it.")] = "",
    source: Annotated[str, typer.Option(help="Where the rows come from.")] = "",
    layer: Layer = None,
    column: Columns = None,
    level: Level = None,
    repair: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--repair", help="Correct what is proved to be wrong.")
    ] = False,
) -> None:
    """Draw a file of reported sites as one HTML page that needs no network."""
    _refuse_input(file, output)
    sites = _read(file, layer, column, level, repair=repair, err=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.SensitivityWarning)  # saving says it again
        page = site_map(sites, title=title or file.stem, subtitle=subtitle, source=source)
    written = save_html(page, output)
    located = int(sites.geometry.notna().sum())
    typer.echo(f"{located:,} shown, {len(sites) - located:,} without a location: {written}")


@app.command()
def publish(  # noqa: PLR0913, PLR0917 - each is an option
    file: File,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Page (.html), folder, or data (.csv, .geojson, .gpkg, .parquet).",
        ),
    ],
    contact: Annotated[str, typer.Option(help="Where corrections go.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the release.")] = "",
    citation: Annotated[str, typer.Option(help="How the release is cited.")] = "",
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "",
    subtitle: Annotated[str, typer.Option(help="One sentence beneath it.")] = "",
    source: Annotated[str, typer.Option(help="Where the rows come from.")] = "",
    date: Annotated[str | None, typer.Option(help="Date of the release: 2026-12-01.")] = None,
    sensitivity: Annotated[
        str | None,
        typer.Option(help="Of rows that state none: public, restricted or protected."),
    ] = None,
    level: Annotated[
        str, typer.Option(help="Finest area: district, province, country.")
    ] = "district",
    show: Annotated[
        list[str] | None,
        typer.Option(help="Column to show of rows at their own points. Repeatable."),
    ] = None,
    note: Annotated[
        list[str] | None, typer.Option(help="A sentence more for the methods. Repeatable.")
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="Text file of people's names, one a line, that may appear nowhere."),
    ] = None,
    candidates: Annotated[
        Path | None, typer.Option(help="File of plausible premises, of which areas hold 5.")
    ] = None,
    conflict_areas: Annotated[
        Path | None, typer.Option(help="File of polygons where there is fighting.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(help="Rows of the last release (.geojson, .gpkg, .parquet).")
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE|REASON|REVIEWER",
            help="Publish against a rule, on the record: 'G04|The court named it.|Editor'.",
        ),
    ] = None,
    registry: Annotated[
        Path | None, typer.Option(help="File of earlier releases, outside of every project.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="File of the key that seals it.")] = None,
    layer: Layer = None,
    column: Columns = None,
    location_level: Annotated[
        str | None, typer.Option(help="Kind of place of points without radius or level.")
    ] = None,
) -> None:
    """Publish what may be known of a file of sites; refuse, with reasons, what gives more away."""
    _refuse_input(file, output)
    sites = _decided(
        _read(file, layer, column, location_level, repair=False, err=True), sensitivity
    )
    promised: dict[str, Any] = {
        "contact": contact,
        "licence": licence,
        "citation": citation,
        "level": level,
        "date": date or "",
        "columns": show or (),
        "notes": note or (),
        "names": () if names is None else names.read_text(encoding="utf-8-sig").splitlines(),
        "candidates": _frame(candidates),
        "conflict_areas": _frame(conflict_areas),
    }
    policy, last = _policy(promised, override or ()), _frame(previous)
    seal = None if key is None else geo.load_key(key)
    ledger = None if registry is None else geo.ReleaseRegistry(registry, key=seal)
    if output.suffix.lower() in {"", ".html", ".htm"}:
        drawn = partial(site_map, title=title or file.stem, subtitle=subtitle, source=source)
        release = publish_release(
            drawn, output, sites=sites, policy=policy, registry=ledger, previous=last
        )
    else:
        release = publish_data(output, sites=sites, policy=policy, registry=ledger, previous=last)
    typer.echo(f"{release.summary()}\nWritten: {release.path}")


@app.command("scan")
def scan_(
    file: Annotated[Path, typer.Argument(help="Any file, or a folder of them.")],
    against: Annotated[Path, typer.Option(help="File of the sites that must not be found in it.")],
    released: Annotated[
        Path | None,
        typer.Option(help="Rows that were published of them (.geojson, .gpkg, .parquet): no leak."),
    ] = None,
    layer: Layer = None,
    column: Columns = None,
    location_level: Annotated[
        str | None, typer.Option(help="Kind of place of points without radius or level.")
    ] = None,
) -> None:
    """Search any file for places and words of sites; exit with 1 if any are found."""
    sites = _read(against, layer, column, location_level, repair=False, err=True)
    found = scan(file, against=sites, released=_frame(released))
    for row in found.fillna("").itertuples():
        whose = f" {plain(row.site_id)}" if row.site_id else ""
        typer.echo(f"{row.rule}{whose}: {plain(row.form)}, in {plain(row.where)}")
    if len(found):
        typer.echo(f"{file.name}: {len(found):,} findings")
        raise typer.Exit(1)
    typer.echo(f"{file.name}: nothing of {len(sites):,} sites was found")


def _decided(sites: gpd.GeoDataFrame, sensitivity: str | None) -> gpd.GeoDataFrame:
    """Give rows that state no sensitivity the one that was decided for them."""
    if sensitivity is None:
        return sites
    known = geo.VOCABULARIES["sensitivity"]
    if sensitivity not in known:
        message = f"--sensitivity is {sensitivity!r}: one of {', '.join(known)}."
        raise typer.BadParameter(message)
    stated = sites["sensitivity"].astype("string") if "sensitivity" in sites else None
    decided = sensitivity if stated is None else stated.fillna(sensitivity)
    return sites.assign(sensitivity=decided)


def _frame(file: Path | None) -> gpd.GeoDataFrame | None:
    """Read a file of shapes as it is; it need not be one of sites."""
    if file is None:
        return None
    if not file.is_file():
        message = f"There is no file {str(file)!r}."
        raise geo.NotFoundError(message)
    import geopandas as gpd  # noqa: PLC0415 - the help is to be there at once

    read = gpd.read_parquet if file.suffix.lower().endswith("parquet") else gpd.read_file
    try:
        frame = read(file)
    except (OSError, ValueError, RuntimeError) as error:
        raise geo.ReadError(_NO_SHAPES.format(file.name)) from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        raise geo.ReadError(_NO_SHAPES.format(file.name))
    return frame


def _policy(promised: Mapping[str, Any], overrides: Iterable[str]) -> ReleasePolicy:
    """Put the options of a release together, or say which of them cannot be."""
    try:
        return ReleasePolicy(**promised, overrides=tuple(map(_override, overrides)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _override(text: str) -> Override:
    """Read what was decided against a rule."""
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 3:  # noqa: PLR2004 - rule, reason, reviewer
        message = f"{text!r} is no override: write 'G04|reason|reviewer'."
        raise typer.BadParameter(message)
    return Override(*parts)


def _read(
    file: Path,
    layer: str | None,
    columns: list[str] | None,
    level: str | None,
    *,
    repair: bool,
    err: bool,
) -> gpd.GeoDataFrame:
    """Read a file, or end with every problem of it, one in a line."""
    pairs = [pair.rpartition("=")[::2] for pair in columns or ()]
    if unpaired := [ours for theirs, ours in pairs if not theirs]:
        message = f"{unpaired[0]!r} is no pair: write --column 'Their name=latitude'."
        raise typer.BadParameter(message)
    try:
        return geo.read_sites(
            file, columns=dict(pairs), layer=layer, location_level=level, repair=repair
        )
    except geo.GeoError as error:
        said = _in_options(str(error))
        if error.problems is None or error.problems.empty:
            raise type(error)(said) from error
        typer.echo(f"compound-atlas: {file.name}: {said.splitlines()[0]}", err=err)
        for problem in error.problems.itertuples():
            typer.echo(
                _problem(problem.row, problem.column, problem.value, problem.problem), err=err
            )
        raise typer.Exit(1) from error


def _problem(row: int, column: str, value: str, problem: str) -> str:
    """One problem in a line."""
    where = f", {plain(column)}" if column else ""
    shown = f" '{plain(value)}'" if value else ""
    return f"row {row}{where}{shown}: {_in_options(plain(problem))}"


def _in_options(text: str) -> str:
    """Advice for Python in the words of the command line."""
    text = re.sub(r"columns=\{'(.+?)': '(\w+)'\}", r"--column '\1=\2'", text)
    for python, option in _OPTIONS.items():
        text = text.replace(python, option)
    return text


def _refuse_input(file: Path, output: Path) -> None:
    """Raise ExportError rather than write over the file that is read."""
    if output.resolve() == file.resolve():
        message = f"{output} is the file that is read: write to another one."
        raise geo.ExportError(message)


def _print_report(report: pd.DataFrame) -> None:
    """Print what was done, as a table."""
    texts = report.map(plain)
    widths = [max(texts[name].str.len().max(), len(name)) for name in texts]
    for cells in [list(texts), *texts.to_numpy().tolist()]:
        line = "  ".join(text.ljust(width) for text, width in zip(cells, widths, strict=True))
        typer.echo(line.rstrip())
    typer.echo("")


def _say_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning as a sentence."""
    typer.echo(f"Note: {message}", err=True)
