"""GGUF in and out: llama.cpp reads what is written as the model itself does, and files of no use are said to be so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gpt_small import STRANGE, TEXT, TOKENIZERS, LlamaCpp, codec_of, greedy, learned, prompts, scores

from ilk.core.data import codec_bytes
from ilk.core.errors import Code, InputError
from ilk.core.offers import Export
from ilk.engines.gpt.bases import open_base, open_pretrained, take
from ilk.engines.gpt.gguf import GgufFile, halved, paired
from ilk.engines.gpt.vocabulary import gguf_vocabulary, tokenizer_file


def exported(tokens, path, type="f32"):
    codec, engine = learned(tokens)
    facts = {"name": "small", "ilk.fingerprint": "f" * 64, "license": "MIT"}
    engine.export(Export(format="gguf", path=path, type=type, codec=codec_bytes(codec), facts=facts))
    return codec, engine


@pytest.mark.parametrize("tokens", TOKENIZERS)
def test_llama_cpp_reads_and_writes_as_the_model_does(tokens, tmp_path):
    codec, engine = exported(tokens, tmp_path / "m.gguf")
    peer = LlamaCpp(tmp_path / "m.gguf")
    for text in (TEXT[:500], STRANGE):
        assert peer.tokens(text) == [codec.facts.start, *codec.tokenizer.encode([text])[0].tolist()]
    for prompt in prompts(codec, 20):
        wanted = greedy(engine, prompt, 64)
        end = codec.facts.end
        wanted = wanted[: wanted.index(end)] if end in wanted else wanted
        assert [token for token in peer.greedy(prompt, 64) if token != end] == wanted
        assert_close(peer.next(prompt), scores(engine, prompt)[-1], 2e-3)


def assert_close(theirs, ours, most):
    assert all(abs(logprob - float(ours[token])) <= most for token, logprob in theirs.items())


def test_a_text_without_spaces_is_read_alike(tmp_path):
    codec = codec_of("chars", "ACGTTGCA" * 400)
    _, engine = learned("chars")
    small = engine.settings.build(codec.space, {}, engine.plan)
    small.export(Export(format="gguf", path=tmp_path / "m.gguf", codec=codec_bytes(codec)))
    text = "ACGT AC  GT\nTG"
    assert LlamaCpp(tmp_path / "m.gguf").tokens(text) == [0, *codec.tokenizer.encode([text])[0].tolist()]


def test_eight_bits_are_a_little_off_and_a_quarter_as_large(tmp_path):
    codec, engine = exported("bpe", tmp_path / "q.gguf", "q8_0")
    exported("bpe", tmp_path / "f.gguf")
    prompt = prompts(codec, 1)[0]
    assert_close(LlamaCpp(tmp_path / "q.gguf").next(prompt), scores(engine, prompt)[-1], 0.2)
    weights = 4 * sum(p.numel() for p in engine.model.parameters() if p.shape[-1] % 32 == 0)
    saved = (tmp_path / "f.gguf").stat().st_size - (tmp_path / "q.gguf").stat().st_size
    assert saved > 0.7 * weights


@pytest.mark.parametrize("tokens", ["bytes", "bpe"])
def test_what_was_written_is_read_back(tokens, tmp_path):
    codec, engine = exported(tokens, tmp_path / "m.gguf")
    base = open_base(str(tmp_path / "m.gguf"))
    assert base.licence == "MIT"
    pretrained = open_pretrained(base)
    assert (pretrained.shape, pretrained.context) == (engine.model.shape, engine.settings.window)
    again = engine.settings.build(codec.space, {}, engine.plan)
    again.model.learn_norms()
    take(again.model, pretrained, "it", torch.float32)
    x = torch.tensor([prompts(codec, 1)[0]])
    model = engine.at_best()
    torch.testing.assert_close(again.model.logits(again.model(x)), model.logits(model(x)))
    from ilk.kinds.text.tokenizer import base_file, load_tokenizer

    tokenizer = load_tokenizer(base_file(pretrained.tokenizer()), "base")
    assert tokenizer.encode([TEXT])[0].tolist() == codec.tokenizer.encode([TEXT])[0].tolist()


def test_rows_of_query_and_key_go_there_and_back():
    rows = np.random.default_rng(0).normal(size=(3 * 8, 5)).astype(np.float32)
    assert (halved(paired(rows, 3), 3) == rows).all()
    assert (paired(rows, 3)[1] == rows[4]).all()  # the partner of the first number of a head stands beside it


def test_a_file_that_is_cut_off_is_refused_in_a_sentence(tmp_path):
    exported("bpe", tmp_path / "m.gguf")
    whole = (tmp_path / "m.gguf").read_bytes()
    for size in (3, 10, 200, 5_000, len(whole) // 2, len(whole) - 100):
        (tmp_path / "cut.gguf").write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"cut off or damaged|no GGUF") as caught:
            list(open_pretrained(open_base(str(tmp_path / "cut.gguf"))).weights())
        assert caught.value.code == Code.UNREADABLE


def test_another_file_by_that_name_is_no_gguf(tmp_path):
    (tmp_path / "x.gguf").write_text("hello, I am a text and no model")
    with pytest.raises(InputError, match="is no GGUF file"):
        open_base(str(tmp_path / "x.gguf"))


def write_other(path, architecture="llama", *, embedding=np.float32, **more):
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    sizes = {"embedding_length": 32, "block_count": 1, "feed_forward_length": 64, "attention.head_count": 2}
    for key, value in sizes.items():
        writer.add_uint32(f"{architecture}.{key}", value)
    for key, value in more.items():
        writer.add_string(key.replace("__", "."), value)
    writer.add_tensor("token_embd.weight", np.zeros((8, 32), embedding))
    if "strange" in more:
        writer.add_tensor("rope_freqs.weight", np.zeros(8, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_another_architecture_is_refused_by_its_name(tmp_path):
    write_other(tmp_path / "q.gguf", "qwen2")
    with pytest.raises(InputError, match="architecture qwen2; a base must be llama"):
        open_base(str(tmp_path / "q.gguf"))


def test_a_network_with_more_to_it_is_refused(tmp_path):
    write_other(tmp_path / "a.gguf", strange="x")
    with pytest.raises(InputError, match=r"has the tensor rope_freqs.weight"):
        GgufFile(tmp_path / "a.gguf")
    write_other(tmp_path / "b.gguf", llama__rope__scaling__type="yarn")
    with pytest.raises(InputError, match="scaled rotary positions"):
        GgufFile(tmp_path / "b.gguf")


def test_a_missing_tensor_is_named(tmp_path):
    write_other(tmp_path / "a.gguf")
    with pytest.raises(InputError, match=r"has no tensor blk.0.attn_norm.weight"):
        list(open_pretrained(open_base(str(tmp_path / "a.gguf"))).weights())


def test_numbers_that_the_library_does_not_turn_into_floats_are_refused_by_their_name(tmp_path):
    write_other(tmp_path / "a.gguf", embedding=np.int8)
    with pytest.raises(InputError, match=r"holds token_embd.weight as I8, which cannot be read"):
        GgufFile(tmp_path / "a.gguf").read("model.embed_tokens.weight")


def test_a_tokenizer_that_cannot_be_rebuilt_or_is_missing_is_refused(tmp_path):
    write_other(tmp_path / "a.gguf")
    with pytest.raises(InputError, match="has no tokenizer"):
        tokenizer_file(GgufFile(tmp_path / "a.gguf"))
    write_other(tmp_path / "b.gguf", tokenizer__ggml__model="llama")
    with pytest.raises(InputError, match="the tokenizer llama, which cannot be rebuilt"):
        tokenizer_file(GgufFile(tmp_path / "b.gguf"))
    write_other(tmp_path / "c.gguf", tokenizer__ggml__model="gpt2", tokenizer__ggml__pre="qwen2")
    with pytest.raises(InputError, match="cuts text as qwen2 does"):
        tokenizer_file(GgufFile(tmp_path / "c.gguf"))


def test_a_cut_without_a_name_in_llama_cpp_is_refused():
    raw = codec_of("bpe").tokenizer.json.replace(b'"individual_digits":true', b'"individual_digits":false')
    with pytest.raises(InputError, match=r"has no name in llama.cpp"):
        gguf_vocabulary(raw, size=300, start=0, end=0, template=None)
