"""What the SQS servers have in common: how they are reached, and whether they answer."""

from __future__ import annotations

import http.client
from typing import NamedTuple
from urllib.parse import urlsplit


class SqsServer(NamedTuple):
    """A server on loopback; it takes any keys."""

    endpoint: str

    @property
    def environ(self) -> dict[str, str]:
        """What a process must find in its environment to use this server, and no account of anybody."""
        return {
            "AWS_ENDPOINT_URL_SQS": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def answers(self) -> bool:
        """Whether it speaks HTTP already."""
        line = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=10)
        try:
            line.request("GET", "/")
            line.getresponse().read()
        except OSError:
            return False
        finally:
            line.close()
        return True
