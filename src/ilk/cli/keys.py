"""``ilk keys``: the signing key of this user, and whose seals count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from ilk.cli.output import emit, emit_json, table
from ilk.core.errors import Code, InputError
from ilk.core.home import ilk_home, write_atomic
from ilk.seal import trust as ring

keys_app = App(name="keys", help="Your signing key, and the keys you trust.")
Json = Annotated[bool, Parameter(negative="")]


@keys_app.command
def show(*, json: Json = False) -> int:
    """Show your key, trusted keys and revoked keys.

    **Example:** `ilk keys show`

    Args:
        json: Print one JSON object.
    """
    info = ring.show(ilk_home())
    if json:
        emit_json(info)
        return 0
    if info.fingerprint is None:
        emit("You have no key yet; the first seal makes one.")
    else:
        emit(f"your key: {info.short} (claims to be {info.name}; {info.created} to {info.expires})")
        emit(f"fingerprint: {info.fingerprint}")
    for key in info.trusted:
        emit(f"trusted: {key.fingerprint[:16]} {key.name} (since {key.added})")
    for gone in info.revoked:
        emit(f"revoked: {gone.fingerprint[:16]} {gone.reason} ({gone.date})")
    return 0


@keys_app.command
def trust(file: Path, /, *, name: str | None = None, json: Json = False) -> int:
    """Trust a key that someone exported: verify then accepts its seals.

    **Example:** `ilk keys trust anna.json --name Anna`

    Args:
        file: The exported key.
        name: Your own word for it; what its owner claims by default.
        json: Print one JSON object.
    """
    added = ring.trust(ilk_home(), file, name)
    if json:
        emit_json(added)
    else:
        emit(f"trusted: {added.fingerprint[:16]} {added.name}")
        emit("compare the fingerprint with its owner by another way: " + added.fingerprint)
    return 0


@keys_app.command
def export(
    *, output: Annotated[Path, Parameter(name=["-o", "--output"])], name: str | None = None, json: Json = False
) -> int:
    """Write the public half of your key, for others to trust.

    **Example:** `ilk keys export -o mine.json --name "Anna"`

    Args:
        output: The file to write.
        name: What you claim to be called.
        json: Print one JSON object.
    """
    if output.exists():
        raise InputError(Code.EXISTS, f"{output} exists and is not overwritten; choose another name.")
    data = ring.export(ilk_home(), name)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(output, data)
    except OSError as error:
        raise InputError(Code.OUTPUT, f"{output} cannot be written ({error.strerror}).") from None
    fingerprint = ring.show(ilk_home()).fingerprint
    if json:
        emit_json({"file": str(output), "fingerprint": fingerprint})
    else:
        emit(f"{output}: your public key, fingerprint {fingerprint}")
    return 0


@keys_app.command
def rotate(*, name: str | None = None, json: Json = False) -> int:
    """Make a new key; what the old one sealed stays yours.

    **Example:** `ilk keys rotate`

    Args:
        name: What the new key claims to be called.
        json: Print one JSON object.
    """
    ring.rotate(ilk_home(), name)
    info = ring.show(ilk_home())
    if json:
        emit_json(info)
    else:
        emit(table([("new key", str(info.short)), ("earlier keys", str(sum(key.own for key in info.trusted)))]))
    return 0


@keys_app.command
def revoke(fingerprint: str, /, *, reason: str, json: Json = False) -> int:
    """Declare that the seals of a key no longer count.

    **Example:** `ilk keys revoke 3f2a9c0177de4b10 --reason "laptop stolen"`

    Args:
        fingerprint: The key's fingerprint, or its first 8 digits or more.
        reason: Why, in a line; verify shows it.
        json: Print one JSON object.
    """
    gone = ring.revoke(ilk_home(), fingerprint, reason)
    if json:
        emit_json(msgspec.to_builtins(gone))
    else:
        emit(f"revoked: {gone.fingerprint[:16]} ({gone.reason})")
    return 0
