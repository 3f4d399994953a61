"""Ports and memory of processes, as Linux tells them."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def pss_mb(root: int) -> dict[str, float]:
    """Proportional set size in MB of a process and all under it, by command.

    Memory that processes share (mapped packs, code) counts once, in shares.
    """
    found: dict[str, float] = {}
    for pid in _under(root):
        name = _role(pid, root)
        found[name] = round(found.get(name, 0.0) + _pss_mb(pid), 1)
    return found


def pss_by_process(root: int) -> dict[str, tuple[float, float]]:
    """PSS in MB of a process and of each one under it, by command and number: all, and anonymous.

    What is not anonymous are pages of files, which the system takes back when it needs room.
    """
    return {
        f"{_role(pid, root)} {pid}": (_pss_mb(pid), _pss_mb(pid, "Pss_Anon:")) for pid in _under(root)
    }


def memory_mb(root: int) -> dict[str, tuple[float, float, float]]:
    """MB of a process and each one under it, by command and number: its share, resident, not of files.

    The share (PSS) counts what several processes hold, packs and code for example, in parts. Pages of
    files the system takes back where it needs room.
    """
    found = {}
    for pid in _under(root):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue  # it has ended
        said = {line.split(":")[0]: line.split()[1] for line in lines if len(line.split()) > 1}
        sizes = [int(said.get(name, 0)) / 1024 for name in ("VmRSS", "RssAnon")]
        found[f"{_role(pid, root)} {pid}"] = _pss_mb(pid), sizes[0], sizes[1]
    return found


def cpu_s(root: int) -> dict[str, float]:
    """Seconds of processor time of a process and all under it, by command."""
    found: dict[str, float] = {}
    for pid in _under(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        found[_role(pid, root)] = found.get(_role(pid, root), 0.0) + used
    return found


def _under(root: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended
        parents[int(folder.name)] = int(fields[1])
    return [pid for pid in parents if _is_under(pid, root, parents)]


def _is_under(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid > 1:
        if pid == root:
            return True
        pid = parents.get(pid, 0)
    return False


def _role(pid: int, root: int) -> str:
    if pid == root:
        return "server"
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "ended"
    return name.removeprefix("geoshare ") if name.startswith("geoshare ") else "web workers"


def _pss_mb(pid: int, field: str = "Pss:") -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def connection_owner(client_port: int, server_port: int) -> int:
    """Process id of the server's end of a loopback connection."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = [int(address.split(":")[1], 16) for address in fields[1:3]]
        if ports == [server_port, client_port]:
            return _holder(f"socket:[{fields[9]}]")
    raise LookupError(f"no connection between {client_port} and {server_port}")


def _holder(name: str) -> int:
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == name:
                return int(link.parts[2])
        except OSError:
            continue  # it has ended
    raise LookupError(name)
