"""The network's weights and sizes as Hugging Face's Llama calls them, both ways.

Only names, shapes and ``config.json`` are known here: query, key and value are three matrices there and one here, gate
and up two and one; norms that are not learned are ones there; a tied head is not there at all. Files are read in
``bases.py`` and written in ``export.py``; what GGUF calls the same things is told in ``gguf.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ilk.core.errors import Code, InputError
from ilk.engines.gpt.model import Shape, Transformer

ARCHITECTURE, MODEL_TYPE = "LlamaForCausalLM", "llama"
EMBEDDING, HEAD, FINAL_NORM = "model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"
BLOCK = "model.layers.{}."
QKV = ("self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight")
GATE_UP = ("mlp.gate_proj.weight", "mlp.up_proj.weight")
OUT, DOWN = "self_attn.o_proj.weight", "mlp.down_proj.weight"
ATTENTION_NORM, HIDDEN_NORM = "input_layernorm.weight", "post_attention_layernorm.weight"
LARGEST = 1 << 24  # no size of a network that this engine takes is larger
IGNORED = "rotary_emb.inv_freq"  # older files hold it, though it follows from the configuration

Read = Callable[[str], Tensor]
"""Gives a tensor by Hugging Face's name."""


def from_hf(read: Read, shape: Shape) -> Iterator[tuple[str, Tensor]]:
    """Our (name, tensor) pairs, one at a time so that a large base is never held twice."""
    yield "embedding", read(EMBEDDING)
    for layer in range(shape.layers):
        ours, theirs = f"blocks.{layer}.", BLOCK.format(layer)
        yield f"{ours}attention_norm", read(theirs + ATTENTION_NORM)
        yield f"{ours}hidden_norm", read(theirs + HIDDEN_NORM)
        yield f"{ours}attention.qkv.weight", torch.cat([read(theirs + name) for name in QKV])
        yield f"{ours}attention.out.weight", read(theirs + OUT)
        yield f"{ours}gate_up.weight", torch.cat([read(theirs + name) for name in GATE_UP])
        yield f"{ours}down.weight", read(theirs + DOWN)
    yield "final_norm", read(FINAL_NORM)
    if not shape.tied:
        yield "head", read(HEAD)


def to_hf(state: Mapping[str, Tensor], shape: Shape) -> dict[str, Tensor]:
    """Hugging Face's tensors from ours (see :func:`merged_state`)."""
    ones = torch.ones(shape.width)
    found = {EMBEDDING: state["embedding"], FINAL_NORM: state.get("final_norm", ones)}
    sizes = [shape.heads * shape.head_size, shape.key_heads * shape.head_size, shape.key_heads * shape.head_size]
    for layer in range(shape.layers):
        ours, theirs = f"blocks.{layer}.", BLOCK.format(layer)
        found[theirs + ATTENTION_NORM] = state.get(f"{ours}attention_norm", ones)
        found[theirs + HIDDEN_NORM] = state.get(f"{ours}hidden_norm", ones)
        parts = (*torch.split(state[f"{ours}attention.qkv.weight"], sizes), *state[f"{ours}gate_up.weight"].chunk(2))
        found |= {theirs + name: part for name, part in zip((*QKV, *GATE_UP), parts, strict=True)}
        found[theirs + OUT] = state[f"{ours}attention.out.weight"]
        found[theirs + DOWN] = state[f"{ours}down.weight"]
    if not shape.tied:
        found[HEAD] = state["head"]
    return {name: tensor.contiguous().clone() for name, tensor in found.items()}


def names_of(shape: Shape) -> set[str]:
    """The tensors that a network of this shape has, by Hugging Face's names."""
    parts = (ATTENTION_NORM, HIDDEN_NORM, *QKV, OUT, *GATE_UP, DOWN)
    blocks = {BLOCK.format(layer) + part for layer in range(shape.layers) for part in parts}
    return blocks | {EMBEDDING, FINAL_NORM} | (set() if shape.tied else {HEAD})


@torch.no_grad()
def merged_state(model: Transformer) -> dict[str, Tensor]:
    """Copies of all weights by our names in float32, what adapters add included; the model stays as it is."""
    from ilk.engines.gpt.adapters import Adapter
    from ilk.engines.gpt.model import Linear

    state = {name: p.detach().cpu().float() for name, p in model.named_parameters() if ".adapter." not in name}
    for name, module in model.named_modules():
        if isinstance(module, Linear) and isinstance(module.adapter, Adapter):
            state[f"{name}.weight"] = state[f"{name}.weight"] + module.adapter.merged().cpu()
    return state


def shape_of_config(config: Mapping[str, Any], where: str) -> tuple[Shape, int]:
    """The sizes in a ``config.json``, and the most positions that the network has learned.

    Raises:
        InputError: another architecture, or something that this network does not have.
    """
    _refuse_foreign(config, where)

    def size(name: str, otherwise: int | None = None) -> int:
        value = config.get(name)
        value = otherwise if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST:
            raise InputError(Code.UNREADABLE, f"{where} gives no usable {name}: {value!r}.")
        return value

    width, heads = size("hidden_size"), size("num_attention_heads")
    rope = config.get("rope_parameters") or {}
    theta = config.get("rope_theta") or rope.get("rope_theta") or 10_000.0
    epsilon = config.get("rms_norm_eps", 1e-6)
    if not isinstance(theta, int | float) or not isinstance(epsilon, int | float):
        raise InputError(Code.UNREADABLE, f"{where} gives no usable rope_theta or rms_norm_eps.")
    shape = Shape(
        vocabulary=size("vocab_size"),
        width=width,
        layers=size("num_hidden_layers"),
        heads=heads,
        key_heads=size("num_key_value_heads", heads),
        hidden=size("intermediate_size"),
        head_size=size("head_dim", max(1, width // heads)),
        theta=float(theta),
        epsilon=float(epsilon),
        tied=bool(config.get("tie_word_embeddings", False)),
    )
    return shape, size("max_position_embeddings", 2048)


def _refuse_foreign(config: Mapping[str, Any], where: str) -> None:
    named = config.get("architectures")
    architecture = str(named[0]) if isinstance(named, list) and named else str(config.get("model_type"))
    if config.get("model_type") != MODEL_TYPE or architecture not in (ARCHITECTURE, MODEL_TYPE):
        sentence = f"{where} describes a {architecture}; a base must be a {ARCHITECTURE}, such as SmolLM2."
        raise InputError(Code.OPTION, sentence)
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    kind = rope.get("rope_type", rope.get("type", "default")) if isinstance(rope, dict) else "?"
    odd = {
        "scaled rotary positions": kind != "default",
        "biases": bool(config.get("attention_bias")) or bool(config.get("mlp_bias")),
        f"the activation {config.get('hidden_act')}": config.get("hidden_act", "silu") not in ("silu", "swish"),
        "quantised weights": config.get("quantization_config") is not None,
    }
    for what, there in odd.items():
        if there:
            raise InputError(Code.OPTION, f"{where} describes a network with {what}, which this engine does not have.")


def config_of(shape: Shape, *, context: int, start: int, end: int, dtype: str) -> dict[str, Any]:
    """The ``config.json`` of a network."""
    return {
        "architectures": [ARCHITECTURE],
        "model_type": MODEL_TYPE,
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_heads,
        "head_dim": shape.head_size,
        "max_position_embeddings": context,
        "rms_norm_eps": shape.epsilon,
        "rope_theta": shape.theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.theta},
        "tie_word_embeddings": shape.tied,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": start,
        "eos_token_id": end,
        "dtype": dtype,
        "torch_dtype": dtype,  # what transformers before 5 calls it
    }
