"""Content of messages in Anthropic's form: texts, images and documents become its blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from agent_runtime_core.messages import whole_text

__all__ = ["Block", "content_blocks", "text_block"]

Block = dict[str, Any]
"""One block of a message, as Anthropic takes it."""

_DATA_URL = re.compile(r"data:(?P<type>[^;,]+)(?:;[^,]*)?;base64,(?P<data>.*)", re.DOTALL)


def content_blocks(content: Any) -> list[Block]:
    """The blocks of a message's content; empty texts, which Anthropic refuses, are left out.

    A text, a list of content parts in OpenAI's form (`text`, `image_url`, `file`) or in Anthropic's (which pass as
    they are), or an object, which goes out as JSON.
    """
    if content is None:
        return []
    if isinstance(content, str):
        return text_block(content)
    if isinstance(content, (list, tuple)):
        return [block for part in content for block in _blocks_of(part)]
    if isinstance(content, Mapping):
        return text_block(json.dumps(content, ensure_ascii=False, default=str))
    return text_block(str(content))


def text_block(text: str) -> list[Block]:
    """The text as a block; none for a text of nothing but white space."""
    return [{"type": "text", "text": whole_text(text)}] if text.strip() else []


def _blocks_of(part: Any) -> list[Block]:
    if isinstance(part, str):
        return text_block(part)
    if not isinstance(part, Mapping):
        return text_block(json.dumps(part, ensure_ascii=False, default=str))
    kind = part.get("type")
    if kind in ("text", "input_text", "output_text"):
        text = part.get("text")
        if not (isinstance(text, str) and text.strip()):
            return []
        return [{**part, "type": "text", "text": whole_text(text)}]
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, Mapping) else image
        return [{"type": "image", "source": _source(str(url))}]
    if kind == "file":
        return [_document(part)]
    return [dict(part)]  # Anthropic's own kinds, and those that it may learn


def _document(part: Mapping[str, Any]) -> Block:
    """A file in OpenAI's form as a document."""
    file = part.get("file")
    if not isinstance(file, Mapping):
        return dict(part)
    if file.get("file_id"):
        return {"type": "document", "source": {"type": "file", "file_id": file["file_id"]}}
    block: Block = {"type": "document", "source": _source(str(file.get("file_data") or ""))}
    if file.get("filename"):
        block["title"] = file["filename"]
    return block


def _source(url: str) -> Block:
    """Where the bytes are: in the address itself (`data:...;base64,...`) or on the web."""
    inline = _DATA_URL.match(url)
    if inline:
        return {"type": "base64", "media_type": inline["type"], "data": inline["data"]}
    return {"type": "url", "url": url}
