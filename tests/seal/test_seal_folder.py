"""Manifests, sidecars, the sealer and the ledger: what is written is complete, and stays one's own."""

import hashlib
import sqlite3

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ilk.core.errors import Code, InputError
from ilk.seal import c2pa, keys, manifest, sidecar, trust
from ilk.seal.claim import Claim
from ilk.seal.ledger import Ledger, LedgerReader
from ilk.seal.sealer import FEW, folder_seal, seal_file
from ilk.seal.signed import DamagedError, seal_json


def sha(data):
    return hashlib.sha256(data).hexdigest()


def fill(folder, home, claim, files, count=5000):
    folder.mkdir(exist_ok=True)
    with folder_seal(folder, home, claim, count) as seal:
        for index, (name, data) in enumerate(files.items()):
            (folder / name).write_bytes(data)
            seal.wrote(name, data, index)


def test_manifest_lists_every_file_with_its_claim(tmp_path, home, claim):
    fill(tmp_path / "out", home, claim, {"b.mid": b"b", "a.mid": b"a"})
    read = manifest.read(tmp_path / "out" / manifest.NAME)
    assert list(read.entries) == ["a.mid", "b.mid"]
    reading = read.reading(read.entries["a.mid"], sha(b"a"))
    assert reading.state == "holds"
    assert reading.claim == claim.at(1).fields()
    assert msgspec.json.decode((tmp_path / "out" / manifest.NAME).read_bytes())["files"][0][0] == "a.mid"


def test_folder_grows_and_older_files_keep_their_claim(tmp_path, home, claim):
    other = Claim(ilk="0.1.0", kind="music", model="cd" * 32)
    fill(tmp_path / "out", home, claim, {"a": b"a"})
    fill(tmp_path / "out", home, other, {"b": b"b"})
    trust.rotate(home)
    fill(tmp_path / "out", home, claim, {"c": b"c"})
    read = manifest.read(tmp_path / "out" / manifest.NAME)
    models = {name: read.reading(entry, entry.sha256).claim["model"] for name, entry in read.entries.items()}
    assert models == {"a": claim.model, "b": other.model, "c": claim.model}
    assert len(read.calls) == 2
    assert read.certificate.fingerprint == keys.identity(home).fingerprint


def test_two_calls_at_once_both_get_into_the_manifest(tmp_path, home, claim):
    folder = tmp_path
    with folder_seal(folder, home, claim, 5000) as first, folder_seal(folder, home, claim, 5000) as second:
        first.wrote("a", b"a", 0)
        second.wrote("b", b"b", 0)
    assert set(manifest.read(folder / manifest.NAME).entries) == {"a", "b"}


@pytest.mark.parametrize("spoil", ["damaged", "foreign", "revoked"])
def test_manifest_that_is_not_ones_own_is_never_overwritten(tmp_path, home, claim, spoil):
    fill(tmp_path, tmp_path / "other" if spoil == "foreign" else home, claim, {"a": b"a"})
    path = tmp_path / manifest.NAME
    if spoil == "damaged":
        path.write_bytes(path.read_bytes().replace(b'"a"', b'"b"'))
    if spoil == "revoked":
        trust.revoke(home, keys.identity(home).fingerprint, "lost")
        trust.rotate(home)
    before = path.read_bytes()
    with pytest.raises(InputError) as raised, folder_seal(tmp_path, home, claim, 1):
        pass
    assert raised.value.code == Code.OUTPUT
    assert path.read_bytes() == before


def test_what_was_written_before_a_crash_is_sealed(tmp_path, home, claim):
    def crash():
        with folder_seal(tmp_path, home, claim, 5000) as seal:
            (tmp_path / "a").write_bytes(b"a")
            seal.wrote("a", b"a", 0)
            seal.wrote("never written", b"b", 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert set(manifest.read(tmp_path / manifest.NAME).entries) == {"a"}


def test_call_that_wrote_nothing_leaves_no_manifest(tmp_path, home, claim):
    with folder_seal(tmp_path, home, claim, 5):
        pass
    assert not (tmp_path / manifest.NAME).exists()


def test_failed_manifest_leaves_the_old_one_and_no_litter(tmp_path, home, claim, monkeypatch):
    fill(tmp_path, home, claim, {"a": b"a"})
    before = (tmp_path / manifest.NAME).read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Exception, match="No space left"):
        fill(tmp_path, home, claim, {"b": b"b"})
    assert (tmp_path / manifest.NAME).read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["a", "b", manifest.NAME]


def test_few_files_are_sealed_inside_and_many_are_not(tmp_path, home, claim, tiny):
    png = tiny["image/png"]
    with folder_seal(tmp_path, home, claim, FEW) as seal:
        assert c2pa.read(seal.file(png, "image/png", 5), "image/png").claim["index"] == 5
        assert seal.file(b"a,b\n", None, 5) == b"a,b\n"
    with folder_seal(tmp_path, home, claim, FEW + 1) as seal:
        assert seal.file(png, "image/png", 5) == png


@pytest.mark.parametrize("name", ["", "../a", "/a", "a/../b", "a//b", "a\\b", "C:a", "a\0", "."])
def test_name_outside_the_folder_is_refused_on_both_ends(tmp_path, home, claim, someone, name):
    with folder_seal(tmp_path, home, claim, 5) as seal, pytest.raises(InputError):
        seal.wrote(name, b"", 0)
    hostile = manifest.Manifest()
    hostile.add(name, sha(b""), 0, hostile.call(claim))
    hostile.write(tmp_path / manifest.NAME, someone)
    with pytest.raises(DamagedError):
        manifest.read(tmp_path / manifest.NAME)


def test_entry_of_a_call_that_does_not_exist_is_refused(tmp_path, someone):
    hostile = manifest.Manifest([manifest.Entry("a", sha(b""), 0, 7)])
    hostile.write(tmp_path / manifest.NAME, someone)
    with pytest.raises(DamagedError):
        manifest.read(tmp_path / manifest.NAME)


def test_every_byte_of_a_manifest_counts(tmp_path, claim, someone):
    path = tmp_path / manifest.NAME
    whole = manifest.Manifest()
    for index in range(3):
        whole.add(f"{index}.png", sha(b"%d" % index), index, whole.call(claim))
    whole.write(path, someone)
    data = path.read_bytes()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(DamagedError):
            manifest.parse(bytes(changed))


def test_manifest_of_another_sort_of_seal_is_refused(tmp_path, claim, someone):
    path = tmp_path / manifest.NAME
    path.write_bytes(
        b'{"files":[\n\n],"seal":' + sidecar.make(hashlib.sha256(b"").hexdigest(), claim, someone) + b"}\n"
    )
    with pytest.raises(DamagedError):
        manifest.read(path)
    path.write_bytes(b'{"files":[\n\n],"seal":' + seal_json({"format": manifest.FORMAT}, someone) + b"}\n")
    with pytest.raises(DamagedError):
        manifest.read(path)


def test_merkle_leaf_is_no_node():
    leaves = [b"a", b"b", b"c"]
    one, two = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves[:2])
    assert manifest.merkle_root(leaves[:2]) == hashlib.sha256(b"\x01" + one + two).hexdigest()
    assert manifest.merkle_root([one + two]) != manifest.merkle_root(leaves[:2])
    assert len({manifest.merkle_root(x) for x in (leaves, leaves[::-1], leaves[:2], [*leaves, b"c"], [])}) == 5


def test_hundred_thousand_files_are_written_and_read_back(tmp_path, claim, someone):
    many = manifest.Manifest()
    call = many.call(claim)
    for index in range(100_000):
        many.add(f"{index:06}.png", f"{index:064x}", index, call)
    many.write(tmp_path / manifest.NAME, someone)
    assert len(manifest.read(tmp_path / manifest.NAME).entries) == 100_000
    assert (tmp_path / manifest.NAME).stat().st_size < 100_000 * 100


def test_one_changed_byte_of_a_file_or_its_sidecar_is_seen(claim, someone):
    data = b"MThd\x00\x00\x00\x06 some music"
    beside = sidecar.make(hashlib.sha256(data).hexdigest(), claim, someone)
    assert sidecar.read(beside, sha(data)).state == "holds"

    @settings(max_examples=300, deadline=None)
    @given(st.integers(0, len(data) + len(beside) - 1), st.integers(1, 255))
    def seen(at, by):
        changed = bytearray(data + beside)
        changed[at] ^= by
        state = sidecar.read(bytes(changed[len(data) :]), sha(changed[: len(data)])).state
        assert state == ("altered" if at < len(data) else "broken")

    seen()


def test_single_output_is_sealed_inside_or_beside(home, claim, tiny):
    inside = seal_file(tiny["image/gif"], "image/gif", claim, home)
    assert inside.sidecar is None
    assert c2pa.read(inside.data, "image/gif").state == "holds"
    for media_type in ("text/csv", None, "image/tiff"):  # the first bytes have the last word
        beside = seal_file(b"a,b\n1,2\n", media_type, claim, home)
        assert beside.data == b"a,b\n1,2\n"
        assert sidecar.read(beside.sidecar, sha(beside.data)).claim == claim.fields()


def test_ledger_recalls_a_call_and_knows_its_contents(home, tmp_path):
    with Ledger(home) as ledger:
        ledger.model("ab", "photos", tmp_path / "photos.ilk", "image")
        ledger.call("c1", "ab", 2**40, {"given": {"label": "cat"}, "n": 3})
        for index in range(2500):
            ledger.content(f"hash{index}", "c1", index)
    reader = LedgerReader(home)
    call = reader.recall("c1")
    assert (call.seed, call.settings, call.name) == (2**40, {"given": {"label": "cat"}, "n": 3}, "photos")
    assert reader.model_path("ab") == tmp_path / "photos.ilk"
    assert reader.find("hash2499").index == 2499
    assert reader.find("other") is None
    assert reader.recall("other") is None


def test_sealer_fills_the_ledger(tmp_path, home, claim):
    ledger = Ledger(home)
    ledger.call(claim.call, claim.model, 7, {})
    with folder_seal(tmp_path, home, claim, 5, ledger) as seal:
        seal.wrote("a", b"a", 4, content="pixels")
    assert LedgerReader(home).find("pixels").index == 4


def test_ledger_forgets_the_oldest_past_its_cap(home, monkeypatch):
    monkeypatch.setattr("ilk.seal.ledger.MOST_CONTENTS", 10)
    with Ledger(home) as ledger:
        ledger.call("c", "m", None, {})
        for index in range(25):
            ledger.content(str(index), "c", index)
    assert [i for i in range(25) if LedgerReader(home).find(str(i))] == list(range(15, 25))


def test_corrupt_ledger_is_moved_aside_and_begun_anew(home):
    home.mkdir()
    (home / "ledger.sqlite").write_bytes(b"this is no database" * 100)
    assert LedgerReader(home).find("x") is None
    with Ledger(home) as ledger:
        ledger.call("c", "m", None, {})
        ledger.content("x", "c", 0)
    assert LedgerReader(home).find("x") is not None
    assert len(list(home.glob("ledger.sqlite.damaged-*"))) == 1


def test_ledger_that_cannot_be_written_loses_nothing_else(tmp_path, home, claim, monkeypatch):
    (tmp_path / "file").touch()
    with Ledger(tmp_path / "file" / "home") as ledger:
        ledger.call("c", "m", 2**70, {})
        ledger.content("x", "c", 0)
    home.mkdir()

    def locked(*args, **kwargs):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("ilk.seal.ledger.sqlite3.connect", locked)
    with folder_seal(tmp_path, home, claim, 5, Ledger(home)) as seal:
        seal.wrote("a", b"a", 0, content="x")
    assert (tmp_path / manifest.NAME).exists()
