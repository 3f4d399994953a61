"""One town, one story: what one file says holds in the others."""

from __future__ import annotations

import csv
from pathlib import Path

import jismesh.utils
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely

from sample_data.formats.municipal import closed_links
from sample_data.formats.tables import positions
from sample_data.town.facilities import FACILITIES
from sample_data.town.frame import from_lon_lat
from sample_data.town.people import mesh_codes
from sample_data.town.scene import to_scene
from sample_data.town.town import Town


def test_town_blocks_tile_the_town(town: Town) -> None:
    blocks = [area.geometry for area in town.areas if area.level == "district"]
    whole = town.areas[0].geometry
    assert abs(sum(block.area for block in blocks) - whole.area) < 1e-4 * whole.area
    assert shapely.union_all(blocks).symmetric_difference(whole).area < 1e-4 * whole.area


def test_every_link_runs_from_node_to_node(town: Town) -> None:
    for link in town.streets.links:
        for node, at in ((link.start, 0), (link.end, -1)):
            assert np.allclose(town.streets.nodes[node], link.line.coords[at], atol=0.011)


def test_streets_of_the_town_are_one_network(town: Town) -> None:
    parent = {node: node for node in town.streets.nodes}

    def root(node: str) -> str:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for link in town.streets.links:
        parent[root(link.start)] = root(link.end)
    sizes = np.unique([root(node) for node in parent], return_counts=True)[1]
    assert sizes.max() == len(parent)


def test_no_link_is_a_splinter_or_crosses_itself(town: Town) -> None:
    lines = [link.line for link in town.streets.links]
    assert min(line.length for line in lines) > 0.5
    assert shapely.is_simple(lines).all()


def test_streets_cross_water_only_on_bridges(town: Town) -> None:
    water = town.coast.fresh_water.buffer(-1)
    shapely.prepare(water)
    wet = [link for link in town.streets.links if not link.tunnel and water.intersects(link.line)]
    assert wet
    assert all(link.bridge for link in wet)


def test_houses_stand_clear_of_streets_water_and_each_other(town: Town) -> None:
    houses = np.array([item.footprint for item in town.buildings])
    assert 1500 <= len(houses) <= 4500
    assert shapely.is_valid(houses).all()
    surface = town.streets.surface.buffer(-0.05)
    shapely.prepare(surface)
    assert not shapely.intersects(surface, houses).any()
    water = shapely.union_all([town.coast.fresh_water])
    shapely.prepare(water)
    assert not shapely.intersects(water, houses).any()
    first, second = shapely.STRtree(houses).query(houses, predicate="overlaps")
    assert not np.any(first != second)


def test_houses_face_their_street(town: Town) -> None:
    lines = [link.line for link in town.streets.links]
    tree = shapely.STRtree(lines)
    homes = [item for item in town.buildings if not item.name][:600]
    aligned = 0
    for item in homes:
        line = lines[int(tree.nearest(item.footprint.centroid))]
        at = line.project(item.footprint.centroid)
        a, b = line.interpolate(max(at - 3, 0)), line.interpolate(at + 3)
        street = np.arctan2(b.y - a.y, b.x - a.x)
        ring = np.array(item.footprint.exterior.coords)
        walls = np.arctan2(*np.diff(ring, axis=0).T[::-1])
        off = np.abs((walls - street + np.pi / 4) % (np.pi / 2) - np.pi / 4)
        aligned += bool(np.degrees(off.min()) < 12)
    assert aligned > 0.85 * len(homes)


@pytest.mark.parametrize(
    ("hazard", "position"),
    [("flood", 0), ("tsunami", 4), ("landslide", 1)],
    ids=lambda value: str(value),
)
def test_sites_designated_for_a_hazard_stand_outside_its_zones(
    town: Town, hazard: str, position: int
) -> None:
    zones = shapely.union_all([zone.geometry for zone in getattr(town.hazards, hazard)])
    where = positions(town)
    for item in FACILITIES:
        # A tsunami tower or building is a site because one climbs it.
        if item.safe_from[position : position + 1] == "1" and "津波避難" not in item.name:
            assert not zones.covers(shapely.Point(where[item.name])), item.name


def test_classes_of_one_hazard_do_not_overlap(town: Town) -> None:
    for zones in (town.hazards.flood, town.hazards.tsunami):
        shapes = [zone.geometry for zone in zones]
        for number, shape in enumerate(shapes):
            assert shape.is_valid
            for other in shapes[number + 1 :]:
                assert shape.intersection(other).area < 0.01 * shape.area


def test_two_closures_lie_on_links_in_the_water(town: Town, files: Path) -> None:
    frame = pyogrio.read_dataframe(files / "closures.geojson")
    closures = closed_links(town)
    assert len(frame) == len(closures) == 2
    for row, (_, links) in zip(frame.itertuples(), closures, strict=True):
        assert row.対象リンク.split(";") == [link.id for link in links]
        line = shapely.transform(row.geometry, from_lon_lat)
        whole = shapely.union_all([link.line for link in links])
        assert shapely.hausdorff_distance(line, whole) < 0.05
        assert line.distance(town.hazards.event) < 60


def test_the_flood_stays_mostly_inside_the_zones_that_foresaw_it(town: Town) -> None:
    foreseen = shapely.union_all([zone.geometry for zone in town.hazards.flood])
    inside = town.hazards.event.intersection(foreseen).area
    assert inside > 0.9 * town.hazards.event.area


def test_flooded_streets_turn_muddy_between_the_scenes(town: Town, files: Path) -> None:
    flooded = town.hazards.event.buffer(-12)
    shapely.prepare(flooded)
    middles = [
        link.line.interpolate(0.5, normalized=True) for link in town.streets.links if not link.tunnel
    ]
    xy = shapely.get_coordinates(middles)
    xy = xy[np.hypot(*(xy - [100, 100]).T) < 1100]
    wet = shapely.covers(flooded, shapely.points(xy))
    assert wet.sum() > 50
    redness = {}
    for name in ("scene_20260910_before.tif", "scene_20260918_after.tif"):
        with rasterio.open(files / name) as scene:
            pixels = np.array([*scene.sample(to_scene(xy))], float)
            redness[name] = (pixels[:, 2] - pixels[:, 3]) / (pixels[:, 2] + pixels[:, 3])
    before, after = redness.values()
    assert np.median((after - before)[wet]) > 0.2
    assert abs(np.median((after - before)[~wet])) < 0.05


def test_rain_peaks_in_the_afternoon_over_the_catchment(town: Town) -> None:
    amount = town.rain.amount_mm
    lon, lat = np.meshgrid(town.rain.longitude, town.rain.latitude)
    xy = from_lon_lat(np.column_stack([lon.ravel(), lat.ravel()])).reshape(*lon.shape, 2)
    catchment = np.hypot(xy[..., 0] - 100, xy[..., 1] - 2400) < 2500
    by_hour = amount[:, catchment].mean(axis=1)
    assert by_hour.argmax() in (12, 13)
    total = amount.sum(axis=0)
    assert total[catchment].mean() > 0.75 * total.max()
    west = [float((amount[h] * lon).sum() / amount[h].sum()) for h in (4, 12, 19)]
    assert len({round(value, 2) for value in west}) > 1


def test_every_populated_mesh_has_houses_in_it(town: Town) -> None:
    meshes = {mesh.code for mesh in town.population}
    centres = shapely.get_coordinates(shapely.centroid([item.footprint for item in town.buildings]))
    for code in sorted(meshes)[:20]:
        south, west = jismesh.utils.to_meshpoint(code, 0, 0)
        north, east = jismesh.utils.to_meshpoint(code, 1, 1)
        corner = from_lon_lat(np.array([[west, south], [east, north]]))
        inside = ((centres > corner[0] - 3) & (centres < corner[1] + 3)).all(axis=1)
        assert inside.any()


def test_people_leave_the_flooded_streets_for_the_sites(town: Town, files: Path) -> None:
    rows = list(
        csv.DictReader((files / "people_flow_20260917.csv").read_text("utf-8-sig").splitlines())
    )
    flows = [row for row in rows if len(row["メッシュコード"]) == 9 and row["滞在人口"] != "*"]
    by_mesh: dict[str, dict[int, int]] = {}
    for row in flows:
        hour = int(row["開始日時"][11:13])
        by_mesh.setdefault(row["メッシュコード"], {})[hour] = int(row["滞在人口"])
    change = {code: hours.get(18, 0) / max(hours.get(12, 1), 1) for code, hours in by_mesh.items()}
    school, flooded = mesh_codes(np.array([[-780.0, 640.0], [640.0, 330.0]]), 500)
    assert change[school] > 1.2
    assert change[flooded] < 0.6


def test_coarse_meshes_hold_their_quarters_and_tell_nothing_that_those_withhold(files: Path) -> None:
    fine, coarse = (
        {row["KEY_CODE"]: row for row in csv.DictReader((files / name).read_text("utf-8").splitlines())}
        for name in ("population_mesh250.csv", "population_mesh500.csv")
    )
    assert set(coarse) == {code[:9] for code in fine}
    shown = {code: row for code, row in coarse.items() if row["世帯総数"] != "*"}
    assert len(coarse) > len(shown) > 10
    for code, row in shown.items():
        quarters = [fine[key] for key in fine if key[:9] == code]
        published = [item for item in quarters if item["世帯総数"] != "*"]
        for column in ("人口（総数）", "65歳以上人口", "世帯総数"):
            rest = int(row[column]) - sum(int(item[column]) for item in published)
            assert rest == 0 or (rest > 0 and len(published) < len(quarters))
        homes = int(row["世帯総数"]) - sum(int(item["世帯総数"]) for item in published)
        assert homes == 0 or homes >= 4
