"""Road maps that are kept up to date: the same as a fresh extract, to the byte, for few bytes."""

from __future__ import annotations

import re
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.audit.manifests import verify_extract
from geoshare.client import Client, ClientError
from geoshare.client.folder import STATE
from geoshare.client.sync import ROAD_MAPS, sync
from geoshare.extracts.block_zip import pack_blocks
from geoshare.model.blocks import blocks, read_comment, read_index
from tests.client.serving import serving, working

OURS = ("manifest", "audit")  # of an extract itself: when it was made, and for whom
FORMS = ("lanelet2", "autoware", "opendrive")
LANES = 60
MOMENT = re.compile(rb'map_version="\d+"|date="[^"]+"')  # of the extract, within a map


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as found, working(found.own):
        found.own.contribute(road(found.folder))
        yield found


def files(folder: Path) -> dict[str, bytes]:
    """The map's files; without what tells one extract from another."""
    return {
        path.relative_to(folder).as_posix(): MOMENT.sub(b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and STATE not in path.parts and not path.name.startswith(OURS)
    }


def fresh(served, folder: Path, form: str, names: list[str]) -> tuple[dict[str, bytes], int]:
    """What somebody who has nothing gets, by an extract of their own; and its size."""
    key = served.own.key(f"org-{folder.name}", "automaker")
    client = Client(served.url, key, pause=lambda seconds: time.sleep(0.05))
    path = client.extract(names, folder.with_suffix(".zip"), format=form)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    client.http.close()
    return files(folder), path.stat().st_size


def road(folder: Path, moved: dict[int, float] | None = None) -> Path:
    """A Lanelet2 map of a road of LANES lanelets; nodes are moved by so many degrees of longitude."""
    shift, step, parts = moved or {}, 8, []
    for at in range(LANES * step + 1):
        for side, lat in ((1, 35.0), (2, 35.00003)):
            key = side * 100_000 + at
            lon = 139.0 + at * 0.00003 + shift.get(key, 0.0)
            parts.append(
                f'<node id="{key}" lat="{lat:.11f}" lon="{lon:.11f}"><tag k="ele" v="1"/></node>'
            )
    for lane in range(LANES):
        for side in (1, 2):
            run = range(side * 100_000 + lane * step, side * 100_000 + (lane + 1) * step + 1)
            nodes = "".join(f'<nd ref="{node}"/>' for node in run)
            tags = '<tag k="type" v="line_thin"/><tag k="subtype" v="solid"/>'
            parts.append(f'<way id="{side * 1000 + lane}">{nodes}{tags}</way>')
    for lane in range(LANES):
        members = "".join(
            f'<member type="way" role="{role}" ref="{side * 1000 + lane}"/>'
            for role, side in (("right", 1), ("left", 2))
        )
        tags = {"type": "lanelet", "subtype": "road", "location": "urban", "one_way": "yes"}
        said = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        parts.append(f'<relation id="{5000 + lane}">{members}{said}</relation>')
    path = folder / "road.osm"
    path.write_text(f'<osm version="0.6">{"".join(parts)}</osm>', "utf-8")
    return path


@pytest.mark.parametrize("form", FORMS)
def test_a_map_that_is_kept_is_a_fresh_one_for_a_fraction_of_the_bytes(served, tmp_path, form):
    client = Client(served.url, served.own.keys["automaker"], pause=lambda seconds: time.sleep(0.05))
    first = sync(client, tmp_path / "map", None, form)
    seen = {item["id"] for item in client.collections()}
    names = [name for name in ROAD_MAPS[form] if name in seen]
    assert first.written
    assert not sync(client, tmp_path / "map", None, form).written
    served.own.contribute(road(tmp_path, {100_000 + FORMS.index(form) * 50 + 20: 2e-6}))
    parts, ask = [], client.http.ask

    def counted(method: str, path: str, *said: object, **more: object):
        answer = ask(method, path, *said, **more)
        parts.append(len(answer.body) if path.endswith("/result") else 0)
        return answer

    client.http.ask = counted
    later = sync(client, tmp_path / "map", None, form)
    client.http.close()
    whole, size = fresh(served, tmp_path / f"fresh-{form}", form, names)
    assert later.written
    assert files(tmp_path / "map") == whole
    assert not verify_extract(tmp_path / "map").findings
    if form == "autoware":  # cells in which nothing changed stay
        cells = [name for name in whole if name.startswith("divided/lanelet2_map.osm/")]
        assert later.changed["files"] < len(cells)
    assert 0 < sum(parts) < 0.6 * size < first.received


def test_what_is_missing_or_spoilt_here_is_mended_and_a_break_is_gone_on_with(served, tmp_path):
    client = Client(served.url, served.own.keys["automaker"], pause=lambda seconds: time.sleep(0.05))
    sync(client, tmp_path, None, "autoware")
    before = files(tmp_path)
    cell = next((tmp_path / "divided" / "lanelet2_map.osm").iterdir())
    cell.write_bytes(b"<osm>")
    (tmp_path / "map_projector_info.yaml").unlink()
    served.breaks = ["GET", "GET"]
    mended = sync(client, tmp_path, None, "autoware")
    assert mended.changed == {"files": 2}
    assert files(tmp_path) == before
    assert mended.received < 60_000
    client.http.close()


def test_a_download_that_was_ended_goes_on_in_another_process(served, tmp_path, monkeypatch):
    client = Client(served.url, served.own.keys["automaker"], pause=lambda seconds: time.sleep(0.05))
    monkeypatch.setattr("geoshare.client.http.BLOCK", 2_000)
    begun: list[int] = []

    class Ends:
        """A file that the process ends before."""

        def __init__(self, file):
            self._file = file

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, block):
            begun.append(len(block))
            if len(begun) == 3:
                self._file.close()
                raise KeyboardInterrupt
            return self._file.write(block)

    whole = client.http.download
    monkeypatch.setattr(
        client.http, "download", lambda path, file, *said: whole(path, Ends(file), *said)
    )
    with pytest.raises(KeyboardInterrupt):
        sync(client, tmp_path, None, "lanelet2")
    client.http.close()
    part = tmp_path / STATE / "extract.zip.part"
    assert part.stat().st_size == 4_000
    again = Client(served.url, served.own.keys["automaker"], pause=lambda seconds: time.sleep(0.05))
    made = sync(again, tmp_path, None, "lanelet2")
    again.http.close()
    assert made.written
    assert not list((tmp_path / STATE).glob("extract.zip*"))
    shown = fresh(served, tmp_path.with_name("fresh-ended"), "lanelet2", list(ROAD_MAPS["lanelet2"]))
    assert files(tmp_path) == shown[0]


def test_a_road_outside_of_the_area_that_belongs_to_the_map_is_watched_too(served, tmp_path):
    """Lanes are whole: what lies outside of the box changes the map, and is fetched."""
    client = Client(served.url, served.own.keys["automaker"], pause=lambda seconds: time.sleep(0.05))
    box = (138.9999, 34.9999, 139.00001, 35.0001)  # the first lane alone begins in it
    sync(client, tmp_path / "map", box, "lanelet2")
    served.own.contribute(road(tmp_path, {200_007: -3e-6}))  # its other end
    assert sync(client, tmp_path / "map", box, "lanelet2").written
    served.own.contribute(road(tmp_path, {200_007: -3e-6, 200_300: 1e-6}))
    assert not sync(client, tmp_path / "map", box, "lanelet2").written
    client.http.close()


def test_an_area_without_lanes_is_refused_before_any_work_by_its_name(served, tmp_path):
    client = Client(served.url, served.own.keys["automaker"], pause=lambda seconds: time.sleep(0.05))
    with pytest.raises(ClientError, match="There are no lanes in the area") as found:
        sync(client, tmp_path, (10.0, 50.0, 10.1, 50.1), "autoware")
    assert (found.value.status, found.value.parameter) == (400, "bbox")
    client.http.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=400), st.integers(0, 400))
def test_blocks_are_the_file_and_an_archive_of_them_opens_anywhere(tmp_path_factory, lines, at):
    folder = tmp_path_factory.mktemp("blocks")
    (folder / "in").mkdir()
    content = b"\n".join(lines) * 5
    (folder / "in" / "a.osm").write_bytes(content)
    (folder / "in" / "b.txt").write_bytes(b"")
    found = list(blocks(BytesIO(content)))
    assert b"".join(found) == content
    paths = sorted((folder / "in").iterdir())
    pack_blocks(folder / "in", paths, folder / "x.zip", 1_767_225_600_000_000)
    packed = (folder / "x.zip").read_bytes()
    with zipfile.ZipFile(folder / "x.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a.osm": content,
            "b.txt": b"",
        }
    place = read_comment(packed[-128:])
    assert place is not None
    index = read_index(packed[place[0] : sum(place)])
    assert [len(file.blocks) for file in index] == [len(found), 0]
