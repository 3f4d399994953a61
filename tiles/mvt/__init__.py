"""Vector tiles: rows of tables in, MVT 2.1 layers out."""

from tiles.mvt.layer import encode_layer

__all__ = ["encode_layer"]
