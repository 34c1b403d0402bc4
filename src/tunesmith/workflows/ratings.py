"""Ratings of people in evals/ratings.csv or .jsonl: read by `compare`, and the sheet that they are filled into."""

import csv
import io
from collections.abc import Sequence

from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.files import write_text
from tunesmith.core.progress import Console
from tunesmith.core.scorecard import Rated
from tunesmith.core.units import count
from tunesmith.evaluation.ratings import COLUMNS, DIMENSIONS, rated, read_ratings
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import RATINGS, Project
from tunesmith.workflows.reporting import Evidence

SHEET_ROWS = 40


def by_people(project: Project, state: Ready, candidates: Sequence[str], console: Console) -> tuple[Rated, ...]:
    """What people said of `candidates`; nothing where nobody has rated."""
    path = project.ratings_file
    if path is None:
        return ()
    examples = (*state.sealed, *state.validation)
    ratings = read_ratings(path, project.name(path), {example.id for example in examples})
    others = sum(each.candidate not in candidates for each in ratings)
    if others:
        console.say(f"{count(others, 'rating')} in {project.name(path)} are of candidates that are not compared here.")
    return rated(ratings, examples, candidates)


def refuse_standing(project: Project) -> None:
    """Raise UserError where a new sheet would replace ratings."""
    if (standing := project.ratings_file) is not None:
        raise UserError(f"{project.name(standing)} exists, and may hold ratings. Move it away, or fill it in.")


def write_sheet(project: Project, state: Ready, evidence: Evidence, console: Console) -> None:
    """evals/ratings.csv: answers of the two that the verdict names to validation rows, a line for each dimension.

    The candidates of a row come in an order that its id decides, so that none is always the first.
    """
    judged = (evidence.verdict.baseline, evidence.verdict.candidate)
    evaluations = [each for each in evidence.validation if each.scorecard.candidate in judged]
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow([*COLUMNS, "input", "expected", "answer"])
    rows = _spread(state.validation)
    for place in rows:
        example = state.validation[place]
        by_chance = sorted(evaluations, key=lambda each: sha256_text(example.id + each.scorecard.candidate))
        for each in by_chance:
            said = each.predictions[place]
            shown = [example.text, example.expected, said.output or said.text]
            for dimension in DIMENSIONS:
                sheet.writerow([example.id, each.scorecard.candidate, "", dimension, "", *shown])
    path = project.eval_file.parent / RATINGS[0]
    write_text(path, text.getvalue())
    console.say(
        f"Wrote {project.name(path)}: {count(len(rows), 'validation row')}, {count(len(evaluations), 'candidate')}. "
        "Give each line a rater and a rating from 1 to 5; `tunesmith compare` reads it."
    )


def _spread(examples: Sequence[Example]) -> list[int]:
    most = min(SHEET_ROWS, len(examples))
    return [round(step * (len(examples) - 1) / max(most - 1, 1)) for step in range(most)]
