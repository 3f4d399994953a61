"""Area extracts: parts of views as files that other tools open, with terms and a manifest."""

from geoshare.extracts.page import write_page
from geoshare.extracts.request import ExtractRequest, estimate
from geoshare.extracts.write import write_extract

__all__ = ["ExtractRequest", "estimate", "write_extract", "write_page"]
