"""Build the reference layers in geo/data from their source files.

Run from the root of the repository, with the paths of the sources (SOURCES.md says
where each comes from and what is done to it)::

    python geo/data/build/build_layers.py --cambodia khm_admin_derived_from_registry.gpkg \
        --neighbours ne_10m_admin1_sea.gpkg --water ne_50m_water_sea_from_registry.gpkg \
        --towns geonames_places_mekong.csv.gz --reports reported_sites.csv \
        --world countries-50m.json --out geo/data

The same sources and the same versions of the libraries give the same bytes. Needs
shapely 2.2 (`coverage_clean`); the library itself does not.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

NODE_SNAP_DEG = 1e-7  # with 0 coverage_clean loses part of Cambodia, with 1e-6 it moves corners
SIMPLIFY_DEG = 0.0027  # 300 m: the neighbours are ground for drawing, good to 1 km anyway
COAST_REACH_DEG = 0.05  # borders of the two scales lie less than 3 km apart
NAMES = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
COUNTRIES: dict[str, tuple[str, str]] = NAMES["countries"]
SPELLINGS: dict[str, list[str]] = NAMES["provinces"]
WORLD_BOX = (60.0, -15.0, 150.0, 55.0)
MERIDIAN_BETWEEN = 100.0  # of the Cocos Islands (west) and Christmas Island
FIVE = {"KH": "Cambodia", "LA": "Laos", "MM": "Myanmar", "TH": "Thailand", "VN": "Vietnam"}
AREA_COLUMNS = ["code", "name", "name_km", "country"]
# Four provinces that Natural Earth names after a region, or gives a code twice.
PROVINCE_CORRECTIONS = {
    ("VN-39", "Đông Nam Bộ"): ("VN-39", "Đồng Nai"),
    ("VN-53", "Đông Bắc"): ("VN-53", "Bắc Kạn"),
    ("VN-66", "Đồng Bằng Sông Hồng"): ("VN-66", "Hưng Yên"),
    ("LA-VI", "Vientiane [prefecture]"): ("LA-VT", "Vientiane Prefecture"),
}
# GeoNames calls Ta Khmau "Kandal" in Khmer, and Kep "picture of a town".
KHMER_CORRECTIONS = {"1821935": "តាខ្មៅ", "1830467": "កែប"}
# City, town, district hall, village: words before a name, not part of it.
KHMER_PREFIXES = ("ទីក្រុង", "ក្រុង", "សាលាស្រុក", "ភូមិ")


def main() -> None:
    """Read the sources, write the layers, print what was written."""
    arguments = read_arguments()
    out = arguments.out
    provinces, districts = read_cambodia(arguments.cambodia)
    all_provinces, five = add_neighbours(provinces, arguments.neighbours)
    countries = add_world(five, arguments.world)
    write_parquet(all_provinces, out / "provinces.parquet")
    write_parquet(districts, out / "districts.parquet")
    write_parquet(countries, out / "countries.parquet")
    write_parquet(trace_coastline(countries), out / "coastline.parquet")
    write_parquet(read_water(arguments.water), out / "water.parquet")
    official = {*districts["name_km"], *provinces["name_km"]}
    write_csv_gz(read_towns(arguments.towns, official), out / "towns.csv.gz")
    (out / "reported_sites.csv").write_bytes(arguments.reports.read_bytes())
    report(out)


def read_arguments() -> argparse.Namespace:
    """Paths of the sources and of the folder to write to."""
    parser = argparse.ArgumentParser(description="Build the reference layers.")
    for name in ("cambodia", "neighbours", "water", "towns", "reports", "world", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser.parse_args()


def read_cambodia(path: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Provinces and districts of Cambodia, geometry untouched."""
    provinces = gpd.read_file(path, layer="adm1").sort_values("pcode", ignore_index=True)
    provinces = provinces.assign(
        code=provinces["pcode"],
        name=provinces["province_name"],
        name_km=provinces["province_name_km"],
        country="KH",
        aliases=[
            aliases(name, [official, *SPELLINGS.get(code, [])])
            for code, name, official in zip(
                provinces["pcode"],
                provinces["province_name"],
                provinces["province_en"],
                strict=True,
            )
        ],
    )
    districts = gpd.read_file(path, layer="adm2").sort_values("pcode", ignore_index=True)
    districts = districts.assign(
        code=districts["pcode"],
        name=districts["district_en"],
        name_km=districts["district_kh"],
        country="KH",
        province_code="KH" + districts["province_code"],
        province=districts["province_name"],
    )
    return (
        provinces[[*AREA_COLUMNS, "aliases", "geometry"]],
        districts[[*AREA_COLUMNS, "province_code", "province", "geometry"]],
    )


def aliases(name: str, others: Iterable[str]) -> str | None:
    """Join other spellings than `name` with a vertical bar (one at the source is garbled)."""
    return (
        "|".join(sorted({other for other in others if other and "£" not in other} - {name})) or None
    )


def add_neighbours(
    cambodia: gpd.GeoDataFrame, path: Path
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Add the provinces of the four neighbours; unite provinces to the five countries."""
    source, simple = read_neighbours(path)
    outline = shapely.coverage_union_all(cambodia.geometry.to_numpy())
    cover = fit_around([outline], simple)
    neighbours = gpd.GeoDataFrame(
        name_neighbours(source), geometry=multi(cover[1:]), crs=cambodia.crs
    ).sort_values(["country", "code"], ignore_index=True)
    provinces = pd.concat([cambodia, neighbours], ignore_index=True)
    return provinces, unite_countries(cover[0], neighbours)


def read_neighbours(path: Path) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Rows of the neighbours' provinces, and their outlines simplified as one coverage."""
    source = gpd.read_file(path)
    source = source[source["iso_a2"].isin(FIVE)]
    source = source.sort_values(["iso_a2", "iso_3166_2", "name"], ignore_index=True)
    # Natural Earth's Cambodia takes part so that its border is simplified as a shared edge.
    simple = shapely.coverage_simplify(source.geometry.to_numpy(), SIMPLIFY_DEG)
    simple = shapely.transform(simple, lambda corners: np.round(corners, 5))
    foreign = (source["iso_a2"] != "KH").to_numpy()
    return pd.DataFrame(source[foreign].drop(columns="geometry")), simple[foreign]


def name_neighbours(source: pd.DataFrame) -> pd.DataFrame:
    """Codes, names and other spellings of the neighbours' provinces, the wrong ones put right."""
    rows = []
    for code, own, english, others in zip(
        source["iso_3166_2"],
        source["name"],
        source["name_en"].fillna(""),
        source["name_alt"].fillna("").str.split("|"),
        strict=True,
    ):
        wrong = (code, own) in PROVINCE_CORRECTIONS
        right, name = PROVINCE_CORRECTIONS.get((code, own), (code, english or own))
        rows.append((right, name, None if wrong else aliases(name, [own, *others])))
    named = pd.DataFrame(rows, columns=["code", "name", "aliases"])
    named["name_km"] = pd.array([None] * len(named), dtype="str")
    named["country"] = source["iso_a2"].to_numpy()
    return named[[*AREA_COLUMNS, "aliases"]]


def unite_countries(cambodia: shapely.Geometry, neighbours: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Unite the provinces of each of the five countries."""
    outlines = [cambodia] + [
        shapely.coverage_union_all(neighbours.geometry[neighbours["country"] == code].to_numpy())
        for code in list(FIVE)[1:]
    ]
    return gpd.GeoDataFrame(
        {"country": list(FIVE), "name": list(FIVE.values()), "scale": "1:10m"},
        geometry=multi(outlines),
        crs=neighbours.crs,
    )


def add_world(five: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """Add the countries around the five, cut to the box and fitted to them."""
    source = gpd.read_file(path, layer="countries")
    source["geometry"] = shapely.make_valid(source.geometry.to_numpy())
    source = source[source.intersects(shapely.box(*WORLD_BOX))]
    source = pd.concat([source, split_ocean_territories(source)], ignore_index=True)
    source["country"] = [COUNTRIES.get(name, ("", ""))[0] for name in source["name"]]
    if unknown := sorted(set(source["name"]) - set(COUNTRIES) - {"Indian Ocean Ter."}):
        message = f"no country code for {unknown}: add them to names.json"
        raise SystemExit(message)
    same = source["country"].isin(FIVE)
    theirs = shapely.union_all(source.geometry[same].to_numpy())
    others = source[~same & (source["name"] != "Indian Ocean Ter.")].copy()
    others["full_name"] = [COUNTRIES[name][1] for name in others["name"]]
    others = others.dissolve("full_name", sort=True, as_index=False, aggfunc={"country": "first"})
    box = shapely.box(*WORLD_BOX)
    around = polygons(shapely.intersection(others.geometry.to_numpy(), box))
    core = five.geometry.to_numpy()
    # Where the 1:50m border of the five lies beyond the 1:10m one, the land is the neighbour's.
    strip = shapely.difference(theirs, shapely.union_all(core))
    reach = shapely.buffer(around, COAST_REACH_DEG)
    for part in shapely.get_parts(polygons([strip])[0]):
        shared = shapely.length(shapely.intersection(around, part.boundary))
        i = int(shared.argmax())
        if shared[i] > 0:
            piece = shapely.intersection(part, reach[i])
            around[i] = shapely.union(around[i], piece)
    cover = fit_around(core, polygons(around))
    world = gpd.GeoDataFrame(
        {
            "country": others["country"].replace("", None).astype("str"),
            "name": others["full_name"],
            "scale": "1:50m",
        },
        geometry=multi(cover[len(core) :]),
        crs=five.crs,
    ).sort_values("name", ignore_index=True)
    return pd.concat([five.set_geometry(multi(cover[: len(core)])), world], ignore_index=True)


def split_ocean_territories(source: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Christmas Island and the Cocos Islands, which Natural Earth keeps as one."""
    parts = source[source["name"] == "Indian Ocean Ter."].explode(ignore_index=True)
    western = parts.geometry.bounds["minx"] < MERIDIAN_BETWEEN
    parts["name"] = np.where(western, "Cocos Is.", "Christmas I.")
    return parts


def fit_around(
    core: Sequence[shapely.Geometry], around: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Cut `around` to `core` and fill the slivers between, so that all is one coverage."""
    outline = shapely.union_all(list(core))
    cut = polygons(shapely.difference(around, outline))
    cover: Any = shapely.coverage_clean(
        [*core, *cut], snapping_distance=NODE_SNAP_DEG, merge_strategy="min_index"
    )
    edges: Any = shapely.boundary(cover)
    for hole in holes(shapely.coverage_union_all(cover)):
        shared: Any = shapely.length(shapely.intersection(edges, hole.boundary))
        shared[: len(core)] = 0
        i = int(shared.argmax())
        if shared[i] > 0:
            parts = [*shapely.get_parts(cover[i]), hole]
            cover[i] = shapely.coverage_union_all(parts)
            edges[i] = cover[i].boundary
    before = {tuple(corner) for corner in shapely.get_coordinates(list(core))}
    after = {tuple(corner) for corner in shapely.get_coordinates(cover[: len(core)])}
    if not (shapely.coverage_is_valid(cover) and shapely.is_valid(cover).all()):
        message = "the fitted outlines are not a coverage"
        raise SystemExit(message)
    if lost := len(before - after):
        message = f"fitting moved {lost} corners of the outlines that must stay"
        raise SystemExit(message)
    return np.asarray(cover, dtype=object)


def trace_coastline(countries: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Edges of the countries that belong to one country only and not to the clip box."""
    edges: dict[tuple[float, ...], list[int]] = {}
    for i, geometry in enumerate(countries.geometry):
        for edge in segments(geometry):
            edges.setdefault(edge, []).append(i)
    west, south, east, north = WORLD_BOX
    fine = (countries["scale"] == "1:10m").to_numpy()
    lines: dict[str, list[Any]] = {"1:10m": [], "1:50m": []}
    for (x0, y0, x1, y1), owners in edges.items():
        on_box = (x0 == x1 and x0 in (west, east)) or (y0 == y1 and y0 in (south, north))
        if len(owners) == 1 and not on_box:
            line = shapely.LineString([(x0, y0), (x1, y1)])
            lines["1:10m" if fine[owners[0]] else "1:50m"].append(line)
    merged = [shapely.line_merge(shapely.MultiLineString(parts)) for parts in lines.values()]
    return gpd.GeoDataFrame(
        {"scale": list(lines)}, geometry=shapely.normalize(merged), crs=countries.crs
    )


def segments(geometry: shapely.Geometry) -> Iterable[tuple[float, ...]]:
    """Yield the edges of a polygon, each with its lesser corner first."""
    for ring in rings(geometry):
        corners = [tuple(corner) for corner in shapely.get_coordinates(ring)]
        for start, end in pairwise(corners):
            yield (*min(start, end), *max(start, end))


def rings(geometry: shapely.Geometry) -> Iterable[shapely.Geometry]:
    """Yield all rings of a polygon or multipolygon."""
    for part in shapely.get_parts(geometry):
        yield part.exterior
        yield from part.interiors


def holes(geometry: shapely.Geometry) -> list[Any]:
    """Interior rings, as polygons."""
    parts = shapely.get_parts(geometry)
    return [shapely.Polygon(ring) for part in parts for ring in part.interiors]


def polygons(geometries: Iterable[shapely.Geometry]) -> NDArray[np.object_]:
    """Drop the points and lines that an overlay leaves beside the polygons."""
    kept = []
    for geometry in geometries:
        parts = shapely.get_parts(shapely.get_parts(geometry))
        kept.append(shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"]))
    return np.array(kept, dtype=object)


def multi(geometries: Iterable[shapely.Geometry]) -> list[shapely.Geometry]:
    """Every geometry as a MultiPolygon with its parts in a fixed order."""
    return [
        shapely.normalize(shapely.MultiPolygon(list(shapely.get_parts(geometry))))
        for geometry in geometries
    ]


def read_water(path: Path) -> gpd.GeoDataFrame:
    """Lakes, then rivers."""
    layers = [gpd.read_file(path, layer=layer) for layer in ("lakes", "rivers")]
    return pd.concat(layers, ignore_index=True)[["kind", "geometry"]]


def read_towns(path: Path, official: set[str]) -> pd.DataFrame:
    """Places with one Khmer name each, largest first within a country."""
    source = pd.read_csv(path, dtype="str", keep_default_na=False)
    towns = pd.DataFrame(
        {
            "geonameid": source["geonameid"].astype("int64"),
            "name": source["name"],
            "name_km": [
                KHMER_CORRECTIONS.get(place) or khmer_name(names.split("|"), official)
                for place, names in zip(source["geonameid"], source["alternatenames"], strict=True)
            ],
            "country": source["countrycode"],
            "population": source["population"].astype("int64"),
            "admin1_code": source["admin1code"],
            "aliases": source["alternatenames"],
            "latitude": source["latitude"],
            "longitude": source["longitude"],
        }
    )
    order = ["country", "population", "geonameid"]
    return towns.sort_values(order, ascending=[True, False, True], ignore_index=True)


def khmer_name(names: Sequence[str], official: set[str]) -> str:
    """Choose the Khmer name: one that is an official name of a district or province first."""
    khmer = [name for name in names if any("\u1780" <= letter <= "\u17ff" for letter in name)]
    # GeoNames also lists names that have lost their vowel signs: never choose those.
    whole = [name for name in khmer if not any(name == bare(o) != o for o in khmer)]
    plain = [without_prefix(name) for name in whole]
    return next((name for name in plain if name in official), plain[0] if plain else "")


def bare(name: str) -> str:
    """Return a name without its combining signs."""
    return "".join(letter for letter in name if unicodedata.category(letter) != "Mn")


def without_prefix(name: str) -> str:
    """Return a Khmer name without the word for what it names."""
    clean = unicodedata.normalize("NFC", name).replace("\u200b", "").strip()
    for prefix in KHMER_PREFIXES:
        if clean.startswith(prefix):
            return clean.removeprefix(prefix).strip()
    return clean


def write_parquet(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write GeoParquet, compressed as far as zstd goes."""
    frame.to_parquet(path, index=False, compression="zstd", compression_level=19)


def write_csv_gz(frame: pd.DataFrame, path: Path) -> None:
    """Write a gzipped CSV without a time stamp."""
    text = frame.to_csv(index=False, lineterminator="\n")
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def report(out: Path) -> None:
    """Print size and sha256 of each file, as SOURCES.md lists them."""
    total = 0
    for path in sorted(out.iterdir()):
        if path.suffix in {".parquet", ".csv", ".gz"}:
            content = path.read_bytes()
            total += len(content)
            print(f"| `{path.name}` | {len(content):,} | {hashlib.sha256(content).hexdigest()} |")
    print(f"{total:,} bytes in all")


if __name__ == "__main__":
    main()
