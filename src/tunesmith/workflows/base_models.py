"""`tunesmith advise --models`: base models by what the task needs, what this machine holds, what they cost and what
their licences allow; those that the project has measured stand first, with their figures.

Nothing is fetched. Tokens are counted as four letters each, which is near enough to tell which model fits.
"""

from collections.abc import Sequence

from tunesmith.core import bfloat16, memory
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.units import money, roughly, share, size
from tunesmith.data.checks.lengths import Epoch
from tunesmith.data.spread import spread
from tunesmith.decisions.base_models import DAY, Machine, Needs, Ranked, Tried, best_untried, find
from tunesmith.decisions.base_models import rank as ranked
from tunesmith.evaluation.seal import rows_digest
from tunesmith.tasks.families import SPARED
from tunesmith.training import processor
from tunesmith.workflows import candidates, licences, runs, tables
from tunesmith.workflows.candidates import model_of
from tunesmith.workflows.evidence import divided
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import command, next_command

LETTERS = 4  # of a token
UNKNOWN = Needs(epoch=None, longest=512, reads=256, writes=64, labelled=True)  # without rows
METHODS = {"qlora": "by QLoRA", "no": "no card", "not known": "a GPU"}  # else the card that it needs
SOLD = {"yes": "yes", "yes, with terms": "terms", "no": "no", "not known": "?"}  # whether commercial use is allowed
SHOWN = 14  # models of the table; --json has them all


class ModelsOutcome(Outcome):
    project: str | None
    machine: Machine
    needs: Needs
    models: tuple[Ranked, ...]


def rank(project: Project | None, console: Console) -> ModelsOutcome:
    """The table, best choice first."""
    rows = divided(project) if project is not None else None
    everyone = (*rows.train, *rows.validation) if rows else ()
    needs = _needs(project, everyone) if project is not None and everyone else UNKNOWN
    tried = _tried(project, rows.validation) if project is not None and rows and rows.split else {}
    own = {name: licences.licence_of(project, name) for name in tried} if project is not None else {}
    machine = _machine()
    found = ranked(machine, needs, tried, own)
    best = best_untried([each for each in found if not _is_base(project, each)])
    outcome = ModelsOutcome(
        project=str(project.folder) if project is not None else None,
        machine=machine,
        needs=needs,
        models=tuple(found),
        next=_next(project, best),
    )
    _tell(console, outcome, project)
    return outcome


def _is_base(project: Project | None, each: Ranked) -> bool:
    same = None if project is None else find(project.config.model.base)
    return same is not None and same.name == each.name


def _machine() -> Machine:
    gpu = processor.has_gpu()
    width = 2 if gpu or bfloat16.is_fast() else 4
    return Machine(memory=None if gpu else memory.available(), products=processor.products(), width=width, gpu=gpu)


def _needs(project: Project, rows: Sequence[Example]) -> Needs:
    """By the letters of prompt, messages and answers."""
    prompt = len(project.prompt) // LETTERS
    reads = spread(len(row.text) // LETTERS for row in rows)
    writes = spread(max(1, len(row.expected) // LETTERS) for row in rows)
    tokens = sum((len(row.text) + len(row.expected)) // LETTERS + 1 for row in rows)
    labels = sum(max(1, len(row.expected) // LETTERS) for row in rows)
    trained = len(project.train_prompt) // LETTERS
    return Needs(
        epoch=Epoch(len(rows), tokens + trained * len(rows), labels, trained, exact=False),
        longest=prompt + reads.longest + writes.longest,
        reads=reads.median,
        writes=0 if project.family.LABELLED else writes.median,
        labelled=project.family.LABELLED or project.config.task.family == "multi_label",
        hourly=project.config.prices.per_hour,
    )


def _tried(project: Project, validation: Sequence[Example]) -> dict[str, Tried]:
    """The models of the project's candidates, each with the candidate that did best on validation rows."""
    made = [*candidates.baselines(project)[1], *candidates.fine_tune(project)[1]]
    if not made or not (project.state / "ledger.db").is_file():
        return {}
    digest, primary = rows_digest(validation), project.config.rules.primary
    found: dict[str, Tried] = {}
    with runs.open_ledger(project) as ledger:
        for entry in made:
            model, card = model_of(project, entry), ledger.scorecard(entry.digest, digest)
            if model is None or card is None:
                continue
            estimate = card.metrics.get(primary)
            value = None if estimate is None or estimate.value is None else estimate.value
            value = -value if value is not None and primary in SPARED else value
            new = Tried(candidate=entry.name, value=value, seconds=card.seconds / max(card.rows, 1))
            if model not in found or new.rank > found[model].rank:
                found[model] = new
    return found


def _next(project: Project | None, best: Ranked | None) -> str:
    if project is None:
        return "tunesmith init tickets --from messages.csv"
    if best is None or not project.train_file.is_file():
        return next_command(project)
    return command(project, f"baseline --set baselines.models='[\"{best.name}\"]'")


def _tell(console: Console, outcome: ModelsOutcome, project: Project | None) -> None:
    priced = outcome.needs.hourly is not None
    columns = [
        "model",
        "size",
        "licence",
        "sold?",
        "to train",
        "epoch",
        "answer",
        *(["1,000"] if priced else []),
    ]
    currency = project.config.prices.currency if project is not None else "$"
    rows = [_row(each, priced, currency) for each in outcome.models[:SHOWN]]
    console.table("Base models, best choice first", columns, rows)
    if more := len(outcome.models) - SHOWN:
        console.say(f"… and {more} more (--json lists all, with full names and the source of each licence)")
    primary = project.config.rules.primary if project is not None else ""
    for each in outcome.models:
        if each.tried is not None:
            console.say(_of_tried(each, primary))
    for name, words in _terms(outcome.models[:SHOWN]).items():
        console.say(f"{name}: {words}.")
    console.say(_words_of_machine(outcome.machine))
    needs = outcome.needs
    if needs.epoch is None:
        console.say(f"There are no rows here: reckoned with rows of {needs.longest} tokens, the smallest models first.")
    elif needs.labelled:
        console.say("Of those that fit, the smallest first: answers are labels.")
    else:
        console.say(
            f"Of those that fit, the largest that learns an epoch in {roughly(DAY)} first: answers are written."
        )


def _row(each: Ranked, priced: bool, currency: str) -> list[str]:
    train = "–" if each.training is None else size(each.training) if each.fits == "lora" else METHODS[each.fits]
    if each.fits in ("no", "not known") and each.card:
        train = f"{each.card} GB card"
    cells = [
        each.name.rpartition("/")[2].replace("-Instruct", "").replace("-instruct", ""),
        "–" if each.parameters is None else f"{each.parameters / 1e9:.2g} B",
        each.licence.short or each.licence.name,
        SOLD[each.licence.commercial],
        train,
        "–" if each.epoch_seconds is None else roughly(each.epoch_seconds),
        "–" if each.answer_seconds is None else _short(each.answer_seconds),
    ]
    return cells + ([money(each.cost_of_1000, currency) if each.cost_of_1000 is not None else "–"] if priced else [])


def _short(seconds: float) -> str:
    return roughly(seconds) if seconds >= 10 else tables.duration(seconds)


def _terms(models: Sequence[Ranked]) -> dict[str, str]:
    return {each.licence.name: each.licence.terms for each in models if each.licence.terms}


def _of_tried(each: Ranked, primary: str) -> str:
    assert each.tried is not None
    value = each.tried.value
    reached = "too few rows to say" if value is None else share(value) if primary not in SPARED else f"{-value:.3g}"
    same = find(each.name)
    of_table = f" ({same.name})" if same is not None and same.name != each.name else ""
    return (
        f"Measured here: {each.name}{of_table} as {each.tried.candidate} reaches {reached} on validation rows, at "
        f"{tables.duration(each.tried.seconds)} a row."
    )


def _words_of_machine(machine: Machine) -> str:
    speed = f"{machine.products / 1e9:,.0f} GFLOP/s of matrix products"
    if machine.gpu or machine.memory is None:
        return f"This machine has a GPU, whose memory and speed are not known here; its processor reaches {speed}."
    return (
        f"This machine has {size(machine.memory)} free and reaches {speed}; weights take {machine.width} bytes each. "
        "Memory is for a step of 1,024 tokens ([train] packed_tokens); times are right within a factor of two or three."
    )
