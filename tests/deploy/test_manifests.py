"""The folders of k8s/ are what Kubernetes and KEDA understand, and say what the image and the worker understand."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deploy.dockerfile import read_dockerfile
from deploy.manifests import CONTROLLERS, K8S, Refused, check, environ, only, pod, render

from teravox import __version__
from teravox.cli.commands.execute import Execute
from teravox.cli.fields import fields_of
from teravox.cli.given import build, gather, read_values
from teravox.pipeline.planning.plan_file import PlanFile, PlannedStep, encode_plan

FOLDERS = ["base", "job", "eks", "gke", "shared-folder"]
SECONDS_TO_END = 10  # that a worker has after its grace, to give leases back and write the ledger
every_folder = pytest.mark.parametrize("folder", FOLDERS)


def settings(folder: str) -> Execute:
    """What `teravox execute` makes of the environment that a folder gives it."""
    fields = fields_of(Execute)
    given = gather(fields, [], environ(render(folder)), {}, "")
    return build(Execute, fields, read_values(fields, given), given)


def test_no_folder_is_forgotten() -> None:
    kinds = {file.parent.name: file.read_text() for file in K8S.glob("*/kustomization.yaml")}

    assert sorted(FOLDERS) == sorted(name for name, text in kinds.items() if "kind: Kustomization" in text)


@every_folder
def test_a_folder_is_what_the_schemas_say(folder: str) -> None:
    manifests = render(folder)

    for manifest in manifests:
        check(manifest)
    assert len(manifests) >= 3


@pytest.mark.parametrize(
    ("folder", "kind", "place", "wrong"),
    [
        ("eks", "Deployment", ("spec", "template", "spec"), "terminationGracePeriod"),
        ("eks", "Deployment", ("spec", "template", "spec", "containers", 0), "livenessprobe"),
        ("job", "Job", ("spec",), "backofLimitPerIndex"),
        ("eks", "ScaledObject", ("spec",), "minReplicas"),
        ("eks", "ScaledObject", ("spec", "triggers", 0), "metdata"),
        ("gke", "TriggerAuthentication", ("spec", "secretTargetRef", 0), "keys"),
    ],
)
def test_a_misspelt_field_is_found(folder: str, kind: str, place: tuple[str | int, ...], wrong: str) -> None:
    manifest = copy.deepcopy(only(render(folder), kind))
    check(manifest)
    part = manifest
    for step in place:
        part = part[step]  # type: ignore[index]  # lists and mappings, as the place says
    part[wrong] = "1"

    with pytest.raises(Refused, match=wrong):
        check(manifest)


def test_a_trigger_that_lacks_its_type_is_found() -> None:
    manifest = copy.deepcopy(only(render("eks"), "ScaledObject"))
    del manifest["spec"]["triggers"][0]["type"]

    with pytest.raises(Refused, match="type"):
        check(manifest)


@every_folder
def test_every_setting_is_an_option_of_the_worker(folder: str) -> None:
    said = {name for name in environ(render(folder)) if name.startswith("TERAVOX_")}

    assert said <= {field.variable for field in fields_of(Execute)}
    assert settings(folder).queue


@every_folder
def test_a_worker_has_the_time_to_end_that_it_takes(folder: str) -> None:
    assert pod(render(folder))["terminationGracePeriodSeconds"] >= settings(folder).grace + SECONDS_TO_END


@every_folder
def test_pods_are_as_restricted_as_kubernetes_can(folder: str) -> None:
    """What the Pod Security Standard "restricted" asks, and a root that nobody writes to."""
    spec = pod(render(folder))

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "fsGroup" not in spec["securityContext"], "it would change the owners of all files on a shared volume"
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    for container in [*spec["containers"], *spec["initContainers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


@every_folder
def test_pods_run_the_image_of_this_version_as_it_is(folder: str) -> None:
    (worker,) = (spec := pod(render(folder)))["containers"]

    assert {each["image"] for each in [worker, *spec["initContainers"]]} == {f"ghcr.io/teravox/teravox:{__version__}"}
    assert not {"command", "args"} & set(worker)


@every_folder
def test_pods_fit_the_image(folder: str) -> None:
    spec, image = pod(render(folder)), read_dockerfile()[-1]
    (worker,), (copies,) = spec["containers"], spec["initContainers"]
    said = image.environ({})
    places = {mount["name"]: mount["mountPath"] for mount in worker["volumeMounts"]}

    assert image.last("USER").rest == "10001:10001"
    assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsGroup"]) == (10001, 10001)
    assert image.last("HEALTHCHECK").rest.endswith(json.dumps(worker["livenessProbe"]["exec"]["command"]))
    assert said["TERAVOX_HEALTH_FILE"] in worker["livenessProbe"]["exec"]["command"]
    assert Path(said["TERAVOX_HEALTH_FILE"]).parent == Path(places["tmp"])
    assert said["NUMBA_CACHE_DIR"] == places["machine-code"]
    assert copies["command"][:-1] == ["cp", "-r", f"{said['NUMBA_CACHE_DIR']}/."]
    assert copies["volumeMounts"] == [{"name": "machine-code", "mountPath": copies["command"][-1]}]


@pytest.mark.parametrize("folder", ["eks", "gke"])
def test_keda_scales_the_workers_by_the_queue_that_they_work_on(folder: str) -> None:
    manifests = render(folder)
    scaled, workers = only(manifests, "ScaledObject"), only(manifests, "Deployment")
    (trigger,) = scaled["spec"]["triggers"]
    said = environ(manifests)

    assert scaled["spec"]["scaleTargetRef"]["name"] == workers["metadata"]["name"]
    assert "replicas" not in workers["spec"]
    assert scaled["spec"]["minReplicaCount"] == 0
    assert said[trigger["metadata"]["queueURLFromEnv"]].startswith("https://sqs.")
    assert trigger["metadata"]["awsRegion"] == said["AWS_DEFAULT_REGION"]
    names = trigger["authenticationRef"]["name"], only(manifests, "TriggerAuthentication")["metadata"]["name"]
    assert names == ("teravox", "teravox")


@pytest.mark.parametrize("part", ["keys", "secret-files"])
def test_a_part_that_may_be_added_fits_both_sorts_of_workers(tmp_path: Path, part: str) -> None:
    for base in ("base", "job"):
        folder = tmp_path / base
        folder.mkdir()
        (folder / "kustomization.yaml").write_text(
            f"resources: [{os.path.relpath(K8S / base, folder)}]\ncomponents: [{os.path.relpath(K8S / part, folder)}]\n"
        )

        for manifest in (made := render(folder)):
            check(manifest)
        assert made != render(base)
        assert "teravox-" in json.dumps(pod(made))


def test_a_plan_says_how_much_memory_workers_get(tmp_path: Path) -> None:
    steps = tuple(PlannedStep(name=f"step {n}", kind="mesh forge", memory=n * 10**9) for n in (1, 8))
    plan = PlanFile(made="2026-11-01T00:00:00Z", version=__version__, steps=steps, workers=4, memory=8 * 10**9)
    (tmp_path / "plan.json").write_bytes(encode_plan(plan))

    words = [sys.executable, str(K8S / "memory.py"), str(tmp_path / "plan.json")]
    made = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    shipped = {folder: json.loads((K8S / folder / "memory.json").read_text()) for folder in ("eks", "gke")}
    for patch in shipped.values():
        assert [(one["op"], one["path"]) for one in patch] == [(one["op"], one["path"]) for one in made]
    (size,) = {one["value"] for one in made}
    assert size.endswith("Mi")
    assert 8 * 10**9 * 1.1 < int(size.removesuffix("Mi")) * 2**20 < 8 * 10**9 * 1.4


def test_a_plan_that_knows_no_memory_is_refused_with_a_sentence(tmp_path: Path) -> None:
    plan = PlanFile(made="2026-11-01T00:00:00Z", version=__version__, steps=(), workers=4)
    (tmp_path / "plan.json").write_bytes(encode_plan(plan))

    words = [sys.executable, str(K8S / "memory.py"), str(tmp_path / "plan.json")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert "memory" in done.stderr
    assert "Traceback" not in done.stderr


@every_folder
def test_there_is_one_set_of_workers(folder: str) -> None:
    assert only(render(folder), *CONTROLLERS)["metadata"]["name"] == "teravox"
