"""Worked examples of the point-radius method, to the metre, against geodesics of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pyproj import Geod

from geo._radii import coordinate_radius, offset_radius

GEOD = Geod(ellps="WGS84")


def degrees_m(lat: float, step: float) -> tuple[float, float]:
    """The lengths of a step of latitude and of one of longitude, by geodesics."""
    north = GEOD.inv(104.0, lat - step / 2, 104.0, lat + step / 2)[2]
    east = GEOD.inv(104.0 - step / 2, lat, 104.0 + step / 2, lat)[2]
    return north, east


def test_the_worked_example_of_a_hundredth_of_a_degree_has_the_published_legs():
    # Chapman and Wieczorek (2020): 10.27, -123.6 is within 1.1061 and 1.0955 km
    north, east = degrees_m(10.27, 0.01)
    assert (north, east) == pytest.approx((1106.1, 1095.5), abs=0.05)
    assert coordinate_radius(10.27, 0.01) == pytest.approx(1556.8, abs=0.05)
    assert coordinate_radius(10.27, 0.01) == pytest.approx(math.hypot(north, east), abs=0.01)


@pytest.mark.parametrize("lat", [0.0, 10.0, 13.5, 30.0, -45.0, 80.0])
@pytest.mark.parametrize("step", [0.1, 0.01, 1 / 60, 1 / 3600, 1e-5])
def test_the_radius_of_a_precision_is_the_diagonal_of_its_cell(lat, step):
    diagonal = math.hypot(*degrees_m(lat, step))
    assert coordinate_radius(lat, step) == pytest.approx(diagonal, rel=2e-6)


@pytest.mark.parametrize(
    ("half_angle", "published_m"),
    [(45.0, 7654), (22.5, 3902), (11.25, 1960)],
    ids=["N", "NE", "NNE"],
)
def test_ten_kilometres_in_a_direction_alone_are_as_uncertain_as_published(half_angle, published_m):
    radius = offset_radius(10_000, 0, half_angle, 0)
    # 2 d sin(half the angle): 10 km NE is the published 3.90 km
    assert radius == pytest.approx(2 * 10_000 * math.sin(math.radians(half_angle) / 2), abs=1e-9)
    assert radius == pytest.approx(published_m, abs=0.5)
    centre = GEOD.fwd(104.5, 12.8, 45.0, 10_000.0)
    turns = 45.0 + half_angle * np.linspace(-1, 1, 41)
    lon, lat, _ = GEOD.fwd(*np.broadcast_to([[104.5], [12.8]], (2, 41)), turns, np.full(41, 1e4))
    apart = GEOD.inv(*np.broadcast_to([[centre[0]], [centre[1]]], (2, 41)), lon, lat)[2]
    assert apart.max() == pytest.approx(radius, abs=1)


def test_what_contributes_to_a_radius_is_added_and_never_squared():
    # BioGeomancer's example: an extent of 3,000 m and a coordinate in seconds
    parts = 3000.0 + math.hypot(*degrees_m(35.3733333, 1 / 3600))
    assert coordinate_radius(35.3733333, 1 / 3600, 3000.0) == pytest.approx(parts, abs=1e-3)
    assert coordinate_radius(35.3733333, 1 / 3600, 3000.0) == pytest.approx(3039.8366457945735)
    assert offset_radius(10_000, 0, 22.5, 3000.0) == offset_radius(10_000, 0, 22.5, 0) + 3000.0
