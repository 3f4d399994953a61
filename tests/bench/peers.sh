#!/usr/bin/env bash
# Installs the peers of `make bench` on Debian or Ubuntu: PostGIS, MapServer behind nginx, wrk (the load client)
# and tipg and pygeoapi (the last release for Python 3.11) in a virtual environment of its own. Run as root, or with sudo for the packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
apt-get update -q
apt-get install -q -y --no-install-recommends postgresql postgresql-postgis cgi-mapserver spawn-fcgi nginx-light wrk
python3 -m venv .venv-peers
.venv-peers/bin/pip install --quiet tipg uvicorn 'psycopg[binary]' \
  'pygeoapi==0.21.0' gunicorn psycopg2-binary geoalchemy2
