"""Area extracts: parts of views as files that other tools open, with terms and a manifest."""

from geoshare.extracts.page import write_page
from geoshare.extracts.request import ExtractRequest
from geoshare.extracts.write import write_extract

__all__ = ["ExtractRequest", "write_extract", "write_page"]
