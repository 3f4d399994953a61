#!/usr/bin/env bash
# Makes the pictures of docs/guides from the programs themselves. Needs a server with the sample town (`make run`),
# and of Debian: qgis python3-qgis xvfb libreoffice-calc.
# usage: tests/guides/pictures.sh URL KEY     (the key of the sample's car maker, which sees buildings and lanes)
set -euo pipefail
url=$1 key=$2
cd "$(dirname "$0")/../.."
python=$PWD/.venv/bin/python images=$PWD/docs/images here=$PWD/tests/guides
work=$(mktemp -d); chmod 700 "$work"; trap 'rm -rf "$work"' EXIT
export QGIS_CUSTOM_CONFIG_PATH=$work XDG_RUNTIME_DIR=$work LANG=C.UTF-8

ask() {  # collections, format: the unpacked extract in $work/$2
  curl -sf -H "X-API-Key: $key" -H "Content-Type: application/json" "$url/extracts" -o "$work/$2.zip" \
    -d "{\"collections\": $1, \"format\": \"$2\"${3:-}}"
  "$python" -m zipfile -e "$work/$2.zip" "$work/$2"
}

ask '["segments", "buildings", "shelters"]' gpkg
/usr/bin/python3 "$here/qgis_program.py" "$url" "$key" "$work/gpkg/geoshare.gpkg" "$work" >/dev/null
GUIDE_PICTURE=$work/window.png xvfb-run -a -s "-screen 0 1000x640x24" \
  qgis --nologo --noversioncheck --noplugins --code "$here/qgis_window.py" "$work/guide.qgz" >/dev/null 2>&1

ask '["shelters"]' xlsx ", \"columns\": [\"name\", \"address\", \"local_government_code\", \"status\"]"
(cd "$work" && soffice "-env:UserInstallation=file://$work/office" --headless --convert-to pdf xlsx/shelters.xlsx >/dev/null)

"$python" - "$work" "$images" <<'PYTHON'
import sys
from pathlib import Path

import pypdfium2
from PIL import Image

work, images = map(Path, sys.argv[1:])
sheet = pypdfium2.PdfDocument(work / "shelters.pdf")[0].render(scale=1.4).to_pil()
sheet = sheet.crop((60, 80, sheet.width - 60, sheet.height // 2))
for picture, name in ((Image.open(work / "window.png"), "guide-qgis.png"), (sheet, "guide-excel.png")):
    picture = picture.convert("RGB").quantize(96)
    picture.save(images / name, optimize=True)
    sys.stdout.write(f"{name} {(images / name).stat().st_size} bytes\n")
PYTHON
