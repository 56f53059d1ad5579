"""Real architectures from transformers' configurations, with random weights: small here, as published for the slow tests."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import transformers
from torch import nn

transformers.logging.set_verbosity_error()


class Real(NamedTuple):
    family: str
    small: Callable[[], nn.Module]
    full: Callable[[], nn.Module]
    batch: Callable[[], dict[str, Any]]


def _tokens() -> dict[str, Any]:
    ids = torch.randint(0, 90, (2, 8))
    return {"input_ids": ids, "labels": ids}


def _images(size: int) -> Callable[[], dict[str, Any]]:
    return lambda: {"pixel_values": torch.randn(2, 3, size, size), "labels": torch.tensor([0, 1])}


_TINY: dict[str, Any] = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
REAL = {
    "bert": Real(
        "transformer-lm",
        lambda: transformers.BertForMaskedLM(transformers.BertConfig(**_TINY, vocab_size=100)),
        lambda: transformers.BertForMaskedLM(transformers.BertConfig()),
        _tokens,
    ),
    "gpt2": Real(
        "transformer-lm",
        lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=100, n_positions=32)),
        lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config()),
        _tokens,
    ),
    "vit": Real(
        "vision-transformer",
        lambda: transformers.ViTForImageClassification(transformers.ViTConfig(**_TINY, image_size=32, patch_size=8)),
        lambda: transformers.ViTForImageClassification(transformers.ViTConfig()),
        _images(32),
    ),
    "resnet": Real(
        "cnn",
        lambda: transformers.ResNetForImageClassification(
            transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
        ),
        lambda: transformers.ResNetForImageClassification(transformers.ResNetConfig()),
        _images(32),
    ),
    "t5": Real(
        "transformer-lm",
        lambda: transformers.T5ForConditionalGeneration(
            transformers.T5Config(num_layers=2, d_model=32, d_kv=16, d_ff=64, num_heads=2, vocab_size=100, decoder_start_token_id=0)
        ),
        lambda: transformers.T5ForConditionalGeneration(transformers.T5Config(decoder_start_token_id=0)),
        _tokens,
    ),
    "llama": Real(
        "transformer-lm",
        lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**_TINY, vocab_size=100, num_key_value_heads=1)),
        lambda: transformers.LlamaForCausalLM(
            transformers.LlamaConfig(
                hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12, tie_word_embeddings=True
            )
        ),
        _tokens,
    ),
}


def frozen_but_lora(model: nn.Module) -> nn.Module:
    """The model as LoRA leaves it: everything frozen but two narrow matrices beside each linear layer."""
    for p in model.parameters():
        p.requires_grad_(False)
    for m in list(model.modules()):
        if isinstance(m, nn.Linear):
            m.lora_A = nn.Linear(m.in_features, 2, bias=False)
            m.lora_B = nn.Linear(2, m.out_features, bias=False)
            m.register_forward_hook(lambda m, args, out: out + m.lora_B(m.lora_A(args[0])))
    return model
