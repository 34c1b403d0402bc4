"""`tunesmith verify`: whether a receipt still says what was signed, and which of the things it names still stand.

Signature and digest need the file alone. In a project, what the receipt names by digest is looked for: the seal, the
rows, the looks, the candidates' files, and what they were made from. Nothing is measured and no look is spent.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from tunesmith.core.errors import ConfigError, UserError
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.rows import listed
from tunesmith.decisions.receipt import code_digest, proof
from tunesmith.evaluation import seal as seals
from tunesmith.workflows import candidates, inputs, runs
from tunesmith.workflows.outcome import DONE, GATE_SAYS_NO, Outcome
from tunesmith.workflows.project import Project, around, project_around
from tunesmith.workflows.signing_key import own_public_key
from tunesmith.workflows.status import changed_words, command, next_command

State = Literal["stands", "changed", "missing"]
PARTS = ("schema_version", "date", "verdict", "candidate", "eval_set", "looks", "candidates", "digests", "digest")
NOT_SOUGHT = ("base", "code", "seal")  # the base model's files are not read again; the others are said for themselves


class Thing(Record):
    """Something that the receipt names."""

    name: str
    state: State
    note: str = ""


class VerifyOutcome(Outcome):
    receipt: str
    verdict: str
    candidate: str
    date: str
    digest: bool  # whether it covers what the receipt says
    signature: Literal["good", "wrong", "none"]
    public_key: str | None
    signer: Literal["pinned", "not the pinned one", "this machine", "unknown"] | None
    genuine: bool
    project: str | None
    things: tuple[Thing, ...]
    same_code: bool  # whether this very Tunesmith wrote it

    @property
    def exit_code(self) -> int:
        stand = all(thing.state == "stands" for thing in self.things)
        return DONE if self.genuine and self.signer != "not the pinned one" and stand else GATE_SAYS_NO


def verify(receipt: Path | None, folder: Path | None, console: Console, *, key: str | None = None) -> VerifyOutcome:
    """`receipt` alone, or against its project; without `receipt`, the newest of the project in or around `folder`.

    Raises UserError where there is no such file or it is no receipt.
    """
    pinned = None if key is None else _public_key(key)
    file = _newest(folder) if receipt is None else receipt
    document = _read(file)
    found = proof(document)
    public = document.get("public_key")
    place, things, following = _things(document, file, folder) if found.digest else (None, (), "")
    outcome = VerifyOutcome(
        receipt=str(file),
        verdict=str(document.get("verdict")),
        candidate=str(document.get("candidate")),
        date=str(document.get("date")),
        digest=found.digest,
        signature={True: "good", False: "wrong", None: "none"}[found.signature],
        public_key=public,
        signer=None if found.signature is None else _signer(public, pinned),
        genuine=found.genuine,
        project=place,
        things=things,
        same_code=found.digest and document["digests"].get("code") == code_digest(),
        next=following,
    )
    _tell(outcome, document, console)
    return outcome


def _public_key(text: str) -> str:
    key = text.strip().lower()
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        raise UserError(
            f"--key {text!r} is no public key: expected 64 hexadecimal digits, as `tunesmith verify` prints them for a "
            "receipt of the signer."
        )
    return key


def _signer(public: Any, pinned: str | None) -> Literal["pinned", "not the pinned one", "this machine", "unknown"]:
    if pinned is not None:
        return "pinned" if public == pinned else "not the pinned one"
    return "this machine" if public == own_public_key() else "unknown"


def _newest(folder: Path | None) -> Path:
    project = Project.open(folder)
    done = [run for run in runs.read_runs(project, "compare") if run.state == "done" and run.result.get("receipt")]
    if not done:
        raise UserError("There is no receipt yet: `tunesmith compare` writes one with each verdict.")
    return project.folder / str(done[-1].result["receipt"])


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"There is no file {file}. Name a receipt.json that `tunesmith compare` wrote.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} is no receipt: {error}. Expected the JSON that `tunesmith compare` wrote.") from None
    lacking = [part for part in PARTS if not isinstance(document, dict) or part not in document]
    if lacking:
        raise UserError(f"{file} is no receipt that `tunesmith compare` wrote: it lacks {listed(lacking)}.")
    if document["schema_version"] not in (1, 2):
        raise UserError(
            f"{file} was written by a later version of Tunesmith (schema {document['schema_version']}). Install that "
            "one."
        )
    return dict(document)


def _things(document: dict[str, Any], file: Path, folder: Path | None) -> tuple[str | None, tuple[Thing, ...], str]:
    """The project in `folder`, around the receipt or around the working folder, what stands there, and its next
    command."""
    place = around(file.parent) if folder is None else folder
    try:
        project = project_around(place)
    except ConfigError as error:
        if folder is not None:
            raise
        return str(place), (Thing(name="tunesmith.toml", state="changed", note=str(error)),), ""
    if project is None:
        return None, (), ""
    found = [*_of_eval_set(document, project), *_of_candidates(document, project), *_of_inputs(document, project)]
    return str(project.folder), tuple(found), _following(project)


def _following(project: Project) -> str:
    try:
        return next_command(project)
    except UserError:  # what the receipt was made from is not there, which stands among what it names
        return command(project, "status")


def _of_eval_set(document: dict[str, Any], project: Project) -> list[Thing]:
    wanted = document["eval_set"]
    lock, rows = project.name(project.lock_file), project.name(project.eval_file)
    try:
        seal = seals.read_seal(project.lock_file)
    except UserError as error:
        state: State = "changed" if project.lock_file.exists() else "missing"
        return [Thing(name=lock, state=state, note=str(error))]
    found = []
    if (seal.sha256, seal.version) == (wanted["sha256"], wanted["version"]):
        found.append(Thing(name=lock, state="stands", note=f"version {seal.version}"))
    else:
        note = f"the receipt is of version {wanted['version']}, the seal is of version {seal.version} with other rows"
        found.append(Thing(name=lock, state="changed", note=note))
    looks = [look.model_dump(mode="json") for look in seal.looks]
    gone = sum(look not in looks for look in document["looks"])
    note = f"{count(gone, 'look')} that the receipt lists {'is' if gone == 1 else 'are'} not in {lock}"
    found.append(Thing(name="looks", state="changed", note=note) if gone else Thing(name="looks", state="stands"))
    try:
        _, examples = seals.verify(project.eval_file, project.lock_file)
        same = seals.rows_digest(examples) == wanted["sha256"]
        note = f"{len(examples):,} rows" if same else "other rows than the receipt's"
        found.append(Thing(name=rows, state="stands" if same else "changed", note=note))
    except UserError as error:
        state = "changed" if project.eval_file.exists() else "missing"
        found.append(Thing(name=rows, state=state, note=str(error).split(". ")[0]))
    return found


def _of_candidates(document: dict[str, Any], project: Project) -> list[Thing]:
    found = []
    for card in document["candidates"]:
        fault = candidates.fault(project, card["candidate_digest"])
        state: State = "missing" if fault == "missing" else "changed" if fault else "stands"
        note = project.name(project.artifacts / card["candidate_digest"]) if fault else ""
        found.append(Thing(name=f"files of {card['candidate']}", state=state, note=note))
    return found


def _of_inputs(document: dict[str, Any], project: Project) -> list[Thing]:
    """What the candidates were made from: the rows of the split, the task, the recipe, the settings."""
    readers: dict[str, Callable[[Project], dict[str, str]]] = {"train": inputs.of_train, "baseline": inputs.of_baseline}
    found: dict[str, Thing] = {}
    for verb, read in readers.items():
        named = {
            name.removeprefix(f"{verb}."): value
            for name, value in document["digests"].items()
            if name.startswith(f"{verb}.")
        }
        try:
            now = read(project)
        except UserError as error:
            found[verb] = Thing(name=f"inputs of {verb}", state="missing", note=str(error))
            continue
        for name in sorted(named.keys() - set(NOT_SOUGHT)):
            if name not in found or found[name].state == "stands":
                found[name] = _thing(name, named[name], now)
    return [*found.values(), *_of_measures(document, project)]


def _of_measures(document: dict[str, Any], project: Project) -> list[Thing]:
    """What the answers were measured by, where that is more than the family's own metrics, and who judged them."""
    now = inputs.of_judging(project)
    return [_thing(name, document["digests"][name], now) for name in inputs.JUDGING if name in document["digests"]]


def _thing(name: str, then: str, now: dict[str, str]) -> Thing:
    state: State = "stands" if now.get(name) == then else "changed" if now.get(name) else "missing"
    return Thing(name=changed_words([name]), state=state)


def _tell(outcome: VerifyOutcome, document: dict[str, Any], console: Console) -> None:
    console.say(f"{outcome.receipt}: {outcome.verdict.upper()} of {outcome.candidate}, {outcome.date[:10]}.")
    console.say(_words_of_proof(outcome))
    if outcome.public_key:
        console.say(f"Public key: {outcome.public_key}")
    if not outcome.digest:
        return
    if outcome.project is None:
        console.say("No project is here, so that what the receipt names was not looked for; -C DIR names one.")
    elif outcome.things:
        rows = [[thing.name, thing.state, thing.note] for thing in outcome.things]
        console.table(f"What it names, in {outcome.project}", ["what", "state", ""], rows)
        if gone := [thing.name for thing in outcome.things if thing.state != "stands"]:
            console.say(
                f"No longer as the receipt names it: {listed(gone)}. The verdict is of what was there when it was "
                "signed; `tunesmith compare` judges what is there now."
            )
    if not outcome.same_code:
        wrote = document.get("versions", {}).get("tunesmith", "?")
        console.say(f"Another state of Tunesmith wrote it (version {wrote}); that changes nothing about the signature.")


def _words_of_proof(outcome: VerifyOutcome) -> str:
    if not outcome.digest:
        return "CHANGED: it no longer says what its digest covers. Do not rely on it."
    if outcome.signature == "none":
        return (
            "NOT SIGNED: the digest covers what it says, but whoever changes a receipt can make a new digest. Receipts "
            "are signed since schema 2; `tunesmith compare` writes a signed one."
        )
    if outcome.signature == "wrong":
        return "NOT GENUINE: the signature is not that of its key over what it says. Do not rely on it."
    unchanged = "Genuine: nothing in it has changed since it was signed"
    if outcome.signer == "pinned":
        return f"{unchanged}, by the key that you named."
    if outcome.signer == "not the pinned one":
        return "ANOTHER KEY: it is whole, but it was signed by another key than the one that you named."
    if outcome.signer == "this machine":
        return f"{unchanged}, by the key of this machine."
    return (
        f"{unchanged}, by the key below, which is not this machine's. Whose that is, no receipt can prove: compare it "
        "with what the signer tells you, and name it with --key."
    )
