"""Device, threads and precision are measured once, kept, and measured anew on another machine."""

from __future__ import annotations

import json
import stat

import pytest
import torch

from ilk.core import device as device_module
from ilk.core.device import cores, probe, resolve_device, set_threads
from ilk.core.errors import Code, InputError, MachineError
from ilk.core.home import ilk_home, make_folder, write_atomic

MEASURED = device_module.Probe(machine="here", threads=2, dtype="float32", rates={"float32/1": 1.0})


@pytest.fixture
def measured(monkeypatch):
    """Count how often the machine is measured, and do not measure it."""
    calls = []

    def measure():
        calls.append(1)
        return MEASURED

    monkeypatch.setattr(device_module, "_measure", measure)
    monkeypatch.setattr(device_module, "machine_name", lambda: "here")
    return calls


def test_what_was_measured_is_kept(tmp_path, measured):
    assert probe(tmp_path, fresh=False) == MEASURED
    assert probe(tmp_path, fresh=False) == MEASURED
    assert len(measured) == 1
    probe(tmp_path, fresh=True)
    assert len(measured) == 2


def test_another_machine_or_a_damaged_record_is_measured_anew(tmp_path, measured, monkeypatch):
    probe(tmp_path, fresh=False)
    monkeypatch.setattr(device_module, "machine_name", lambda: "there")
    probe(tmp_path, fresh=False)
    assert len(measured) == 2
    monkeypatch.setattr(device_module, "machine_name", lambda: "here")
    for raw in (b"", b"{", json.dumps({"machine": "here", "threads": "two"}).encode()):
        (tmp_path / "machine.json").write_bytes(raw)
        probe(tmp_path, fresh=False)
    assert len(measured) == 5


def test_the_machine_can_be_measured_and_keeps_its_threads(tmp_path):
    before = torch.get_num_threads()
    found = probe(tmp_path, fresh=True)
    assert torch.get_num_threads() == before
    assert found.threads in (1, cores())
    assert all(rate > 0 for rate in found.rates.values())
    set_threads(before)


def test_devices_are_resolved_or_refused():
    assert resolve_device("auto") in ("cpu", "cuda")
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(InputError, match='no device "tpu-9"'):
        resolve_device("tpu-9")
    with pytest.raises(InputError, match="is not supported"):
        resolve_device("meta")
    if not torch.cuda.is_available():
        with pytest.raises(MachineError, match="use --device cpu") as caught:
            resolve_device("cuda")
        assert (caught.value.code, caught.value.exit_code) == (Code.DEVICE, 3)


def test_the_users_folder_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path / "mine"))
    assert ilk_home() == tmp_path / "mine"
    monkeypatch.delenv("ILK_HOME")
    assert "ilk" in ilk_home().parts[-1]


def test_folders_below_it_are_private(tmp_path):
    assert stat.S_IMODE(make_folder(tmp_path / "deep" / "er").stat().st_mode) == 0o700
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MachineError, match="set ILK_HOME to a folder that you can write"):
        make_folder(tmp_path / "file" / "below")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    write_atomic(tmp_path / "a", b"old")
    with pytest.raises(TypeError):
        write_atomic(tmp_path / "a", "text")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
