"""What a project shows about its task: rows, scores on validation rows, the verdict, the facts in its answers.

The ledger and the files of the project are read; nothing is measured, no model is loaded and no look is spent. Of the
sealed rows only their number is taken, from the seal.
"""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from tunesmith.candidates.base import read_card
from tunesmith.candidates.cascade import KIND as CASCADE
from tunesmith.core.errors import DataError, SealError
from tunesmith.core.example import Example
from tunesmith.core.run import Run
from tunesmith.core.scorecard import Scorecard
from tunesmith.data.checks.facts import unstated
from tunesmith.data.grounded import Grounds
from tunesmith.data.passages import files_of, read
from tunesmith.decisions import diagnosis_words
from tunesmith.decisions.evidence import Evidence, Fault, Part, Rows, Said, Score, Verdicted
from tunesmith.decisions.plan import assumed, plan
from tunesmith.decisions.power import level_of
from tunesmith.evaluation import seal as seals
from tunesmith.evaluation.seal import rows_digest
from tunesmith.tasks.families import SPARED, is_scored
from tunesmith.tasks.stated import KINDS, meanings
from tunesmith.workflows import candidates, runs
from tunesmith.workflows.candidates import Entry, model_of
from tunesmith.workflows.diagnoses import KEPT, of_now
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import read_sources, read_split
from tunesmith.workflows.status import Step, verdict_run

WORTH = 0.05  # above the least gain that is worth a fine-tune
FEWEST, LOOKED = 20, 5_000  # answers that are looked at for facts: fewer say nothing of a share, more no more


class Divided(NamedTuple):
    """The rows that may be looked at; without a split, those of the sources that no seal hides."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    split: bool


def divided(project: Project) -> Divided | None:
    """None where there is no row yet. Raises DataError where a file cannot be read."""
    if project.train_file.is_file() and project.validation_file.is_file():
        train, validation = read_split(project)
        return Divided(train, validation, split=True)
    if not project.sources():
        return None
    rows = tuple(row for reading in read_sources(project) for row in reading.examples)
    return Divided(rows, (), split=False) if rows else None


def gather(project: Project, rows: Divided | None, said: Said) -> Evidence:
    """All that is known without measuring."""
    rules, family = project.config.rules, project.config.task.family
    bare = Evidence(
        family=family,
        primary=rules.primary,
        effect=None if rules.primary in SPARED else rules.least_share,
        target=rules.target,
        base=project.config.model.base,
        draft=project.prompt_untouched,
        said=said,
    )
    if rows is None:
        return bare
    scores, tuned = _scores(project, rows.validation)
    best = max((each.value for each in scores if each.value is not None), default=None)
    sealed, verdict = _sealed(project), verdict_run(project)
    return bare.model_copy(
        update={
            "rows": Rows(train=len(rows.train), validation=len(rows.validation), sealed=sealed),
            "baselines": scores,
            "fine_tune": tuned,
            "verdict": _verdict(verdict),
            "faults": _faults(project, verdict),
            "documents": _has_documents(project),
            **_sight(project, sealed, best),
            **_facts(project, (*rows.train, *rows.validation)),
        }
    )


def _scores(project: Project, validation: Sequence[Example]) -> tuple[tuple[Score, ...], Score | None]:
    """Of the baselines, and of the fine-tune; what was not measured on these rows is left out."""
    made, tuned = candidates.baselines(project)[1], candidates.fine_tune(project)[1]
    if not validation or not made or not (project.state / "ledger.db").is_file():
        return (), None
    digest, primary = rows_digest(validation), project.config.rules.primary
    with runs.open_ledger(project) as ledger:
        cards = {entry.digest: ledger.scorecard(entry.digest, digest) for entry in (*made, *tuned)}
    found = {
        entry.name: _score(project, entry, card, primary) for entry in (*made, *tuned) if (card := cards[entry.digest])
    }
    own = tuned[0].name if tuned else None
    return tuple(score for name, score in found.items() if name != own), found.get(own) if own else None


def _score(project: Project, entry: Entry, card: Scorecard, primary: str) -> Score:
    known = card.metrics.get(primary)
    figures = known.model_dump(exclude={"n"}) if known else {"value": None}
    return Score(name=entry.name, kind=entry.kind, n=card.rows, model=model_of(project, entry), **figures)


def models_of(project: Project, digest: str) -> list[str]:
    """The models that a candidate asks: its own, or those of both halves of a cascade."""
    card = read_card(project.artifacts / digest)
    halves = [str(card.config[half]) for half in ("first", "then")] if card.kind == CASCADE else []
    own = [str(card.config["model"])] if card.config.get("model") else []
    return own + [model for half in halves for model in models_of(project, half)]


def _verdict(run: Run | Step) -> Verdicted | None:
    if not isinstance(run, Run):
        return None
    result = run.result
    return Verdicted(
        verdict=result["verdict"],
        candidate=result["candidate"],
        baseline=result["baseline"],
        reason=next(iter(result.get("reasons", ())), ""),
        more_rows=result.get("more_rows"),
        by_fault=result["verdict"] == "reject" and result.get(KEPT) is not None,  # not asked where scores reject
    )


def _faults(project: Project, verdict: Run | Step) -> tuple[Fault, ...]:
    """Of the fine-tune of now, where it was diagnosed."""
    found = of_now(project, verdict)
    if found is None:
        return ()
    stopping = diagnosis_words.stopping(found, project.config.rules.tolerated)
    return tuple(
        Fault(
            probe=each.probe,
            sentence=diagnosis_words.sentence(each),
            remedies=diagnosis_words.remedies(found.remedies.get(each.probe, ())),
            command=next((one.command for one in found.remedies.get(each.probe, ()) if one.command), ""),
        )
        for each in stopping
    )


def _sealed(project: Project) -> int:
    try:
        return seals.read_seal(project.lock_file).rows
    except SealError:
        return 0


def _sight(project: Project, sealed: int, best: float | None) -> dict[str, Any]:
    """The gain that would ship on the sealed rows, and the rows for one of WORTH points above the least one; by what is
    assumed where nothing is compared yet."""
    rules = project.config.rules
    if rules.primary in SPARED or rules.least_share is None:
        return {}
    scored = is_scored(rules.primary)
    noise = assumed(scored=scored, accuracy=None if scored or best in (0.0, 1.0) else best)
    gain = rules.min_effect + WORTH
    needed = noise.rows(gain, rules.min_effect, level_of(1))
    seen = plan(rules, noise, level=level_of(1), rows=sealed, slices={}).gain if sealed else None
    return {"detectable": seen, "needed": None if needed is None else (gain, needed)}


def _has_documents(project: Project) -> bool:
    return project.documents.is_dir() and bool(files_of(project.documents))


def _facts(project: Project, rows: Sequence[Example]) -> dict[str, Part]:
    """Of free text and records: answers with facts that change, and answers that stand in the documents."""
    if project.family.LABELLED or project.config.task.family == "multi_label" or len(rows) < FEWEST:
        return {}
    rows = drawn(rows, LOOKED)
    found = {"facts": _changing(project, rows)}
    if _has_documents(project) and project.config.task.family == "generation":
        try:
            grounds = Grounds(read(project.documents, project.config.baselines.documents))
        except DataError:
            return found
        stand = [each for row in rows if (each := grounds.stands(row)) is not None]
        if len(stand) >= FEWEST:
            found["grounded"] = Part(count=sum(stand), of=len(rows), what="answers that stand in the documents")
    return found


def drawn(rows: Sequence[Example], most: int) -> list[Example]:
    """At most that many, the same ones every time, by what they say."""
    ordered = sorted(rows, key=lambda row: row.id)
    return ordered if len(ordered) <= most else random.Random(0).sample(ordered, most)  # noqa: S311  (a sample)


def _changing(project: Project, rows: Sequence[Example]) -> Part:
    prompt = {kind.name: meanings(kind, project.prompt) for kind in KINDS}
    kinds: dict[str, int] = {}
    count = 0
    for row in rows:
        new = [kind.words[1] for kind in KINDS if unstated(row, kind, prompt[kind.name])]
        count += bool(new)
        for words in new:
            kinds[words] = kinds.get(words, 0) + 1
    named = sorted(kinds, key=lambda words: -kinds[words])[:2]
    return Part(count=count, of=len(rows), what=" and ".join(named))
