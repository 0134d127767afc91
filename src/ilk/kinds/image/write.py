"""Pictures to bytes: PNG, JPEG and WebP one a file, ``.npz`` many in one, films (``film.py``).

The note goes in-band, as XMP that any tool reads and with the IPTC term for "made by a trained model".
Nothing is signed here (that is ``ilk.seal``), and no file is opened: bytes go to whoever asks.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, BinaryIO
from xml.sax.saxutils import quoteattr

import numpy as np
from PIL import Image, PngImagePlugin

from ilk.core.errors import Code, InputError, suggest
from ilk.kinds.image.formats import WRITTEN

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
NAMESPACE = "urn:ilk:note#"
_PROPERTIES = {"creatorTool": "xmp:CreatorTool"}  # facts that XMP has a name for
_CHUNK = 1024  # pictures


def write(objects: Sequence[Any], file: BinaryIO, format: str, note: Mapping[str, str]) -> None:
    """One file's bytes.

    Args:
        objects: PIL images; one, or any number for ``npz`` and films, whose frames they are. May be a lazy
            sequence: it is walked once.
        file: takes the bytes.
        format: a suffix of ``formats.WRITTEN``.
        note: facts to keep in the file; ``digitalSourceType`` is an IPTC term, the rest are free words.

    Raises:
        InputError: the format is unknown, or takes another number of pictures.
    """
    name = format.lower().removeprefix(".").replace("jpeg", "jpg")
    if name == "npz":
        _write_npz(objects, file, note)
        return
    if any(written.suffix == name and written.rate for written in WRITTEN):
        from ilk.kinds.image.film import write_film

        write_film(objects, file, name, xmp(note))
        return
    known = [written.suffix for written in WRITTEN]
    if name not in known:
        raise InputError(Code.OUTPUT, f'Pictures are not written as "{format}"; {suggest(name, known)}.')
    if len(objects) != 1:
        raise InputError(Code.OUTPUT, f"A {name} file holds one picture, not {len(objects)}; write npz for many.")
    # PIL's writers seek and write in small pieces; a buffer in between is faster and serves any file.
    buffer = io.BytesIO()
    _SAVERS[name](objects[0], buffer, xmp(note))
    file.write(buffer.getbuffer())


def xmp(note: Mapping[str, str]) -> bytes:
    """The XMP packet of a note; empty for an empty note.

    The packet has ``Iptc4xmpExt:DigitalSourceType`` (``trainedAlgorithmicMedia`` unless the note says
    otherwise), ``xmp:CreatorTool``, and each other fact as a property of ``urn:ilk:note#``.
    """
    return _packet(tuple(note.items())) if note else b""


@lru_cache(maxsize=64)
def _packet(note: tuple[tuple[str, str], ...]) -> bytes:
    """The packet; a call's files share one note, so it is made once."""
    facts = dict(note)
    term = facts.pop("digitalSourceType", "trainedAlgorithmicMedia")
    source = term if "://" in term else SOURCE_TYPES + term
    rows = [f" Iptc4xmpExt:DigitalSourceType={_quoted(source)}"]
    rows += [f" {_PROPERTIES.get(name) or 'ilk:' + _xml_name(name)}={_quoted(value)}" for name, value in facts.items()]
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:ilk="{NAMESPACE}"{"".join(rows)}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def _quoted(value: str) -> str:
    """An attribute's value; what XML cannot hold at all (control characters, halves of pairs) is dropped."""
    return quoteattr(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", value))


def _xml_name(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"


def _save_png(image: Image.Image, file: BinaryIO, packet: bytes) -> None:
    image.save(file, "PNG", compress_level=6, pnginfo=_png_info(packet))


@lru_cache(maxsize=64)
def _png_info(packet: bytes) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    if packet:
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return info


def _save_jpg(image: Image.Image, file: BinaryIO, packet: bytes) -> None:
    # 4:4:4, since at these sizes halved colour is visible and the bytes it saves are not
    image.save(file, "JPEG", quality=95, subsampling=0, xmp=packet or None)


def _save_webp(image: Image.Image, file: BinaryIO, packet: bytes) -> None:
    image.save(file, "WEBP", lossless=True, quality=20, method=2, xmp=packet)  # a third of the default's time


_SAVERS = {"png": _save_png, "jpg": _save_jpg, "webp": _save_webp}


def _write_npz(objects: Sequence[Any], file: BinaryIO, note: Mapping[str, str]) -> None:
    """``images`` N x H x W [x C] and ``note`` (JSON), uncompressed: sizes are known before the first picture."""
    if not len(objects):
        raise InputError(Code.OUTPUT, "There is no picture to write.")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        shape: tuple[int, ...] | None = None
        with archive.open("images.npy", "w", force_zip64=True) as member:
            for start in range(0, len(objects), _CHUNK):
                rows = [np.asarray(objects[i]) for i in range(start, min(start + _CHUNK, len(objects)))]
                if shape is None:
                    shape = rows[0].shape
                    header = {"descr": "|u1", "fortran_order": False, "shape": (len(objects), *shape)}
                    np.lib.format.write_array_header_1_0(member, header)
                if any(row.shape != shape for row in rows):
                    raise InputError(Code.OUTPUT, "One array takes pictures of one size and colour mode.")
                member.write(np.stack(rows).tobytes())
        if note:
            with archive.open("note.npy", "w") as member:
                np.lib.format.write_array(member, np.array(json.dumps(dict(note), sort_keys=True)), allow_pickle=False)
