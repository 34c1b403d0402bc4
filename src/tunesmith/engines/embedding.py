"""MiniLM: texts → unit vectors whose dot product is their similarity in meaning.

all-MiniLM-L6-v2 as its authors run it: BERT, at most 256 tokens of a text (its `sentence_bert_config.json`; the rest
is not read), the mean of the token vectors under the attention mask, length one. Texts of like length share a batch,
so that little is padded; padding is masked, so a text's vector does not depend on its neighbours (to 1e-5).
"""

# Axes: B texts of a batch, T tokens, H hidden size (384).

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Encoding, Tokenizer
from transformers import BertConfig, BertModel

from tunesmith.models.store import open_model

MODEL = "all-minilm-l6-v2"
BATCH_TOKENS = 4096  # padded tokens of one batch: full cores, little memory


class MiniLM:
    """Implements `engines.base.Embedder`."""

    def __init__(self) -> None:
        files = open_model(MODEL)
        self.digest = files.digest
        limit = json.loads((files.folder / "sentence_bert_config.json").read_text(encoding="utf-8"))["max_seq_length"]
        self._tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
        self._tokenizer.no_padding()  # the file asks for 128 tokens, padded: the settings of another export
        self._tokenizer.enable_truncation(limit)
        self._model = _bert(files.folder)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit vector per text, in order."""
        encodings = self._tokenizer.encode_batch([_clean(text) for text in texts])
        vectors: list[list[float]] = [[]] * len(texts)
        for batch in _batches(encodings):
            for index, vector in zip(batch, self._forward([encodings[index] for index in batch]), strict=True):
                vectors[index] = vector
        return vectors

    @torch.inference_mode()
    def _forward(self, encodings: list[Encoding]) -> list[list[float]]:
        width = max(len(encoding.ids) for encoding in encodings)
        tokens_BT = torch.zeros(len(encodings), width, dtype=torch.long)
        mask_BT = torch.zeros(len(encodings), width, dtype=torch.long)
        for row, encoding in enumerate(encodings):
            tokens_BT[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
            mask_BT[row, : len(encoding.ids)] = 1
        states_BTH = self._model(input_ids=tokens_BT, attention_mask=mask_BT).last_hidden_state
        mask_BT1 = mask_BT[..., None].float()
        mean_BH = (states_BTH * mask_BT1).sum(1) / mask_BT1.sum(1)
        vectors: list[list[float]] = torch.nn.functional.normalize(mean_BH, dim=1).tolist()
        return vectors


def _bert(folder: Path) -> BertModel:
    """Built by hand, because `from_pretrained` prints a progress bar and a report about the pooler we leave out."""
    config = BertConfig.from_json_file(folder / "config.json")
    model = BertModel(config, add_pooling_layer=False)
    states = load_file(folder / "model.safetensors")
    wanted = model.state_dict().keys()
    model.load_state_dict({name: states[name] for name in states if name in wanted})
    model.requires_grad_(False)
    model.train(False)
    return model


def _batches(encodings: list[Encoding]) -> Iterator[list[int]]:
    """Indices, shortest texts first, in batches of at most BATCH_TOKENS padded tokens."""
    batch: list[int] = []
    for index in sorted(range(len(encodings)), key=lambda index: len(encodings[index].ids)):
        if batch and (len(batch) + 1) * len(encodings[index].ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _clean(text: str) -> str:
    """Lone surrogates have no UTF-8, which the tokenizer needs."""
    return text.encode("utf-8", "replace").decode()
