"""Write the sample town: ``python -m sample_data.generate [FOLDER]``.

Without a folder the committed files in ``sample_data/town_data`` are written anew. One seed makes
everything, so the files come out the same each time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from sample_data.formats import lanelet2, makers, maps, municipal, neighbour, opendrive, rasters, tables
from sample_data.formats.files import pin_dates
from sample_data.town.town import Town, make_town

FOLDER = Path(__file__).parent / "town_data"

WRITERS: dict[str, Callable[[Town, Path], None]] = {
    "municipalities_n03.geojson": municipal.write_municipalities,
    "town_blocks.zip": municipal.write_town_blocks,
    "places.geojson": municipal.write_places,
    "background.gpkg": maps.write_background,
    "road_network.gpkg": maps.write_road_network,
    "railway.geojson": maps.write_railway,
    "lanes_maker_a.osm": lanelet2.write_lanelet2,
    "lanes_maker_b.xodr": opendrive.write_opendrive,
    "roadside_maker_a.geojson": makers.write_maker_a,
    "roadside_maker_b.geojson": makers.write_maker_b,
    "buildings.zip": municipal.write_buildings,
    "flood_a31a.geojson": municipal.write_flood_zones,
    "tsunami_a40.zip": municipal.write_tsunami_zones,
    "landslide_a33.zip": municipal.write_landslide_zones,
    "089991_evacuation_space.csv": tables.write_sites,
    "shelters.xlsx": tables.write_shelters,
    "089982_shelters.csv": neighbour.write_shelters,
    "population_mesh500.csv": lambda town, path: tables.write_population(town.coarse_population, path),
    "population_mesh250.csv": lambda town, path: tables.write_population(town.population, path),
    "people_flow_20260917.csv": tables.write_flow,
    "closures.geojson": municipal.write_closures,
    "rain_20260917.nc": rasters.write_rain,
    "scene_20260910_before.tif": lambda town, path: rasters.write_scene(town, path, after=False),
    "scene_20260918_after.tif": lambda town, path: rasters.write_scene(town, path, after=True),
}


def generate(folder: Path, only: set[str] | None = None) -> list[Path]:
    """Write the files into a folder and return their paths; ``only`` names the ones wanted."""
    pin_dates()
    folder.mkdir(parents=True, exist_ok=True)
    town = make_town()
    written = []
    for name, write in WRITERS.items():
        if only is None or name in only:
            write(town, folder / name)
            written.append(folder / name)
    return written


def main(arguments: list[str]) -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="*", metavar="FILE", help="write only these files")
    options = parser.parse_args(arguments)
    for path in generate(options.folder, set(options.only) if options.only else None):
        print(f"{path.stat().st_size:>10,}  {path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
