"""Questions to a view: pages of features, names, tiles. Nothing here knows more than the view."""

from geoshare.access.view import RasterView, View
from geoshare.access.views import Views

__all__ = ["RasterView", "View", "Views"]
