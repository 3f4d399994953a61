"""ASAM OpenDRIVE maps, versions 1.4 to 1.8."""

from geoshare.sources.opendrive.reader import OpenDriveReader

__all__ = ["OpenDriveReader"]
