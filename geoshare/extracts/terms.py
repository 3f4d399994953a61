"""The terms that go with every extract, in Japanese and English."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final, Protocol

from geoshare.extracts.licences import AGREEMENT, WORDS, Rights, rights_of, together
from geoshare.model.collections import Collection
from geoshare.model.policy import Policy, Terms
from geoshare.model.times import iso
from geoshare.query import RasterView, View

TABLE: Final = "terms.csv"
_BOM: Final = "\ufeff"
_HEADINGS: Final = (
    "データ / collection", "データ名 / title", "ライセンス / licence", "商用利用 / commercial use",
    "改変 / modification", "再配布 / redistribution", "出典表示 / attribution",
    "出典の記載例 / attribution to copy", "注意 / notes",
)  # fmt: skip
_MIXTURE: Final = "全体 / all together"
_NO_ONE: Final = (
    "組み合わせて作ったものを一つの条件で再配布できません。データごとに分けて渡してください。"
    " / What is made of all of it cannot be passed on under one licence: keep the data apart."
)

_HEAD: Final = """利用条件 / Terms of use
========================

この抽出データは、データごとに次の条件で提供されます。
This extract is provided under the following terms, collection by collection.

"""
_LICENCES: Final = {
    "CC-BY-4.0": (
        "クリエイティブ・コモンズ 表示 4.0 国際。出典を表示すれば、複製、改変、再配布ができます。",
        "Creative Commons Attribution 4.0 International. You may copy, adapt and share it if you name"
        " the source.",
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    "CC0-1.0": (
        "CC0 1.0 全世界。著作権法上認められる限り、権利は放棄されています。",
        "CC0 1.0 Universal. Rights are waived as far as the law allows.",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
    "ODbL-1.0": (
        "オープンデータベースライセンス 1.0。出典を表示し、派生データベースも同じ条件で公開します。",
        "Open Database License 1.0. Name the source and offer derived databases under the same terms.",
        "https://opendatacommons.org/licenses/odbl/1-0/",
    ),
}
_AGREEMENT: Final = (
    "貴組織と運営者との契約によります。契約で認められた目的と相手の範囲でのみ利用できます。",
    "Under the agreement between your organisation and the operator: for the purposes and recipients"
    " it allows, and no others.",
    "",
)


class Named(Protocol):
    """What is of a collection."""

    collection: Collection


def attribution(policy: Policy, views: Sequence[Named]) -> str:
    """Where tiles are from, and under which terms they are had."""
    licences = {name for view in views for name in licences_of(policy, view.collection.name)}
    return f"geoshare ({', '.join(sorted(licences))})"


def licences_of(policy: Policy, collection: str) -> list[str]:
    """Licences of the grants that show a collection, in order."""
    found = {grant.licence or AGREEMENT for grant in policy.grants_for(collection)}
    return sorted(found)


def terms(policy: Policy, views: Sequence[View | RasterView]) -> str:
    """Text of ``LICENCES.txt``."""
    sections = []
    for view in views:
        about = view.collection
        lines = [f"{about.title_ja} / {about.title} ({about.name})"]
        for licence in licences_of(policy, about.name):
            japanese, english, address = _LICENCES.get(licence, _AGREEMENT)
            lines += [f"  {licence}", f"  {japanese}", f"  {english}"]
            lines += [f"  {address}"] if address else []
        sections.append("\n".join(lines))
    return _HEAD + "\n\n".join(sections) + "\n"


def answers(
    policy: Policy, views: Sequence[View | RasterView], now_us: int, agreements: Sequence[Terms] = ()
) -> dict[str, Any]:
    """What may be done with each collection and with the mixture, and the attribution to copy.

    Parameters
    ----------
    policy, views
        Under what the data are had, and what they are.
    now_us
        When, which attributions state.
    agreements
        Terms of the caller's agreements in force.
    """
    day = iso(now_us)[:10]
    lines, rights = [], []
    for view in views:
        about = view.collection
        licences = licences_of(policy, about.name)
        own = rights_of(licences, agreements)
        rights.append(own)
        lines.append(
            {"collection": about.name, "title": about.title, "title_ja": about.title_ja}
            | {"licences": licences, **_rights(own)}
            | _credits(policy, view, licences, day)
        )
    whole = together(rights)
    mixture: dict[str, Any] = _rights(whole)
    for language in ("attribution", "attribution_ja"):
        mixture[language] = "; ".join(dict.fromkeys(line[language] for line in lines))
    mixture["separable_only"] = whole.conflict
    return {"collections": lines, "mixture": mixture}


def terms_table(said: dict[str, Any]) -> bytes:
    """The answers as a table that Excel opens: UTF-8 with a byte order mark."""
    sink = io.StringIO(newline="")
    table = csv.writer(sink, lineterminator="\r\n")
    table.writerow(_HEADINGS)
    for line in said["collections"]:
        table.writerow(_cells(line["collection"], line["title_ja"], " ".join(line["licences"]), line))
    mixture = said["mixture"]
    note = _NO_ONE if mixture["separable_only"] else ""
    table.writerow([*_cells(_MIXTURE, "", "", mixture)[:-1], note])
    return (_BOM + sink.getvalue()).encode()


def _cells(name: str, title: str, licences: str, line: dict[str, Any]) -> list[str]:
    words = [" / ".join(WORDS[line[of]]) for of in ("commercial", "modification", "redistribution")]
    needed = "必要 / needed" if line["attribution_needed"] else "不要 / not needed"
    credit = f"{line['attribution_ja']}\n{line['attribution']}"
    return [name, title, licences, *words, needed, credit, " ".join(line.get("duties", []))]


def _rights(own: Rights) -> dict[str, Any]:
    return {
        "commercial": own.commercial,
        "modification": own.modification,
        "redistribution": own.redistribution,
        "attribution_needed": own.attribution,
        "share_alike": sorted(own.alike),
    }


def _credits(policy: Policy, view: View | RasterView, licences: list[str], day: str) -> dict[str, Any]:
    """Attribution to copy, by the grants' duties where they have a text, and the other duties."""
    about = view.collection
    duties = [duty for grant in policy.grants_for(about.name) for duty in grant.duties]
    given = [duty for duty in duties if duty.kind == "attribute"]
    named = ", ".join(licences)
    if given:
        english = "; ".join(dict.fromkeys(duty.text for duty in given))
        japanese = "、".join(dict.fromkeys(duty.text_ja or duty.text for duty in given))
    else:
        english = f"Source: {about.title}, geoshare, {day}, {named}"
        japanese = f"出典：「{about.title_ja}」（geoshare、{day} 時点、{named}）"
    others = sorted({duty.kind for duty in duties} - {"attribute"})
    return {"attribution": english, "attribution_ja": japanese, "duties": others}
