"""What the OpenAPI document says is what comes: schemathesis asks, coverage and at random."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conformance.server import Server

# What OpenAPI cannot say is left out: which texts are CQL2, and that too high a limit is lowered.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
PATHS = (
    r"^/(conformance|functions|collections"
    r"(/\{[^}]+\}(/(items(/\{[^}]+\})?|schema|queryables|sortables|codelists/\{[^}]+\}))?)?)?$"
)


def test_schemathesis_finds_nothing_undocumented(served: Server, tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "schemathesis.cli", "run"]
    command += [f"{served.url}/openapi.json", "--checks", ",".join(CHECKS), "--seed", "1"]
    command += ["--include-path-regex", PATHS, "--phases", "coverage,fuzzing", "--max-examples", "3"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        command += ["--exclude-method", method]
    if served.key:
        command += ["-H", f"X-API-Key: {served.key}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path, env=os.environ
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
