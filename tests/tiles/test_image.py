"""Image bytes read back with Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tiles import image

SIGNATURES = {"png": b"\x89PNG\r\n\x1a\n", "webp": b"RIFF", "jpg": b"\xff\xd8\xff"}


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(4))))
def test_png_keeps_every_bit(rgba):
    content = image.encode(rgba, "png")
    assert (content is None) == (not rgba[..., 3].any())
    if content is not None:
        np.testing.assert_array_equal(decoded(content), rgba)


@pytest.mark.parametrize("image_format", image.MEDIA_TYPES)
def test_a_picture_comes_back_in_every_format(image_format):
    rows, columns = np.mgrid[0:256, 0:256]
    rgba = np.dstack([rows, columns, (rows + columns) // 2, np.full((256, 256), 255)]).astype(np.uint8)
    content = image.encode(rgba, image_format)
    assert content.startswith(SIGNATURES[image_format])
    assert np.abs(decoded(content).astype(int) - rgba).mean() < 3


@pytest.mark.parametrize("image_format", image.MEDIA_TYPES)
def test_an_empty_picture_is_none(image_format):
    rgba = np.full((256, 256, 4), 77, np.uint8)
    rgba[..., 3] = 0
    assert image.encode(rgba, image_format) is None


def test_a_jpeg_is_white_where_nothing_is():
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, :16] = (0, 0, 255, 255)
    assert decoded(image.encode(rgba, "jpg"))[30, 60].tolist() == [255, 255, 255, 255]


def test_webp_keeps_what_is_transparent():
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, :16] = (0, 0, 255, 255)
    alpha = decoded(image.encode(rgba, "webp"))[..., 3]
    np.testing.assert_array_equal(alpha, rgba[..., 3])


def test_an_unknown_format_is_an_error():
    with pytest.raises(KeyError):
        image.encode(np.zeros((1, 1, 4), np.uint8), "gif")


def soft_map(shade: int) -> np.ndarray:
    """Areas of one colour each, with soft edges of thousands of colours between them."""
    rows, columns = np.mgrid[0:256, 0:256]
    mixed = np.clip((rows - columns)[..., None] / 60 + 0.5, 0, 1)
    land, sea = np.array([246, 244, 239, 255]), np.array([207, 227, shade, 255])
    rgba = (land * mixed + sea * (1 - mixed)).round().astype(np.uint8)
    rng = np.random.default_rng(shade)
    rgba[100:120, 40:140, :3] += rng.integers(0, 12, (20, 100, 3), np.uint8)
    rgba[200:220, :, 3] = np.arange(256)
    return rgba


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(np.uint8, (7, 4)),
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 6)),
)
def test_a_map_of_few_colours_keeps_what_is_seen_of_every_pixel(colours, index):
    rgba = colours[index]
    content = image.encode(rgba, "png", is_map=True)
    if content is not None:
        rgba = np.where(rgba[..., 3:] == 0, 0, rgba)
        np.testing.assert_array_equal(decoded(content), rgba)


@pytest.mark.parametrize("shade", [180, 239])
def test_a_map_of_many_colours_looks_the_same_in_a_third_of_the_bytes(shade):
    rgba = soft_map(shade)
    assert len(np.unique(rgba.reshape(-1, 4), axis=0)) > 1_000
    content = image.encode(rgba, "png", is_map=True)
    assert len(content) < len(image.encode(rgba, "png")) / 3
    found = decoded(content).astype(int)
    areas = (rgba == (246, 244, 239, 255)).all(axis=2) | (rgba == (207, 227, shade, 255)).all(axis=2)
    assert areas.mean() > 0.3
    np.testing.assert_array_equal(found[areas], rgba[areas])  # no seam to the next tile
    seen, wanted = (part[..., :3] * part[..., 3:] / 255 for part in (found, rgba.astype(int)))
    assert np.abs(seen - wanted).mean() < 2
    assert np.abs(seen - wanted).max() < 32
    assert np.abs(found[..., 3] - rgba[..., 3].astype(int)).max() < 48


def test_a_map_larger_than_anybody_looks_at_is_written_as_it_is():
    rgba = np.full((1_100, 1_100, 4), 255, np.uint8)
    rgba[..., 0] = np.arange(1_100) % 256
    rgba[..., 1] = (np.arange(1_100) % 251)[:, None]
    np.testing.assert_array_equal(decoded(image.encode(rgba, "png", is_map=True)), rgba)


@pytest.mark.parametrize("lone", [1, 40])
def test_few_pixels_of_nothing_among_thousands_of_colours_stay_nothing(lone):
    rng = np.random.default_rng(7)
    rgba = rng.integers(0, 256, (128, 128, 4), np.uint8)
    rgba[..., 3] = np.maximum(rgba[..., 3], 1)  # faint, and never nothing
    common = rng.integers(0, 256, (300, 4), np.uint8) | (0, 0, 0, 128)
    rgba[:64] = common[np.arange(64 * 128) % 300].reshape(64, 128, 4)  # so that others must give way
    places = rng.choice(64 * 128, lone, replace=False) + 64 * 128
    rgba.reshape(-1, 4)[places] = (9, 8, 7, 0)
    alpha = decoded(image.encode(rgba, "png", is_map=True))[..., 3].ravel()
    assert (alpha[places] == 0).all()


def test_a_map_that_lets_nothing_through_lets_nothing_through_in_few_colours():
    rgba = np.random.default_rng(3).integers(0, 256, (128, 128, 4), np.uint8)
    rgba[..., 3] = 255
    content = image.encode(rgba, "png", is_map=True)
    assert b"tRNS" not in content
    assert (decoded(content)[..., 3] == 255).all()
