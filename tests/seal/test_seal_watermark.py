"""The watermark: found after what happens to pictures, not found where it is not, and honest about chance."""

from __future__ import annotations

import io
import stat
import zipfile

import numpy as np
import pytest
from PIL import Image

from ilk.seal import keys, trust, watermark
from ilk.seal.verify import verify
from ilk.seal.watermark import can_carry, choose, detect, embed, p_values


def key_set(number, count=8):
    rng = np.random.default_rng(number)
    return [rng.bytes(32) for _ in range(count)]


KEYS, OTHERS = key_set(1, 64), key_set(2, 64)


def synthetic(side=256, seed=0, channels=3):
    """Soft shapes with an edge and some grain: as busy as what a small model makes."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(side, side, channels)), axes=(0, 1))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]) + 1 / side
    soft = np.fft.irfft2(spectrum / frequency[..., None] ** 1.5, s=(side, side), axes=(0, 1))
    y, x = np.mgrid[:side, :side] / side
    disc = ((x - 0.5) ** 2 + (y - 0.4) ** 2 < 0.08)[..., None] * 60
    return np.clip(100 + 35 * soft / soft.std() + disc + rng.normal(0, 2, soft.shape), 0, 255).astype(np.uint8)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


def jpeg(pixels, quality=70):
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, "JPEG", quality=quality)
    back = np.asarray(Image.open(buffer))
    return back if back.ndim == 3 else back[..., None]


def resized(pixels, factor):
    side = round(pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def cut(pixels, y=31, x=45):
    side = int(0.7 * pixels.shape[0])
    return pixels[y : y + side, x : x + side]


CHANGES = {
    "nothing": lambda pixels: pixels,
    "JPEG 70": jpeg,
    "cut to 0.7": cut,
    "cut, JPEG 70": lambda pixels: jpeg(cut(pixels)),
    "x 0.6": lambda pixels: resized(pixels, 0.6),
    "x 1.27": lambda pixels: resized(pixels, 1.27),
}


@pytest.mark.parametrize("change", CHANGES)
def test_found_after(change):
    for number in range(4):
        found = detect(CHANGES[change](embed(synthetic(seed=number), KEYS[number])), KEYS)
        assert found.p < watermark.FOUND
        assert (found.tested, found.keys) == (True, 64)


@pytest.mark.parametrize("change", CHANGES)
def test_not_found_under_another_key(change):
    for number in range(4):
        assert detect(CHANGES[change](embed(synthetic(seed=number), KEYS[number])), OTHERS).p > watermark.FOUND


def test_found_in_grey_and_in_128_pixels():
    grey = synthetic(128, channels=1)
    assert detect(jpeg(embed(grey, KEYS[0]), 80), KEYS).p < watermark.FOUND


@pytest.mark.parametrize("seed", range(5))
def test_it_can_hardly_be_seen(seed):
    plain = synthetic(seed=seed)
    assert psnr(plain, embed(plain, KEYS[seed])) >= 40.9


def test_flat_and_saturated_pictures_are_marked_softly_and_searched_without_warning():
    for level in (0, 1, 128, 255):
        flat = np.full((256, 200, 3), level, np.uint8)
        assert detect(flat, KEYS).p == 1
        marked = embed(flat, KEYS[0])
        assert psnr(flat, marked) >= 40.9
        assert detect(marked, KEYS).p < watermark.FOUND
    stripes = np.tile(np.repeat(np.array([0, 255], np.uint8), 4), (256, 32))[..., None]
    assert detect(stripes, KEYS).p > watermark.FOUND


def test_the_same_key_gives_the_same_pixels_and_another_key_others():
    plain = synthetic()
    assert np.array_equal(embed(plain, KEYS[0]), embed(plain, KEYS[0]))
    assert not np.array_equal(embed(plain, KEYS[0]), embed(plain, KEYS[1]))
    assert np.array_equal(plain, synthetic()), "embed leaves its argument alone"


def test_small_pictures_are_left_as_they_are_and_said_to_be_too_small():
    small = synthetic(127)
    assert not can_carry(small)
    assert embed(small, KEYS[0]) is small
    assert can_carry(synthetic(128))
    assert not detect(synthetic(40), KEYS).tested
    assert not detect(synthetic(), []).tested


def test_the_key_depends_on_seed_and_index_and_all_are_used():
    assert choose(KEYS, 7, 3) == choose(KEYS, 7, 3)
    assert {choose(KEYS, 7, index) for index in range(1000)} == set(KEYS)
    assert choose(KEYS, 8, 3) != choose(KEYS, 7, 3)


def test_false_alarms_are_as_rare_as_p_says_without_any_picture_being_marked():
    p = p_values(synthetic(128), key_set(100, 1000))
    assert 0.06 < np.mean(p < 0.1) < 0.12, "neither rash nor timid"
    assert np.mean(p < 0.01) < 0.02


def test_p_pays_for_the_number_of_keys():
    p = np.array([detect(synthetic(128), key_set(200 + number, 16)).p for number in range(100)])
    assert np.mean(p < 0.1) < 0.2
    assert np.median(p) > 0.3


@pytest.mark.shared
def test_false_alarms_on_real_pictures_plain_or_with_somebody_elses_mark(shared):
    p = []
    with zipfile.ZipFile(shared / "photos" / "test.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        for number, name in enumerate(names):
            pixels = np.asarray(Image.open(archive.open(name)).convert("RGB"))
            pixels = embed(pixels, OTHERS[number % 64]) if number % 2 else pixels
            p.append(p_values(pixels, KEYS))
    found = np.concatenate(p)
    assert len(found) == 372 * 64
    assert 0.07 < np.mean(found < 0.1) < 0.11
    assert np.mean(found < 0.01) < 0.012
    assert np.mean(found < 0.001) < 0.002


# Keys.


def test_an_identity_has_64_keys_that_only_its_private_key_gives():
    mine, other = keys.make(), keys.make()
    assert len(set(mine.watermark_keys())) == 64
    assert mine.watermark_keys() == mine.watermark_keys()
    assert not set(mine.watermark_keys()) & set(other.watermark_keys())


def test_reading_the_keys_makes_none(home):
    assert keys.watermark_keys(home) == {}
    assert not home.exists()


def test_marks_from_before_a_rotation_are_still_found(home):
    old = keys.identity(home)
    new = trust.rotate(home)
    assert keys.watermark_keys(home) == {
        old.fingerprint: old.watermark_keys(),
        new.fingerprint: new.watermark_keys(),
    }
    (kept,) = (home / "keys").glob("*.watermark")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


# verify.


@pytest.fixture
def stripped(tmp_path, home):
    """A marked picture without a seal, and the callback that reads its pixels."""
    marked = embed(synthetic(), choose(keys.identity(home).watermark_keys(), 7, 0))
    path = tmp_path / "found.jpg"
    Image.fromarray(marked).save(path, quality=70)
    return path


def pixels_of(path, data):
    return np.asarray(Image.open(io.BytesIO(data)))


def one(path, home, **more):
    (verdict,) = verify([path], home, carrier=pixels_of, **more)
    return verdict


def test_verify_finds_the_owners_mark(stripped, home):
    verdict = one(stripped, home)
    assert (verdict.state, verdict.synthetic, verdict.trusted) == ("unsealed-watermarked", "likely", False)
    assert verdict.watermark.keys == 64
    assert "carries your watermark" in verdict.says


def test_only_the_owner_finds_it(stripped, home, tmp_path):
    keys.identity(tmp_path / "other")
    verdict = one(stripped, tmp_path / "other")
    assert verdict.state == "unknown"
    assert verdict.watermark.tested
    verdict = one(stripped, tmp_path / "nobody")
    assert (verdict.state, verdict.watermark.tested, verdict.watermark.keys) == ("unknown", False, 0)


def test_a_revoked_keys_mark_says_nothing(stripped, home):
    trust.revoke(home, keys.identity(home).fingerprint, "stolen")
    assert one(stripped, home).state == "unknown"


def test_the_ledger_outranks_the_watermark(stripped, home, claim):
    from ilk.seal.ledger import Ledger

    with Ledger(home) as ledger:
        ledger.model(claim.model, "m", "", "image")
        ledger.call(claim.call, claim.model, 7, {})
        ledger.content("it", claim.call, 0)
    assert one(stripped, home, content_hash=lambda path, data: "it").state == "unsealed-known"


def test_small_pictures_are_told_why_and_others_are_not(tmp_path, home):
    keys.identity(home)
    small = tmp_path / "small.png"
    Image.fromarray(synthetic(100)).save(small)
    assert one(small, home).problems == ("too small to carry a watermark",)
    (verdict,) = verify([small], home, carrier=lambda path, data: None)
    assert (verdict.problems, verdict.watermark) == ((), None)


def test_a_carrier_that_fails_is_no_answer(stripped, home):
    def fails(path, data):
        raise OSError

    (verdict,) = verify([stripped], home, carrier=fails)
    assert verdict.state == "unknown"
