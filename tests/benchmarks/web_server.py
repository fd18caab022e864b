"""The application in a process of its own, as one machine serves it: prints its port, then answers until it is ended."""

import socket

import uvicorn

from ponte_workflow import server
from ponte_workflow.bootstrap import open_ponte


def main() -> None:
    """Serve the installation that the environment names, on any free port of this machine."""
    app = server.build(open_ponte())
    server.spare_the_collector()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, backlog=256)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
