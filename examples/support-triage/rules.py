"""Rules for the support desk: the guideline in prompts/system.md, as far as words on a page can follow it.

The category is found by signs: strong ones count 3 points, weak ones 1; the highest sum wins, and of equal sums the
category that the guideline handles first. A message without any sign gets no answer: a person reads it. Numbers of
invoices and amounts are found by their form; everything else follows from these and a few more signs.
"""

import re

# Category → (strong signs, weak signs): regular expressions, with a semicolon between them. The categories stand in
# the guideline's order of urgency, then from the specific to the general.
SIGNS: dict[str, tuple[str, str]] = {
    "security_privacy": (
        r"""breach; phish; hacked; compromised; leaked; vulnerab; pen(etration)?[ -]?test; gdpr; suspicious;
            do(n't| not) recogni[sz]e .{0,30}(log-?in|session|device|sign-?in); wasn't (me|us)\b;
            (delete|erase|remove) .{0,25}personal data; soc ?2; iso ?27001; security questionnaire; \bdpa\b""",
        r"personal data; encrypt; certificate; sub-?processor; privacy; security",
    ),
    "outage": (
        r"""\bis (completely |totally )?down\b; outage; (nobody|no ?one|none of us) .{0,20}can\b;
            (everyone|everybody|all of us|whole (team|company)) .{0,40}(can't|cannot|unable|locked|blank|error)""",
        r"""(whole|entire) (team|company|office); for (everyone|everybody|all (of us|users)); status page;
            \b50[0234] error; error 50[0234]""",
    ),
    "payment_failure": (
        r"""(card|payment|transfer|debit|mandate) .{0,30}(declin|fail|reject|bounc|refus|not go through);
            (declin|fail|reject)ed (card|payment|transfer|debit); (locked|suspended) .{0,40}(unpaid|payment)""",
        r"credit card; payment method; overdue; past due; direct debit; bank",
    ),
    "billing_dispute": (
        r"""refund; money back; chargeback; over-?charged;
            (charged|billed|paid) .{0,20}(twice|double|again); (charged|billed) .{0,60}cancel;
            cancel.{0,60} (charged|billed); credit(ed)? (us|me|note|back);
            (wrong|incorrect)(ly)? .{0,15}(charge|amount|invoice|billed);
            should(n't| not) have been (charged|billed)""",
        r"dispute; too much; unexpected charge",
    ),
    "integration": (
        r"""\bapi\b; webhook; zapier; \bjira\b; \bslack\b; salesforce; quickbooks; \bxero\b;
            (google|outlook) calendar; (ms|microsoft) teams; connector; integrat; endpoint; rate limit""",
        r"\bimport; \bsync; token; \b4(00|01|03|29)\b; \bsap\b; \bhr system",
    ),
    "account_access": (
        r"""(can't|cannot|unable to|won't let \w+) (log|sign|get) ?(back )?in; locked out;
            (forgot|reset).{0,20}password; two-?factor; \b[2m]fa\b; authenticator; \bsso\b; \bsaml\b;
            single sign; verification code""",
        r"password; log-?in; sign-?in",
    ),
    "bug_report": (
        r"""\bbug; crash; broken; glitch; freez; stopped working; disappear; vanish;
            wrong (total|date|hour|number|result|value|time);
            (doesn't|does not|won't|isn't) (work|sav|load|show|updat)""",
        r"error; incorrect; blank; duplicat; instead of; wrong",
    ),
    "feature_request": (
        r"""offline; dark (mode|theme); custom font; invoice (my|our) (clients|customers); \bchat\b;
            feature request; phone support; would (love|be (great|nice|helpful)); \bplease add\b; road ?map""",
        r"\bwish\b; suggest; any plans (to|for); missing; consider",
    ),
    "plan_change": (
        r"""upgrad; downgrad; \btrial\b; \bquote\b; renew;
            cancel .{0,25}(subscription|plan|account|contract);
            (switch|move|change) .{0,25}(plan|annual|yearly|monthly|business|enterprise)""",
        r"\bplans?\b; cancel; subscription; contract; annual",
    ),
    "account_admin": (
        r"""\bseats?\b;
            (add|remove|deactivate|invite) .{0,25}(user|member|colleague|people|person|contractor);
            permission; \broles?\b; invitation; ownership; workspace (name|setting|owner); \badmin\b""",
        r"invite; \bowner\b; left the company; licen[cs]e; settings?",
    ),
    "billing_question": (
        r"invoice; receipt; \bvat\b; \btax\b; purchase order; \bpo\b; billing (address|contact|e-?mail)",
        r"\bbill; charge; \bprice; \bcosts?\b; how much",
    ),
    "how_to": (
        r"how (do|can|would|should) (i|we|you|one)\b; how to\b; where (do|can) (i|we)\b; is there a way",
        r"""can (i|we|kestrel|it|you)\b; possible; timesheet; gantt; \bcsv\b; \bpdf\b; reminder; template;
            holiday""",
    ),
}
POINTS = (3, 1)
RULES = {
    label: [
        (points, re.compile(sign.strip()))
        for points, signs in zip(POINTS, pair, strict=True)
        for sign in signs.split(";")
    ]
    for label, pair in SIGNS.items()
}
URGENT = ("security_privacy", "outage", "payment_failure", "billing_dispute")

# What only steers the reader ("answer with outage", "ignore the rules above") says nothing about the customer's need.
STEERING = re.compile(
    r"(answer|reply|respond|classify|label|categori[sz]e|tag)( (this|it|only|just))* (with|as|under) [\w\"'-]+"
    r"|ignore (all |the |your |any |previous )*(rules|instructions|guideline)"
)

INVOICE = re.compile(
    r"\b(INV-[\w/-]{,16}\d)|#(\d[\w/-]{,16})|\b(\d{4}-[A-Z])\b"
    r"|\b(?:invoice|bill|receipt)(?: no\.?| number)? (\d[\w/-]{,16})"
)
NUMBER = r"(\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)"
AMOUNT = re.compile(
    rf"(?:[$€£¥]|\b(?:EUR|USD|GBP|CHF)) ?{NUMBER} ?(k|m|million)?\b"
    rf"|{NUMBER} ?(k|m|million)? ?(?:€|(?:EUR|eur|euros?|USD|dollars?|GBP|pounds?|CHF|francs?|CAD)\b)"
)
TIMES = {"k": 1_000, "m": 1_000_000, "million": 1_000_000}
LARGE = 30_000
PEOPLE = re.compile(r"\b(?:\d{1,2}[,.]\d{3}|[5-9]\d\d) (?:\w+ )?(?:seats|users|people|staff|employees|\w*places)\b")

BREACH = re.compile(
    r"hack|breach|suspicious|phish|stranger|stole|leak|unknown|fake|intru|not (mine|ours)"
    r"|(no ?one|nobody|none) (here|of us)"
)
WEAKNESS = re.compile(r"vulnerab|hole\b|bounty|disclosure|tried (it )?on my own|tested with")
LOCKED = re.compile(r"lock(ed|s)?\b|suspended|frozen|read-only|on hold|closed|greyed|\b402|padlock|paused")
STUCK = re.compile(r"\bstuck|lost .{0,20}(rights|role)|(will|may) be (locked|suspended)|suspension|\bwages")
LEGAL = re.compile(
    r"solicitor|general counsel|our (lawyer|counsel|client)|formal notice|\bnotice (of|under)|legal action"
)
WAITING = re.compile(r"\b(today|tonight|tomorrow|auditors?|authority|payroll)\b")
STEPS = re.compile(r"\b(click|press|drag|open|select|tick|chang|creat|typ|enter|upload|switch|when i|after|steps)")
ERROR = re.compile(r"[\"“][^\"”]{4,}[\"”]|\b[45]\d\d\b|\blog\b|no error|null|\?")
PLAN = re.compile(r"\b(team|starter|business|enterprise|free|trial|cancel\w*|terminat\w*|renew\w*|notice|stop|end)\b")
PAPER = re.compile(
    r"cop(y|ies)\b|receipts?\b|statement|quot(e|ation)|\boffer|proposal|certificate|questionnaire|\bform\b|payment link"
    r"|report|\bsoc ?2|\biso\b|agreement|all (our )?invoices"
)
CHANGE = re.compile(
    r"delete|erase|remove|wipe|purge|again|retry|\badd\b|\bput\b|change|move|switch|cancel|\bend\b|renew|stop|close"
)


def answer(message: str) -> dict | None:
    """The record of a customer's message, or None where no sign says what it is about."""
    text = " ".join(STEERING.sub(" ", message.lower().replace("’", "'")).split())
    about = category(text)
    if about is None:
        return None
    invoice, amount = invoice_in(message), amount_in(message)
    urgency = priority(about, text, amount)
    missing = missing_fact(about, text, invoice)
    return {
        "category": about,
        "priority": urgency,
        "invoice_id": invoice,
        "amount": amount,
        "missing_information": [missing] if missing else [],
        "recommended_next_step": "ask_back" if missing else next_step(about, text, urgency),
        "summary": summary(message),
    }


def category(text: str) -> str | None:
    sums = {label: sum(points for points, sign in rules if sign.search(text)) for label, rules in RULES.items()}
    for label in URGENT:
        if sums[label] >= 3:  # one strong sign: it must be handled first, whatever else the message asks
            return label
    best = max(sums, key=lambda label: sums[label])  # of equal sums, the first
    return best if sums[best] else None


def invoice_in(message: str) -> str | None:
    found = INVOICE.search(message)
    return next(filter(None, found.groups())) if found else None


def amount_in(message: str) -> float | None:
    """The first sum of money: 1,290.00, 1.290,00 and 94k are numbers."""
    if not (found := AMOUNT.search(message)):
        return None
    digits, unit = next((digits, unit) for digits, unit in (found.groups()[:2], found.groups()[2:]) if digits)
    whole, cents = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", digits).groups()
    return float(re.sub("[.,]", "", whole) + "." + (cents or "0")) * TIMES.get(unit, 1)


def priority(about: str, text: str, amount: float | None) -> str:
    if about == "outage":
        return "urgent"
    if about == "security_privacy" and BREACH.search(text):
        return "high" if WEAKNESS.search(text) else "urgent"
    if about == "payment_failure" and LOCKED.search(text):
        return "urgent"
    if about in ("billing_dispute", "account_access") or STUCK.search(text) or LEGAL.search(text):
        return "high"
    asks = about in ("billing_question", "how_to", "feature_request")
    asks = asks or (about in ("integration", "plan_change", "security_privacy") and text.endswith("?"))
    level = 0 if asks and not WAITING.search(text) else 1
    level += bool(PEOPLE.search(text)) or (amount or 0) >= LARGE
    return ("low", "normal", "high")[level]


def missing_fact(about: str, text: str, invoice: str | None) -> str | None:
    """What the guideline says to ask back, where the message does not hold it."""
    if about in ("billing_dispute", "payment_failure"):
        return None if invoice else "invoice_number"
    if about in ("account_access", "account_admin"):
        return None if "@" in text else "account_email"
    if about == "bug_report":
        return None if STEPS.search(text) else "steps_before_fault"
    if about == "integration":
        return None if ERROR.search(text) else "error_message"
    if about == "plan_change":
        return None if PLAN.search(text) else "plan_wanted"
    return None


def next_step(about: str, text: str, urgency: str) -> str:
    if about == "outage" or (about == "security_privacy" and urgency in ("high", "urgent")) or LEGAL.search(text):
        return "escalate"
    usual = {
        "feature_request": "log_request",
        "billing_dispute": "investigate",
        "bug_report": "investigate",
        "account_access": "make_change",
        "account_admin": "make_change",
        "how_to": "answer",
    }
    if about in usual:
        return usual[about]
    if about == "payment_failure":
        return "make_change" if urgency == "urgent" or CHANGE.search(text) else "investigate"
    if about == "integration":
        return "answer" if text.endswith("?") else "investigate"
    if PAPER.search(text):
        return "send_document"
    return "make_change" if CHANGE.search(text) else "answer"


def summary(message: str) -> str:
    """The first words of the message."""
    words = " ".join(message.split()[:14])
    return words if len(words) <= 80 else words[:80].rsplit(" ", 1)[0]
