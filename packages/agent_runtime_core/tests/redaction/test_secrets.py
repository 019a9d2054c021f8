"""A secret stays out of what is written down, however it is written; ordinary text stays as it is."""

from __future__ import annotations

import json
import logging
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.logs import JsonFormatter, LineFormatter, without_secrets

SIGNS = string.ascii_letters + string.digits + "@,;:/!?$%^~+_.-"
OTHER = st.text(string.ascii_lowercase, min_size=6, max_size=20)
"""What is no secret."""
WORD = st.builds("Q7{}Z9".format, st.text(string.ascii_letters + string.digits, min_size=2, max_size=20))
"""A secret of letters and digits: it can be looked for, whatever is around it."""
TANGLED = st.builds(lambda head, signs, tail: head + signs + tail, WORD, st.text(SIGNS, max_size=12), WORD)
"""A password as people are told to make them."""
SENTENCE = st.builds(lambda words: " ".join(words), st.lists(WORD, min_size=2, max_size=5))
"""A passphrase with blanks."""
NAMES = st.sampled_from(
    [
        *("password", "DB_PASSWORD", "db.password", "passwd", "passphrase", "secret", "client_secret", "api_key"),
        *("OPENAI_API_KEY", "x-api-key", "apiKey", "AWS_SECRET_ACCESS_KEY", "token", "GITHUB_TOKEN", "accessToken"),
        *("refresh_token", "private_key", "credentials"),
    ]
)
BEFORE = st.sampled_from(["", "Connecting with ", "host=example.org ", "user=ada, ", "(", "{'a': 1}, "])
AFTER = st.sampled_from(["", " and more", ", user=ada", "; done", "\nnext line"])


@given(NAMES, TANGLED, st.sampled_from(["=", ": ", " = ", ":", "=>", "=="]), BEFORE, AFTER)
def test_a_setting_holds_no_secret(name: str, secret: str, sign: str, before: str, after: str) -> None:
    clean = without_secrets(f"{before}{name}{sign}{secret}{after}")

    assert_hidden(secret, clean)
    assert clean.startswith(f"{before}{name}{sign}")
    assert clean.endswith(after)


@given(
    NAMES,
    TANGLED | SENTENCE | st.builds("{}{}".format, st.text(SIGNS + " ", max_size=3), WORD),
    st.sampled_from("'\""),
    BEFORE,
    AFTER,
)
def test_a_setting_in_quotes_holds_no_secret(name: str, secret: str, quote: str, before: str, after: str) -> None:
    clean = without_secrets(f"{before}{name}={quote}{secret}{quote}{after}")

    assert clean == f"{before}{name}={quote}***{quote}{after}"


@given(NAMES, st.builds(lambda a, b, c: a + b + c, WORD, st.text(max_size=20), WORD), OTHER)
def test_json_and_python_data_hold_no_secret(name: str, secret: str, other: str) -> None:
    data = {"other": other, name: secret, "count": 3}

    for text in (json.dumps(data), json.dumps(data, separators=(",", ":")), repr(data), json.dumps(json.dumps(data))):
        clean = without_secrets(text)
        assert_hidden(secret, clean)
        assert other in clean
        assert "count" in clean


@given(st.sampled_from(["Authorization", "authorization", "Proxy-Authorization"]), TANGLED, st.data())
def test_a_header_holds_no_secret(name: str, secret: str, data: st.DataObject) -> None:
    scheme = data.draw(st.sampled_from(["Bearer ", "Basic ", "token ", "AWS4-HMAC-SHA256 ", ""]))
    value = scheme + secret
    for text in (
        f"{name}: {value} was refused",
        json.dumps({name: value}),
        repr({name: value}),
        repr([(name.encode(), value.encode()), (b"accept", b"*/*")]),
        f"curl -H '{name}: {value}' https://example.org",
    ):
        assert_hidden(secret, without_secrets(text))


@given(
    st.sampled_from(["redis", "postgresql+asyncpg", "amqp", "https", "HTTP"]),
    st.text(string.ascii_lowercase, max_size=8),
    TANGLED,
    st.sampled_from(["host:6379/0", "host/db?ssl=true", "[::1]:5432/db", "h"]),
    AFTER,
)
def test_an_address_holds_no_password(scheme: str, user: str, secret: str, rest: str, after: str) -> None:
    clean = without_secrets(f"at {scheme}://{user}:{secret}@{rest}{after}")

    assert clean == f"at {scheme}://***@{rest}{after}"


EXTRAS: st.SearchStrategy[Any] = st.recursive(
    st.just("SECRET") | st.just(4_711_4711),
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(OTHER, inner),
    max_leaves=6,
)


@given(NAMES, EXTRAS, OTHER)
def test_what_is_added_to_a_record_under_a_secret_name_is_hidden(name: str, value: Any, other: str) -> None:
    record = logging.makeLogRecord({"msg": "x", "settings": [{"deep": {name: value, "other": other, "tokens": 120}}]})

    written = JsonFormatter().format(record)

    assert '"SECRET"' not in written
    assert "47114711" not in written
    assert json.loads(written)["settings"][0]["deep"] | {name: 0} == {name: 0, "other": other, "tokens": 120}


@given(TANGLED)
def test_headers_as_pairs_are_hidden(secret: str) -> None:
    record = logging.makeLogRecord({"msg": "x", "headers": [(b"Authorization", secret.encode()), ("accept", "a/b")]})

    assert json.loads(JsonFormatter().format(record))["headers"] == [["Authorization", "***"], ["accept", "a/b"]]


@pytest.mark.parametrize(
    "text",
    [
        "tokens=120 max_tokens=300 prompt_tokens: 12, completion_tokens=3, total_tokens=15, cached_tokens=8",
        '{"usage": {"input_tokens": 12, "output_tokens": 3}, "token_type": "input"}',
        "gen_ai.client.token.usage, gen_ai.token.type=input, gen_ai.usage.input_tokens=3",
        "step=reset_password, from_step=ask_api_key to_step=save_token",
        "Step 'password' failed after 3 attempts: ValueError: no",
        "Tool save_password was refused: not offered at step secret_question",
        "cost per token: 0.002, unexpected token: }",
        "password=None, api_key: null, has_token=False, password_length=8, is_secret: true",
        "No OPENAI_API_KEY is set; give api_key= or set the variable.",
        "author: Ada, authorization is missing, basic understanding, bearer of good news",
        "fields: 'password', 'email' and password, 'name'; ['api_key', 'model']",
        "a secretary, tokenizer: fast, passenger: Ada, keyboard=de, cookies: 3, key=onboarding, idempotency_key=call_1",
        "http://localhost:4318/v1/traces and https://example.org:8080/a?mail=a@b.c, ada@example.org",
        "ssh://git@example.org/x, mailto:ada@example.org, 12:30:05",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


@given(st.text())
def test_what_is_clean_is_not_changed_again(text: str) -> None:
    clean = without_secrets(text)

    assert without_secrets(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "--password SECRET --user ada",
        "password=none-SECRET",
        "password=SECRET;0:SECRET",
        "redis://pwd:SECRET@host:6379/0",
        "redis://user:SECRET://SECRET@host:6379/0",
        "password=' SECRET', 'other'",
        "Cookie: session=SECRET; other=SECRET",
        "<db:password>SECRET</db:password>",
        "config['password'] = 'SECRET SECRET'",
        "password='SECRET SECRET",
        'password="SECRET\\"SECRET"',
        "password: b'SECRET\\'SECRET'",
        "Set-Cookie: session=SECRET; HttpOnly; Path=/SECRET",
        'Authorization: Digest username="SECRET", realm="SECRET", response=SECRET',
        "https://SECRET@example.org/1",
        "GET /blob?sv=1&sig=SECRET%2B&se=2 HTTP/1.1",
        "-----BEGIN RSA PRIVATE KEY-----\nSECRET\nSECRET\n-----END RSA PRIVATE KEY-----",
        "Bearer SECRET1SECRET",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTRUNSRVQifQ.SECRET",
        "ghp_SECRETSECRETSECRET, sk_live_SECRETSECRET1234, glpat-SECRETSECRET1234",
    ],
)
def test_other_ways_to_write_a_secret(text: str) -> None:
    assert "SECRET" not in without_secrets(text)


@pytest.mark.parametrize(
    "piece",
    [
        "a-",
        "http://",
        "http://a:b",
        "password=",
        'password="',
        "password=,",
        "authorization: ",
        "token",
        ",a",
        "\\",
        ".",
    ],
)
def test_a_long_text_does_not_hold_up_the_program(piece: str) -> None:
    # A pattern that looks at every pair of places would take hours; the test's own time limit ends it.
    assert without_secrets(f"password={piece * 30_000}")


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
def test_the_stack_is_written_without_secrets(formatter: logging.Formatter) -> None:
    record = logging.makeLogRecord(
        {"msg": "where", "stack_info": 'Stack:\n  File "shop.py"\n    login(password="a b")'}
    )

    written = formatter.format(record)

    assert "shop.py" in written
    assert "a b" not in written


def test_a_traceback_that_was_made_elsewhere_is_written() -> None:
    record = logging.makeLogRecord({"msg": "it failed", "exc_text": "ValueError: no"})

    assert json.loads(JsonFormatter().format(record))["exception"] == "ValueError: no"


def assert_hidden(secret: str, clean: str) -> None:
    """Neither the secret nor its beginning or end is there."""
    assert secret not in clean
    assert secret[:6] not in clean
    assert secret[-6:] not in clean
