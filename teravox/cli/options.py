"""The options that commands share, each worded once."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from teravox.pipeline.options import says

Queue = Annotated[str, says("Queue: a folder, sqs://NAME, or the URL of an SQS queue.", form="queue", positional=True)]
Region = Annotated[str | None, says("AWS region of an SQS queue. Default: as AWS is configured here.")]
EndpointUrl = Annotated[str | None, says("Server of an SQS queue, if it is not AWS. Default: AWS_ENDPOINT_URL_SQS.")]
Parallel = Annotated[
    int, Meta(ge=0), says("Tasks at the same time; 0 is as many as there are cores to use here.", short="p")
]
Tries = Annotated[int, Meta(ge=1), says("Attempts that a task may take before it is given up.")]
TaskTimeout = Annotated[
    float | None,
    Meta(description="Time after which a running task counts as hung. Default: never.", extra={"form": "seconds"}),
]
Durable = Annotated[
    bool,
    says("Wait until every file is on the disk before it counts as written, so that a power failure loses nothing."),
]
Quiet = Annotated[bool, says("Say nothing but warnings and errors.", short="q")]
DryRun = Annotated[bool, says("Say what would be done, and write nothing.")]
Yes = Annotated[bool, says("Do it without asking.", short="y")]
AsJson = Annotated[bool, says("Print JSON, for machines.")]
Limit = Annotated[int, Meta(ge=1), says("Most tasks to show.")]
Match = Annotated[str | None, says("Only tasks whose kind, message or errors hold this text, in any case of letters.")]
