"""Keyword rules for the support desk: the guideline in prompts/system.md, as far as words on a page can follow it.

Each category has strong signs (3 points each) and weak ones (1 point each); the highest sum wins, and of equal sums
the category that the guideline handles first. A message without any sign gets no answer: a person reads it.
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


def answer(message: str) -> str | None:
    """The category of a customer's message, or None where no rule applies."""
    text = " ".join(STEERING.sub(" ", message.lower().replace("’", "'")).split())
    sums = {label: sum(points for points, sign in rules if sign.search(text)) for label, rules in RULES.items()}
    for label in URGENT:
        if sums[label] >= 3:  # one strong sign: it must be handled first, whatever else the message asks
            return label
    best = max(sums, key=lambda label: sums[label])  # of equal sums, the first
    return best if sums[best] else None
