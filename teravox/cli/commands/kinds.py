"""`teravox kinds`: which kinds of job there are."""

from __future__ import annotations

import json

import msgspec

from teravox.cli.catalog import Catalog
from teravox.cli.command import Call, Command
from teravox.cli.options import AsJson
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.job import AnyJob
from teravox.pipeline.registry import Registry


class Kinds(Command, frozen=True):
    """List the kinds of job; with --json, their options as JSON schema."""

    json: AsJson = False

    def run(self, call: Call) -> int:
        catalog = Catalog(call.registry)
        if self.json:
            print(json.dumps(_schemas(call.registry), indent=2))
        else:
            for kind in call.registry:
                print(f"{kind:28} {catalog.summary(kind)}")
        return ExitCode.DONE


def _schemas(registry: Registry) -> dict[str, object]:
    """The schema of each kind's job, and of the types in them."""
    kinds: dict[str, type[AnyJob]] = {kind: cls for kind in registry if (cls := registry.find(kind)) is not None}
    schemas, components = msgspec.json.schema_components(kinds.values(), ref_template="#/$defs/{name}")
    return {"kinds": dict(zip(kinds, schemas, strict=True)), "$defs": components}
