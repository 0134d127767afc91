"""Promises about a fitted Generator: the same samples after save, load and pickle; kill and resume; the folder."""

from __future__ import annotations

import copy
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ilk.core import events
from ilk.core.config import Record
from ilk.core.data import MappedData
from ilk.core.errors import Code
from ilk.core.folder import open_model
from ilk.core.protocol import Example, Levels
from ilk.generator import load
from ilk.testing.generator_case import GeneratorCase, KillAt, Killed, checkpoint_each_step, tree
from ilk.testing.safety import watched
from ilk.testing.suite import refuses

LEAST_ROW = 24  # bytes; a shorter row may stand in any file by chance
MOST_ROWS = 300
PLAIN = (str, bytes, int, float, bool, type(None), Record)


def check_fit_learns_all_steps(case: GeneratorCase) -> None:
    """A fit by steps takes exactly that many, says so, and keeps a folder that loads."""
    model = case.model
    assert model.n_steps_ == case.steps, f"{model.n_steps_} steps of {case.steps}"
    assert model.ended_ == "finished", f"it ended as {model.ended_!r}"
    assert model.kind_ == case.kind.name, f"it was taken for {model.kind_}"
    assert len(model.fingerprint_) == 64, "the fingerprint is no SHA-256"


def check_same_fit_same_bytes(case: GeneratorCase) -> None:
    """The same fit again gives the same weights, byte for byte, in memory or in a folder; another seed does not."""
    with case.at_home():
        memory = case.new().fit(case.source)
        other = case.new(random_state=1).fit(case.source)
    assert memory.fingerprint_ == case.model.fingerprint_, "the second fit is another model"
    assert other.fingerprint_ != memory.fingerprint_, "another seed learns the same model"


def check_sample_does_not_depend_on_n(case: GeneratorCase) -> None:
    """The first 10 of 64 are those of 10; they come one by one, by slices and by batches alike."""
    many, few = case.names(case.model.sample(64, seed=7)), case.names(case.model.sample(10, seed=7))
    assert many[:10] == few, "sample(64, seed)[:10] is not sample(10, seed)"
    samples = case.model.sample(64, seed=7)
    assert len(samples) == 64, f"len says {len(samples)}"
    assert case.names([samples[5], samples[-1]]) == [many[5], many[63]], "an item is another sample"
    assert case.names(samples[3:6]) == many[3:6], "a slice holds other samples"
    batches = [name for batch in case.model.sample(64, seed=7).batches() for name in case.names(batch)]
    assert batches == many, "batches hold other samples"
    assert case.names(case.model.sample(10, seed=8)) != few, "another seed gives the same samples"


def check_samples_are_sound(case: GeneratorCase) -> None:
    """Samples are objects of the kind in which it can look for problems, and can be drawn; a fresh seed is told."""
    samples = case.model.sample(8)
    assert samples.seed >= 0, "the fresh seed is not told"
    assert case.names(case.model.sample(8, seed=samples.seed)) == case.names(samples), "the told seed gives others"
    assert all(isinstance(case.kind.check(sample), list) for sample in samples), "check does not take a sample"
    assert samples._repr_html_(), "a notebook shows nothing"


def check_given_levels_can_be_asked(case: GeneratorCase) -> None:
    """Every level of every condition can be asked for; others give other samples."""
    for name, condition in case.model.conditions_.items():
        if isinstance(condition, Levels):
            made = [case.names(case.model.sample(4, seed=1, given={name: level})) for level in condition.names[:10]]
            assert len({tuple(names) for names in made}) > 1, f"{name} changes nothing"


def check_saved_is_loaded(case: GeneratorCase) -> None:
    """A model saved and loaded, once or twice, gives the same samples under the same fingerprint."""
    wanted = case.names(case.model.sample(6, seed=3))
    first, second = case.folder() / "first.ilk", case.folder() / "deeper" / "second.ilk"
    with case.at_home():
        case.model.save(first)
        load(first).save(second)
    for path in (first, second):
        found = load(path)
        assert case.names(found.sample(6, seed=3)) == wanted, "the loaded model gives other samples"
        assert found.fingerprint_ == case.model.fingerprint_, "the saved model has another fingerprint"


def check_load_runs_nothing(case: GeneratorCase) -> None:
    """Loading a folder unpickles nothing and starts nothing; a changed file is refused."""
    with watched() as happened:
        load(case.path)
    assert not happened, f"loading does {', '.join(happened)}"
    other = case.folder() / "copy.ilk"
    with case.at_home():
        case.model.save(other)
    for name in open_model(other).files:
        good = (other / name).read_bytes()
        (other / name).write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        refuses(lambda: load(other), f"a changed {name}")
        (other / name).write_bytes(good)
    assert load(other).fingerprint_ == case.model.fingerprint_, "the repaired folder is another model"


def check_copies_carry_the_folder(case: GeneratorCase) -> None:
    """What a pickle would hold of a fitted Generator is plain values and the folder's bytes; a copy samples alike."""
    state = case.model.__getstate__()
    strange = {type(value).__name__ for value in _leaves(state) if not isinstance(value, PLAIN)}
    assert not strange, f"the state for a pickle holds {', '.join(sorted(strange))}"
    again = copy.deepcopy(case.model)  # goes by the same state as a pickle
    assert case.names(again.sample(6, seed=3)) == case.names(case.model.sample(6, seed=3)), "other samples"
    assert again.get_params() == case.model.get_params(), "other parameters"
    assert not hasattr(copy.deepcopy(case.new()), "model_"), "copying fits a model"


def _leaves(value: Any) -> Iterator[Any]:
    """All values within nested mappings and sequences."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def check_killed_and_resumed_is_uninterrupted(case: GeneratorCase) -> None:
    """Killed at any step and resumed, a fit gives the bytes of an uninterrupted one."""
    wanted = (case.path / "weights.safetensors").read_bytes()
    for stop in sorted({1, 2, case.steps - 1}):
        path = case.folder() / "killed.ilk"
        with case.at_home(), checkpoint_each_step():
            try:
                case.new().fit(case.source, save_to=path, on=KillAt(stop))
            except Killed:
                pass
            else:
                raise AssertionError(f"the fit was over before it could be killed at step {stop}")
            assert load(path).n_steps_ == stop, f"the folder holds step {load(path).n_steps_}, not {stop}"
            model = case.new().fit(case.source, save_to=path, resume=True)
        assert model.n_steps_ == case.steps, f"resumed at step {stop} it took {model.n_steps_} steps"
        assert (path / "weights.safetensors").read_bytes() == wanted, f"killed at step {stop} it learned other weights"
        assert load(path).fingerprint_ == case.model.fingerprint_, "it has another fingerprint"


def check_signal_saves(case: GeneratorCase) -> None:
    """Ctrl-C ends a fit after the step, saved and ready to sample and to resume."""
    if threading.current_thread() is not threading.main_thread():
        return
    path = case.folder() / "stopped.ilk"

    sent: list[int] = []

    def stop(event: events.Event) -> None:
        if isinstance(event, events.Step) and not sent:  # a second signal would not wait for the save
            sent.append(event.step)
            os.kill(os.getpid(), signal.SIGINT)

    with case.at_home():
        model = case.new().fit(case.source, save_to=path, on=stop)
        assert model.ended_ == "interrupted", f"it ended as {model.ended_!r}"
        assert load(path).n_steps_ < case.steps, "it learned on"
        assert case.names(load(path).sample(2, seed=1)) == case.names(model.sample(2, seed=1)), "other samples"
        again = case.new().fit(case.source, save_to=path, resume=True)
    assert again.fingerprint_ == case.model.fingerprint_, "resumed it is another model"


def check_other_data_are_not_resumed(case: GeneratorCase) -> None:
    """A fit is resumed on its own data only, and a folder without state says that it cannot be resumed."""
    saved = case.folder() / "saved.ilk"
    with case.at_home():
        case.model.save(saved)
        error = refuses(lambda: case.new().fit(case.source, save_to=saved, resume=True), "a folder without state")
    assert getattr(error, "code", "") == Code.RESUME, f"the code is {getattr(error, 'code', '')}"


def check_force_replaces(case: GeneratorCase) -> None:
    """With force the new model stands alone in the folder, as if nothing had been there."""
    path = case.folder() / "again.ilk"
    with case.at_home():
        case.new(random_state=5).fit(case.source, save_to=path)
        case.new().fit(case.source, save_to=path, force=True)
    assert load(path).fingerprint_ == case.model.fingerprint_, "the old model shows through"
    left = tree(path).keys() ^ tree(case.path).keys()
    assert not left, f"files of the old model are left: {', '.join(sorted(left))}"
    beside = [other.name for other in path.parent.iterdir() if other != path]
    assert not beside, f"left beside the folder: {', '.join(beside)}"


def check_no_example_is_stored(case: GeneratorCase) -> None:
    """No training example stands whole in the model folder, neither as it is stored nor as the engine sees it."""
    options = case.model.options
    record = case.kind.Options(**options) if options else case.kind.Options()
    codec = case.model.model_.codec
    read = (item for item in case.kind.read(case.source, record) if isinstance(item, Example))
    examples = [example for example, _ in zip(read, range(MOST_ROWS), strict=False)]
    stored = codec.encode(examples)
    data = MappedData(stored, codec, np.arange(len(examples)))
    forms = [np.asarray(stored["x"]), np.asarray(data.take(np.arange(len(examples)))["x"])]
    files = {path.name: path.read_bytes() for path in case.path.rglob("*") if path.is_file()}
    for rows in forms:
        for row in {row.tobytes() for row in rows if row.nbytes >= LEAST_ROW and len(np.unique(row)) > 3}:
            found = [name for name, content in files.items() if row in content]
            assert not found, f"a training example stands in {found[0]}"
    path = str(Path(case.source).absolute()) if isinstance(case.source, str | Path) else None
    open_files = {name: content for name, content in files.items() if name != "source.json"}
    if path and Path(path).exists():
        told = [name for name, content in open_files.items() if path.encode() in content]
        assert not told, f"the path of the data stands in {told[0]}"


CHECKS = (
    check_fit_learns_all_steps,
    check_same_fit_same_bytes,
    check_sample_does_not_depend_on_n,
    check_samples_are_sound,
    check_given_levels_can_be_asked,
    check_saved_is_loaded,
    check_load_runs_nothing,
    check_copies_carry_the_folder,
    check_killed_and_resumed_is_uninterrupted,
    check_signal_saves,
    check_other_data_are_not_resumed,
    check_force_replaces,
    check_no_example_is_stored,
)
