"""What ``verify`` says about one file: a state, what supports it, and one plain sentence.

The states and their meaning are in ``State`` and in the table of sentences at the end. A missing
seal never means that something is real, and no sentence says so. How a verdict is reached:
``verify.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from ilk.seal.claim import SYNTHETIC, TRAINED, short

State = Literal[
    "sealed",  # the signature holds, the file is unchanged, the key is yours or trusted
    "sealed-in-manifest",  # the same, by the signed list of the folder
    "sealed-by-stranger",  # it holds, but nobody told you to trust the key
    "revoked",  # it holds, but the key was revoked
    "expired",  # it holds, but the key's certificate has run out
    "altered",  # the content is not what was sealed (or a folder's files are not)
    "container-altered",  # the content is what was sealed, bytes around it are not
    "broken",  # there is a seal, and it cannot be read or its signature does not hold
    "unsealed-watermarked",  # no seal, but the user's watermark is in it
    "unsealed-known",  # no seal, but this machine's ledger knows the content
    "unsealed-likely-generated",  # no seal, but a critic takes it for generated
    "unknown",  # no seal: cannot tell
]
TRUSTED = ("sealed", "sealed-in-manifest")


class Seal(msgspec.Struct, frozen=True):
    """The seal that a verdict rests on."""

    format: Literal["c2pa", "sidecar", "manifest"]
    key: str | None  # fingerprint
    claims: dict[str, Any]
    time_claimed: str | None
    signer: str | None  # "you", "trusted NAME", "claims to be NAME"


class Watermark(msgspec.Struct, frozen=True):
    """What the search for a watermark of one's own found."""

    p: float  # how likely a picture without any of the marks looked for scores so high
    keys: int  # that were tried; p pays for all of them
    tested: bool  # whether there were keys, and pixels enough


class LedgerView(msgspec.Struct, frozen=True):
    """What this machine remembers about a content."""

    call: str
    index: int | None
    model: str
    name: str | None
    time: str


class CriticView(msgspec.Struct, frozen=True):
    """What a critic thinks. Without its false-alarm rate a probability says nothing."""

    probability: float  # that it was generated
    false_alarm_rate: float  # share of real files that get this probability or more
    calibrated_on: str  # the files on which the rates were measured
    miss_rate: float = 1.0  # share of generated files that get less
    model: str = ""  # whose critic it is: it knows that model's samples, and what is like them


class Verdict(msgspec.Struct, frozen=True):
    """What can be said about one file, or about a folder's manifest as a whole."""

    file: str
    state: State
    synthetic: Literal["yes", "likely", "unknown"]
    seal: Seal | None = None
    watermark: Watermark | None = None  # None: not looked for
    ledger: LedgerView | None = None
    critic: CriticView | None = None
    problems: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Sealed with your key or one that you trust, and unchanged."""
        return self.state in TRUSTED

    @property
    def says(self) -> str:
        """The verdict as one sentence."""
        sentence = _SENTENCES[self.state].format(
            made=_made(self.seal),
            who=self.seal.signer if self.seal and self.seal.signer else "an unknown key",
            key=short(self.seal.key) if self.seal and self.seal.key else "unknown",
            known=_known(self.ledger),
            p=self.watermark.p if self.watermark else 1.0,
            critic=_critic(self.critic),
        )
        if self.state == "unknown" and self.critic:
            sentence += f"; {_critic(self.critic)}"
        return sentence + (f" ({'; '.join(self.problems)})" if self.problems else "")


def all_trusted(verdicts: Iterable[Verdict]) -> bool:
    """Whether there are verdicts and each is trusted: ``ilk verify`` exits 0, else 1."""
    states = [verdict.trusted for verdict in verdicts]
    return bool(states) and all(states)


def synthetic(state: State, claims: dict[str, Any]) -> Literal["yes", "likely", "unknown"]:
    """Whether what is known makes a file synthetic; "no" is never known."""
    says_so = claims.get("source_type") in SYNTHETIC
    if state == "unsealed-known" or (state in TRUSTED and says_so):
        return "yes"
    if state in ("unsealed-watermarked", "unsealed-likely-generated"):
        return "likely"
    if says_so and state in ("sealed-by-stranger", "expired", "revoked", "container-altered"):
        return "likely"
    return "unknown"


def _made(seal: Seal | None) -> str:
    """The claim as a phrase."""
    claims = seal.claims if seal else {}
    verb = "made" if claims.get("source_type", TRAINED) == TRAINED else "made or edited"
    phrase = f"{verb} by model {claims['model'][:8]}…" if claims.get("model") else "sealed"
    when = seal.time_claimed if seal else None
    return f"{phrase} on {when[:10]} (time claimed)" if when else phrase


def _known(ledger: LedgerView | None) -> str:
    if ledger is None:
        return "this machine"
    return f"this machine with model {ledger.name or ledger.model[:8] + '…'} on {ledger.time[:10]}"


def _critic(critic: CriticView | None) -> str:
    if critic is None:
        return "a critic"
    who = f"the critic of {critic.model}" if critic.model else "a critic"
    alarms = f"of 100 real ones {_of_hundred(critic.false_alarm_rate)} would get as much or more"
    misses = f"of 100 generated ones {_of_hundred(critic.miss_rate)} less"
    measured = f"{alarms}, {misses}; measured on {critic.calibrated_on}"
    chance = f"{critic.probability:.1%}".replace("%", " %")
    return f"{who} gives it {chance} to be generated, by that model or one like it ({measured})"


def _of_hundred(share: float) -> str:
    """A share as a count of 100: ``3``, ``0.2``."""
    return f"{100 * share:.1f}" if share < 0.0095 else f"{100 * share:.0f}"


_SENTENCES: dict[str, str] = {
    "sealed": "{made}, unchanged since; sealed by {who}",
    "sealed-in-manifest": "{made}, unchanged since; in the folder's manifest, sealed by {who}",
    "sealed-by-stranger": "{made}, unchanged since; but sealed with key {key}, which you do not trust, {who}",
    "revoked": "{made}, unchanged since; but the key {key} was revoked, so anybody may have sealed it",
    "expired": "{made}, unchanged since; but the certificate of key {key} has run out",
    "altered": "changed since it was sealed: what its seal says is about something else",
    "container-altered": "{made}; the content is unchanged, but bytes around it were changed",
    "broken": "there is a seal, but it is broken: it says nothing",
    "unsealed-watermarked": "no seal, but it carries your watermark (p = {p:.0e}): all or part of it was made by you",
    "unsealed-known": "no seal, but its content was made by {known}",
    "unsealed-likely-generated": "no seal; {critic}",
    "unknown": "no seal that ilk can read: cannot tell where it comes from, or whether it is real",
}
