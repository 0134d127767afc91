"""A model folder always loads, whenever its writer died, and never harms whoever opens a stranger's."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import struct
import sys

import folders
import numpy as np
import pytest

from ilk.core import folder as folder_module
from ilk.core.errors import Code, FolderError, InputError, MachineError
from ilk.core.folder import ModelWriter, open_model, pack, recover, unpack


def commit(path, step=2, *, replace=False):
    with ModelWriter(path, replace=replace) as writer:
        writer.commit(folders.header(step), folders.files(step))


def is_whole(path, steps):
    """The folder opens as one of these saves, with exactly its files."""
    opened = open_model(path, state=True)
    assert opened.header.step in steps
    assert opened.files == folders.files(opened.header.step)
    return opened.header.step


@pytest.mark.parametrize("replace", [False, True], ids=["next save", "replaced"])
def test_a_writer_that_dies_anywhere_leaves_the_old_model_or_the_new(tmp_path, replace):
    old = folders.make(tmp_path / "old" / "m.ilk")
    found, call = [], 0
    while True:
        call += 1
        path = tmp_path / str(call) / "m.ilk"
        shutil.copytree(old, path)
        died = folders.dies_at(call, lambda path=path: commit(path, replace=replace))
        found.append(is_whole(path, {1, 2}))
        commit(path, 3)  # whoever comes next finds no lock and no rubbish
        assert is_whole(path, {3}) == 3
        assert not list(path.rglob("*.new"))
        left = [other.name for other in path.parent.iterdir() if other != path]
        assert not left, f"left behind after call {call}: {left}"
        if not died:
            break
    assert call > 15, "the child died at too few places to prove anything"
    assert found == sorted(found), "from some call on it is the new model, and it stays so"
    assert found[0] == 1
    assert found[-1] == 2


def test_a_first_save_that_dies_anywhere_leaves_nothing_or_a_whole_model(tmp_path):
    call = 0
    while True:
        call += 1
        path = tmp_path / str(call) / "m.ilk"
        died = folders.dies_at(call, lambda path=path: commit(path))
        if path.exists():
            is_whole(path, {2})
        else:
            with pytest.raises(InputError, match="There is no model folder"):
                open_model(path)
        commit(path, 3, replace=True)
        assert is_whole(path, {3}) == 3
        assert [other.name for other in path.parent.iterdir()] == ["m.ilk"]
        if not died:
            break
    assert call > 10


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_full_disk_keeps_the_last_model_and_says_so(tmp_path, monkeypatch, step):
    path, left, real = folders.make(tmp_path / "m.ilk"), [step], folder_module._write_synced

    def write(target, data):
        left[0] -= 1
        if left[0] == 0:
            target.write_bytes(data[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(target, data)

    monkeypatch.setattr(folder_module, "_write_synced", write)
    if step <= 4:  # three changed files and ilk.json
        with pytest.raises(MachineError, match=r"The disk is full, so .* what was saved before is kept"):
            commit(path)
    else:
        commit(path)
    monkeypatch.undo()
    assert is_whole(path, {1, 2}) == (1 if step <= 4 else 2)
    assert not list(path.rglob("*.new"))


def test_only_one_writer_at_a_time(tmp_path):
    path = folders.make(tmp_path / "m.ilk")
    for replace in (False, True):
        with ModelWriter(path), pytest.raises(FolderError, match="is being written by another process") as caught:
            commit(path, replace=replace)
        assert caught.value.code == Code.FOLDER_BUSY
    commit(path)
    assert is_whole(path, {2})


def test_two_new_models_of_one_name_do_not_mix(tmp_path):
    path = tmp_path / "m.ilk"
    with ModelWriter(path) as first, ModelWriter(path) as second:
        first.commit(folders.header(1), folders.files(1))
        with pytest.raises(InputError, match="was made by another process meanwhile"):
            second.commit(folders.header(2), folders.files(2))
    assert is_whole(path, {1})
    assert [other.name for other in tmp_path.iterdir()] == ["m.ilk"]


def test_a_new_folder_appears_with_the_first_save_only(tmp_path):
    path = tmp_path / "deep" / "m.ilk"
    with ModelWriter(path) as writer:
        assert not path.exists()
        writer.commit(folders.header(1), folders.files(1))
        assert is_whole(path, {1})
        writer.commit(folders.header(2), folders.files(2))
        assert is_whole(path, {2})
    with pytest.raises(ZeroDivisionError), ModelWriter(tmp_path / "never.ilk"):
        _ = 1 / 0
    assert sorted(other.name for other in tmp_path.iterdir()) == ["deep"]


def test_odd_names_are_swept_as_well(tmp_path):
    path = folders.make(tmp_path / "a [1]*.ilk")
    path.rename(tmp_path / ".a [1]*.ilk.00.old")
    assert is_whole(path, {1})
    commit(path)
    assert is_whole(path, {2})
    assert [other.name for other in tmp_path.iterdir()] == [path.name]


def test_files_that_a_save_no_longer_names_go(tmp_path):
    path = folders.make(tmp_path / "m.ilk")
    commit(path)
    assert not (path / "codec" / "only-1.json").exists()
    assert (path / "codec" / "only-2.json").exists()


def test_recovery_finishes_a_save_that_was_cut_after_its_commit(tmp_path):
    path = folders.make(tmp_path / "m.ilk")
    good = (path / "weights.safetensors").read_bytes()
    (path / "weights.safetensors").rename(path / "weights.safetensors.new")
    (path / "weights.safetensors").write_bytes(b"old")
    (path / "codec" / "stray.json.new").write_bytes(b"half")
    assert open_model(path).files["weights.safetensors"] == good  # readers need no recovery
    recover(path)
    assert (path / "weights.safetensors").read_bytes() == good
    assert not list(path.rglob("*.new"))


def test_the_fingerprint_names_what_samples_depend_on(tmp_path):
    path = folders.make(tmp_path / "m.ilk")
    first = open_model(path).header.fingerprint
    with ModelWriter(path) as writer:
        changed = {**folders.files(1), "state/learner.safetensors": b"other"}
        assert writer.commit(folders.header(7), changed).fingerprint == first
        changed = {**folders.files(1), "weights.safetensors": b"other"}
        assert writer.commit(folders.header(7), changed).fingerprint != first


def edit(path, **fields):
    raw = json.loads((path / "ilk.json").read_bytes())
    (path / "ilk.json").write_text(json.dumps({**raw, **fields}))


def refused(path, match, code):
    with pytest.raises(FolderError, match=match) as caught:
        open_model(path, state=True)
    assert caught.value.code == code
    assert caught.value.exit_code == 2


def test_a_newer_format_is_refused(tmp_path):
    path = folders.make(tmp_path / "m.ilk")
    edit(path, format=2, something_new=1)
    refused(path, r"was written by a newer ilk \(format 2, this one reads 1\); update ilk", Code.FOLDER_NEWER)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"format": "one"}',
        b'{"format": 1}',
        b"[" * 200_000,
        b'{"format":1e999}',
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_a_damaged_header_is_refused(tmp_path, raw):
    path = folders.make(tmp_path / "m.ilk")
    (path / "ilk.json").write_bytes(raw)
    refused(path, "ilk.json is damaged", Code.FOLDER_DAMAGED)


def test_a_header_with_an_unknown_field_or_a_wrong_plan_is_refused(tmp_path):
    for fields in ({"surprise": 1}, {"step": "many"}, {"plan": {"steps": 0}}, {"plan": {}}, {"files": {"a": 1}}):
        path = folders.make(tmp_path / f"{len(list(tmp_path.iterdir()))}.ilk")
        edit(path, **fields)
        refused(path, "ilk.json is damaged", Code.FOLDER_DAMAGED)


def test_a_huge_header_is_not_read(tmp_path):
    path = folders.make(tmp_path / "m.ilk")
    with (path / "ilk.json").open("r+b") as file:
        file.truncate(2**31)
    refused(path, "too large", Code.FOLDER_UNSAFE)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../x", "a//b", "./a", "", "c:/x", "a\\b", "a\x00b", "ilk.json", "a/"]
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name):
    path = folders.make(tmp_path / "m.ilk")
    (tmp_path / "x").write_bytes(b"secret")
    edit(path, files={name: hashlib.sha256(b"secret").hexdigest()})
    refused(path, "names a file outside of the folder", Code.FOLDER_UNSAFE)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_links_are_refused(tmp_path, what):
    path = folders.make(tmp_path / "m.ilk")
    outside = tmp_path / "outside"
    inside = path / ("weights.safetensors" if what == "file" else "codec")
    inside.rename(outside)
    inside.symlink_to(outside)
    refused(path, "is a link; a model folder holds only its own files", Code.FOLDER_UNSAFE)


def test_a_changed_or_missing_file_is_refused(tmp_path):
    path = folders.make(tmp_path / "m.ilk")
    data = (path / "weights.safetensors").read_bytes()
    (path / "weights.safetensors").write_bytes(data[:-1] + b"!")
    refused(path, "weights.safetensors does not match ilk.json: it was changed or damaged", Code.FOLDER_DAMAGED)
    (path / "weights.safetensors").unlink()
    refused(path, "weights.safetensors is missing", Code.FOLDER_DAMAGED)
    (path / "weights.safetensors").mkdir()
    with pytest.raises(FolderError):
        open_model(path)


def test_a_folder_that_is_none_is_told_from_a_damaged_one(tmp_path):
    with pytest.raises(InputError, match="There is no model folder") as caught:
        open_model(tmp_path / "none.ilk")
    assert caught.value.code == Code.MODEL_MISSING
    refused(tmp_path, r"is no model folder: ilk.json cannot be read", Code.FOLDER_DAMAGED)


def test_equal_arrays_give_equal_bytes_and_come_back_as_they_were():
    arrays = {"b": np.arange(6.0).reshape(2, 3), "a": np.float32(3).reshape(()), "c": np.zeros((0, 2), np.int64)}
    arrays["t"] = arrays["b"].T
    data = pack(arrays)
    assert data == pack(dict(reversed(arrays.items())))
    again = unpack(data, "here")
    assert {name: (a.dtype, a.shape) for name, a in again.items()} == {n: (a.dtype, a.shape) for n, a in arrays.items()}
    assert all(np.array_equal(again[name], array) for name, array in arrays.items())


def _safetensors(header, body=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 1000) + b"{}",
        _safetensors(b"not json"),
        _safetensors({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, b"\x00" * 8),
        _safetensors({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 8]}}, b"\x00" * 8),
        _safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, b"\x00" * 8),
        _safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}, b"\x00" * 8),
        _safetensors({"a": {"dtype": "OBJ", "shape": [2], "data_offsets": [0, 8]}}, b"\x00" * 8),
        _safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"\x00" * 800),
        pack({"a": np.ones(100)})[:-1],
        pack({"a": np.ones(100)}) + b"more",
    ],
    ids=range(13),
)
def test_unsound_safetensors_are_refused(data):
    with pytest.raises(FolderError, match="is not a sound safetensors file") as caught:
        unpack(data, "weights")
    assert caught.value.code == Code.FOLDER_UNSAFE


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written") as caught:
        commit(tmp_path / "file" / "m.ilk")
    assert caught.value.code == Code.OUTPUT


def test_importing_the_folder_does_not_import_torch():
    assert "torch" not in vars(sys.modules["ilk.core.folder"])
