"""A vocabulary as a ``tokenizer.json`` and as GGUF's metadata, both ways: the same text must give the same tokens.

llama.cpp knows two families that concern us. *gpt2*: byte pairs over letters that stand for bytes, cut beforehand by a
pattern that has a name there. *llama* (SentencePiece): pieces with scores, where a byte that nothing else covers is a
token ``<0xNN>`` and a space is written U+2581; a vocabulary of single characters is one of these without any pair that
could be joined. Knows the two formats; what a text is, is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ilk.core.errors import Code, InputError
from ilk.engines.gpt.gguf import GgufFile

NORMAL, CONTROL, USER, UNUSED, BYTE = 1, 3, 4, 5, 6  # types of tokens in GGUF
SPACE = "\u2581"
TEMPLATE = "tokenizer.chat_template"
DIGITS = {"type": "Digits", "individual_digits": True}
PATTERN = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
CUTS = {"smollm": [DIGITS, PATTERN], "gpt-2": [PATTERN]}
"""How text is cut before pairs are joined, by llama.cpp's names."""
CHATML = (
    "{% for message in messages %}{% if not loop.first %}{{ '\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n<|im_start|>assistant\\n' }}{% endif %}"
)
"""The turns of a chat as models are taught them here: nothing before the first, nothing after the last."""
NO_MERGE = "\u0100\u0100 \u0101\u0101"  # llama.cpp wants a merge; this one never comes, as no token is like this


def tokenizer_file(file: GgufFile) -> bytes:
    """The ``tokenizer.json`` of a GGUF file's vocabulary.

    Raises:
        InputError: it has none, or one of a family that cannot be rebuilt exactly.
    """
    model, cut = file.get("tokenizer.ggml.model"), str(file.get("tokenizer.ggml.pre", "default"))
    if model is None:
        raise InputError(Code.UNREADABLE, f"{file.path} has no tokenizer, so nothing can be read or written with it.")
    if model != "gpt2" or cut not in CUTS:
        what = f"the tokenizer {model}" if model != "gpt2" else f"a tokenizer that cuts text as {cut} does"
        known = " or ".join(CUTS)
        sentence = (
            f"{file.path} has {what}, which cannot be rebuilt exactly (gpt2 with {known} can); use its HF folder."
        )
        raise InputError(Code.OPTION, sentence)
    tokens = file.get("tokenizer.ggml.tokens") or []
    types = file.get("tokenizer.ggml.token_type") or [NORMAL] * len(tokens)
    merges = file.get("tokenizer.ggml.merges") or []
    if len(types) != len(tokens) or len(tokens) > file.shape.vocabulary or len(set(tokens)) != len(tokens):
        raise InputError(Code.UNREADABLE, f"{file.path} is damaged: its tokens do not fit its network.")
    added = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": kind == CONTROL,
        }
        for number, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind in (CONTROL, USER)
    ]
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": CUTS[cut]},
        "post_processor": None,
        "decoder": {**PATTERN, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in merges if merge != NO_MERGE],
        },
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def gguf_vocabulary(raw: bytes, *, size: int, start: int, end: int, template: str | None) -> dict[str, Any]:
    """GGUF's metadata of a ``tokenizer.json``.

    Args:
        raw: the file.
        size: rows of the embedding, which may be more than there are tokens.
        start: the token before each sequence.
        end: the token after it.
        template: of chats, in Jinja.

    Raises:
        InputError: llama.cpp has no tokenizer that would give the same tokens.
    """
    content = json.loads(raw)
    model = content["model"]
    types = dict.fromkeys(model["vocab"].values(), NORMAL)
    types |= {each["id"]: CONTROL if each["special"] else USER for each in content["added_tokens"]}
    names: dict[int, str] = {number: name for name, number in model["vocab"].items()}
    names |= {each["id"]: each["content"] for each in content["added_tokens"]}
    if model.get("byte_fallback"):
        _as_sentencepiece(names, types, model)
        family: dict[str, Any] = {"tokenizer.ggml.model": "llama", "tokenizer.ggml.scores": [0.0] * size}
    else:
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
        family = {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": _cut(content),
            "tokenizer.ggml.merges": merges or [NO_MERGE],
        }
    family["tokenizer.ggml.tokens"] = [names.get(number, f"[unused {number}]") for number in range(size)]
    family["tokenizer.ggml.token_type"] = [types.get(number, UNUSED) for number in range(size)]
    family |= {
        "tokenizer.ggml.bos_token_id": start,
        "tokenizer.ggml.eos_token_id": end,
        "tokenizer.ggml.unknown_token_id": start,
        "tokenizer.ggml.padding_token_id": end,
        "tokenizer.ggml.add_bos_token": True,  # a sequence has begun with it in all that was learned
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
    }
    return family if template is None else {**family, TEMPLATE: template}


def numbered(size: int, *, start: int, end: int) -> dict[str, Any]:
    """GGUF's metadata of a vocabulary that spells each token as its number, ``<17>``: for whoever wants no text."""
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [f"<{number}>" for number in range(size)],
        "tokenizer.ggml.scores": [0.0] * size,
        "tokenizer.ggml.token_type": [CONTROL if number in (start, end) else NORMAL for number in range(size)],
        "tokenizer.ggml.bos_token_id": start,
        "tokenizer.ggml.eos_token_id": end,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
    }


def _as_sentencepiece(names: dict[int, str], types: dict[int, int], model: Mapping[str, Any]) -> None:
    """Give characters and bytes, in place, the names and types that they have there.

    Raises:
        InputError: there are merges.
    """
    if model["merges"]:
        sentence = "This tokenizer joins pieces and falls back to bytes, which llama.cpp does otherwise; export hf."
        raise InputError(Code.OPTION, sentence)
    numbers = {name: number for number, name in names.items() if types[number] == NORMAL}
    for byte in range(256):
        types[numbers[f"<0x{byte:02X}>"]] = BYTE
    if SPACE in numbers:  # llama.cpp reads that letter as a space
        names[numbers[SPACE]], types[numbers[SPACE]] = "[U+2581]", UNUSED
    # Where no text had a space, its byte stands for it: llama.cpp looks for spaces under this name alone.
    space = numbers.get(" ", numbers["<0x20>"])
    names[space], types[space] = SPACE, NORMAL


def _cut(content: Mapping[str, Any]) -> str:
    """llama.cpp's name of how text is cut."""
    before = content.get("pre_tokenizer") or {}
    steps = before.get("pretokenizers", [before])
    kept = [{key: step.get(key) for key in ("type", "individual_digits", "add_prefix_space")} for step in steps]
    for name, wanted in CUTS.items():
        same = [{key: step.get(key) for key in ("type", "individual_digits", "add_prefix_space")} for step in wanted]
        if kept == same and content.get("normalizer") is None and steps[-1].get("use_regex", True):
            return name
    raise InputError(Code.OPTION, "This tokenizer cuts text in a way that has no name in llama.cpp; export it as hf.")
