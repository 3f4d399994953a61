"""Contributing: a file comes in, and becomes one change set of the record, or nothing at all."""

from geoshare.ingest.checks import check
from geoshare.ingest.complete import Complete
from geoshare.ingest.contribute import IngestResult, Terms, contribute, sweep
from geoshare.ingest.reports import report_from_json, report_json
from geoshare.ingest.together import Sent, contribute_together

__all__ = [
    "Complete",
    "IngestResult",
    "Sent",
    "Terms",
    "check",
    "contribute",
    "contribute_together",
    "report_from_json",
    "report_json",
    "sweep",
]
