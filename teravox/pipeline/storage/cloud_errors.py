"""Turns what a bucket or its network refuses into one sentence, classed by whether a later try can help."""

from __future__ import annotations

from teravox.pipeline.errors import Fatal, Transient

_PASSES = frozenset({408, 425, 429})
_PASSING_CODES = frozenset(
    {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "InternalError", "BadDigest"}
)
_REASONS = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "the credentials do not allow it",
    "InvalidAccessKeyId": "the server does not know the access key",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "ExpiredToken": "the session token has expired",
    "401": "credentials are needed",
    "403": "the credentials do not allow it",
    "404": "there is no such bucket",
}


def explain(error: Exception, verb: str, place: str) -> Fatal | Transient:
    """The error to raise for whatever a cloud library raised."""
    code, status = _code(error)
    if status is not None:
        passes = status >= 500 or status in _PASSES or code in _PASSING_CODES
    else:
        passes = not _is_about_credentials(error)
    if passes:
        return Transient(f"cannot {verb} {place}: {code}; it may pass")
    reason = _REASONS.get(code) or _REASONS.get(str(status)) or "check the URL and the credentials"
    return Fatal(f"cannot {verb} {place}: {reason} ({code})")


def is_beyond_the_end(error: BaseException | None) -> bool:
    """Whether a part was asked for that begins where the object has ended."""
    return isinstance(error, Exception) and _code(error)[1] == 416


def _code(error: Exception) -> tuple[str, int | None]:
    """The server's word for the error, or else its class, and the HTTP status where one was given."""
    import requests
    from botocore.exceptions import ClientError
    from google.api_core.exceptions import GoogleAPICallError

    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return str(error.response.get("Error", {}).get("Code", status)), status
    if isinstance(error, GoogleAPICallError):
        return type(error).__name__, int(error.code) if error.code is not None else None
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return str(error.response.status_code), error.response.status_code
    return type(error).__name__, None


def _is_about_credentials(error: Exception) -> bool:
    from botocore.exceptions import (
        NoCredentialsError,
        ParamValidationError,
        PartialCredentialsError,
        ProfileNotFound,
    )
    from google.auth.exceptions import DefaultCredentialsError, RefreshError

    kinds = (
        NoCredentialsError,
        PartialCredentialsError,
        ParamValidationError,
        ProfileNotFound,
        DefaultCredentialsError,
        RefreshError,
        NotImplementedError,
    )
    return isinstance(error, kinds)
