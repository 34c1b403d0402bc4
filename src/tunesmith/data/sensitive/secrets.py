"""Keys and tokens: detect-secrets' plugins on the text alone, without its files, git or network.

A plugin's expressions run only where a text holds one of the words that its tokens begin with. A private key is its
whole block, not the line that opens it; a password is what follows a word such as "password:"; and a random string
counts where it is long, mixed and near a word that says what it is.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import zip_longest
from typing import Any, NamedTuple

from tunesmith.data.sensitive.hit import Sensitive

# A plugin of detect-secrets, and what a text must hold for it. Left out: those that are any word beside "key" (IBM,
# SoftLayer, Cloudant), whose cases the rules below cover, and public addresses, which are personal data here.
PLUGINS = {
    "aws.AWSKeyDetector": r"A3T|ABIA|ACCA|AKIA|ASIA|aws",
    "azure_storage_key.AzureStorageKeyDetector": r"AccountKey",
    "discord.DiscordBotTokenDetector": r"[MNO][\w\-]{23,25}\.[\w\-]{6}\.",
    "github_token.GitHubTokenDetector": r"gh[pousr]_",
    "gitlab_token.GitLabTokenDetector": r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-|GR1348941",
    "jwt.JwtTokenDetector": r"eyJ",
    "mailchimp.MailchimpDetector": r"-us\d",
    "openai.OpenAIDetector": r"T3BlbkFJ",
    "pypi_token.PypiTokenDetector": r"pypi-AgE",
    "sendgrid.SendGridDetector": r"SG\.",
    "slack.SlackDetector": r"xox|hooks\.slack",
    "square_oauth.SquareOAuthDetector": r"sq0csp",
    "stripe.StripeDetector": r"k_live_",
    "telegram_token.TelegramBotTokenDetector": r"\d{8,10}:[\w\-]{35}",
    "twilio.TwilioKeyDetector": r"AC[a-z0-9]{32}|SK[a-z0-9]{32}",
}
# Forms that detect-secrets does not know yet, by their makers' documentation.
TOKENS = re.compile(
    r"\bsk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\d\d-|or-v1-)[\w\-]{32,200}"  # OpenAI, Anthropic, OpenRouter
    r"|\bgithub_pat_\w{40,120}|\bhf_[A-Za-z]{30,50}\b|\bAIza[\w\-]{35}\b|\bya29\.[\w\-]{40,400}"  # GitHub, HF, Google
    r"|\bnpm_[A-Za-z0-9]{36}\b|\bdop_v1_[a-f0-9]{64}\b|\bdckr_pat_[\w\-]{20,40}|\bshpat_[a-f0-9]{32}\b"
    r"|\bxapp-\d-[\w\-]{20,120}|\bwhsec_[A-Za-z0-9+/=]{24,64}|\bglpat-[\w\-]{20,50}"
)
TOKEN_HINT = re.compile(r"sk-|github_pat_|hf_|AIza|ya29\.|npm_|dop_v1_|dckr_pat_|shpat_|xapp-|whsec_|glpat-")
SPECIMEN = re.compile(r"example|x{6}|0{8}|123456789|your[_\-]?(?:api|token|key)", re.IGNORECASE)

KEY_HINT, PUTTY = "PRIVATE KEY", "PuTTY-User-Key-File"
KEY_BEGINS = re.compile(r"-{2,5} ?BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)? ?-{2,5}|PuTTY-User-Key-File-\d")
KEY_ENDS = re.compile(r"-{2,5} ?END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)? ?-{2,5}|Private-MAC: ?[0-9a-f]{40,64}")
KEY_BODY = re.compile(r"(?:[A-Za-z0-9+/=]|\\[nr]|\s)*")
LONGEST_KEY = 20_000

WINDOW, BEFORE, LONGEST_CUT = 1200, 60, 200  # characters of a text that a plugin sees at once
WORD = re.compile(r"[\w\-.=+/]{0,2000}")
SHORTEST = 16  # characters of a token

LOGIN_IN_ADDRESS = re.compile(r"://[^\s:/@\"'<>]{1,100}:([^\s:/@\"'<>]{3,200})@")
PASSWORD = re.compile(
    r"(?:pass(?:word|wd|phrase|wort)|\bpwd|kennwort|contrase[ñn]a|mot de passe|senha|secret|(?:api|auth|access|account|"
    r"service|private|client|db|encryption)[ _\-]?(?:key|token|secret|pass))\w{0,20}[\"'\]]{0,2}"
    r"\s{0,3}(?::=|={1,3}|:|=>|\bis\b)\s{0,3}([\"'`]?)([^\s\"'`<>{},;]{6,200})\1",
    re.IGNORECASE,
)
LONG_WORD = re.compile(r"(?<!\S)\S{20}")
CALL = re.compile(r"[A-Za-z_][\w.]*\(")
HINTS = ("pass", "pwd", "kennwort", "contrase", "senha", "secret", "key", "token", "://")

RANDOM = re.compile(r"(?<![\w+/=.\-])(?=[^\s]{0,60}\d)[A-Za-z0-9+/_\-]{32,200}={0,2}(?![\w+/=.\-])")
NEAR_RANDOM = re.compile(r"key|token|secret|credential|bearer|auth|signature|passw|sas\b", re.IGNORECASE)
NEAR = 40
HEX = re.compile(r"[0-9a-fA-F]+")
ENTROPY = {"hex": 3.0, "base64": 4.5}  # bits a letter: detect-secrets' own limits


class Plugin(NamedTuple):
    hint: re.Pattern[str]
    scan: Any


def secrets(text: str) -> Iterator[Sensitive]:
    if KEY_HINT in text or PUTTY in text:
        yield from _private_keys(text)
    for plugin in plugins():
        for start, end in _windows(plugin.hint, text):
            yield from _tokens(plugin, text, start, end)
    if TOKEN_HINT.search(text):
        for match in TOKENS.finditer(text):
            if not SPECIMEN.search(match[0]):
                yield Sensitive("token", *match.span())
    if "://" in text:
        for match in LOGIN_IN_ADDRESS.finditer(text):
            yield Sensitive("password", *match.span(1))
    if hinted(text):
        yield from _passwords(text)
        yield from _random_strings(text)


def may_hold(text: str) -> bool:
    """Whether it is worth looking for a secret in `text`."""
    return bool(LONG_WORD.search(text)) or hinted(text)


def hinted(text: str) -> bool:
    """Whether a word stands in `text` beside which there may be a secret that has no form of its own."""
    lowered = text.lower()
    return any(hint in lowered for hint in HINTS)


def unlooked() -> str | None:
    """What is not looked for where detect-secrets is absent, in words for whoever trains on the rows."""
    if find_spec("detect_secrets") is not None:
        return None
    return (
        "Of live tokens only those of some makers were looked for: the others need detect-secrets. Run "
        "`pip install 'tunesmith[data]'`."
    )


@cache
def plugins() -> tuple[Plugin, ...]:
    """None without detect-secrets; what has a form of our own is found all the same."""
    if find_spec("detect_secrets") is None:
        return ()
    made = []
    for name, hint in PLUGINS.items():
        module, cls = name.split(".")
        scan = getattr(import_module(f"detect_secrets.plugins.{module}"), cls)()
        made.append(Plugin(re.compile(hint), scan))
    return tuple(made)


@cache
def _entropies() -> dict[str, Any]:
    found = import_module("detect_secrets.plugins.high_entropy_strings")
    return {
        "hex": found.HexHighEntropyString().calculate_shannon_entropy,
        "base64": found.Base64HighEntropyString().calculate_shannon_entropy,
    }


def _windows(hint: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """The stretches around the hints: some of the plugins' expressions take quadratic time, which this bounds."""
    covered = 0
    for match in hint.finditer(text):
        if match.start() >= covered - LONGEST_CUT:
            covered = match.start() + WINDOW
            yield max(0, match.start() - BEFORE), covered


def _tokens(plugin: Plugin, text: str, start: int, end: int) -> Iterator[Sensitive]:
    """The matches in the stretch. A plugin reports a group where there is one, be it the prefix alone, and stops at
    the signature of a web token; here a hit is a group that is long enough or all of the match, to the word's end."""
    valid = getattr(plugin.scan, "is_formally_valid", None)
    for expression in plugin.scan.denylist:
        for match in expression.finditer(text, start, end):
            if SPECIMEN.search(match[0]) or (valid and not valid(match[0])):
                continue
            long = [number for number, value in enumerate(match.groups(), start=1) if len(value or "") >= SHORTEST]
            begin, stop = match.span(long[0] if long else 0)
            rest = WORD.match(text, stop)
            assert rest  # it may be empty
            yield Sensitive("token", begin, stop + len(rest[0].rstrip(".")))


def _private_keys(text: str) -> Iterator[Sensitive]:
    """From the line that opens a block to the one that ends it or, where that is missing, as far as it looks so."""
    begins = list(KEY_BEGINS.finditer(text))
    for begin, following in zip_longest(begins, begins[1:]):
        limit = min(following.start() if following else len(text), begin.end() + LONGEST_KEY)
        end = KEY_ENDS.search(text, begin.end(), limit)
        body = KEY_BODY.match(text, begin.end(), limit)
        assert body  # it may be empty
        yield Sensitive("private-key", begin.start(), end.end() if end else begin.end() + len(body[0].rstrip()))


def _passwords(text: str) -> Iterator[Sensitive]:
    for match in PASSWORD.finditer(text):
        value = match[2].rstrip(".!?)")
        if _looks_made_up(value) and not SPECIMEN.search(value):
            yield Sensitive("password", match.start(2), match.start(2) + len(value))


def _looks_made_up(value: str) -> bool:
    """A word is no password ("the secret is patience"), nor is a call ("os.getenv("); one with a digit or a sign among
    its letters may be."""
    if CALL.match(value):
        return False
    letters = any(sign.isalpha() for sign in value)
    return len(value) >= 6 and letters and any(not sign.isalpha() and sign not in "-_'’" for sign in value)


def _random_strings(text: str) -> Iterator[Sensitive]:
    for match in RANDOM.finditer(text):
        value = match[0]
        kind = "hex" if HEX.fullmatch(value) else "base64"
        near = NEAR_RANDOM.search(text, max(0, match.start() - NEAR), match.start())
        if near and not SPECIMEN.search(value) and _entropies()[kind](value) > ENTROPY[kind]:
            yield Sensitive("random-string", *match.span())
