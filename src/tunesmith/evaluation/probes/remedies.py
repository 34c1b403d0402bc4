"""What helps against each fault, as practitioners name it: in words, and as the command that begins it.

`{epochs}`, `{learning_rate}` and `{rehearsal}` stand for what to train by instead.
"""

from tunesmith.core.diagnosis import Remedy

GENTLER = (
    Remedy(words="fewer passes over the rows", command="train --set train.epochs={epochs}"),
    Remedy(words="a lower learning rate", command="train --set train.learning_rate={learning_rate}"),
)
REHEARSAL = Remedy(words="general rows mixed in", command="train --set train.rehearsal={rehearsal}")
REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "forgetting": (REHEARSAL, *GENTLER, Remedy(words="adapters on fewer layers, by [train] target_modules")),
    "refusals": (
        Remedy(
            words="rows whose right answer is to refuse, to escalate or to ask back, marked by [data] behaviour",
            command="augment refusals",
        ),
        REHEARSAL,
    ),
    "memorising": (Remedy(words="repeated rows taken out", command="check"), *GENTLER),
    "overconfidence": (
        Remedy(
            words="rows whose right answer is to ask back, or that none fits ([task] abstain)",
            command="augment refusals",
        ),
        *GENTLER,
        Remedy(words="another candidate where the fine-tune is unsure, by [cascade] then"),
    ),
    "rigidity": (
        Remedy(words="rows written otherwise", command="augment typos"),
        Remedy(words="and in other case and layout", command="augment case"),
        Remedy(words="rows that look alike and are answered otherwise", command="augment hard-negatives"),
    ),
    "rare cases": (
        Remedy(words="more rows of rare labels and slices", command="augment paraphrase"),
        Remedy(words="more weight for them, by the column `weight`"),
    ),
    "changing facts": (
        Remedy(words="facts that change taken out of the answers", command="check"),
        Remedy(words="given in the message instead, by retrieval ([baselines] documents)"),
    ),
    "harm": (Remedy(words="rows that teach it found and taken out", command="review"), REHEARSAL, *GENTLER),
}
