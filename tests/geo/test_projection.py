from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from pyproj import CRS, Geod
from shapely import LineString, MultiPoint, Point, box

from geo.errors import CRSError, GeometryError
from geo.projection import local_crs, max_scale_error, to_degrees, to_metres


def centre(crs: CRS) -> tuple[float, float]:
    values = {param.name: param.value for param in crs.coordinate_operation.params}
    return values["Longitude of natural origin"], values["Latitude of natural origin"]


def test_centre_of_points_across_the_antimeridian_lies_between_them():
    lon, lat = centre(local_crs(MultiPoint([(178, -17), (-178, -17)])))
    assert abs(lon) == 180
    assert lat == pytest.approx(-17, abs=0.02)


def test_centre_near_the_pole_is_the_pole():
    ring = MultiPoint([(lon, 88) for lon in range(-180, 180, 30)])
    assert centre(local_crs(ring))[1] == pytest.approx(90, abs=1e-5)


def test_centre_does_not_depend_on_row_order():
    rng = np.random.default_rng(4)
    points = gpd.GeoSeries(
        gpd.points_from_xy(rng.uniform(102, 108, 500), rng.uniform(10, 15, 500)), crs=4326
    )
    assert local_crs(points) == local_crs(points.sample(frac=1, random_state=1))


def test_areas_are_true():
    province = box(103, 11, 105, 13).segmentize(0.001)
    plane = gpd.GeoSeries([province], crs=4326).to_crs(local_crs(province))
    true = abs(Geod(ellps="WGS84").geometry_area_perimeter(province)[0])
    assert plane.area.iloc[0] == pytest.approx(true, rel=1e-7)


def test_missing_geometries_are_passed_over_and_only_missing_ones_are_an_error():
    frame = gpd.GeoSeries([None, Point(104, 12), Point()], crs=4326)
    assert centre(local_crs(frame))[0] == 104
    with pytest.raises(GeometryError, match="no geometry"):
        local_crs(frame.iloc[[0, 2]])


def test_data_around_the_globe_have_no_centre():
    with pytest.raises(CRSError, match="surround the globe"):
        local_crs(MultiPoint([(0, 0), (120, 0), (-120, 0)]))


def test_scale_error_agrees_with_the_formula_on_the_sphere():
    # Snyder 1987, equation 24-2: k' = sqrt(2 / (1 + cos c)) across, 1 / k' along the radius
    error = max_scale_error(Point(109.5, 0), local_crs(Point(100, 0)))
    assert error == pytest.approx(1 / np.cos(np.radians(9.5) / 2) - 1, rel=0.02)


def test_scale_error_bounds_the_error_of_measured_lengths():
    extent = box(97, 5, 110, 24)
    crs = local_crs(extent)
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(97, 110, 300), rng.uniform(5, 24, 300)
    east, north, _ = Geod(ellps="WGS84").fwd(lon, lat, rng.uniform(0, 360, 300), np.full(300, 100))
    ends = zip(lon, lat, east, north, strict=True)
    lines = [LineString([(x1, y1), (x2, y2)]) for x1, y1, x2, y2 in ends]
    projected = gpd.GeoSeries(lines, crs=4326).to_crs(crs).length
    worst = np.abs(projected / 100 - 1).max()
    assert 0.5 * max_scale_error(extent) < worst <= max_scale_error(extent) + 1e-5


def test_scale_error_refuses_degrees_and_places_that_a_projection_cannot_show():
    with pytest.raises(CRSError, match="not projected"):
        max_scale_error(Point(104, 12), CRS.from_epsg(4326))
    with pytest.raises(CRSError, match="cannot be shown"):
        max_scale_error(Point(-80, 0), local_crs(Point(100, 0)))


def test_frame_without_crs_is_an_error_at_every_door():
    frame = gpd.GeoSeries([Point(104, 12)])
    for door in (local_crs, max_scale_error, to_degrees, to_metres):
        with pytest.raises(CRSError, match="no coordinate reference system"):
            door(frame)


def test_projected_frame_in_metres_is_taken_as_it_is():
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(500_000, 1_300_000)], crs=32648)
    assert to_metres(frame) is frame


def test_feet_become_metres_in_the_same_projection():
    feet = gpd.GeoSeries([Point(984_000, 207_000), Point(984_000 + 5280, 207_000)], crs=2263)
    metres = to_metres(feet)
    assert all(axis.unit_name == "metre" for axis in metres.crs.axis_info)
    survey_foot = 1200 / 3937
    assert metres.iloc[0].distance(metres.iloc[1]) == pytest.approx(5280 * survey_foot, rel=1e-9)
    assert metres.x.iloc[0] == pytest.approx(984_000 * survey_foot, rel=1e-9)


def test_geographic_frame_is_projected_around_its_own_centre():
    frame = gpd.GeoSeries([Point(104, 12), Point(104.01, 12)], crs=4326, index=["a", "b"])
    metres = to_metres(frame)
    assert list(metres.index) == ["a", "b"]
    length = Geod(ellps="WGS84").inv(104, 12, 104.01, 12)[2]
    assert metres["a"].distance(metres["b"]) == pytest.approx(length, rel=1e-6)


def test_compound_system_is_refused_with_advice():
    frame = gpd.GeoSeries([Point(984_000, 207_000)], crs="EPSG:2263+6360")
    with pytest.raises(CRSError, match="Compound CRS"):
        to_metres(frame)


def test_to_degrees_returns_longitude_and_latitude():
    point = to_degrees(gpd.GeoSeries([Point(500_000, 0)], crs=32648)).iloc[0]
    assert (point.x, point.y) == pytest.approx((105, 0), abs=1e-9)


def test_plain_tables_and_frames_without_geometry_are_refused():
    with pytest.raises(TypeError, match="GeoDataFrame"):
        to_metres(gpd.pd.DataFrame({"a": [1]}))
    with pytest.raises(GeometryError, match="no geometry column"):
        to_metres(gpd.GeoDataFrame({"a": [1]}))
