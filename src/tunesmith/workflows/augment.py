"""`tunesmith augment`: more rows from those there are, each with where it comes from, waiting for review.

Rows are made of training rows alone. What repeats a row, resembles one that is judged by, or fails a check is not
kept, and counted. Each row is on disk as soon as it is made, so a run that is stopped goes on where it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import DataError, UserError, nearest
from tunesmith.core.example import Example, Made, Message
from tunesmith.core.files import append_line, write_text
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console, Progress
from tunesmith.core.units import count
from tunesmith.data import augmenting, perturbing
from tunesmith.data.answers import answer_of
from tunesmith.data.augmenting import BACK, LANGUAGES, PAIR, STYLES, Gate, Instruction, reworded, said_pair
from tunesmith.data.canonical import canonical
from tunesmith.data.fields import RowError
from tunesmith.data.normal import normalise
from tunesmith.workflows import predict
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import guideline_text, read_made, standing
from tunesmith.workflows.rows import longest_allowed, read_eval, read_split
from tunesmith.workflows.split_record import changes
from tunesmith.workflows.status import command
from tunesmith.workflows.writer import Writer, teacher

KINDS = (*perturbing.KINDS, *augmenting.ASKED)
SHOWN_EXAMPLES = 3  # rows that a model is shown so that it writes others


class AugmentOutcome(Outcome):
    kind: str
    by: str
    asked: int  # rows that something was to be made of
    made: int
    refused: dict[str, int]  # why what was made is not kept → rows
    waiting: int  # made rows that nobody has decided about
    tokens_in: int
    tokens_out: int
    file: str


class PromptOutcome(Outcome):
    files: dict[str, str]  # name → text


class Bench(NamedTuple):
    """What rows are made of, and what they are held against."""

    project: Project
    train: tuple[Example, ...]  # rows that were not made themselves
    made: tuple[Example, ...]
    gate: Gate
    labels: tuple[str, ...]

    def keep(self, row: Example, parent: Example | None = None, *, reset: bool = False) -> bool:
        """Write `row` down, where it passes."""
        if not self.gate.passes(row, parent, reset=reset):
            return False
        append_line(self.project.made, canonical([row]).rstrip("\n"))
        return True


class Call(NamedTuple):
    """One request: the row it is about, if any, and what stands for the names in the prompt."""

    parent: Example | None
    values: dict[str, str]


class Tally:
    """What has been asked and kept so far."""

    def __init__(self, progress: Progress, total: int):
        self.asked = self.made = self.tokens_in = self.tokens_out = 0
        self._progress, self._total = progress, total

    def count(self, kept: bool, said: Prediction | None = None) -> None:
        self.asked += 1
        self.made += kept
        if said:
            self.tokens_in += said.tokens_in
            self.tokens_out += said.tokens_out
        self._progress(self.asked, self._total)


def augment(project: Project, console: Console, kind: str, *, by: str | None = None, rows: int = 100) -> AugmentOutcome:
    """Make up to `rows` rows of `kind`. Raises UserError where there is no such kind, DataError without a split."""
    if kind not in KINDS:
        raise UserError(f"There is no kind {kind!r}{nearest(kind, list(KINDS))}. There are: {', '.join(KINDS)}.")
    if by is not None and kind in perturbing.KINDS:
        raise UserError(f"--by {by}: {kind} needs no model; leave it out.")
    with project.locked(f"augment {kind}"):
        bench = _bench(project)
        if kind in perturbing.KINDS:
            tally, maker = _perturb(bench, kind, rows, console), "tunesmith"
        else:
            writer = Writer(project, by)
            tally, maker = _write(bench, kind, writer, rows, console), writer.model
    return _done(bench, kind, maker, tally, console)


def teach(project: Project, console: Console, name: str, inputs: Path, *, rows: int | None = None) -> AugmentOutcome:
    """Have the candidate or model `name` answer real messages: those answers are the new rows."""
    with project.locked("augment --teacher"):
        bench = _bench(project)
        asked = [each for each in predict.questions(predict.read_rows(inputs), project) if isinstance(each, Example)]
        known = {normalise(row.text) for row in (*bench.train, *bench.made)}
        new = [each for each in asked if normalise(each.text) not in known][:rows]
        if known_already := len(asked) - len(new):
            console.say(f"{count(known_already, 'message')} of {inputs} not asked: known already, or beyond --rows.")
        candidate, maker = teacher(project, name, project.task(bench.train))
        tally = Tally(console.progress(f"{name} answers"), len(new))
        prompt = sha256_text(project.prompt)
        for example, said in zip(new, candidate.predict(new), strict=True):
            made = Made(kind="teacher", by=maker, prompt=prompt, origin=example.origin)
            row = Example(messages=example.messages, expected=said.output or "", tools=example.tools, made=made)
            tally.count(_answered(bench, said, "no label" if bench.labels else "cut off") and bench.keep(row), said)
    return _done(bench, "teacher", maker, tally, console)


def show_prompt(project: Project, console: Console, kind: str) -> PromptOutcome:
    """The prompts of `kind`, which from now on stand in the project, to be edited."""
    if kind not in augmenting.ASKED:
        known = list(augmenting.ASKED)
        raise UserError(f"There is no prompt of {kind!r}{nearest(kind, known)}. There are: {', '.join(known)}.")
    texts = {project.name(_prompt_file(project, name)): _prompt(project, name) for name in _names(kind)}
    for name, text in texts.items():
        console.say(f"{name}:\n\n{text}")
    return PromptOutcome(files=texts, next=command(project, f"augment {kind}"))


def _bench(project: Project) -> Bench:
    """Raises DataError where there is no current split: rows are made of what is trained on, and of nothing else."""
    if changed := changes(project):
        raise DataError(f"The split is not current: {'; '.join(changed)}. Run `tunesmith split`, then augment.")
    train, validation = read_split(project)
    evals = read_eval(project).examples
    made = read_made(project)
    labels = project.task(train, validation, evals).labels
    gate = Gate(
        known=(*train, *validation, *made),
        judging=(*validation, *evals),
        labels=labels if project.family.LABELLED else None,
        too_long=longest_allowed(project)[0],
    )
    return Bench(project, tuple(row for row in train if row.made is None), made, gate, labels)


def _parents(bench: Bench, kind: str, prompt: str) -> Iterator[Example]:
    """The training rows of which nothing of this kind was made yet, in the order of seed and content."""
    done = {row.made.source for row in bench.made if row.made and (row.made.kind, row.made.prompt) == (kind, prompt)}
    seed = bench.project.config.data.seed
    ordered = sorted(bench.train, key=lambda row: sha256_text(f"{seed}:{kind}:{row.id}"))
    return (row for row in ordered if row.id not in done and row.messages[-1].role == "user")


def _perturb(bench: Bench, kind: str, rows: int, console: Console) -> Tally:
    tally = Tally(console.progress(f"{kind}: rows"), rows)
    seed = bench.project.config.data.seed
    for parent in _parents(bench, kind, ""):
        if tally.made == rows:
            break
        text = perturbing.perturb(kind, parent.messages[-1].content, f"{seed}:{kind}:{parent.id}")
        if text is not None:
            made = Made(kind=kind, by="tunesmith", source=parent.id, origin=parent.origin)
            row = reworded(parent, text, parent.expected, made)
            if bench.keep(row, parent, reset=True):
                tally.count(True)
            else:
                tally.asked += 1
    return tally


def _write(bench: Bench, kind: str, writer: Writer, rows: int, console: Console) -> Tally:
    project = bench.project
    texts = {name: _prompt(project, name) for name in _names(kind)}
    told = {name: augmenting.instruction(text, f"prompts/augment/{name}.md") for name, text in texts.items()}
    prompt = sha256_text("\n".join(texts.values()))
    calls = _synthetic(bench, prompt, rows) if kind == "synthetic" else _calls(bench, kind, prompt, rows)
    tally = Tally(console.progress(f"{kind} by {writer.model}"), len(calls))
    console.say(f"{writer.model} is asked {count(len(calls) * len(told), 'time')}.")
    if BACK in told:
        calls = _translated(bench, calls, told.pop(kind), writer, tally)
        told[kind] = told.pop(BACK)
    for number, said in writer.answers([told[kind].filled(call.values) for call in calls], _letters(kind, calls)):
        parent = calls[number].parent
        made = Made(
            kind=kind,
            by=writer.model,
            prompt=prompt,
            source=parent.id if parent else "",
            origin=parent.origin if parent else "",
        )
        row = _row(bench, kind, parent, said, made)
        tally.count(row is not None and bench.keep(row, parent), said)
    return tally


def _letters(kind: str, calls: Sequence[Call]) -> int | None:
    """How long an answer may be where it is a message like the one that is given: a token has a letter at least, and
    mostly four."""
    if augmenting.ASKED.get(kind) == PAIR:
        return None
    return max((len(call.values["input"]) for call in calls), default=0) // 2


def _calls(bench: Bench, kind: str, prompt: str, rows: int) -> list[Call]:
    calls = []
    for number, parent in zip(range(rows), _parents(bench, kind, prompt), strict=False):
        own = {
            "input": parent.messages[-1].content,
            "output": parent.expected,
            "style": STYLES[number % len(STYLES)],
            "language": LANGUAGES[number % len(LANGUAGES)],
        }
        calls.append(Call(parent, _of_task(bench) | own))
    return calls


def _synthetic(bench: Bench, prompt: str, rows: int) -> list[Call]:
    """Each label in its turn, with rows that there are, so that others are written; later calls show other rows."""
    done = sum(1 for row in bench.made if row.made and (row.made.kind, row.made.prompt) == ("synthetic", prompt))
    calls, seed = [], bench.project.config.data.seed
    for number in range(done, done + rows):
        label = bench.labels[number % len(bench.labels)] if bench.labels else None
        alike = [row for row in bench.train if label in (None, row.expected)]
        shown = sorted(alike, key=lambda row: sha256_text(f"{seed}:{number}:{row.id}"))[:SHOWN_EXAMPLES]
        own = {
            "wanted": f"Write a message whose right answer is: {label}\n\n" if label else "",
            "examples": "\n".join(f"- {row.text}" for row in shown),
        }
        calls.append(Call(None, _of_task(bench) | own))
    return calls


def _of_task(bench: Bench) -> dict[str, str]:
    written = guideline_text(bench.project)
    form = f"The right answer is exactly one of: {', '.join(bench.labels)}. " if bench.labels else ""
    if schema := bench.project.output_schema:
        form = f"The right answer is a JSON object under this JSON Schema: {schema} "
    return {"guideline": "\n\n".join(part for part in (bench.project.prompt, written) if part), "labels": form}


def _translated(bench: Bench, calls: Sequence[Call], there: Instruction, writer: Writer, tally: Tally) -> list[Call]:
    """The calls with their message in the other language; those that were not translated are counted."""
    found = []
    for number, said in writer.answers([there.filled(call.values) for call in calls], _letters(BACK, calls)):
        if _answered(bench, said):
            found.append(Call(calls[number].parent, calls[number].values | {"translation": said.output or ""}))
            tally.tokens_in, tally.tokens_out = tally.tokens_in + said.tokens_in, tally.tokens_out + said.tokens_out
        else:
            tally.count(False, said)
    return found


def _row(bench: Bench, kind: str, parent: Example | None, said: Prediction, made: Made) -> Example | None:
    """What was said as a row; None, counted, where it is none."""
    if not _answered(bench, said):
        return None
    if augmenting.ASKED[kind] != PAIR:
        assert parent is not None
        text = said.output or ""
        if fault := augmenting.rewording_fault(kind, text, parent.messages[-1].content):
            bench.gate.refused[fault] += 1
            return None
        return reworded(parent, text, parent.expected, made)
    try:
        text, expected = said_pair(said.output or "")
        expected = answer_of(expected, "the answer", bench.project.section)
    except DataError as fault:
        bench.gate.refused[str(fault)] += 1
        return None
    except RowError as fault:
        bench.gate.refused[f"{fault.check} answer"] += 1
        return None
    if parent is None:
        return Example(messages=(Message(role="user", content=text),), expected=expected, made=made)
    return reworded(parent, text, expected, made)


def _answered(bench: Bench, said: Prediction, unread: str = "cut off") -> bool:
    """Whether there is an answer; counted where there is none. `unread`: why a text would be no answer."""
    if said.output is None:
        why = {"failed": "not answered", "refused": "refused to answer"}
        bench.gate.refused[why.get(said.state) or (unread if said.text.strip() else "no answer")] += 1
    return said.output is not None


def _names(kind: str) -> Iterable[str]:
    return (kind, BACK) if kind == "back-translation" else (kind,)


def _prompt_file(project: Project, name: str) -> Path:
    return project.folder / "prompts" / "augment" / f"{name}.md"


def _prompt(project: Project, name: str) -> str:
    """The prompt as it stands in the project, where it is put on first use."""
    path = _prompt_file(project, name)
    if not path.exists():
        write_text(path, augmenting.packaged(name))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{project.name(path)} is not UTF-8 text. Save it as UTF-8, or delete it.") from None


def _done(bench: Bench, kind: str, by: str, tally: Tally, console: Console) -> AugmentOutcome:
    project = bench.project
    decided = standing(project)
    waiting = sum(1 for row in read_made(project) if row.id not in decided)
    refused = dict(bench.gate.refused.most_common())
    outcome = AugmentOutcome(
        kind=kind,
        by=by,
        asked=tally.asked,
        made=tally.made,
        refused=refused,
        waiting=waiting,
        tokens_in=tally.tokens_in,
        tokens_out=tally.tokens_out,
        file=project.name(project.made),
        next=command(project, "review --made" if waiting else "status"),
    )
    console.say(f"Made {count(tally.made, 'row')} of {count(tally.asked, 'try', 'tries')} in {outcome.file}.")
    if refused:
        console.say(f"Not kept: {', '.join(f'{number:,} {reason}' for reason, number in refused.items())}.")
    if waiting:
        console.say(f"{count(waiting, 'made row')} wait for review; only what is accepted is trained on.")
    return outcome
