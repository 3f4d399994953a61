"""Photos of damage: bounded before they are decoded, bare of what the camera knew, seen by few."""

from __future__ import annotations

import io
import os
import struct
import zlib

import pytest
from PIL import ExifTags, Image

from geoshare.errors import BadData, TooLarge
from geoshare.ingest.photos import LONGEST_PX, MAX_BYTES, MAX_PIXELS, read_photo
from tests.desk.conftest import OTHER, Town, point

MARK = b"SECRET-CAMERA-OWNER"


def picture(kind: str, size: tuple[int, int] = (64, 32), exif: Image.Exif | None = None) -> bytes:
    image = Image.new("RGB", size, (200, 30, 30))
    out = io.BytesIO()
    image.save(out, kind, **({} if exif is None else {"exif": exif}))
    return out.getvalue()


def with_camera() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = MARK.decode()
    exif[ExifTags.Base.Orientation] = 6
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (36.0, 15.0, 3.6)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (140.0, 54.0, 0.0)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:09:17 13:20:00"
    return picture("JPEG", exif=exif)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 999))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_of_every_format_becomes_a_plain_jpeg(kind: str) -> None:
    found = read_photo(picture(kind, (3000, 1500)))
    with Image.open(io.BytesIO(found.content)) as image:
        assert (image.format, image.size) == ("JPEG", (LONGEST_PX, LONGEST_PX // 2))
        assert not image.getexif()


def test_what_the_camera_noted_is_handed_back_and_not_kept() -> None:
    found = read_photo(with_camera())
    assert found.lon_lat == (140.9, 36.251)
    assert found.taken == "2026-09-17T13:20:00"
    assert MARK not in found.content
    assert b"Exif" not in found.content
    assert (found.width, found.height) == (32, 64)  # turned upright


@pytest.mark.parametrize("size", [(50_000, 50_000), (8_000, 8_000), (2**31 - 1, 1)])
def test_a_photo_bomb_is_refused_by_its_header(size: tuple[int, int], monkeypatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    assert size[0] * size[1] > MAX_PIXELS
    with pytest.raises(TooLarge) as caught:
        read_photo(bomb(*size))
    assert "画素" in caught.value.message_ja


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        b"<svg/>",
        b"%PDF-1.7",
        picture("GIF"),
        picture("JPEG")[:200],
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(BadData) as caught:
        read_photo(content)
    assert caught.value.allowed


def test_a_file_that_is_too_large_is_refused(town: Town) -> None:
    answer = town.ask("POST", "/desk/photos", b"\0" * (MAX_BYTES + 1))
    assert (answer.status_code, answer.json["parameter"]) == (413, "body")


def test_a_photo_is_seen_by_who_sees_the_report_and_by_nobody_else(town: Town) -> None:
    sent = town.ask("POST", "/desk/photos", with_camera())
    assert sent.status_code == 201
    assert sent.json["suggested"]["lon_lat"] == [140.9, 36.251]
    made = town.make("damage_reports", {"kind": "road", "photo": sent.json["photo"]})
    path = f"/collections/damage_reports/items/{made['id']}/photo"
    nothing = "/collections/damage_reports/items/nothing/photo"
    assert town.ask("GET", path).status_code == 404  # not shown yet: the view decides
    town.publish()
    seen = town.ask("GET", path)
    assert (seen.status_code, seen.mimetype) == (200, "image/jpeg")
    assert MARK not in seen.data
    [file] = town.settings.data.glob(f"**/{sent.json['photo']}*")
    os.utime(file, (1, 1))  # its time tells when somebody, maybe another one, first sent it
    assert town.ask("GET", path).headers["ETag"] == seen.headers["ETag"]
    for stranger in (OTHER, "developer", None):
        refused, missing = town.ask("GET", path, key=stranger), town.ask("GET", nothing, key=stranger)
        assert refused.status_code == missing.status_code == 404
        assert refused.data == missing.data
    bare = town.make("damage_reports", {"kind": "fire"})
    town.publish()
    assert town.ask("GET", f"/collections/damage_reports/items/{bare['id']}/photo").status_code == 404
    assert town.ask("GET", f"/collections/shelters/items/{made['id']}/photo").status_code == 404


def test_nobody_puts_a_photo_into_a_report_that_another_organisation_sent(town: Town) -> None:
    sent = town.ask("POST", "/desk/photos", picture("PNG")).json["photo"]
    body = {"geometry": point([140.5, 35.5]), "properties": {"kind": "road", "photo": sent}}
    answer = town.ask("POST", "/collections/damage_reports/items", body, key=OTHER)
    assert (answer.status_code, answer.json["parameter"]) == (400, "photo")
