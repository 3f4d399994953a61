"""What readers call collections: lawful names, whatever files and callers say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from geoshare.errors import BadRequest
from geoshare.model.collections import is_name
from geoshare.sources import reading
from tests.names import UNLAWFUL

POINT = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [139.5, 35.2]}}


def layer(folder: Path, name: str) -> Path:
    path = folder / "layer.geojson"
    said = {"type": "FeatureCollection", "name": name, "features": [POINT | {"properties": {"a": 1}}]}
    path.write_bytes(json.dumps(said).encode())
    return path


@pytest.mark.parametrize("name", UNLAWFUL.values(), ids=UNLAWFUL)
def test_no_file_is_read_into_an_unlawful_collection(
    read: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    with pytest.raises(BadRequest):
        read(layer(tmp_path, "x"), collection=name)


@pytest.mark.parametrize("name", UNLAWFUL.values(), ids=UNLAWFUL)
@pytest.mark.parametrize("mapping", [None, {"a": "b"}])
def test_a_layer_of_any_name_becomes_a_lawful_collection(
    read: Callable[..., Any], tmp_path: Path, name: str, mapping: dict[str, str] | None
) -> None:
    found = read(layer(tmp_path, name), mapping=mapping)
    assert found.batches
    assert all(is_name(batch.collection) for batch in found.batches)


def test_a_layer_keeps_its_own_name_as_the_title(read: Callable[..., Any], tmp_path: Path) -> None:
    [batch] = read(layer(tmp_path, "街路樹")).batches
    assert batch.title == "街路樹"
    [batch] = read(layer(tmp_path, "街路樹"), collection="trees").batches
    assert batch.title == ""


def test_a_variable_of_a_grid_becomes_a_lawful_collection(
    read: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "grid.nc"
    times = np.array(["2026-09-17T00"], "datetime64[ns]")
    axes = {"time": times, "lat": [35.0, 35.1, 35.2], "lon": [139.0, 139.1, 139.2]}
    values = xr.DataArray(np.ones((1, 3, 3), "float32"), axes, ("time", "lat", "lon"))
    xr.Dataset({"..気温": values}).to_netcdf(path)
    [item] = read(path).rasters
    assert is_name(item.collection)
    assert item.path.resolve().parent == (tmp_path / "work").resolve()


def test_an_installed_reader_that_makes_an_unlawful_name_is_refused(
    read: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [batch] = read(layer(tmp_path, "trees")).batches

    def items(*_: object) -> Iterator[Any]:
        yield replace(batch, collection="../../evil")

    monkeypatch.setattr(reading, "_items", items)
    with pytest.raises(BadRequest):
        read(layer(tmp_path, "trees"))
