"""Where and when a number was made: it is worth nothing without."""

import datetime
import os
import platform
import shlex
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Environment:
    """What to print above a table of measurements."""

    command: str
    date: str
    hardware: str
    software: str
    commit: str

    @classmethod
    def here(cls, device: torch.device | str = "cpu") -> "Environment":
        """This process on this machine."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return cls(
            command=_command(),
            date=now.strftime("%Y-%m-%d %H:%M UTC"),
            hardware=_hardware(torch.device(device)),
            software=f"Python {platform.python_version()}, torch {torch.__version__}",
            commit=_commit(),
        )

    def lines(self) -> list[str]:
        """Markdown list items."""
        return [f"- {name}: {value}" for name, value in asdict(self).items()]


def _command() -> str:
    program = Path(sys.argv[0]).name
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    start = ["python", "-m", spec.name] if spec else [program]
    if spec is None and program.endswith(".py"):
        start = ["python", _relative(sys.argv[0])]
    return shlex.join([*start, *sys.argv[1:]])


def _relative(path: str) -> str:
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return Path(path).name


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, cores: {cores}, threads: {torch.get_num_threads()}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    folder = Path(__file__).parent
    try:
        run = {"cwd": folder, "capture_output": True, "text": True, "check": True}
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **run).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "-uno", "."], **run).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown (no git checkout)"
    return commit + (" with changes" if changed.strip() else "")
