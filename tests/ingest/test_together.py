"""Several providers at once, with the keeper at work: nothing lost, nothing double."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from geoshare.model.clock import RandomIds, SystemClock
from geoshare.publish import Keeper, Packs, wait_published
from geoshare.store import open_record
from tests.ingest.bench import Workbench, batch
from tests.publish.test_publish import shown
from tests.store.databases import KINDS, fresh_url


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_of_the_same_and_of_other_features_take_turns(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    record = open_record(url)
    stop, failures = threading.Event(), []
    keeper = Keeper(record, tmp_path / "data", SystemClock())
    keeping = threading.Thread(target=keeper.run, args=(stop, 0.005))
    keeping.start()

    def provide(number: int) -> None:
        own = open_record(url)
        bench = Workbench(own, tmp_path / f"provider{number}")
        bench.folder.mkdir()
        bench.data = tmp_path / "data"
        bench.counting = RandomClock()
        try:
            for step in range(5):
                shared = {
                    f"S{row}": {"common_id": f"S{row}", "name": f"{number}-{step}"} for row in range(20)
                }
                mine = {f"m{row}": {"rank": step} for row in range(20)}
                result = bench.contribute(
                    [batch("shelters", shared), batch("places", mine)],
                    f"provider{number}",
                    content=str(step),
                )
                assert result.sequence is not None
                wait_published(Keeper(own, bench.data, SystemClock()), own, bench.data, result.sequence)
        except BaseException as error:
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=provide, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    keeping.join()
    assert failures == []
    bench = Workbench(record, tmp_path)
    assert len(bench.visible("shelters")) == 20
    assert len(bench.visible("places")) == 60
    assert {row["rank"] for row in bench.visible("places").values()} == {4}
    packs = Packs(tmp_path / "data" / "packs")
    for name in ("places", "shelters"):
        assert shown(packs, name) == bench.visible(name)
    for feature in bench.visible("shelters"):
        claims = record.claims("shelters", feature)
        assert sorted(claim.provider for claim in claims) == ["provider0", "provider1", "provider2"]
    assert record.head() == 15
    record.close()


class RandomClock(SystemClock, RandomIds):
    """The machine's clock and unguessable ids in one."""
