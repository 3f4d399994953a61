"""JMA disaster XML (気象庁防災情報XML): telegrams in, warnings in force out."""

from geoshare.sources.jma.bodies import holds_warnings
from geoshare.sources.jma.features import COLLECTION, PlaceOf, as_batch
from geoshare.sources.jma.reader import TelegramReader
from geoshare.sources.jma.state import Announced, fold, in_order, unmatched
from geoshare.sources.jma.telegram import Telegram, from_dict, parse_telegram
from geoshare.sources.jma.xml import MAX_BYTES, read_root

__all__ = [
    "COLLECTION",
    "MAX_BYTES",
    "Announced",
    "PlaceOf",
    "Telegram",
    "TelegramReader",
    "as_batch",
    "fold",
    "from_dict",
    "holds_warnings",
    "in_order",
    "parse_telegram",
    "read_root",
    "unmatched",
]
