#!/usr/bin/env bash
# Builds the browser app; without Node the server runs all the same and says so on /map.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v npm >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing Node for the web build"
  { apt-get update -q && apt-get install -q -y --no-install-recommends nodejs npm; } >/dev/null 2>&1 || true
fi
if ! command -v npm >/dev/null; then
  echo "*** No Node.js 20+ here and none could be installed: /map will not be available ***"
  exit 0
fi
npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
