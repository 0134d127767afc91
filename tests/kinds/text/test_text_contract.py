"""The kind ``text`` keeps every promise of a kind; how many checks said so is asserted."""

from __future__ import annotations

import pytest

from ilk.kinds.text import kind
from ilk.kinds.text.options import Options
from ilk.testing import check_kind
from kinds.text.made import folder_of_texts, sentences

CHECKS = 41


def test_text_in_a_folder_keeps_its_promises(tmp_path):
    assert check_kind(kind, folder_of_texts(tmp_path / "texts")) == CHECKS


def test_the_demo_keeps_its_promises():
    assert check_kind(kind, "demo:shakespeare") == CHECKS


def test_a_list_of_strings_keeps_its_promises():
    assert check_kind(kind, [sentences(5, seed) for seed in range(24)]) == CHECKS


@pytest.mark.parametrize("tokens", ["bytes", "bpe"])
def test_every_sort_of_token_keeps_its_promises(tmp_path, tokens):
    assert check_kind(kind, folder_of_texts(tmp_path / "texts"), options=Options(tokens=tokens)) == CHECKS
