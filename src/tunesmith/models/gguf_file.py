"""A GGUF file → the Hugging Face layout: config.json, model.safetensors (float32), tokenizer.json, chat template.

The Llama architecture with byte-level BPE is converted; anything else is refused by name. llama.cpp stores the query
and key projections with the two halves of each rotary pair interleaved; they are put back in the order that
transformers expects.
"""

from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from tunesmith.core.errors import ModelError
from tunesmith.core.files import write_json, write_text

CONTROL = 3  # token type of control tokens, and below that of unused ones
LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def convert(path: Path, folder: Path) -> None:
    """Write the model in `path` to `folder`. Raises ModelError for what it cannot convert exactly."""
    try:
        reader = GGUFReader(path)
    except (ValueError, IndexError, OSError) as error:
        raise ModelError(f"{path} is not a readable GGUF file: {error}") from None
    fields = {name: field.contents() for name, field in reader.fields.items()}
    architecture = fields.get("general.architecture")
    if architecture != "llama":
        raise ModelError(f"{path}: architecture {architecture!r} is not converted from GGUF; use its safetensors.")
    config = _config(fields, tied=all(tensor.name != "output.weight" for tensor in reader.tensors))
    tensors = {}
    for tensor in reader.tensors:
        weights = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        tensors[_name(tensor.name, path)] = _reorder(tensor.name, weights, config)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", config)
    _write_tokenizer(fields, path, folder)


def _config(fields: dict[str, Any], tied: bool) -> dict[str, Any]:
    heads = fields["llama.attention.head_count"]
    hidden = fields["llama.embedding_length"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(fields["tokenizer.ggml.tokens"]),
        "hidden_size": hidden,
        "intermediate_size": fields["llama.feed_forward_length"],
        "num_hidden_layers": fields["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": fields.get("llama.attention.head_count_kv", heads),
        "head_dim": fields.get("llama.attention.key_length", hidden // heads),
        "max_position_embeddings": fields["llama.context_length"],
        "rms_norm_eps": _short_float(fields["llama.attention.layer_norm_rms_epsilon"]),
        "rope_theta": fields.get("llama.rope.freq_base", 10000.0),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": tied,
        "bos_token_id": fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": fields.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": fields.get("tokenizer.ggml.padding_token_id"),
        "dtype": "float32",
    }


def _short_float(value: float) -> float:
    """The shortest decimal that rounds to the float32 in the file: 9.999999747378752e-06 is 1e-05."""
    return float(str(np.float32(value)))


def _name(name: str, path: Path) -> str:
    parts = name.removesuffix(".weight").split(".")
    if parts[0] == "blk" and len(parts) == 3 and parts[2] in LAYER:
        return f"model.layers.{parts[1]}.{LAYER[parts[2]]}.weight"
    if name.endswith(".weight") and len(parts) == 1 and parts[0] in TOP:
        return f"{TOP[parts[0]]}.weight"
    raise ModelError(f"{path}: tensor {name!r} has no place in a Llama model; use the model's safetensors instead.")


def _reorder(name: str, weights: Any, config: dict[str, Any]) -> Any:
    """Undo llama.cpp's interleaving of rotary halves: (heads, pair, 2, in) → (heads, 2, pair, in)."""
    kind = name.split(".")[-2]
    if kind not in ("attn_q", "attn_k"):
        return np.ascontiguousarray(weights)
    heads = config["num_attention_heads" if kind == "attn_q" else "num_key_value_heads"]
    rows, width = weights.shape
    pairs = weights.reshape(heads, rows // heads // 2, 2, width)
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(rows, width))


def _write_tokenizer(fields: dict[str, Any], path: Path, folder: Path) -> None:
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    types = fields["tokenizer.ggml.token_type"]
    if fields.get("tokenizer.ggml.model") != "gpt2" or fields.get("tokenizer.ggml.add_bos_token"):
        raise ModelError(f"{path}: only byte-level BPE tokenizers are converted from GGUF; use its safetensors.")
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = _pre_tokenizer(str(fields.get("tokenizer.ggml.pre")), path)
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        f"{role}_token": tokens[fields[key]]
        for role, key in (("bos", "tokenizer.ggml.bos_token_id"), ("eos", "tokenizer.ggml.eos_token_id"))
        if key in fields
    }
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})
    if template := fields.get("tokenizer.chat_template"):
        write_text(folder / "chat_template.jinja", template)


def _pre_tokenizer(kind: str, path: Path) -> Any:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if kind == "smollm":  # single digits, then GPT-2's pattern
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    if kind == "gpt-2":
        return byte_level
    patterns = {
        "llama-bpe": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    }
    if kind not in patterns:
        raise ModelError(f"{path}: pre-tokenizer {kind!r} is not known; use the model's safetensors instead.")
    split = pre_tokenizers.Split(Regex(patterns[kind]), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
