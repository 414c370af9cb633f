"""Locations, proximity, clustering and areal counts of reported sites."""
