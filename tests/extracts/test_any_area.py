"""Fifty areas, each in some format and reference system, held against shapely and pyproj.

What meets the area is there and nothing else, whole or cut; places agree with PROJ to a millimetre;
nothing hidden is in any byte, also of what is packed within.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.extracts.test_formats import CANARY, FILES, IN_METRES, NUMBER, expected, held, make, read

__all__ = ["held"]
A_MILLIMETRE = 0.001
SECRETS = [
    CANARY.encode(),
    CANARY.encode("utf-16-le"),
    str(NUMBER).encode(),
    NUMBER.to_bytes(8, "little"),
]
ZONES = ("EPSG:6676", "EPSG:6677", "EPSG:6678")
around = st.tuples(st.floats(139.70, 139.74), st.floats(35.598, 35.622))


@st.composite
def stars(draw: st.DrawFn, reach: tuple[float, float] = (0.002, 0.02)) -> shapely.Polygon:
    """A polygon whose corners lie at any distance around its middle: it may bend in."""
    lon, lat = draw(around)
    far = draw(st.lists(st.floats(*reach), min_size=3, max_size=8))
    corners = [
        (lon + r * math.cos(2 * math.pi * n / len(far)), lat + r * math.sin(2 * math.pi * n / len(far)))
        for n, r in enumerate(far)
    ]
    return shapely.Polygon(corners)


boxes = st.builds(
    lambda place, width, height: shapely.box(*place, place[0] + width, place[1] + height),
    around,
    st.floats(0.001, 0.03),
    st.floats(0.001, 0.02),
)
with_holes = stars((0.008, 0.02)).map(
    lambda star: star - shapely.affinity.scale(star, 0.4, 0.4, origin=star.representative_point())
)
in_parts = st.tuples(stars(), stars()).map(shapely.union_all)
areas = st.one_of(boxes, stars(), with_holes, in_parts)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(FILES)), areas, st.sampled_from(["whole", "clip"]), st.sampled_from(ZONES)
)
def test_any_area_in_any_format_holds_what_meets_it_and_nothing_hidden(
    held: Any, tmp_path: Path, form: str, area: Any, mode: str, zone: str
) -> None:
    mode = "whole" if form == "dxf" else mode  # our reader of drawings puts no parts together
    crs = zone if form in IN_METRES else None
    said = {"area": json.loads(shapely.to_geojson(area)), "mode": mode, "crs": crs}
    folder = make(held, tmp_path, collections=["shelters", "segments"], format=form, **said)
    change = pyproj.Transformer.from_crs("EPSG:4326", crs or "EPSG:4326", always_xy=True)
    close = A_MILLIMETRE if crs else 1e-7  # degrees, the decimals of GeoJSON
    for name in ("shelters", "segments"):
        every = expected(held, name, None)
        meeting = {key: item for key, item in every.items() if item[1] and is_in(item[1], area, mode)}
        if not meeting and form == "dxf" and not (folder / FILES[form].format(name)).exists():
            continue
        found = read(folder, name, form)
        assert sorted(found) == sorted(meeting)
        for key, (values, shape) in meeting.items():
            wanted = shape if mode == "whole" else shape.intersection(area)
            wanted = shapely.transform(wanted, change.transform, interleaved=False)
            assert shapely.hausdorff_distance(found[key][1], wanted) < close, key
            assert found[key][1].area == pytest.approx(wanted.area, abs=close * wanted.length + 1e-12)
            if mode == "clip" and not area.covers(shape) and values.get("length_m"):
                assert found[key][0]["length_m"] is None
    assert not [name for name, content in contents(folder) if any(item in content for item in SECRETS)]


def is_in(shape: Any, area: Any, mode: str) -> bool:
    """Whether a feature belongs to an area; of what is cut more than an edge must be left."""
    if mode == "whole" or not shape.intersects(area):
        return bool(shape.intersects(area))
    return shapely.get_dimensions(shape.intersection(area)) == shapely.get_dimensions(shape)


def contents(folder: Path) -> list[tuple[str, bytes]]:
    """Every file as it lies there, and what is packed within: workbooks, columns with their words."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        found.append((path.name, path.read_bytes()))
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                found += [(f"{path.name}/{name}", book.read(name)) for name in book.namelist()]
        if path.suffix == ".parquet":
            names = parquet.read_schema(path).names
            table = parquet.read_table(path, read_dictionary=names[:-1])
            sink = io.BytesIO()
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
            found.append((f"{path.name}/columns", sink.getvalue() + repr(table.schema).encode()))
    return found
