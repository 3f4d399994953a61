#!/usr/bin/env bash
# Makes the pictures of the guides from the programs themselves. Needs a server with the sample town (`make run`),
# and of Debian: qgis python3-qgis xvfb libreoffice-calc.
# usage: tests/guides/pictures.sh URL KEY MAKER LIBRARY
# KEY is the sample's developer's, MAKER its car maker's; LIBRARY a folder with a virtual environment in which are
# simple-lanelet2 and matplotlib (Lanelet2 and the rules of Autoware, which draw its picture).
set -euo pipefail
url=$1 key=$2 maker=$3 library=$4
cd "$(dirname "$0")/../.."
python=$PWD/.venv/bin/python guides=$PWD/geoshare/api/guides here=$PWD/tests/guides
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

run='import re, sys; known = {"KEY": sys.argv[3], "PACKAGE": sys.argv[3]}
for code in re.findall(r"```python\n(.*?)```", open(sys.argv[1], encoding="utf-8").read(), re.S):
    exec(code.replace("http://127.0.0.1:8080", sys.argv[4]), known)
(known.get("figure") or known["axes"].figure).savefig(sys.argv[2], dpi=110)'
MPLBACKEND=agg "$python" -c "$run" "$guides/geopandas.md" "$work/geopandas.png" "$key" "$url" >/dev/null
key=$maker
ask '["lanes", "lane_boundaries", "regulatory_elements", "roadside_features", "structures", "areas"]' autoware
MPLBACKEND=agg "$library/bin/python" -c "$run" "$guides/autoware.md" "$work/autoware.png" "$work/autoware" "$url" >/dev/null

"$python" - "$work" "$guides/images" <<'PYTHON'
import sys
from pathlib import Path

import pypdfium2
from PIL import Image

work, images = map(Path, sys.argv[1:])
sheet = pypdfium2.PdfDocument(work / "shelters.pdf")[0].render(scale=1.4).to_pil()
sheet = sheet.crop((60, 80, sheet.width - 60, sheet.height // 2))
drawn = [(Image.open(work / f"{name}.png"), f"{name}.png") for name in ("geopandas", "autoware")]
for picture, name in ((Image.open(work / "window.png"), "qgis.png"), (sheet, "excel.png"), *drawn):
    picture = picture.convert("RGB").quantize(96)
    picture.save(images / name, optimize=True)
    sys.stdout.write(f"{name} {(images / name).stat().st_size} bytes\n")
PYTHON
