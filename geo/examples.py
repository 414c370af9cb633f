"""The shipped reports: real public reporting, read as any user's file is."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pandas as pd

from geo.reading import read_sites
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["example_sites"]

# Joined by "; " as in `geo.reference`, so that a map prints each credit once.
_CREDITS = (
    "Reports: compiled from public reporting, each with its source; Places: GeoNames, CC BY 4.0"
)


def example_sites() -> gpd.GeoDataFrame:
    """
    Read the 97 shipped reports of scam compounds, as `read_sites` reads any file.

    Public reporting on Cambodia, Myanmar, the Philippines, Laos and Timor-Leste, cited row
    by row and located to towns, never to buildings. A row is a report, not a unique site;
    18 rows have no location.

    Returns
    -------
    geopandas.GeoDataFrame
        Sites with the columns of the schema, ``sensitivity`` being ``public`` in every row;
        ``attrs["attribution"]`` names the source.

    Examples
    --------
    >>> import geo
    >>> sites = geo.example_sites()
    >>> len(sites), int(sites.geometry.isna().sum())
    (97, 18)
    """
    with resources.as_file(resources.files("geo") / "data" / "reported_sites.csv") as path:
        sites = read_sites(path)
    sites.attrs["attribution"] = _CREDITS
    # each row cites where it was public before, and stands at a town, never at a building
    kinds = pd.Categorical(["public"] * len(sites), categories=VOCABULARIES["sensitivity"])
    return sites.assign(sensitivity=kinds)
