"""The report card as one HTML page: offline, without script, for a phone, a desktop and paper.

``html.py`` turns a ``Report`` into what ``template.html.j2`` shows, ``charts.py`` draws bars and curves,
``style.css`` says how it looks. Nothing here computes a number or writes a file.
"""

from __future__ import annotations

from ilk.judge.page.html import render

__all__ = ["render"]
