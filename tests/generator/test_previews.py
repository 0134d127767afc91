"""The first preview is a sketch, three previews of the way are kept, and neither changes what is learned."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import ilk
from ilk.core import events
from ilk.generator.extras import Picture, keep_stage, stages
from ilk.generator.sketch import LEAST_STEPS

PICTURES = np.random.default_rng(0).integers(0, 255, (48, 8, 8), dtype=np.uint8)
SMALL = ilk.Gan(width=2, latent=4, batch=4)


def fit(path, steps, **more):
    seen = []
    model = ilk.Generator(steps=steps, threads=1, device="cpu", random_state=1, engine=more.pop("engine", SMALL))
    return model.fit(PICTURES, save_to=path, on=seen.append, **more), seen


def notes(seen):
    return [event.says for event in seen if isinstance(event, events.Note) and "first preview" in event.says]


@pytest.fixture(scope="module")
def sketched(tmp_path_factory):
    """A fit that is long enough for a sketch, with a copy of its preview at each Preview event."""
    path, shown, seen = tmp_path_factory.mktemp("previews") / "m.ilk", [], []

    def on(event):
        seen.append(event)
        if isinstance(event, events.Preview):
            shown.append((path / "preview.png").read_bytes())

    model = ilk.Generator(steps=LEAST_STEPS, threads=1, device="cpu", random_state=1, engine=SMALL)
    model.fit(PICTURES, save_to=path, on=on)
    return model, path, shown, seen


def test_the_first_preview_is_a_sketch_and_it_is_said(sketched):
    _, path, shown, seen = sketched
    assert len(notes(seen)) == 1
    assert "closed-form mixture" in notes(seen)[0]
    assert shown[0] != shown[-1]
    raw = next(data for name, _, data, _ in stages(path) if name == "early")
    assert shown[0] != raw  # what the pair made at its first commit is kept, but not shown
    assert Image.open(io.BytesIO(shown[0])).size == Image.open(io.BytesIO(shown[-1])).size


def test_a_sketch_is_sealed_as_another_models_work(sketched, tmp_path):
    model, _, shown, _ = sketched
    for name, data in (("sketch", shown[0]), ("last", shown[-1])):
        (tmp_path / f"{name}.png").write_bytes(data)
    first, last = (ilk.verify(tmp_path / f"{name}.png")[0] for name in ("sketch", "last"))
    assert first.state == last.state == "sealed"
    assert first.seal.claims["model"] != model.fingerprint_
    assert last.seal.claims["model"] == model.fingerprint_


def test_a_sketch_leaves_the_bits_of_the_fit_alone(sketched, monkeypatch):
    model, *_ = sketched
    monkeypatch.setattr("ilk.generator.sketch.LEAST_STEPS", LEAST_STEPS + 1)
    plain = ilk.Generator(steps=LEAST_STEPS, threads=1, device="cpu", random_state=1, engine=SMALL).fit(PICTURES)
    assert plain.fingerprint_ == model.fingerprint_


def test_short_fits_and_the_sketch_itself_have_no_sketch(tmp_path):
    assert not notes(fit(tmp_path / "short.ilk", 3)[1])
    assert not notes(fit(tmp_path / "own.ilk", LEAST_STEPS, engine=ilk.Mixture(components=4, gaussians=1))[1])


def test_a_fit_keeps_early_and_late(sketched):
    _, path, shown, _ = sketched
    kept = stages(path)
    assert [(name, step) for name, step, _, _ in kept] == [("early", 1), ("late", LEAST_STEPS)]
    assert kept[-1][2] == shown[-1]
    assert all(media_type == "image/png" for *_, media_type in kept)
    assert all(Image.open(io.BytesIO(data)).size[0] > 100 for _, _, data, _ in kept)
    states = [verdict.state for verdict in ilk.verify(*sorted((path / "previews").iterdir()))]
    assert states == ["sealed", "sealed"]


def test_a_fit_that_goes_on_keeps_its_early_preview_and_moves_late(tmp_path):
    path, engine = tmp_path / "m.ilk", ilk.Mixture(components=4, gaussians=1)
    fit(path, 4, engine=engine)
    early = stages(path)[0]
    fit(path, 8, engine=engine, resume=True)
    assert [(name, step) for name, step, _, _ in stages(path)] == [("early", 1), ("late", 8)]
    assert stages(path)[0] == early


def test_a_copy_of_the_model_keeps_them(tmp_path):
    fit(tmp_path / "m.ilk", 3)
    ilk.load(tmp_path / "m.ilk").save(tmp_path / "copy.ilk")
    assert stages(tmp_path / "copy.ilk") == stages(tmp_path / "m.ilk") != []


def test_moments_are_chosen_by_progress(tmp_path):
    def commit(step, progress, ended=False):
        picture = Picture(str(step).encode(), "image/png")
        keep_stage(tmp_path, picture, step=step, progress=progress, ended=ended)
        return [(name, at) for name, at, _, _ in stages(tmp_path)]

    assert commit(1, 0.001) == [("early", 1)]
    assert commit(20, 0.02) == [("early", 1)]
    assert commit(40, 0.04) == [("early", 40)]  # better than what one step made
    assert commit(50, 0.05) == [("early", 40)]
    assert commit(260, 0.26) == [("early", 40), ("middle", 260)]
    assert commit(900, 0.9) == [("early", 40), ("middle", 260)]
    assert commit(1000, 1.0, ended=True) == [("early", 40), ("middle", 260), ("late", 1000)]
    assert commit(1100, 0.55) == [("early", 40), ("middle", 260), ("late", 1000)]
    assert commit(2000, 1.0, ended=True) == [("early", 40), ("middle", 260), ("late", 2000)]


def test_strange_files_among_the_previews_are_passed_over(tmp_path):
    assert stages(tmp_path) == []
    folder = tmp_path / "previews"
    folder.mkdir()
    (folder / "early-1.png").write_bytes(b"fine")
    for name in ("early-x.png", "../early-2.png", "late-3.exe", "late-4.png.new", "first-5.png"):
        (folder / name).write_bytes(b"strange")
    (folder / "late-6.png").symlink_to("/etc/hostname")
    (folder / "middle-7.png").mkdir()
    assert stages(tmp_path) == [("early", 1, b"fine", "image/png")]
