"""Answers under a constraint: valid, in one spelling, and the likeliest of those that are allowed."""

import copy
import itertools
import json
import math

import jsonschema
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.core.errors import ConfigError, ModelError
from tunesmith.core.example import Message
from tunesmith.engines.base import Constraint
from tunesmith.engines.local import attention
from tunesmith.engines.local.constraint import Matchers, grammar, vocabulary
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.engines.local.loading import load
from tunesmith.engines.registry import LocalEngines
from tunesmith.models.renderer import TOKENIZER
from tunesmith.tasks import label_sets

MODEL = "smollm2-135m-instruct"
END = 2  # of the embedded model's turns


def schema(**keywords) -> Constraint:
    return Constraint(kind="json_schema", text=json.dumps(keywords, ensure_ascii=False))


def closed(**properties):
    """An object with these properties and no others, all of them required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


MARK = "\ue000"  # stands in no answer


def is_canonical(text: str) -> bool:
    """Whether `json.dumps` would write the same, numbers apart: those are spelled as the model likes (-0, 1.50)."""
    marked = {"parse_int": lambda number: MARK + number + MARK, "parse_float": lambda number: MARK + number + MARK}
    written = json.dumps(json.loads(text, **marked), ensure_ascii=False)
    return written.replace(f'"{MARK}', "").replace(f'{MARK}"', "") == text


# ---------------------------------------------------------------- the embedded model

SHORT = {"type": "string", "maxLength": 12}
KINDS = {
    "enum": closed(topic={"enum": ["bill", 'the "Größe"', "a\nb"]}),
    "nested": closed(customer=closed(name=SHORT, city=SHORT)),
    "array": closed(items={"type": "array", "items": SHORT, "maxItems": 2}),
    "integer": closed(pieces={"type": "integer", "minimum": 0, "maximum": 500}),
    "nullable": closed(phone={"type": ["string", "null"], "maxLength": 12}),
    "any of": closed(answer={"anyOf": [{"type": "boolean"}, closed(why=SHORT)]}),
    "length": {"type": "string", "minLength": 3, "maxLength": 12},
}


@pytest.fixture(scope="module")
def local():
    return LocalEngines()


@pytest.fixture(scope="module")
def asked(local):
    texts = ("Anna from Köln wants two red shoes for 19.90 euros.", "Where is my bill? Call 0221 1234.")
    renderer = local.renderer(MODEL)
    system = Message(role="system", content="Answer in JSON.")
    return [renderer.prompt([system, Message(role="user", content=text)]) for text in texts]


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_valid_and_spelled_as_json_dumps_spells_it(local, asked, kind):
    renderer = local.renderer(MODEL)
    stop = [renderer.end_of_turn]
    for answer in local.language(MODEL).generate(asked, max_new_tokens=80, stop=stop, constraint=schema(**KINDS[kind])):
        text = renderer.decode(answer.tokens)
        assert answer.ended, text
        assert json.dumps(json.loads(text), ensure_ascii=False) == text
        jsonschema.validate(json.loads(text), KINDS[kind])
        assert answer.logprob <= 0


def test_a_set_of_labels_is_one_of_those_there_are_in_their_order(local, asked):
    labels = ("bill", "red shoes", 'the "Größe"', "n/a (other)", "\\d+")
    renderer, held = local.renderer(MODEL), Constraint(kind="grammar", text=label_sets.grammar(labels))
    stop = [renderer.end_of_turn]
    for answer in local.language(MODEL).generate(asked, max_new_tokens=60, stop=stop, constraint=held):
        text = renderer.decode(answer.tokens)
        assert answer.ended, text
        assert label_sets.of_text(text, labels) == text
        assert 0 < math.exp(answer.logprob) <= 1


def test_a_number_keeps_its_spelling(local, asked):
    """A model that may not end with a zero would go on to another number."""
    renderer, price = local.renderer(MODEL), {"const": "19.90 euros"}
    wanted = schema(**closed(text=price, price={"type": "number"}))
    [answer, _] = local.language(MODEL).generate(
        asked, max_new_tokens=40, stop=[renderer.end_of_turn], constraint=wanted
    )
    assert json.loads(renderer.decode(answer.tokens), parse_float=str)["price"] == "19.90"


def test_a_constraint_that_the_free_answer_satisfies_changes_nothing(local, asked):
    engine, renderer = local.language(MODEL), local.renderer(MODEL)
    limits = {"max_new_tokens": 12, "stop": [renderer.end_of_turn]}
    free = list(engine.generate(asked, **limits))
    any_text = list(engine.generate(asked, **limits, constraint=Constraint(kind="grammar", text=r"start: /[^\x00]*/")))
    assert [answer.tokens for answer in any_text] == [answer.tokens for answer in free]
    assert [answer.ended for answer in any_text] == [answer.ended for answer in free]
    assert [answer.logprob for answer in any_text] == pytest.approx([answer.logprob for answer in free], abs=0.05)


# ---------------------------------------------------------------- one token per byte, against brute force

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
LANGUAGE = closed(kind={"enum": ["red", "reed", "é"]}, size={"type": "integer", "minimum": 8, "maximum": 12}) | {
    "required": ["kind"]
}
TEXTS = [
    json.dumps({"kind": kind} | ({} if size is None else {"size": size}), ensure_ascii=False)
    for kind, size in itertools.product(["red", "reed", "é"], [None, *range(8, 13)])
]


@pytest.fixture(scope="module")
def bytewise(tmp_path_factory):
    """(plain model, engine over the same weights, tokenizer): a token for each byte, and one that ends an answer."""
    tokenizer = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(BYTES)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<end>", special=True)])
    path = tmp_path_factory.mktemp("bytewise") / TOKENIZER
    tokenizer.save(str(path))
    sizes = {"hidden_size": 48, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 6}
    config = LlamaConfig(vocab_size=280, **sizes, num_key_value_heads=2, initializer_range=0.3)  # wider than its tokens
    torch.manual_seed(5)
    plain, ours = LlamaForCausalLM(config).eval(), LlamaForCausalLM(copy.deepcopy(config)).eval()
    ours.load_state_dict(plain.state_dict())
    plain.set_attn_implementation("eager")
    ours.set_attn_implementation(attention.NAME)
    return plain, LocalEngine(ours, "x", tokenizer=path), tokenizer


def going_on(language, prompt):
    """For transformers: the tokens with which some text goes on behind a prompt so long and what was said."""

    def allowed(_, tokens):
        said = tokens[prompt:].tolist()
        return sorted({text[len(said)] for text in language if text[: len(said)] == said})

    return allowed


def test_answers_equal_a_search_that_tries_every_token(bytewise):
    """transformers' own greedy search, where a token is allowed if some text of the language goes on with it."""
    plain, engine, tokenizer = bytewise
    end = tokenizer.token_to_id("<end>")
    language = [[*tokenizer.encode(text).ids, end] for text in TEXTS]
    asked = [tokenizer.encode(text).ids for text in ("Shoes: ", "Shoes, red: ", "Shoes", "Shoes, 12 of them")]
    answers = list(engine.generate(asked, max_new_tokens=50, stop=[end], constraint=schema(**LANGUAGE)))
    for prompt, answer in zip(asked, answers, strict=True):
        found = plain.generate(
            torch.tensor([prompt]),
            prefix_allowed_tokens_fn=going_on(language, len(prompt)),
            max_new_tokens=50,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
            output_scores=True,
            return_dict_in_generate=True,
        )
        said = found.sequences[0, len(prompt) :].tolist()
        assert [*answer.tokens, end] == said
        logprobs = [torch.log_softmax(step[0], -1)[token] for step, token in zip(found.scores, said, strict=True)]
        assert answer.logprob == pytest.approx(float(sum(logprobs)), abs=1e-3)
        assert answer.ended
    assert len({answer.tokens for answer in answers}) > 1
    assert all(answer.logprob < 0 for answer in answers)


def test_an_answer_does_not_depend_on_its_neighbours(bytewise):
    _, engine, tokenizer = bytewise
    end = tokenizer.token_to_id("<end>")
    nulls = {"type": "array", "items": {"type": "null"}}
    wanted = schema(**closed(a={"type": "string", "maxLength": 6}, b=LANGUAGE, c=nulls))
    asked = [tokenizer.encode("Say " + "so " * (number % 9) + "it").ids for number in range(1, 91)]
    limits = {"max_new_tokens": 90, "stop": [end], "constraint": wanted}
    together = list(engine.generate(asked, **limits))
    for prompt, answer in zip(asked[50:], together[50:], strict=True):
        [alone] = engine.generate([prompt], **limits)
        assert (alone.tokens, alone.ended) == (answer.tokens, answer.ended)
        assert alone.logprob == pytest.approx(answer.logprob, abs=1e-3)
    assert len({len(answer.tokens) for answer in together}) > 1


@pytest.mark.parametrize(("limit", "ended"), [(23, True), (22, False), (3, False)])
def test_an_answer_that_the_limit_ends_says_so(bytewise, limit, ended):
    """All of this one is forced: no token of it is asked for."""
    _, engine, tokenizer = bytewise
    wanted = schema(const={"kind": "red", "n": 1})
    end = tokenizer.token_to_id("<end>")
    [answer] = engine.generate([[1, 2]], max_new_tokens=limit, stop=[end], constraint=wanted)
    assert tokenizer.decode(answer.tokens) == '{"kind": "red", "n": 1}'[:limit]
    assert (answer.ended, answer.fault, answer.logprob) == (ended, None, 0.0)


# ---------------------------------------------------------------- a real vocabulary, random weights

LEAVES = st.sampled_from(
    [
        {"type": "boolean"},
        {"type": "null"},
        {"type": "integer", "minimum": -7, "maximum": 70},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "maxLength": 4},
        {"type": "string", "pattern": "^[a-c]{2,4}$"},
        {"type": "string", "format": "date"},
        {"type": ["string", "null"], "minLength": 2, "maxLength": 3},
        {"enum": ["a", 'b"\\', "é\n", 3, None]},
        {"const": {"x": [1, "y"]}},
    ]
)
NAMES = st.sampled_from(["a", "the name", 'q"', "größe", "n\tt"])


def larger(children):
    objects = st.dictionaries(NAMES, children, max_size=3).flatmap(
        lambda properties: st.lists(st.sampled_from(sorted(properties) or [""]), unique=True).map(
            lambda required: closed(**properties) | {"required": [name for name in required if name in properties]}
        )
    )
    arrays = st.tuples(children, st.integers(0, 2)).map(
        lambda pair: {"type": "array", "items": pair[0], "minItems": pair[1], "maxItems": 2}
    )
    return st.one_of(objects, arrays, st.lists(children, min_size=1, max_size=3).map(lambda some: {"anyOf": some}))


@pytest.fixture(scope="module")
def random_engine(tiny_folder):
    return LocalEngine(load(tiny_folder, dtype=torch.float32), "x", tokenizer=tiny_folder / TOKENIZER)


@given(
    schema_=st.recursive(LEAVES, larger, max_leaves=5), prompt=st.lists(st.integers(100, 900), min_size=1, max_size=4)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_model_would_rather_say_the_answer_is_valid(random_engine, tiny_folder, schema_, prompt):
    decode = Tokenizer.from_file(str(tiny_folder / TOKENIZER)).decode
    [answer] = random_engine.generate([prompt], max_new_tokens=120, stop=[END], constraint=schema(**schema_))
    text = decode(list(answer.tokens))
    assert answer.fault is None
    if not answer.ended:
        assert len(answer.tokens) == 120
        return
    jsonschema.validate(json.loads(text), schema_)
    assert is_canonical(text)
    assert math.isfinite(answer.logprob)


def test_the_mask_holds_every_token_that_some_answer_goes_on_with(tiny_folder):
    tokens = vocabulary(tiny_folder / TOKENIZER, 49152, [END])
    matchers = Matchers(schema(**LANGUAGE), tokens)
    opening, _ = matchers.begin(0)
    said = tokens.decode_bytes(opening)
    spelled = [tokens.decode_bytes([token]) for token in range(49152)]
    expected = {
        token
        for token, more in enumerate(spelled)
        if more and not tokens.is_special_token(token) and any(text.encode().startswith(said + more) for text in TEXTS)
    }
    assert set(matchers.allowed([0])[0].nonzero().flatten().tolist()) == expected
    assert len(expected) > 3


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        (closed(tags={"type": "array", "uniqueItems": True}), "uniqueItems"),
        ({"not": {"type": "string"}}, '"not"'),
        ({"not": {"type": "string"}, "x-guidance": {"lenient": True}}, '"not"'),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}], "x-guidance": {"coerce_one_of": True}}, "oneOf"),
        ({"type": "string", "format": "phone"}, "phone"),
        ({"type": "string", "pattern": "(?=a)b"}, "look-around"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "minLength"),
        ({"enum": ["a\x7fb"]}, r"U\+007F"),
        (closed(**{"a\x01": {}}), r"U\+0001"),
    ],
)
def test_a_schema_that_cannot_be_enforced_is_refused_with_its_keyword(keywords, named):
    with pytest.raises(ConfigError, match=named) as caught:
        grammar(schema(**keywords))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("json_schema", "true", "JSON object"),
        ("json_schema", "{", "JSON Schema"),
        ("grammar", "start: missing", 'unknown name: "missing"'),
        ("grammar", "start: /[ab", "Lark"),
    ],
)
def test_what_is_no_schema_or_grammar_is_refused(kind, text, words):
    with pytest.raises(ConfigError, match=words):
        grammar(Constraint(kind=kind, text=text))


def test_what_the_tokenizer_cannot_write_is_said(random_engine):
    """The embedded model's vocabulary lacks a byte of U+40000."""
    limits = {"max_new_tokens": 30, "stop": [END]}
    with pytest.raises(ModelError, match="tokenizer may lack a character"):
        list(random_engine.generate([[300]], **limits, constraint=schema(const="x\U00040000")))
    rare = closed(a={"type": "boolean"}, b={"const": "x\U00040000"})
    [answer] = random_engine.generate([[300]], **limits, constraint=schema(**rare))
    assert not answer.ended
    assert "doesn't satisfy the grammar" in answer.fault
    assert "\n" not in answer.fault


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(tiny_folder):
    with pytest.raises(ModelError, match="vocab size too small"):
        vocabulary(tiny_folder / TOKENIZER, 100, [END])
