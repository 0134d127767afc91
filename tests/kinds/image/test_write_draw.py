"""Bytes out: every format comes back, carries its note, and a sheet can be looked at."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from ilk.core.errors import Code, InputError
from ilk.kinds.image import kind
from ilk.kinds.image.picture import ArrayPicture
from kinds.image.made import encode, pictures

NOTE = {"digitalSourceType": "trainedAlgorithmicMedia", "seed": "7", "model": 'a "b" <c> & \x00\x1f\ud800 d'}


def written(objects, format, note=NOTE) -> bytes:
    file = io.BytesIO()
    kind.write(objects, file, format, note)
    return file.getvalue()


def note_of(data: bytes) -> dict[str, str]:
    image = Image.open(io.BytesIO(data))
    image.load()
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    (description,) = ET.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return {name.rpartition("}")[2]: value for name, value in description.attrib.items()}


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("format", "most"), [("png", 0), ("webp", 0), ("jpg", 40), ("jpeg", 40), (".png", 0)])
def test_what_is_written_is_read_back(mode, format, most):
    image = Image.fromarray(pictures(1)[0]).convert(mode)
    back = Image.open(io.BytesIO(written([image], format))).convert(mode)
    assert np.abs(np.asarray(back).astype(int) - np.asarray(image)).max() <= most


@pytest.mark.parametrize("format", ["png", "webp", "jpg"])
def test_the_note_is_in_the_file_and_escaped(format):
    note = note_of(written([Image.new("RGB", (8, 8))], format))
    assert note["DigitalSourceType"] == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    assert (note["seed"], note["model"]) == ("7", 'a "b" <c> &  d')


def test_a_note_without_a_source_type_still_says_that_a_model_made_it():
    assert note_of(written([Image.new("L", (8, 8))], "png", {"1 strange=name": "x", "creatorTool": "ilk"})) == {
        "about": "",
        "CreatorTool": "ilk",
        "DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        "_1_strange_name": "x",
    }


@pytest.mark.parametrize("format", ["png", "webp", "jpg"])
def test_no_note_no_packet(format):
    assert b"xmp" not in written([Image.new("L", (8, 8))], format, {}).lower()


@pytest.mark.parametrize("format", ["png", "webp", "jpg", "npz"])
def test_the_same_picture_gives_the_same_bytes(format):
    image = Image.fromarray(pictures(1)[0])
    assert written([image], format) == written([image], format)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_npz_holds_many_and_is_a_source_again(tmp_path, mode):
    arrays = [np.asarray(Image.fromarray(p).convert(mode)) for p in pictures(20)]
    path = tmp_path / "out.npz"
    with path.open("wb") as file:
        kind.write([Image.fromarray(array) for array in arrays], file, "npz", {"seed": "7"})
    with np.load(path, allow_pickle=False) as back:
        assert np.array_equal(back["images"], np.stack(arrays))
        assert json.loads(str(back["note"])) == {"seed": "7"}
    codec, stored = encode(path)
    assert np.array_equal(np.stack([np.asarray(p) for p in codec.decode(codec.to_space(stored))]), np.stack(arrays))


def test_npz_walks_a_lazy_sequence_once_and_in_order():
    class Lazy:
        asked: list[int] = []

        def __len__(self):
            return 3000

        def __getitem__(self, place):
            self.asked.append(place)
            return Image.new("L", (8, 8), place % 256)

    with np.load(io.BytesIO(written(Lazy(), "npz")), allow_pickle=False) as back:
        assert back["images"][:, 0, 0].tolist() == [place % 256 for place in range(3000)]
    assert Lazy.asked == list(range(3000))


def test_what_cannot_be_written_gets_a_sentence():
    one = Image.new("L", (8, 8))
    for objects, format, words in [
        ([one], "pgn", 'did you mean "png"'),
        ([one, one], "png", "one picture, not 2"),
        ([], "jpg", "one picture, not 0"),
        ([], "npz", "no picture"),
        ([one, Image.new("L", (9, 9))], "npz", "one size"),
        ([one, Image.new("RGB", (8, 8))], "npz", "one size"),
    ]:
        with pytest.raises(InputError, match=words) as caught:
            written(objects, format)
        assert caught.value.code == Code.OUTPUT


def test_formats_are_declared_as_written():
    assert [format.suffix for format in kind.formats] == ["png", "jpg", "webp", "npz", "mp4", "gif"]
    assert [format.many for format in kind.formats] == [False, False, False, True, True, True]


@pytest.mark.parametrize(("count", "side"), [(0, 8), (1, 28), (7, 28), (64, 32), (250, 16), (9, 200)])
def test_a_contact_sheet_opens_and_shows_whole_pixels(count, side):
    arrays = pictures(max(count, 1), side, side)[:count]
    exhibit = kind.draw([Image.fromarray(array) for array in arrays])
    sheet = Image.open(io.BytesIO(exhibit.data))
    assert (exhibit.media_type, sheet.format) == ("image/png", "PNG")
    assert 0.5 < sheet.width / sheet.height < 2
    assert max(sheet.size) < 2000
    if count and side <= 96:
        factor = 96 // side
        first = np.asarray(sheet)[4 : 4 + side * factor : factor, 4 : 4 + side * factor : factor]
        assert np.array_equal(first, arrays[0])


def test_a_sheet_takes_pictures_of_mixed_sizes_and_sorts():
    mixed = [Image.new("RGBA", (30, 900)), Image.new("L", (5, 5)), Image.new("P", (40, 20)), Image.new("RGB", (1, 1))]
    array = ArrayPicture("x", pictures(1)[0])
    assert Image.open(io.BytesIO(kind.draw([*mixed, array]).data)).size


def test_a_picture_is_identified_by_its_pixels_in_whatever_file_it_stands():
    image = Image.fromarray(pictures(1)[0])
    copies = [Image.open(io.BytesIO(written([image], format))) for format in ("png", "webp")]
    names = {kind.identify(item) for item in [image, *copies, ArrayPicture("x", pictures(1)[0])]}
    assert len(names) == 1
    assert kind.identify(image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)) not in names
    grey = image.convert("L")
    assert kind.identify(grey) == kind.identify(grey.convert("RGB")) != kind.identify(image)


def test_check_names_what_is_wrong():
    good = Image.fromarray(pictures(1)[0])
    assert kind.check(good) == []
    assert kind.check("x") == ["it is a str, not a PIL image"]
    assert kind.check(Image.new("L", (8, 8), 3)) == ["it is one flat colour"]
    assert kind.check(good.convert("RGBA")) == ["its mode is RGBA, not L or RGB"]
