"""The other side of the training benchmark: TRL's SFTTrainer, one micro-batch for every line on standard input.

Completion-only loss, gradient checkpointing off, LoRA on all linear layers with the same rank. `pages` gives the
process Tunesmith's allocator settings, `liger` its layers Liger's kernels; everything else is as TRL brings it.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

from sides import answer, finish, orders
from training_rows import CASES, conversations
from tunesmith.core.memory import peak

IGNORED = -100  # transformers' label of a token that carries no loss


class Clock(TrainerCallback):
    """Waits for an order before every micro-batch and reports behind it."""

    def __init__(self) -> None:
        self.labels = self.examples = self.tokens = 0
        self._orders = orders()
        self._started = 0.0

    def _wait(self) -> None:
        if next(self._orders, None) is None:
            sys.exit(0)
        self._started = time.perf_counter()

    def _report(self) -> None:
        finish()
        answer(
            seconds=time.perf_counter() - self._started,
            examples=self.examples,
            labels=self.labels,
            tokens=self.tokens,
            memory=peak(),
        )
        self._wait()

    def on_train_begin(self, *args: object, **others: object) -> None:
        answer(dtype=str(others["model"].dtype).removeprefix("torch."))
        self._wait()

    def on_substep_end(self, *args: object, **others: object) -> None:
        self._report()

    def on_step_end(self, *args: object, **others: object) -> None:
        self._report()


def count(trainer: SFTTrainer, clock: Clock) -> None:
    """Note what every micro-batch holds, and change nothing."""
    step = trainer.training_step

    def counted(model, inputs, *args, **others):
        clock.examples = len(inputs["input_ids"])
        clock.labels = int((inputs["labels"] != IGNORED).sum())
        clock.tokens = inputs["input_ids"].numel()
        return step(model, inputs, *args, **others)

    trainer.training_step = counted


def main(case_name: str, model_folder: str, step_count: str, micro_size: str, dtype: str, how: str) -> None:
    if how == "pages":
        from tunesmith.engines.local.loading import prepare_process

        prepare_process()
    case, folder, steps, micro = CASES[case_name], Path(model_folder), int(step_count), int(micro_size)
    rows = [{"prompt": c[:-1], "completion": c[-1:]} for c in conversations(case_name, case.batch_size * steps)]
    with tempfile.TemporaryDirectory() as out:
        settings = SFTConfig(
            output_dir=out,
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=case.batch_size // micro,
            num_train_epochs=1,
            learning_rate=1e-4,
            bf16=dtype == "bfloat16",
            gradient_checkpointing=False,
            completion_only_loss=True,
            max_length=None,
            use_liger_kernel=how == "liger",
            use_cpu=not torch.cuda.is_available(),
            disable_tqdm=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            train_sampling_strategy="sequential",  # the rows of the other side, in the same order
            seed=0,
        )
        trainer = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)),
            args=settings,
            train_dataset=Dataset.from_list(rows),
            processing_class=AutoTokenizer.from_pretrained(folder),
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        )
        clock = Clock()
        count(trainer, clock)
        trainer.add_callback(clock)
        trainer.train()
