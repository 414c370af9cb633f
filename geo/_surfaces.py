"""A surface over the cells of a window: as a table, a raster, and areas above a level."""

from __future__ import annotations

import html
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo._contours import in_degrees, regions_above
from geo._files import write_bytes
from geo._functions import sentences
from geo._inputs import whole_number
from geo._resolution import counted, metres
from geo.errors import ExportError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geo._kernelsums import Grid

    Floats = NDArray[np.float64]

__all__ = ["DensitySurface", "Surface", "cells_of", "write_grid"]

_ABSENT = -9999  # what a cell outside the window holds in a raster file
_TOLD = 0.005  # of the sum: a difference that is worth a sentence
_FULL = 1e-9  # of a cell: what rounding may leave uncovered


@dataclass(frozen=True, eq=False)
class Surface:
    """
    The cells of a window.

    Parameters
    ----------
    grid : Grid
        The cells.
    covered_m2 : numpy.ndarray, shape (rows, columns)
        The window within each cell, 0 outside.
    window : shapely.Polygon or shapely.MultiPolygon
        In the plane.
    crs : pyproj.CRS
        Of the plane.
    """

    grid: Grid
    covered_m2: Floats
    window: BaseGeometry
    crs: CRS

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which cells hold a part of the window."""
        return self.covered_m2 > 0


@dataclass(frozen=True, eq=False)
class DensitySurface:
    """
    The answer of `kernel_density`: reports per square kilometre over a window.

    Parameters
    ----------
    estimate : numpy.ndarray, shape (rows, columns)
        Reports per km2 at the centre of each cell, rows from south to north; NaN in cells outside
        the window.
    standard_error : numpy.ndarray, shape (rows, columns), or None
        Its standard error, likewise, if it was asked for.
    bandwidth_m : float
        Standard deviation of the kernel; of an adaptive one, the geometric mean over the reports.
    edge : str or None
        How the edge of the window was allowed for.
    adaptive : bool
        Whether each report has a bandwidth of its own.
    surface : Surface
        The cells: their grid, the window within each, its plane.
    n : int
        Reports used.
    mass : float
        Sum of their weights; their number if there are none.
    facts : dict
        As in `SummaryFunction`.
    """

    estimate: Floats
    standard_error: Floats | None
    bandwidth_m: float
    edge: str | None
    adaptive: bool
    surface: Surface
    n: int
    mass: float
    facts: dict[str, Any]

    @property
    def x(self) -> Floats:
        """Eastings of the centres of the columns, in the plane of the window."""
        return self.surface.grid.x

    @property
    def y(self) -> Floats:
        """Northings of the centres of the rows, from south to north."""
        return self.surface.grid.y

    @property
    def cell_size_m(self) -> float:
        """Side of the cells."""
        return self.surface.grid.cell_m

    @property
    def crs(self) -> CRS:
        """Of the plane."""
        return self.surface.crs

    @property
    def total(self) -> float:
        """Sum over the cells of density times area: the number of reports, or close to it."""
        return float(np.nansum(self.estimate * self.surface.covered_m2)) / 1e6

    @property
    def resolvable(self) -> bool:
        """Whether the radii of the reports can tell the bandwidth."""
        return bool(self.bandwidth_m >= self.facts["smallest_m"])

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give the cells, cut off at the edge of the window.

        Returns
        -------
        geopandas.GeoDataFrame
            Polygons, EPSG:4326, from the south-west, row by row: ``density_per_km2`` at the centre
            of the cell, ``standard_error`` if there is one, ``area_km2`` within the window and
            ``expected``, their product: the weight that `inhomogeneous_poisson` draws by.

        Notes
        -----
        A null model is drawn in the plane that its sites are tested in. For a window that was given
        in a projection put the cells into it first:
        ``inhomogeneous_poisson(surface.to_frame().to_crs(surface.crs), weight="expected")``.
        """
        inside = self.surface.inside
        area = self.surface.covered_m2[inside] / 1e6
        columns = {"density_per_km2": self.estimate[inside]}
        if self.standard_error is not None:
            columns["standard_error"] = self.standard_error[inside]
        columns |= {"area_km2": area, "expected": self.estimate[inside] * area}
        frame = gpd.GeoDataFrame(columns, geometry=cells_of(self.surface), crs=self.crs)
        return in_degrees(frame)

    def to_raster(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the density as an ESRI ASCII grid, with its projection beside it.

        Parameters
        ----------
        path : path-like
            A name that ends in ``.asc``; a file ``.prj`` goes beside it.

        Returns
        -------
        pathlib.Path
            The path written.

        Raises
        ------
        ExportError
            If the name ends otherwise, or a file cannot be written.

        Notes
        -----
        Reports per km2 in the plane of the window, from the north down; -9999 outside the window.
        """
        return write_grid(path, self.estimate, self.surface)

    def contours(self, levels: Sequence[float] | int = 8) -> gpd.GeoDataFrame:
        """
        Give the bands between levels as areas.

        Parameters
        ----------
        levels : sequence of float or int, default 8
            Reports per km2, rising; or how many bands of equal steps from 0 to the maximum.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326, one row per band that is not empty: ``from_per_km2``, ``to_per_km2`` (missing
            in the last, which has no upper level) and its area within the window. What lies below
            the first level is in no band.

        Raises
        ------
        ValueError
            If levels do not rise, or are no numbers, or none are asked for.

        Notes
        -----
        Linear between the centres of cells (marching squares); the outermost cells continue to the
        edge of the window.
        """
        if isinstance(levels, Integral | np.bool_):
            many = whole_number(levels, "levels")  # type: ignore[arg-type]
            steps = np.linspace(0, np.nanmax(self.estimate), many + 1)[:-1]
        else:
            steps = np.asarray(levels, dtype=np.float64)
        if (
            steps.ndim != 1
            or not len(steps)
            or not (np.diff(steps) > 0).all()
            or not np.isfinite(steps).all()
        ):
            message = "levels do not rise. Give each once, in reports per km2, from the lowest on."
            raise ValueError(message)
        place = self.x, self.y, self.surface.window
        above = [regions_above(self.estimate, float(level), *place) for level in steps]
        bands = [
            shapely.difference(area, above[k + 1]) if k + 1 < len(above) else area
            for k, area in enumerate(above)
        ]
        frame = gpd.GeoDataFrame(
            {"from_per_km2": steps, "to_per_km2": [*steps[1:], np.nan]},
            geometry=bands,
            crs=self.crs,
        )
        return in_degrees(frame[~frame.is_empty].reset_index(drop=True))

    def summary(self) -> str:
        """
        Say in plain words what was estimated and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        kernel = (
            "adaptive Gaussian kernel of mean bandwidth"
            if self.adaptive
            else ("Gaussian kernel of bandwidth")
        )
        edge = f"{self.edge} edge correction" if self.edge else "no edge correction"
        found = (
            f"Concentration of reports: {counted(self.n, 'located report')}, {kernel} "
            f"{metres(float(f'{self.bandwidth_m:.4g}'))}, {edge}, cells of "
            f"{metres(float(f'{self.cell_size_m:.4g}'))}."
        )
        parts = [found]
        if self.edge is None:
            parts.append("Near the edge the density is too low: what lies beyond is not known.")
        elif self.edge == "uniform" and abs(self.total / self.mass - 1) > _TOLD:
            parts.append(
                f"The surface sums to {self.total:.4g} over the window, for {self.mass:.6g} given: "
                "this correction does not keep the sum."
            )
        parts.extend(sentences(self.facts, self.n))
        if self.bandwidth_m < self.facts["smallest_m"]:
            parts.append(
                "Caution: the radii of the reports do not resolve this bandwidth, so that the "
                "surface shows more than is known."
            )
        parts.append(
            "A surface describes where reports concentrate; it is no test, and follows those who "
            "report."
        )
        return " ".join(parts)

    def __repr__(self) -> str:
        rows, columns = self.estimate.shape
        return (
            f"DensitySurface({counted(self.n, 'report')}, bandwidth "
            f"{metres(float(f'{self.bandwidth_m:.4g}'))}, edge={self.edge!r}, "
            f"{columns} x {rows} cells of {metres(float(f'{self.cell_size_m:.4g}'))}, up to "
            f"{np.nanmax(self.estimate):.3g} per km2)"
        )

    def _repr_html_(self) -> str:
        return (
            f"<div><code>{html.escape(repr(self))}</code><p>{html.escape(self.summary())}</p></div>"
        )


def cells_of(surface: Surface) -> NDArray[np.object_]:
    """
    Return the cells of a window, cut off at its edge.

    Parameters
    ----------
    surface : Surface
        The cells.

    Returns
    -------
    numpy.ndarray of shapely.Polygon or shapely.MultiPolygon
        In the plane, from the south-west, row by row.
    """
    grid, inside = surface.grid, surface.inside
    row, column = np.nonzero(inside)
    west = grid.west + column * grid.cell_m
    south = grid.south + row * grid.cell_m
    cells = np.asarray(shapely.box(west, south, west + grid.cell_m, south + grid.cell_m))
    partly = surface.covered_m2[inside] < (1 - _FULL) * grid.cell_m**2
    cells[partly] = shapely.intersection(cells[partly], surface.window)
    return cells


def write_grid(path: str | os.PathLike[str], values: Floats, surface: Surface) -> Path:
    """
    Write numbers of cells as an ESRI ASCII grid and its ``.prj``.

    Parameters
    ----------
    path : path-like
        A name that ends in ``.asc``.
    values : numpy.ndarray, shape (rows, columns)
        NaN where there is none.
    surface : Surface
        The cells.

    Returns
    -------
    pathlib.Path
        The path written.

    Raises
    ------
    ExportError
        If the name ends otherwise, or a file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != ".asc":
        message = f"{str(target)!r} does not end in .asc, the name of an ESRI ASCII grid."
        raise ExportError(message)
    grid = surface.grid
    rows, columns = values.shape
    head = {
        "ncols": columns,
        "nrows": rows,
        "xllcorner": repr(float(grid.west)),
        "yllcorner": repr(float(grid.south)),
        "cellsize": repr(float(grid.cell_m)),
        "NODATA_value": _ABSENT,
    }
    lines = [f"{name} {value}" for name, value in head.items()]
    filled = np.where(np.isfinite(values), values, _ABSENT)[::-1]
    lines += [" ".join(f"{value:.9g}" for value in row) for row in filled.tolist()]
    write_bytes(target.with_suffix(".prj"), surface.crs.to_wkt("WKT1_ESRI").encode())
    return write_bytes(target, ("\n".join(lines) + "\n").encode())
