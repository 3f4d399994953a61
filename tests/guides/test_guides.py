"""The code of the guides runs as it stands, and their pictures are there and small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
MAX_BYTES = 150_000


def test_the_steps_in_geopandas_run_one_after_the_other(live_server, capsys):
    text = (ROOT / "docs" / "guides" / "geopandas.md").read_text("utf-8")
    known = {"KEY": live_server.keys["developer"]}
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        exec(compile(block.replace("http://127.0.0.1:8080", live_server.url), "guide", "exec"), known)
    assert len(known["schools"]) > 0
    assert known["schools"]["name"].str.endswith("小学校").all()
    assert known["buildings"].crs.to_epsg() == 6677
    assert len(known["near"]) >= len(known["buildings"])
    assert 0 < known["near"]["metres"].median() < 5_000
    assert "小学校" in capsys.readouterr().out


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_pictures_and_pages_that_a_guide_names_are_there(path):
    text = path.read_text("utf-8")
    for name in re.findall(r"\]\(((?!http)[^)#]+)\)", text):
        found = path.parent / name
        assert found.exists(), name
        assert found.suffix != ".png" or 5_000 < found.stat().st_size < MAX_BYTES, name
    assert f"guides/{path.name}" in (ROOT / "docs" / "README.md").read_text("utf-8")
