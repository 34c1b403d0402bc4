"""The licence of a candidate's model, as the receipt states it: from the table of base models, else from what the
model's own folder or GGUF file says of itself, else not known.

Nothing is fetched. What an own file says is its word alone: which licence allows commercial use is known only of those
in the table.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from tunesmith.core.errors import ModelError
from tunesmith.core.texts import shown
from tunesmith.decisions.base_models import Licence, find, known
from tunesmith.models.names import parse
from tunesmith.workflows.candidates import Entry, model_of
from tunesmith.workflows.project import Project

NOT_KNOWN = Licence(name="not known", commercial="not known")
CARD, READ = "README.md", 1 << 16  # a model card's front matter, and as much of it as is read
STATED = re.compile(r"^license(?:_name)?:[ \t]*[\"']?([\w .\-+]{1,80}?)[\"']?[ \t]*$", re.MULTILINE)
LONGEST = 80  # letters of a licence's name
ALLOWED = ("apache-2.0", "mit")  # names by which files call the licences of the table


def licence_of(project: Project, model: str) -> Licence:
    """Of the model that `model` names, in the project's folder."""
    if (found := find(model)) is not None:
        return found.licence
    try:
        name = parse(model, project.folder)
    except ModelError:
        return NOT_KNOWN
    if name.kind == "folder" and name.path:
        return _named(_of_card(Path(name.path) / CARD), "its README.md")
    if name.kind == "gguf" and name.path:
        return _named(_of_gguf(Path(name.path)), "general.license of the file")
    if name.kind == "hosted":
        return NOT_KNOWN.model_copy(update={"terms": "the provider's terms"})
    return NOT_KNOWN


def of_candidates(project: Project, entries: Iterable[Entry]) -> dict[str, dict[str, str]]:
    """Candidate → model, licence and whether commercial use is allowed; those without a model are left out."""
    found = {}
    for entry in entries:
        model = model_of(project, entry)
        if model is not None:
            licence = licence_of(project, model)
            found[entry.name] = {
                "model": model,
                "licence": licence.name,
                "commercial": licence.commercial,
                "terms": licence.terms,
                "source": licence.source,
            }
    return found


def _named(name: str | None, source: str) -> Licence:
    if not name:
        return NOT_KNOWN
    same = next((each.licence for each in known() if each.licence.name.casefold() == name.casefold()), None)
    commercial = same.commercial if same is not None and name.casefold() in ALLOWED else "not known"
    return Licence(name=same.name if same else shown(name, LONGEST), commercial=commercial, source=source)


def _of_card(path: Path) -> str | None:
    """`license_name`, else `license`, of the front matter."""
    try:
        with path.open("rb") as file:
            text = file.read(READ).decode("utf-8", "replace")
    except OSError:
        return None
    if not text.startswith("---"):
        return None
    stated = STATED.findall(text[: text.find("\n---", 3)])
    return next((each for each in reversed(stated) if each != "other"), None)


def _of_gguf(path: Path) -> str | None:
    try:
        from gguf import GGUFReader  # comes with an extra
    except ImportError:
        return None
    try:
        field = GGUFReader(path).get_field("general.license")
        return str(field.contents()) if field is not None else None
    except (OSError, ValueError, KeyError, IndexError):
        return None
