"""Pixels for the watermark: those that a person sees, out and in again."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ilk.kinds.image import kind
from kinds.image.made import examples, pictures, save_all


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_go_out_and_come_back(channels):
    pixels = pictures(1, 9, 7, channels)[0]
    image = Image.fromarray(pixels.squeeze())
    carried = kind.carrier(image)
    assert np.array_equal(carried, pixels)
    again = kind.with_carrier(image, 255 - carried)
    assert again.mode == image.mode
    assert np.array_equal(kind.carrier(again), 255 - pixels)


def test_a_picture_that_is_not_decoded_yet_gives_its_pixels_upright(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    pixels = pictures(1, 9, 7)
    save_all(tmp_path, pixels, exif=turned)
    (example,) = examples(tmp_path)
    assert np.array_equal(kind.carrier(example.object), np.rot90(pixels[0], -1))
