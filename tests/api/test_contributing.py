"""What a provider relies on: a file in, a report out, and the map shows it."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": f"p{number}",
            "geometry": {"type": "Point", "coordinates": [139.5 + number / 1000, 35.2]},
            "properties": {"name": f"試験地点{number}", "class": "neighbourhood"},
        }
        for number in range(20)
    ],
}


def send(live_server, path: str, body: bytes, key: str | None, method: str = "POST", **headers: str):
    request = urllib.request.Request(live_server.url + path, data=body, method=method)
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    if key:
        request.add_header("X-API-Key", live_server.keys[key])
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, lower(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, lower(error.headers), error.read()


def lower(headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def finished(live_server, contribution: str, key: str) -> dict:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = live_server.json(f"/contributions/{contribution}", key)
        if found["status"] in ("done", "refused", "checked"):
            return found
        time.sleep(0.1)
    pytest.fail(f"still {found}")


def test_a_contribution_is_on_the_map_when_its_status_says_done(live_server):
    body = json.dumps(GEOJSON).encode()
    disposition = "attachment; filename*=UTF-8''points.geojson"
    before = live_server.json("/collections/places/items?limit=1")["numberMatched"]
    status, headers, answer = send(
        live_server,
        "/contributions?collection=places",
        body,
        "provider",
        Content_Disposition=disposition,
    )
    assert status == 202
    assert headers["location"].endswith(json.loads(answer)["id"])
    found = finished(live_server, json.loads(answer)["id"], "provider")
    assert found["status"] == "done"
    assert found["report"]["rows_read"] == 20
    page = live_server.json("/collections/places/items?bbox=139.4995,35.1995,139.5195,35.2005")
    assert {item["properties"]["name"] for item in page["features"]} == {
        f"試験地点{n}" for n in range(20)
    }
    assert live_server.json("/collections/places/items?limit=1")["numberMatched"] == before + 20


def test_the_same_file_again_changes_nothing(live_server):
    body = json.dumps(GEOJSON).encode().replace(b"139.5", b"139.6")
    path = "/contributions?collection=places&filename=again.geojson"
    counts = []
    for _ in range(2):
        answer = json.loads(send(live_server, path, body, "provider")[2])
        assert finished(live_server, answer["id"], "provider")["status"] == "done"
        counts.append(live_server.json("/collections/places/items?limit=1")["numberMatched"])
    assert counts[0] == counts[1]


def test_only_who_provides_may_contribute_and_only_in_its_own_name(live_server):
    body = json.dumps(GEOJSON).encode()
    path = "/contributions?collection=places&filename=x.geojson"
    assert send(live_server, path, body, None)[0] == 401
    assert send(live_server, path, body, "developer")[0] == 403
    assert send(live_server, path + "&provider=somebody-else", body, "provider")[0] == 403


def test_a_contribution_is_shown_to_its_provider_and_the_operator_alone(live_server):
    body = json.dumps(GEOJSON).encode().replace(b"139.5", b"139.7")
    answer = json.loads(
        send(live_server, "/contributions?collection=places&filename=mine.geojson", body, "provider")[2]
    )
    finished(live_server, answer["id"], "provider")
    assert live_server.get(f"/contributions/{answer['id']}", "operator")[0] == 200
    for key in ("developer", None):
        assert live_server.get(f"/contributions/{answer['id']}", key)[0] == 404


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("broken.osm", b"<?xml version='1.0'?><osm><node id='1' lat='35"),
        ("empty.geojson", b""),
        ("noise.geojson", b"\x00\x01\x02 not a map"),
        ("table.csv", "色,大きさ\n赤,1\n".encode()),
        ("picture.exe", b"MZ\x00\x00"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(live_server, name, body):
    status, _, answer = send(live_server, f"/contributions?filename={name}", body, "provider")
    if status == 202:
        found = finished(live_server, json.loads(answer)["id"], "provider")
        assert found["status"] == "refused"
        message = found["error"]["message"]
    else:
        assert status == 400
        message = json.loads(answer)["detail"]
    assert 10 < len(message) < 400
    assert "Traceback" not in message
    assert str(live_server.data) not in message


def test_refused_rows_come_back_as_a_spreadsheet(live_server):
    features = json.loads(json.dumps(GEOJSON))["features"][:3]
    features[1]["geometry"]["coordinates"] = [999, 999]
    for feature in features:
        feature["id"] += "-partly"
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    answer = json.loads(
        send(live_server, "/contributions?collection=places&filename=partly.geojson", body, "provider")[
            2
        ]
    )
    found = finished(live_server, answer["id"], "provider")
    assert found["report"]["refused"] == 1
    status, _, content = live_server.get(f"/contributions/{answer['id']}/refused.xlsx", "provider")
    assert status == 200
    assert content[:2] == b"PK"


def test_a_file_in_which_no_row_is_good_is_reported_row_by_row_in_both_languages(live_server):
    body = "名称,緯度,経度\nA,x,y\nB,,\n".encode()
    path = "/contributions?collection=shelters&filename=bad.csv"
    found = finished(
        live_server, json.loads(send(live_server, path, body, "provider")[2])["id"], "provider"
    )
    assert found["status"] == "refused"
    assert found["error"]["message"]
    assert found["error"]["message_ja"]
    assert found["report"]["refused"] == 2
    assert live_server.get(found["refused_href"].removeprefix(live_server.url), "provider")[0] == 200


def test_who_may_not_contribute_lanes_cannot_do_so_by_not_naming_them(live_server, tmp_path):
    path = Path(__file__).parents[2] / "sample_data" / "town_data" / "lanes_maker_a.osm"
    before = live_server.json("/collections/lanes/items?limit=1", "operator")["numberMatched"]
    body = path.read_bytes().replace(b'id="', b'id="9')
    answer = send(live_server, "/contributions?filename=map.osm", body, "municipal")
    found = finished(live_server, json.loads(answer[2])["id"], "municipal")
    assert (found["status"], found["error"]["code"]) == ("refused", "denied")
    after = live_server.json("/collections/lanes/items?limit=1", "operator")["numberMatched"]
    assert after == before
    preview = send(live_server, "/contributions/preview?filename=map.osm", body, "municipal")
    assert preview[0] == 403


def test_nothing_of_a_refused_file_stays(live_server):
    answer = send(live_server, "/contributions?filename=noise.osm", b"<osm><node", "provider")
    number = json.loads(answer[2])["id"]
    assert finished(live_server, number, "provider")["status"] == "refused"
    assert not (live_server.data / "incoming" / number).exists()


def test_forty_stalled_uploads_do_not_stop_the_map(live_server):
    port = urlsplit(live_server.url).port
    head = b"POST /extracts HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{"
    lines = []
    try:
        for _ in range(40):
            line = socket.create_connection(("127.0.0.1", port), timeout=30)
            line.sendall(head)
            lines.append(line)
        for _ in range(10):
            assert live_server.get("/healthz")[0] == 200
            assert live_server.get("/collections/places/items?limit=1")[0] == 200
        extract = json.dumps({"collections": ["places"], "format": "geojson"}).encode()
        sent = send(live_server, "/extracts", extract, "developer", Content_Type="application/json")
        assert sent[0] in (200, 202)
    finally:
        for line in lines:
            line.close()


def test_a_large_file_goes_on_where_a_broken_line_stopped(live_server):
    body = json.dumps(GEOJSON).encode().replace(b'"p', b'"t').replace(b"35.2", b"35.3")
    path = "/contributions/uploads?collection=places&filename=tus.geojson"
    status, headers, _ = send(live_server, path, b"", "provider", Upload_Length=str(len(body)))
    assert status == 201
    upload = headers["location"].removeprefix(live_server.url)
    half = len(body) // 2
    kind = "application/offset+octet-stream"
    status, headers, _ = send(
        live_server, upload, body[:half], "provider", "PATCH", Upload_Offset="0", Content_Type=kind
    )
    assert (status, headers["upload-offset"]) == (204, str(half))
    wrong = send(
        live_server, upload, body[half:], "provider", "PATCH", Upload_Offset="0", Content_Type=kind
    )
    assert wrong[0] == 409
    status, headers, _ = send(live_server, upload, b"", "provider", "HEAD")
    assert headers["upload-offset"] == str(half)
    assert send(live_server, upload, b"", "developer", "HEAD")[0] == 404
    status, headers, answer = send(
        live_server,
        upload,
        body[half:],
        "provider",
        "PATCH",
        Upload_Offset=str(half),
        Content_Type=kind,
    )
    assert status == 202
    assert finished(live_server, json.loads(answer)["id"], "provider")["status"] == "done"


def test_a_preview_shows_columns_and_a_mapping_and_keeps_nothing(live_server):
    before = live_server.json("/contributions", "provider")["contributions"]
    body = '名称,緯度,経度,想定収容人数\n中央公園,35.2,139.5,"1,200 "\n'.encode("cp932")
    status, _, answer = send(live_server, "/contributions/preview?filename=sites.csv", body, "provider")
    assert status == 200, answer
    found = json.loads(answer)
    assert {column["name"] for column in found["columns"]} >= {"名称", "緯度", "経度"}
    assert found["encoding"].lower() in ("cp932", "shift_jis")
    assert live_server.json("/contributions", "provider")["contributions"] == before


def test_the_command_line_contributes_to_a_running_server(live_server, tmp_path):
    path = tmp_path / "cli.geojson"
    path.write_text(json.dumps(GEOJSON).replace("139.5", "139.8").replace('"p', '"c'))
    done = live_server.cli("contribute", "--provider", "mapco", "--collection", "places", str(path))
    assert done.returncode == 0, done.stderr
    page = live_server.json("/collections/places/items?bbox=139.7995,35.1995,139.8195,35.2005")
    assert page["numberMatched"] == 20


def test_the_command_line_refuses_a_bad_file_with_one_line_and_exit_code_1(live_server, tmp_path):
    path = tmp_path / "broken.osm"
    path.write_text("<osm><node")
    done = live_server.cli("contribute", "--provider", "mapco", str(path))
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if line.strip()]) == 1
    assert "Traceback" not in done.stderr


def crossing_segments() -> bytes:
    line = [[140.9, 36.26], [140.901, 36.261], [140.901, 36.26], [140.9, 36.261]]
    geometry = {"type": "LineString", "coordinates": line}
    feature = {"type": "Feature", "id": "eight", "geometry": geometry, "properties": {"id": "eight"}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def test_a_check_reports_findings_and_takes_nothing(live_server):
    address = "/contributions?collection=segments&filename=eight.geojson"
    before = live_server.json("/collections/segments/items?limit=1")["numberMatched"]
    status, _, body = send(live_server, f"{address}&check_only=true", crossing_segments(), "provider")
    assert status == 202
    found = finished(live_server, json.loads(body)["id"], "provider")
    assert found["status"] == "checked"
    (finding,) = found["report"]["findings"]
    assert finding["rule"] == "geoshare:segments.self_crossing"
    assert finding["lon_lat"] == [140.9, 36.26]
    assert found["report"]["found"] == {"error": 1}
    status, _, body = send(live_server, f"{address}&refuse_on=error", crossing_segments(), "provider")
    refused = finished(live_server, json.loads(body)["id"], "provider")
    assert refused["status"] == "refused"
    assert refused["error"]["code"] == "findings"
    assert live_server.json("/collections/segments/items?limit=1")["numberMatched"] == before


def test_findings_that_refuse_are_of_three_severities(live_server):
    status, _, body = send(live_server, "/contributions?refuse_on=fatal", b"{}", "provider")
    assert status == 400
    assert b"refuse_on" in body
