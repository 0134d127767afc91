"""GGUF files of Llama networks: read with all tensors as floats, and written for llama.cpp.

The file format, its block quantisations and their arithmetic are the ``gguf`` package's. Ours are the names, the order
in which rows of query and key stand there (pairs of rotary numbers side by side; Hugging Face and we have halves), and
the sentences about files that are no use. What a vocabulary looks like there is told in ``vocabulary.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ilk.core.errors import Code, InputError
from ilk.core.protocol import Array
from ilk.engines.gpt import state_dict_adapter as hf
from ilk.engines.gpt.model import Shape

ARCHITECTURE = "llama"
Type = Literal["f32", "f16", "q8_0"]
BLOCK = 32  # numbers that share a scale in Q8_0: rows of another length stay halves of floats
NAMES = {
    hf.ATTENTION_NORM: "attn_norm.weight",
    hf.HIDDEN_NORM: "ffn_norm.weight",
    **dict(zip(hf.QKV, ("attn_q.weight", "attn_k.weight", "attn_v.weight"), strict=True)),
    hf.OUT: "attn_output.weight",
    **dict(zip(hf.GATE_UP, ("ffn_gate.weight", "ffn_up.weight"), strict=True)),
    hf.DOWN: "ffn_down.weight",
}
OUTSIDE = {hf.EMBEDDING: "token_embd.weight", hf.FINAL_NORM: "output_norm.weight", hf.HEAD: "output.weight"}


class GgufFile:
    """A GGUF file that was opened: its metadata, and its tensors by Hugging Face's names.

    Attributes:
        path: where it lies.
        shape: the sizes of the network.
        context: the most positions that it has learned.
    """

    def __init__(self, path: Path) -> None:
        """Open it and check that it is of use.

        Raises:
            InputError: it is no GGUF file, cut off, or of another architecture.
        """
        self.path = path
        self._reader = _reader(path)
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        named = str(self.get("general.architecture"))
        if named != ARCHITECTURE:
            sentence = (
                f"{path} holds a network of the architecture {named}; a base must be {ARCHITECTURE}, as SmolLM2 is."
            )
            raise InputError(Code.OPTION, sentence)
        self.shape, self.context = self._sizes()
        self._refuse_strange()

    def get(self, key: str, otherwise: Any = None) -> Any:
        """A value of the metadata."""
        field = self._reader.get_field(key)
        try:
            return otherwise if field is None else field.contents()
        except (ValueError, IndexError, KeyError, UnicodeDecodeError):
            raise InputError(Code.UNREADABLE, f"{self.path} is damaged: its {key} cannot be read.") from None

    def read(self, name: str) -> Tensor:
        """A tensor by Hugging Face's name, dequantised to float32: a copy, since the file is only mapped.

        Raises:
            InputError: it is missing, cut off or in a quantisation that is not known.
        """
        from gguf.quants import dequantize

        theirs = _name(name)
        tensor = self._tensors.get(theirs)
        if tensor is None:
            raise InputError(Code.UNREADABLE, f"{self.path} has no tensor {theirs}.")
        try:
            # An optimiser's step in place on a view of the mapped file would end the process.
            values = np.array(dequantize(tensor.data, tensor.tensor_type), np.float32)
        except (RuntimeError, ValueError):  # the library's: a quantisation that it does not undo, a tensor too short
            sentence = f"{self.path} holds {theirs} as {tensor.tensor_type.name}, which cannot be read."
            raise InputError(Code.UNREADABLE, sentence) from None
        heads = {hf.QKV[0]: self.shape.heads, hf.QKV[1]: self.shape.key_heads}.get(_part(name))
        return torch.from_numpy(values if heads is None else halved(values, heads))

    def _sizes(self) -> tuple[Shape, int]:
        def size(key: str, otherwise: int | None = None) -> int:
            value = self.get(f"{ARCHITECTURE}.{key}", otherwise)
            if not isinstance(value, int) or not 1 <= value <= hf.LARGEST:
                raise InputError(Code.UNREADABLE, f"{self.path} gives no usable {ARCHITECTURE}.{key}: {value!r}.")
            return value

        width, heads = size("embedding_length"), size("attention.head_count")
        embedding = self._tensors.get(OUTSIDE[hf.EMBEDDING])
        if embedding is None or len(embedding.shape) != 2:
            raise InputError(Code.UNREADABLE, f"{self.path} has no embedding of tokens.")
        shape = Shape(
            vocabulary=int(embedding.shape[1]),
            width=width,
            layers=size("block_count"),
            heads=heads,
            key_heads=size("attention.head_count_kv", heads),
            hidden=size("feed_forward_length"),
            head_size=size("attention.key_length", max(1, width // heads)),
            theta=float(self.get(f"{ARCHITECTURE}.rope.freq_base", 10_000.0)),
            epsilon=float(
                f"{self.get(f'{ARCHITECTURE}.attention.layer_norm_rms_epsilon', 1e-5):.6g}"
            ),  # a rounded float32
            tied=OUTSIDE[hf.HEAD] not in self._tensors,
        )
        return shape, size("context_length", 2048)

    def _refuse_strange(self) -> None:
        """A network with more to it than this one has would load and be wrong."""
        scaled = self.get(f"{ARCHITECTURE}.rope.scaling.type", "none")
        strange = sorted(self._tensors.keys() - {_name(name) for name in hf.names_of(self.shape)})
        if strange or scaled != "none":
            what = f"the tensor {strange[0]}" if strange else "scaled rotary positions"
            raise InputError(Code.OPTION, f"{self.path} has {what}, which this engine's network does not have.")


def _reader(path: Path) -> Any:
    stat = path.stat()
    return _read(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, size: int, changed: int) -> Any:  # noqa: ARG001  (of the key: another file by the same name)
    """The package's reader; a vocabulary takes it seconds, so the last one is kept.

    Raises:
        InputError: see :class:`GgufFile`.
    """
    from gguf import GGUFReader

    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise InputError(Code.UNREADABLE, f"{path} is no GGUF file.")
    try:
        return GGUFReader(path)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, UnicodeDecodeError):
        sentence = f"{path} is cut off or damaged: it ends before what it says it holds; download it again."
        raise InputError(Code.UNREADABLE, sentence) from None


def _part(name: str) -> str:
    """``self_attn.q_proj.weight`` of ``model.layers.3.self_attn.q_proj.weight``."""
    return name.split(".", 3)[3] if name.startswith("model.layers.") else name


def _name(name: str) -> str:
    """GGUF's name of a tensor."""
    return f"blk.{name.split('.')[2]}.{NAMES[_part(name)]}" if name.startswith("model.layers.") else OUTSIDE[name]


def halved(rows: Array, heads: int) -> Array:
    """Rows of a query or key matrix with the pairs of rotary numbers a half of a head apart, as here."""
    split = rows.reshape(heads, rows.shape[0] // heads // 2, 2, rows.shape[1])
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(rows.shape)


def paired(rows: Array, heads: int) -> Array:
    """The same rows with the pairs side by side, as llama.cpp wants them."""
    split = rows.reshape(heads, 2, rows.shape[0] // heads // 2, rows.shape[1])
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(rows.shape)


def write_gguf(
    path: Path,
    tensors: Mapping[str, Tensor],
    shape: Shape,
    *,
    context: int,
    vocabulary: Mapping[str, Any],
    facts: Mapping[str, str],
    type: Type,
) -> None:
    """Write a network.

    Args:
        path: the file.
        tensors: by Hugging Face's names, float32.
        shape: its sizes.
        context: the most positions that it has learned.
        vocabulary: metadata of the tokenizer (``vocabulary.py``).
        facts: what may be told of the model: ``name``, ``license``, ``description``, ...
        type: of the matrices; vectors are float32 always.
    """
    from gguf import GGUFWriter, LlamaFileType

    kinds = {"f32": LlamaFileType.ALL_F32, "f16": LlamaFileType.MOSTLY_F16, "q8_0": LlamaFileType.MOSTLY_Q8_0}
    writer = GGUFWriter(path, ARCHITECTURE)
    try:
        writer.add_type("model")
        writer.add_file_type(kinds[type])
        writer.add_vocab_size(shape.vocabulary)
        writer.add_context_length(context)
        writer.add_embedding_length(shape.width)
        writer.add_block_count(shape.layers)
        writer.add_feed_forward_length(shape.hidden)
        writer.add_head_count(shape.heads)
        writer.add_head_count_kv(shape.key_heads)
        writer.add_key_length(shape.head_size)
        writer.add_value_length(shape.head_size)
        writer.add_rope_dimension_count(shape.head_size)
        writer.add_rope_freq_base(shape.theta)
        writer.add_layer_norm_rms_eps(shape.epsilon)
        for key, value in facts.items():
            writer.add_string(key if "." in key else f"general.{key}", value)
        for key, value in vocabulary.items():
            _add(writer, key, value)
        for name, tensor in tensors.items():
            _add_tensor(writer, name, tensor.float().numpy(), shape, type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _add(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def _add_tensor(writer: Any, name: str, values: Array, shape: Shape, type: Type) -> None:
    from gguf import GGMLQuantizationType
    from gguf.quants import quantize

    heads = {hf.QKV[0]: shape.heads, hf.QKV[1]: shape.key_heads}.get(_part(name))
    values = values if heads is None else paired(values, heads)
    if values.ndim < 2 or type == "f32":
        writer.add_tensor(_name(name), np.ascontiguousarray(values, np.float32))
    elif type == "q8_0" and values.shape[1] % BLOCK == 0:
        packed = quantize(values, GGMLQuantizationType.Q8_0)
        writer.add_tensor(_name(name), packed, raw_dtype=GGMLQuantizationType.Q8_0)
    else:
        writer.add_tensor(_name(name), values.astype(np.float16))
