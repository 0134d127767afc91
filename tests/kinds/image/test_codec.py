"""Pictures to arrays and back, and the choice of the grid."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from ilk.core.config import convert
from ilk.core.errors import Code, FolderError, InputError, UnreadableError
from ilk.core.plan import Plan
from ilk.core.protocol import Example, Levels
from ilk.core.spaces import Grid
from ilk.kinds.image import kind
from ilk.kinds.image.choose import affordable_side
from ilk.kinds.image.codec import ImageCodec
from ilk.kinds.image.options import SIZES, Options
from kinds.image.made import PLAN, encode, examples, pictures, save_all


def of(images, level=None):
    return [Example(object=image, given={} if level is None else {"class": level[i]}) for i, image in enumerate(images)]


def images(count, size, mode="RGB"):
    return [Image.new(mode, size, "white") for _ in range(count)]


def chosen(found, plan=PLAN, **options):
    return kind.fit_codec(found, Options(**options), plan, None)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([1, 3]).flatmap(
        lambda channels: st.tuples(st.integers(1, 4), st.sampled_from(SIZES[:8])).flatmap(
            lambda count_side: hnp.arrays(np.uint8, (count_side[0], count_side[1], count_side[1], channels))
        )
    )
)
def test_pictures_of_the_grids_size_come_back_exactly(pixels):
    side, channels = pixels.shape[1], pixels.shape[3]
    codec = ImageCodec(side=side, channels=channels, fit="crop", count=8)
    stored = codec.encode(of([Image.fromarray(p[..., 0] if channels == 1 else p) for p in pixels]))
    floats = codec.to_space(stored)["x"]
    assert (stored["x"].dtype, floats.dtype, floats.shape) == (np.uint8, np.float32, stored["x"].shape)
    assert np.abs(floats).max() <= 1
    back = np.stack([np.asarray(image).reshape(side, side, channels) for image in codec.decode({"x": floats})])
    assert np.array_equal(back, pixels)


def test_decode_clips_and_never_fails():
    codec = ImageCodec(side=8, channels=1, fit="crop", count=8)
    x = np.full((4, 1, 8, 8), [[[[9.0]]], [[[-9.0]]], [[[np.nan]]], [[[np.inf]]]], np.float32)
    assert [image.getpixel((0, 0)) for image in codec.decode({"x": x})] == [255, 0, 128, 255]
    assert list(codec.decode({"x": x[:0]})) == []


@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_too_few_pictures_are_refused_in_a_sentence(count):
    with pytest.raises(InputError, match="too few to learn from; give at least 8") as caught:
        chosen(of(images(count, (16, 16))))
    assert caught.value.code == Code.TOO_FEW


def test_eight_pictures_are_enough_even_when_one_is_held_out():
    assert chosen(of(images(7, (16, 16)))).count == 7


@pytest.mark.parametrize(
    ("minutes", "threads", "device", "side"),
    [
        (1, 2, "cpu", 32),
        (3, 2, "cpu", 32),
        (6, 2, "cpu", 48),
        (8, 2, "cpu", 64),
        (8, 1, "cpu", 32),
        (60, 2, "cpu", 96),
        (240, 2, "cpu", 128),
        (1, 2, "cuda", 64),
        (10, 2, "cuda:0", 128),
        (600, 2, "cuda", 256),
    ],
)
def test_the_budget_caps_the_resolution(minutes, threads, device, side):
    plan = Plan(seconds=minutes * 60 * 0.95, threads=threads, device=device)
    assert affordable_side(plan) == side
    assert chosen(of(images(8, (400, 300))), plan).side == side


def test_steps_cap_it_by_the_device():
    assert affordable_side(Plan(steps=10**6)) == 32
    assert affordable_side(Plan(steps=1, device="cuda")) == 64


@pytest.mark.parametrize(("data", "side"), [(5, 8), (8, 8), (28, 28), (30, 28), (33, 32), (50, 32), (1000, 32)])
def test_the_data_cap_it_too(data, side):
    assert chosen(of(images(8, (data, data)))).side == side


def test_three_of_four_pictures_are_not_enlarged():
    mixed = images(2, (9, 9)) + images(9, (24, 90))
    assert chosen(of(mixed)).side == 24
    assert chosen(of(mixed + images(3, (9, 9)))).side == 8  # now five of fourteen would be
    assert chosen(of(mixed), Plan(seconds=9e5), fit="pad").side == 80


def test_resolution_can_be_said_and_impossible_ones_name_the_nearest():
    assert chosen(of(images(8, (16, 16))), resolution=64).space == Grid(channels=1, height=64, width=64)
    for wrong, near in [(33, "32 or 40"), (7, "8"), (600, "512"), (-3, "8")]:
        with pytest.raises(InputError, match=f"resolution {wrong} is not possible; {near} is"):
            Options(resolution=wrong)
        with pytest.raises(InputError, match=f"{near} is"):
            convert({"resolution": str(wrong)}, Options, "option of image")
    with pytest.raises(InputError, match='did you mean "resolution"'):
        convert({"resolutoin": "64"}, Options, "option of image")


def test_grey_data_make_a_grey_model_however_they_are_stored():
    grey = pictures(8, channels=1)
    assert chosen(of([Image.fromarray(p[..., 0]) for p in grey])).channels == 1
    assert chosen(of([Image.fromarray(np.repeat(p, 3, 2)) for p in grey])).channels == 1
    assert chosen(of(images(8, (16, 16), "1"))).channels == 1
    assert chosen(of([Image.fromarray(p) for p in pictures(8)])).channels == 3
    assert chosen(of([*images(7, (16, 16)), Image.new("RGB", (300, 200), "red")])).channels == 3
    assert chosen(of(images(8, (16, 16))), color="rgb").channels == 3
    assert chosen(of([Image.new("RGB", (16, 16), "red")] * 8), color="grey").channels == 1


def test_classes_become_a_condition_with_their_counts():
    found = of(images(9, (16, 16)), ["b10", "b9", "a", "a", "b9", "a", "a", "a", "b10"])
    codec = chosen(found)
    assert codec.conditions == {"class": Levels(names=("a", "b9", "b10"))}
    assert codec.counts == (5, 2, 2)
    unknown = of(images(2, (16, 16)), ["new", "b9"])
    assert codec.encode([*found, *unknown, *of(images(1, (16, 16)))])["label"].tolist() == [
        2,
        1,
        0,
        0,
        1,
        0,
        0,
        0,
        2,
        -1,
        1,
        -1,
    ]
    assert codec.encode_given({"class": "b10"}, 3).labels["label"].tolist() == [2, 2, 2]
    assert codec.encode_given({}, 2).labels["label"].tolist() == [-1, -1]
    with pytest.raises(InputError, match="b10") as caught:
        codec.encode_given({"class": "b1O"}, 1)
    assert caught.value.code == Code.GIVEN


def test_one_class_or_a_class_for_each_picture_is_no_condition():
    for levels in (["a"] * 9, list("abcdefghi")):
        codec = chosen(of(images(9, (16, 16)), levels))
        assert codec.conditions == {}
        assert "label" not in codec.encode(of(images(2, (16, 16)), levels))
        assert codec.encode_given({}, 3).labels == {}


def test_the_unreadable_one_is_named(tmp_path):
    save_all(tmp_path / "a", pictures(9, 64, 64), ".jpg")
    path = tmp_path / "a/4.jpg"
    path.write_bytes(path.read_bytes()[:900])
    found = examples(tmp_path / "a")
    codec = chosen(found)
    with pytest.raises(UnreadableError, match=r"4\.jpg cannot be read"):
        codec.encode(found)
    good = [example for example in found if example.name != "4.jpg"]
    assert codec.encode(good)["x"].shape == (8, 3, 32, 32)
    path.unlink()  # a file that goes away meanwhile is unreadable too
    with pytest.raises(UnreadableError, match=r"4\.jpg"):
        codec.encode(found)


@pytest.mark.parametrize("packed", [False, True])
def test_threads_encode_what_one_thread_encodes(tmp_path, packed):
    import shutil

    save_all(tmp_path / "a", pictures(120, 40, 50), ".jpg")
    source = shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "a") if packed else tmp_path / "a"
    found = examples(source)
    codec = chosen(found)
    alone = codec.encode(found)["x"]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda start: codec.encode(found[start : start + 4])["x"], range(0, 120, 4)))
    assert np.array_equal(np.concatenate(together), alone)


def test_a_saved_codec_is_the_same_codec(tmp_path, ten):
    codec, _ = encode(ten[0])
    codec.save(tmp_path)
    assert kind.load_codec(tmp_path) == codec
    labelled = chosen(of(images(9, (16, 16)), list("aabbccccc")))
    labelled.save(tmp_path)
    assert kind.load_codec(tmp_path) == labelled


@pytest.mark.parametrize(
    "change",
    [
        {"side": 0},
        {"side": -8},
        {"side": 100_000},
        {"side": "x"},
        {"side": None},
        {"channels": 2},
        {"channels": 10**9},
        {"fit": "explode"},
        {"count": -1},
        {"count": 2**70},
        {"classes": ["a", "a"], "counts": [1, 1]},
        {"classes": ["a"], "counts": []},
        {"classes": ["x" * 5000], "counts": [1]},
        {"extra": 1},
    ],
)
def test_a_hostile_codec_is_refused_in_a_sentence(tmp_path, change):
    good = {"side": 8, "channels": 1, "fit": "crop", "count": 8, "classes": [], "counts": []}
    (tmp_path / "codec.json").write_text(json.dumps({**good, **change}))
    with pytest.raises(FolderError):
        kind.load_codec(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{", b"null", b"[" * 100_000])
def test_a_damaged_codec_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "codec.json").write_bytes(content)
    with pytest.raises(FolderError):
        kind.load_codec(tmp_path)
    (tmp_path / "codec.json").unlink()
    with pytest.raises(FolderError):
        kind.load_codec(tmp_path)
