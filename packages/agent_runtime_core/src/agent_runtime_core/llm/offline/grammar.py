"""Words about the user as words for the user, and things to ask for as questions."""

from __future__ import annotations

import re

__all__ = ["QUESTION_WORD", "THEM", "USER", "capital", "question_for", "second_person", "small", "what_is"]

USER = (
    r"(?:(?:the|this|our|your) )?(?:user|customer|client|person|visitor|caller|guest|member|travell?er|shopper"
    r"|applicant|patient|student|buyer|human|participant|subscriber)\b"
)
"""A pattern for how a prompt names the user."""
THEM = rf"(?:{USER}|them|him or her|him|her)"
"""A pattern for the user as the one who is asked or told."""
QUESTION_WORD = r"(?:what|which|who|whom|whose|how|where|when|why)"
"""A pattern for the word that begins a question."""

_THIRD_PERSON = {"has": "have", "is": "are", "was": "were", "does": "do", "goes": "go"}
_FRONTED = re.compile(r"you (are|were|can|would|will|could|should)\b(.*)", re.IGNORECASE | re.DOTALL)
_SHORT_WOULD = re.compile(r"you'd (like|love|prefer|rather)\b(.*)", re.IGNORECASE | re.DOTALL)
_IT_DOES = re.compile(r"(it|this|that|everything) ((?!is|was|has|does)\w{2,}[^s\W])s\b(.*)", re.IGNORECASE | re.DOTALL)
_ITS_VERB = re.compile(r"(.{1,40}?) (is|are|was|were|can|should|will)\b(.*)", re.IGNORECASE | re.DOTALL)
_WISH = re.compile(r"((?:what|which|how many|how much)(?: \w+){0,2}?) to (\w.*)", re.IGNORECASE | re.DOTALL)
_DIRECT = re.compile(r"(?:what|which|how (?:many|much|old|long))\b.{0,40}", re.IGNORECASE)
_DETERMINED = re.compile(
    r"(?:your|the|my|this|that|these|those|its|our|each|every|all|one|some|\w+(?:'s|\u2019s))\s", re.IGNORECASE
)
_PERSONAL = re.compile(
    r"(?:full |first |last |phone |email |home |postal |date of )*"
    r"(?:name|email|e-mail|phone|age|address|birthday|birth|telephone|surname|nickname|preferences?|details)\b",
    re.IGNORECASE,
)
_BEHIND_HEAD = re.compile(
    r"\s+(?:of|for|to|in|on|from|that|which|with|such|like|you|your|the|it|they|is|are|was)\b|\s*[,(:]"
)


def second_person(text: str) -> str:
    """The text with the user spoken to: `the user's email` is `your email`, `the user wants` is `you want`."""
    text = re.sub(rf"\b(?:{USER}(?:'s|\u2019s)|their|his or her|his/her)(?!\w)", "your", text, flags=re.IGNORECASE)
    text = re.sub(r"\bthey['\u2019](d|re|ve|ll)\b", r"you'\1", text, flags=re.IGNORECASE)
    text = re.sub(rf"\b(?:{USER}|they|he or she|he/she) (\w+)", _agree, text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:themselves|themself|himself or herself)\b", "yourself", text, flags=re.IGNORECASE)
    return re.sub(rf"\b(?:{USER}|them)(?!\w)", "you", text, flags=re.IGNORECASE)


def question_for(subject: str) -> str:
    """A question or request for what a prompt says to ask: a thing, or a clause such as `whether they agree`."""
    if re.match(r"(?:whether|if)\b", subject, re.IGNORECASE):
        return _whether(subject)
    if re.match(rf"{QUESTION_WORD}\b", subject, re.IGNORECASE):
        return f"Please tell me {small(second_person(subject))}."
    return what_is(subject)


def what_is(subject: str) -> str:
    """A question for a thing: `the user's email` gives `What is your email?`; empty for an empty subject."""
    thing = second_person(subject).strip(" .,:;!?")
    thing = re.sub(r"^(?:an?|any)\s+", "the ", thing, flags=re.IGNORECASE)
    thing = re.sub(r"(?<!,) such as\b", ", such as", thing)
    if not thing:
        return ""
    if wish := _WISH.fullmatch(thing):
        return f"{capital(wish[1])} would you like to {wish[2]}?"
    if re.match(rf"{QUESTION_WORD}\b", thing, re.IGNORECASE):
        return f"{capital(thing)}?" if _DIRECT.fullmatch(thing) else f"Please tell me {small(thing)}."
    if re.match(r"(?:whether|if|true if|true when)\b", thing, re.IGNORECASE):
        return _whether(re.sub(r"^true (?:if|when)", "whether", thing, flags=re.IGNORECASE))
    if re.fullmatch(r"(?:your |the |a )?(?:confirmation|consent|approval|agreement)", thing, re.IGNORECASE):
        return "Do you agree?" if thing.lower().endswith(("consent", "agreement")) else "Do you confirm?"
    if _PERSONAL.fullmatch(thing.removeprefix("the ")):  # a journey that says "the name" means the user's
        thing = f"your {small(thing.removeprefix('the '))}"
    if not _DETERMINED.match(thing):
        thing = f"{'your' if _PERSONAL.match(thing) else 'the'} {small(thing)}"
    without_asides = re.sub(r"\([^()]*\)", "", thing)
    if len(thing) > 100 or re.search(r"\b(?:to|must|should|can|it|was)\b", without_asides):
        return f"Please tell me {small(thing)}."
    head = (_BEHIND_HEAD.split(without_asides.split(" ", 1)[-1])[0].split() or [""])[-1]
    is_plural = re.search(r"(?<!between) and ", without_asides) is not None or re.search(r"[^su']s$", head) is not None
    return f"What {'are' if is_plural else 'is'} {small(thing)}?"


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """The text as the inside of a sentence; an abbreviation keeps its capitals."""
    return text if text[1:2].isupper() or text.startswith(("I ", "I'")) else text[:1].lower() + text[1:]


def _whether(clause: str) -> str:
    """`whether they want tea` gives `Do you want tea?`."""
    inner = second_person(re.sub(r"^(?:whether or not|whether|if)\s+", "", clause, flags=re.IGNORECASE)).strip()
    if match := _FRONTED.fullmatch(inner):
        return f"{capital(match[1])} you{match[2]}?"
    if match := _SHORT_WOULD.fullmatch(inner):
        return f"Would you {match[1]}{match[2]}?"
    if inner.lower().startswith("you "):
        return f"Do {small(inner)}?"
    if match := _IT_DOES.fullmatch(inner):
        return f"Does {match[1].lower()} {match[2]}{match[3]}?"
    if match := _ITS_VERB.fullmatch(inner):
        return f"{capital(match[2])} {small(match[1])}{match[3]}?"
    return f"Please tell me whether {inner}."


def _agree(match: re.Match[str]) -> str:
    """The verb behind `the user`, as it stands behind `you`."""
    verb = match[1]
    lowered = verb.lower()
    if lowered in _THIRD_PERSON:
        verb = _THIRD_PERSON[lowered]
    elif lowered.endswith("ies"):
        verb = verb[:-3] + "y"
    elif lowered.endswith(("sses", "shes", "ches", "xes", "oses")):
        verb = verb[:-1] if lowered.endswith("oses") else verb[:-2]
    elif lowered.endswith("s") and not lowered.endswith(("ss", "us", "as", "is")):
        verb = verb[:-1]
    return f"you {verb}"
