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
