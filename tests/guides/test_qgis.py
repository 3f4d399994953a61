"""QGIS itself reads features with a key, vector tiles, and an extract with the styles in it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.api.test_contributing import send
from tests.api.test_reading import all_items

PROGRAM = Path(__file__).with_name("qgis_program.py")
PYTHON = "/usr/bin/python3"  # of Debian, for which python3-qgis is
STYLES = {"segments": "singleSymbol", "buildings": "singleSymbol", "shelters": "categorizedSymbol"}


def has_qgis() -> bool:
    command = [PYTHON, "-c", "import qgis.core"]
    return (
        Path(PYTHON).exists()
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


def test_qgis_shows_what_a_key_may_know_and_an_extract_as_it_is_styled(live_server, tmp_path):
    if not has_qgis():
        pytest.skip("*** NO QGIS: not tested with it (apt-get install qgis python3-qgis) ***")
    asked = {"collections": list(STYLES), "format": "gpkg"}
    status, _, content = send(
        live_server,
        "/extracts",
        json.dumps(asked).encode(),
        "developer",
        Content_Type="application/json",
    )
    assert status == 200, content[:300]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extract("geoshare.gpkg", tmp_path)
    tmp_path.chmod(0o700)
    environ = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    key = live_server.keys["automaker"]
    done = subprocess.run(
        [PYTHON, PROGRAM, live_server.url, key, str(tmp_path / "geoshare.gpkg"), str(tmp_path)],
        env={name: value for name, value in environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "may only be partially supported" not in done.stderr
    found = json.loads(done.stdout.strip().splitlines()[-1])
    lanes = all_items(live_server, "lanes", "automaker")
    assert found["lanes"] == sorted(item["id"] for item in lanes)
    assert found["without_key"] is False
    assert found["tiles"] is True
    for item in all_items(live_server, "shelters", "automaker"):
        assert found["shelters"][item["id"]] == pytest.approx(item["geometry"]["coordinates"][:2])
    for name, renderer in STYLES.items():
        said = found["package"][name]
        assert (said["loaded"], said["renderer"]) == (True, renderer)
        assert said["heading"] == "名称"
        assert said["count"] == len(all_items(live_server, name, "developer"))
    for picture in ("server.png", "package.png"):
        pixels = np.asarray(Image.open(tmp_path / picture).convert("RGB")).reshape(-1, 3)
        assert 0.02 < (pixels.min(axis=1) < 250).mean() < 0.9, picture
