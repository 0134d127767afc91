"""Verdicts: every state for the reason it names, and never a traceback."""

import datetime
import hashlib
import io
import json
import os
import unicodedata
import zipfile

import c2pa as library
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ilk.seal import c2pa, keys, manifest, sidecar, trust
from ilk.seal import verify as module
from ilk.seal.claim import TRAINED, Claim, clean
from ilk.seal.ledger import Ledger
from ilk.seal.sealer import folder_seal, seal_file
from ilk.seal.verdict import _SENTENCES, CriticView, State, Verdict, all_trusted
from ilk.seal.verify import verify


def sha(data):
    return hashlib.sha256(data).hexdigest()


def one(path, home, **more):
    (verdict,) = verify([path], home, **more)
    return verdict


def states(path, home):
    return {verdict.file.rsplit("/", 1)[-1]: verdict.state for verdict in verify([path], home)}


@pytest.fixture
def sealed(tmp_path, home, claim, tiny):
    """A picture that was sealed in this home."""
    path = tmp_path / "one.png"
    path.write_bytes(seal_file(tiny["image/png"], "image/png", claim, home).data)
    return path


@pytest.fixture
def folder(tmp_path, home, claim, tiny):
    """A folder of five sealed files, by manifest only."""
    path = tmp_path / "out"
    path.mkdir()
    with folder_seal(path, home, claim, 5000) as seal:
        for index in range(5):
            data = tiny["image/png"] + bytes([index])
            (path / f"{index}.png").write_bytes(data)
            seal.wrote(f"{index}.png", data, index)
    return path


def test_own_file_is_sealed_and_says_so(sealed, home, claim):
    verdict = one(sealed, home)
    assert (verdict.state, verdict.synthetic, verdict.trusted) == ("sealed", "yes", True)
    assert verdict.seal.claims == claim.fields()
    assert verdict.says == "made by model 3f2a3f2a… on 2026-11-24 (time claimed), unchanged since; sealed by you"


def test_verdict_is_this_json(sealed, home, claim):
    assert msgspec.json.decode(msgspec.json.encode(one(sealed, home))) == {
        "file": str(sealed),
        "state": "sealed",
        "synthetic": "yes",
        "seal": {
            "format": "c2pa",
            "key": keys.identity(home).fingerprint,
            "claims": claim.fields(),
            "time_claimed": "2026-11-24T10:00:00Z",
            "signer": "you",
        },
        "watermark": None,
        "ledger": None,
        "critic": None,
        "problems": [],
    }


def test_fresh_home_calls_it_a_strangers_until_the_key_is_trusted(sealed, home, tmp_path):
    mine = tmp_path / "fresh"
    verdict = one(sealed, mine)
    assert verdict.state == "sealed-by-stranger"
    assert verdict.synthetic == "likely"
    assert not all_trusted([verdict])
    assert not mine.exists()
    (tmp_path / "key.json").write_bytes(trust.export(home))
    trust.trust(mine, tmp_path / "key.json", "Ada")
    verdict = one(sealed, mine)
    assert (verdict.state, verdict.seal.signer) == ("sealed", "trusted Ada")


def test_same_name_with_another_key_is_a_stranger(tmp_path, home, claim, tiny):
    mine = keys.identity(home)
    twin = keys.make(mine.certificate.name)
    path = tmp_path / "one.png"
    path.write_bytes(c2pa.embed(tiny["image/png"], "image/png", claim, twin))
    verdict = one(path, home)
    assert verdict.state == "sealed-by-stranger"
    assert verdict.seal.signer == 'claims to be "ilk user"'


def test_revoked_key_does_not_count_wherever_it_sealed(sealed, folder, home):
    trust.revoke(home, keys.identity(home).fingerprint[:16], "laptop stolen")
    verdict = one(sealed, home)
    assert verdict.state == "revoked"
    assert "laptop stolen" in verdict.says
    assert set(states(folder, home).values()) == {"revoked"}
    trust.rotate(home)
    assert one(sealed, home).state == "revoked"


def test_rotated_key_still_counts_as_ones_own(sealed, folder, home):
    trust.rotate(home)
    assert one(sealed, home).seal.signer == "you, earlier key"
    assert all_trusted(verify([sealed, folder], home))


def test_certificate_that_ran_out_is_expired(sealed, folder, home):
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=4000)
    assert {v.state for v in verify([sealed, folder], home, at=later)} == {"expired"}


def test_changed_picture_is_altered_and_its_claim_is_not_believed(sealed, home):
    data = bytearray(sealed.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 1
    sealed.write_bytes(data)
    verdict = one(sealed, home)
    assert (verdict.state, verdict.synthetic) == ("altered", "unknown")
    assert "model" not in verdict.says


def test_data_after_the_end_and_polyglots_are_altered(sealed, home):
    whole = sealed.read_bytes()
    packed = io.BytesIO(whole)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("hidden", "x")
    for data in (whole + b"\0", packed.getvalue(), whole + whole):
        sealed.write_bytes(data)
        assert one(sealed, home).state in ("altered", "broken")


def test_changed_padding_is_a_changed_container(sealed, home):
    data = bytearray(sealed.read_bytes())
    data[data.index(bytes(500)) + 250] ^= 1
    sealed.write_bytes(data)
    verdict = one(sealed, home)
    assert verdict.state == "container-altered"
    assert "the content is unchanged" in verdict.says


def test_re_saved_picture_is_unknown_or_known_to_the_ledger(sealed, home, claim):
    Image.open(sealed).save(sealed)
    assert one(sealed, home).state == "unknown"
    assert "cannot tell" in one(sealed, home).says

    def pixels(path, data):
        return Image.open(io.BytesIO(data)).convert("RGB").tobytes().hex()

    with Ledger(home) as ledger:
        ledger.model(claim.model, "photos", "photos.ilk", "image")
        ledger.call(claim.call, claim.model, 7, {})
        ledger.content(pixels(None, sealed.read_bytes()), claim.call, 3)
    verdict = one(sealed, home, content_hash=pixels)
    assert (verdict.state, verdict.synthetic, verdict.ledger.index) == ("unsealed-known", "yes", 3)
    assert "this machine with model photos" in verdict.says
    assert not verdict.trusted


def test_critic_is_heard_only_with_few_false_alarms(tmp_path, home, tiny):
    path = tmp_path / "one.png"
    path.write_bytes(tiny["image/png"])
    sure, alarming, real = (CriticView(p, r, "500 held-out photos") for p, r in ((0.97, 0.01), (0.97, 0.4), (0.1, 0.9)))
    verdict = one(path, home, critic=lambda path, data: sure)
    assert (verdict.state, verdict.synthetic) == ("unsealed-likely-generated", "likely")
    assert "of 100 real ones 1 would get as much or more" in verdict.says
    for view in (alarming, real):
        verdict = one(path, home, critic=lambda path, data, view=view: view)
        assert (verdict.state, verdict.synthetic, verdict.critic) == ("unknown", "unknown", view)


def test_callbacks_that_fail_are_no_evidence(tmp_path, home, tiny):
    path = tmp_path / "one.png"
    path.write_bytes(tiny["image/png"])

    def fail(path, data):
        raise RuntimeError("decoder")

    assert one(path, home, content_hash=fail, critic=fail).state == "unknown"


def test_sidecar_seals_what_has_no_place_inside(tmp_path, home, claim):
    path = tmp_path / "song.mid"
    path.write_bytes(b"MThd music")
    beside = tmp_path / ("song.mid" + sidecar.SUFFIX)
    beside.write_bytes(seal_file(b"MThd music", None, claim, home).sidecar)
    assert one(path, home).state == one(beside, home).state == "sealed"
    assert states(tmp_path / ".", home)["song.mid"] == "sealed"
    path.write_bytes(b"MThd musiC")
    assert one(path, home).state == "altered"
    beside.write_bytes(b"{}")
    assert one(path, home).state == "broken"
    path.rename(tmp_path / "elsewhere.mid")
    assert one(tmp_path / "elsewhere.mid", home).state == "unknown"
    assert "not beside it" in one(beside, home).says


def test_sidecar_in_a_sealed_folder_belongs_to_its_file(folder, home, claim):
    (folder / "more.csv").write_bytes(b"a")
    (folder / "more.csv.ilk.json").write_bytes(seal_file(b"a", None, claim, home).sidecar)
    whole, *files = verify([folder], home)
    assert whole.problems == ("added: more.csv",)
    (more,) = (v for v in files if "more" in v.file)
    assert more.state == "sealed"
    assert "added" in more.says


def test_untouched_folder_is_sealed_in_its_manifest(folder, home, claim):
    verdicts = verify([folder], home)
    assert [v.state for v in verdicts] == ["sealed-in-manifest"] * 6
    assert all_trusted(verdicts)
    assert one(folder / "3.png", home).seal.claims == claim.at(3).fields()
    assert one(folder / manifest.NAME, home).state == "sealed-in-manifest"


def test_added_missing_and_changed_files_are_named(folder, home):
    (folder / "0.png").unlink()
    (folder / "1.png").write_bytes(b"other")
    (folder / "sub").mkdir()
    (folder / "sub" / "new.png").write_bytes(b"new")
    whole, *files = verify([folder], home)
    assert whole.state == "altered"
    assert set(whole.problems) == {"missing: 0.png", "changed: 1.png", "added: sub/new.png"}
    found = {v.file.removeprefix(f"{folder}/"): v for v in files}
    assert found["0.png"].state == "altered"
    assert "missing" in found["0.png"].problems[0]
    assert found["1.png"].state == "altered"
    assert found["sub/new.png"].state == "unknown"
    assert "added" in found["sub/new.png"].problems[0]
    assert found["2.png"].state == "sealed-in-manifest"
    assert one(folder / manifest.NAME, home).problems == whole.problems
    assert not all_trusted([whole])


def test_file_in_a_subfolder_is_found_in_the_manifest_above(tmp_path, home, claim):
    (tmp_path / "out" / "cats").mkdir(parents=True)
    with folder_seal(tmp_path / "out", home, claim, 5000) as seal:
        (tmp_path / "out" / "cats" / "a.csv").write_bytes(b"a")
        seal.wrote("cats/a.csv", b"a", 0)
    (tmp_path / "out" / "cats" / "b.csv").write_bytes(b"b")
    assert one(tmp_path / "out" / "cats" / "a.csv", home).state == "sealed-in-manifest"
    assert one(tmp_path / "out" / "cats" / "b.csv", home).state == "unknown"


def test_renamed_and_swapped_files_are_found(folder, home):
    (folder / "0.png").rename(folder / "x.png")
    (folder / "1.png").rename(folder / "0.png")
    found = states(folder, home)
    assert found["0.png"] == found["1.png"] == "altered"
    assert found["x.png"] == "unknown"


def test_any_changed_byte_of_any_file_in_a_folder_is_found(folder, home):
    paths = sorted(folder.iterdir())
    whole = {path: path.read_bytes() for path in paths}

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data(), st.sampled_from(paths), st.integers(1, 255))
    def found(data, path, by):
        changed = bytearray(whole[path])
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= by
        path.write_bytes(changed)
        try:
            verdicts = verify([folder], home)
        finally:
            path.write_bytes(whole[path])
        assert not all_trusted(verdicts)
        assert verdicts[0].state in ("altered", "broken")

    found()


def test_seal_inside_does_not_hold_against_the_manifest(tmp_path, home, claim, tiny):
    with folder_seal(tmp_path, home, claim, 2) as seal:
        first, second = (seal.file(tiny["image/png"], "image/png", i) for i in range(2))
        (tmp_path / "0.png").write_bytes(first)
        seal.wrote("0.png", first, 0)
    assert one(tmp_path / "0.png", home).state == "sealed"
    (tmp_path / "0.png").write_bytes(second)  # a good seal, of another sample
    verdict = one(tmp_path / "0.png", home)
    assert verdict.state == "altered"
    assert "ilk-seal.json" in verdict.says


def test_manifest_of_a_stranger_does_not_clean_an_altered_file(sealed, home, claim, tmp_path):
    data = bytearray(sealed.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 1
    sealed.write_bytes(data)
    with folder_seal(tmp_path, tmp_path / "other", claim, 1) as seal:
        seal.wrote("one.png", bytes(data), 0)
    assert one(sealed, home).state == "altered"


def test_broken_manifest_breaks_what_only_it_seals(folder, home):
    path = folder / manifest.NAME
    path.write_bytes(path.read_bytes()[:-10])
    assert set(states(folder, home).values()) == {"broken"}


def test_folder_without_a_manifest_is_its_files(tmp_path, home, claim, tiny):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_bytes(seal_file(tiny["image/png"], "image/png", claim, home).data)
    (out / "b.png").write_bytes(tiny["image/png"])
    assert states(out, home) == {"a.png": "sealed", "b.png": "unknown"}


def test_empty_missing_odd_and_misnamed_files_get_a_state(tmp_path, home, claim, tiny):
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "wrong.txt").write_bytes(seal_file(tiny["image/png"], "image/png", claim, home).data)
    for name in ("empty.png", "fifo.png", "loop.png", "missing.png", "nul\0.png", "x" * 300):
        verdict = one(tmp_path / name, home)
        assert verdict.state == "unknown", name
        assert verdict.problems
        assert "cannot tell" in verdict.says
    assert one(tmp_path / "wrong.txt", home).state == "sealed"


def test_truncated_files_get_a_state(tmp_path, home, claim, tiny, media_type):
    whole = seal_file(tiny[media_type], media_type, claim, home).data
    path = tmp_path / "cut"
    for end in range(1, len(whole), 313):
        path.write_bytes(whole[:end])
        assert one(path, home).state in ("broken", "altered", "container-altered", "unknown")


def test_too_large_a_file_is_still_found_in_its_manifest(folder, home, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 10)
    monkeypatch.setattr(module._read, "__defaults__", (10,))
    verdict = one(folder / "0.png", home)
    assert verdict.state == "sealed-in-manifest"
    assert "too large" in verdict.says


def test_hostile_strings_are_cleaned(tmp_path, home):
    evil = "\x1b[31m\u202eevil\x00\n" + "x" * 5000
    claim = Claim(ilk=evil, kind=evil, model=evil, call=evil, time=evil, source_type=evil)
    identity = keys.make("ev\u202eil")
    path = tmp_path / "evil\x1b[31m.csv"
    path.write_bytes(b"a")
    path.with_name(path.name + sidecar.SUFFIX).write_bytes(
        sidecar.make(hashlib.sha256(b"a").hexdigest(), claim, identity)
    )
    verdict = one(path, home)
    assert verdict.state == "sealed-by-stranger"
    for text in (verdict.says, *verdict.seal.claims.values(), verdict.seal.signer, verdict.file):
        assert not set(text) & set("\x1b\u202e\x00\n")
    assert len(verdict.says) < 1000
    assert verdict.synthetic == "unknown"


def test_claims_of_wrong_types_are_dropped(tmp_path, home, someone):
    class Odd:
        def fields(self):
            return {"model": 7, "seed": "x", "index": True, "kind": ["a"], "more": {}, "time": None}

    path = tmp_path / "a.csv"
    path.write_bytes(b"a")
    path.with_name("a.csv" + sidecar.SUFFIX).write_bytes(sidecar.make(hashlib.sha256(b"a").hexdigest(), Odd(), someone))
    verdict = one(path, home)
    assert verdict.state == "sealed-by-stranger"
    assert verdict.seal.claims == {}
    assert verdict.says


@given(st.text(max_size=400), st.integers(1, 50))
def test_clean_text_is_short_and_printable(text, limit):
    assert len(clean(text, limit)) <= limit + 1
    assert not any(unicodedata.category(c)[0] == "C" for c in clean(text, limit))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"\xff\xd8\xff", b"\0\0\0\x18ftyp"]),
)
def test_random_bytes_never_raise_and_are_never_sealed(tmp_path, home, data, head):
    path = tmp_path / "random"
    path.write_bytes(head + data)
    assert one(path, home).state in ("unknown", "broken")


def test_every_state_has_a_sentence_and_none_says_real():
    assert set(_SENTENCES) == set(State.__args__)
    for state in State.__args__:
        says = Verdict("f", state, "unknown").says
        assert says
        assert "is real" not in says.replace("whether it is real", "")


def test_no_verdicts_are_not_all_trusted():
    assert not all_trusted([])


def test_verifying_writes_nothing(sealed, folder, home):
    before = sorted((p, p.stat().st_mtime_ns) for p in home.parent.rglob("*"))
    verify([sealed, folder], home, content_hash=lambda path, data: "x")
    assert sorted((p, p.stat().st_mtime_ns) for p in home.parent.rglob("*")) == before


def created(source):
    action = {"action": "c2pa.created", "digitalSourceType": source}
    return {"label": "c2pa.actions.v2", "data": {"actions": [action]}}


def by_another_program(data, identity, assertions):
    info = library.C2paSignerInfo(b"es256", identity.chain_pem(), identity.key_pem(), None)
    context = library.Context.from_dict({"version": 1, "builder": {"thumbnail": {"enabled": False}}})
    out = io.BytesIO()
    definition = {"claim_generator_info": [{"name": "camera", "version": "1"}], "assertions": assertions}
    with library.Builder(json.dumps(definition), context) as builder:
        builder.sign(library.Signer.from_info(info), "image/png", io.BytesIO(data), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("source", "synthetic"),
    [(TRAINED.replace("trainedAlgorithmicMedia", "digitalCapture"), "unknown"), (TRAINED, "likely")],
)
def test_seal_of_another_program_is_a_strangers(tmp_path, home, tiny, someone, source, synthetic):
    path = tmp_path / "one.png"
    path.write_bytes(by_another_program(tiny["image/png"], someone, [created(source)]))
    verdict = one(path, home)
    assert (verdict.state, verdict.synthetic) == ("sealed-by-stranger", synthetic)
    assert verdict.seal.key == someone.fingerprint
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 1
    path.write_bytes(data)
    assert one(path, home).state == "altered"


def test_seal_of_another_program_is_never_trusted_even_with_ones_own_key(tmp_path, home, tiny):
    path = tmp_path / "one.png"
    path.write_bytes(by_another_program(tiny["image/png"], keys.identity(home), [created(TRAINED)]))
    verdict = one(path, home)
    assert verdict.state == "container-altered"
    assert "not sealed by ilk" in verdict.says
