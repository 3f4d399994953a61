"""The README's commands are run as they stand, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from geoshare.settings import table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.S)


def test_every_make_verb_in_the_readme_exists():
    verbs = set(re.findall(r"\bmake ([a-z-]+)", README))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert verbs
    for verb in verbs:
        assert re.search(rf"^{verb}:.*## ", makefile, re.M), verb


@pytest.mark.parametrize("number", [n for n, block in enumerate(BLOCKS) if "make " not in block])
def test_a_command_of_the_readme_works_as_it_stands(live_server, number, tmp_path):
    helper = next(block for block in BLOCKS if block.startswith("KEY()"))
    script = helper + BLOCKS[number]
    script = script.replace("http://127.0.0.1:8080", live_server.url)
    script = script.replace("'data/", f"'{live_server.data}/").replace(
        ".venv/bin/", f"{Path(sys.executable).parent}/"
    )
    script = script.replace("-o extract.zip", f"-o {tmp_path}/extract.zip")
    script = script.replace("sample_data/", f"{ROOT}/sample_data/")
    environ = os.environ | {"GEOSHARE_DATA": str(live_server.data)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "extract.zip" in script:
        assert (tmp_path / "extract.zip").read_bytes()[:2] == b"PK"
    if "lanes/items" in script:
        assert '"FeatureCollection"' in done.stdout


def test_the_settings_table_is_the_code_s():
    rows = [line for line in README.splitlines() if line.startswith("| `GEOSHARE_")]
    assert rows == [
        f"| `{name}` | {default and f'`{default}`'} | {text} |" for name, default, text in table()
    ]


def test_pictures_in_the_readme_are_there():
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).stat().st_size > 10_000, path
