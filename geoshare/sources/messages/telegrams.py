"""What is said of a telegram of the Japan Meteorological Agency."""

from __future__ import annotations

from geoshare.model.report import Message


def telegram_namespace() -> Message:
    return Message(
        "telegram-namespace",
        "This is no JMA disaster-prevention XML: Report, Control and Head must be in its namespaces.",
        "気象庁防災情報XMLではありません(Report・Control・Headの名前空間が違います)。",
    )


def telegram_deep(limit: int) -> Message:
    return Message(
        "telegram-deep",
        f"The telegram is nested more than {limit} deep.",
        f"電文の入れ子が{limit}段を超えています。",
    )


def telegram_missing(what: str) -> Message:
    return Message(
        "telegram-missing", f"The telegram lacks a usable {what}.", f"電文に有効な{what}がありません。"
    )


def telegram_future(hours: int) -> Message:
    return Message(
        "telegram-future",
        f"The telegram says it was reported more than {hours} hours from now; check both clocks.",
        f"電文の発表時刻が現在より{hours}時間以上先です。時計を確認してください。",
    )


def telegram_empty() -> Message:
    return Message(
        "telegram-empty",
        "The telegram names no area that can be read; it was put aside as received.",
        "読み取れる区域が電文にないため、受信したまま保管しました。",
    )


def telegram_clock(minutes: int) -> Message:
    return Message(
        "telegram-clock",
        f"The telegram was reported {minutes} min ahead of this machine's clock; it is taken as it is.",
        f"電文の発表時刻がこの機械の時計より{minutes}分進んでいます。そのまま取り込みました。",
    )


def telegram_other(title: str) -> Message:
    return Message(
        "telegram-other",
        f"Telegrams of this kind hold no warnings that are shown: {title}",
        f"この種類の電文は警報・注意報として表示しません: {title}",
    )


def telegram_encoding(declared: str) -> Message:
    return Message(
        "telegram-encoding",
        f"The telegram declares {declared}, and is not written in it; it was read as UTF-8.",
        f"電文の文字コード宣言({declared})が実際と違うため、UTF-8として読みました。",
    )


def telegram_broken_item(what: str) -> Message:
    return Message(
        "telegram-item",
        f"An item of the telegram cannot be used: {what}.",
        f"電文の項目が使えません: {what}",
    )


def telegram_no_event() -> Message:
    return Message(
        "telegram-event",
        "The telegram names no event; it is told apart by its kind and the issuing office alone.",
        "電文にEventIDがないため、種類と発表官署だけで区別します。",
    )


def telegram_unknown_place(codes: str) -> Message:
    return Message(
        "telegram-place",
        f"No administrative area is published for these codes, so they have no shape: {codes}",
        f"行政区域のないコードのため図形がありません: {codes}",
    )


def telegram_nothing_former() -> Message:
    return Message(
        "telegram-former",
        "What the telegram corrects or cancels has not come; it is kept and counts when that comes.",
        "訂正・取消の対象の電文が未着です。保管し、届いた時に反映します。",
    )


def telegram_nothing_changes() -> Message:
    return Message(
        "telegram-nothing",
        "Nothing that is or was in force follows from the telegrams so far; the telegram is kept.",
        "これまでの電文から発表中・解除済みの情報はありません。電文は保管しました。",
    )


def telegram_elsewhere() -> Message:
    return Message(
        "telegram-elsewhere",
        "JMA telegrams come by the warnings folder or address, where their order is kept.",
        "気象庁の電文は、順序を守るため警報用フォルダか指定アドレスから取り込みます。",
    )
