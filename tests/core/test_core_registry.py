"""Kinds and engines come in through entry points, load when they are asked for, and are recognised by source."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from ilk.core import registry
from ilk.core.errors import Code, InputError, MachineError
from ilk.core.registry import get_engine, get_kind, kind_names, recognise


class Claims:
    """A kind that claims everything with one score."""

    demos = {"small": "a small one"}

    def __init__(self, name, score):
        self.name, self.score = name, score
        self.Options = SimpleNamespace(__struct_fields__=())

    def recognise(self, source):
        return self.score


@pytest.fixture
def kinds(monkeypatch):
    """Make the registry know these kinds alone."""

    def known(**scores):
        made = {name: Claims(name, score) for name, score in scores.items()}
        monkeypatch.setattr(registry, "_points", lambda group: dict.fromkeys(made))
        monkeypatch.setattr(registry, "get_kind", made.__getitem__)

    return known


def test_built_in_kinds_come_in_by_the_door_of_third_parties():
    assert "image" in kind_names()
    assert get_kind("image").name == "image"
    assert get_engine("gan").__name__ == "Gan"


def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(InputError, match='There is no kind "imgae"; did you mean "image"'):
        get_kind("imgae")
    with pytest.raises(InputError, match='There is no engine "gna"; did you mean "gan"'):
        get_engine("gna")


def test_the_highest_claim_wins(kinds):
    kinds(words=0.4, notes=0.9, faces=0.0)
    assert recognise("source").name == "notes"


def test_options_decide_among_kinds_that_it_could_be(kinds):
    kinds(rows=1.0, words=0.4, notes=0.0)
    get = registry.get_kind
    get("words").Options.__struct_fields__ = ("field_name",)
    get("notes").Options.__struct_fields__ = ("field_name",)
    assert recognise("source", ["field-name"]).name == "words"
    assert recognise("source", ["fiel-name"]).name == "rows"  # which then refuses it


def test_a_tie_names_both(kinds):
    kinds(words=0.5, notes=0.5)
    with pytest.raises(InputError, match="'a/b' could be words and notes; say which with --kind") as caught:
        recognise("a/b")
    assert caught.value.code == Code.SOURCE_UNKNOWN


def test_a_demo_that_is_not_there_names_those_that_are(kinds):
    kinds(words=0.0)
    with pytest.raises(InputError, match="There is no file or folder 'demo:smal'; the demos are demo:small") as caught:
        recognise("demo:smal")
    assert caught.value.code == Code.SOURCE_MISSING


def test_nobodys_source_is_refused_and_not_shown_in_full(kinds):
    kinds(words=0.0)
    with pytest.raises(InputError, match=r"No kind recognises this int; name the kind with --kind \(words\)"):
        recognise(3)
    with pytest.raises(InputError) as caught:
        recognise("x" * 10_000)
    assert len(str(caught.value)) < 250


def _point(monkeypatch, value):
    point = EntryPoint(name="odd", value=value, group="ilk.kinds")
    monkeypatch.setattr(registry, "_points", lambda group: {"odd": point})


def test_a_missing_extra_names_the_line_that_installs_it(monkeypatch, tmp_path):
    (tmp_path / "odd_kind.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    _point(monkeypatch, "odd_kind:kind")
    with pytest.raises(MachineError, match=r'needs a_package_that_nobody_has, .*pip install "ilk\[odd\]"') as caught:
        get_kind("odd")
    assert (caught.value.code, caught.value.exit_code) == (Code.EXTRA_MISSING, 3)


def test_a_kind_that_is_broken_is_not_called_a_missing_extra(monkeypatch, tmp_path):
    (tmp_path / "broken_kind.py").write_text("import ilk.there_is_no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    _point(monkeypatch, "broken_kind:kind")
    with pytest.raises(ModuleNotFoundError):
        get_kind("odd")
    sys.modules.pop("broken_kind", None)
