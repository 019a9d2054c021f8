"""What kind of thing a parameter is after, judged by its format, its name and its description."""

from __future__ import annotations

from agent_runtime_core.llm.offline.passage import joined_words, words
from agent_runtime_core.llm.offline.schema import Parameter

__all__ = ["is_prose", "meaning_of"]

_PERSON = frozenset(
    "name full first last user users customer customers client person your contact holder passenger guest sur"
    " family given middle nick nickname display legal preferred surname forename firstname lastname fullname"
    " username applicant patient student member visitor owner driver buyer the of my caller employee".split()
)
_PROSE = frozenset(
    "description reason message comment comments note notes detail details feedback issue problem summary text"
    " question query search complaint content body story explanation instruction instructions request remarks"
    " remark answer bio topic about symptom symptoms".split()
)
_FORMATS = {
    "email": "email idn-email",
    "url": "uri iri url",
    "uuid": "uuid",
    "date": "date",
    "time": "time",
    "date-time": "date-time",
    "ip": "ipv4 ipv6",
}
_WORDS = {
    "email": "email mail",
    "phone": "phone telephone mobile cell",
    "url": "url uri website homepage",
    "uuid": "uuid guid",
    "date": "date birthday birthdate dob deadline",
    "age": "age",
    "year": "year",
    "postcode": "zip zipcode postcode postal",
    "money": "amount price cost budget salary income payment fee premium",
    "first name": "firstname forename",
    "last name": "surname lastname",
}
_BY_FORMAT = {form: meaning for meaning, listed in _FORMATS.items() for form in listed.split()}
_BY_WORD = {word: meaning for meaning, listed in _WORDS.items() for word in listed.split()}
_BY_DESCRIPTION = frozenset({"email", "phone", "url", "uuid", "postcode", "name", "first name", "last name"})
_ABOUT_MAIL = frozenset({"subject", "body", "text", "template", "content", "title", "type", "id", "count"})


def meaning_of(parameter: Parameter) -> str:
    """One word for what is wanted; `text` when nothing more is known.

    `email`, `phone`, `url`, `uuid`, `ip`, `date`, `time`, `date-time`, `age`, `year`, `money`, `postcode`, `name`,
    `first name`, `last name`, `prose` or `text`.
    """
    name_words = joined_words(parameter.path[-1]) if parameter.path else []
    form = parameter.schema.get("format")
    if isinstance(form, str) and form in _BY_FORMAT:
        return _BY_FORMAT[form]
    by_name = _by_words(name_words)
    if by_name:
        return by_name
    if is_prose(parameter):
        return "prose"
    if name_words and set(name_words) & {"number", "code", "reference", "id", "type", "kind", "status"}:
        return "text"
    described = words(parameter.description.split(".")[0])
    if parameter.type != "string" or len(name_words) > 1 or len(described) > 5 or {"or", "and"} & set(described):
        return "text"
    hinted = _by_words(described)
    return hinted if hinted in _BY_DESCRIPTION else "text"


def is_prose(parameter: Parameter) -> bool:
    """Whether it wants the user's own sentences, such as a reason or a question."""
    return bool(parameter.path) and bool(set(joined_words(parameter.path[-1])) & _PROSE)


def _by_words(found: list[str]) -> str:
    present = {word.removesuffix("'s") for word in found}
    if present & {"email", "mail"} and present & _ABOUT_MAIL:
        return ""
    if "name" in present and present <= _PERSON:
        if present & {"first", "given", "fore"}:
            return "first name"
        return "last name" if present & {"last", "family", "sur"} else "name"
    if {"years", "of"} <= present or {"e", "mail"} <= present:
        return "email" if "mail" in present else ""
    hits = {_BY_WORD[word] for word in found if word in _BY_WORD}
    if present & {"date", "birthday"}:
        return "date"
    return hits.pop() if len(hits) == 1 else ""
