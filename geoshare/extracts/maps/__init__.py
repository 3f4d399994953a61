"""Maps on paper and as pictures, drawn on the server from views alone."""

from geoshare.extracts.maps.choosing import drawn_views
from geoshare.extracts.maps.picture import picture

__all__ = ["drawn_views", "picture"]
