"""The town as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sample_data.town import areas, buildings, coast, hazards, people, quarters, rain, streets, terrain


@dataclass(frozen=True)
class Town:
    """Everything the files are written from."""

    coast: coast.Coast
    terrain: terrain.Terrain
    streets: streets.Streets
    areas: list[areas.Area]
    places: list[areas.Place]
    buildings: list[buildings.Building]
    hazards: hazards.Hazards
    population: list[people.MeshPeople]  # 250 m
    coarse_population: list[people.MeshPeople]  # 500 m
    flow: list[people.Flow]
    rain: rain.Rain

    def quarter_areas(self, style: str) -> list[areas.Area]:
        """The 町丁目 of one style."""
        return [area for area in self.areas if area.style == style]

    def farm_quarters(self) -> list[tuple[areas.Area, quarters.Quarter]]:
        """The 町丁目 of fields with the quarter that says how they are laid out."""
        by_name = {quarter.name: quarter for quarter in quarters.QUARTERS}
        return [(area, by_name[area.name]) for area in self.quarter_areas("farm")]


@cache
def make_town() -> Town:
    """Build the town from its one seed; a few seconds."""
    shore = coast.make_coast()
    ground = terrain.make_terrain(shore)
    network = streets.make_streets(shore, ground)
    districts = areas.make_areas(shore, network)
    houses = buildings.make_buildings(shore, ground, network, districts)
    dangers = hazards.make_hazards(shore, ground)
    population = people.make_population(houses)
    return Town(
        coast=shore,
        terrain=ground,
        streets=network,
        areas=districts,
        places=areas.make_places(districts, shore),
        buildings=houses,
        hazards=dangers,
        population=population,
        coarse_population=people.coarser_population(population),
        flow=people.make_flow(houses, dangers, ground),
        rain=rain.make_rain(),
    )
