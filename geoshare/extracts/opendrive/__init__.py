"""ASAM OpenDRIVE out of views: kept elements where there are any, fitted roads elsewhere."""

from geoshare.extracts.opendrive.write import write_opendrive

__all__ = ["write_opendrive"]
