"""Keys: made once, private, and a name is only a claim."""

import datetime
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import ilk
from ilk.core.errors import Code, InputError, MachineError
from ilk.seal import keys, trust
from ilk.seal.claim import short


def test_first_use_makes_a_private_key_and_later_use_keeps_it(home):
    old = os.umask(0)
    try:
        first = keys.identity(home)
    finally:
        os.umask(old)
    path = home / "keys" / "identity.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert keys.identity(home).fingerprint == first.fingerprint
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".pem"] == ["identity.pem"]


def test_root_key_is_kept_nowhere(home):
    keys.identity(home)
    assert (home / "keys" / "identity.pem").read_bytes().count(b"PRIVATE KEY") == 2  # begin and end of one


def test_identity_does_not_show_its_key(someone):
    assert "key" not in repr(someone)


def test_processes_that_make_the_key_at_once_get_the_same(home):
    code = "import sys, pathlib; from ilk.seal import keys; print(keys.identity(pathlib.Path(sys.argv[1])).fingerprint)"
    env = {**os.environ, "PYTHONPATH": str(Path(ilk.__file__).parents[1])}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, env=env) for _ in range(4)
    ]
    prints = {process.communicate(timeout=60)[0] for process in started}
    assert prints == {keys.identity(home).fingerprint.encode() + b"\n"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_key_that_others_can_read_is_refused(home, mode):
    keys.identity(home)
    (home / "keys" / "identity.pem").chmod(mode)
    with pytest.raises(MachineError, match="readable by others; run chmod 600") as raised:
        keys.identity(home)
    assert raised.value.code == Code.HOME


def test_home_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="ILK_HOME") as raised:
        keys.identity(tmp_path / "file" / "home")
    assert raised.value.code == Code.HOME


def test_read_only_home_is_one_sentence(home, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    (home / "keys").mkdir(parents=True)
    monkeypatch.setattr(keys.tempfile, "mkstemp", refuse)
    with pytest.raises(MachineError, match=r"Read-only file system.*ILK_HOME"):
        keys.identity(home)
    monkeypatch.setattr(keys, "FileLock", refuse)
    with pytest.raises(MachineError, match=r"Read-only file system.*ILK_HOME"):
        keys.identity(home)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_damaged_key_file_is_refused(home, content):
    keys.identity(home)
    (home / "keys" / "identity.pem").write_bytes(content)
    with pytest.raises(InputError) as raised:
        keys.identity(home)
    assert raised.value.code == Code.KEY


def test_key_with_another_keys_certificate_is_refused(home, someone):
    keys.identity(home)
    (home / "keys" / "identity.pem").write_bytes(keys.make().key_pem() + someone.chain_pem())
    with pytest.raises(InputError, match="another key's"):
        keys.identity(home)


def test_ilk_key_names_the_key_of_a_server(home, tmp_path, someone, monkeypatch):
    path = tmp_path / "server.pem"
    monkeypatch.setenv("ILK_KEY", str(path))
    with pytest.raises(InputError, match="does not exist"):
        keys.identity(home)
    path.write_bytes(someone.key_pem() + someone.chain_pem())
    path.chmod(0o600)
    assert keys.identity(home).fingerprint == someone.fingerprint
    assert not home.exists()
    with pytest.raises(InputError, match="ILK_KEY"):
        trust.rotate(home)


def test_certificate_holds_for_ten_years(someone):
    certificate = someone.certificate
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.valid_at(now)
    assert certificate.valid_at(now + datetime.timedelta(days=3649))
    assert not certificate.valid_at(now + datetime.timedelta(days=3700))


def test_key_that_ran_out_does_not_seal(home):
    (home / "keys").mkdir(parents=True)
    keys.store(home, keys.make(today=datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=4000)))
    with pytest.raises(InputError, match="ilk keys rotate"):
        trust.signing_identity(home)
    trust.rotate(home)
    trust.signing_identity(home)


def test_exported_key_can_be_trusted_and_named(home, tmp_path):
    other = tmp_path / "other"
    file = tmp_path / "key.json"
    file.write_bytes(trust.export(other, "Ada"))
    assert trust.trust(home, file).name == "Ada"
    assert trust.trust(home, file, "my friend").name == "my friend"
    (known,) = trust.show(home).trusted
    assert (known.fingerprint, known.name) == (keys.identity(other).fingerprint, "my friend")
    assert b"PRIVATE" not in file.read_bytes()


def test_every_byte_of_an_exported_key_counts(home, tmp_path):
    whole = trust.export(tmp_path / "other", "Ada")
    file = tmp_path / "key.json"
    for at in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[at] ^= 1
        file.write_bytes(changed)
        with pytest.raises(InputError) as raised:
            trust.trust(home, file)
        assert raised.value.code == Code.KEY
    assert trust.show(home).trusted == ()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"body":{}}', bytes(70_000)])
def test_what_is_no_exported_key_is_refused_in_a_sentence(home, tmp_path, content):
    file = tmp_path / "key.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as raised:
        trust.trust(home, file)
    assert raised.value.code == Code.KEY
    with pytest.raises(InputError):
        trust.trust(home, tmp_path)


def test_damaged_trust_is_no_trust_and_damaged_revocation_still_revokes(home, tmp_path):
    file = tmp_path / "key.json"
    file.write_bytes(trust.export(tmp_path / "other"))
    known = trust.trust(home, file)
    trust.revoke(home, known.fingerprint[:12], "lost")
    for path in (home / "trust").rglob("*.json"):
        path.write_bytes(b"{")
    ring = trust.Keyring(home)
    assert not ring.trusted
    assert known.fingerprint in ring.revoked


def test_revoking_wants_a_key_that_is_known(home):
    mine = keys.identity(home).fingerprint
    for wrong in ("", mine[:7], "zz" * 8, "0" * 16):
        with pytest.raises(InputError) as raised:
            trust.revoke(home, wrong, "why")
        assert raised.value.code == Code.KEY
    assert trust.revoke(home, short(mine), "laptop\x1b stolen").reason == "laptop stolen"
    assert trust.show(home).revoked[0].fingerprint == mine
    with pytest.raises(InputError, match="ilk keys rotate"):
        trust.signing_identity(home)


def test_rotation_keeps_the_old_key_as_ones_own(home):
    old = keys.identity(home)
    new = trust.rotate(home)
    ring = trust.Keyring(home)
    assert old.fingerprint != new.fingerprint == keys.identity(home).fingerprint
    assert ring.signer(new.certificate) == "you"
    assert ring.signer(old.certificate) == "you, earlier key"


def test_showing_makes_no_key(home):
    info = trust.show(home)
    assert info.fingerprint is None
    assert not home.exists()


def test_importing_the_room_loads_nothing_heavy():
    code = "import sys, ilk.seal; bad = {'c2pa', 'cryptography', 'torch'} & set(sys.modules); assert not bad"
    env = {**os.environ, "PYTHONPATH": str(Path(ilk.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
