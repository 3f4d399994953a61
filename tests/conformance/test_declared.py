"""What this server declares is what is tested: a class without a test here may not be declared."""

from __future__ import annotations

from pathlib import Path

from geoshare.api.landing import CONFORMANCE
from tests.conformance.server import SPEC

HERE = Path(__file__).parent
TESTS = HERE.parent
TESTED = {
    "ogcapi-common-3/1.0/conf/references": "test_profiles.py",
    "ogcapi-common-3/1.0/conf/profile-": "test_profiles.py",
    "ogcapi-common-1/1.0/conf/html": "test_html.py",
    "ogcapi-features-1/1.0/conf/html": "test_html.py",
    "ogcapi-common-": "test_features_core.py",
    "ogcapi-common-3/1.0/": "test_schemas.py",
    "ogcapi-features-1/": "test_features_core.py",
    "ogcapi-features-2/": "test_features_crs.py",
    "ogcapi-features-3/": "test_features_filter.py",
    "ogcapi-features-6/0.0/": "test_schemas.py",
    "ogcapi-features-8/0.0/": "test_sorting.py",
    "cql2/1.0/": "test_cql2.py",
    "json-fg-1/1.0/": "test_jsonfg.py",
    "ogcapi-tiles-1/": "test_tiles.py",
    "ogcapi-styles-1/0.0/": "test_styles.py",
    "tms/2.0/": "test_tiles.py",
    "ogcapi-processes-1/": "../api/test_processes.py",
    "ogcapi-records-1/": "../api/test_catalogue.py",
}


def test_every_declared_class_has_its_tests():
    assert len(set(CONFORMANCE)) == len(CONFORMANCE)
    for name in CONFORMANCE:
        said = name.removeprefix(f"{SPEC}/")
        files = [file for start, file in TESTED.items() if said.startswith(start)]
        assert files, f"{name} is declared, and nothing tests it"
        assert (HERE / files[0]).exists()
