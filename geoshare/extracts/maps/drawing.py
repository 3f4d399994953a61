"""One map: what it shows, with which pen, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from geoshare.extracts.maps.frame import Frame, Shapes
from geoshare.extracts.maps.labels import Labels
from geoshare.extracts.maps.legend import Legend
from geoshare.extracts.maps.pen import Pen
from geoshare.extracts.maps.places import Place
from geoshare.extracts.maps.reading import Features
from geoshare.extracts.maps.words import Speaker
from geoshare.model.drills import is_real
from geoshare.model.standing import is_over


@dataclass
class Drawing:
    """A frame being drawn: the lower left corner of the frame is the pen's origin."""

    frame: Frame
    pen: Pen
    say: Speaker
    places: Sequence[Place] = ()
    hazards: tuple[str, ...] | None = None  # kinds of hazard that are shown; None: all
    numbered: bool = True
    drills: bool = True
    at: datetime | None = None  # the moment that is drawn: what is over by then is left out
    legend: Legend = field(default_factory=Legend)
    labels: Labels = field(init=False)
    times_us: list[int] = field(default_factory=list)  # of which the data say that they are

    def __post_init__(self) -> None:
        self.labels = Labels(self.frame.width_mm, self.frame.height_mm)

    @property
    def zoom(self) -> float:
        """Zoom of the browser's map that looks like this."""
        return self.frame.zoom

    def px(self, pixels: float) -> float:
        """Millimetres of a width that the browser has in pixels."""
        return pixels * self.frame.pixel_mm

    def shown(self, features: Features) -> Features:
        """Those of the features that are not over, and no drills where none are to be seen."""
        rows = zip(*features.columns.values(), strict=True) if features.columns else ()
        kept = [
            self._shows(features.collection, dict(zip(features.columns, row, strict=True)))
            for row in rows
        ]
        return features if all(kept) else features.where(np.array(kept, bool))

    def _shows(self, collection: str, said: dict[str, Any]) -> bool:
        ends = said.get("valid_to")
        if isinstance(ends, datetime):
            said["valid_to"] = ends.isoformat()
        over = self.at is not None and is_over(collection, said, self.at)
        return not over and (self.drills or is_real(said))

    @property
    def edge(self) -> Shapes:
        """The frame itself, as an area in millimetres."""
        made: Shapes = shapely.box([0.0], [0.0], [self.frame.width_mm], [self.frame.height_mm])
        return made


Paint = Callable[[Drawing, Features], None]


@dataclass(frozen=True)
class Layer:
    """How a collection is drawn: later the higher, from which zoom, by which of its columns."""

    height: int
    columns: tuple[str, ...]
    paint: Paint
    from_zoom: float = 0.0


Layers = Mapping[str, Layer]
