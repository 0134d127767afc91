"""Records from loose words: converted, or refused in a sentence that names the field and the right word."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from msgspec import Meta

from ilk.core.config import Record, canonical_json, convert, fields, read_json, to_json
from ilk.core.errors import BugError, Code, FolderError, IlkError, InputError, MachineError, NotFittedError, suggest


class Options(Record, frozen=True):
    """Options of no kind."""

    resolution: Annotated[int | None, Meta(description="pixels a side")] = None
    fit_how: Annotated[Literal["crop", "pad"], Meta(description="what to do")] = "crop"
    share: Annotated[float, Meta(ge=0, le=1, description="a share")] = 0.5


def test_words_become_values_and_dashes_become_underscores():
    assert convert({"resolution": "64", "fit-how": "pad", "share": "0.25"}, Options, "option") == Options(
        resolution=64, fit_how="pad", share=0.25
    )


def test_a_typo_is_refused_with_a_suggestion():
    with pytest.raises(InputError, match='"resolutoin" is no option of words; did you mean "resolution"') as caught:
        convert({"resolutoin": 64}, Options, "option of words")
    assert caught.value.code == Code.OPTION
    with pytest.raises(InputError, match='did you mean "fit-how"'):
        convert({"fit_hwo": "pad"}, Options, "option")


@pytest.mark.parametrize("wrong", [{"resolution": "many"}, {"fit_how": "squeeze"}, {"share": 2}, {"share": None}])
def test_a_wrong_value_is_refused_and_the_field_is_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong)).replace("_", "-")):
        convert(wrong, Options, "option")


def test_help_is_read_off_the_record():
    rows = {row.name: row for row in fields(Options)}
    assert rows["fit-how"].type == "crop|pad"
    assert rows["resolution"].type == "int"
    assert rows["share"].default == "0.5"
    assert rows["resolution"].help == "pixels a side"


def test_json_goes_there_and_back(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(to_json(Options(resolution=3)))
    assert read_json(path, Options) == Options(resolution=3)
    assert path.read_text().endswith("\n")
    assert canonical_json({"b": 1, "a": [1.5]}) == b'{"a":[1.5],"b":1}'


@pytest.mark.parametrize("raw", [b"", b"{", b'{"resolutoin": 1}', b'{"share": 7}', b"\xff", b"[]"])
def test_a_damaged_file_is_a_folder_error(tmp_path, raw):
    (tmp_path / "a.json").write_bytes(raw)
    with pytest.raises(FolderError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json", Options)
    with pytest.raises(FolderError, match="cannot be read"):
        read_json(tmp_path / "missing.json", Options)


def test_every_error_has_a_code_and_an_exit_code_and_survives_a_process_border():
    import pickle

    for kind, code in ((InputError, 2), (NotFittedError, 2), (FolderError, 2), (MachineError, 3), (BugError, 4)):
        error = pickle.loads(pickle.dumps(kind(Code.BUG, "A sentence.")))
        assert type(error) is kind
        assert isinstance(error, IlkError)
        assert (error.exit_code, error.code, str(error)) == (code, "ILK-BUG-001", "A sentence.")
    assert issubclass(InputError, ValueError)
    assert issubclass(NotFittedError, AttributeError)


def test_codes_are_never_given_twice():
    assert len(set(Code)) == len(list(Code)) == len(Code.__members__)


def test_suggestions_forgive_case_and_list_what_is_known():
    assert suggest("Shrit", ["shirt", "bag"]) == 'did you mean "shirt"? (known: shirt, bag)'
    assert suggest("SHIRT", ["Shirt"]).startswith('did you mean "Shirt"')
    assert suggest("xyz", ["shirt"]) == "known: shirt"
    assert suggest("x", []) == "there are none here"
    assert suggest("x", [str(n) for n in range(30)]).endswith(", ...")
