"""The GenAI semantic conventions of OpenTelemetry: names, and messages in their form.

The names are written out here, because OpenTelemetry's own Python package has declared its copy of them deprecated:
they have moved to https://github.com/open-telemetry/semantic-conventions-genai and may still change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from agent_runtime_core.messages import MessageDict, ToolCall, text_of
from agent_runtime_core.redaction import plain_data

__all__ = [
    "AGENT_NAME",
    "CONVERSATION_ID",
    "DURATION_BUCKETS",
    "ERROR_TYPE",
    "FINISH_REASONS",
    "INPUT_MESSAGES",
    "JOURNEY_AGENT",
    "JOURNEY_STEP",
    "OPERATION",
    "OTHER",
    "OUTPUT_MESSAGES",
    "PROVIDER",
    "REQUEST_MODEL",
    "RESPONSE_MODEL",
    "TOKEN_BUCKETS",
    "TOKEN_TYPE",
    "TOOL_ARGUMENTS",
    "TOOL_CALL_ID",
    "TOOL_NAME",
    "TOOL_RESULT",
    "TOOL_TYPE",
    "content_text",
    "messages_text",
    "provider_name",
]

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
AGENT_NAME = "gen_ai.agent.name"
CONVERSATION_ID = "gen_ai.conversation.id"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
TOKEN_TYPE = "gen_ai.token.type"
TOOL_NAME = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
TOOL_CALL_ID = "gen_ai.tool.call.id"
ERROR_TYPE = "error.type"

INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"

JOURNEY_AGENT = "journey.agent"
JOURNEY_STEP = "journey.step"

TOKEN_BUCKETS = tuple(4**power for power in range(14))
DURATION_BUCKETS = tuple(round(0.01 * 2**power, 2) for power in range(14))


OTHER = "_OTHER"
"""What stands for a value that is not known."""

_PROVIDERS = {
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
_PROVIDER_DOMAINS = {
    ".openai.azure.com": "azure.ai.openai",
    ".services.ai.azure.com": "azure.ai.inference",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    ".amazonaws.com": "aws.bedrock",
}


def provider_name(provider: str) -> str:
    """A client's provider as the conventions call it; the host of a server that they do not know stays as it is."""
    host = provider.partition(":")[0].lower()
    known = _PROVIDERS.get(host)
    if known is None:
        known = next((name for domain, name in _PROVIDER_DOMAINS.items() if host.endswith(domain)), None)
    return known or provider or OTHER


def messages_text(messages: Iterable[MessageDict], finish_reason: str | None = None) -> str:
    """Messages as the JSON text that the conventions want: a role and parts each, without secrets.

    Args:
        messages: The messages.
        finish_reason: Why the model stopped; with the messages that it has written, and only there.
    """
    listed = [_message(message) for message in messages]
    if finish_reason is not None:
        listed = [{**message, "finish_reason": finish_reason} for message in listed]
    return content_text(listed)


def content_text(data: Any) -> str:
    """What is recorded of a conversation, as JSON text without secrets."""
    return json.dumps(plain_data(data), ensure_ascii=False)


def _message(message: MessageDict) -> dict[str, Any]:
    role, text = message.get("role"), text_of(message.get("content"))
    if role == "tool":
        return {
            "role": role,
            "parts": [{"type": "tool_call_response", "id": message.get("tool_call_id"), "response": text}],
        }
    parts: list[dict[str, Any]] = [{"type": "text", "content": text}] if text else []
    for data in message.get("tool_calls") or ():
        call = ToolCall(data)
        parts.append({"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments})
    return {"role": role, "parts": parts}
