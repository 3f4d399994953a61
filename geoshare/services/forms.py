"""In which formats this version of the product writes what readers open."""

from __future__ import annotations

from typing import Final

from geoshare.access.manifest import FORMAT as OF_VIEWS
from geoshare.publish.manifest import FORMAT as OF_MANIFESTS
from tiles.pack.layout import FORMAT_VERSION as OF_PARTS

FORM: Final = f"manifest {OF_MANIFESTS}, part {OF_PARTS}, view {OF_VIEWS}"
