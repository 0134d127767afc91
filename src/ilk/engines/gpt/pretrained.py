"""Pretrained networks as they lie on a disk: a folder of Hugging Face, a GGUF file, a model folder of this engine.

Each gives its sizes, its weights by our names, and how it reads letters. All are read as if a stranger had written
them: nothing is unpickled, no code is run. How tensors are called is told in ``state_dict_adapter.py``; which of these
a user means by a name, and what is done with it, is told in ``bases.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import torch
from torch import Tensor

from ilk.core.errors import Code, FolderError, InputError
from ilk.core.folder import open_model, unpack
from ilk.core.plan import Plan
from ilk.core.protocol import Base
from ilk.core.spaces import Tokens
from ilk.engines.gpt.gguf import GgufFile
from ilk.engines.gpt.model import Shape, Transformer
from ilk.engines.gpt.settings import Gpt
from ilk.engines.gpt.state_dict_adapter import IGNORED, from_hf, merged_state, names_of, shape_of_config
from ilk.engines.gpt.vocabulary import TEMPLATE, tokenizer_file

CONFIG, TOKENIZER, TOKENIZER_CONFIG = "config.json", "tokenizer.json", "tokenizer_config.json"
INDEX, WEIGHTS = "model.safetensors.index.json", "weights.safetensors"
LARGEST_JSON = 2**27


class Pretrained(Protocol):
    """An opened base."""

    shape: Shape
    context: int
    """The most positions that it has learned."""

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Every weight by our name, one at a time."""
        ...

    def tokenizer(self) -> bytes:
        """Its ``tokenizer.json``."""
        ...

    def ends(self) -> tuple[int | None, int | None]:
        """The tokens that it says begin and end a sequence."""
        ...

    def template(self) -> str | None:
        """Its chat template, in Jinja."""
        ...


class GgufBase:
    """A GGUF file."""

    def __init__(self, path: Path) -> None:
        """Open it; see :class:`ilk.engines.gpt.gguf.GgufFile` for what is refused."""
        self._file = GgufFile(path)
        self.shape, self.context = self._file.shape, self._file.context

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        return from_hf(self._file.read, self.shape)

    def tokenizer(self) -> bytes:
        return tokenizer_file(self._file)

    def ends(self) -> tuple[int | None, int | None]:
        start, end = (self._file.get(f"tokenizer.ggml.{what}_token_id") for what in ("bos", "eos"))
        return start, end

    def template(self) -> str | None:
        found = self._file.get(TEMPLATE)
        return found if isinstance(found, str) else None


class HfFolder:
    """A folder of Hugging Face: ``config.json`` and one or more safetensors files."""

    def __init__(self, path: Path) -> None:
        """Open it and check that it is of use.

        Raises:
            InputError: no configuration, another architecture, no safetensors, or tensors that are not known here.
        """
        self.path = path
        if not (path / CONFIG).is_file():
            sentence = f"{path} is no base: it has neither a config.json nor an ilk.json; give a folder that has one."
            raise InputError(Code.OPTION, sentence)
        self.shape, self.context = shape_of_config(_json(path / CONFIG), str(path / CONFIG))
        self._files = self._found()
        missing = sorted(names_of(self.shape) - self._files.keys())
        extra = sorted(n for n in self._files.keys() - names_of(self.shape) if not n.endswith(IGNORED))
        extra = [name for name in extra if not (self.shape.tied and name == "lm_head.weight")]
        if missing or extra:
            what = f"lacks the tensor {missing[0]}" if missing else f"has the tensor {extra[0]}, unknown here"
            raise InputError(Code.OPTION, f"{path} {what}, so it is not the network that its config.json describes.")

    def _found(self) -> dict[str, Path]:
        """Which file each tensor is in."""
        from safetensors import SafetensorError, safe_open

        names = sorted(self.path.glob("*.safetensors"))
        if (self.path / INDEX).is_file():
            listed = _json(self.path / INDEX).get("weight_map")
            listed = set(listed.values()) if isinstance(listed, dict) else set()
            names = [self.path / str(name) for name in sorted(listed) if Path(str(name)).name == name]
        if not names:
            pickled = any(self.path.glob("*.bin")) or any(self.path.glob("*.pt*"))
            why = "only pickled ones, and those can run any code" if pickled else "none"
            sentence = f"{self.path} has no weights as safetensors ({why}); convert or download the safetensors."
            raise InputError(Code.UNREADABLE, sentence)
        found: dict[str, Path] = {}
        for name in names:
            try:
                with safe_open(name, "pt") as file:
                    found |= dict.fromkeys(file.keys(), name)
            except (OSError, SafetensorError) as error:
                raise InputError(Code.UNREADABLE, f"{name} is cut off or damaged ({error}).") from None
        return found

    def _read(self, name: str) -> Tensor:
        from safetensors import safe_open

        with safe_open(self._files[name], "pt") as file:
            tensor: Tensor = file.get_tensor(name)
        if not tensor.is_floating_point():
            raise InputError(Code.OPTION, f"{self.path} holds {name} as {tensor.dtype}; quantised weights are no base.")
        return tensor.float()

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        return from_hf(self._read, self.shape)

    def tokenizer(self) -> bytes:
        file = self.path / TOKENIZER
        if not file.is_file():
            raise InputError(Code.UNREADABLE, f"{self.path} has no tokenizer.json, so nothing can be read or written.")
        return file.read_bytes()

    def ends(self) -> tuple[int | None, int | None]:
        config = _json(self.path / CONFIG)
        found = [config.get(f"{what}_token_id") for what in ("bos", "eos")]
        start, end = (each[0] if isinstance(each, list) and each else each for each in found)
        return start if isinstance(start, int) else None, end if isinstance(end, int) else None

    def template(self) -> str | None:
        own = self.path / "chat_template.jinja"
        if own.is_file():
            return own.read_text("utf-8")
        found = (
            _json(self.path / TOKENIZER_CONFIG).get("chat_template") if (self.path / TOKENIZER_CONFIG).is_file() else 0
        )
        return found if isinstance(found, str) else None


class IlkFolder:
    """Another model of this engine, with what it learned beside a base of its own merged in."""

    def __init__(self, path: Path, find: Callable[[Base], Pretrained]) -> None:
        """Open it; ``find`` gives the base that it was learned beside.

        Raises:
            FolderError: it is damaged.
            InputError: it is a model of another engine.
        """
        self.path, self._find = path, find
        self._opened = open_model(path)
        header = self._opened.header
        if header.engine != "gpt":
            raise InputError(
                Code.OPTION, f"{path} is a model of the engine {header.engine}; a base must be one of gpt."
            )
        try:
            self._settings = msgspec.convert(header.settings, Gpt)
            self._space = msgspec.convert(header.space, Tokens)
        except (msgspec.ValidationError, ValueError) as error:
            raise FolderError(
                Code.FOLDER_UNSAFE, f"{path}: what ilk.json says of the network is wrong: {error}."
            ) from None
        sizes = {name: getattr(self._settings, name) for name in Shape.__struct_fields__ if name != "vocabulary"}
        self.shape = Shape(vocabulary=self._space.vocabulary, **sizes)
        self.context = self._settings.attended

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        header = self._opened.header
        engine = self._settings.build(self._space, {}, Plan(steps=1))
        if header.base is not None:
            take(engine.model, self._find(header.base), header.base.name, torch.float32)
        engine.load_weights(unpack(self._opened.files[WEIGHTS], str(self.path / WEIGHTS)))
        norms = [f"blocks.{i}.{name}" for i in range(self.shape.layers) for name in ("attention_norm", "hidden_norm")]
        ones = torch.ones(self.shape.width)
        yield from (dict.fromkeys((*norms, "final_norm"), ones) | merged_state(engine.model)).items()

    def tokenizer(self) -> bytes:
        found = self._opened.files.get(f"codec/{TOKENIZER}")
        if found is None:
            raise InputError(Code.OPTION, f"{self.path} has no tokenizer, so it is no base.")
        return found

    def ends(self) -> tuple[int | None, int | None]:
        return self._space.start, self._space.end

    def template(self) -> str | None:
        return None


@torch.no_grad()
def take(model: Transformer, pretrained: Pretrained, called: str, dtype: torch.dtype) -> None:
    """Put pretrained weights into a network: frozen ones as ``dtype``, others as they are; a base is ``called`` so.

    Raises:
        InputError: they do not fit.
    """
    for name in Shape.__struct_fields__:
        ours, its = getattr(model.shape, name), getattr(pretrained.shape, name)
        if ours != its:
            sentence = f"The base {called} does not fit the settings: its {name} is {its}, theirs {ours}."
            raise InputError(Code.OPTION, sentence)
    waiting = {name: p for name, p in model.named_parameters() if ".adapter." not in name}
    for name, tensor in pretrained.weights():
        parameter = waiting.pop(name, None)
        if parameter is None or parameter.shape != tensor.shape:
            raise InputError(Code.OPTION, f"The base {called} does not fit: its {name} is {tuple(tensor.shape)}.")
        if parameter.requires_grad:
            parameter.copy_(tensor)
        else:  # a product with a matrix of this type needs no conversion; norms are too small to matter
            parameter.data = tensor.to(parameter.device, dtype if tensor.ndim > 1 else torch.float32)
    if waiting:
        raise InputError(Code.OPTION, f"The base {called} does not fit: it has no {min(waiting)}.")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_JSON else None
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InputError(Code.UNREADABLE, f"{path} is no JSON that describes a model.")
    return content
