"""`tunesmith init`: a new project, from data or empty.

Everything is read and checked before anything is written. Files are copied into the project, the eval set in the
canonical layout; the prompt is drafted from the data and its digest kept, so that reports can say when nobody has
edited it yet.
"""

import json
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError

from tunesmith.candidates.section import OF_FAMILY
from tunesmith.core import interrupts
from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import ConfigError, DataError, UserError, nearest
from tunesmith.core.example import Example
from tunesmith.core.files import write_json, write_text
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.canonical import write_canonical
from tunesmith.data.layouts.base import Columns
from tunesmith.data.lines import delimiter_of
from tunesmith.data.reading import column_names, read
from tunesmith.data.rows import COMPARED, NAMING, NAMING_FIELDS, PAIR, found_columns, listed
from tunesmith.data.section import CallSection, DataSection, RecordSection, SetSection, is_set_aside, own
from tunesmith.models.names import parse, refuse_embedder
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.label_sets import members
from tunesmith.tasks.records import fields_of, schema_of
from tunesmith.tasks.spec import FamilyName
from tunesmith.workflows import config, prompt_draft, reference, schema_draft, schema_file, tools_file
from tunesmith.workflows.converting import converted
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import refuse_broken
from tunesmith.workflows.staging import staged
from tunesmith.workflows.status import next_command

EVAL = Path("evals", "eval.jsonl")
SCHEMA, TOOLS = "schema.json", "tools.json"
FLAGS = {"input": "--input", "output": "--label", "slice": "--slice", "group": "--group", "behaviour": "--behaviour"}
INSTEAD = {  # advice on tunesmith.toml → on what was typed
    f"Name the columns in tunesmith.toml: [data] {NAMING}.": "Name them with --input COLUMN --label COLUMN.",
    f"Name the columns in tunesmith.toml: [data] {NAMING_FIELDS}.": "Name them with --input COLUMN --label COLUMN,….",
    "Check [data] files in tunesmith.toml.": "Check the name of the file.",
    "Check the path under [model] base.": "Check the path after --model.",
    "Set it under [model] base.": "Name it with --model.",
}
IGNORE = "# Runs, artifacts and the ledger are made again from the rest.\n.tunesmith/\n"


class Plan(Record):
    """What `init` was asked for."""

    folder: Path
    sources: tuple[Path, ...] = ()
    eval_file: Path | None = None
    input: str | None = None
    label: str | None = None
    slice: str | None = None
    group: str | None = None
    behaviour: str | None = None
    family: FamilyName = "classification"
    schema_file: Path | None = None
    tools_file: Path | None = None
    model: str | None = None


class InitOutcome(Outcome):
    folder: str
    rows: int
    eval_rows: int
    labels: tuple[str, ...]
    fields: tuple[str, ...] = ()  # of a record
    broken: int
    files: tuple[str, ...]


def init(plan: Plan, console: Console) -> InitOutcome:
    """Make the project that `plan` describes. Raises UserError before anything is written."""
    columns = Columns(plan.input, plan.label, plan.slice, plan.group)
    with converted(plan.sources, columns, console) as sources:
        # Rows that were converted have columns of their own; an eval set may still have those that are named.
        if sources and not plan.eval_file and not set(sources) & set(plan.sources):
            plan = plan.model_copy(update=dict.fromkeys(("input", "label", "slice", "group", "behaviour")))
        return _make(plan.model_copy(update={"sources": sources}), console)


def _make(plan: Plan, console: Console) -> InitOutcome:
    _check_free(plan)
    given = _shared_system(plan.sources)
    with advice_on_flags():
        section = section_of(_columns(plan))
        _check_columns(plan)
        schema = _schema(plan, section, given) if plan.family == "extraction" else None
        tools = tools_file.read(plan.tools_file, str(plan.tools_file)) if plan.tools_file else ()
        if plan.family == "extraction":
            section = RecordSection(**section.model_dump(), output_schema=schema)
        elif plan.family == "multi_label":
            section = SetSection(**section.model_dump())
        elif plan.family == "tool_calls":
            section = CallSection(**section.model_dump(), tools=tools)
        readings = [read(path, section, prompt=given, name=str(path)) for path in plan.sources]
        evals = _read_eval(plan.eval_file, section, given) if plan.eval_file else ()
        rows = [example for reading in readings for example in reading.examples]
        if plan.sources and not rows:
            first = readings[0].findings[0]
            raise DataError(f"{first.file}, line {first.line}: {first.message} No row of it could be read.")
        settings = _settings(plan)
        if schema is not None and (apart := schema_draft.apart(rows, schema)):
            settings["task"]["compare"] = dict.fromkeys(apart, "apart")
    prompt = given or prompt_draft.of_family(plan.family, rows, evals, schema)
    with staged(plan.folder) as folder:
        (folder / "data").mkdir()
        for path in plan.sources:
            if not _in_place(path, _target(plan.folder, path)):
                shutil.copyfile(path, _target(folder, path))
        write_text(folder / "prompts" / "system.md", prompt)
        if schema is not None:
            write_text(folder / SCHEMA, json.dumps(json.loads(schema), ensure_ascii=False, indent=2) + "\n")
        if tools:
            listed_tools = [json.loads(tool) for tool in tools]
            write_text(folder / TOOLS, json.dumps(listed_tools, ensure_ascii=False, indent=2) + "\n")
        if evals and not (plan.eval_file and _in_place(plan.eval_file, plan.folder / EVAL)):
            write_canonical(folder / EVAL, evals)
        if not (plan.folder / ".gitignore").exists():
            write_text(folder / ".gitignore", IGNORE)
        if not given:
            write_json(folder / ".tunesmith" / "draft.json", {"prompt": sha256_text(prompt.strip())})
        write_text(folder / config.FILE, reference.toml(settings))
        files = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
        interrupts.settle()  # a second `init` would be refused
    outcome = InitOutcome(
        folder=str(plan.folder),
        rows=len(rows),
        eval_rows=len(evals),
        labels=_labels(plan.family, rows),
        fields=() if schema is None else tuple(field.name for field in fields_of(schema_of(schema), {})),
        broken=sum(len(reading.findings) for reading in readings),
        files=files,
        next=next_command(Project.open(plan.folder)),
    )
    _tell(outcome, settings, bool(given), console)
    return outcome


def _labels(family: FamilyName, rows: Sequence[Example]) -> tuple[str, ...]:
    if family == "multi_label":
        return tuple(sorted({label for row in rows for label in members(row.expected)}))
    return tuple(sorted({row.expected for row in rows})) if FAMILIES[family].LABELLED else ()


def known_family(name: str) -> FamilyName:
    """`name`, where it is a family. Raises ConfigError with those there are."""
    families = get_args(FamilyName)
    if name not in families:
        raise ConfigError(
            f"--family {name}: there is no such family{nearest(name, list(families))}; "
            f"expected one of: {', '.join(families)}."
        )
    return cast(FamilyName, name)


def _check_free(plan: Plan) -> None:
    if (plan.folder / config.FILE).exists():
        raise UserError(
            f"{plan.folder} is a Tunesmith project already. Choose another name, or edit its {config.FILE}; "
            f"`tunesmith status -C {shlex.quote(str(plan.folder))}` says where it stands."
        )
    if plan.folder.is_file():
        raise UserError(f"{plan.folder} is a file; name a new folder for the project.")
    if aside := next((path for path in plan.sources if is_set_aside(f"data/{path.name}")), None):
        raise UserError(
            f"{aside}: a file of that name holds rows that were set aside, and is never read as a source. Correct "
            "the rows and put them into a file of another name, in the form that they had in their source."
        )
    if kept := next((path for path in plan.sources if own(f"data/{path.name}")), None):
        raise UserError(f"{kept}: data/{kept.name} is {own(f'data/{kept.name}')} in a project. Rename the file.")
    names = [_target(plan.folder, path).name for path in plan.sources]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UserError(f"Two of the files are called {sorted(twice)[0]}; rename one, they share the folder data/.")
    targets = {_target(plan.folder, path): path for path in plan.sources}
    given = targets | ({plan.folder / EVAL: plan.eval_file} if plan.eval_file else {})
    if plan.schema_file:
        given |= {plan.folder / SCHEMA: plan.schema_file}
    if plan.tools_file:
        given |= {plan.folder / TOOLS: plan.tools_file}
    written = [plan.folder / SCHEMA] if plan.family == "extraction" else []
    written += [plan.folder / TOOLS] if plan.tools_file else []
    for path in (*targets, *written, plan.folder / "prompts" / "system.md", plan.folder / EVAL):
        if path.exists() and not (path in given and _in_place(given[path], path)):
            raise UserError(f"{path} exists already and would be overwritten. Move it, or choose another folder.")
    if plan.schema_file and plan.family != "extraction":
        raise UserError(f"--schema is of extraction; this task is of {plan.family}. Add --family extraction.")
    if plan.tools_file and plan.family != "tool_calls":
        raise UserError(f"--tools is of tool_calls; this task is of {plan.family}. Add --family tool_calls.")
    if plan.eval_file and not plan.sources:
        raise UserError("--eval needs --from as well: the rows to train on.")


def _target(folder: Path, source: Path) -> Path:
    """Where a source stands in the project, with the suffix that [data] files matches on every system."""
    return folder / "data" / f"{source.stem}{source.suffix.lower()}"


def _in_place(source: Path, target: Path) -> bool:
    return source.exists() and target.exists() and source.samefile(target)


@contextmanager
def advice_on_flags() -> Iterator[None]:
    """There is no tunesmith.toml yet that somebody could change."""
    try:
        yield
    except UserError as error:
        text = str(error)
        for advice, instead in INSTEAD.items():
            text = text.replace(advice, instead)
        raise type(error)(text) from None


def _check_columns(plan: Plan) -> None:
    """Refuse columns that the flags name and that no given file has; the rows would be read without them."""
    wanted = _wanted(plan)
    files = [*plan.sources, *([plan.eval_file] if plan.eval_file else [])]
    if not wanted or not files:
        return
    found: dict[str, None] = {}
    for path in files:
        for name in column_names(path, str(path)):
            found[name] = None
            if name in wanted and found.keys() >= wanted.keys():
                return
    missing = {name: flag for name, flag in wanted.items() if name not in found}
    raise DataError(f"{listed([str(path) for path in files])}: {_missing(missing, list(found))}")


def _wanted(plan: Plan) -> dict[str, str]:
    """Each column that a flag names → that flag."""
    named = _columns(plan)
    of_record = dict.fromkeys(named.pop("fields", ()), FLAGS["output"])
    return {name: FLAGS[key] for key, name in named.items()} | of_record


def _missing(missing: dict[str, str], found: list[str]) -> str:
    """`missing`: columns → the flags that name them."""
    near = [shown(name) for name in found[:COMPARED]]
    words = listed([f"'{shown(name)}' of {flag}{nearest(name, near)}" for name, flag in missing.items()])
    complete = "messages" in found or set(found).issuperset(PAIR)  # rows that need no column named
    flags = list(dict.fromkeys(missing.values()))
    optional = [flag for flag in flags if complete or flag in ("--slice", "--group", "--behaviour")]
    leave = f", or leave {listed(optional)} out" if optional else ""
    return (
        f"expected the {'column' if len(missing) == 1 else 'columns'} {words}. Columns found: {found_columns(found)}. "
        f"Name columns that are there: {' '.join(f'{flag} COLUMN' for flag in flags)}{leave}."
    )


def _columns(plan: Plan) -> dict[str, Any]:
    """[data]'s names of columns; several for the answer, parted by commas, are the fields of a record."""
    named: dict[str, Any] = {"input": plan.input, "output": plan.label, "slice": plan.slice, "group": plan.group}
    named["behaviour"] = plan.behaviour
    if plan.family == "extraction" and plan.label is not None and "," in plan.label:
        del named["output"]
        named["fields"] = [name.strip() for name in plan.label.split(",")]
    return {key: value for key, value in named.items() if value is not None}


def _schema(plan: Plan, section: DataSection, prompt: str) -> str:
    """The text of the schema that was given, or one drafted from the rows."""
    if plan.schema_file is not None:
        return schema_file.checked(schema_file.read(plan.schema_file, str(plan.schema_file)), str(plan.schema_file))
    if not plan.sources:
        return json.dumps(schema_draft.empty())
    plain = RecordSection(**section.model_dump())
    readings = [read(path, plain, prompt=prompt, name=str(path)) for path in plan.sources]
    rows = [example for reading in readings for example in reading.examples]
    cells = bool(section.fields) and all(delimiter_of(path) for path in plan.sources)
    try:
        return schema_file.checked(schema_draft.draft(rows, cells=cells), "the schema of the rows")
    except ConfigError as error:
        first = next((found for reading in readings for found in reading.findings), None)
        why = f"{first.file}, line {first.line}: {first.message}" if first and not rows else str(error)
        raise DataError(f"{why} Name a schema with --schema FILE, or correct the rows.") from None


def section_of(columns: dict[str, Any]) -> DataSection:
    """[data] with the columns that flags name."""
    try:
        return DataSection(**columns)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ConfigError(
            f"--input, --label, --slice, --group, --behaviour: {fault.get('ctx', {}).get('error', fault['msg'])}"
        ) from None


def _read_eval(path: Path, section: DataSection, prompt: str) -> tuple[Example, ...]:
    reading = read(path, section, prompt=prompt, name=str(path))
    refuse_broken(reading, "Every row of the eval set must count: correct it, then run init again.")
    return tuple(example.model_copy(update={"origin": f"{path.name}:{_line(example)}"}) for example in reading.examples)


def _line(example: Example) -> str:
    return example.origin.rpartition(":")[2]


def _shared_system(paths: Sequence[Path]) -> str:
    """The system turn that the rows of chat files begin with: it is the task's prompt already. Else empty."""
    for path in paths:
        if path.suffix.lower() != ".jsonl" or not path.is_file():
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            first = next((line for line in file if line.strip()), "")
        try:
            turn = json.loads(first)["messages"][0]
            if turn["role"] == "system" and turn["content"].strip():
                return str(turn["content"]).strip()
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            continue  # not a chat file; reading it says what is wrong with it
    return ""


def _settings(plan: Plan) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {"task": {"family": plan.family, "prompt": "prompts/system.md"}}
    base = plan.model
    if base is None:
        base = config.SECTIONS["model"].model_fields["base"].default
    elif base and Path(base).exists():
        base = str(Path(base).resolve())  # the file is read from inside the project
    parse(base)
    refuse_embedder(base)
    settings["model"] = {"base": base}
    if plan.family == "extraction":
        settings["task"]["output_schema"] = SCHEMA
    if plan.tools_file:
        settings["task"]["tools"] = TOOLS
    if not FAMILIES[plan.family].LABELLED:
        settings["model"]["max_new_tokens"] = config.SECTIONS["model"].model_fields["max_new_tokens"].default
        settings["baselines"] = {"which": list(OF_FAMILY[plan.family])}
        settings["rules"] = {"primary": FAMILIES[plan.family].PRIMARY[0]}
    if data := _columns(plan) | _files(plan):
        settings["data"] = data
    return settings


def _files(plan: Plan) -> dict[str, list[str]]:
    """The sources by name, where data/ holds other files that [data] files would take for sources, too, or where it
    would not take them."""
    targets = [_target(plan.folder, path) for path in plan.sources]
    beside = {path for pattern in DataSection().files for path in plan.folder.glob(pattern)}
    others = {path for path in beside - set(targets) if not own(f"data/{path.name}")}
    unusual = any(path.suffix not in (".jsonl", ".csv") for path in targets)
    return {"files": [f"data/{escape(path.name)}" for path in targets]} if targets and (others or unusual) else {}


def _tell(outcome: InitOutcome, settings: dict[str, dict[str, Any]], given: bool, console: Console) -> None:
    if not outcome.rows:
        console.say(f"Made {outcome.folder}, empty. Put messages into data/ (JSONL or CSV), describe the task in")
        console.say("prompts/system.md, and name the columns under [data] in tunesmith.toml.")
        return
    evals = f", and an eval set of {count(outcome.eval_rows, 'row')}" if outcome.eval_rows else ""
    labels = f" with {count(len(outcome.labels), 'label')}" if outcome.labels else ""
    console.say(f"Made {outcome.folder}: {count(outcome.rows, 'row')}{labels}{evals}.")
    if files := settings.get("data", {}).get("files"):
        console.say(f"The sources are {listed(files)}: [data] files names them, as its default would not.")
    if outcome.broken:
        console.say(f"{count(outcome.broken, 'row')} cannot be used as they are; `tunesmith check` lists them.")
    if given:
        console.say("The system turn of your rows became prompts/system.md.")
        return
    if outcome.labels:
        one = settings["task"]["family"] == "classification"
        say = "Drafted prompts/system.md from the data. Edit it: say in a few words what belongs to each label, and"
        which = "which label wins where two fit" if one else "when none fits"
        console.say(f"{say}\n{which}. Every model candidate is asked with this prompt.")
    elif outcome.fields:
        fields = count(len(outcome.fields), "field")
        console.say(f"Drafted prompts/system.md and {SCHEMA}, {fields}, from the data. Edit them: say what each field")
        console.say("means and which values it may have. Every model candidate is asked with this prompt.")
        if apart := list(settings["task"].get("compare", {})):
            console.say(f"Scored apart from the record, as free text: {listed(apart)} ([task] compare).")
    else:
        console.say("Drafted prompts/system.md. Edit it: say in a sentence what an answer must be, and what it must")
        console.say("not do. Every model candidate is asked with this prompt.")
