"""One side of the training benchmark: Tunesmith's own steps, one for every line on standard input."""

import time
from pathlib import Path

import torch

from sides import answer, finish, orders
from training_rows import CASES, conversations
from tunesmith.core.example import Message
from tunesmith.core.memory import peak
from tunesmith.models.renderer import Renderer
from tunesmith.training.batches import lay_out
from tunesmith.training.graphs import gradients
from tunesmith.training.methods import attach, load_base
from tunesmith.training.objectives import Supervised
from tunesmith.training.optimiser import adamw
from tunesmith.training.rows import answering
from tunesmith.training.section import TrainSection


def main(case_name: str, model_folder: str, step_count: str) -> None:
    case, folder, steps = CASES[case_name], Path(model_folder), int(step_count)
    renderer = Renderer(folder)
    rows = []
    for number, turns in enumerate(conversations(case_name, case.batch_size * steps)):
        messages = [Message(**turn) for turn in turns]
        rendered = renderer.render(messages[:-1], messages[-1].content)
        rows.append(answering(str(number), rendered.tokens, rendered.start))
    recipe = TrainSection(r=16, lora_alpha=32, learning_rate=1e-4)
    model = attach(load_base(folder, recipe), recipe, "benchmark")
    parameters, of_batch = model.parameters(), gradients(model, Supervised(), recipe, 1)
    optimizer = adamw(parameters, recipe)
    model.train()
    answer(dtype=str(model.dtype).removeprefix("torch."))
    for step, _ in enumerate(orders()):
        started = time.perf_counter()
        of = rows[step * case.batch_size : (step + 1) * case.batch_size]
        batch = lay_out(of, model.device)
        loss = of_batch.add(batch)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        of_batch.clear()
        finish()
        answer(
            seconds=time.perf_counter() - started,
            examples=len(of),
            labels=sum(row.labels for row in of),
            tokens=batch.tokens,
            loss=loss,
            memory=peak(),
        )
