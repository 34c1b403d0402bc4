"""How a value breaks a JSON Schema, in words; the value itself is not quoted. What jsonschema validates.

A schema that comes with the data is not trusted: nothing in it may reach out or run for ever. References to other
documents are not followed, patterns (whose time has no bound) are not tried, and a schema whose references go round is
given up. That of a task is the user's own, and tried whole; references to other documents are not followed there
either.
"""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.texts import shown

MOST_REFERENCES = 1_000  # followed for one value
UNTRIED = frozenset(
    {"pattern", "patternProperties", "uniqueItems", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef"}
)

Faults = Callable[[Any], str | None]


class SchemaError(Exception):
    """Why a schema is not used."""


@lru_cache(maxsize=512)
def faults_of(schema: str, *, trusted: bool = False) -> Faults:
    """A function that says how a value breaks `schema` (JSON text), or None.

    Raises MissingExtraError without jsonschema; the function raises SchemaError where the schema cannot be used.
    """
    try:
        from jsonschema import Draft202012Validator, exceptions
        from referencing import Registry
    except ImportError:
        raise MissingExtraError("install it with `pip install 'tunesmith[evidence]'`.") from None
    left = [0]
    kind = Draft202012Validator if trusted else _bounded(left)
    known = json.loads(schema)

    def fault(value: Any) -> str | None:
        left[0] = MOST_REFERENCES
        try:
            error = exceptions.best_match(kind(known, registry=Registry()).iter_errors(value))
        except SchemaError:
            raise
        except Exception as cause:  # a schema that is none fails in as many ways as there are keywords
            raise SchemaError(f"it is no JSON Schema ({type(cause).__name__}).") from None
        return None if error is None else _said(error)

    return fault


def check(schema: Any) -> None:
    """Raise SchemaError where `schema` is no JSON Schema (draft 2020-12)."""
    try:
        from jsonschema import Draft202012Validator, exceptions
    except ImportError:
        raise MissingExtraError("install it with `pip install 'tunesmith[evidence]'`.") from None
    try:
        Draft202012Validator.check_schema(schema)
    except exceptions.SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path) or "its top"
        raise SchemaError(f"it is no JSON Schema: at {shown(where)}, {shown(error.message, 120)}.") from None


def _bounded(left: list[int]) -> Any:
    """A validator that follows as many references as are `left`, and tries no patterns."""
    from jsonschema import Draft202012Validator, validators

    usual = Draft202012Validator.VALIDATORS

    def follow(validator: Any, reference: Any, instance: Any, holder: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise SchemaError("its references go round, or are too many.")
        return usual["$ref"](validator, reference, instance, holder)

    def additional(validator: Any, rule: Any, instance: Any, holder: Any) -> Any:
        if "patternProperties" not in holder:
            yield from usual["additionalProperties"](validator, rule, instance, holder)

    rules: dict[str, Any] = dict.fromkeys(UNTRIED, _nothing) | {"$ref": follow, "additionalProperties": additional}
    return validators.extend(Draft202012Validator, rules)


def _nothing(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[Any]:
    return iter(())


def _said(error: Any) -> str:
    """One fault in words, with its place; the value itself is not quoted."""
    where = ".".join(str(part) for part in error.absolute_path)
    subject = f"'{shown(where)}'" if where else "the object"
    rule, wanted = error.validator, error.validator_value
    if rule == "required":
        missing = [name for name in wanted if name not in error.instance]
        return f"{subject} lacks {', '.join(repr(shown(str(name), 40)) for name in missing)}."
    if rule == "type":
        return f"{subject} is not {' or '.join([wanted] if isinstance(wanted, str) else map(str, wanted))}."
    if rule == "enum":
        return f"{subject} is none of {', '.join(shown(str(each), 30) for each in wanted[:8])}."
    if rule == "additionalProperties":
        known = error.schema.get("properties", {})
        extra = [shown(str(name), 40) for name in error.instance if name not in known]
        return f"{subject} has {', '.join(map(repr, extra[:5]))}, which the schema does not know."
    return f"{subject} does not hold to '{shown(str(rule), 40)}': {shown(json.dumps(wanted), 60)}."
