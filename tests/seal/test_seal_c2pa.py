"""Seals inside files: the official reader accepts them, and no changed byte escapes ours."""

import io
import json

import c2pa as library
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ilk.seal import c2pa, containers, keys
from ilk.seal.claim import COMPOSITE, Claim


def flipped(data, at, by):
    changed = bytearray(data)
    changed[at] ^= by
    return bytes(changed)


def official(data, media_type, anchors=None):
    trust = {"trust": {"user_anchors": anchors}} if anchors else {}
    context = library.Context.from_dict({"version": 1, **trust, "verify": {"verify_trust": True, "ocsp_fetch": False}})
    with library.Reader(media_type, io.BytesIO(data), context=context) as reader:
        return json.loads(reader.json())


def test_official_reader_trusts_our_seal_once_it_knows_our_root(tiny, media_type, claim, someone):
    sealed = c2pa.embed(tiny[media_type], media_type, claim, someone)
    root = someone.chain_pem().decode().split("-----END CERTIFICATE-----\n")[1] + "-----END CERTIFICATE-----\n"
    assert official(sealed, media_type)["validation_state"] == "Valid"
    assert official(sealed, media_type, root)["validation_state"] == "Trusted"


def test_official_reader_sees_a_created_action_with_the_source_type(tiny, claim, someone):
    sealed = c2pa.embed(tiny["image/png"], "image/png", claim, someone)
    report = official(sealed, "image/png")
    manifest = report["manifests"][report["active_manifest"]]
    (action,) = next(a for a in manifest["assertions"] if a["label"] == "c2pa.actions.v2")["data"]["actions"]
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert manifest["claim_generator_info"][0]["name"] == "ilk"


def test_claim_comes_back_with_the_key_that_signed(tiny, media_type, claim, someone):
    reading = c2pa.read(c2pa.embed(tiny[media_type], media_type, claim, someone), media_type)
    assert reading.state == "holds"
    assert reading.certificate.fingerprint == someone.fingerprint
    assert reading.claim == claim.fields()


def test_claim_may_leave_out_what_it_does_not_know(tiny, someone):
    claim = Claim(ilk="0.1.0", kind="image", model="ab", source_type=COMPOSITE)
    reading = c2pa.read(c2pa.embed(tiny["image/png"], "image/png", claim, someone), "image/png")
    assert reading.claim == claim.fields()
    assert "seed" not in reading.claim


def test_picture_still_opens_and_is_the_same(tiny, claim, someone):
    for media_type in ("image/png", "image/jpeg", "image/webp", "image/gif", "image/tiff"):
        sealed = c2pa.embed(tiny[media_type], media_type, claim, someone)
        before, after = (Image.open(io.BytesIO(data)).convert("RGB") for data in (tiny[media_type], sealed))
        assert before.tobytes() == after.tobytes()


def test_seal_adds_no_more_than_four_kilobytes(tiny, media_type, claim, someone):
    assert len(c2pa.embed(tiny[media_type], media_type, claim, someone)) - len(tiny[media_type]) < 4000


def test_nothing_private_is_in_the_seal(tiny, claim, home):
    sealed = c2pa.embed(tiny["image/png"], "image/png", claim, keys.identity(home))
    assert str(home).encode() not in sealed
    assert b"PRIVATE" not in sealed


def test_every_byte_of_a_sealed_png_counts(tiny, claim, someone):
    sealed = c2pa.embed(tiny["image/png"], "image/png", claim, someone)
    for at in range(len(sealed)):
        reading = c2pa.read(flipped(sealed, at, 0x01 if at % 2 else 0xFF), "image/png")
        assert reading is not None
        assert reading.state != "holds", at


def test_one_changed_byte_is_seen_in_any_format(tiny, claim, someone):
    sealed = {kind: c2pa.embed(data, kind, claim, someone) for kind, data in tiny.items()}

    @settings(max_examples=400, deadline=None)
    @given(st.data(), st.sampled_from(sorted(sealed)), st.integers(1, 255))
    def seen(data, kind, by):
        at = data.draw(st.integers(0, len(sealed[kind]) - 1))
        reading = c2pa.read(flipped(sealed[kind], at, by), kind)
        assert reading is None or reading.state != "holds"

    seen()


def test_inserted_deleted_and_appended_bytes_are_seen(tiny, claim, someone):
    sealed = {kind: c2pa.embed(data, kind, claim, someone) for kind, data in tiny.items()}

    @settings(max_examples=300, deadline=None)
    @given(st.data(), st.sampled_from(sorted(sealed)), st.binary(max_size=8), st.integers(0, 8))
    def seen(data, kind, new, gone):
        whole = sealed[kind]
        at = data.draw(st.integers(0, len(whole)))
        changed = whole[:at] + new + whole[at + gone :]
        reading = c2pa.read(changed, kind)
        assert changed == whole or reading is None or reading.state != "holds"

    seen()


def test_changed_padding_is_a_changed_container_though_the_library_trusts_it(tiny, claim, someone):
    sealed = c2pa.embed(tiny["image/webp"], "image/webp", claim, someone)
    at = sealed.index(bytes(500)) + 250
    assert official(flipped(sealed, at, 1), "image/webp")["validation_state"] == "Valid"
    reading = c2pa.read(flipped(sealed, at, 1), "image/webp")
    assert reading.state == "container-altered"
    assert reading.claim == claim.fields()


def test_ftyp_of_a_video_is_covered_though_c2pa_leaves_it_out(tiny, claim, someone):
    sealed = c2pa.embed(tiny["video/mp4"], "video/mp4", claim, someone)
    changed = sealed.replace(b"isommp41", b"isommp42")
    assert official(changed, "video/mp4")["validation_state"] == "Valid"
    assert c2pa.read(changed, "video/mp4").state == "altered"


def test_seal_moved_to_another_file_is_altered(claim, someone):
    def png(colour):
        out = io.BytesIO()
        Image.new("RGB", (4, 4), colour).save(out, "PNG")
        return out.getvalue()

    sealed = c2pa.embed(png("red"), "image/png", claim, someone)
    start = sealed.index(b"caBX") - 4
    end = sealed.index(b"IDAT") - 4
    moved = png("blue")[:33] + sealed[start:end] + png("blue")[33:]
    assert c2pa.read(moved, "image/png").state == "altered"


def test_resealed_file_holds_and_has_the_new_claim(tiny, claim, someone):
    once = c2pa.embed(tiny["image/png"], "image/png", claim, someone)
    other = Claim(ilk="0.1.0", kind="image", model="cd")
    reading = c2pa.read(c2pa.embed(once, "image/png", other, someone), "image/png")
    assert (reading.state, reading.claim) == ("holds", other.fields())


def test_cut_files_are_broken_or_unsealed_and_never_raise(tiny, media_type, claim, someone):
    sealed = c2pa.embed(tiny[media_type], media_type, claim, someone)
    for end in range(0, len(sealed), 61):
        reading = c2pa.read(sealed[:end], media_type)
        assert reading is None or reading.state in ("broken", "altered", "container-altered")


@pytest.mark.parametrize(
    "junk", [b"", b"jumdc2pa\x00\x11\x00\x10", b"\x00\x00\x00\x20jumb" + b"jumdc2pa\x00\x11\x00\x10" * 9]
)
def test_marks_without_a_seal_are_broken_and_never_raise(tiny, media_type, junk):
    reading = c2pa.read(tiny[media_type] + junk, media_type)
    assert reading is None or reading.state == "broken"
    assert (reading is None) == (junk == b"")


def test_first_bytes_say_what_a_file_is(tiny, media_type):
    assert containers.sniff(tiny[media_type][:32]) == media_type
    assert containers.sniff(b"") is None
    assert containers.sniff(b"MThd\x00\x00\x00\x06") is None
