#!/usr/bin/env python3
"""Run a real claude-mpm on this agent_sync.py, by the README's recipe.

    compat.py DIRECTORY     an environment, which stays, a home, a project

claude-mpm comes from the package index. GitHub is played here: a proxy takes each
CONNECT to a TLS server of this script, behind which `git http-backend` serves a
repository of agents; raw files and the API are not there. Prints what each command
says; exits with 1 if one fails, or does not bring what it should.
"""

import contextlib
import http.server
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading

VERSION = "6.5.83"
ROOT = pathlib.Path(__file__).resolve().parent.parent
HOSTS = ("github.com", "raw.githubusercontent.com", "api.github.com")
AGENT = "---\nname: {0}\ndescription: {0} agent\nversion: 1.0.0\n---\nYou are {0}.\n"
AGENTS = ("engineer/engineer.md", "qa/qa.md", "ops/ops.md", "research.md")
COMMANDS = [  # arguments, and what their output must hold
    (["agent-source", "update"], "4 agents"),
    (["agents", "deploy"], "Deployed 4 agents"),
    (["agents", "list", "--system"], "research"),
    (["agents", "cleanup", "--dry-run"], "Synced 4 agents"),
]


def run(*command, **options):
    """Run a command that must succeed; return what it printed."""
    options = {"check": True, "stdout": subprocess.PIPE, "text": True, **options}
    return subprocess.run(list(map(str, command)), **options).stdout


def make_repository(root):
    """Make the repository that claude-mpm's default source names, bare, at `srv`."""
    work, bare = root / "work", root / "srv/bobmatnyc/claude-mpm-agents.git"
    for path in AGENTS:
        file = work / "agents" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(AGENT.format(file.stem))
    git = ("git", "-C", work, "-c", "user.name=a", "-c", "user.email=a@b")
    run("git", "init", "-q", "-b", "main", work)
    run(*git, "add", "-A")
    run(*git, "commit", "-q", "-m", "Agents")
    run("git", "clone", "-q", "--bare", work, bare, stderr=subprocess.DEVNULL)
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        run("git", "-C", bare, "config", name, "true")


def make_certificate(root):
    """Make an authority, and a certificate of it for HOSTS; return its paths."""
    key, certificate = root / "key.pem", root / "certificate.pem"
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", "/CN=compat", "-addext", f"subjectAltName={names}"),
        *("-keyout", key, "-out", certificate),
        stderr=subprocess.DEVNULL,
    )
    return certificate, key


class GitHub(http.server.BaseHTTPRequestHandler):
    """The Git server of github.com; anything else is not found."""

    protocol_version = "HTTP/1.1"
    root, requests = None, []

    def do_POST(self):
        """Hand a request for a repository to git's own server."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.requests.append(f"{self.command} {self.headers['Host']}{self.path}")
        path, _, query = self.path.partition("?")
        if self.headers["Host"] != "github.com":
            return self.reply(404, [], b"not here")
        environ = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root / "srv"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        command, pipe = ["git", "http-backend"], subprocess.PIPE
        done = subprocess.run(command, input=body, env=environ, stdout=pipe)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.partition(": ")[::2] for line in head.decode().splitlines()]
        status = int(dict(fields).get("Status", "200").split()[0])
        return self.reply(status, fields, content)

    do_GET = do_POST

    def reply(self, status, fields, content):
        """Answer with these."""
        self.send_response(status)
        for name, value in fields:
            if name not in ("Status", "Content-Length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Keep quiet."""


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that takes every CONNECT to the TLS server of this script."""

    port = None

    def do_CONNECT(self):
        """Pass bytes on in both directions until one side ends."""
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pump, args=(server, self.connection))
            back.start()
            pump(self.connection, server)
            back.join()

    def log_message(self, *args):
        """Keep quiet."""


def pump(source, target):
    """Pass on what comes from one socket to another, and its end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def serve(handler, context=None):
    """Serve in the background on loopback; return the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def vendor(package):
    """Put agent_sync.py into an installed claude-mpm, as README says."""
    sources = package / "services" / "agents" / "sources"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    state = re.search(r"`(from \.agent_sync import AgentSyncState[^`]*)`", readme)[1]
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    service = next(block for block in blocks if "import agent_sync, deploy" in block)
    old = sources / "git_source_sync_service.py"
    shutil.copy(ROOT / "agent_sync.py", sources)
    old.rename(sources / "deployment.py")
    (sources / "agent_sync_state.py").write_text(state + "\n")
    old.write_text(service)


def main():
    """Build it all, run COMMANDS, and say what came of them."""
    root = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(root, ignore_errors=True)
    home, project = root / "home", root / "project"
    project.mkdir(parents=True)
    home.mkdir()
    run(sys.executable, "-m", "venv", root / "venv")
    run(root / "venv/bin/pip", "install", "-q", f"claude-mpm=={VERSION}")
    packages = (root / "venv").glob("lib/python*/site-packages/claude_mpm")
    vendor(next(packages))
    make_repository(root)
    certificate, key = make_certificate(root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    GitHub.root = root
    Proxy.port = serve(GitHub, context)
    proxy = f"http://127.0.0.1:{serve(Proxy)}"
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HTTPS_PROXY": proxy,
        "SSL_CERT_FILE": str(certificate),
        "REQUESTS_CA_BUNDLE": str(certificate),
    }
    failed = []
    for arguments, expected in COMMANDS:
        print(f"\n$ claude-mpm {' '.join(arguments)}", flush=True)
        command = [root / "venv/bin/claude-mpm", *arguments]
        done = subprocess.run(
            [*map(str, command)],
            cwd=project,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        print(done.stdout[-3000:], f"-> {done.returncode}", flush=True)
        if done.returncode or expected not in done.stdout or "Traceback" in done.stdout:
            failed.append(" ".join(arguments))
    print("\n".join(["", "what was asked for:", *sorted(set(GitHub.requests))]))
    deployed = sorted(path.name for path in project.glob(".claude/agents/*.md"))
    print(f"deployed: {', '.join(deployed)}")
    missing = {pathlib.Path(path).name for path in AGENTS} - set(deployed)
    print(f"failed: {failed or 'none'}; not deployed: {sorted(missing) or 'none'}")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
