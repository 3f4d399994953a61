"""GeoJSON: rows of tables in, features out."""

from tiles.geojson.features import write_features

__all__ = ["write_features"]
