"""What docs/operating.md says can be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from geoshare.cli import main
from geoshare.terminal import tell

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operating.md"


@pytest.fixture
def run(tmp_path):
    def call(*arguments: str, fails: bool = False) -> str:
        found = CliRunner().invoke(main, arguments, env={"GEOSHARE_DATA": str(tmp_path / "data")})
        assert bool(found.exit_code) == fails, (arguments, found.output)
        return found.output.strip()

    return call


def test_the_agreement_of_the_guide_is_signed_listed_and_ended(run, tmp_path):
    written = GUIDE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "agreement.toml").write_text(written, "utf-8")
    for name in ("operator", "Example Motors"):
        run("organisations", "add", name)
    said = ("--file", str(tmp_path / "agreement.toml"), "--reason", "signed on paper")
    assert (
        run("agreements", "sign", "--organisation", "Example Motors", *said) == "example-motors-2026@1"
    )
    assert "Example Motors" in run("agreements", "list")
    assert "1 agreements" in run("organisations", "list")
    assert run("agreements", "end", "example-motors-2026", "--reason", "terminated") == "ended"


def test_organisations_have_names_that_can_be_read(run):
    run("organisations", "add", "shiomi-city", "--title", "潮見市")
    assert "潮見市" in run("organisations", "list")
    for name in ("", "two\nlines", "x" * 201):
        assert "name" in run("organisations", "add", name, fails=True)


def test_a_slip_of_the_pen_makes_no_organisation(run, tmp_path):
    run("organisations", "add", "Example Motors")
    run("organisations", "add", "shiomi-city")
    slip = ("--organisation", "example motor")
    sign = ("agreements", "sign", "--tier", "automaker", "--reason", "x")
    for words in (
        sign,
        ("keys", "create"),
        ("persons", "add", "x"),
        ("persons", "list"),
        ("departments", "add", "x"),
        ("departments", "list"),
        ("shares", "list"),
    ):
        said = run(*words, *slip, fails=True)
        assert "Example Motors" in said, words
        assert "shiomi-city" not in said
    assert len(run("organisations", "list").splitlines()) == 2
    run(*sign, *slip, "--new-organisation")
    assert len(run("organisations", "list").splitlines()) == 3
    (tmp_path / "p.csv").write_text("id,name,lon,lat\na,b,139.5,35.3\n", "utf-8")
    said = ("--collection", "places", "--crs", "EPSG:4326", str(tmp_path / "p.csv"))
    assert "shiomi-city" in run("contribute", "--provider", "siomi-city", *said, fails=True)
    run("contribute", "--provider", "somebody new", *said)


def test_the_first_operator_of_the_guide_comes_in(run):
    said = ("--days", "3650", "--reason", "we run it")
    run("agreements", "sign", "--organisation", "operator", "--tier", "operator", "--operator", *said)
    person = run("persons", "add", "Hanako Sato", "--organisation", "operator", "--role", "operator")
    assert "/login#invite=" in run("persons", "invite", person, "--hours", "24")


def test_a_data_folder_is_made_with_the_whole_engine_compiled_and_no_port_is_guessed(
    tmp_path, monkeypatch
):
    compiled: list[bool] = []
    monkeypatch.setattr("geoshare.cli.warm", lambda: compiled.append(True))
    monkeypatch.setattr("geoshare.cli.init_demo", lambda *_: {})
    monkeypatch.setattr("geoshare.cli.demo_invite", lambda _: "gi_1")

    def said(**more: str) -> str:
        environ = {"GEOSHARE_DATA": str(tmp_path / "data"), "GEOSHARE_PORT": None, **more}
        found = CliRunner().invoke(main, ["init", "--sample", str(tmp_path)], env=environ)
        assert found.exit_code == 0, found.output
        return found.output

    nowhere = said()
    assert "officer    /login#invite=gi_1" in nowhere
    assert "8080" not in nowhere
    assert "officer    http://127.0.0.1:8471/login#invite=gi_1" in said(GEOSHARE_PORT="8471")
    behind = said(GEOSHARE_PUBLIC_URL="https://map.example.jp/")
    assert "officer    https://map.example.jp/login#invite=gi_1" in behind
    assert len(compiled) == 3


def test_a_text_of_somebody_else_forges_no_line(capsys):
    tell("key of 潮見\u3000町\x1b[31m\u202e\nsecond line")
    assert capsys.readouterr().out == "key of 潮見\u3000町\\x1b[31m\\u202e\\nsecond line\n"
