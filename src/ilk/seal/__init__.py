"""Who made this, and is it unchanged? Keys, seals of four formats, a ledger, and their verification.

Open next: ``sealer.py`` (sealing what is written), ``verify.py`` (judging what is found),
``trust.py`` (``ilk keys``). The formats are ``c2pa.py``, ``sidecar.py`` and ``manifest.py``. This
room knows no kind, no engine and no critic; callers hand those in. Names load when they are used,
so importing it costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ilk.seal.claim import Claim as Claim
    from ilk.seal.ledger import Ledger as Ledger
    from ilk.seal.ledger import LedgerReader as LedgerReader
    from ilk.seal.sealer import FolderSeal as FolderSeal
    from ilk.seal.sealer import folder_seal as folder_seal
    from ilk.seal.sealer import seal_file as seal_file
    from ilk.seal.verdict import CriticView as CriticView
    from ilk.seal.verdict import Verdict as Verdict
    from ilk.seal.verdict import all_trusted as all_trusted

_WHERE = {
    "Claim": "claim",
    "CriticView": "verdict",
    "FolderSeal": "sealer",
    "Ledger": "ledger",
    "LedgerReader": "ledger",
    "Verdict": "verdict",
    "all_trusted": "verdict",
    "folder_seal": "sealer",
    "seal_file": "sealer",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f"ilk.seal.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'ilk.seal' has no attribute {name!r}")
