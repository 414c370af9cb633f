"""The command line: compound-atlas demo | check | map."""

from __future__ import annotations

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
def check(file: File, layer: Layer = None) -> None:
    """Print every problem of a file; exit with 1 if there are any."""
    try:
        sites = geo.read_sites(file, layer=layer)
    except geo.SchemaError as error:
        typer.echo(f"{file.name}: {error}\n")
        if error.problems is not None:
            _print_problems(error.problems)
        raise typer.Exit(1) from error
    located = int(sites.geometry.notna().sum())
    typer.echo(
        f"{file.name}: no problems in {len(sites):,} rows; {located:,} have a location, "
        f"{len(sites) - located:,} do not."
    )


@app.command("map")
def map_(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "",
    subtitle: Annotated[str, typer.Option(help="One sentence beneath it.")] = "",
    source: Annotated[str, typer.Option(help="Where the rows come from.")] = "",
    layer: Layer = None,
) -> None:
    """Draw a file of reported sites as one HTML page that needs no network."""
    sites = geo.read_sites(file, layer=layer)
    page = site_map(sites, title=title or file.stem, subtitle=subtitle, source=source)
    written = save_html(page, output)
    located = int(sites.geometry.notna().sum())
    typer.echo(f"{located:,} shown, {len(sites) - located:,} without a location: {written}")


def _print_problems(table: pd.DataFrame) -> None:
    """Print every problem; a terminal has room for the beginning of a long value."""
    typer.echo(table.map(plain).to_string(index=False, max_colwidth=70))


def _say_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning as a sentence."""
    typer.echo(f"Note: {message}", err=True)
