"""What `kubectl apply -k` would send for the folders of k8s/, and what the schemas of Kubernetes and KEDA say to it."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from deploy.dockerfile import CHECKOUT
from deploy.keda import schema_of

Manifest = dict[str, Any]  # Any: whatever YAML holds

K8S = CHECKOUT / "k8s"
VERSION = "1.37"  # of Kubernetes, whose schema is asked
KUBECTL = Path(sys.executable).with_name("kubectl")
CONTROLLERS = {"Deployment", "Job"}


class Refused(Exception):
    """A schema says no."""


@cache
def _rendered(folder: Path) -> str:
    made = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return made.stdout


def render(folder: Path | str) -> list[Manifest]:
    """The manifests of a folder of k8s/, or of any folder."""
    import yaml  # type: ignore[import-untyped]  # it comes with the schemas, and its types do not

    return list(yaml.safe_load_all(_rendered(K8S / folder)))


def only(manifests: list[Manifest], *kinds: str) -> Manifest:
    (found,) = (manifest for manifest in manifests if manifest["kind"] in kinds)
    return found


def pod(manifests: list[Manifest]) -> Manifest:
    """The pod of the workers."""
    spec: Manifest = only(manifests, *CONTROLLERS)["spec"]["template"]["spec"]
    return spec


def environ(manifests: list[Manifest]) -> dict[str, str]:
    """What a worker finds in its environment, without secrets."""
    (container,) = pod(manifests)["containers"]
    said: dict[str, str] = {}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            settings = only(manifests, "ConfigMap")
            assert settings["metadata"]["name"] == source["configMapRef"]["name"]
            said |= settings["data"]
    return said | {each["name"]: each["value"] for each in container.get("env", ())}


def check(manifest: Manifest) -> None:
    """Hold a manifest to its schema, in which no field is unknown; Refused says what is wrong."""
    if manifest["apiVersion"].startswith("keda.sh/"):
        _check_keda(manifest)
    else:
        _check_kubernetes(manifest)


def _check_kubernetes(manifest: Manifest) -> None:
    from kubernetes_validate.utils import (  # type: ignore[import-untyped]  # it has no types
        SchemaNotFoundError,
        ValidationError,
        validate,
    )

    try:
        validate(manifest, VERSION, strict=True)
    except ValidationError as error:
        raise Refused(f"{manifest['kind']} {'/'.join(map(str, error.absolute_path))}: {error.message}") from None
    except SchemaNotFoundError as error:
        raise Refused(error.message) from None


def _check_keda(manifest: Manifest) -> None:
    import jsonschema  # type: ignore[import-untyped]  # it comes with the schemas, and its types do not

    try:
        jsonschema.validate(manifest, schema_of(manifest["kind"]))
    except jsonschema.ValidationError as error:
        raise Refused(f"{manifest['kind']} {'/'.join(map(str, error.absolute_path))}: {error.message}") from None
