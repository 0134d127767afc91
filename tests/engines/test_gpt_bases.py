"""Bases: what is loaded is what was there, what is learned beside it is small, and what is no base is refused."""

from __future__ import annotations

import json
import shutil

import msgspec
import numpy as np
import pytest
import torch
from gpt_small import TEXT, LlamaCpp, Rows, learn, scores

from ilk.core.errors import Code, InputError, MachineError
from ilk.core.offers import Based
from ilk.core.plan import Budget, Plan
from ilk.core.spaces import Tokens
from ilk.engines.gpt.adapters import merge_adapters
from ilk.engines.gpt.bases import base_settings, open_base, open_pretrained
from ilk.engines.gpt.losses import next_token_losses
from ilk.engines.gpt.settings import sized

SPACE = Tokens(vocabulary=64, length=32, start=0, end=0)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A folder of transformers' own making: grouped heads, an untied head, a wide head size."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=128,
        rms_norm_eps=1e-4,
        rope_theta=5000.0,
        initializer_range=0.2,
    )
    model = LlamaForCausalLM(config)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data.uniform_(0.5, 1.5)
    folder = tmp_path_factory.mktemp("foreign")
    model.save_pretrained(folder)
    return folder, model


def built(path, dtype="float32", **more):
    base = open_base(str(path))
    plan = Plan(steps=4, dtype=dtype)
    engine = msgspec.structs.replace(base_settings(base, plan), **more).build(SPACE, {}, plan)
    engine.load_base(base)
    return engine


def difference(engine, peer):
    x = torch.arange(40)[None] % 64
    with torch.no_grad():
        return float((engine.model.logits(engine.model(x)) - peer(x).logits).abs().max())


def test_a_folder_of_transformers_gives_the_same_logits(foreign):
    folder, peer = foreign
    assert difference(built(folder), peer) < 1e-3


def test_weights_in_several_files_are_the_same(foreign, tmp_path):
    _, peer = foreign
    peer.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    assert difference(built(tmp_path), peer) < 1e-3


def test_an_older_config_means_the_same(foreign, tmp_path):
    folder, peer = foreign
    shutil.copytree(folder, tmp_path / "old")
    config = json.loads((folder / "config.json").read_text())
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["rope_scaling"] = None
    (tmp_path / "old" / "config.json").write_text(json.dumps(config))
    assert difference(built(tmp_path / "old"), peer) < 1e-3


def test_beside_a_base_only_adapters_are_learned_and_kept(foreign):
    folder, peer = foreign
    engine = built(folder, adapter=4, window=16)
    assert isinstance(engine, Based)
    assert difference(engine, peer) < 1e-3  # they add nothing at first
    frozen = {name: p.clone() for name, p in engine.model.named_parameters() if not p.requires_grad}
    rows = Rows({"x": np.random.default_rng(0).integers(0, 8, (50, 32)), "length": np.full(50, 32)})
    losses = learn(engine, rows, 60)
    assert losses[-1] < losses[0] - 1
    assert all(torch.equal(p, frozen[name]) for name, p in engine.model.named_parameters() if name in frozen)
    assert all(".adapter." in name for name in engine.weights())
    again = built(folder, adapter=4, window=16)
    again.load_weights(engine.weights())
    x = torch.arange(20)[None]
    with torch.no_grad():
        wanted = engine.at_best().logits(engine.at_best()(x))
        torch.testing.assert_close(again.model.logits(again.model(x)), wanted)
        merge_adapters(again.model)
        torch.testing.assert_close(again.model.logits(again.model(x)), wanted, atol=1e-4, rtol=1e-4)


def test_adapters_go_on_as_if_nothing_had_stopped_them(foreign):
    rows = Rows({"x": np.random.default_rng(0).integers(0, 8, (50, 32)), "length": np.full(50, 32)})
    whole, first, second = (built(foreign[0], adapter=4, window=16) for _ in range(3))
    learn(whole, rows, 6)
    budget, steps = Budget(Plan(steps=6)), 3
    for _ in first.steps(rows, budget):
        budget.advance()
        if budget.step == steps:
            break
    second.load_state(first.state())
    budget = Budget(Plan(steps=6), step=steps)
    for _ in second.steps(rows, budget):
        budget.advance()
    for name, array in whole.weights().items():
        np.testing.assert_array_equal(second.weights()[name], array, err_msg=name)


def test_a_frozen_base_is_kept_in_what_is_computed_in_and_adapters_in_float32(foreign):
    engine = built(foreign[0], dtype="bfloat16", adapter=4)
    matrices = {name: p for name, p in engine.model.named_parameters() if p.ndim == 2}
    assert {p.dtype for name, p in matrices.items() if ".adapter." in name} == {torch.float32}
    assert {p.dtype for name, p in matrices.items() if ".adapter." not in name} == {torch.bfloat16}


def test_without_adapters_all_weights_are_learned_from_the_base_on(foreign):
    folder, peer = foreign
    engine = built(folder)
    assert engine.settings.adapter == 0
    assert difference(engine, peer) < 1e-3
    assert {p.dtype for p in engine.learned.values()} == {torch.float32}
    assert len(engine.learned) == len(list(engine.model.parameters()))


def test_an_adapter_without_a_base_does_not_learn():
    engine = msgspec.structs.replace(sized(32, layers=1, batch=2, window=16), adapter=2).build(SPACE, {}, Plan(steps=1))
    with pytest.raises(InputError, match="An adapter is learned beside a base, and there is none"):
        learn(engine, Rows({"x": np.zeros((4, 16), int), "length": np.full(4, 16)}), 1)


@pytest.mark.parametrize("weighted", [False, True])
def test_losses_a_few_at_a_time_have_the_gradient_of_all_at_once(weighted, monkeypatch):
    monkeypatch.setattr("ilk.engines.gpt.losses.TOGETHER", 64 * 5)
    model = sized(32, layers=1, batch=2, window=16).build(SPACE, {}, Plan(steps=1)).model
    model.embedding.data.mul_(30)
    hidden, target = torch.randn(2, 9, 32), torch.randint(0, 64, (2, 9))
    weight = (torch.rand(2, 9) > 0.4).float() if weighted else torch.ones(2, 9)
    found = []
    for frozen in (False, True):
        model.head.requires_grad_(requires_grad=not frozen)
        given = hidden.clone().requires_grad_()
        loss = next_token_losses(model, given, target, weight if weighted else None) * weight
        (gradient,) = torch.autograd.grad((loss * torch.arange(18).view(2, 9)).sum(), given)
        found.append((loss.detach(), gradient))
    for ours, wanted in zip(*found, strict=True):
        torch.testing.assert_close(ours, wanted, atol=1e-5, rtol=1e-4)


def test_settings_that_do_not_fit_are_refused(foreign):
    base = open_base(str(foreign[0]))
    settings = msgspec.structs.replace(base_settings(base, Plan(steps=1)), layers=2)
    with pytest.raises(InputError, match="does not fit the settings: its layers is 3, theirs 2"):
        settings.build(SPACE, {}, Plan(steps=1)).load_base(base)
    space = msgspec.structs.replace(SPACE, vocabulary=65)
    with pytest.raises(InputError, match="its vocabulary is 64, theirs 65"):
        base_settings(base, Plan(steps=1)).build(space, {}, Plan(steps=1)).load_base(base)


BAD_CONFIGS = {
    "another type": (
        {"model_type": "mistral", "architectures": ["MistralForCausalLM"]},
        "describes a MistralForCausalLM",
    ),
    "no type": ({"model_type": None, "architectures": None}, "describes a None"),
    "another task": ({"architectures": ["LlamaForSequenceClassification"]}, "LlamaForSequenceClassification"),
    "scaled": ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, "scaled rotary positions"),
    "biases": ({"attention_bias": True}, "biases"),
    "gelu": ({"hidden_act": "gelu"}, "the activation gelu"),
    "quantised": ({"quantization_config": {"bits": 4}}, "quantised weights"),
    "a word for a size": ({"hidden_size": "many"}, "gives no usable hidden_size: 'many'"),
    "far too large": ({"num_hidden_layers": 10**12}, "gives no usable num_hidden_layers"),
    "other sizes": ({"num_hidden_layers": 4}, "lacks the tensor model.layers.3"),
    "fewer layers": ({"num_hidden_layers": 2}, "has the tensor model.layers.2"),
}


@pytest.mark.parametrize("case", BAD_CONFIGS)
def test_a_config_that_means_another_network_is_refused(case, foreign, tmp_path):
    change, says = BAD_CONFIGS[case]
    folder = tmp_path / "base"
    shutil.copytree(foreign[0], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(InputError) as caught:
        open_base(str(folder))
    assert says in caught.value.sentence


def broken(folder, what):
    if what == "pickle":
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    elif what == "nothing":
        (folder / "model.safetensors").unlink()
    elif what == "cut off":
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    elif what == "no config":
        (folder / "config.json").unlink()
    elif what == "damaged config":
        (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("pickle", "only pickled ones, and those can run any code"),
        ("nothing", "has no weights as safetensors"),
        ("cut off", "cut off or damaged"),
        ("no config", "neither a config.json nor an ilk.json"),
        ("damaged config", "is no JSON"),
    ],
)
def test_a_folder_of_no_use_is_refused_in_a_sentence(what, says, foreign, tmp_path):
    folder = tmp_path / "base"
    shutil.copytree(foreign[0], folder)
    broken(folder, what)
    with pytest.raises(InputError) as caught:
        open_base(str(folder))
    assert says in caught.value.sentence


def test_a_folder_without_a_tokenizer_is_no_base_of_text(foreign):
    with pytest.raises(InputError, match=r"has no tokenizer.json"):
        open_pretrained(open_base(str(foreign[0]))).tokenizer()


def test_a_path_that_is_not_there_and_a_name_that_is_none():
    with pytest.raises(InputError, match=r"There is no base models/x.gguf") as caught:
        open_base("models/x.gguf")
    assert caught.value.code == Code.SOURCE_MISSING
    with pytest.raises(InputError, match='There is no asset "smolm2"; did you mean "smollm2"'):
        open_base("smolm2")


def test_an_asset_that_was_not_fetched_is_named_with_the_line_that_gets_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ILK_HOME", str(tmp_path))
    with pytest.raises(MachineError, match=r"get it \(93 MB\) by: ilk models get smollm2") as caught:
        open_base("smollm2")
    assert caught.value.exit_code == 3


@pytest.fixture(scope="module")
def smol(smollm2):
    base = open_base("smollm2")
    engine = base_settings(base, Plan(steps=1)).build(
        Tokens(vocabulary=49152, length=64, start=0, end=0), {}, Plan(steps=1)
    )
    engine.load_base(base)
    return smollm2, base, engine


@pytest.mark.assets
def test_smollm2_reads_as_llama_cpp_does(smol):
    path, base, engine = smol
    from ilk.kinds.text.pretrained import base_codec

    assert base.licence == "Apache-2.0"
    tokenizer = base_codec(base, chat=False).tokenizer
    peer = LlamaCpp(path)
    for text in (TEXT, "To be, or not to be: 3 questions?\n\n\tŽluť 今天 😀", "def f(x):\n    return x ** 2\n"):
        assert tokenizer.encode([text])[0].tolist() == peer.tokens(text)
    off = []
    for text in ("The capital of France is", "Once upon a time there was a little", "Water boils at 100 degrees"):
        ids = tokenizer.encode([text])[0].tolist()
        ours = scores(engine, ids)[-1]
        off += [abs(logprob - float(ours[token])) for token, logprob in peer.next(ids).items()]
    # llama.cpp rounds what goes into a product with 4-bit weights to 8 bits; the weights are the same.
    assert np.mean(off) < 0.15
    ids = tokenizer.encode(["The capital of France is"])[0].tolist()
    assert tokenizer.decode([np.array([int(scores(engine, ids)[-1].argmax())])]) == [" Paris"]


@pytest.mark.assets
def test_smollm2_in_transformers_gives_the_same_logits(smol, tmp_path):
    from transformers import AutoModelForCausalLM

    from ilk.core.data import codec_bytes
    from ilk.core.offers import Export
    from ilk.kinds.text.pretrained import base_codec

    _, base, engine = smol
    codec = codec_bytes(base_codec(base, chat=True))
    engine.export(Export(format="hf", path=tmp_path / "hf", merge=True, codec=codec, facts={}))
    peer = AutoModelForCausalLM.from_pretrained(tmp_path / "hf", dtype=torch.float32)
    assert difference(engine, peer) <= 1e-3
