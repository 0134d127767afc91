"""The text in documents that are not plain text: DOCX, PDF, HTML. Layout is dropped, paragraphs stay apart.

Each function gives the text in blocks and says in a few words why a file holds none. The libraries that open the
formats are imported when such a file comes.
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from ilk.core.decoding import decoded
from ilk.core.errors import Code, UnreadableError

MOST_BYTES = 2**28
"""What is parsed as a whole may be this large: 256 MB, unpacked."""
_BLOCKS = [
    "address",
    "article",
    "aside",
    "blockquote",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "th",
    "tr",
    "ul",
]
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "table", "article", "section"}
_UNSEEN = ["script", "style", "noscript", "template", "head", "svg", "iframe"]
_LINE, _PARAGRAPH, _SPACE = "\ufdd0", "\ufdd1", "\ufdd2"
"""Stand for what must survive when white space is reduced; Unicode keeps them free for such use."""


def docx(file: BinaryIO) -> Iterator[str]:
    """Paragraphs of a Word document, rows of its tables, in their order; a blank line between.

    Raises:
        UnreadableError: it is no such document.
    """
    from docx import Document

    try:
        with zipfile.ZipFile(file) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                raise _unreadable("it is too large unpacked")
        file.seek(0)
        inner = list(_inner(Document(file)))
    except UnreadableError:
        raise
    except Exception:  # a stranger's file meets a stranger's library
        raise _unreadable("it is a damaged DOCX") from None
    yield from _paragraphs(inner)


def _inner(document: Any) -> Iterator[str]:
    for item in document.iter_inner_content():
        if hasattr(item, "rows"):
            for row in item.rows:
                cells = [cell.text.strip() for cell in row.cells]
                yield "\t".join(cell for place, cell in enumerate(cells) if not place or cell != cells[place - 1])
        else:
            yield item.text


def pdf(file: BinaryIO) -> Iterator[str]:
    """The text of the pages of a PDF.

    Raises:
        UnreadableError: it is damaged, locked, or holds pictures of text only.
    """
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of each oddity of a file that it copes with
    pages = []
    try:
        reader = PdfReader(file, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise _unreadable("it is locked with a password")
        pages = [page.extract_text() for page in reader.pages]
    except UnreadableError:
        raise
    except Exception:
        raise _unreadable("it is a damaged PDF") from None
    text = [_clean(page) for page in pages if page.strip()]
    if not text:
        raise _unreadable("it holds no text; perhaps its pages are scanned")
    yield from _paragraphs(text)


def html(file: BinaryIO, encoding: str | None) -> Iterator[str]:
    """The text that a browser would show.

    Raises:
        UnreadableError: it is binary, or too large.
    """
    from bs4 import BeautifulSoup

    raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise _unreadable(f"it is larger than {MOST_BYTES:,} bytes")
    declared = re.search(rb"""<meta[^>]{1,200}charset=["']?([\w-]{2,20})""", raw[:4096], re.IGNORECASE)
    text = _declared(raw, declared[1].decode("ascii", "replace")) if declared and not encoding else None
    try:
        soup = BeautifulSoup(decoded(raw, encoding) if text is None else text, "html.parser")
    except (RecursionError, AssertionError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise _unreadable("it is damaged HTML") from None
    yield _shown(soup)


def _declared(raw: bytes, name: str) -> str | None:
    """The text in the encoding that a page names; None where it lies or has a byte order mark."""
    try:
        return None if raw[:2] in (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb") else raw.decode(name)
    except (UnicodeError, LookupError):
        return None


def _shown(soup: Any) -> str:
    """What is left of a page: white space as a browser has it, kept in ``pre``."""
    for tag in soup(_UNSEEN):
        tag.decompose()
    for tag in soup("pre"):
        tag.string = tag.get_text().replace("\n", _LINE).replace(" ", _SPACE)
    for tag in soup("br"):
        tag.replace_with(_LINE)
    for tag in soup(_BLOCKS):
        sign = _PARAGRAPH if tag.name in _PARAGRAPHS else _LINE
        tag.insert_before(sign)
        tag.insert_after(sign)
    text = re.sub(r"[ \t\n\r\f]+", " ", soup.get_text())
    text = re.sub(rf"(?: ?[{_LINE}{_PARAGRAPH}] ?)+", _break, text)
    return _clean(text.replace(_SPACE, " "))


def _break(found: re.Match[str]) -> str:
    return "\n\n" if _PARAGRAPH in found[0] else "\n"


def _clean(text: str) -> str:
    """Without spaces around line breaks, and with at most one blank line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[^\S\n]*\n", "\n", text)).strip() + "\n"


def _paragraphs(texts: list[str]) -> Iterator[str]:
    """Texts with a blank line between."""
    first = True
    for text in texts:
        if text.strip():
            yield text.strip("\n") if first else "\n\n" + text.strip("\n")
            first = False
    if not first:
        yield "\n"


def _unreadable(reason: str) -> UnreadableError:
    return UnreadableError(Code.UNREADABLE, reason)


def whole(file: BinaryIO) -> BinaryIO:
    """A file in memory, which libraries may seek in.

    Raises:
        UnreadableError: it is too large for that.
    """
    raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise _unreadable(f"it is larger than {MOST_BYTES:,} bytes")
    return io.BytesIO(raw)
