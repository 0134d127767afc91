"""Export to Hugging Face: transformers loads it, reads letters as the codec does, and gives the same logits."""

from __future__ import annotations

import json

import msgspec
import pytest
import torch
from gpt_small import STRANGE, TEXT, TOKENIZERS, greedy, learned, prompts, rows_of

from ilk.core.data import codec_bytes
from ilk.core.errors import InputError
from ilk.core.offers import Export, Exporting
from ilk.core.plan import Plan
from ilk.engines.gpt.bases import open_base


def exported(tokens, path, **more):
    codec, engine = learned(tokens)
    engine.export(Export(format="hf", path=path, codec=codec_bytes(codec), facts={"name": "small"}, **more))
    return codec, engine


@pytest.mark.parametrize("tokens", TOKENIZERS)
def test_transformers_reads_and_writes_as_the_model_does(tokens, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    codec, engine = exported(tokens, tmp_path / "hf")
    peer = AutoModelForCausalLM.from_pretrained(tmp_path / "hf", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "hf")
    for text in (TEXT[:500], STRANGE):
        ids = codec.tokenizer.encode([text])[0].tolist()
        assert tokenizer(text, add_special_tokens=False).input_ids == ids
        assert tokenizer(text).input_ids == [codec.facts.start, *ids]
        assert tokenizer.decode(ids) == text
    for prompt in prompts(codec, 20):
        made = peer.generate(torch.tensor([prompt]), max_new_tokens=64, do_sample=False)[0, len(prompt) :].tolist()
        assert made == greedy(engine, prompt, 64)[: len(made)]
        assert len(made) == 64 or made[-1] == codec.facts.end
        with torch.no_grad():
            model, x = engine.at_best(), torch.tensor([prompt])
            assert (peer(x).logits - model.logits(model(x))).abs().max() <= 1e-3


def test_half_the_size_in_sixteen_bits(tmp_path):
    for kind in ("f32", "f16", "bf16"):
        exported("bpe", tmp_path / kind, type=kind)
    size = {kind: (tmp_path / kind / "model.safetensors").stat().st_size for kind in ("f32", "f16", "bf16")}
    assert size["f16"] < 0.6 * size["f32"]
    assert size["bf16"] < 0.6 * size["f32"]
    assert json.loads((tmp_path / "bf16" / "config.json").read_text())["dtype"] == "bfloat16"


def test_the_export_is_a_base_again_with_the_same_numbers(tmp_path):
    codec, engine = exported("bpe", tmp_path / "hf")
    base = open_base(str(tmp_path / "hf"))
    from ilk.engines.gpt.bases import base_settings
    from ilk.kinds.text.pretrained import base_codec

    settings = base_settings(base, Plan(steps=1))
    assert settings.adapter == 0
    again = settings.build(base_codec(base, chat=False).space, {}, Plan(steps=1))
    again.load_base(base)
    x = torch.tensor([prompts(codec, 1)[0]])
    model = engine.at_best()
    torch.testing.assert_close(again.model.logits(again.model(x)), model.logits(model(x)))


def test_an_engine_offers_what_it_exports_and_refuses_the_rest(tmp_path):
    codec, engine = learned("bpe")
    assert isinstance(engine, Exporting)
    assert set(engine.exports) == {"hf", "gguf"}
    files = codec_bytes(codec)
    for wrong, says in (
        ({"format": "onnx", "codec": files}, 'exports no "onnx"'),
        ({"format": "gguf", "codec": files, "type": "bf16"}, 'no numbers of type "bf16"'),
        ({"format": "hf", "codec": files, "type": "q8_0"}, 'no numbers of type "q8_0"'),
        ({"format": "hf", "codec": {}}, "wants a tokenizer.json"),
    ):
        with pytest.raises(InputError, match=says):
            engine.export(Export(path=tmp_path / "out", **wrong))
        assert not (tmp_path / "out").exists()


def test_adapters_are_merged_only_with_leave(tmp_path):
    from gpt_small import learn
    from transformers import AutoModelForCausalLM

    codec, _ = exported("bpe", tmp_path / "hf")
    base = open_base(str(tmp_path / "hf"))
    from ilk.engines.gpt.bases import base_settings

    settings = msgspec.structs.replace(base_settings(base, Plan(steps=1)), adapter=4, matrix_rate=0.0, window=32)
    engine = settings.build(codec.space, {}, Plan(steps=8))
    engine.load_base(base)
    learn(engine, rows_of(codec, STRANGE * 20), 8)
    wanted = {"format": "hf", "codec": codec_bytes(codec), "facts": {"base": "tiny"}}
    with pytest.raises(InputError, match="adapters beside tiny, which hf cannot hold; merge them by --merge"):
        engine.export(Export(path=tmp_path / "no", **wanted))
    before = {name: p.clone() for name, p in engine.model.named_parameters()}
    engine.export(Export(path=tmp_path / "yes", merge=True, **wanted))
    assert all(torch.equal(p, before[name]) for name, p in engine.model.named_parameters())
    peer = AutoModelForCausalLM.from_pretrained(tmp_path / "yes", dtype=torch.float32)
    x = torch.tensor([prompts(codec, 1)[0]])
    with torch.no_grad():
        assert (peer(x).logits - engine.model.logits(engine.model(x))).abs().max() <= 1e-3
