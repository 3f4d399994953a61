"""Where the command ``geoshare`` begins.

``geoshare sync`` of files asks a server and needs nothing of this one: it is answered before everything
else is imported, which takes longer than an area in which nothing has changed.
"""

from __future__ import annotations

import sys

from geoshare.client.command import area


def main() -> None:
    """Run the command line."""
    said = sys.argv[1:]
    if said[:1] == ["sync"] and said[1:2] != ["warnings"]:
        area(said[1:], prog_name="geoshare sync")
    from geoshare.cli import main as whole  # noqa: PLC0415 - see above

    whole()


if __name__ == "__main__":
    main()
