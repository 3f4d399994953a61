"""What a telegram says about one area and one kind of warning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """One kind of warning that a telegram says is in force in one area."""

    area_code: str
    area_name: str
    area_kind: str  # municipality, group, region, prefecture, river, coast, area
    kind_code: str
    kind_name: str
    hazard: str
    severity: str
    level: int | None
    condition: str = ""  # in the telegram's words: 発表, 継続, 警報から注意報, the height of a tsunami
    municipalities: tuple[str, ...] = ()  # five digits each, where the telegram names them

    @property
    def key(self) -> tuple[str, str]:
        """Area and kind."""
        return self.area_code, self.kind_code
