"""What a pixel becomes: every stored form of a picture gives the picture that a person sees."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ilk.core.errors import Code, UnreadableError
from ilk.kinds.image.picture import ArrayPicture, Picture
from ilk.kinds.image.pixels import square, upright


def stored(image: Image.Image, format="PNG", **options) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return Picture("a picture", lambda: io.BytesIO(buffer.getvalue()))


def corner(picture, channels=3):
    return square(picture, 8, channels, "crop")[:, 0, 0].tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(orientation, format):
    seen = np.zeros((16, 16), np.uint8)
    seen[:8, :8], seen[:8, 8:], seen[8:, :8] = 255, 170, 85  # four quarters, as a person sees them
    store = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format == "WEBP" else {}
    picture = stored(Image.fromarray(np.ascontiguousarray(store(seen))), format, exif=exif, **options)
    assert np.abs(square(picture, 16, 1, "crop")[0].astype(int) - seen).max() <= 3


def test_alpha_lies_on_white_in_colour_and_in_grey():
    assert corner(stored(Image.new("RGBA", (8, 8), (0, 0, 0, 0)))) == [255, 255, 255]
    assert corner(stored(Image.new("RGBA", (8, 8), (255, 0, 0, 128)))) == [255, 127, 127]
    assert corner(stored(Image.new("LA", (8, 8), (0, 0))), 1) == [255]
    assert corner(stored(Image.new("LA", (8, 8), (100, 255))), 1) == [100]
    assert corner(ArrayPicture("x", np.full((8, 8, 2), (0, 0), np.uint8)), 1) == [255]
    assert corner(ArrayPicture("x", np.full((8, 8, 4), (0, 0, 0, 255), np.uint8))) == [0, 0, 0]


def test_a_transparent_colour_of_png_lies_on_white_too():
    assert corner(stored(Image.new("RGB", (8, 8), (1, 2, 3)), transparency=(1, 2, 3))) == [255, 255, 255]
    assert corner(stored(Image.new("L", (8, 8), 7), transparency=7), 1) == [255]


def test_palettes():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert corner(stored(image)) == [10, 20, 30]
    assert corner(stored(image, transparency=1)) == [255, 255, 255]
    assert corner(stored(image, transparency=b"\xff\x00")) == [255, 255, 255]
    assert corner(stored(image, "GIF")) == [10, 20, 30]


def test_cmyk():
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert corner(stored(red, "TIFF")) == [255, 0, 0]
    assert np.abs(np.subtract(corner(stored(red, "JPEG", quality=100)), [255, 0, 0])).max() <= 3
    assert corner(stored(red, "TIFF"), 1) == [76]


@pytest.mark.parametrize(("wide", "narrow"), [(0, 0), (65535, 255), (257 * 100, 100), (256, 1), (128, 0), (129, 1)])
def test_sixteen_bits_are_scaled_to_eight(wide, narrow):
    image = Image.fromarray(np.full((8, 8), wide, np.uint16))
    for format in ("PNG", "TIFF"):
        assert corner(stored(image, format), 1) == [narrow]
    assert corner(image) == [narrow] * 3


def test_one_bit_is_black_and_white():
    image = Image.new("1", (8, 8), 1)
    assert corner(stored(image), 1) == [255]
    assert corner(stored(Image.new("1", (8, 8), 0), "TIFF"), 1) == [0]


def test_thirty_two_bits_have_no_range_and_are_refused():
    for mode in ("I", "F"):
        with pytest.raises(UnreadableError, match="no fixed range"):
            square(stored(Image.new(mode, (8, 8), 1000), "TIFF"), 8, 1, "crop")


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_an_animation_counts_by_its_first_frame(format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    options = {"lossless": True} if format == "WEBP" else {}
    picture = stored(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert corner(picture) == [255, 0, 0]


def test_a_truncated_file_is_named():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for format in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"):
        buffer = io.BytesIO()
        noise.save(buffer, format)
        part = buffer.getvalue()[: buffer.tell() * 6 // 10]
        with pytest.raises(UnreadableError, match="holiday cannot be read") as caught:
            square(Picture("holiday", lambda part=part: io.BytesIO(part)), 8, 3, "crop")
        assert caught.value.code == Code.UNREADABLE


def test_damage_anywhere_gives_a_picture_or_an_unreadable_error():
    """A fuzz: no other exception ever comes out of a damaged file."""
    random = np.random.default_rng(0)
    noise = Image.fromarray(random.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    for format in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"):
        buffer = io.BytesIO()
        noise.save(buffer, format, exif=exif)
        for _ in range(60):
            data = bytearray(buffer.getvalue())
            for place in random.integers(0, min(len(data), 600), 3):
                data[place] = random.integers(256)
            try:
                pixels = square(Picture("x", lambda data=data: io.BytesIO(bytes(data))), 8, 3, "crop")
            except UnreadableError:
                continue
            assert pixels.shape == (3, 8, 8)


def test_crop_takes_the_middle():
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = 200
    assert (square(Image.fromarray(wide), 8, 1, "crop") == 200).all()
    assert (square(Image.fromarray(wide.T.copy()), 8, 1, "crop") == 200).all()


def test_pad_keeps_everything_on_the_colour_of_the_rim():
    picture = np.full((8, 16, 3), (250, 240, 230), np.uint8)
    picture[3:5, 7:9] = 0
    picture[0, 0] = 255  # a speck on the rim does not decide
    padded = square(Image.fromarray(picture), 16, 3, "pad")
    assert padded.shape == (3, 16, 16)
    assert padded[:, 0, 0].tolist() == padded[:, 15, 15].tolist() == [250, 240, 230]
    assert np.array_equal(padded[:, 4:12], picture.transpose(2, 0, 1))


def test_stretch_keeps_both_edges():
    wide = np.zeros((8, 64), np.uint8)
    wide[:, 32:] = 200
    squeezed = square(Image.fromarray(wide), 8, 1, "stretch")[0]
    assert (squeezed[:, 0] == 0).all()
    assert (squeezed[:, -1] == 200).all()


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 9), (40, 30)])
def test_every_shape_becomes_the_square(fit, size):
    for mode in ("L", "RGB"):
        assert square(Image.new(mode, size, "white"), 12, 3, fit).tolist() == np.full((3, 12, 12), 255).tolist()


def test_shrinking_averages_and_does_not_pick():
    checks = np.indices((256, 256)).sum(0) % 2 * 255
    for picture in (Image.fromarray(checks.astype(np.uint8)), stored(Image.fromarray(checks.astype(np.uint8)), "JPEG")):
        small = square(picture, 16, 1, "crop")
        assert np.abs(small.astype(int) - 127).max() <= 4


def test_a_jpeg_decoded_small_looks_like_one_decoded_whole():
    ramp = np.linspace(0, 255, 512)
    big = np.stack([np.add.outer(ramp, ramp) / 2, np.tile(ramp, (512, 1)), np.tile(ramp, (512, 1)).T], -1).astype(
        np.uint8
    )
    small = square(stored(Image.fromarray(big), "JPEG", quality=95), 32, 3, "crop")
    exact = square(Image.fromarray(big), 32, 3, "crop")
    assert np.abs(small.astype(int) - exact).max() <= 6


def test_a_users_own_image_is_not_changed():
    image = Image.new("RGBA", (20, 30), (1, 2, 3, 4))
    before = image.tobytes()
    square(image, 8, 3, "crop")
    upright(image)
    assert (image.size, image.mode, image.tobytes()) == ((20, 30), "RGBA", before)
