from __future__ import annotations

import json
import shlex
import string
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.secrets import SHORTEST, is_secret_name, redact, refuse_password

# What generators of passwords and keys use; a planted one is marked so that a part of it would be seen too.
ALPHABET = string.ascii_letters + string.digits + "/+=@:!#$%^*()_-.,;~[]{}|?<>"
PLANTED = st.text(ALPHABET, min_size=4, max_size=40).map(lambda text: f"q9Z{text}q9Z")
AROUND = st.text(string.ascii_letters + string.digits + " \n.,:/()", max_size=30)
VARIABLES = st.sampled_from(
    ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "MY_LAB_PASSWORD", "GITHUB_TOKEN", "db_secret"]
)

FORMS = [
    "mysql://bob:{}@db.lab:3306/index",
    "https://host/layer/info?sig={} is gone",
    "s3://bucket/key?X-Amz-Algorithm=A&X-Amz-Signature={}",
    "s3://bucket/key?X-Amz-Credential={}&x=1",
    "gs://bucket/key?token={}",
    "aws_secret_access_key = {}",
    "aws_session_token={}",
    "export MY_PASSWORD={}",
    "password: {}",
    "Authorization: {}",
    "Authorization: Bearer {}",
    "Authorization: Basic {}\nnext line",
    "X-Amz-Security-Token: {}",
    "{{'Authorization': 'Bearer {}', 'Host': 'x'}}",
    "{{'password': '{}', 'user': 'bob'}}",
    '{{"secret": "{}", "user": "bob"}}',
    '{{"token":"{}","user":"bob"}}',
    "teravox queue ls --password {} --yes",
    "teravox queue ls --db-token={}",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.sampled_from(FORMS), secret=PLANTED, before=AROUND, after=AROUND)
def test_no_credential_is_left_in_a_form_that_carries_one(form: str, secret: str, before: str, after: str) -> None:
    text = f"{before}\n{form.format(secret)}\n{after}"
    assert "q9Z" not in redact(text)


@given(secret=PLANTED, form=st.sampled_from(FORMS))
def test_no_credential_is_left_in_json(secret: str, form: str) -> None:
    text = json.dumps({"text": json.dumps({"error": form.format(secret)})})
    assert "q9Z" not in redact(text)


@given(secret=PLANTED, form=st.sampled_from(FORMS))
def test_what_was_redacted_stays_as_it_is(secret: str, form: str) -> None:
    once = redact(form.format(secret))
    assert redact(once) == once


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=VARIABLES, secret=st.text(min_size=SHORTEST, max_size=40), before=AROUND, after=AROUND)
def test_no_value_of_a_secret_variable_is_left(name: str, secret: str, before: str, after: str) -> None:
    secret = "".join(secret.split("\0")).encode(errors="ignore").decode() + "-planted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, secret)
        for written in (
            secret,
            json.dumps(secret),
            repr(secret),
            shlex.quote(secret),
            quote(secret),
            quote(secret, ""),
        ):
            assert "planted" not in redact(f"{before} {written} {after}"), written


@pytest.mark.parametrize("written", ["pass/word one", "pass%2Fword%20one", "pass/word%20one", "pass%2Fword+one"])
def test_a_secret_variable_is_hidden_as_urls_write_it(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("MY_PASSWORD", "pass/word one")
    assert redact(f"at x{written}x") == "at x***x"


def test_of_two_secrets_that_begin_alike_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PASSWORD", "beginning")
    monkeypatch.setenv("MY_TOKEN", "beginning-planted")
    assert redact("beginning-planted") == "***"


def test_every_line_of_a_secret_variable_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_PRIVATE_KEY", "first-planted-line\nsecond-planted-line\n")
    assert redact("a first-planted-line\nb second-planted-line") == "a ***\nb ***"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key.json"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
        ("AWS_CREDENTIAL_EXPIRATION", "2026-11-21T00:00:00Z"),
        ("KEYBOARD_LAYOUT", "something"),
        ("PASSENGERS", "something"),
        ("MY_TOKEN", "short"),
    ],
)
def test_variables_that_hold_no_credential_are_not_hidden(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert redact(f"read {value} now") == f"read {value} now"


@pytest.mark.parametrize(
    "text",
    [
        "task 0123456789abcdef0123456789abcdef done in 0.3 s, 12.3 GB",
        "s3://http://127.0.0.1:8333/bucket/layer@2",
        "http://127.0.0.1:8333/bucket/a:b@c",
        "http://[::1]:8080/x@y",
        "gs://bucket/8_8_40/0-64_0-64_0-64.gz",
        "Unexpected token: found }",
        "--token-file ./x --sigma=3 config=4 design=5",
        "--shape: expected 3 whole numbers like 512,512,64, got 2",
        "a basic information about keys and secrets",
    ],
)
def test_what_is_no_credential_is_left_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("see https://bob:hunter2@lab.org/x, please", "see https://***@lab.org/x, please"),
        ('{"url":"http://u:p@h/x","mail":"x@y"}', '{"url":"http://***@h/x","mail":"x@y"}'),
        ('{"password": "a\\"b", "n": 1}', '{"password": "***", "n": 1}'),
        ("key AKIAABCDEFGHIJKLMNOP of bob", "key *** of bob"),
        ("key ASIAABCDEFGHIJKLMNOP", "key ***"),
    ],
)
def test_what_surrounds_a_credential_is_kept(text: str, said: str) -> None:
    assert redact(text) == said


@pytest.mark.parametrize("newline", ["\n", "\\n"])
def test_private_keys_are_hidden_whole_or_cut_off(newline: str) -> None:
    key = newline.join(["-----BEGIN RSA PRIVATE KEY-----", "planted0", "planted1", "-----END RSA PRIVATE KEY-----"])
    assert redact(f"before {key} after") == "before *** after"
    assert redact(f"before {key[:60]}") == "before ***"


@pytest.mark.parametrize(
    "part",
    ["a://b:", "token=", '\\"', "--a-", "password '", "://@", "x", "bearer ", "-----BEGIN PRIVATE KEY-----", "\\"],
)
def test_a_credential_behind_a_long_hostile_text_is_found(part: str) -> None:
    assert "planted" not in redact(part * (256 * 1024 // len(part)) + " password=planted")


@given(token=st.text(string.ascii_letters + string.digits + "-_.~%", min_size=1))
def test_a_token_in_place_of_a_user_is_hidden(token: str) -> None:
    assert redact(f"see https://{token}@example.org/layer now") == "see https://***@example.org/layer now"


@pytest.mark.parametrize(
    "url",
    ["s3://AK:planted@bucket/x", "https://planted@host/x", "https://h/x?sig=planted", "mysql://a:planted/planted@h/x"],
)
def test_a_url_with_a_credential_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(BadUsage, match="carries a password, token or signature") as error:
        refuse_password(url)
    assert "planted" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["./em", "/data/a@b:c", "s3://bucket/x", "s3://http://127.0.0.1:8333/bucket/x@2", "precomputed://gs://b/x", ""],
)
def test_other_urls_are_taken(url: str) -> None:
    refuse_password(url)


def test_a_url_is_not_refused_for_what_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "bucket-of-mine")
    refuse_password("s3://bucket-of-mine/x")


def test_names_of_credentials_are_known() -> None:
    assert all(map(is_secret_name, ("password", "db_password", "aws_secret_access_key", "api_key", "token", "SECRET")))
    assert not any(map(is_secret_name, ("layer", "tokens", "sigma", "key", "password_length", "design")))
