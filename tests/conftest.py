"""What ``tests/`` needs beyond the walls in the root ``conftest.py``: real data, hypothesis."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ilk.core.home import ilk_home as home_of_user

ASSETS = home_of_user() / "assets"  # before a test has a home of its own
SMOLLM2 = ASSETS / "smollm2-0.1.2"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; only for tests marked ``shared``."""
    return SHARED


@pytest.fixture(scope="session")
def smollm2(ilk_home: Path) -> Path:
    """The GGUF of the asset, which the tests' own home has too; only for tests marked ``assets``."""
    here = ilk_home / "assets" / SMOLLM2.name
    if not here.exists():
        here.parent.mkdir(exist_ok=True)
        here.symlink_to(SMOLLM2)
    return next(here.rglob("*.gguf"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line where real data or weights are not there, however quiet the run."""
    if not SMOLLM2.is_dir():
        line = "smollm2 is not there (`make assets` gets it), so the tests marked `assets` were deselected"
        terminalreporter.line(line, yellow=True)
    if not SHARED.is_dir():
        terminalreporter.line("../shared/data is not there, so the tests marked `shared` were deselected", yellow=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that want real data or weights are selected out where there are none."""
    lacking = [mark for mark, there in (("shared", SHARED), ("assets", SMOLLM2)) if not there.is_dir()]
    out = [item for item in items if any(item.get_closest_marker(mark) for mark in lacking)]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]
