"""What hazards are called wherever they are named: on printed maps, in styles and in the browser.

``hazards.json`` is read by all of them: the hazards that evacuation sites are designated for, in
Japanese and English, and what warnings warn of, in English; the service's own names are Japanese.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import orjson

_SAID: Final[dict[str, Any]] = orjson.loads((files("geoshare.model") / "hazards.json").read_bytes())
NAMES: Final[dict[str, tuple[str, str]]] = {name: (ja, en) for name, (ja, en) in _SAID["names"].items()}
WARNED_OF: Final[dict[str, str]] = _SAID["warnedOf"]
