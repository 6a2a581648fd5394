"""What the errors of AWS mean to a person; their own texts may hold keys and are not shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from teravox.pipeline.errors import QueueTrouble, TeravoxError, Transient

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

THROTTLED = frozenset(
    {
        "KmsThrottled",
        "OverLimit",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_WRONG_KEYS = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_OUT_OF_TIME = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})


class NoSuchQueue(QueueTrouble):
    """SQS knows no queue of this name in this region and account."""


@contextmanager
def in_words(queue: str) -> Iterator[None]:
    """Raise what goes wrong within as one of our errors, which names the queue."""
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise _refused(queue, error) from None
    except (aws.NoCredentialsError, aws.PartialCredentialsError):
        raise QueueTrouble(
            f"{queue}: no AWS credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or give the machine a role"
        ) from None
    except (aws.CredentialRetrievalError, aws.SSOError, aws.UnauthorizedSSOTokenError) as error:
        raise QueueTrouble(f"{queue}: the AWS credentials could not be had ({_name(error)}); log in again") from None
    except aws.NoRegionError:
        raise QueueTrouble(
            f"{queue}: it is not said in which AWS region the queue is; set AWS_DEFAULT_REGION, "
            "or write the queue as https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
        ) from None
    except aws.ProfileNotFound:
        raise QueueTrouble(f"{queue}: AWS_PROFILE names a profile that ~/.aws does not have") from None
    except (aws.HTTPClientError, aws.ConnectionError) as error:  # no connection, a time-out, a connection that broke
        raise Transient(f"{queue}: SQS could not be reached ({_name(error)})") from None
    except aws.BotoCoreError as error:
        raise QueueTrouble(f"{queue}: SQS could not be asked ({_name(error)})") from None


def _refused(queue: str, error: ClientError) -> TeravoxError:
    code = error.response.get("Error", {}).get("Code", "").rpartition(".")[2] or "no code"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    action = f"sqs:{error.operation_name.removesuffix('Batch')}"
    if code in {"NonExistentQueue", "QueueDoesNotExist"}:
        return NoSuchQueue(f"there is no SQS queue {queue} in this region and account")
    if code in THROTTLED or status == 429 or status >= 500:
        return Transient(f"{queue}: SQS is overloaded or has a fault ({code}, HTTP {status}, at {action})")
    if code == "PurgeQueueInProgress":
        return Transient(f"{queue}: SQS purges a queue once a minute at most; try again in a minute")
    if code == "QueueDeletedRecently":
        return Transient(f"{queue}: a queue of this name was deleted a moment ago; try again in a minute")
    if code.startswith("AccessDenied"):
        return QueueTrouble(f"{queue}: these AWS credentials do not allow {action} ({code}); ask for that permission")
    if code in _OUT_OF_TIME:
        return QueueTrouble(f"{queue}: the AWS credentials are out of date ({code}); log in again")
    if code in _WRONG_KEYS:
        return QueueTrouble(f"{queue}: AWS does not accept these credentials ({code}); check the keys and the clock")
    return QueueTrouble(f"{queue}: SQS refuses {action} ({code}, HTTP {status})")


def _name(error: Exception) -> str:
    return type(error).__name__
