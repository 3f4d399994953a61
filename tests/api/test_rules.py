"""A provider decides once which findings refuse its contributions; what is said with one wins."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from geoshare.cli import main
from geoshare.services.keeping import make_worker

RULES = "/contributions/rules"
CROSSING = {
    "type": "LineString",
    "coordinates": [[139, 35], [139.01, 35], [139.01, 35.01], [139, 34.99]],
}


@pytest.fixture
def send(own):
    """Contributes a segment that crosses itself, and tells what became of it."""
    worker = make_worker(own.services)

    def work(**said: str) -> dict[str, Any]:
        rows = [{"type": "Feature", "properties": {"id": "x"}, "geometry": CROSSING}]
        answer = own.client.post(
            "/contributions",
            query_string={"collection": "segments", **said},
            data=json.dumps({"type": "FeatureCollection", "features": rows}),
            headers={"X-API-Key": own.keys["provider"], "Content-Type": "application/geo+json"},
        )
        assert answer.status_code == 202, answer.data
        while worker.run_one():
            pass
        return own.get(f"/contributions/{answer.json['id']}", "provider").json

    return work


def decide(own, refuse_on: str, key: str = "provider", **said: str):
    headers = {"X-API-Key": own.keys[key]}
    return own.client.put(RULES, query_string=said, json={"refuse_on": refuse_on}, headers=headers)


def test_what_a_provider_has_decided_holds_until_it_says_otherwise(own, send):
    assert send(observed="2026-01-01")["status"] == "done"
    assert decide(own, "error").json == {"provider": "org-provider", "refuse_on": "error"}
    assert send(observed="2026-01-02")["error"]["code"] == "findings"
    assert send(observed="2026-01-03", refuse_on="none")["status"] == "done"
    assert decide(own, "none").status_code == 200
    assert send(observed="2026-01-04")["status"] == "done"
    assert send(observed="2026-01-05", refuse_on="error")["status"] == "refused"


def test_a_check_tells_that_the_file_would_be_refused(own, send):
    told = {finding["rule"] for finding in send(check_only="true")["report"]["findings"]}
    assert "geoshare:file.findings" not in told
    decide(own, "warning")
    checked = send(check_only="true")
    assert checked["status"] == "checked"
    told = {finding["rule"] for finding in checked["report"]["findings"]}
    assert told == {"geoshare:segments.self_crossing", "geoshare:file.findings"}


def test_nobody_decides_for_another_but_the_operator(own):
    assert decide(own, "error", "provider", provider="org-x").status_code == 403
    assert decide(own, "error", "developer").status_code in (401, 403, 404)
    assert own.client.get(RULES).status_code == 401
    assert decide(own, "fatal").status_code == 400
    assert decide(own, "info", "operator", provider="org-provider").status_code == 200
    assert own.get(RULES, "provider").json["refuse_on"] == "info"
    environ = {"GEOSHARE_DATA": str(own.settings.data)}
    asked = ["providers", "rules", "org-provider"]
    for more, holds in (([], "info"), (["--refuse-on", "error"], "error")):
        said = CliRunner().invoke(main, [*asked, *more], env=environ)
        assert (said.exit_code, said.output) == (0, f"refuse-on  {holds}\n"), said.output
    assert own.get(RULES, "provider").json["refuse_on"] == "error"
