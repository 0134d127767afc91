"""Films: every frame is there, small pictures are watchable, nothing is held longer than a frame."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from PIL import Image

from ilk.core.errors import InputError
from ilk.core.offers import Filmed
from ilk.kinds.image import kind

NOTE = {"digitalSourceType": "trainedAlgorithmicMedia", "model": "0123"}


def pictures(count: int, side: int = 28, mode: str = "L", height: int | None = None):
    y, x = np.mgrid[: height or side, :side]
    out = []
    for number in range(count):
        disc = (((x - side / 2 - 5 * np.cos(number)) ** 2 + (y - side / 2) ** 2) < side) * 220
        grey = disc.astype(np.uint8)
        out.append(Image.fromarray(grey if mode == "L" else np.stack([grey, 255 - grey, grey // 2], axis=2)))
    return out


def film(objects, name: str, note=NOTE) -> bytes:
    file = io.BytesIO()
    kind.write(objects, file, name, note)
    return file.getvalue()


def frames(data: bytes):
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)], stream


@pytest.mark.parametrize("name", ["mp4", "gif"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("side", [27, 28, 257])
def test_every_picture_is_a_frame_that_looks_like_it(name, mode, side):
    objects = pictures(7, side, mode)
    found, _ = frames(film(objects, name))
    assert len(found) == 7
    times = found[0].shape[0] // side
    for one, obj in zip(found, objects, strict=True):
        seen = one[times // 2 : times * side : times, times // 2 : times * side : times]
        assert np.abs(seen.astype(int) - np.asarray(obj.convert("RGB"))).mean() < 4


def test_grey_gif_loses_nothing():
    objects = pictures(5)
    found, _ = frames(film(objects, "gif"))
    for one, obj in zip(found, objects, strict=True):
        assert (one[::10, ::10, 0] == np.asarray(obj)).all()


@pytest.mark.parametrize(("width", "height"), [(8, 8), (28, 28), (27, 31), (255, 300), (301, 257)])
def test_small_pictures_are_enlarged_and_sizes_are_even(width, height):
    found, stream = frames(film(pictures(2, width, height=height), "mp4"))
    tall, wide = found[0].shape[:2]
    assert tall % 2 == wide % 2 == 0
    assert min(tall, wide) >= 256
    assert min(width, height) < 256 or (wide - width < 2 and tall - height < 2)
    assert stream.codec_context.pix_fmt == "yuv420p"


@pytest.mark.parametrize(("name", "rate"), [("mp4", 25), ("gif", 20)])
def test_film_runs_at_the_rate_that_its_format_says(name, rate):
    assert next(form.rate for form in kind.formats if form.suffix == name) == rate
    _, stream = frames(film(pictures(30), name))
    assert float(stream.average_rate) == rate


def test_mp4_begins_playing_before_it_is_there_and_gif_repeats():
    data = film(pictures(9), "mp4")
    assert data.find(b"moov") < data.find(b"mdat")
    with Image.open(io.BytesIO(film(pictures(9), "gif"))) as image:
        assert image.info["loop"] == 0
        assert image.n_frames == 9


@pytest.mark.parametrize("name", ["mp4", "gif"])
def test_note_is_in_the_film_and_harms_nothing(name):
    noted, plain = film(pictures(4), name), film(pictures(4), name, {})
    assert b"trainedAlgorithmicMedia" in noted
    assert b"trainedAlgorithmicMedia" not in plain
    assert all((a == b).all() for a, b in zip(frames(noted)[0], frames(plain)[0], strict=True))


def test_frames_are_asked_for_one_after_the_other():
    """A film may be longer than memory: no frame is looked at before the one in front of it is written."""
    alive = []

    class Lazy:
        def __len__(self):
            return 40

        def __iter__(self):
            for picture in pictures(40, 64):
                alive.append(1)
                yield picture

        def __getitem__(self, place):
            raise AssertionError("a grey film is walked, not looked into")

    for name in ("mp4", "gif"):
        assert film(Lazy(), name)
    assert len(alive) == 80


@pytest.mark.parametrize("name", ["mp4", "gif"])
def test_no_pictures_and_pictures_of_two_sizes_are_refused(name):
    with pytest.raises(InputError, match="no picture"):
        film([], name)
    with pytest.raises(InputError, match="one size"):
        film([*pictures(2, 28), *pictures(1, 30)], name)


def test_small_pictures_share_a_frame_and_large_ones_have_it_alone():
    assert isinstance(kind, Filmed)
    assert [kind.tiles(Image.new("L", (side, side))) for side in (8, 28, 64, 128, 256, 512)] == [16, 16, 16, 4, 4, 1]
    nine = [Image.new("RGB", (10, 10), (number * 20, 0, 0)) for number in range(9)]
    pixels = np.asarray(kind.mosaic(nine))
    assert pixels.shape == (34, 34, 3)
    assert [pixels[1 + row * 11, 1 + column * 11, 0] // 20 for row in range(3) for column in range(3)] == list(range(9))
    one = nine[3]
    assert kind.identify(kind.mosaic([one])) == kind.identify(one)
