from __future__ import annotations

from teravox.pipeline.ledger import Record


def make_record(number: int, *, version: str = "0.1.0", started: float = 1000.0, outputs: int = 2) -> Record:
    return Record(
        id=f"{number:032x}",
        piece={"min": [number, 0, 0], "max": [number + 1, 1, 1]},
        version=version,
        host="node1",
        worker="node1-17",
        attempt=1,
        started=started,
        seconds=2.0,
        cpu_seconds=1.5,
        peak_bytes=1000 + number,
        bytes_in=10,
        bytes_out=20,
        outputs={f"8_8_40/{number}-{n}": (n, 2**32 - 1 - n) for n in range(outputs)},
    )
