"""The table of base models: every fact with its source, and the order in which they are ranked."""

import pytest

from tunesmith.data.checks.lengths import Epoch
from tunesmith.decisions.base_models import Licence, Machine, Needs, Tried, best_untried, find, known, rank

GIB = 1 << 30
LAPTOP = Machine(memory=16 * GIB, products=1e11, width=4)
LABELS = Needs(epoch=Epoch(1_000, 100_000, 1_000, 50, exact=False), longest=200, reads=60, writes=0, labelled=True)
TEXTS = LABELS.model_copy(update={"writes": 80, "labelled": False})


def test_every_model_has_a_licence_with_a_source_and_the_size_of_its_name() -> None:
    sizes = {"135M": 0.135e9, "0.5B": 0.49e9, "Qwen3-8B": 8.2e9, "Llama-3.1-8B": 8e9, "Mixtral-8x7B": 46.7e9}
    sizes |= {"phi-4": 14.7e9, "gemma-2-9b": 9.2e9, "Mistral-7B": 7.2e9}
    for model in known():
        assert model.licence.source.startswith("https://"), model.name
        assert model.licence.commercial != "not known", model.name
        for part, parameters in sizes.items():
            if part in model.name:
                assert model.parameters == pytest.approx(parameters, rel=0.02), model.name
    assert len({model.name for model in known()}) == len(known())


def test_a_model_is_found_by_its_alias_and_in_any_case() -> None:
    assert find("smollm2-135m-instruct") is find("huggingfacetb/smollm2-135m-instruct") is not None
    assert find("nobody/nothing") is None


def test_labels_begin_with_the_smallest_and_written_answers_with_the_largest_that_fits_in_a_day() -> None:
    labels, texts = (rank(LAPTOP, needs, {}, {}) for needs in (LABELS, TEXTS))
    assert labels[0].name == "HuggingFaceTB/SmolLM2-135M-Instruct"
    fitting = [each for each in texts if each.fits == "lora" and (each.epoch_seconds or 0) <= 8 * 3600]
    assert texts[0].parameters == max(each.parameters or 0 for each in fitting)
    assert [each.fits for each in labels] == sorted((each.fits for each in labels), key=["lora", "qlora", "no"].index)


def test_what_may_not_be_sold_stands_behind_what_may() -> None:
    ranked = rank(Machine(memory=64 * GIB, products=1e12, width=2), TEXTS, {}, {})
    places = {each.name: place for place, each in enumerate(ranked)}
    research = places["Qwen/Qwen2.5-3B-Instruct"]
    assert all(
        place < research
        for each in ranked
        if each.fits == "lora" and each.licence.commercial != "no"
        for place in [places[each.name]]
    )
    assert best_untried(ranked).licence.commercial != "no"


def test_what_was_measured_stands_first_and_sets_the_times_of_the_others() -> None:
    own = Licence(name="not known", commercial="not known")
    tried = {
        "smollm2-135m-instruct": Tried(candidate="prompt", value=0.5, seconds=0.2),
        "lab:large": Tried(candidate="lab:large", value=0.8, seconds=1.0),
    }
    priced = LABELS.model_copy(update={"hourly": 3.6})
    ranked = rank(LAPTOP, priced, tried, {"lab:large": own})
    assert [each.name for each in ranked[:2]] == ["lab:large", "smollm2-135m-instruct"]
    assert ranked[0].licence == own
    assert ranked[1].answer_seconds == 0.2
    assert ranked[1].cost_of_1000 == pytest.approx(0.2)
    alone = {each.name: each for each in rank(LAPTOP, priced, {}, {})}
    base = alone["HuggingFaceTB/SmolLM2-135M-Instruct"].answer_seconds
    for each in ranked[2:]:
        assert each.answer_seconds == pytest.approx(alone[each.name].answer_seconds * 0.2 / base)


def test_a_model_that_was_tried_under_two_names_stands_there_under_both() -> None:
    names = ("HuggingFaceTB/SmolLM2-135M-Instruct", "smollm2-135m-instruct")
    for first, second in (names, names[::-1]):
        tried = {first: Tried(candidate="prompt", value=0.5, seconds=0.2)}
        tried |= {second: Tried(candidate="fine-tune", value=0.8, seconds=0.1)}
        ranked = rank(LAPTOP, LABELS, tried, {})
        assert [each.name for each in ranked[:2]] == [second, first]
        assert ranked[0].parameters == ranked[1].parameters
        assert len(ranked) == len(known()) + 1


def test_what_is_not_known_stands_behind_costs() -> None:
    own = Licence(name="not known", commercial="not known")
    values = {"lab:unknown": None, "lab:dear": -2.5, "lab:cheap": -0.5}
    tried = {name: Tried(candidate=name, value=value, seconds=1.0) for name, value in values.items()}
    ranked = rank(LAPTOP, LABELS, tried, dict.fromkeys(values, own))
    assert [each.name for each in ranked[:3]] == ["lab:cheap", "lab:dear", "lab:unknown"]


def test_of_a_gpu_nothing_is_claimed() -> None:
    ranked = rank(Machine(memory=None, products=1e11, width=2, gpu=True), LABELS, {}, {})
    assert {each.fits for each in ranked} == {"not known"}
    assert {each.answer_seconds for each in ranked} == {None}
