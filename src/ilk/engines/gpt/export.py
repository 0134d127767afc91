"""A network for other programs: a folder for Hugging Face's transformers, a GGUF file for llama.cpp.

What was learned beside a base is merged into its weights, since neither format has our adapters. The tokenizer is the
codec's ``tokenizer.json``: in both formats a sequence begins with the start token, as it did in learning. Tensors are
named in ``state_dict_adapter.py`` and ``gguf.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from ilk.core.errors import Code, InputError, suggest
from ilk.core.offers import Export
from ilk.engines.gpt import state_dict_adapter as hf
from ilk.engines.gpt.gguf import Type, write_gguf
from ilk.engines.gpt.model import Transformer
from ilk.engines.gpt.vocabulary import CHATML, gguf_vocabulary

if TYPE_CHECKING:
    from ilk.engines.gpt.engine import GptEngine

FORMATS = {
    "hf": "a folder for Hugging Face's transformers (safetensors, config.json, tokenizer.json)",
    "gguf": "a file for llama.cpp and what is built on it",
}
TYPES = {"hf": ("f32", "f16", "bf16"), "gguf": ("f32", "f16", "q8_0")}
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
TOKENIZER = "tokenizer.json"
TURN_ENDS = "<|im_end|>"
MOST = 2**31  # what transformers takes for "no limit" is larger than any window


def export(engine: GptEngine, wanted: Export) -> None:
    """Write the network and how it reads letters.

    Raises:
        InputError: no such format or type, adapters without leave to merge them, or no tokenizer that can go along.
    """
    if wanted.format not in FORMATS:
        raise InputError(Code.OUTPUT, f'This engine exports no "{wanted.format}"; {suggest(wanted.format, FORMATS)}.')
    if wanted.type not in TYPES[wanted.format]:
        known = suggest(wanted.type, TYPES[wanted.format])
        raise InputError(Code.OPTION, f'{wanted.format} has no numbers of type "{wanted.type}"; {known}.')
    if engine.settings.adapter and not wanted.merge:
        beside = wanted.facts.get("base", "its base")
        sentence = f"This model is adapters beside {beside}, which {wanted.format} cannot hold; merge them by --merge."
        raise InputError(Code.OPTION, sentence)
    if TOKENIZER not in wanted.codec:
        sentence = f"{wanted.format} wants a tokenizer.json, and what this model makes is no text; export safetensors."
        raise InputError(Code.OPTION, sentence)
    model = cast("Transformer", engine.at_best())
    tensors = hf.to_hf(hf.merged_state(model), model.shape)
    writers: dict[str, Callable[[GptEngine, Export, dict[str, Tensor]], None]] = {"hf": _folder, "gguf": _file}
    writers[wanted.format](engine, wanted, tensors)


def _file(engine: GptEngine, wanted: Export, tensors: dict[str, Tensor]) -> None:
    space = engine.space
    raw = wanted.codec[TOKENIZER]
    write_gguf(
        wanted.path,
        tensors,
        engine.model.shape,
        context=engine.settings.attended,
        vocabulary=gguf_vocabulary(
            raw, size=space.vocabulary, start=space.start, end=space.end, template=_template(raw)
        ),
        facts=wanted.facts,
        type=cast("Type", wanted.type),
    )


def _folder(engine: GptEngine, wanted: Export, tensors: dict[str, Tensor]) -> None:
    from safetensors.torch import save_file

    space, shape, dtype = engine.space, engine.model.shape, DTYPES[wanted.type]
    wanted.path.mkdir(parents=True)
    config = hf.config_of(
        shape,
        context=engine.settings.attended,
        start=space.start,
        end=space.end,
        dtype=str(dtype).removeprefix("torch."),
    )
    raw = wanted.codec[TOKENIZER]
    content = json.loads(raw)
    names = {each["id"]: each["content"] for each in content["added_tokens"]}
    ends = sorted({space.end, *(number for number, name in names.items() if name == TURN_ENDS)})
    files: dict[str, Any] = {
        "config.json": {**config, "ilk": dict(wanted.facts)},
        "generation_config.json": {"bos_token_id": space.start, "eos_token_id": ends, "do_sample": True},
        TOKENIZER: begun(content, names[space.start], space.start),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": names[space.start],
            "eos_token": names[space.end],
            "pad_token": names[space.end],
            "model_max_length": min(engine.settings.attended, MOST),
            "clean_up_tokenization_spaces": False,
            **({"chat_template": template} if (template := _template(raw)) else {}),
        },
    }
    for name, value in files.items():
        (wanted.path / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    packed = {name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}
    save_file(packed, wanted.path / "model.safetensors", metadata={"format": "pt", **wanted.facts})


def begun(content: Mapping[str, Any], start: str, number: int) -> dict[str, Any]:
    """A ``tokenizer.json`` that puts the start token before a text, where it is not told to leave such tokens out."""
    template = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": start, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [
            {"SpecialToken": {"id": start, "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"Sequence": {"id": "B", "type_id": 1}},
        ],
        "special_tokens": {start: {"id": start, "ids": [number], "tokens": [start]}},
    }
    return {**content, "post_processor": template}


def _template(raw: bytes) -> str | None:
    """The template of chats, where the signs of one are among the tokens."""
    known = {each["content"] for each in json.loads(raw)["added_tokens"]}
    return CHATML if {"<|im_start|>", TURN_ENDS} <= known else None
