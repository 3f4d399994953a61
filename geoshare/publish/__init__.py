"""Publishing: from the record to packs and manifests that readers open."""

from geoshare.publish.keeper import Keeper, KeeperBusy, wait_published
from geoshare.publish.manifest import Manifest, RasterManifest, read_manifest, read_raster_manifest
from geoshare.publish.packs import Packs, Published
from geoshare.publish.publisher import Publisher, PublishingFailed

__all__ = [
    "Keeper",
    "KeeperBusy",
    "Manifest",
    "Packs",
    "Published",
    "Publisher",
    "PublishingFailed",
    "RasterManifest",
    "read_manifest",
    "read_raster_manifest",
    "wait_published",
]
