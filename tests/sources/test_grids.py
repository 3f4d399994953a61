"""Correction grids: the authority's published values, files in its forms, and refusals by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from geoshare.errors import BadData
from geoshare.model import grids
from geoshare.model.datum import to_foundation
from geoshare.model.report import Report
from geoshare.sources import ReadRequest, read_file

PLACE = (140.08785504166664, 36.103774791666666)  # the Geospatial Information Authority in Tsukuba
# Nodes of SemiDyna2023.par around it, and what the authority's own program answers for it.
NODES = {
    54401005: (-0.00622, 0.01516, 0.0946),
    54401055: (-0.0062, 0.01529, 0.08972),
    54401100: (-0.00663, 0.01492, 0.10374),
    54401150: (-0.00664, 0.01506, 0.10087),
}
TODAY = (140.087859244, 36.103773019, 0.096)


def write_par(path: Path) -> Path:
    head = "\n".join(["header"] * 15 + ["MeshCode dB(sec)  dL(sec) dH(m)"])
    rows = [f"{code} {lat:9.5f} {lon:9.5f} {up:9.5f}" for code, (lat, lon, up) in NODES.items()]
    path.write_text("\n".join([head, *rows]) + "\n", "ascii")
    return path


def write_isg(path: Path, values: np.ndarray, south: float, west: float) -> Path:
    rows, columns = values.shape
    head = f"""begin_of_head ================
model name     : TEST
data ordering  : N-to-S, W-to-E
lat min        =  {int(south)}°00'00"
lat max        =  {south + (rows - 1) / 60:.6f}
lon min        = {int(west)}°00'00"
lon max        = {west + (columns - 1) / 40:.6f}
delta lat      =   0°01'00"
delta lon      =   0°01'30"
nrows          =   {rows}
ncols          =   {columns}
nodata         =  -9999.0000
end_of_head ==================
"""
    body = "\n".join(" ".join(f"{value:.4f}" for value in row) for row in values[::-1])
    path.write_text(head + body + "\n", "utf-8")
    return path


def write_asc(path: Path, values: np.ndarray, south: float, west: float) -> Path:
    rows, columns = values.shape
    flat = values.ravel()
    lines = [" ".join(f"{v:.4f}" for v in flat[i : i + 7]) for i in range(0, len(flat), 7)]
    head = f" {south:.5f} {west:.5f} 0.016667 0.025000 {rows} {columns} 1 ver2.2"
    path.write_text("\n".join([head, *lines]), "ascii")
    return path


def test_positions_of_the_day_come_back_to_where_the_authority_says_they_were(tmp_path: Path) -> None:
    write_par(tmp_path / "SemiDyna2023.par")
    transform = to_foundation(
        "EPSG:6668", has_height=True, vertical="ellipsoidal", epoch=2023.7, grids_dir=tmp_path
    )
    out = transform.apply(np.array([TODAY]))
    assert out[0, :2] == pytest.approx(PLACE, abs=1.5e-9)
    assert out[0, 2] == pytest.approx(0.0, abs=5e-4)
    assert transform.datum.applied == ("SemiDyna2023.par",)
    assert transform.datum.epoch == 2023.7


def test_the_year_of_the_grid_begins_in_april(tmp_path: Path) -> None:
    write_par(tmp_path / "SemiDyna2023.par")
    for epoch in (2023.3, 2024.2):
        assert to_foundation("EPSG:6668", has_height=False, epoch=epoch, grids_dir=tmp_path).steps
    with pytest.raises(BadData, match=r"SemiDyna2024\.par") as caught:
        to_foundation("EPSG:6668", has_height=False, epoch=2024.3, grids_dir=tmp_path)
    assert (caught.value.code, caught.value.parameter) == ("grid-missing", "epoch")
    assert "SemiDyna2024.par" in caught.value.message_ja


@pytest.mark.parametrize("epoch", [1997.0, 2011.4, None])
def test_positions_of_a_reference_epoch_stay(epoch: float | None, tmp_path: Path) -> None:
    assert not to_foundation("EPSG:6677", has_height=False, epoch=epoch, grids_dir=tmp_path).steps


def test_satellite_positions_outside_of_the_grid_stay_and_those_within_are_brought_back(
    tmp_path: Path,
) -> None:
    write_par(tmp_path / "SemiDyna2023.par")
    transform = to_foundation("EPSG:4326", has_height=False, epoch=2023.7, grids_dir=tmp_path)
    out = transform.apply(np.array([[*TODAY[:2], np.nan], [8.4, 49.0, np.nan]]))
    assert out[0, :2] == pytest.approx(PLACE, abs=1.5e-9)
    assert out[1, :2] == pytest.approx((8.4, 49.0), abs=0)


@pytest.mark.parametrize("form", ["asc", "isg"])
def test_heights_are_raised_by_the_geoid_as_another_interpolation_has_it(
    form: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    values = np.round(36.0 + rng.normal(0, 1, (13, 9)), 4)
    if form == "asc":
        write_asc(tmp_path / "gsigeo2011_ver2_2.asc", values, 36.0, 140.0)
    else:
        write_isg(tmp_path / "JPGEO2024.isg", values, 36.0, 140.0)
    lon, lat = rng.uniform(140.0, 140.2, 50), rng.uniform(36.0, 36.2, 50)
    axes = (36.0 + np.arange(13) / 60, 140.0 + np.arange(9) / 40)
    expected = RegularGridInterpolator(axes, values)(np.column_stack([lat, lon]))
    vertical = "jgd2011" if form == "asc" else "jgd2024"
    transform = to_foundation("EPSG:6668", has_height=True, vertical=vertical, grids_dir=tmp_path)
    out = transform.apply(np.column_stack([lon, lat, np.full(50, 5.0)]))
    assert out[:, 2] == pytest.approx(expected + 5.0, abs=1e-6)
    assert len(transform.datum.applied) == 1


def test_islands_of_2024_have_their_own_sea_level_and_nodata_is_none(tmp_path: Path) -> None:
    write_isg(tmp_path / "JPGEO2024.isg", np.full((3, 3), 40.0), 36.0, 140.0)
    islands = np.full((3, 3), -9999.0)
    islands[:, :2] = 0.5
    write_isg(tmp_path / "Hrefconv2024.isg", islands, 36.0, 140.0)
    transform = to_foundation("EPSG:6668", has_height=True, vertical="jgd2024", grids_dir=tmp_path)
    out = transform.apply(np.array([[140.01, 36.01, 1.0], [140.04, 36.01, 1.0], [141.0, 36.01, 1.0]]))
    assert out[:2, 2] == pytest.approx([41.5, 41.0])
    assert np.isinf(out[2]).all()  # beyond the geoid nothing is known: the place is refused


def test_heights_of_2024_without_their_geoid_are_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"JPGEO2024\.isg") as caught:
        to_foundation("EPSG:6668", has_height=True, vertical="jgd2024", grids_dir=tmp_path)
    assert caught.value.code == "grid-missing"


@pytest.mark.parametrize("content", ["", "rubbish\n" * 30, "begin_of_head\nnrows = 2\nend_of_head\n1"])
def test_a_broken_grid_is_refused_by_its_name(content: str, tmp_path: Path) -> None:
    for name in ("SemiDyna2023.par", "JPGEO2024.isg", "gsigeo2011.asc"):
        (tmp_path / name).write_text(content, "utf-8")
        with pytest.raises(BadData, match=name.replace(".", r"\.")) as caught:
            grids.load(tmp_path / name)
        assert caught.value.code == "grid-broken"


def test_the_report_says_how_far_the_grid_moved_the_places(
    tmp_path: Path, table: Callable[..., Any]
) -> None:
    folder = tmp_path / "grids"
    folder.mkdir()
    write_par(folder / "SemiDyna2023.par")
    path = tmp_path / "signs.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {"id": "a"},
            "geometry": {"type": "Point", "coordinates": list(TODAY[:2])},
        }
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    report = Report(file=path.name)
    request = ReadRequest(
        "gnss", tmp_path, 0, collection="places", crs="EPSG:6668", epoch=2023.7, grids_dir=folder
    )
    list(read_file(path, request, report))
    count, east, north, _, longest = report.moved["SemiDyna2023.par"]
    assert count == 1
    assert east == pytest.approx(-0.378, abs=0.01)  # 0.0042 seconds... of arc: some four decimetres
    assert north == pytest.approx(0.197, abs=0.01)
    assert longest == pytest.approx(0.437, abs=0.02)
    assert any("SemiDyna2023.par" in note.en for note in report.notes)


ISG = """A model of a test; ncols : 99 and nodata : 30.2 are words of this comment.
begin_of_head ================================================
model name     : TEST GEOID
model year     : 2024
model type     : gravimetric
data type      : geoid
data units     : {units}
data format    : grid
data ordering  : N-to-S, W-to-E
ref ellipsoid  : GRS80
ref frame      : ITRF2014
height datum   : ---
tide system    : zero-tide
coord type     : {kind}
coord units    : {degrees}
map projection : ---
EPSG code      : ---
lat min        = {lat[0]}
lat max        = {lat[1]}
lon min        = {lon[0]}
lon max        = {lon[1]}
delta lat      = {step}
delta lon      = {step}
nrows          =            3
ncols          =            4
nodata         =   -9999.0000
creation date  =   15/06/2024
ISG format     =          2.0
end_of_head ==================================================
   30.3000   31.3000   32.3000   33.3000
   30.2000   31.2000   32.2000 -9999.0000
   30.1000   31.1000   32.1000   33.1000
"""
NODES_IN_DEGREES = {"degrees": "deg", "lat": (36.0, 36.5), "lon": (140.0, 140.75), "step": "0.25"}
CELLS_IN_MINUTES = {
    "degrees": "dms",
    "lat": ("35°52'30\"", "36°37'30\""),
    "lon": ("139°52'30\"", "140°52'30\""),
    "step": "0°15'00\"",
}


@pytest.mark.parametrize("said", [NODES_IN_DEGREES, CELLS_IN_MINUTES])
def test_a_file_written_by_the_description_of_isg_2_is_read(
    tmp_path: Path, said: dict[str, Any]
) -> None:
    """Bounds of nodes in degrees, or of cells in degrees, minutes and seconds: the same grid."""
    path = tmp_path / "JPGEO2024.isg"
    path.write_text(ISG.format(units="meters", kind="geodetic", **said), "utf-8")
    grid = grids.load(path)
    asked = np.array([[140.0, 36.0], [140.25, 36.5], [140.125, 36.125], [140.7, 36.2]])
    found = grid.at(asked)[:, 0]
    assert found[:3] == pytest.approx([30.1, 31.3, 30.65])
    assert np.isnan(found[3])  # beside the node that is none


@pytest.mark.parametrize(
    ("units", "kind", "why"),
    [("feet", "geodetic", "data units is feet"), ("meters", "projected", "coord type is projected")],
)
def test_a_grid_of_other_units_is_refused_and_not_misread(
    tmp_path: Path, units: str, kind: str, why: str
) -> None:
    path = tmp_path / "JPGEO2024.isg"
    path.write_text(ISG.format(units=units, kind=kind, **NODES_IN_DEGREES), "utf-8")
    with pytest.raises(BadData, match=why):
        grids.load(path)


def test_a_file_in_the_form_of_gsigeo2011_is_read_from_the_south(tmp_path: Path) -> None:
    """South, west, steps, rows, columns, kind, version; then rows of values, 999 for none."""
    path = tmp_path / "gsigeo2011_ver2_2.asc"
    body = "  30.1000  31.1000  32.1000\n  30.2000  31.2000 999.0000\n"
    path.write_text(f"  20.00000 120.00000 0.016667 0.025000    2    3 1 ver2.2\n{body}", "ascii")
    found = grids.load(path).at(np.array([[120.0, 20.0], [120.0, 20 + 1 / 60], [120.04, 20.01]]))[:, 0]
    assert found[:2] == pytest.approx([30.1, 30.2])
    assert np.isnan(found[2])
