"""What the guide of QGIS does by hand, in QGIS itself: run by the Python that QGIS came with.

``python3 qgis_program.py URL KEY GEOPACKAGE FOLDER`` opens the server's features with a key that QGIS
keeps, its vector tiles, and the GeoPackage of an extract; draws both to PNG, saves a project, tells
what it found as JSON. QGIS 3.22 ends in a segmentation fault when its threads are taken down, so this
ends without.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

STYLED = ("segments", "buildings", "shelters")


def kept_key(key: str) -> str:
    """Keep a key among QGIS's authentications; its id. The user's name may be any."""
    manager = QgsApplication.authManager()
    manager.setMasterPassword("guide", True)
    config = QgsAuthMethodConfig("Basic")
    config.setName("geoshare")
    config.setConfig("username", "key")
    config.setConfig("password", key)
    manager.storeAuthenticationConfig(config)
    return str(config.id())


def features(url: str, name: str, auth: str = "") -> QgsVectorLayer:
    """A collection as Layer > Add Layer > WFS / OGC API - Features opens it."""
    said = {"url": url, "typename": name, "authcfg": auth, "pageSize": "1000"}
    text = " ".join(f"{word}='{value}'" for word, value in said.items() if value)
    return QgsVectorLayer(text, name, "OAPIF")


def tiles(url: str, names: str, auth: str) -> QgsVectorTileLayer:
    """Vector tiles as Layer > Add Layer > Vector Tile Layer opens them."""
    source = f"{url}/tiles/{names}/{{z}}/{{x}}/{{y}}.mvt"
    return QgsVectorTileLayer(f"type=xyz&url={source}&zmin=0&zmax=16&authcfg={auth}", "tiles")


def draw(layers: list[Any], path: Path) -> None:
    """Draw layers to a PNG as large as their middle, in Web Mercator."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setBackgroundColor(QColor("white"))
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setOutputSize(QSize(720, 480))
    change = QgsCoordinateTransform(layers[-1].crs(), settings.destinationCrs(), QgsProject.instance())
    box = change.transformBoundingBox(layers[-1].extent())
    box.scale(0.35)
    settings.setExtent(box)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(str(path))


def main(url: str, key: str, package: str, folder: str) -> dict[str, Any]:
    """Do it; what was found."""
    auth = kept_key(key)
    lanes, shelters = features(url, "lanes", auth), features(url, "shelters", auth)
    drawn = tiles(url, "segments", auth)
    roads = features(url, "segments", auth)
    found: dict[str, Any] = {
        "lanes": sorted(item["id"] for item in lanes.getFeatures()),
        "shelters": {
            item["id"]: [item.geometry().asPoint().x(), item.geometry().asPoint().y()]
            for item in shelters.getFeatures()
        },
        "without_key": features(url, "lanes").isValid(),
        "tiles": drawn.isValid(),
    }
    draw([drawn, roads], Path(folder) / "server.png")
    layers = [QgsVectorLayer(f"{package}|layername={name}", name, "ogr") for name in STYLED]
    styled = {}
    for layer in layers:
        _, ok = layer.loadDefaultStyle()
        styled[layer.name()] = {
            "loaded": ok,
            "renderer": layer.renderer().type(),
            "heading": layer.attributeDisplayName(layer.fields().indexOf("name")),
            "count": layer.featureCount(),
        }
    found["package"] = styled
    draw([layers[2], layers[0], layers[1]], Path(folder) / "package.png")
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    for name in ("buildings", "segments", "shelters"):
        project.addMapLayer(next(layer for layer in layers if layer.name() == name))
    project.write(str(Path(folder) / "guide.qgz"))
    return found


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QgsApplication([], False)
    application.initQgis()
    sys.stdout.write(json.dumps(main(*sys.argv[1:5])) + "\n")
    sys.stdout.flush()
    os._exit(0)
