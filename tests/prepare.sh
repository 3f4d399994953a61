#!/usr/bin/env bash
# Finds or installs what the tests drive from outside: a Chromium. Says so loudly where it may not.
set -u
if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
  || [ -d "/Applications/Google Chrome.app" ]; then
  exit 0
fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing Chromium for the browser tests"
  { apt-get update -q && apt-get install -q -y --no-install-recommends chromium; } >/dev/null 2>&1 && exit 0
fi
echo "*** No Chromium here and none could be installed: the browser tests will be skipped ***"
