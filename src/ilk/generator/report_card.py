"""``ReportCard``: what a user gets of a report: its numbers and sentences, a page, a file.

It writes and seals, and computes nothing. The page is drawn by ``ilk.judge.page``.
"""

from __future__ import annotations

import html
import shutil
import tempfile
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from ilk.core.errors import Code, InputError
from ilk.core.folder import disk_error
from ilk.core.home import ilk_home, usual_mask, write_atomic
from ilk.judge.record import Number, Report
from ilk.seal.claim import Claim
from ilk.seal.sealer import seal_file
from ilk.seal.sidecar import beside

FOLDER, PAGE, NUMBERS = "report", "index.html", "report.json"
STALE = 3_600.0  # seconds after which nobody writes a report any more
_CARD, _HEAD = "CARD.md", "## How good it is"
_MEDIA = {".html": "text/html", ".json": "application/json"}


class ReportCard:
    """A report card.

    Attributes:
        record: all of it, as a record.

    Examples:
        >>> import ilk
        >>> card = ilk.load("photos.ilk").report()  # doctest: +SKIP
        >>> card.numbers["real.precision"].value, card.numbers["real.precision"].ceiling  # doctest: +SKIP
        (0.81, 0.88)
        >>> card.save("card.html")  # doctest: +SKIP
    """

    def __init__(self, record: Report, claim: Claim, model: Path | None) -> None:
        self.record = record
        self._claim = claim
        self._model = model

    @property
    def numbers(self) -> Mapping[str, Number]:
        """Every number by its key, such as ``real.precision``, with ``value``, ``ceiling`` and ``interval``."""
        return self.record.numbers()

    @property
    def says(self) -> Mapping[str, str]:
        """A sentence for each question that was answered."""
        return {each.question: each.says for each in self.record.answers if not each.absent}

    @property
    def absent(self) -> Mapping[str, str]:
        """The reason for each question that could not be asked."""
        return {each.question: each.absent for each in self.record.answers if each.absent}

    def json(self) -> dict[str, Any]:
        """What ``report.json`` holds: numbers by key, and everything beside them but the pictures."""
        record = self.record
        return {
            **{name: getattr(record, name) for name in ("title", "kind", "made", "ilk", "against")},
            "fingerprint": record.model,
            **{key: _plain(number) for key, number in self.numbers.items()},
            "says": dict(self.says),
            "absent": dict(self.absent),
            "classes": {
                each.question: {row.name: {key: _plain(n) for key, n in row.numbers.items()} for row in each.rows}
                for each in record.answers
                if each.rows
            },
            "encoder": record.encoder,
            "counts": record.counts,
            "facts": record.facts,
            "skipped": list(record.skipped),
            "curves": {each.name: {"steps": each.steps, "values": each.values} for each in record.curves},
            "seconds": record.seconds,
        }

    @cached_property
    def html(self) -> str:
        """The page: one file, which needs neither network nor script."""
        from ilk.judge.page import render
        from ilk.judge.words import words_of

        return render(self.record, words_of(self.record.kind))

    def save(self, path: str | Path | None = None) -> Path:
        """Write the report, sealed: a page (``.html``), its numbers (``.json``), or a folder with both.

        Args:
            path: a file that does not exist yet, or a folder; ``report/`` in the model folder by default,
                where it takes the place of an older one.

        Returns:
            The page, or the ``.json`` that was asked for.

        Raises:
            InputError: it exists, cannot be written, or has another suffix.
            MachineError: the disk is full.
        """
        if path is None:
            return self._into_model()
        target = Path(path)
        if target.suffix and not str(path).endswith("/") and not target.is_dir():
            if target.suffix not in _MEDIA:
                raise InputError(Code.OUTPUT, f"A report is written as .html or .json, not as {target.name}.")
            files = {target: self._bytes(target.suffix)}
        else:
            files = {target / name: self._bytes(Path(name).suffix) for name in (PAGE, NUMBERS)}
        for file in files:
            if file.exists():
                raise InputError(Code.EXISTS, f"{file} exists and is not overwritten; choose another name.")
        try:
            for file, data in files.items():
                file.parent.mkdir(parents=True, exist_ok=True)
                self._put(file, data)
        except OSError as error:
            raise disk_error(error, target) from None
        return next(iter(files))

    def _into_model(self) -> Path:
        """The folder ``report/`` of the model appears whole, or the old one stays."""
        if self._model is None or not self._model.is_dir():
            raise InputError(Code.OUTPUT, "The model is in no folder; name a file for its report, such as card.html.")
        target = self._model / FOLDER
        old = self._model / f".{FOLDER}.old"
        staging = None
        try:
            for left in self._model.glob(f".{FOLDER}.*"):  # by a process that died
                if time.time() - left.stat().st_mtime > STALE:
                    shutil.rmtree(left, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
            staging = Path(tempfile.mkdtemp(dir=self._model, prefix=f".{FOLDER}."))
            staging.chmod(0o777 & ~usual_mask())
            for name in (PAGE, NUMBERS):
                self._put(staging / name, self._bytes(Path(name).suffix))
            if target.exists():
                target.rename(old)
            staging.rename(target)
            shutil.rmtree(old, ignore_errors=True)
            self._note_in_card()
        except OSError as error:
            raise disk_error(error, target) from None
        finally:
            if staging is not None:
                shutil.rmtree(staging, ignore_errors=True)
            if old.exists() and not target.exists():
                old.rename(target)
        return target / PAGE

    def _bytes(self, suffix: str) -> bytes:
        if suffix == ".html":
            return self.html.encode()
        return msgspec.json.format(msgspec.json.encode(self.json()), indent=2) + b"\n"

    def _put(self, file: Path, data: bytes) -> None:
        """A file and the seal beside it."""
        sealed, sidecar = seal_file(data, _MEDIA[file.suffix], self._claim, ilk_home())
        write_atomic(file, sealed)
        if sidecar is not None:
            write_atomic(beside(file), sidecar)

    def _note_in_card(self) -> None:
        """The sentences, in the model's own card; an older report's are replaced."""
        card = (self._model or Path()) / _CARD
        if not card.is_file():
            return
        text = card.read_text("utf-8").partition(f"\n{_HEAD}")[0].rstrip("\n")
        lines = [f"- **{each.question.capitalize()}?** {each.absent or each.says}" for each in self.record.answers]
        page = f"`{FOLDER}/{PAGE}`, of {self.record.made[:10]}"
        shown = f"{page}, shows samples beside real examples of yours; an export leaves it out."
        write_atomic(card, "\n".join([text, "", _HEAD, "", *lines, "", shown, ""]).encode())

    def __repr__(self) -> str:
        lines = [f"  {each.question.capitalize()}? {each.absent or each.says}" for each in self.record.answers]
        return "\n".join([f"ReportCard of {self.record.title}", *lines])

    def _repr_html_(self) -> str:
        style = "width:100%;height:48rem;border:0"
        return f'<iframe title="report card" style="{style}" srcdoc="{html.escape(self.html)}"></iframe>'


def _plain(number: Number) -> dict[str, Any]:
    """A number as JSON has it: ``value``, ``ceiling`` and ``interval`` always, the rest where there is one."""
    single = {name: getattr(number, name) for name in ("value", "ceiling", "p", "other")}
    plain: dict[str, Any] = {name: None if value is None else float(value) for name, value in single.items()}
    plain["interval"] = number.interval and [float(each) for each in number.interval]
    return {name: value for name, value in plain.items() if value is not None or name not in ("p", "other")}
