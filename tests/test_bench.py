"""The measuring itself: what its command line takes, and the floor it compares with."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.bench.__main__ import PEERS, WORK, parser
from tests.bench.floor import Floor


def test_help_names_every_work_and_every_peer() -> None:
    said = " ".join(parser().format_help().split())
    for name in (*WORK, *(kind.name for kind, _ in PEERS), "cached tile"):
        assert name in said


@pytest.mark.parametrize("option", ["--work", "--peers"])
def test_a_name_that_is_none_is_refused_with_those_there_are(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([option, "nonsense"])
    assert "'nonsense' is none of" in capsys.readouterr().err
    assert parser().parse_args([option, ""]) is not None


def test_the_floor_answers_its_body_to_its_key_and_is_not_where_a_peer_is() -> None:
    body = bytes(range(200)) * 100
    with Floor(body) as floor:
        assert not any(floor.base.endswith(f":{port}") for _, port in PEERS)
        request = urllib.request.Request(floor.base + "/tile", headers=floor.headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.read() == body
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(floor.base + "/tile")
        assert refused.value.code == 401
