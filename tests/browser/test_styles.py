"""A style document on a page with nothing else: every source, sign and letter is this server's."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_clients import FILES

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset="utf-8"><div id="map" style="width:600px;height:400px"></div>
<script type="module">
import * as maplibre from './maplibre-gl.mjs';
window.maplibre = maplibre;
</script>"""
LOOK = """async ({ address, key, center, zoom, patience }) => {
  const map = new window.maplibre.Map({
    container: 'map', style: address, center, zoom, fadeDuration: 0,
    transformRequest: (url) => ({ url, headers: { 'X-API-Key': key } }),
  });
  const wrong = [];
  map.on('error', (event) => wrong.push(String(event.error)));
  map.setMissingStyleImageResolver?.(async (id) => { wrong.push(`no image ${id}`); });
  const idle = () => Promise.race([
    map.once('idle'), new Promise((_, late) => setTimeout(() => late(new Error('not idle')), patience)),
  ]);
  await idle();
  for (const layer of map.getStyle().layers) map.setLayoutProperty(layer.id, 'visibility', 'visible');
  await idle();
  return { wrong, drawn: map.queryRenderedFeatures().map((feature) => feature.layer.id) };
}"""


def test_maplibre_opens_a_style_and_asks_nothing_that_is_not_there(
    chromium: Any, live_server: Any
) -> None:
    if not FILES["maplibre-gl.mjs"].exists():
        pytest.skip("no maplibre-gl.mjs: the web app was built elsewhere (make web)")
    page = chromium.new_page(viewport={"width": 620, "height": 420})
    page.set_default_timeout(120_000)
    answers: list[tuple[int, str]] = []

    def serve(route: Any) -> None:
        name = urlsplit(route.request.url).path.rsplit("/", 1)[1]
        body = FILES[name].read_bytes() if name in FILES else PAGE.encode()
        route.fulfill(body=body, content_type="text/javascript" if name else "text/html")

    try:
        page.context.route(f"{live_server.url}/clients/**", serve)
        page.on("response", lambda answer: answers.append((answer.status, answer.url)))
        page.goto(f"{live_server.url}/clients/")
        page.wait_for_function("window.maplibre")
        address = f"{live_server.url}/styles/default-map?language=en"
        place = {"center": [140.897, 36.2535], "zoom": 15.5, "patience": PATIENCE_MS}
        said = page.evaluate(LOOK, {"address": address, "key": live_server.keys["operator"], **place})
    finally:
        page.context.close()
    assert said["wrong"] == []
    assert [answer for answer in answers if answer[0] >= 400] == []
    assert all(url.startswith(live_server.url) for _, url in answers)
    asked = {url.removeprefix(live_server.url).split("/")[1].split("?")[0] for _, url in answers}
    assert {"styles", "tiles", "raster", "fonts", "sprites"} <= asked
    assert len({name.partition(":")[0] for name in said["drawn"]}) > 8
