"""tunesmith.toml → sections: flags over environment over file; every fault in one sentence, with its place.

Each room owns the pydantic record of its section; `Config` composes them. Values are validated strictly: "3" is not
a number, and a key that no section knows is refused with the nearest one that it does.
"""

import json
import os
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from tunesmith.candidates.section import OF_FAMILY, BaselinesSection, CascadeSection
from tunesmith.core.errors import ConfigError, nearest
from tunesmith.core.record import Record
from tunesmith.data.section import DataSection
from tunesmith.decisions.section import RulesSection
from tunesmith.engines.section import ProviderSection
from tunesmith.evaluation.judge import JudgeSection
from tunesmith.evaluation.prices import PricesSection
from tunesmith.evaluation.probes.section import DiagnoseSection
from tunesmith.models.section import ModelSection
from tunesmith.tasks.behaviour import BehaviourSection
from tunesmith.tasks.families import SPARED
from tunesmith.tasks.guarded import check_guard
from tunesmith.tasks.own import PREFIX as OWN
from tunesmith.tasks.primary import PRIMARY, check_primary
from tunesmith.tasks.spec import TaskSection
from tunesmith.tasks.style import StyleSection
from tunesmith.training.section import TrainSection
from tunesmith.workflows.config_words import sentence, shown

FILE = "tunesmith.toml"
PREFIX = "TUNESMITH_"


class Config(Record):
    task: TaskSection
    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    baselines: BaselinesSection = BaselinesSection()
    train: TrainSection = TrainSection()
    cascade: CascadeSection = CascadeSection()
    diagnose: DiagnoseSection = DiagnoseSection()
    rules: RulesSection = RulesSection()
    judge: JudgeSection = JudgeSection()
    prices: PricesSection = PricesSection()
    style: StyleSection = StyleSection()
    behaviour: BehaviourSection = BehaviourSection()
    providers: dict[str, ProviderSection] = {}


SECTIONS: dict[str, type[Record]] = {
    name: field.annotation
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Record)
}
NAMED: dict[str, type[Record]] = {"providers": ProviderSection}  # of which there are many: [providers.NAME]


class Place(NamedTuple):
    """Where a value was said: the text that begins its error message."""

    where: str
    value: Any


def load(path: Path, flags: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Config:
    """The configuration in `path`; `flags` are texts `section.key=value`. Raises ConfigError, one line per fault."""
    values = _read_file(path)
    for place in (*_environment(os.environ if environment is None else environment), *_flags(flags)):
        section, key = place.value[0], place.value[1]
        values.setdefault(section, {})[key] = Place(place.where, place.value[2])
    faults: list[str] = []
    if "task" not in values:
        faults.append(f'{path.name} has no [task] section; it needs at least: [task] family = "classification".')
    sections = {name: _section(name, entries, path.name, faults) for name, entries in values.items()}
    if faults:
        raise ConfigError("\n".join(faults))
    found: dict[str, Any] = {}
    for name, section in sections.items():
        whole, _, part = name.partition(".")
        found |= {whole: found.get(whole, {}) | {part: section}} if part else {name: section}
    return _of_family(Config(**found), values, path.name)


def _of_family(given: Config, values: Mapping[str, Mapping[str, Place]], file: str) -> Config:
    """`given` with the defaults of its family. Raises ConfigError where a value is of another one."""
    family, rules = given.task.family, given.rules
    if "primary" not in rules.model_fields_set:
        rules = rules.model_copy(update={"primary": PRIMARY[family][0]})
    elif rules.primary not in (*PRIMARY[family], *(OWN + name for name in given.task.metrics)):
        where = values["rules"]["primary"].where
        try:
            check_primary(rules.primary, family, given.task.metrics)
        except ConfigError as error:
            raise ConfigError(f"{where}: [rules] primary = {shown(rules.primary)}: {error}") from None
    if family != "generation" and given.style != StyleSection():
        where = values["style"][next(iter(values["style"]))].where
        raise ConfigError(
            f"{where}: [style]: what texts have to hold to is of generation; this task is of "
            f"{family}. Take the section out."
        )
    for metric, margin in rules.guards.items():
        try:
            check_guard(metric, margin, family, given.task.metrics)
        except ConfigError as error:
            raise ConfigError(f"{values['rules']['guards'].where}: [rules.guards] {metric}: {error}") from None
    _check_costs(given, values)
    _check_tests(given, values)
    baselines = given.baselines
    if "which" not in baselines.model_fields_set:
        baselines = baselines.model_copy(update={"which": OF_FAMILY[family]})
    model = given.model
    if family != "classification" and model.max_new_tokens >= model.max_tokens:
        named = values.get("model", {})
        where = next((named[key].where for key in ("max_new_tokens", "max_tokens") if key in named), file)
        raise ConfigError(
            f"{where}: [model] max_new_tokens = {model.max_new_tokens} leaves no room for a prompt in max_tokens = "
            f"{model.max_tokens}, which both share. Lower the first, or raise the second."
        )
    return given.model_copy(update={"rules": rules, "baselines": baselines})


def _check_tests(given: Config, values: Mapping[str, Mapping[str, Place]]) -> None:
    """Raise ConfigError where code is to be run whose family has none, or none is and its tests are to decide."""
    tests, family = given.data.tests, given.task.family
    if tests is not None and family != "generation":
        raise ConfigError(
            f"{values['data']['tests'].where}: [data] tests is of generation, whose answers may be code; this task is "
            f"of {family}. Take the line out."
        )
    if tests is None and (asks := _asking(given, values, {"pass_rate"})):
        raise ConfigError(f"{asks} needs tests to run. Name their column under [data] tests.")


def _check_costs(given: Config, values: Mapping[str, Mapping[str, Place]]) -> None:
    """Raise ConfigError where costs are to decide and are not named, or not how much of them is worth a fine-tune."""
    if (asks := _asking(given, values, SPARED)) is None:
        return
    if given.task.costs is None:
        raise ConfigError(f"{asks} needs to know what mistakes cost. Name it under [task.costs], such as mistake = 1.")
    if given.rules.primary in SPARED and "min_effect" not in given.rules.model_fields_set:
        raise ConfigError(
            f"{asks} counts in the unit of your costs. Name under [rules] min_effect how much less a row must cost."
        )


def _asking(given: Config, values: Mapping[str, Mapping[str, Place]], metrics: Collection[str]) -> str | None:
    """Where the rules ask for one of `metrics`, and how."""
    if given.rules.primary in metrics:
        return f'{values["rules"]["primary"].where}: [rules] primary = "{given.rules.primary}"'
    guarded = next((metric for metric in given.rules.guards if metric in metrics), None)
    return guarded and f"{values['rules']['guards'].where}: [rules.guards] {guarded}"


def _read_file(path: Path) -> dict[str, dict[str, Place]]:
    """Section → key → where it stands and what it says."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name} is not UTF-8 text; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is not valid TOML: {error}. Correct that line.") from None
    lines = _lines(text)
    values: dict[str, dict[str, Place]] = {}
    for name, entries in document.items():
        where = _at(path.name, lines.get((name, "")) or lines.get(("", name)))
        if not isinstance(entries, dict):
            section = next((section for section, record in SECTIONS.items() if name in record.model_fields), None)
            advice = f"put it under [{section}]" if section else "every key belongs to a section"
            raise ConfigError(f"{where}: {name!r} stands outside the sections; {advice}.")
        if name in NAMED:
            values |= _named(name, entries, path.name, lines)
            continue
        if name not in SECTIONS:
            known = ", ".join(f"[{section}]" for section in SECTIONS)
            hint = nearest(name, list(SECTIONS)) or f"; the sections are {known}"
            raise ConfigError(f"{where}: there is no section [{name}]{hint}.")
        values[name] = {
            key: Place(_at(path.name, lines.get((name, key)) or lines.get((name, ""))), value)
            for key, value in entries.items()
        }
    return values


def _named(
    name: str, parts: dict[str, Any], file: str, lines: dict[tuple[str, str], int]
) -> dict[str, dict[str, Place]]:
    """The sections [providers.NAME], each under that name."""
    values = {}
    for part, entries in parts.items():
        section = f"{name}.{part}"
        where = _at(file, lines.get((section, "")) or lines.get((name, part)))
        if not isinstance(entries, dict) or not re.fullmatch(r"[A-Za-z][\w-]+", part):
            raise ConfigError(
                f"{where}: expected a section [{name}.NAME] of its own, with a name of two letters or more; found "
                f"{part!r} under [{name}]."
            )
        values[section] = {
            key: Place(_at(file, lines.get((section, key)) or lines.get((section, ""))), value)
            for key, value in entries.items()
        }
    return values


def _record(section: str) -> type[Record] | None:
    """The record of a section, [providers.NAME] among them."""
    whole, _, part = section.partition(".")
    return NAMED.get(whole) if part else SECTIONS.get(section)


def _lines(text: str) -> dict[tuple[str, str], int]:
    """(section, key) → line number, of the plain `[section]` and `key = …` lines; (section, "") is its header."""
    places: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([\w-]+(?:\.[\w-]+)?)\s*\]", line):
            section = header[1]
            places.setdefault((section, ""), number)
        elif key := re.match(r"\s*([\w-]+)\s*\.\s*([\w-]+)\s*=", line):
            places.setdefault((key[1], key[2]), number)
        elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
            places.setdefault((section, key[1]), number)
    return places


def _at(name: str, line: int | None) -> str:
    return f"{name}, line {line}" if line else name


def _environment(environment: Mapping[str, str]) -> list[Place]:
    """TUNESMITH_<SECTION>_<KEY>. Variables of no section (TUNESMITH_CACHE, …) are other people's."""
    places = []
    for variable in sorted(environment):
        if not variable.startswith(PREFIX):
            continue
        section, _, key = variable.removeprefix(PREFIX).lower().partition("_")
        if section in NAMED:
            section, key = _split_named(section, key)
        if _record(section) and key:
            _known(section, key, f"The environment variable {variable}")
            value = _parse(section, key, environment[variable])
            places.append(Place(f"The environment variable {variable}", (section, key, value)))
    return places


def _flags(flags: Sequence[str]) -> list[Place]:
    places = []
    for flag in flags:
        name, separator, text = flag.partition("=")
        section, dot, key = name.strip().rpartition(".")
        if not separator or not dot:
            raise ConfigError(f"--set {flag!r}: expected SECTION.KEY=VALUE, for instance --set train.epochs=2.")
        if _record(section) is None:
            hint = nearest(section, list(SECTIONS)) or f"; the sections are {', '.join(SECTIONS)}"
            raise ConfigError(f"--set {name}: there is no section {section!r}{hint}.")
        _known(section, key, f"--set {name}")
        places.append(Place(f"--set {name}", (section, key, _parse(section, key, text))))
    return places


def _split_named(section: str, rest: str) -> tuple[str, str]:
    """`lab_base_url` of TUNESMITH_PROVIDERS_LAB_BASE_URL → [providers.lab], base_url; where no key fits, no key."""
    key = next((key for key in NAMED[section].model_fields if rest.endswith(f"_{key}")), "")
    return f"{section}.{rest.removesuffix(f'_{key}')}", key


def _fields(section: str) -> dict[str, FieldInfo]:
    record = _record(section)
    assert record is not None, section
    return record.model_fields


def _known(section: str, key: str, where: str) -> None:
    if key not in _fields(section):
        raise ConfigError(f"{where}: {_unknown(section, key)}")


def _unknown(section: str, key: str) -> str:
    others = [name for name, record in SECTIONS.items() if key in record.model_fields]
    if others:
        return f"[{section}] has no key {key!r}; it belongs under [{others[0]}]."
    known = list(_fields(section))
    hint = nearest(key, known) or f"; the keys are {', '.join(known)}"
    return f"[{section}] has no key {key!r}{hint}."


def _parse(section: str, key: str, text: str) -> Any:
    """A flag or variable as TOML reads it; plain text where the key takes text, commas where it takes a list."""
    annotation = _fields(section)[key].annotation
    kinds = set(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else {annotation}
    if kinds <= {str, type(None)}:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        lists = any(get_origin(kind) is tuple for kind in kinds)
        return [part.strip() for part in text.split(",")] if lists and (str not in kinds or "," in text) else text


def _section(name: str, entries: dict[str, Place], file: str, faults: list[str]) -> Record | None:
    record = _record(name)
    assert record is not None, name
    unknown = [key for key in entries if key not in record.model_fields]
    faults.extend(f"{entries[key].where}: {_unknown(name, key)}" for key in unknown)
    values = {key: place.value for key, place in entries.items() if key not in unknown}
    try:
        # Through JSON, because that is where strict validation takes an array for a tuple.
        return record.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        seen: set[str] = set()
        for fault in error.errors(include_url=False):
            key = str(fault["loc"][0]) if fault["loc"] else ""
            if key in seen or fault["type"] == "default_factory_not_called":
                continue  # a union reports once per alternative; a default that another fault prevents is no fault
            seen.add(key)
            where = entries[key].where if key in entries else file
            value = values.get(key)
            faults.append(f"{where}: [{name}] {sentence(key, value, fault, record)}")
        return None
