"""A whole Slurm on the loopback interface: munge, a controller and one node.

It needs root and Debian's packages slurm-wlm and munge. Nothing outside its folder is touched, so
that several may run side by side.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")

CONFIGURATION = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={controller_port}
SlurmdPort={node_port}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobRequeue=1
KillWait=10
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def obstacle() -> str:
    """Why no Slurm can be started here; empty if one can."""
    if missing := [name for name in DAEMONS if _daemon(name) is None]:
        return f"needs {', '.join(missing)} (apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "needs root, to start Slurm on loopback"


@contextmanager
def slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Start a Slurm whose files are in ``folder``, a short path; give the environment for it."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    configuration = folder / "slurm.conf"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname(),
            folder=folder,
            controller_port=_free_port(),
            node_port=_free_port(),
            cores=os.cpu_count(),
            memory=memory * 9 // 10,
        )
    )
    # Submitit's files too go to the folder.
    environment = {"SLURM_CONF": str(configuration), "XDG_CACHE_HOME": str(folder / "cache")}
    try:
        _start(
            *("munged", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"),
            *(f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log"),
            f"--seed-file={folder}/munge.seed",
            environment=environment,
        )
        _start("slurmctld", "-f", str(configuration), environment=environment)
        _start("slurmd", "-f", str(configuration), environment=environment)
        _wait_until_idle(environment)
        yield environment
    finally:
        for name in reversed(DAEMONS):
            _stop(folder / f"{name}.pid")


def _start(name: str, *arguments: str, environment: dict[str, str]) -> None:
    subprocess.run(
        [str(_daemon(name)), *arguments],
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _stop(pid_file: Path) -> None:
    """End a daemon, and wait until it has ended."""
    if not pid_file.exists():
        return
    process = int(pid_file.read_text())
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def _wait_until_idle(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = subprocess.run(
            ["sinfo", "--noheader", "--format=%t"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if told.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    raise TimeoutError(f"Slurm's node is not idle: {told.stdout or told.stderr}")


def _daemon(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
