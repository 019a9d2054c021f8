"""What kind of message it is: a greeting, thanks, a question, a yes, a no, or no answer at all."""

from __future__ import annotations

import re

__all__ = [
    "agreement",
    "disagreement",
    "is_greeting",
    "is_no",
    "is_question",
    "is_refusal",
    "is_thanks",
    "is_yes",
    "without_greeting",
]

_GREETING = (
    r"(?:hi+|hello|hallo|hey+|hiya|howdy|greetings|yo|good (?:morning|afternoon|evening|day)|dear (?:sir|madam))"
    r"(?:[ ,]+(?:there|everyone|all|again|bot|assistant|you|team|sir|madam)\b)*"
)
_IS_GREETING = re.compile(rf"{_GREETING}[\s,.!]*(?:how are you(?: today| doing)?\??)?[\s,.!]*", re.IGNORECASE)
_GREETING_FIRST = re.compile(rf"\s*{_GREETING}(?:\s*[,.!:;\n-]+\s*|\s+)(?=\S)", re.IGNORECASE)
_THANKS = re.compile(
    r"(?:ok(?:ay)?|great|perfect|lovely|cool|right|good)?[\s,.!]*"
    r"(?:(?:many )?thanks|thank you|thx|cheers|ta|much appreciated)(?: (?:so|very) much| a lot| again"
    r"| for .{1,60})?[\s,.!]*",
    re.IGNORECASE,
)
_QUESTION_FIRST = re.compile(
    r"(?:what|why|who|whom|whose|how|when|where|which|can you|could you|would you|do you|does|did you|is it"
    r"|is that|are you"
    r"|is there|are there|may i ask|what's|who's|how's|where's|am i|should i|will you|do i)\b",
    re.IGNORECASE,
)
_POLITE_REQUEST = re.compile(r"(?:please )?(?:can|could|may|might) (?:i|we) (?:please )?\w+", re.IGNORECASE)
_REFUSAL = re.compile(
    r"(?:(?:i|we) (?:really )?(?:do not|don't|dont) (?:know|understand|remember|have (?:one|any|it|that)"
    r"|want to(?: say)?|care)"
    r"|i(?:'m| am) not (?:really )?sure|not (?:really )?sure|dunno|no idea|no clue|idk|skip(?: (?:it|this"
    r"|that))?|pass|help(?: me)?"
    r"|what|why|huh|hm+|er+m?|um+|eh|ok(?:ay)?|right|well|so|maybe|perhaps|later|wait|one moment|hold on|sorry"
    r"|nevermind)"
    r"[\s,.!?]*(?:please)?[\s,.!?]*",
    re.IGNORECASE,
)
# The first group decides also with more words behind it ("yes please"), the second one only when it stands alone;
# a no decides at the end, too ("a bit steep, no").
_YES = re.compile(
    r"(?:(?:oh|ok(?:ay)?|well|hm+|all right|alright)[\s,.!]+)*"
    r"(?:(?:yes|yeah|yea|yep|yup|aye|sure|of course|certainly|absolutely|definitely|indeed|please do|go ahead"
    r"|go for it|do it"
    r"|i (?:agree|accept|confirm|approve)|accept(?:ed)?|confirm(?:ed)?|approved?|agreed)(?=[\s,.!;:]|$)"
    r"|(?:y|ok|okay|correct|right|true|fine|i do|i am|i have|i will|i would|sounds (?:good|great|fine)"
    r"|looks (?:good|great|fine|right|correct)|that(?:'s| is) (?:right|correct|fine|good|ok|okay|true)"
    r"|all (?:good|right|correct)"
    r"|perfect|great|good|alright|(?:it(?:'s| is) a )?deal|(?:i(?:'ll| will) )?take it"
    r"|with pleasure|why not|i(?:'d| would) (?:like|love) (?:that|to)|positive"
    r"|proceed|continue|go on)"
    r"(?:[\s,.!]*(?:please|thanks|thank you|then|with me|for me|by me|to me))?(?=[,.!;:]|\s*$))",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:(?:oh|ok(?:ay)?|well|hm+|sorry)[\s,.!]+)*"
    r"(?:(?:no|nope|nah|nay|never|not|decline|i (?:decline|reject|refuse|disagree)|certainly not|of course not"
    r"|absolutely not"
    r"|i(?:'d| would) (?:rather|prefer) not|don't|do not|i don't|i do not|i won't|i will not|i'm not|i am not"
    r"|i haven't|i have not|i wouldn't|i would not|i can't"
    r"|i cannot)(?=[\s,.!;:]|$)"
    r"|(?:n|false|negative|wrong|incorrect|reject|refuse|none|neither|that(?:'s| is) (?:wrong|not|incorrect)"
    r"|looks wrong|(?:(?:it|that)(?:'s| is) )?(?:far |much |way )?too (?:expensive|dear|pricey|much))"
    r"(?:[\s,.!]*(?:please|thanks|thank you|then|sorry))?(?=[,.!;:]|\s*$)"
    r"|[^,.;!?]{1,60}[,.;!]\s*(?:no|nope|nah)(?:,? (?:thanks|thank you))?(?=[\s.!]*$))",
    re.IGNORECASE,
)

_SHORT = 120


def is_greeting(text: str) -> bool:
    """Whether the message only says hello."""
    return len(text) <= _SHORT and _IS_GREETING.fullmatch(text.strip()) is not None


def is_thanks(text: str) -> bool:
    """Whether the message only says thank you."""
    return len(text) <= _SHORT and _THANKS.fullmatch(text.strip()) is not None


def is_question(text: str) -> bool:
    """Whether the message asks something; a polite request (`Can I have two apples?`) is none."""
    line = text.strip()[:1_000]
    if _POLITE_REQUEST.match(line):
        return False
    return line.endswith("?") or (_QUESTION_FIRST.match(line) is not None and not line.endswith("."))


def is_refusal(text: str) -> bool:
    """Whether the message says nothing that could be a value: `I don't know`, `hm`, `ok`."""
    line = text.strip()
    return len(line) <= _SHORT and _REFUSAL.fullmatch(line) is not None


def is_yes(text: str) -> bool:
    """Whether a short message agrees."""
    return agreement(text) is not None and not is_no(text)


def is_no(text: str) -> bool:
    """Whether a short message declines."""
    return disagreement(text) is not None


def agreement(text: str) -> tuple[int, int] | None:
    """Where a short message says yes; None when it does not, or takes it back with a `not`."""
    return None if re.search(r"\bnot\b|n't\b", text[:_SHORT]) else _said(_YES, text)


def disagreement(text: str) -> tuple[int, int] | None:
    """Where a short message says no; None when it does not."""
    return _said(_NO, text)


def _said(pattern: re.Pattern[str], text: str) -> tuple[int, int] | None:
    line = text.strip()
    match = pattern.match(line) if len(line) <= _SHORT else None
    start = len(text) - len(text.lstrip())
    return (start, start + match.end()) if match else None


def without_greeting(text: str) -> str:
    """The message without a greeting at its beginning; blanks stand in its place, so that positions stay."""
    match = _GREETING_FIRST.match(text)
    return " " * match.end() + text[match.end() :] if match else text
