"""MapLibre reads our tiles, and our archives through the PMTiles protocol, in a page of its own."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from geoshare.cli import main
from tests.clients import LAT, LON, NAMES, VALUES, typed_collections
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

MODULES = ROOT / "geoshare" / "web" / "node_modules"
FILES = {
    "maplibre-gl.mjs": MODULES / "maplibre-gl" / "dist" / "maplibre-gl.mjs",
    "maplibre-gl-shared.mjs": MODULES / "maplibre-gl" / "dist" / "maplibre-gl-shared.mjs",
    "maplibre-gl-worker.mjs": MODULES / "maplibre-gl" / "dist" / "maplibre-gl-worker.mjs",
    "pmtiles.js": MODULES / "pmtiles" / "dist" / "pmtiles.js",
}
PAGE = """<!doctype html><meta charset="utf-8"><div id="map" style="width:512px;height:512px"></div>
<script src="pmtiles.js"></script>
<script type="module">
import * as maplibre from './maplibre-gl.mjs';
window.maplibre = maplibre;
window.ready = true;
</script>"""
LOOK = """async ({ names, key, centre }) => {
  const { Map, addProtocol } = window.maplibre;
  const protocol = new window.pmtiles.Protocol();
  addProtocol('pmtiles', protocol.tile);
  const sources = {
    server: {
      type: 'vector', maxzoom: 16, tiles: [`${location.origin}/tiles/${names}/{z}/{x}/{y}.mvt`],
    },
    file: { type: 'vector', url: `pmtiles://${location.origin}/clients/typed.pmtiles` },
  };
  const layers = Object.keys(sources).flatMap((source) => names.split(',').map((name) => ({
    id: `${source}-${name}`, source, 'source-layer': name,
    ...(name === 'typed_points' ? { type: 'circle' } : { type: 'line' }),
  })));
  const map = new Map({
    container: 'map', center: centre, zoom: 13, fadeDuration: 0,
    style: { version: 8, sources, layers },
    transformRequest: (url) => ({ url, headers: { 'X-API-Key': key } }),
  });
  const wrong = [];
  map.on('error', (event) => wrong.push(String(event.error)));
  await map.once('idle');
  const found = {};
  for (const { id, source, 'source-layer': sourceLayer } of layers) {
    const features = [
      ...map.querySourceFeatures(source, { sourceLayer }),
      ...map.queryRenderedFeatures({ layers: [id] }),
    ];
    found[id] = features.map((feature) => feature.properties);
  }
  return { found, wrong };
}"""


@pytest.fixture
def archive(live_server: Any, tmp_path: Path) -> Path:
    for path in FILES.values():
        if not path.exists():
            pytest.skip(f"no {path.name}: the web app was built elsewhere (make web)")
    path = tmp_path / "typed.pmtiles"
    command = ["collections", "export", typed_collections(live_server), "--tier", "operator"]
    environ = {"GEOSHARE_DATA": str(live_server.data)}
    done = CliRunner(env=environ).invoke(main, [*command, "--max-zoom", "14", "--pmtiles", str(path)])
    assert done.exit_code == 0, done.output
    return path


def _serve(route: Any, archive: Path) -> None:
    """Hand out the page, its scripts, and ranges of the archive, as any web server does."""
    name = route.request.url.split("?")[0].rsplit("/", 1)[1]
    if name == "typed.pmtiles":
        first, last = route.request.headers["range"].removeprefix("bytes=").split("-")
        content = archive.read_bytes()
        piece = content[int(first) : int(last) + 1]
        span = f"bytes {first}-{int(first) + len(piece) - 1}/{len(content)}"
        route.fulfill(status=206, body=piece, headers={"Content-Range": span, "ETag": '"1"'})
    elif name == "":
        route.fulfill(body=PAGE, content_type="text/html")
    elif name in FILES:
        kind = mimetypes.guess_type(name)[0] or "text/javascript"
        route.fulfill(body=FILES[name].read_bytes(), content_type=kind)
    else:
        route.fulfill(status=404)


def test_several_collections_of_one_tile_keep_their_types_from_server_and_archive(
    chromium: Any, live_server: Any, archive: Path
) -> None:
    page = chromium.new_page(viewport={"width": 600, "height": 600})
    try:
        page.set_default_timeout(120_000)
        page.context.route(f"{live_server.url}/clients/**", lambda route: _serve(route, archive))
        page.goto(f"{live_server.url}/clients/")
        page.wait_for_function("window.ready")
        asked = {"names": ",".join(NAMES), "key": live_server.keys["operator"], "centre": [LON, LAT]}
        said = page.evaluate(LOOK, asked)
    finally:
        page.context.close()
    assert said["wrong"] == []
    assert set(said["found"]) == {f"{source}-{name}" for source in ("server", "file") for name in NAMES}
    for features in said["found"].values():
        by_text = {item["text"]: item for item in features}
        for values in VALUES:
            item = by_text[values["text"]]
            assert {name: item[name] for name in values} == values
            # JavaScript has one kind of number; texts and truth values stay what they are
            assert isinstance(item["text"], str)
            assert isinstance(item["flag"], bool)
            assert not isinstance(item["whole"], str | bool)
        # drawn and in the source; a line near the edge may be in two tiles
        assert len(features) >= 2 * len(VALUES)
