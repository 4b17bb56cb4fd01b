"""`torchrun` that listens on the loopback interface only: its own store would be open to the whole network.

python torchrun_on_loopback.py PROCESSES SCRIPT ARGUMENTS...        or -m MODULE instead of SCRIPT
"""

import os
import socket
import sys
from typing import Any

import torch.distributed as dist
from torch.distributed.elastic.rendezvous import static_tcp_rendezvous
from torch.distributed.run import main

LOOPBACK = "127.0.0.1"


def run(processes: str, *command: str) -> None:
    """Runs the command in several processes; exits with status 1 if one of them fails."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"
    listener = socket.create_server((LOOPBACK, 0))

    def on_loopback(*arguments: Any, **options: Any) -> dist.TCPStore:
        return dist.TCPStore(*arguments, **options, master_listen_fd=listener.detach(), use_libuv=True)

    static_tcp_rendezvous.TCPStore = on_loopback  # type: ignore[assignment,misc]
    where = [f"--master-addr={LOOPBACK}", f"--master-port={listener.getsockname()[1]}"]
    main([f"--nproc-per-node={processes}", *where, *command])


if __name__ == "__main__":
    run(*sys.argv[1:])
