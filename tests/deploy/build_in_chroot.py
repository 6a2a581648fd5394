"""Does what the Dockerfile says, without a container engine, and lets the image do a job.

    PYTHONPATH=tests python -m deploy.build_in_chroot FOLDER

as root on Debian, with debootstrap. FOLDER gets a Debian with Python in the place of the base image (kept for the next
time), and a tree for each stage. The RUN steps are done there with chroot(8). The last tree then works as Kubernetes
lets it: as the image's user, with a read-only root and folders for what may be written.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from deploy.dockerfile import CHECKOUT, Copied, Stage, copied, read_dockerfile

PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
USUAL_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
JOB = """
mount --bind {root} {root} && mount -o remount,ro,bind {root}
mount -t tmpfs tmpfs {root}/tmp && mount --bind {data} {root}/data
mount -t tmpfs tmpfs {root}/copied
cp -r {root}/var/cache/teravox/. {root}/copied && chown -R {user} {root}/copied
mount --bind {root}/copied {root}/var/cache/teravox
mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev
exec chroot --userspec={user} {root} /usr/bin/env -i {environ} /bin/sh -ec '{script}'
"""
SCRIPT = """
cd /data
touch /opt/here 2>&1 | grep -q "Read-only" || exit 9
teravox image count labels --queue queue --shape 64,64,64
TERAVOX_QUEUE=/data/queue TERAVOX_EXIT_ON_EMPTY=yes teravox execute
find $TERAVOX_HEALTH_FILE -mmin +5 -exec false {} +
teravox mesh forge labels --queue queue --shape 64,64,64 --mip 0
TERAVOX_QUEUE=/data/queue TERAVOX_EXIT_ON_EMPTY=yes teravox execute
teravox queue status queue
"""


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / "base"
    if not (base / "usr/bin/python3").exists():
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", base)
    (base / "usr/local/bin/python").unlink(missing_ok=True)
    (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for file in ("/etc/resolv.conf", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(file).exists():
            shutil.copy(file, base / file[1:])
    trees: dict[str, Path] = {}
    stages = read_dockerfile()
    for stage in stages:
        trees[stage.name] = build(stage, base, folder / (stage.name or "image"), trees)
    try_job(stages[-1], trees[""], folder)


def build(stage: Stage, base: Path, root: Path, trees: dict[str, Path]) -> Path:
    """The tree of a stage, made anew."""
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "-a", base, root)
    values: dict[str, str] = {}
    place = "/"
    for step in stage.steps:
        started = time.monotonic()
        match step.word:
            case "ARG":
                name, is_set, value = step.rest.partition("=")
                values |= {name: value} if is_set else {}
            case "ENV":
                values |= stage.environ({"PATH": USUAL_PATH})
            case "WORKDIR":
                place = step.rest
                (root / place[1:]).mkdir(parents=True, exist_ok=True)
            case "COPY":
                copy(copied(step), root, place, trees)
            case "RUN":
                passed = {
                    name: value for name, value in os.environ.items() if name.startswith(("PIP_", "http", "HTTP"))
                }
                environ = {"PATH": USUAL_PATH, "HOME": "/root", **passed, **values}
                within = ("/bin/sh", "-ec", f"cd {place} && {step.rest}")
                run("chroot", root, "/usr/bin/env", "-i", *(f"{k}={v}" for k, v in environ.items()), *within)
        print(
            f"{stage.name or 'image':9} {time.monotonic() - started:6.1f} s  {step.word} {step.rest[:90]}", flush=True
        )
    return root


def copy(what: Copied, root: Path, place: str, trees: dict[str, Path]) -> None:
    for source in what.sources:
        origin = trees[what.stage] / source[1:] if what.stage else CHECKOUT / source
        dest = root / (what.dest if what.dest.startswith("/") else f"{place}/{what.dest}")[1:]
        if origin.is_dir():
            shutil.copytree(
                origin,
                dest,
                symlinks=True,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__") if not what.stage else None,
            )
        else:
            dest.mkdir(parents=True, exist_ok=True) if what.dest.endswith("/") else None
            shutil.copy(origin, dest)


def try_job(stage: Stage, root: Path, folder: Path) -> None:
    user = stage.last("USER").rest
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    run(sys.executable, CHECKOUT / "examples/make_layer.py", data / "labels", "--size", "128", "128", "64")
    run("chown", "-R", user, data)
    for name in ("data", "copied"):
        (root / name).mkdir(exist_ok=True)
    environ = {"PATH": USUAL_PATH, **stage.environ({"PATH": USUAL_PATH})}
    said = " ".join(f"{name}={value}" for name, value in environ.items())
    script = SCRIPT.replace("'", "'\\''")
    run(
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "/bin/sh",
        "-ec",
        JOB.format(root=root, data=data, user=user, environ=said, script=script),
    )


def run(*words: str | Path) -> None:
    subprocess.run(list(map(str, words)), check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
