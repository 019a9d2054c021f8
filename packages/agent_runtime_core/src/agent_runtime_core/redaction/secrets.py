"""Taking secrets out of texts, before they are written down."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "names_secret", "without_secrets"]

HIDDEN = "***"
"""What stands in the place of a secret."""

_SETTING = r"""
    (?: api[ _-]?keys? | (?:secret|private|signing|encryption|access|account|master)
        [_-]?(?:access[_-]?)? keys?(?:[_-]?id)?
    | secrets? | pass(?:word|wd|phrase|code)s? | (?<![a-z])pwd | credentials? | jwt | connection[_-]?string
    | (?<=[_-])signature | (?<=[?&])sig
    | (?: access | auth | refresh | session | id | bearer | bot | csrf | api )token
    | (?: (?<![^\W_]) | (?-i:(?<=[a-z])(?=T)) ) (?<!unexpected[ ])(?<!per[ ]) token )
"""
"""Names of what is secret, as they end: `token` is one, also in `GITHUB_TOKEN`, but `tokens` and `max_tokens` count."""
_HEADER = r"(?: (?:proxy-)?authorization | x-auth | set-cookie | cookie )"
_QUOTE = r"""[bruf]? (?: \\{0,7}["'] )"""
_SIGN = rf"""
    (?:{_QUOTE})? \]? [ \t]* (?: =>|:=|==|: | (?<=[ \t])= | = (?![ \t]) | =(?=[ \t]*{_QUOTE}) ) [ \t]*
"""
"""What stands between a name and its value."""
_NO_SECRET = r"""
    (?! (?: none | null | nil | true | false | undefined ) (?: [\s)}\]"'&] | [,;.](?:\s|["']|$) | $ )
    | (?: "" | '' | \\["']\\["'] ) (?: [\s,;:)}\]] | $ ) )
"""
"""Ahead is a value that says that there is none."""
_QUOTED = r"""
    [bruf]? (?: " (?: [^"\\] | \\. | "(?=\w) )*+ (?=") | ' (?: [^'\\] | \\. | '(?=\w) )*+ (?=')
    | (?P<quote>\\{1,7}["']) .*? (?<!\\)(?=(?P=quote)) | \\{0,7}["'] [^\n]* )
"""
"""A value in quotes, from its first quote to before its last one; to the end of the line where that is missing."""
_ENDS = r"""
    (?: [,;&](?= \s | $ | [\w.%-]+(?: = | :\s ) | \\{0,7}["'][\w.%-]+\\{0,7}["']\s*[=:] )
    | \\{0,7}["'](?= [\s,;:)}\]] | $ )
    | [)}\]>.,;:]++(?= \s | $ ) )
"""
_BARE = rf"""(?: (?!{_ENDS}) \S )+"""
"""A value without quotes: it may hold any sign, and ends where another setting begins, or the text around it ends."""

_PARAMETER = r"""(?: [\w-]+=(?: "[^"\n]*" | [^\s,"]+ ) )"""
"""A part of a header such as `Digest`'s."""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE | re.DOTALL)


_PATTERNS = (
    _compiled(r"(?P<keep> -----BEGIN[ ][A-Z ]{0,30}PRIVATE[ ]KEY----- ) .*? (?= -----END | \Z )"),
    # The user and password in an address.
    _compiled(
        r"""(?P<keep> (?<![a-z0-9])[a-z][a-z0-9+.-]{0,30}:// )
        (?: [^\s/@:?#"'<>]* : (?! \d{1,5}(?:[/?#]|$) ) (?: [^\s"'<>] | ["'](?=[^\s,;:)}\]]) ){1,250}
        | (?<=http://)[^\s/@:?#"'<>]+
        | (?<=https://)[^\s/@:?#"'<>]+ ) (?=@)"""
    ),
    # A header, as text, JSON, a Python dict, or the pair that HTTP libraries keep: all of its value.
    _compiled(rf"""(?P<keep> \([bru]?["'][\w.-]{{0,60}}(?:{_HEADER}|{_SETTING})["']\s*,\s* ) {_QUOTED}"""),
    _compiled(r"""(?P<keep> \b(?:set-)?cookie\s*[:=]\s* ) (?=[\w.-]+=) [^\n"']+"""),
    _compiled(
        rf"""(?P<keep> \b{_HEADER} {_SIGN} ) {_NO_SECRET}
        (?: {_QUOTED} | (?: [a-z][a-z0-9-]*[ ]+ )? (?: {_PARAMETER} | {_BARE} ) (?: \s*,\s*{_PARAMETER} )* )"""
    ),
    # A setting named after what it holds.
    _compiled(rf"""(?P<keep> {_SETTING} {_SIGN} ) {_NO_SECRET} (?: {_QUOTED} | {_BARE} )"""),
    _compiled(
        rf"""(?P<keep> --[\w-]{{0,40}}{_SETTING}[ ] | <[\w:-]{{0,40}}{_SETTING}> )
        (?: {_QUOTED} | [^\s<]+ )"""
    ),
    _compiled(r"(?P<keep> \bbearer\s+ ) (?= \S*\d | \S{20} ) [a-z0-9._~+/=-]{8,}"),
    _compiled(r"(?P<keep> \bbasic\s+ ) (?= \S*[\d=] ) [a-z0-9+/]{8,}={0,2}"),
)
_KEYS = re.compile(
    r"\b(?:(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}|(?:[srp]k|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}"
    r"|(?:gsk|hf|npm|gh[pousr])_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl[a-z]{2,5}-[A-Za-z0-9_-]{16,}"
    r"|(?:xai|nvapi)-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{20,}|ya29\.[\w.-]{16,}|A[KS]IA[A-Z0-9]{12,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{8,}|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)"
)
_HINTS = (
    *("key", "secret", "pass", "pwd", "credential", "jwt", "connection", "signature", "sig=", "token"),
    *("auth", "cookie", "bearer", "basic", "://"),
)
"""One of these is in every text that a pattern could match: most log records have none, and cost next to nothing."""
_NAME = _compiled(rf"""(?: .* {_SETTING} | (?:.*[^a-z])? {_HEADER} ) ["'\s]*""")


def without_secrets(text: str) -> str:
    """The text with `***` where it holds a key, a password or the value of an `Authorization` header.

    It knows the forms of the well-known vendors and of settings such as `api_key=...`. It is a net, not a licence to
    log requests: a password that is named by no word, or that has blanks and no quotes, goes through.
    """
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        for pattern in _PATTERNS:
            text = pattern.sub(_hidden, text)
    return _KEYS.sub(HIDDEN, text)


def names_secret(name: str) -> bool:
    """Whether what is called so is a secret: `password`, `OPENAI_API_KEY`, `Authorization`; not `max_tokens`."""
    return _NAME.fullmatch(name[-200:]) is not None


def _hidden(match: re.Match[str]) -> str:
    """The match without its value; the quotes stay."""
    text, keep = match.group(), match["keep"]
    value = text[len(keep) :]
    quote = re.match(r"""[bruf]?\\{0,7}["']""", value, re.IGNORECASE)
    return f"{keep}{quote.group() if quote else ''}{HIDDEN}"
