"""Topics that few rows are about: clusters of sentence vectors, each named by the words that set it apart.

K-means with about the square root of half the rows as the number of clusters, the usual rule of thumb: fine enough to
tell topics apart, coarse enough that a topic with its share of rows is no finding. A cluster of very few rows is a
corner that the model will know little about, or rows that belong elsewhere.
"""

# Axes: N rows, F features.

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.checks.base import AtTheEnd, about
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding
from tunesmith.data.normal import normalise

FEWEST = 100  # rows
THIN = 5  # rows of a topic, or fewer
MOST_TOPICS = 100
MOST_ROWS = 20_000  # that the clusters are made from; the others find theirs
NAMED = 10  # topics that are findings
WORDS = 3


class ThinTopics(AtTheEnd):
    """Asked where an embedding is given."""

    def __init__(self, scope: Scope):
        self._scope = scope

    def close(self) -> list[Finding]:
        return thin_topics(*self._scope.embedded()) if self._scope.embed else []


def thin_topics(examples: Sequence[Example], vectors: Any) -> list[Finding]:
    """A note for each topic of few rows, the fewest first; `vectors` are those of the rows' texts, in order.

    Raises MissingExtraError without scikit-learn.
    """
    import numpy as np

    if len(examples) < FEWEST:
        return []
    try:
        from sklearn.cluster import KMeans
    except ImportError:
        raise MissingExtraError(
            "Topics are found with scikit-learn. Install it with `pip install 'tunesmith[data]'`, or check without "
            "--meaning."
        ) from None
    vectors_NF = np.asarray(vectors, dtype=np.float32)
    topics = min(MOST_TOPICS, int((len(examples) / 2) ** 0.5))
    model = KMeans(topics, n_init=4, random_state=0)
    topic_N = model.fit(vectors_NF[:: -(-len(vectors_NF) // MOST_ROWS)]).predict(vectors_NF)
    return list(_thin(examples, topic_N, topics))


def _thin(examples: Sequence[Example], topic_N: Any, topics: int) -> Iterator[Finding]:
    words = [Counter(dict.fromkeys(normalise(row.text).split(), 1)) for row in examples]
    everywhere: Counter[str] = Counter()
    for each in words:
        everywhere.update(each)
    sizes = Counter(int(topic) for topic in topic_N)
    thin = sorted((size, topic) for topic, size in sizes.items() if size <= THIN)
    for size, topic in thin[:NAMED]:
        places = [place for place, each in enumerate(topic_N) if each == topic]
        here: Counter[str] = Counter()
        for place in places:
            here.update(words[place])
        telling = sorted(here, key=lambda word: (-here[word] / everywhere[word] * here[word] ** 0.5, word))[:WORDS]
        about_what = ", ".join(shown(word, 30) for word in telling)
        message = (
            f"Thin topic: {count(size, 'row')} of {len(examples):,} about {about_what} (one of {topics} "
            f"topics, {len(thin)} of them thin). Add rows where it matters."
        )
        related = tuple(examples[place].origin for place in places[1:])
        yield about(examples[places[0]], "note", "thin-topic", message, field="input", related=related)
