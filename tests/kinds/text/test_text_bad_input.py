"""Bad input of text: one clear sentence, and nothing is lost."""

from __future__ import annotations

import io
import json
import resource
import zipfile

import pytest

from ilk.core.errors import Code, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Example, Problem
from ilk.kinds.text import kind
from ilk.kinds.text.options import Options
from kinds.text.made import sentences

PLAN = Plan(steps=3)


def read(source, **options):
    return list(kind.read(source, Options(**options)))


def texts(source, **options):
    return [str(item.object) for item in read(source, **options) if isinstance(item, Example)]


def refused(source, **options):
    with pytest.raises(InputError) as caught:
        read(source, **options)
    return caught.value


def pdf_of(text: str, password: str = "") -> bytes:
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    if text:
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
        font = DictionaryObject(
            {
                NameObject(k): NameObject(v)
                for k, v in (("/Type", "/Font"), ("/Subtype", "/Type1"), ("/BaseFont", "/Helvetica"))
            }
        )
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    path = tmp_path / "nothing.txt"
    path.write_text("")
    assert refused(path).sentence == f"{path} is empty."


def test_fifty_characters_are_too_few_and_it_is_said_how_many_are_needed():
    with pytest.raises(InputError) as caught:
        kind.fit_codec([Example(object="x" * 50)], Options(), PLAN, None)
    assert caught.value.code == Code.TOO_FEW
    assert "50 characters are too few" in caught.value.sentence
    assert "2,000" in caught.value.sentence
    assert "--base" in caught.value.sentence


def test_one_long_line_is_read_in_passages_and_never_held(tmp_path):
    path = tmp_path / "line.txt"
    with path.open("w") as file:
        for _ in range(60):
            file.write("a word and another " * 50_000)  # 57 MB without a line break
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = longest = 0
    for item in kind.read(path, Options()):
        count, longest = count + 1, max(longest, len(item.object))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert count > 50_000
    assert longest <= 1_000
    assert grown < 40, f"reading 57 MB took {grown:.0f} MB"


def test_what_is_binary_is_no_text_whatever_its_name(tmp_path):
    path = tmp_path / "picture.txt"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8)
    assert "binary" in refused(path).sentence
    (tmp_path / "good.txt").write_text(sentences(40, 1))
    found = read(tmp_path)
    assert [item.name for item in found if isinstance(item, Problem)] == ["picture.txt"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le", "latin-1", "cp1252", "utf-32"])
def test_encodings_are_found_out(tmp_path, encoding):
    text = "Žluť" if encoding.startswith("utf") else "Grüße aus Köln, sagte Zoë. Ça va très bien, señor."
    text = f"{text}\nEin zweiter Satz über große Bären und kleine Vögel.\n" * 20
    path = tmp_path / "letter.txt"
    path.write_bytes(text.encode(encoding))
    assert "".join(texts(path)) == text


def test_invalid_bytes_in_good_utf_8_cost_these_bytes_alone(tmp_path):
    path = tmp_path / "torn.txt"
    path.write_bytes(("Příliš žluťoučký kůň. " * 50).encode() + b"\x92s " + ("Úpěl ďábelské ódy. " * 50).encode())
    found = "".join(texts(path))
    assert found.startswith("Příliš žluťoučký kůň. ")
    assert found.endswith("Úpěl ďábelské ódy. ")


def test_a_forced_encoding_that_is_wrong_is_refused(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("Köln".encode("latin-1") * 100)
    assert "it is not UTF-8" in refused(path, encoding="utf-8").sentence


def test_lines_without_the_field_are_named_and_the_others_read(tmp_path):
    path = tmp_path / "posts.jsonl"
    lines = [json.dumps({"text": sentences(3, n)}) for n in range(5)]
    path.write_text("\n".join([*lines[:2], '{"title": "no text"}', "{broken", *lines[2:]]))
    found = read(path)
    assert [(p.name, p.reason) for p in found if isinstance(p, Problem)] == [
        ("posts.jsonl, line 3", 'it has no field "text"'),
        ("posts.jsonl, line 4", "it is no JSON"),
    ]
    assert len(found) - 2 == 5


def test_a_field_that_is_not_there_gets_a_suggestion(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("title,body\nOne,A long body of a post that says something\n")
    error = refused(path, field="bodi")
    assert 'no column "bodi"' in error.sentence
    assert 'did you mean "body"' in error.sentence


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pdf_of(""), "it holds no text; perhaps its pages are scanned"),
        (pdf_of("A secret", "key"), "it is locked with a password"),
        (b"%PDF-1.7 nonsense", "it is a damaged PDF"),
    ],
    ids=["scanned", "encrypted", "damaged"],
)
def test_a_pdf_that_cannot_be_read_says_why(tmp_path, data, says):
    path = tmp_path / "book.pdf"
    path.write_bytes(data)
    assert says in refused(path).sentence


def test_documents_of_all_sorts_are_read(tmp_path):
    from docx import Document

    (tmp_path / "a.pdf").write_bytes(pdf_of("Hello from a page"))
    word = Document()
    word.add_paragraph("Hello from Word")
    word.save(str(tmp_path / "b.docx"))
    (tmp_path / "c.html").write_text("<script>no()</script><p>Hello <b>from</b> a browser</p>")
    (tmp_path / "d.md").write_text("# Hello\n\nfrom Markdown\n")
    found = " ".join(texts(tmp_path))
    for part in ("Hello from a page", "Hello from Word", "Hello from a browser", "from Markdown"):
        assert part in found
    assert "no()" not in found


def test_a_damaged_docx_says_so(tmp_path):
    path = tmp_path / "letter.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<broken")
    assert "it is a damaged DOCX" in refused(path).sentence
