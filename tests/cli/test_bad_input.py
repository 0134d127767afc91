"""Bad input to ``ilk fit``: one sentence, exit code 2, nothing lost."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cli.conftest import save_pictures

STEPS = ("--steps", "2", "--threads", "1")


def refused(ilk, source, tmp_path, *more):
    ran = ilk("fit", source, "-o", tmp_path / "never.ilk", *STEPS, *more)
    assert ran.code == 2, ran.err
    assert not (tmp_path / "never.ilk").exists()
    assert not list(tmp_path.glob(".never*"))
    return ran.err


def test_missing_folder(ilk, tmp_path):
    assert "There is no file or folder" in refused(ilk, tmp_path / "nowhere", tmp_path)


def test_unknown_demo_names_the_known_ones(ilk, tmp_path):
    assert "demo:fashion" in refused(ilk, "demo:fashoin", tmp_path)


def test_empty_folder(ilk, tmp_path):
    (tmp_path / "empty").mkdir()
    refused(ilk, tmp_path / "empty", tmp_path)


@pytest.mark.parametrize("count", [1, 3])
def test_a_handful_of_pictures(ilk, tmp_path, count):
    assert "at least" in refused(ilk, save_pictures(tmp_path / "few", count), tmp_path)


def test_a_folder_of_text_files(ilk, tmp_path):
    (tmp_path / "texts").mkdir()
    for number in range(10):
        (tmp_path / "texts" / f"{number}.txt").write_text("not a picture")
    refused(ilk, tmp_path / "texts", tmp_path)


def test_all_pictures_identical(ilk, tmp_path):
    folder = save_pictures(tmp_path / "same", 1)
    for number in range(1, 20):
        (folder / f"copy{number}.png").write_bytes((folder / "000.png").read_bytes())
    assert "same" in refused(ilk, folder, tmp_path)


def test_one_truncated_jpeg_is_named_and_skipped(ilk, tmp_path):
    folder = save_pictures(tmp_path / "p", 20)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)).save(folder / "cut.jpg")
    whole = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    ran = ilk("fit", folder, "-o", tmp_path / "a.ilk", *STEPS)
    assert ran.code == 0
    assert "cut.jpg" in ran.err
    assert ilk("show", tmp_path / "a.ilk", "--json").json["data"]["unreadable"] == 1


def test_many_unreadable_files_are_refused_by_name(ilk, tmp_path):
    folder = save_pictures(tmp_path / "p", 20)
    for number in range(5):
        (folder / f"bad{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert "bad0.png" in refused(ilk, folder, tmp_path)


def test_a_png_bomb_is_skipped_without_decoding_it(ilk, tmp_path):
    folder = save_pictures(tmp_path / "p", 20)
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1_000_000))), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    ran = ilk("fit", folder, "-o", tmp_path / "a.ilk", *STEPS)
    assert ran.code == 0
    assert "too large" in ran.err


def test_animated_cmyk_palette_and_16_bit_pictures_are_read(ilk, tmp_path):
    folder = save_pictures(tmp_path / "p", 12)
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8))
    colour.convert("CMYK").save(folder / "cmyk.jpg")
    colour.convert("P").save(folder / "palette.png")
    colour.save(folder / "moving.gif", save_all=True, append_images=[colour.rotate(90)])
    Image.fromarray(rng.integers(0, 65535, (16, 16), dtype=np.uint16)).save(folder / "deep.png")
    ran = ilk("fit", folder, "-o", tmp_path / "a.ilk", *STEPS, "--json")
    assert ran.code == 0
    assert ran.json["unreadable"] == 0


def test_unicode_and_spaces_in_names(ilk, tmp_path):
    folder = save_pictures(tmp_path / "Bilder für Anna ü 画" / "klasse eins", 12)
    save_pictures(folder.parent / "δύο", 12, seed=3)
    ran = ilk("fit", folder.parent, "-o", tmp_path / "mödel 画.ilk", *STEPS)
    assert ran.code == 0
    out = tmp_path / "aus gabe"
    assert ilk("sample", tmp_path / "mödel 画.ilk", "-n", 2, "-o", out, "--given", "class=δύο").code == 0
    assert ilk("verify", out).code == 0


def test_a_symlink_loop_ends(ilk, tmp_path):
    folder = save_pictures(tmp_path / "p", 12)
    (folder / "again").symlink_to(folder, target_is_directory=True)
    assert ilk("fit", folder, "-o", tmp_path / "a.ilk", *STEPS).code == 0


def test_unwritable_output(ilk, pictures, tmp_path):
    (tmp_path / "file").write_text("in the way")
    ran = ilk("fit", pictures, "-o", tmp_path / "file" / "a.ilk", *STEPS)
    assert ran.code == 2
    assert "cannot be written" in ran.err


def test_a_typo_in_a_flag_suggests_the_right_one(ilk, pictures, tmp_path):
    assert 'did you mean "resolution"' in refused(ilk, pictures, tmp_path, "--resolutoin", "64")


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--minutes", "0"), ("--steps", "0"), ("--steps", "-1"), ("--holdout", "0.9"), ("--resolution", "33"),
     ("--fit", "sqeeze"), ("--kind", "imge"), ("--device", "tpu"), ("--size", "huge"), ("--threads", "0")],
)  # fmt: skip
def test_a_bad_value_is_one_sentence(ilk, pictures, tmp_path, flag, value):
    ran = ilk("fit", pictures, "-o", tmp_path / "never.ilk", flag, value)
    assert ran.code == 2, ran.err
    assert not (tmp_path / "never.ilk").exists()
