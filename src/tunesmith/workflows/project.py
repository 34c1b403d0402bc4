"""A user's project: its folder, its configuration, and where everything in it lies."""

import json
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cached_property, partial
from pathlib import Path

from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import ConfigError, UserError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.data.section import (
    MADE,
    OWN,
    REVIEWS,
    SET_ASIDE,
    SPLIT,
    CallSection,
    DataSection,
    RecordSection,
    SetSection,
    own,
)
from tunesmith.data.splitting import Strata, one_label
from tunesmith.tasks import label_sets, tool_calls, validating
from tunesmith.tasks.base import Family
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.own import Own
from tunesmith.tasks.records import counted_text
from tunesmith.tasks.spec import Task
from tunesmith.training.section import TrainSection
from tunesmith.workflows import config, own_functions, schema_file, tools_file
from tunesmith.workflows.config import Config
from tunesmith.workflows.task_of import task_of

RATINGS = ("ratings.csv", "ratings.jsonl")  # beside the eval set


class Project:
    """Paths are absolute; `name(path)` is what messages call them, relative to the project."""

    def __init__(self, folder: Path, settings: Config):
        self.folder = folder
        self.config = settings
        self.data = folder / "data"
        self.set_aside = folder / SET_ASIDE
        self.reviews = folder / REVIEWS
        self.reviews_lock = folder / ".tunesmith" / "reviews.lock"
        self.made = folder / MADE
        self.split = folder / SPLIT
        self.train_file = self.split / "train.jsonl"
        self.validation_file = self.split / "validation.jsonl"
        self.calibration_file = self.split / "calibration.jsonl"
        self.left_out_file = self.split / "left-out.jsonl"
        self.split_file = self.split / "split.json"
        self.eval_file = folder / "evals" / "eval.jsonl"
        self.lock_file = folder / "evals" / "eval.lock"
        self.judgements = folder / "evals" / "preferences.jsonl"  # of two answers, by people and judges
        self.judgements_lock = folder / ".tunesmith" / "preferences.lock"
        self.prompt_file = folder / settings.task.prompt
        self.rules_file = folder / settings.baselines.rules
        self.documents = folder / settings.baselines.documents
        self.split_files = (self.train_file, self.validation_file, self.calibration_file)
        self.state = folder / ".tunesmith"
        self.runs = self.state / "runs"
        self.artifacts = self.state / "artifacts"
        self.versions = self.state / "versions"
        self.answers = self.state / "answers.db"  # what providers answered
        self.vectors = self.state / "vectors.npz"
        self.probes = self.state / "probes"  # what models answered to them
        self.blind_file = self.state / "blind.json"  # the secret that decides whose answer stands first
        self.draft_file = self.state / "draft.json"

    @classmethod
    def open(cls, start: Path | None = None, flags: Sequence[str] = ()) -> "Project":
        """The project in `start` or, searching upwards, around the working folder."""
        folder = find(start)
        return cls(folder, config.load(folder / config.FILE, flags))

    def with_recipe(self, recipe: TrainSection) -> "Project":
        """The same project, trained by another recipe than its file says."""
        return Project(self.folder, self.config.model_copy(update={"train": recipe}))

    def name(self, path: Path) -> str:
        """`path` as the user knows it: relative to the project, with forward slashes."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)

    @cached_property
    def prompt(self) -> str:
        """The system prompt, without the blank space around it."""
        return self._prompt(self.config.task.prompt, "[task] prompt")

    @property
    def train_prompt(self) -> str:
        """The prompt that the fine-tune is trained under and asked with: the task's, or a shorter one."""
        name = self.config.train.prompt
        return self.prompt if name is None else self._prompt(name, "[train] prompt")

    @property
    def wordings(self) -> list[str]:
        """Other prompts, which the search for shots tries beside the task's own."""
        return [self._prompt(name, "[baselines] prompts") for name in self.config.baselines.prompts]

    def _prompt(self, name: str, key: str) -> str:
        labels = ", and the labels" if self.family.LABELLED else ""
        try:
            text = (self.folder / name).read_text(encoding="utf-8-sig").strip()
        except FileNotFoundError:
            raise ConfigError(
                f"The prompt {name} does not exist. Write it (the task's rules{labels}, in words), or name "
                f"another file under {key} in {config.FILE}."
            ) from None
        except (UnicodeDecodeError, IsADirectoryError):
            raise ConfigError(f"The prompt {name} is not UTF-8 text. Save it as UTF-8.") from None
        if not text:
            raise ConfigError(f"The prompt {name} is empty. Write the task's rules{labels}, in words.")
        return text

    @property
    def family(self) -> Family:
        return FAMILIES[self.config.task.family]

    @property
    def ratings_file(self) -> Path | None:
        """Where people's ratings lie, if they do. Raises UserError where two files could be meant."""
        found = [path for path in (self.eval_file.parent / name for name in RATINGS) if path.is_file()]
        if len(found) > 1:
            raise UserError(f"There are {' and '.join(map(self.name, found))}; keep the ratings in one of them.")
        return found[0] if found else None

    @property
    def rehearsal_file(self) -> Path | None:
        """The user's own general rows, where the recipe names them."""
        return self._recipe_file("rehearsal_file")

    @property
    def preferences(self) -> Path | None:
        """The pairs of answers, where the recipe learns from such."""
        return self._recipe_file("preferences")

    @property
    def start(self) -> Path | None:
        """The folder of the adapter to start from, where the recipe names one."""
        name = self.config.train.start
        return None if name is None else self.folder / name

    def _recipe_file(self, key: str) -> Path | None:
        name: str | None = getattr(self.config.train, key)
        if name is not None and (Path(name).is_absolute() or ".." in Path(name).parts):
            raise ConfigError(f"[train] {key}: {name!r} leaves the project; name a file inside it.")
        return None if name is None else self.folder / name

    @property
    def prompt_untouched(self) -> bool:
        """Whether the prompt is still word for word what `init` drafted on this machine."""
        try:
            draft = json.loads(self.draft_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return bool(draft == {"prompt": sha256_text(self.prompt)})

    @cached_property
    def section(self) -> DataSection:
        """[data], with what answers are read under: the schema of records, the declared labels of sets, or the tools
        that all rows have."""
        if self.config.task.family == "multi_label":
            return SetSection(**self.config.data.model_dump(), labels=self.config.task.labels)
        if self.config.task.family == "tool_calls":
            return CallSection(**self.config.data.model_dump(), tools=self.tools)
        if self.config.task.family != "extraction":
            return self.config.data
        name = self.config.task.output_schema or ""
        schema = schema_file.checked(json.loads(self.output_schema or ""), name)
        return RecordSection(**self.config.data.model_dump(), output_schema=schema)

    @cached_property
    def output_schema(self) -> str | None:
        """The task's JSON Schema as one text; None where its answers are no records."""
        name = self.config.task.output_schema
        return None if name is None else schema_file.text_of(schema_file.read(self.folder / name, name), name)

    @cached_property
    def tools(self) -> tuple[str, ...]:
        """Those that [task] tools names, each as JSON."""
        name = self.config.task.tools
        return () if name is None else tools_file.read(self.folder / name, name)

    @property
    def counted(self) -> Callable[[str], str] | None:
        """What of an expected output decides whether it is right, where one is and outputs are no labels; else None."""
        if self.config.task.family == "multi_label":
            return str
        if self.config.task.family == "tool_calls":
            return tool_calls.counted_text
        return None if self.output_schema is None else partial(counted_text, self.task().fields)

    @property
    def strata(self) -> Strata | None:
        """The labels of an expected output, of which every part of a split should have its share."""
        if self.config.task.family == "multi_label":
            return label_sets.strata
        return one_label if self.family.LABELLED else None

    def task(self, *rows: Sequence[Example]) -> Task:
        """The task; where it has labels and the configuration names none, they are those that `rows` use, sorted."""
        return task_of(self.config, rows, prompt=self.prompt, schema=self.output_schema, own=self._own)

    @cached_property
    def _own(self) -> dict[str, Own]:
        return own_functions.of_task(self.folder, self.config.task)

    def settled(self, task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> list[Prediction]:
        """What a candidate of `task` answered, as [behaviour] and the project's validators have it now."""
        now = {"validators": self._own.get("validators"), "behaviour": self.config.behaviour}
        return validating.settled(task.model_copy(update=now), examples, predictions)

    def sources(self) -> list[Path]:
        """The data files that [data] files names, in order; never what Tunesmith itself wrote below data/."""
        found: dict[Path, None] = {}
        for pattern in self.config.data.files:
            for path in sorted(self._matching(pattern)):
                if path.is_file() and not own(self.name(path)) and not path.is_relative_to(self.split):
                    found[path] = None
        return list(found)

    def _matching(self, pattern: str) -> list[Path]:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise ConfigError(f"[data] files: {pattern!r} leaves the project; name files inside it.")
        try:
            return list(self.folder.glob(pattern))
        except (ValueError, NotImplementedError):  # empty, ".", or "**" beside other letters
            raise ConfigError(
                f'[data] files: {pattern!r} is no pattern; name files inside the project, such as "data/*.csv".'
            ) from None

    def reserved(self, path: Path) -> str | None:
        """What the project keeps at `path`, or would take it for; None where a file of the user's own may go."""
        if what := self.kept(path):
            return what
        sources = {source.resolve() for source in self.sources()}
        if any(place in sources or self._is_source_name(place) for place in _places(path)):
            return f"among the project's sources ([data] files: {', '.join(self.config.data.files)})"
        return None

    def kept(self, path: Path) -> str | None:
        """What the project itself keeps at `path`; None where rows of the user's may go."""
        places = [_folded(place) for place in _places(path)]
        kept = ((_folded(each), what) for each, what in self._kept().items())
        return next((what for each, what in kept if any(place.is_relative_to(each) for place in places)), None)

    def _kept(self) -> dict[Path, str]:
        return {
            self.eval_file.parent: "in the folder of the eval set",
            self.split: "in the folder of the split",
            self.state: "in Tunesmith's own folder",
            **{self.folder / name: what for name, what in OWN.items()},
            self.folder / config.FILE: "the project's settings",
            self.prompt_file: "the task's prompt",
            self.rules_file: "the file of the rules",
        }

    def _is_source_name(self, path: Path) -> bool:
        """Whether a file at `path` would be read as a source; upper and lower case count alike, as on some disks."""
        if not path.is_relative_to(self.folder):
            return False
        parts = _folded(path.relative_to(self.folder)).parts
        return any(_matches(parts, Path(pattern.casefold()).parts) for pattern in self.config.data.files)

    def is_held(self) -> bool:
        """Whether a command that writes is at work in the project."""
        from filelock import FileLock, Timeout

        if not self.state.is_dir():
            return False
        try:
            with FileLock(self.state / "lock", timeout=0):
                return False
        except Timeout:
            return True

    @contextmanager
    def locked(self, verb: str) -> Iterator[None]:
        """Hold the project for a verb that writes; a second one is refused at once rather than made to wait."""
        from filelock import FileLock, Timeout

        self.state.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.state / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"Another tunesmith command is at work in {self.folder}. Wait until it ends, then run "
                f"`tunesmith {verb}` again."
            ) from None
        try:
            yield
        finally:
            lock.release()


def _places(path: Path) -> tuple[Path, Path]:
    """A link, and what it points to."""
    return path.parent.resolve() / path.name, path.resolve()


def _folded(path: Path) -> Path:
    return Path(str(path).casefold())


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path of these parts matches, as `Path.glob` has it (Python 3.13 brings `full_match`)."""
    if not parts or not pattern:
        return not parts and all(each == "**" for each in pattern)
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or _matches(parts[1:], pattern)
    return fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def find(start: Path | None) -> Path:
    """The folder of tunesmith.toml: exactly `start` where given, else the working folder or one above it."""
    if start is not None:
        if (start / config.FILE).is_file():
            return start.resolve()
        what = "holds no" if start.is_dir() else "does not exist, so it holds no"
        raise ConfigError(
            f"{start} {what} {config.FILE}. Make a project with `tunesmith init {shlex.quote(str(start))} --from "
            "messages.csv`."
        )
    here = Path(os.getcwd()).resolve()
    if folder := around(here):
        return folder
    raise ConfigError(
        f"There is no {config.FILE} here ({here}) or in a folder above. Go into a project, name it with -C FOLDER, "
        "make one with `tunesmith init NAME --from messages.csv`, or look at a finished one with `tunesmith demo`."
    )


def project_around(folder: Path | None, flags: Sequence[str] = ()) -> Project | None:
    """The project in `folder`, else the one around the working folder; None where there is none and none was named."""
    if folder is not None or flags:
        return Project.open(folder, flags)
    found = around(Path.cwd())
    return None if found is None else Project.open(found)


def around(here: Path) -> Path | None:
    """The project's folder that is `here` or nearest above it, if there is any."""
    here = here.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / config.FILE).is_file()), None)
