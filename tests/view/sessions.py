"""The connections that libraries keep open for their next request."""

from __future__ import annotations

import gc


def close_sessions() -> None:
    """Close those of `requests`, before the interpreter finds them open and warns of them."""
    import requests

    for thing in gc.get_objects():
        if issubclass(type(thing), requests.Session):  # `isinstance` would wake lazy objects
            thing.close()
