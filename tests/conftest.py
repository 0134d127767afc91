"""What ``tests/`` needs beyond the walls in the root ``conftest.py``: real data, hypothesis."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; only for tests marked ``shared``."""
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line where the real data are not there, however quiet the run."""
    if not SHARED.is_dir():
        terminalreporter.line("../shared/data is not there, so the tests marked `shared` were deselected", yellow=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that want real data are selected out where there are none."""
    if SHARED.is_dir():
        return
    out = [item for item in items if item.get_closest_marker("shared")]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if not item.get_closest_marker("shared")]
