"""The command line: compound-atlas demo | check | map."""

from __future__ import annotations

import re
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import geo
from layers.demo import write_demo
from layers.export import save_html
from layers.maps import site_map
from layers.text import plain

if TYPE_CHECKING:
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
    page = site_map(sites, title=title or file.stem, subtitle=subtitle, source=source)
    written = save_html(page, output)
    located = int(sites.geometry.notna().sum())
    typer.echo(f"{located:,} shown, {len(sites) - located:,} without a location: {written}")


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
