"""What every test lives under, and how documents become tests.

Three walls stand around each test process: its own ``ILK_HOME`` (one a worker, so that the demo is cached
once), no network beyond this machine, and one thread for torch. Every Python block, console block and
docstring example under ``README.md``, ``docs/`` and ``src/`` is run here (``tests/documents.py`` has
the parser of console blocks). What only ``tests/`` needs is in ``tests/conftest.py``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded; a worker a core, not a pool a worker

import doctest
import ipaddress
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.markdown import PythonCodeBlockParser

sys.path.insert(0, str(Path(__file__).parent / "tests"))
from documents import ConsoleBlockParser, FileBlockParser

WALLS = ("ilk_home", "no_network", "one_thread")


@pytest.fixture(scope="session", autouse=True)
def ilk_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ILK_HOME of this worker's own; the user's keys and cache are never touched."""
    home = tmp_path_factory.mktemp("ilk-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ILK_HOME", str(home))
        patch.delenv("ILK_KEY", raising=False)
        yield home


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Connecting to anything but this machine is an error."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(self: socket.socket, address: Any) -> None:
        _refuse_remote(self, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        _refuse_remote(self, address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "connect_ex", guarded_ex)
        yield


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """One torch thread a test, and torch is not loaded for it."""
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads"):
        torch.set_num_threads(1)


def _refuse_remote(sock: socket.socket, address: Any) -> None:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = address[0]
    if host != "localhost" and not (_is_ip(host) and ipaddress.ip_address(host).is_loopback):
        raise RuntimeError(f"Tests run without a network, and this one wants to connect to {host}.")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _enter_document(namespace: dict[str, Any]) -> None:
    """A document's blocks share an empty working folder."""
    folder = tempfile.TemporaryDirectory(prefix="ilk-docs-")
    namespace["_folder"], namespace["_before"] = folder, Path.cwd()
    os.chdir(folder.name)
    sys.path.insert(0, folder.name)  # a block may import what another has written


def _leave_document(namespace: dict[str, Any]) -> None:
    os.chdir(namespace.pop("_before"))
    sys.path.remove(namespace["_folder"].name)
    namespace.pop("_folder").cleanup()


_documents = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS), ConsoleBlockParser(), FileBlockParser()],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    setup=_enter_document,
    teardown=_leave_document,
    fixtures=WALLS,
)
_docstrings = Sybil(
    parsers=[DocTestParser(optionflags=doctest.ELLIPSIS)],
    patterns=["src/ilk/*.py", "src/ilk/*/*.py", "src/ilk/*/*/*.py"],
    fixtures=WALLS,
)
pytest_collect_file = (_documents + _docstrings).pytest()
