"""What a short message asks for as a whole: to finish, to cancel, to try again."""

from __future__ import annotations

import re

from agent_runtime_core.llm.offline.passage import stem
from agent_runtime_core.llm.offline.phrases import is_no, is_yes

__all__ = ["INTENT_STEMS", "intents"]

_POLITE = r"(?:[\s,.!]*(?:please|thanks|thank you|now|then|mate|for now))*[\s,.!]*"
_SHORT = 120
_SAID = {
    "finish": r"(?:no[\s,]+)?(?:that|this)(?:'s| is| will be|'ll be|s) (?:all|it|everything|enough)"
    r"|(?:no[\s,]+)?(?:nothing|no|none|not) (?:else|more|anything else)"
    r"|(?:(?:i'm|i am|we're|we are|all|it's) )?(?:done|finished|complete)|nothing|no thanks?(?: you)?"
    r"|finish(?: (?:it|up|now))?|the end|end"
    r"|(?:i(?:'d| would) like to |i want to |let's |let me |can i |ready to "
    r"|go to )?(?:the )?check ?out(?: now)?|place (?:the|my|this) order|pay(?: now)?"
    r"|(?:i'm |i am )?ready to (?:order|pay|check ?out)|enough|submit(?: it)?|all set|(?:i have|i've got"
    r"|got) everything",
    "cancel": r"cancel(?: (?:it|this|that|everything|my \w+|the \w+))?|stop(?: (?:it|this))?|quit|exit|abort"
    r"|never ?mind|forget (?:it|about it|that)"
    r"|(?:i |i'd like to |i want to |let's )?give (?:it )?up|leave it|i don't want (?:it|this)(?: any ?more)?"
    r"|bye|goodbye",
    "restart": r"start (?:over|again|from scratch|anew)|restart|reset|begin again|(?:let's )?(?:start"
    r"|begin) from the (?:beginning|start|top)",
    "retry": r"(?:please )?(?:try|check|look|do) (?:it |that |this )?(?:again|once more|one more time)|retry"
    r"|again|once more|one more time|another try"
    r"|(?:yes[\s,]+)?(?:please )?(?:try )?(?:it )?again",
    "back": r"(?:go )?back|undo(?: (?:it|that))?|previous|one step back",
    "more": r"(?:yes[\s,]+)?(?:i(?:'d| would) like |i want )?(?:to )?(?:add )?(?:another(?: one| item)?"
    r"|(?:some |one |a few )?more(?: items?| things?)?"
    r"|something else|one more(?: thing)?)|(?:yes[\s,]+)?add(?: (?:it|one|an item|items?))?|keep (?:going"
    r"|shopping)|carry on",
    "human": r"(?:(?:i(?:'d| would) (?:rather|like to|prefer to) |i (?:want|need) to |(?:can|could|may) i |let me )?"
    r"(?:talk|speak|chat) (?:to|with) |(?:can you |could you )?(?:get|give|find|bring|call) me "
    r"|(?:connect|transfer|put) me (?:through )?(?:to|with) |i (?:want|need) "
    r"|i(?:'d| would) (?:like|prefer|rather have) )?"
    r"(?:an? |the )?(?:real |live |human )?(?:human|person|being|agent|operator|someone|somebody|representative)"
    r"(?: instead)?",
    "skip": r"skip(?: (?:it|this|that))?|pass|next",
}
_INTENT_PATTERNS = {
    name: re.compile(rf"(?:(?:ok(?:ay)?|well|yes|no|right|alright|please)[\s,.!]+)*(?:{said}){_POLITE}", re.IGNORECASE)
    for name, said in _SAID.items()
}
_TOOL_WORDS = {
    "finish": "finish checkout complete done submit end close finalise finalize pay place proceed review order"
    " wrap conclude",
    "cancel": "cancel stop quit abort abandon decline reject exit leave give end",
    "restart": "restart reset over begin again startover",
    "retry": "retry again try reattempt",
    "back": "back previous undo return revert",
    "more": "more another add continue again keep",
    "human": "human agent person operator escalate handoff handover transfer support",
    "skip": "skip next pass",
    "yes": "confirm accept approve agree yes proceed continue submit place book buy start begin ok acknowledge"
    " sign purchase",
    "no": "decline reject refuse no deny disagree skip cancel dismiss",
}
INTENT_STEMS: dict[str, frozenset[str]] = {
    name: frozenset(stem(word) for word in listed.split()) for name, listed in _TOOL_WORDS.items()
}
"""For each intent, the stems that name a tool which does it."""


def intents(text: str) -> list[str]:
    """What a short message asks for as a whole, such as `finish` or `cancel`; usually none."""
    line = text.strip()
    if not line or len(line) > _SHORT:
        return []
    found = [name for name, pattern in _INTENT_PATTERNS.items() if pattern.fullmatch(line)]
    if is_yes(line):
        found.append("yes")
    if is_no(line):
        found.append("no")
    return found
