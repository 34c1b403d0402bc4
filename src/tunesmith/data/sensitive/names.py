"""Names of people, by a spaCy model where one is installed: no pattern tells a name from another word."""

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points

from tunesmith.data.sensitive.hit import Sensitive
from tunesmith.data.sensitive.ids import load_presidio

PIECE = 20_000  # characters that a model reads at once; its time and memory grow with them
UNUSED = ["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
PERSON = {"PERSON", "PER"}

Find = Callable[[str], Iterator[Sensitive]]


def installed_model() -> str | None:
    """The first language model by name among those that were installed as packages; nothing is loaded."""
    return min((entry.name for entry in entry_points(group="spacy_models")), default=None)


def names_by(model: str) -> Find:
    """A finder that reads texts with the spaCy model of this name, piece by piece."""
    load_presidio()  # brings spaCy, without torch
    import spacy

    read = spacy.load(model, exclude=UNUSED)

    def names(text: str) -> Iterator[Sensitive]:
        for start, end in _pieces(text):
            for entity in read(text[start:end]).ents:
                if entity.label_ in PERSON:
                    yield Sensitive("person", start + entity.start_char, start + entity.end_char)

    return names


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of at most PIECE characters that end at a space where there is one."""
    start = 0
    while start < len(text):
        end = min(len(text), start + PIECE)
        space = text.rfind(" ", start, end) if end < len(text) else -1
        end = space + 1 if space > start else end
        yield start, end
        start = end
