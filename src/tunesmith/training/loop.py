"""The loop: batches in a seeded order, one optimiser step each, validation by the task's own metric, early stopping.

Everything that a step depends on is a function of the recipe and the step's number, so a run that was stopped
anywhere goes on to the same weights, bit for bit, on the same machine.
"""

import math
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tunesmith.core.errors import DivergedError
from tunesmith.core.memory import peak
from tunesmith.models.renderer import Renderer
from tunesmith.training.batches import Batch, Extent, extents, laid_out
from tunesmith.training.checkpoint import Checkpoints, Progress
from tunesmith.training.epochs import Epochs
from tunesmith.training.events import EventLog
from tunesmith.training.general import SHORT
from tunesmith.training.graphs import gradients
from tunesmith.training.job import Job
from tunesmith.training.methods import Policy
from tunesmith.training.objectives import Supervised
from tunesmith.training.optimiser import adamw
from tunesmith.training.preference import Preference, refer
from tunesmith.training.processes import Alone
from tunesmith.training.rows import Row
from tunesmith.training.section import TrainSection
from tunesmith.training.validation import Rows, Standing, elsewhere, evaluating, portions, validate

FEW_STEPS = 4  # in a shorter run one more step, to measure the time, is worth mentioning
OFTEN = 20  # steps for each of which the measuring is tried once more, up to
TRIES = 3


class InterruptedRun(Exception):  # noqa: N818  (an orderly end, not an error)
    """The run was asked to stop and stands in its checkpoint."""


class Loop:
    """One run: what it works on, and where it stands."""

    def __init__(
        self,
        job: Job,
        rows: Rows,
        model: Policy,
        renderer: Renderer,
        checkpoints: Checkpoints,
        processes: Alone | None = None,
    ):
        self.job, self.rows, self.recipe = job, rows, job.recipe
        self.model, self.renderer, self.checkpoints = model, renderer, checkpoints
        self.processes = processes or Alone()
        recipe = job.recipe
        self.device = model.device
        self.parameters = model.parameters()
        self.optimizer = adamw(self.parameters, recipe)
        self.objective = Preference(recipe.beta) if recipe.objective == "dpo" else Supervised()
        self.gradients = gradients(model, self.objective, recipe, self.processes.count)
        self.epochs = Epochs(rows.train, rows.general.rehearsed, recipe)
        self.steps = self.epochs.steps
        self.every = max(1, self.epochs.per_epoch // recipe.evaluations_per_epoch)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}

    def refer(self, log: EventLog, first: bool) -> None:
        """What pairs are compared with: the policy as it is now, before the first step; `first`: of one batch alone."""
        if not isinstance(self.objective, Preference):
            return
        pairs = self.epochs.batch(0) if first else [*self.rows.train, *self.rows.pairs]
        log.write("note", message=f"The reference's answers to {len(pairs) // 2:,} pairs are weighed once.")
        with evaluating(self.model):
            self.objective.reference = self.processes.judge(lambda: refer(self.model, self._laid_out(pairs).packed))

    def resume(self) -> None:
        self.progress, self.best = self.checkpoints.restore(self.model, self.optimizer, self.processes.ask)

    def run(self, log: EventLog, should_stop: Callable[[], bool], looks: int | None = None) -> bool:
        """Train from where the run stands to its end, or until `looks` validations were made; whether it is at its end.

        Raises InterruptedRun, DivergedError, OSError.
        """
        saved = time.monotonic()
        self._look_at_general()
        while not self._at_end() and (looks is None or self.progress.step < looks * self.every):
            self._step(log)
            if self.progress.step % self.every == 0 or self.progress.step == self.steps:
                self._evaluate(log)
            stop = self.processes.agree(should_stop())
            if stop or time.monotonic() - saved >= self.recipe.checkpoint_seconds:
                self._save(log)
                saved = time.monotonic()
            if stop:
                raise InterruptedRun
        if looks is not None:
            self._save(log)
        return self._at_end()

    def _at_end(self) -> bool:
        return self.progress.step >= self.steps or self.progress.stopped_early

    def _save(self, log: EventLog) -> None:
        if self.processes.main:
            self.checkpoints.save(self.progress, self.model, self.optimizer, self.best)
        log.write("checkpoint", step=self.progress.step)

    def _step(self, log: EventLog) -> None:
        started, step = time.perf_counter(), self.progress.step
        batch = self._batch(step)
        rate = self.learning_rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.processes.seed(self.recipe.seed, step)  # dropout, where there is any
        self.model.train()
        own = [self.gradients.add(batch), batch.tokens, *self.objective.sums()]
        loss, tokens, *sums = self.processes.total(self.parameters, own)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.max_grad_norm).item()
        self._refuse_not_finite(loss, norm, step, rate, batch)
        self.optimizer.step()
        self.gradients.clear()
        self.progress.step += 1
        self.progress.losses.append(loss)
        self.progress.examples += len(batch.rows) // self.recipe.together
        self.progress.seconds += time.perf_counter() - started
        log.write(
            "step",
            step=self.progress.step,
            steps=self.steps,
            epoch=round(self.progress.step / self.epochs.per_epoch, 4),
            loss=loss,
            learning_rate=rate,
            grad_norm=norm,
            tokens=round(tokens),
            label_tokens=sum(row.labels for row in batch.rows),
            examples=len(batch.rows) // self.recipe.together,
            shared_tokens=max(0, batch.shared + batch.tokens - round(tokens)),
            seconds=round(self.progress.seconds, 3),
            **self.objective.figures(sums),
        )

    def _batch(self, step: int) -> Batch:
        """All rows of the step's batch, and this process's part of them laid out."""
        rows = self.epochs.batch(step)
        own = self._laid_out(self.processes.share(rows, self.recipe.together))
        few = rows[: self.recipe.together]
        return Batch(tuple(rows), self.processes.even(own.packed, lambda: self._laid_out(few).packed[0]))

    def _laid_out(self, rows: Sequence[Row]) -> Batch:
        return laid_out(rows, self.device, self.recipe, self.recipe.together)

    def expected_seconds(self, packed: Sequence[Extent]) -> float:
        """Time of the whole run, from forward and backward of its first batch (in a very short run of two of its rows).

        The quickest of a few tries counts: what else the machine does makes one slower, nothing makes one faster. No
        weight and no gradient changes. `packed` are the packed rows of an epoch.

        A look at the validation rows costs two forward passes over them, for the loss and for the answers; general
        text one, and general questions one with their answers.
        """
        batch = self._batch(0)
        small = self._laid_out(batch.rows[: 2 * self.recipe.together])
        timed = batch if self.steps >= FEW_STEPS else small
        self.model.train()
        self._seconds(small)  # memory is fetched and kernels are chosen
        if layouts := self.gradients.layouts(packed):
            alone = self._seconds(timed)
            recording = layouts * (alone + self._seconds(timed))  # which is recorded the second time
            again = self._seconds(timed)
        else:
            alone = again = min(self._seconds(timed) for _ in range(min(TRIES, 1 + self.steps // OFTEN)))
            recording = 0.0
        self.gradients.clear()
        self.objective.sums()  # of no step
        looks = self.steps // self.every + (self.steps % self.every > 0)
        validation, general = map(self._tokens, (self.rows.validation, self.rows.general.watched))
        general += sum(len(each.prompt) + SHORT for each in self.rows.general.asked)
        tokens = max(1, timed.tokens)
        looked_at = (looks * (2 * validation + general) + general) * _forward(self.recipe)
        return again / tokens * self.steps * batch.tokens + alone / tokens * looked_at + recording

    def _seconds(self, batch: Batch) -> float:
        started = time.perf_counter()
        self.gradients.add(batch)
        return time.perf_counter() - started

    def _tokens(self, rows: Sequence[Row]) -> int:
        """That a look computes."""
        portioned = [extents(portion, self.recipe.sharing, self.recipe.packed_tokens) for portion in portions(rows)]
        return sum(extent.tokens for packed in portioned for extent in packed)

    def learning_rate(self, step: int) -> float:
        """Linear warm-up over the first share of the steps, then linear decay to zero after the last."""
        warmup = max(1, round(self.steps * self.recipe.warmup_ratio)) if self.recipe.warmup_ratio else 0
        if step < warmup:
            return self.recipe.learning_rate * (step + 1) / warmup
        return self.recipe.learning_rate * (self.steps - step) / max(1, self.steps - warmup)

    def _look_at_general(self) -> None:
        """Before the first step: what later looks are compared with."""
        if self.progress.step == 0:
            look = self.processes.judge(lambda: elsewhere(self.model, self.renderer, self.recipe, self.rows))
            self.progress.general_loss, self.progress.general_score = look

    def _evaluate(self, log: EventLog) -> None:
        started = time.perf_counter()
        best = self.progress.best
        self.processes.refuse_drift(self.parameters)
        standing = self.processes.judge(
            lambda: validate(self.model, self.renderer, self.job, self.rows, self.objective)
        )
        if not math.isfinite(standing.loss):
            raise DivergedError(
                f"Training stopped after step {self.progress.step}: validation loss {standing.loss} is not finite. "
                f"Learning rate {self.learning_rate(self.progress.step - 1):.3g}. Lower [train] learning_rate, or "
                "look at the validation rows."
            )
        better = standing.better_than(Standing(best["value"], best["loss"]) if best else None)
        if better:
            self.best = self.model.weights()
            self.progress.best = {
                "step": self.progress.step,
                "metric": self.job.primary,
                "value": standing.value,
                "loss": standing.loss,
                "general_loss": standing.elsewhere.loss,
                "general_score": standing.elsewhere.score,
            }
        self.progress.stale = 0 if better else self.progress.stale + 1
        self.progress.stopped_early = self.progress.stale >= self.recipe.patience and self.progress.step < self.steps
        self.progress.seconds += time.perf_counter() - started
        log.write(
            "validation",
            step=self.progress.step,
            steps=self.steps,
            loss=standing.loss,
            metric=self.job.primary,
            value=standing.value,
            best=better,
            general_loss=standing.elsewhere.loss,
            general_before=self.progress.general_loss,
            general_score=standing.elsewhere.score,
            general_score_before=self.progress.general_score,
            preferred=standing.preferred,
            perplexity=math.exp(min(standing.loss, 700.0)),
            train_loss=self.progress.mean_loss(),
            memory=peak(),
        )
        self.progress.losses = []

    def _refuse_not_finite(self, loss: float, norm: float, step: int, rate: float, batch: Batch) -> None:
        if math.isfinite(loss) and math.isfinite(norm):
            return
        what = f"loss {loss}" if not math.isfinite(loss) else f"gradient norm {norm}"
        raise DivergedError(
            f"Training stopped at step {step + 1}: {what} is not finite. Learning rate {rate:.3g}, rows "
            f"{', '.join(row.id for row in batch.rows)}. Lower [train] learning_rate, or look at those rows."
        )

    def summary(self) -> dict[str, object]:
        """The fields of the `done` event."""
        seconds = max(self.progress.seconds, 1e-9)
        return {
            "steps": self.progress.step,
            "seconds": round(self.progress.seconds, 3),
            "examples_per_second": round(self.progress.examples / seconds, 4),
            "memory": peak(),
            "stopped_early": self.progress.stopped_early,
            "best": self.progress.best,
            "general_before": self.progress.general_loss,
            "general_score_before": self.progress.general_score,
        }


def _forward(recipe: TrainSection) -> float:
    """The share of a step's time that is its forward pass: backward takes twice as long where every weight is trained,
    half as long again where few are; what is not kept is computed once more."""
    backward = 2.0 if recipe.method == "full" else 1.5
    return 1 / (1 + backward + recipe.gradient_checkpointing)
