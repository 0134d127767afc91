"""``ilk sample --like --between --walk``: what a user gets, and one sentence where it cannot be."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).resolve().parent


@pytest.fixture
def photos(tmp_path, pictures):
    """Two real pictures that are no samples."""
    out = []
    for number, name in enumerate(("big/003.png", "small/007.png")):
        path = tmp_path / f"photo{number}.jpg"
        with Image.open(pictures / name) as image:
            image.convert("RGB").resize((40, 30)).save(path)
        out.append(path)
    return out


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def shown(path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_like_a_photo_gives_neighbours_that_like_makes_again(ilk, model, photos, tmp_path):
    ran = ilk("sample", model, "-n", 3, "--like", photos[0], "--temperature", 0.5, "-o", tmp_path / "a")
    assert ran.code == 0
    assert "nearest place" in ran.err
    assert ilk("verify", tmp_path / "a").code == 0
    assert ilk("sample", "--like", tmp_path / "a" / "0002.png", "-o", tmp_path / "b").code == 0
    for number in (1, 2, 3):
        assert (pixels(tmp_path / "a" / f"000{number}.png") == pixels(tmp_path / "b" / f"000{number}.png")).all()


def test_between_photos_gives_a_row(ilk, model, photos, tmp_path):
    ran = ilk("sample", model, "--between", *photos, "-n", 4, "-o", tmp_path / "row", "--json")
    assert ran.json["count"] == 4
    assert ilk("verify", tmp_path / "row").code == 0


def test_between_gives_a_film_where_one_is_named(ilk, model, tmp_path):
    ilk("sample", model, "-n", 2, "-o", tmp_path / "out")
    ends = tmp_path / "out" / "0001.png", tmp_path / "out" / "0002.png"
    for name, frames in (("way.mp4", 75), ("way.gif", 60)):
        assert ilk("sample", model, "--between", *ends, "-o", tmp_path / name).code == 0
        assert ilk("verify", tmp_path / name).code == 0
        assert len(shown(tmp_path / name)) == frames, "three seconds"


def test_between_samples_begins_and_ends_with_them(ilk, model, tmp_path):
    ilk("sample", model, "-n", 4, "--seed", 3, "-o", tmp_path / "out")
    ends = tmp_path / "out" / "0001.png", tmp_path / "out" / "0004.png"
    assert ilk("sample", model, "--between", *ends, "-n", 5, "-o", tmp_path / "way").code == 0
    assert (pixels(tmp_path / "way" / "0001.png") == pixels(ends[0])).all()
    assert (pixels(tmp_path / "way" / "0005.png") == pixels(ends[1])).all()


def test_walk_is_a_sealed_film_that_like_makes_again(ilk, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = ilk("sample", model, "--walk", 0.4, "--seed", 5, "--json")
    assert (ran.json["path"], ran.json["count"], ran.json["seal"]) == ("walk.mp4", 10, "c2pa")
    verdict = ilk("verify", "walk.mp4", "--json").json["files"][0]
    assert verdict["state"] == "sealed"
    assert "seed" not in verdict["seal"]["claims"], "seed and model alone lead to other samples"
    assert ilk("sample", "--like", "walk.mp4", "-o", "again.mp4").code == 0
    assert all((a == b).all() for a, b in zip(shown("walk.mp4"), shown("again.mp4"), strict=True))
    assert ilk("sample", model, "--walk", 0.4, "--seed", 5, "--format", "gif").code == 0
    assert len(shown("walk.gif")) == 8
    assert ilk("verify", "walk.gif").code == 0
    assert ilk("sample", model, "--walk", 0.4).code == 2, "walk.mp4 is not overwritten"


def test_a_changed_film_is_not_sealed_any_more(ilk, model, tmp_path):
    path = tmp_path / "w.mp4"
    ilk("sample", model, "--walk", 0.2, "-o", path)
    data = bytearray(path.read_bytes())
    data[data.find(b"mdat") + 200] ^= 1
    path.write_bytes(data)
    assert ilk("verify", path).code == 1


def test_samples_are_written_as_frames(ilk, model, tmp_path):
    assert ilk("sample", model, "-n", 6, "--seed", 1, "-o", tmp_path / "s.gif").code == 0
    ilk("sample", model, "-n", 6, "--seed", 1, "-o", tmp_path / "s")
    times = shown(tmp_path / "s.gif")[0].shape[0] // 16
    for number, frame in enumerate(shown(tmp_path / "s.gif"), 1):
        assert (frame[::times, ::times, 0] == pixels(tmp_path / "s" / f"{number:04d}.png")).all()


@pytest.fixture
def wrong(tmp_path, photos):
    """Files that are no pictures, or none of this kind."""
    (tmp_path / "note.txt").write_text("no picture at all")
    (tmp_path / "fake.png").write_text("neither is this")
    (tmp_path / "two.dice").write_text("fair: 1 2 3 4\n")
    return {"PHOTO": photos[0], **{name: tmp_path / name for name in ("note.txt", "fake.png", "two.dice", "gone.png")}}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--walk", "0"), "more than 0"),
        (("--walk", "-3"), "more than 0"),
        (("--walk", "nan"), "more than 0"),
        (("--walk", "1e9"), "at most 3,600"),
        (("--walk", "soon"), "walk"),
        (("--walk", "1", "-o", "walk.png"), "is a film"),
        (("--walk", "1", "-o", "walk.npz"), "is a film"),
        (("--walk", "1", "-o", "folder/"), "is a film"),
        (("--walk", "1", "-o", "walk.mp4", "--format", "gif"), "say the same"),
        (("--walk", "1", "-n", "4"), "leave -n out"),
        (("--walk", "1", "--best-of", "4"), "leave it out"),
        (("--walk", "1", "--temperatur", "4"), "did you mean"),
        (("--walk", "1", "--between", "PHOTO", "PHOTO"), "do not go together"),
        (("--walk", "1", "--like", "PHOTO"), "do not go together"),
        (("--between", "PHOTO"), "between"),
        (("--between", "note.txt", "fake.png"), "note.txt"),
        (("--between", "PHOTO", "fake.png"), "fake.png"),
        (("--between", "PHOTO", "gone.png"), "gone.png"),
        (("--between", "PHOTO", "two.dice"), "two.dice"),
        (("--between", "PHOTO", "PHOTO", "-n", "1"), "at least 2"),
        (("--between", "PHOTO", "PHOTO", "-o", "x.tiff"), "tiff"),
        (("--like", "note.txt"), "note.txt"),
        (("--like", "fake.png"), "fake.png"),
        (("--like", "gone.png"), "gone.png"),
        (("--like", "PHOTO", "--best-of", "3"), "leave it out"),
    ],
)
def test_bad_words_are_one_sentence(ilk, model, wrong, tmp_path, monkeypatch, words, says):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    ran = ilk("sample", model, *(wrong.get(word, word) for word in words))
    assert ran.code == 2
    assert says in ran.err
    assert list(work.iterdir()) == []


def test_like_without_a_model_says_to_name_one(ilk, photos):
    ran = ilk("sample", "--like", photos[0])
    assert ran.code == 2
    assert "name a model folder" in ran.err


def test_an_engine_without_a_latent_space_says_so(ilk, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(HERE.parent / "testing"))
    from dice import installed, throw_files

    monkeypatch.chdir(tmp_path)
    with installed():
        throws = throw_files(tmp_path / "throws")
        assert ilk("fit", throws, "--steps", 3, "--threads", 1, "-o", "d.ilk").code == 0
        file = next(throws.glob("*.dice"))
        for words in (("--walk", 1), ("--like", file), ("--between", file, file)):
            ran = ilk("sample", "d.ilk", *words)
            assert ran.code == 2
            assert "latent space" in ran.err
