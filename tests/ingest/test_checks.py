"""Checks of contributions: nothing is recorded by a check, and findings refuse what they should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from geoshare.cli import main
from geoshare.errors import BadData
from geoshare.ingest import check, report_from_json, report_json
from geoshare.ingest.checks import enforce
from geoshare.model.findings import Finding, worst
from geoshare.model.report import Report
from geoshare.sources import ReadRequest
from geoshare.store import open_record

NOW_US = 1_800_000_000_000_000  # 2027-01-15
EIGHT = [[139.0, 35.0], [139.001, 35.001], [139.001, 35.0], [139.0, 35.001]]
STRAIGHT = [[139.0, 35.0], [139.001, 35.0]]


def geojson(path: Path, *lines: list[list[float]], **properties: str) -> Path:
    features = [
        {
            "type": "Feature",
            "id": f"s{number}",
            "properties": {"id": f"s{number}", **properties},
            "geometry": {"type": "LineString", "coordinates": line},
        }
        for number, line in enumerate(lines)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def checked(path: Path, tmp_path: Path, collection: str) -> Report:
    report = Report(file=path.name)
    record = open_record(f"sqlite:///{tmp_path / 'checked.db'}")
    check(record, path, ReadRequest("mapco", tmp_path, NOW_US, collection=collection), report)
    record.close()
    return report


def run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner(env={"GEOSHARE_DATA": str(tmp_path / "data")}).invoke(
        main, ["contribute", "--provider", "mapco", *arguments]
    )
    return result.exit_code, result.output


def test_a_segment_that_crosses_itself_is_found_with_its_place(tmp_path: Path) -> None:
    report = checked(geojson(tmp_path / "a.geojson", STRAIGHT, EIGHT), tmp_path, "segments")
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("geoshare:segments.self_crossing", "error")
    assert finding.feature == "segments/s1"
    assert finding.lon_lat == (139.0, 35.0)
    assert finding.ja


def test_a_time_of_observation_that_has_not_come_is_found(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", STRAIGHT, observed_at="2027-01-16T00:00:00Z", kind="flood")
    report = checked(path, tmp_path, "damage_reports")
    assert "geoshare:time.not_yet_come" in {finding.rule for finding in report.findings}
    path = geojson(tmp_path / "b.geojson", STRAIGHT, observed_at="2027-01-14T00:00:00Z", kind="flood")
    report = checked(path, tmp_path, "damage_reports")
    assert "geoshare:time.not_yet_come" not in {finding.rule for finding in report.findings}


def test_a_file_that_would_be_refused_is_a_finding(tmp_path: Path) -> None:
    broken = tmp_path / "map.xodr"
    broken.write_text("<OpenDRIVE><road id='1'", "utf-8")
    report = checked(broken, tmp_path, "lanes")
    assert worst(report.findings) == "error"
    assert {finding.rule for finding in report.findings} == {"geoshare:file.xml-broken"}


def test_findings_survive_the_way_through_json() -> None:
    report = Report(file="a")
    report.find(
        [Finding("r", "warning", "f", "en", "ja", (139.0, 35.0)), Finding("r", "error", "f", "e", "j")]
    )
    again = report_from_json(report_json(report))
    assert again.findings == report.findings
    assert [finding.severity for finding in again.findings] == ["error", "warning"]
    assert again.found == {"warning": 1, "error": 1}


@pytest.mark.parametrize(
    ("severity", "refuse_on", "refused"),
    [
        ("error", "error", True),
        ("warning", "error", False),
        ("warning", "warning", True),
        ("error", "warning", True),
        ("error", None, False),
    ],
)
def test_findings_refuse_a_contribution_from_the_severity_its_provider_chose(
    severity: str, refuse_on: str | None, refused: bool
) -> None:
    report = Report(file="a")
    report.find([Finding("r", severity, "road/1", "gap", "隙間")])  # type: ignore[arg-type]
    if refused:
        with pytest.raises(BadData, match="road/1") as caught:
            enforce(report, refuse_on)  # type: ignore[arg-type]
        assert "隙間" in caught.value.message_ja
    else:
        enforce(report, refuse_on)  # type: ignore[arg-type]


def test_check_only_records_nothing_and_exits_by_what_it_finds(tmp_path: Path) -> None:
    good = geojson(tmp_path / "good.geojson", STRAIGHT)
    bad = geojson(tmp_path / "bad.geojson", STRAIGHT, EIGHT)
    code, said = run(tmp_path, "--collection", "segments", "--check-only", str(good))
    assert code == 0, said
    code, said = run(tmp_path, "--collection", "segments", "--check-only", str(good), str(bad))
    assert code == 1
    assert "geoshare:segments.self_crossing" in said
    record = open_record(f"sqlite:///{tmp_path / 'data' / 'record.db'}")
    assert record.head() == 0
    assert not list((tmp_path / "data").glob("raw/**/*.*"))


def test_a_file_with_findings_is_taken_unless_they_refuse_it(tmp_path: Path) -> None:
    bad = geojson(tmp_path / "bad.geojson", STRAIGHT, EIGHT)
    code, said = run(tmp_path, "--collection", "segments", "--refuse-on", "error", str(bad))
    assert code == 1
    assert "refused" in said
    code, said = run(tmp_path, "--collection", "segments", str(bad))
    assert code == 0, said
    assert "findings: 1 error" in said


def test_a_map_a_hundred_kilometres_off_is_found_against_what_is_known(tmp_path: Path) -> None:
    town = geojson(tmp_path / "town.geojson", STRAIGHT)
    code, said = run(tmp_path, "--collection", "segments", str(town))
    assert code == 0, said
    assert "far_from_known" not in said  # the first map of a collection has nothing to be far from
    beside = geojson(tmp_path / "beside.geojson", [[lon + 0.3, lat] for lon, lat in STRAIGHT])
    off = geojson(tmp_path / "off.geojson", [[lon + 1.1, lat] for lon, lat in STRAIGHT])
    code, said = run(tmp_path, "--collection", "segments", "--check-only", str(beside), str(off))
    assert code == 0  # a warning: it may be the first map of another town
    assert said.count("geoshare:place.far_from_known") == 1


def test_an_epoch_that_has_not_come_is_found(tmp_path: Path) -> None:
    town = geojson(tmp_path / "town.geojson", STRAIGHT)
    code, said = run(tmp_path, "--collection", "segments", "--check-only", "--epoch", "2190", str(town))
    assert code == 1
    assert "geoshare:time.not_yet_come" in said


def test_the_shift_between_providers_is_told(tmp_path: Path) -> None:
    lines = [
        [[139.0 + k * 0.001, 35.0], [139.0 + k * 0.001, 35.002]] if k % 2 else
        [[139.0, 35.0 + k * 0.0002], [139.004, 35.0 + k * 0.0002]]
        for k in range(6)
    ]  # fmt: skip
    moved = [[[lon + 1e-5, lat - 5e-6] for lon, lat in line] for line in lines]
    run(tmp_path, "--collection", "segments", str(geojson(tmp_path / "a.geojson", *lines)))
    environment = {"GEOSHARE_DATA": str(tmp_path / "data")}
    runner = CliRunner(env=environment)
    other = str(geojson(tmp_path / "b.geojson", *moved))
    runner.invoke(main, ["contribute", "--provider", "rival", "--collection", "segments", other])
    found = json.loads(runner.invoke(main, ["shift", "segments", "--json"]).output)
    assert (found["of"], found["against"]) == ("mapco", "rival")
    assert found["shift"]["east_m"] == pytest.approx(-0.912, abs=0.02)
    assert found["shift"]["north_m"] == pytest.approx(0.557, abs=0.02)


def test_places_of_different_days_in_one_collection_are_found(tmp_path: Path) -> None:
    first = geojson(tmp_path / "a.geojson", STRAIGHT)
    second = geojson(tmp_path / "b.geojson", [[lon + 0.01, lat] for lon, lat in STRAIGHT])
    # satellite positions outside of any grid are kept as they are, with their epoch
    code, said = run(tmp_path, "--collection", "segments", "--epoch", "2019.5", str(first))
    assert code == 0, said
    assert "epochs_mixed" not in said
    for epoch, mixed in (("2019.7", False), ("2024.5", True), ("2011.4", True)):
        arguments = ("--collection", "segments", "--check-only", "--epoch", epoch, str(second))
        assert ("geoshare:datum.epochs_mixed" in run(tmp_path, *arguments)[1]) == mixed
    assert (
        "epochs_mixed" not in run(tmp_path, "--collection", "segments", "--check-only", str(second))[1]
    )
