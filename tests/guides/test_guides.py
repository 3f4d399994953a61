"""The code of the guides runs as it stands; they are served in both languages, with their pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geoshare.api.guides import GUIDES, PICTURES
from tests.api.conftest import Own
from tests.api.test_docs import Seen

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "geoshare" / "api" / "guides"
MAX_BYTES = 150_000
CODE = re.compile(r"```\w+\n.*?```", re.S)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    return Own(tmp_path_factory.mktemp("own") / "data")


def test_the_steps_in_geopandas_run_one_after_the_other(live_server, capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    text = (FOLDER / "geopandas.md").read_text("utf-8")
    known = {"KEY": live_server.keys["developer"]}
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        exec(compile(block.replace("http://127.0.0.1:8080", live_server.url), "guide", "exec"), known)
    assert len(known["schools"]) > 0
    assert known["schools"]["name"].str.endswith("小学校").all()
    assert known["buildings"].crs.to_epsg() == 6677
    assert len(known["near"]) >= len(known["buildings"])
    assert 0 < known["near"]["metres"].median() < 5_000
    assert "小学校" in capsys.readouterr().out
    west, east = known["axes"].get_xlim()
    assert known["near"].cx[west:east, slice(*known["axes"].get_ylim())].shape[0] > 100


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_is_one_text_in_two_languages_and_its_pictures_are_there(name):
    texts = [(FOLDER / f"{name}{end}.md").read_text("utf-8") for end in ("", ".ja")]
    assert CODE.findall(texts[0]) == CODE.findall(texts[1]) != []
    for text in texts:
        for lead in re.findall(r"\]\(((?!http)[^)#]+)\)", text):
            found = FOLDER / lead
            assert found.exists(), lead
            assert found.suffix != ".png" or 5_000 < found.stat().st_size < MAX_BYTES, lead
    assert [text.count("\n#") for text in texts[1:]] == [texts[0].count("\n#")]
    assert f"guides/{name}.md" in (ROOT / "docs" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_docs_lead_to_every_guide_and_those_to_pictures_of_this_server(own, lang):
    leads = Seen(own.get("/docs", None).text).leads
    for name in GUIDES:
        address = f"http://localhost/docs/guides/{name}?lang={lang}"
        assert address in leads
        answer = own.get(address.removeprefix("http://localhost"), None)
        assert (answer.status_code, answer.headers["Content-Language"]) == (200, lang)
        assert f'<html lang="{lang}">' in answer.text
        assert "127.0.0.1" not in answer.text
        assert "$(KEY" not in answer.text
        seen = Seen(answer.text)
        assert not {"script", "iframe"} & seen.marks
        assert all(
            re.match(r"http://localhost/|\?lang=|images/\w+\.png$", lead) for lead in seen.leads
        ), seen.leads
        for lead in (lead for lead in seen.leads if lead.startswith("images/")):
            picture = own.get(f"/docs/guides/{lead}", None)
            assert (picture.status_code, picture.mimetype) == (200, "image/png")
            assert lead.removeprefix("images/").removesuffix(".png") in PICTURES


def test_there_are_no_other_guides(own):
    nothing = own.get("/docs/guides/other", None)
    assert nothing.status_code == 404
    assert own.get("/docs/guides/images/other.png", None).data == nothing.data
    assert own.get("/docs/guides/images/..%2f..%2f__init__.png", None).status_code == 404
