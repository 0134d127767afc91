"""The cyclopts app: verbs as lazy strings, help, completion, and one way out for every error."""

from __future__ import annotations

import sys
from typing import Any

import ilk
from ilk.cli import VERBS
from ilk.cli.errors import report

MORE = {
    "fit": "\n\nCtrl-C ends it early and keeps what is learned; `--resume` goes on.",
    "verify": "\n\nExit code 0 only if every file is sealed by you or by a key you trust."
    " A missing seal never means that something is real.",
}


def make_app() -> Any:
    """The app, with no verb imported."""
    from cyclopts import App

    app = App(
        name="ilk",
        help="Learn a kind from examples, make more of it, signed. `ilk VERB --help` tells more.",
        version=ilk.__version__,
        help_format="markdown",
    )
    for verb, (says, example) in VERBS.items():
        module = f"ilk.cli.{verb}"
        target = f"{module}:{verb}_app" if verb in ("keys", "models") else f"{module}:{verb}"
        app.command(target, name=verb, help=f"{says}\n\n**Example:** `{example}`{MORE.get(verb, '')}")
    app.register_install_completion_command()
    return app


def run_command(argv: list[str]) -> int:
    """Run a verb; every error becomes one sentence on stderr and an exit code."""
    debug = "--debug" in argv
    as_json = "--json" in argv
    words = [word for word in argv if word != "--debug"]
    app = make_app()
    try:
        result = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        if words and words[0] in ("fit", "sample") and ("--help" in words or "-h" in words):
            from ilk.cli.kind_help import show_kind_help

            show_kind_help(words)
        return result if isinstance(result, int) else 0
    except BaseException as error:
        if debug and not isinstance(error, SystemExit):
            raise
        return report(error, as_json=as_json)
    finally:
        sys.stdout.flush()
