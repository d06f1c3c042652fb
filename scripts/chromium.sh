#!/usr/bin/env bash
# Chromium for the tests of the pages, from Debian's packages; its tests say so where it is missing still.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then exit 0; fi
done
if ! command -v apt-get > /dev/null; then
  echo "no Chromium here, and no apt-get: install it for the tests of the pages" >&2
  exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2> /dev/null; then
    echo "no Chromium here: run 'sudo apt-get install chromium' for the tests of the pages" >&2
    exit 0
  fi
  as_root=(sudo -n)
fi
echo "installing Chromium for the tests of the pages"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core > /dev/null
