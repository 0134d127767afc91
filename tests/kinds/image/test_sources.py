"""Every way to give pictures gives the same pictures, and bad ways get a sentence."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ilk.core.errors import Code, InputError
from ilk.core.files import natural
from ilk.core.protocol import Example, Problem
from ilk.kinds.image import kind
from ilk.kinds.image.options import Options
from kinds.image.made import PLAN, encode, examples, pictures, read, save_all


def zip_of(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return target


def refusal(source) -> InputError:
    with pytest.raises(InputError) as caught:
        list(kind.read(source, Options()))
    assert caught.value.sentence.endswith(".")
    return caught.value


def given(source):
    return [example.given.get("class") for example in examples(source)]


def test_every_source_gives_the_same_pixels(ten, tmp_path):
    folder, arrays = ten
    paths = [folder / f"{place}.png" for place in range(10)]
    np.savez(tmp_path / "stored.npz", images=arrays)
    np.savez_compressed(tmp_path / "small.npz", images=arrays)
    sources = {
        "folder": folder,
        "string": str(folder) + "/",
        "zip": zip_of(folder, tmp_path / "ten.zip"),
        "glob": str(folder / "*.png"),
        "deep glob": str(tmp_path / "**" / "*.png"),
        "paths": paths,
        "strings": tuple(str(path) for path in paths),
        "images": [Image.open(path) for path in paths],
        "array": arrays,
        "stored npz": tmp_path / "stored.npz",
        "compressed npz": str(tmp_path / "small.npz"),
    }
    for name, source in sources.items():
        assert kind.recognise(source) > 0.9, name
        _, stored = encode(source)
        assert np.array_equal(stored["x"], arrays.transpose(0, 3, 1, 2)), name


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tiff", ".gif", ".jpg"])
def test_all_six_formats_are_read(tmp_path, suffix):
    flat = np.stack([np.full((16, 16, 3), 20 * place + 30, np.uint8) for place in range(8)])
    save_all(tmp_path / "all", flat, suffix, **({"lossless": True} if suffix == ".webp" else {}))
    _, stored = encode(tmp_path / "all", color="rgb")
    assert np.abs(stored["x"].astype(int) - flat.transpose(0, 3, 1, 2)).max() <= 1


def test_subfolders_are_classes_and_deeper_ones_are_not(tmp_path):
    save_all(tmp_path / "a/cat", pictures(2))
    save_all(tmp_path / "a/dog/young", pictures(3))
    assert given(tmp_path / "a") == ["cat"] * 2 + ["dog"] * 3
    assert examples(tmp_path / "a")[-1].name == "dog/young/2.png"
    assert given(zip_of(tmp_path / "a", tmp_path / "a.zip")) == ["cat"] * 2 + ["dog"] * 3
    assert given(str(tmp_path / "a/**/*.png")) == ["cat"] * 2 + ["dog"] * 3


def test_a_folder_around_everything_is_no_class(tmp_path):
    save_all(tmp_path / "a/train/cat", pictures(2))
    save_all(tmp_path / "a/train/dog", pictures(2))
    assert given(tmp_path / "a") == ["cat", "cat", "dog", "dog"]


def test_folders_beside_loose_pictures_are_no_classes(tmp_path):
    save_all(tmp_path / "a", pictures(2))
    save_all(tmp_path / "a/more", pictures(2))
    assert given(tmp_path / "a") == [None] * 4


def test_npz_labels_are_names_integers_or_strings(tmp_path):
    images = pictures(4)
    path = tmp_path / "x.npz"
    np.savez(path, images=images, labels=np.array([1, 0, 1, 1]), names=np.array(["ant", "bee"]))
    assert given(path) == ["bee", "ant", "bee", "bee"]
    np.savez(path, images=images, labels=np.array([1, 0, 1, 10]))
    assert given(path) == ["1", "0", "1", "10"]
    np.savez(path, images=images, labels=np.array(["x", "y", "x", "x"]))
    assert given(path) == ["x", "y", "x", "x"]


def test_hidden_files_and_system_litter_are_passed_over(ten):
    folder, _ = ten
    for name in (".hidden.png", "._1.png", "Thumbs.db", "__MACOSX/1.png", ".git/1.png", "desktop.ini"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"no picture")
    (folder / "readme.txt").write_text("hello")
    (folder / "labels.csv").write_text("a,b")
    assert len(examples(folder)) == len(examples(zip_of(folder, folder.parent / "t.zip"))) == 10


def test_names_with_unicode_spaces_and_no_suffix(tmp_path):
    folder = tmp_path / "Bilder für Ünna 写真"
    folder.mkdir()
    for name in ("ein bild.png", "写真.png", "ohne", "a'b\"c&<d>.png"):
        Image.new("RGB", (9, 9)).save(folder / name, "PNG")
    found = {example.name for example in examples(folder)}
    assert found == {"ein bild.png", "写真.png", "ohne", "a'b\"c&<d>.png"}
    assert found == {example.name for example in examples(zip_of(folder, tmp_path / "ä ö.zip"))}


def test_a_name_that_is_no_utf8_can_still_be_printed(tmp_path):
    raw = os.fsencode(tmp_path) + b"/\xff.png"
    with open(raw, "wb") as file:  # noqa: PTH123
        Image.new("L", (8, 8)).save(file, "PNG")
    (example,) = examples(tmp_path)
    assert example.name.encode()
    assert example.object.open().size == (8, 8)
    assert kind.stamp(tmp_path, Options())


def test_order_is_natural_and_never_changes(tmp_path):
    for name in ("10", "9", "1", "b/2", "b/10", "a"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(path)
    names = [example.name for example in examples(tmp_path)]
    assert names == ["1.png", "9.png", "10.png", "a.png", "b/2.png", "b/10.png"]
    assert sorted(["²", "1", "x/²1", "x/1", "٣"], key=natural)  # digits that int() does not take sort too


def test_loops_and_broken_links_end(ten):
    folder, _ = ten
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    os.mkfifo(folder / "pipe.png")  # opening it would wait forever
    found = read(folder)
    assert [item.name for item in found if isinstance(item, Problem)] == ["gone.png"]
    assert sum(isinstance(item, Example) for item in found) == 10
    assert len(read(str(folder / "**"))) == 10
    assert kind.stamp(folder, Options())


def test_linked_folders_are_followed(ten, tmp_path):
    folder, _ = ten
    (tmp_path / "other").mkdir()
    (tmp_path / "other/link").symlink_to(folder)
    assert len(examples(tmp_path / "other")) == 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no picture"), (b"hello", "no picture"), (b"\xff\xd8\xff", ""), (b"BM", ""), (b"GIF89a", "")],
)
def test_a_file_that_is_no_picture_is_a_problem_and_the_rest_goes_on(ten, content, reason):
    folder, _ = ten
    (folder / "5b.png").write_bytes(content)
    found = read(folder)
    (problem,) = [item for item in found if isinstance(item, Problem)]
    assert problem.name == "5b.png"
    assert reason in problem.reason
    assert problem.reason
    assert len(found) == 11


def test_a_wrong_suffix_does_not_matter(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.jpg", "PNG")
    assert examples(tmp_path)[0].object.open().getpixel((0, 0)) == (255, 0, 0)


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_a_bomb_is_too_large_and_costs_nothing(ten, tmp_path):
    folder, _ = ten
    side = 30_000
    squeezer = zlib.compressobj(9)
    row = b"\x00" * (side // 8 + 1)  # one bit a pixel, so that the file itself is quick to make
    body = b"".join(squeezer.compress(row) for _ in range(side)) + squeezer.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    (folder / "bomb.png").write_bytes(bomb)
    for source in (folder, zip_of(folder, tmp_path / "b.zip")):
        (problem,) = [item for item in read(source) if isinstance(item, Problem)]
        assert problem == Problem(name="bomb.png", reason="it is too large, 30000 x 30000 pixels")


def test_a_zip_member_that_unpacks_without_end_is_a_problem(ten, tmp_path, monkeypatch):
    monkeypatch.setattr("ilk.kinds.image.listing.MOST_MEMBER_BYTES", 10_000)
    folder, _ = ten
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20_000))
    (problem,) = [item for item in read(zip_of(folder, tmp_path / "z.zip")) if isinstance(item, Problem)]
    assert (problem.name, problem.reason) == ("huge.png", "it is too large, 20,008 bytes unpacked")


def test_no_file_stays_open(tmp_path):
    arrays = pictures(200)
    save_all(tmp_path / "many", arrays, ".jpg")
    before = len(list(Path("/proc/self/fd").iterdir()))
    codec, _ = encode(tmp_path / "many")
    found = examples(tmp_path / "many")
    codec.encode(found)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_missing_and_empty_sources_get_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    for place in range(3):
        (tmp_path / f"texts/{place}.txt").write_text("hello")
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    cases = [
        (tmp_path / "nowhere", (Code.SOURCE_MISSING, "no file or folder")),
        (str(tmp_path / "*.png"), (Code.SOURCE_MISSING, "No file matches")),
        (tmp_path / "empty", (Code.SOURCE_MISSING, "is empty")),
        (tmp_path / "empty.zip", (Code.SOURCE_MISSING, "is empty")),
        (tmp_path / "broken.zip", (Code.SOURCE_MISSING, "cannot be opened as a zip")),
        (tmp_path / "texts", (Code.SOURCE_UNKNOWN, "no pictures but 3 other files, such as 0.txt")),
        (tmp_path / "texts/0.txt", (Code.SOURCE_UNKNOWN, "is no picture")),
        ("demo:passion", (Code.SOURCE_MISSING, "fashion")),
        ((), (Code.SOURCE_MISSING, "empty")),
        ((tmp_path / "nowhere.png",), (Code.SOURCE_MISSING, "does not exist")),
        ((tmp_path,), (Code.SOURCE_MISSING, "is a folder")),
        ((Image.new("L", (8, 8)), "x.png"), (Code.SOURCE_UNKNOWN, "Item 1")),
        ((3, 4), (Code.SOURCE_UNKNOWN, "Item 0")),
    ]
    for source, (code, words) in cases:
        error = refusal(source)
        assert (error.code, words in error.sentence) == (code, True), (source, error.sentence)
    assert refusal(None).code == Code.SOURCE_UNKNOWN


def test_arrays_of_the_wrong_sort_get_a_sentence(tmp_path):
    for array, words in [
        (np.zeros((9, 8, 8), np.float32), "uint8"),
        (np.zeros((8, 8), np.uint8), "N x H x W"),
        (np.zeros((32, 32, 3), np.uint8), "one picture"),
        (np.zeros((9, 3, 32, 32), np.uint8), "colours last"),
        (np.zeros((0, 8, 8), np.uint8), "empty"),
    ]:
        assert words in refusal(array).sentence
    path = tmp_path / "x.npz"
    for arrays, words in [
        ({"pixels": pictures(3)}, '"images" but pixels'),
        ({"images": pictures(3), "labels": np.zeros(2, int)}, "3 integers or strings"),
        ({"images": pictures(3), "labels": np.zeros(3)}, "3 integers or strings"),
        ({"images": pictures(3), "labels": np.array([0, 1, 2]), "names": np.array(["a", "b"])}, "0 to 1"),
        ({"images": np.array([{}, {}], dtype=object)}, "damaged or unsafe"),
    ]:
        np.savez(path, **arrays)
        assert words in refusal(path).sentence
    path.write_bytes(path.read_bytes()[:-40])
    assert "cannot be read" in refusal(path).sentence


def test_an_npz_that_claims_more_than_it_has_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    for kind_of in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, "w", kind_of) as archive, archive.open("images.npy", "w") as member:
            shape = {"descr": "|u1", "fortran_order": False, "shape": (2**40, 2**20, 2**20)}
            np.lib.format.write_array_header_1_0(member, shape)
            member.write(bytes(1000))
        assert "damaged or unsafe" in refusal(path).sentence


def test_recognise_table(ten, tmp_path):
    folder, arrays = ten
    np.savez(tmp_path / "i.npz", images=arrays)
    np.savez(tmp_path / "o.npz", other=arrays)
    (tmp_path / "t").mkdir()
    for place in range(9):
        (tmp_path / f"t/{place}.txt").write_text("x")
    Image.new("L", (8, 8)).save(tmp_path / "t/9.png")
    (tmp_path / "wrong.zip").write_text("no zip")
    table = [
        ("demo:fashion", 1.0),
        ("demo:shakespeare", 0.0),
        (folder, 1.0),
        (str(folder), 1.0),
        (zip_of(folder, tmp_path / "z.zip"), 1.0),
        (str(folder / "*"), 1.0),
        (folder / "0.png", 1.0),
        ([folder / "0.png"], 1.0),
        (["a.jpg", "b.PNG"], 1.0),
        ([Image.new("L", (8, 8))], 1.0),
        (arrays, 1.0),
        (arrays[..., 0], 1.0),
        (tmp_path / "i.npz", 1.0),
        (tmp_path / "o.npz", 0.0),
        (tmp_path / "t", 0.1),
        (str(tmp_path / "t/*.txt"), 0.0),
        (tmp_path / "wrong.zip", 0.0),
        (tmp_path / "nowhere", 0.0),
        ("to be, or not to be?", 0.0),
        ("a**b", 0.0),
        ("line\nline", 0.0),
        ("\x00", 0.0),
        ("", 0.0),
        ("x" * 5000, 0.0),
        (["to be", "or not"], 0.0),
        ([], 0.0),
        (arrays[0, :, :, 0], 0.0),
        (arrays.astype(np.float32), 0.0),
        (None, 0.0),
        (7, 0.0),
        ({"a": 1}, 0.0),
    ]
    for source, expected in table:
        assert kind.recognise(source) == pytest.approx(expected), source


def test_a_stamp_changes_with_the_content_and_with_nothing_else(ten, tmp_path):
    folder, arrays = ten
    options = Options()
    first = kind.stamp(folder, options)
    assert first == kind.stamp(str(folder), options)
    assert len(first) == 64
    assert kind.stamp(folder, Options(fit="pad")) != first
    os.utime(folder / "3.png", ns=(1, 1))
    second = kind.stamp(folder, options)
    assert second != first
    (folder / "3.png").unlink()
    assert kind.stamp(folder, options) not in (first, second)
    changed = arrays.copy()
    changed[0, 0, 0, 0] ^= 1
    images = [Image.fromarray(array) for array in arrays]
    assert kind.stamp(arrays, options) == kind.stamp(arrays.copy(), options) != kind.stamp(changed, options)
    assert kind.stamp(images, options) == kind.stamp(images, options) != kind.stamp(images[1:], options)
    assert kind.stamp("demo:fashion", options)
    paths = [folder / "0.png", folder / "1.png"]
    assert kind.stamp(paths, options) != kind.stamp(paths[::-1], options)
    np.savez(tmp_path / "i.npz", images=arrays)
    assert kind.stamp(tmp_path / "i.npz", options) != kind.stamp(zip_of(folder, tmp_path / "z.zip"), options)


def test_the_demo_has_twelve_thousand_pictures_in_ten_even_classes():
    found = examples("demo:fashion")
    codec = kind.fit_codec(found, Options(), PLAN, None)
    assert (codec.count, set(codec.counts), len(codec.classes)) == (12_000, {1_200}, 10)
    assert (codec.channels, codec.side) == (1, 28)
    assert "ankle-boot" in codec.classes
