"""What an answer does instead of the task: refuse, hand over to a person, or ask for what is missing.

Told by English turns of phrase in its beginning, where such an answer says so. The phrases are plain to read and no
judgement: they tell whether a set of answers has any of a kind, not whether one answer is right.
"""

import re

BEGINNING = 400  # characters: later on, the same words tell of somebody else

_NOT = r"(?:can\s?not|can['’]?t|(?:am|are|['’]m|['’]re)\s(?:not\sable|unable)\sto|won['’]?t|will\snot|could\snot)"
_REFUSAL = re.compile(
    rf"""\b(?:i|we)\s?{_NOT}\s(?!be\b|help\sbut|stress|wait|say\senough)
    | \b(?:sorry|apologi[sz]e|unfortunately|afraid)\b[^.!?\n]{{0,60}}
      \b(?:{_NOT}|don['’]?t|do\snot|isn['’]?t|not\spossible)
    | \bi\s(?:do\snot|don['’]?t)\s
      (?:have\s(?:access|personal|enough|any\sinformation|the\sability)|feel\scomfortable|know)
    | \b(?:against\s(?:our|my)\s(?:policy|policies|guidelines)|not\sappropriate|(?:decline|refuse)\sto)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ESCALATION = re.compile(
    r"""\b(?:escalat\w+|hand(?:ed|ing)?\s(?:you|this|it)\s(?:over|off)|pass(?:ed|ing)?\s(?:you|this|it|your\s\w+)\s
      (?:on|over|along)\sto|forward(?:ed|ing)?\s(?:you|this|it|your\s\w+)\sto|transfer(?:red|ring)?\syou|
      (?:human|live)\s(?:agent|being|support)|a\scolleague|our\s(?:\w+\s){0,2}(?:team|specialists?|staff|department)\s
      (?:will|is\sgoing)|someone\s(?:from|on)\sour\s|contact\s(?:our|the)\s(?:\w+\s){0,2}(?:team|support|department))\b""",
    re.IGNORECASE | re.VERBOSE,
)
_QUESTION = re.compile(
    r"""\b(?:could|can|would|will)\syou\s(?:please\s)?(?:also\s)?(?:tell|share|send|provide|give|confirm|clarify|
      specify|explain|describe|check|let\s(?:me|us))\b
    | \bplease\s(?:provide|share|send|tell|confirm|clarify|specify|
      let\s(?:me|us)\sknow\s(?:which|what|when|where|your|the))\b
    | \b(?:need|require)\s(?:some\s|a\s(?:few|bit|little)\s)?(?:more|further|additional)\s
      (?:information|details?|context)\b
    | \b(?:which|what)\s[^.!?\n]{1,80}\b(?:you|your)\b[^.!?\n]{0,80}\?""",
    re.IGNORECASE | re.VERBOSE,
)


def refuses(text: str) -> bool:
    return _REFUSAL.search(text[:BEGINNING]) is not None


def escalates(text: str) -> bool:
    return _ESCALATION.search(text[: 2 * BEGINNING]) is not None


def asks_back(text: str) -> bool:
    return _QUESTION.search(text[: 2 * BEGINNING]) is not None
