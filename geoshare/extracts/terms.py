"""The terms that go with every extract, in Japanese and English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from geoshare.model.policy import Policy
from geoshare.query import RasterView, View

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
AGREEMENT: Final = "LicenseRef-agreement"


def attribution(policy: Policy, views: Sequence[View | RasterView]) -> str:
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
