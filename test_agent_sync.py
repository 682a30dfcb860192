"""Tests of agent_sync.py, section by section in the module's own order.

The parts are real: real git makes the repositories and is the oracle for what they
hold, `git http-backend` serves them on a loopback port, SQLite files are files, and
the tests named end to end run `python agent_sync.py` as a child process. Nothing
reaches the internet and nothing depends on the clock or on the order of the tests.

    python -m pytest -q                 # all
    python -m pytest -q -k state        # one section
"""

import ast
import base64
import contextlib
import hashlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import socketserver
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest

import agent_sync

# ==== Harness ====
#
# Servers, repositories and a way to run the program. Knows git and HTTP; knows nothing
# of the program but its command line.

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "agent_sync.py"
FAILURE = (1, 2, 3)  # any exit code that says "this did not work"
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
POSIX = os.name == "posix"
posix_only = pytest.mark.skipif(not POSIX, reason="needs POSIX")

GIT_ENV = {
    **{name: value for name, value in os.environ.items() if name[:4] != "GIT_"},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "A U Thor",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "C O Mitter",
    "GIT_COMMITTER_EMAIL": "committer@example.com",
    "LC_ALL": "C",
}
EXEC_PATH = subprocess.run(
    ["git", "--exec-path"], stdout=subprocess.PIPE, check=True, text=True
).stdout.strip()
HTTP_BACKEND = shutil.which("git-http-backend", path=EXEC_PATH)


def wait_until(condition, seconds=10):
    """Poll until *condition()* is true; its value."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.002)
    return condition()


def sha256(data):
    """The hexadecimal SHA-256 of *data*."""
    return hashlib.sha256(data).hexdigest()


def regular_files(directory):
    """The files below *directory*, without the program's own `.agent-sync/`."""
    directory = pathlib.Path(directory)
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if path.is_file() and relative.parts[0] != ".agent-sync":
            yield relative.as_posix(), path


def tree(directory):
    """What *directory* holds: {relative path: bytes}, without `.agent-sync/`."""
    return {name: path.read_bytes() for name, path in regular_files(directory)}


def stats(directory):
    """{relative path: (inode, mtime in ns)}: changes whenever a file is rewritten."""
    found = ((name, path.stat()) for name, path in regular_files(directory))
    return {name: (status.st_ino, status.st_mtime_ns) for name, status in found}


def write(directory, name, data):
    """Write *data* to the file *name* below *directory*; the file's path."""
    path = pathlib.Path(directory, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def delete(directory, name):
    """Delete the file *name* below *directory*, and the directories it leaves empty."""
    path = pathlib.Path(directory, name)
    path.unlink()
    for parent in list(pathlib.PurePath(name).parents)[:-1]:
        with contextlib.suppress(OSError):
            pathlib.Path(directory, parent).rmdir()


def passes_default_filter(path):
    """Whether the default filter of DESIGN section 3 lets *path* through."""
    parts = path.split("/")
    hidden = any(part[0] == "." or part in ("dist", "build") for part in parts)
    return path.endswith((".md", ".json")) and not hidden and path != "README.md"


def only_agents(files):
    """The part of *files*, {path: bytes}, that passes the default filter."""
    return {name: data for name, data in files.items() if passes_default_filter(name)}


class Request(NamedTuple):
    """One HTTP request as it came over the wire; header names in lower case."""

    method: str
    path: str
    headers: dict
    body: bytes


class Reply(bytes):
    """A well-framed HTTP reply, after which the connection stays open."""


def http_reply(status, body=b"", headers=(), content_type="text/plain"):
    """A whole HTTP/1.1 reply with a Content-Length."""
    fields = {
        "Content-Type": content_type,
        "Content-Length": len(body),
        **dict(headers),
    }
    lines = [f"HTTP/1.1 {status} Because"]
    lines += ["{}: {}".format(*field) for field in fields.items()]
    return Reply("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def drip(data, every=0.01):
    """Yield *data* byte by byte, one *every* so many seconds."""
    pause = threading.Event()
    for value in data:
        yield bytes([value])
        pause.wait(every)


def read_request(stream):
    """The next request on a connection, or None at its end."""
    words = stream.readline().split()
    if len(words) != 3:
        return None
    lines = iter(lambda: stream.readline().rstrip(b"\r\n"), b"")
    fields = (line.decode("latin-1").partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(words[0].decode(), words[1].decode(), headers, body)


class Connection(socketserver.StreamRequestHandler):
    """One client's connection: request after request until either side closes."""

    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(OSError):
            while self.answer_one():
                pass

    def answer_one(self):
        request = read_request(self.rfile)
        if request is None:
            return False
        self.server.requests.append(request)
        reply = self.server.reply_to(request)
        for piece in [reply] if isinstance(reply, bytes) else reply:
            self.wfile.write(piece)
        return isinstance(reply, Reply)


class LoopbackServer(socketserver.ThreadingTCPServer):
    """An HTTP/1.1 server on a free loopback port that remembers what it was asked.

    A subclass's `reply_to(request)` gives the raw bytes to send: a Reply leaves the
    connection open, plain bytes or an iterable of bytes end it; b"" just drops it.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Connection)
        self.requests = []
        self.connections = 0
        self.closing = threading.Event()
        self.clients = []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def get_request(self):
        client, address = super().get_request()
        self.connections += 1
        self.clients.append(client)
        return client, address

    def close(self):
        """Stop listening and cut every connection."""
        if self.closing.is_set():
            return
        self.closing.set()
        self.shutdown()
        self.server_close()
        for client in self.clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        self.thread.join()

    def silence(self, request=None):
        """A reply that never comes: the connection hangs until the server closes."""
        self.closing.wait()
        yield b""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def __exit__(self, *exc_info):
        self.close()


class ScriptedOrigin(LoopbackServer):
    """A server that says exactly what its script says.

    *script* is a callable on the request or a table {path: reply}; what it does not
    know is a 404. What a reply may be says LoopbackServer; `drip` and `silence` help.
    """

    def __init__(self, script):
        self.script = script if callable(script) else script_of_table(script)
        super().__init__()

    def reply_to(self, request):
        reply = self.script(request)
        return http_reply(404, b"no such thing") if reply is None else reply


def script_of_table(table):
    """A script for ScriptedOrigin that looks the request's path up in *table*."""
    return lambda request: table.get(request.path)


class GitServer(LoopbackServer):
    """`git http-backend` behind HTTP/1.1 with keep-alive, for all in *root*.

    To misbehave, set `answer`, a callable on the request: what it returns is sent in
    place of git's reply, unless it is None. `ask_git(request)` gives git's own words.
    """

    known_replies = {}

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.answer = lambda request: None
        super().__init__()

    def reply_to(self, request):
        reply = self.answer(request)
        return framed(*self.ask_git(request)) if reply is None else reply

    def ask_git(self, request):
        """git's reply to *request*: (status, headers, body).

        The same question to a repository with the same refs has the same answer, so
        git is asked only once in a session; most tests start from the same commit.
        """
        owner, name = request.path.split("/")[1:3]
        question = request._replace(headers=request.headers.get("git-protocol"))
        key = (*question, refs_and_config(self.root / owner / name / ".git"))
        if key not in self.known_replies:
            self.known_replies[key] = self.run_backend(request)
        return self.known_replies[key]

    def run_backend(self, request):
        """What `git http-backend` answers: (status, headers, body)."""
        output = subprocess.run(
            [HTTP_BACKEND],
            input=request.body,
            env=cgi_environment(self.root, request),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ).stdout
        head, _, body = output.partition(b"\r\n\r\n")
        fields = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
        headers = {name: value for name, _, value in fields}
        return int(headers.pop("Status", "200").split()[0]), headers, body


def refs_and_config(directory):
    """All that git's reply depends on besides the objects: [(path, bytes)]."""
    files = [directory / name for name in ("HEAD", "config", "packed-refs")]
    files += [path for path in sorted(directory.glob("refs/**/*")) if path.is_file()]
    present = [path for path in files if path.exists()]
    return tuple((path.relative_to(directory), path.read_bytes()) for path in present)


def cgi_environment(root, request):
    """The environment in which a CGI program answers *request* (RFC 3875)."""
    path, _, query = request.path.partition("?")
    return {
        **GIT_ENV,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REQUEST_METHOD": request.method,
        "PATH_INFO": urllib.parse.unquote(path),
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
    }


def framed(status, headers, body):
    """An HTTP/1.1 reply: a long body in chunks, as Git hosts send packs."""
    if len(body) < 4096:
        return http_reply(status, body, headers)
    fields = {**headers, "Transfer-Encoding": "chunked"}
    head = "".join("{}: {}\r\n".format(*field) for field in fields.items())
    pieces = [b"HTTP/1.1 %d OK\r\n%s\r\n" % (status, head.encode("latin-1"))]
    for start in range(0, len(body), 16384):
        piece = body[start : start + 16384]
        pieces.append(b"%x\r\n%s\r\n" % (len(piece), piece))
    return Reply(b"".join(pieces) + b"0\r\n\r\n")


class Repository:
    """A real Git repository with a working tree, made by the real git."""

    FIRST_COMMIT_TIME = 1_700_000_000

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.commits = 0

    @classmethod
    def create(cls, directory, *options):
        """An empty repository on branch `main` that serves filtered fetches."""
        repository = cls(directory)
        repository.directory.mkdir(parents=True)
        repository.git("init", "-q", "--template=", "-b", "main", *options)
        repository.config("uploadpack.allowFilter", "true")
        repository.config("gc.auto", "0")
        return repository

    def pack(self):
        """Put all objects into one pack, which makes copies faster; this repository."""
        self.git("gc", "-q", "--prune=now")
        return self

    def copy(self, directory, part=""):
        """The same repository elsewhere, much faster than by a clone.

        Of *part* `.git` it has no working tree, which is enough to be served.
        """
        twin = Repository(directory)
        shutil.copytree(self.directory / part, twin.directory / part, symlinks=True)
        twin.commits = self.commits
        return twin

    def git(self, *args, data=None):
        """What `git *args` prints, as bytes without the last newline."""
        date = f"{self.FIRST_COMMIT_TIME + 60 * self.commits} +0000"
        env = {**GIT_ENV, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            ["git", *args],
            cwd=self.directory,
            env=env,
            input=data,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout[:-1] if done.stdout.endswith(b"\n") else done.stdout

    def config(self, key, value):
        self.git("config", key, value)

    def write(self, path, data):
        write(self.directory, path, data)

    def delete(self, path):
        delete(self.directory, path)

    def rename(self, old, new):
        self.write(new, (self.directory / old).read_bytes())
        self.delete(old)

    def commit(self, message="Change"):
        """Commit the working tree as it is; the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.commits += 1
        return self.id()

    def id(self, revision="HEAD"):
        return self.git("rev-parse", "--verify", revision).decode()

    def branch(self, name, at="HEAD"):
        self.git("branch", "-f", name, at)

    def checkout(self, name):
        self.git("checkout", "-q", name)

    def tag(self, name, at="HEAD", annotated=False):
        self.git("tag", "-f", *(["-a", "-m", name] if annotated else []), name, at)

    def archive(self, path="", revision="HEAD"):
        """{path: bytes} of every file below *path*, by `git archive`."""
        data = self.git("archive", "--format=tar", f"{revision}:{path}")
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = [member for member in archive if member.isfile()]
            return {item.name: archive.extractfile(item).read() for item in members}

    def agents(self, revision="HEAD"):
        """What a sync of `agents/` with the default filter must give."""
        return only_agents(self.archive("agents", revision))


WORDS = [
    "review",
    "plan",
    "🤖",
    "deploy",
    "naïve",
    "设计",
    "agent",
    "tool",
    "✅",
    "goal",
]


def prose(seed, size):
    """About *size* bytes of Markdown, the same for the same *seed*."""
    chosen = random.Random(seed).choices(WORDS, k=size // 6)
    lines = (
        " ".join(chosen[start : start + 12]) for start in range(0, len(chosen), 12)
    )
    return (f"---\nname: {seed}\n---\n" + "\n".join(lines) + "\n").encode()


AGENT_DIRECTORIES = [
    "claude-mpm",
    "documentation",
    "engineer",
    "engineer/backend",
    "engineer/core",
    "engineer/data",
    "engineer/frontend",
    "engineer/frontend/web",
    "engineer/mobile",
    "ops",
    "ops/core",
    "ops/platform",
    "ops/platform/cloud",
    "qa",
    "security",
    "universal",
    "universal/research",
]
NOT_AGENTS = [
    ".etag-cache.json",
    ".etag-cache.json.migrated",
    "engineer/core/x.md.broken",
    "engineer/core/x.md.original",
]


def agent_paths():
    """54 paths in 17 directories: Markdown and a few JSON files."""
    for number in range(54):
        directory = AGENT_DIRECTORIES[number % len(AGENT_DIRECTORIES)]
        suffix = "json" if number % 11 == 10 else "md"
        yield f"{directory}/agent-{number:02}.{suffix}"


@pytest.fixture(scope="session")
def agents_template(tmp_path_factory):
    """The shape of bobmatnyc/claude-mpm-agents: 206 files, 58 of them below agents/."""
    repository = Repository.create(tmp_path_factory.mktemp("agents") / "repo.git")
    sizes = random.Random(54)
    for path in [*agent_paths(), *NOT_AGENTS]:
        size = 4096 + int(46_000 * sizes.random() ** 2)
        repository.write("agents/" + path, prose(path, size))
    for number in range(206 - 58 - 1):
        path = f"skills/{number % 7}/skill-{number:03}.md"
        repository.write(path, prose(path, 1500))
    repository.write("README.md", b"# Agents\n")
    repository.commit("The agents")
    return repository.pack()


SMALL = {
    "README.md": b"# A small set of agents\n",
    "LICENSE": b"MIT\n",
    "agents/BASE-AGENT.md": b"# Base \xf0\x9f\xa4\x96\n",
    "agents/engineer/core/engineer.md": prose("engineer", 3000),
    "agents/engineer/data/data-engineer.md": prose("data-engineer", 1000),
    "agents/ops.json": b'{"name": "ops"}\n',
    "agents/qa/qa.md": prose("qa", 2000),
    "agents/qa/web/web-qa.md": prose("web-qa", 500),
    "agents/security.md": b"# Security\n",
    "agents/universal/research.md": prose("research", 5000),
    "agents/notes.txt": b"not an agent\n",
    "agents/.hidden/secret.md": b"not an agent\n",
    "agents/dist/bundle.md": b"not an agent\n",
}


@pytest.fixture(scope="session")
def small_template(tmp_path_factory):
    """A repository with eight agents and five other files, for tests to copy."""
    repository = Repository.create(tmp_path_factory.mktemp("small") / "repo.git")
    for path, data in SMALL.items():
        repository.write(path, data)
    repository.commit("A small set")
    return repository.pack()


@pytest.fixture
def git_server(tmp_path):
    with GitServer(tmp_path / "served") as server:
        yield server


@pytest.fixture
def repository(git_server, small_template):
    """A copy of the small repository, served as /owner/repo.git."""
    return small_template.copy(git_server.root / "owner" / "repo.git")


@pytest.fixture
def agents_repository(git_server, agents_template):
    """A copy of the large repository, served as /owner/agents.git."""
    return agents_template.copy(git_server.root / "owner" / "agents.git", ".git")


class Outcome(NamedTuple):
    """How one run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)

    def checked(self, check):
        """This outcome, if it is tidy and its exit code is *check*, or one of them."""
        assert "Traceback" not in self.err, self.err
        assert not UNPRINTABLE.search(self.out + self.err), self
        codes = check if isinstance(check, tuple) else (check,)
        assert check is None or self.code in codes, self
        return self


class Program:
    """agent_sync.py with a home, a database and a cache directory of its own.

    `run` starts a child process, `call` calls `main` in this process, which is faster;
    both check the exit code against *check* (None: any) and that all output is tidy.
    """

    def __init__(self, root, capsys):
        self.root = root
        self.capsys = capsys
        self.database = root / "agent_sync.db"

    def call(self, *args, check=0):
        self.capsys.readouterr()
        try:
            code = agent_sync.main([str(arg) for arg in args])
        except SystemExit as stop:
            code = stop.code
        return Outcome(code or 0, *self.capsys.readouterr()).checked(check)

    def call_json(self, *args, check=0):
        return self.call(*args, "--json", check=check).document

    def run(self, *args, env=(), check=0, prefix=()):
        done = subprocess.run(
            [*prefix, *self.command(*args)],
            env={**os.environ, **dict(env)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
        return outcome.checked(check)

    def run_json(self, *args, **options):
        return self.run(*args, "--json", **options).document

    def command(self, *args):
        """The argument list of a child process."""
        return [sys.executable, str(SCRIPT), *map(str, args)]

    def query(self, sql, *parameters):
        """The rows of a query of the database, as dicts."""
        with contextlib.closing(sqlite3.connect(str(self.database))) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, parameters)]

    def durable_rows(self):
        """The rows that a sync without news leaves alone: all but history and times."""
        names = self.query("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {row["name"] for row in names} - {"sync_history", "sqlite_sequence"}
        rows = {name: self.query(f'SELECT * FROM "{name}"') for name in sorted(tables)}
        for row in rows["sources"]:
            row.update(last_sync_time=None, updated_at=None)
        return rows


def is_personal(name):
    """Whether the environment variable *name* could change what a test sees."""
    name = name.upper()
    return (
        name.endswith("_PROXY")
        or name.startswith(("AGENT_SYNC_", "GITHUB_", "SSL_CERT_"))
        or name in ("GH_TOKEN", "NO_COLOR", "FORCE_COLOR", "NETRC", "XDG_CONFIG_HOME")
    )


@pytest.fixture
def program(tmp_path, monkeypatch, capsys):
    for name in filter(is_personal, list(os.environ)):
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("LANGUAGE", "C")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("AGENT_SYNC_DB", str(tmp_path / "agent_sync.db"))
    monkeypatch.setenv("AGENT_SYNC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(home)
    return Program(tmp_path, capsys)


class GitUpstream:
    """Where agents come from, as the contract tests see it: agents/ of a repository."""

    def __init__(self, server, repository):
        self.repository = repository
        self.requests = server.requests
        name = repository.directory.relative_to(server.root).as_posix()
        self.url = f"{server.url}/{name}"
        self.arguments = [self.url, "--path", "agents"]

    def write(self, path, data):
        self.repository.write("agents/" + path, data)

    def delete(self, path):
        self.repository.delete("agents/" + path)

    def publish(self):
        self.repository.commit()

    def agents(self):
        return self.repository.agents()


class DirectoryUpstream:
    """The same for a local directory."""

    def __init__(self, directory):
        self.directory = directory
        self.requests = []
        self.url = str(directory)
        self.arguments = [self.url]

    def write(self, path, data):
        write(self.directory, path, data)

    def delete(self, path):
        delete(self.directory, path)

    def publish(self):
        """A directory has nothing to publish: what is written is there."""

    def agents(self):
        return only_agents(tree(self.directory))


class Mirror:
    """One source, named `src`, registered to be synced from *upstream* into `dest`."""

    def __init__(self, program, upstream, *options):
        self.program = program
        self.upstream = upstream
        self.dest = program.root / "dest"
        options = ["--id", "src", "--dest", self.dest, *options]
        program.call("add", *upstream.arguments, *options)

    def sync(self, *options, check=0):
        """Sync; the source's part of the JSON document."""
        before = len(self.upstream.requests)
        [source] = self.program.call_json("sync", *options, check=check)["sources"]
        if check == 0:
            assert source["requests"] == len(self.upstream.requests) - before
        return source

    def tree(self):
        return tree(self.dest)

    def write(self, path, data):
        return write(self.dest, path, data)

    def backups(self):
        """The contents of all files that were backed up, sorted."""
        kept = (self.dest / ".agent-sync" / "backup").rglob("*")
        return sorted(path.read_bytes() for path in kept if path.is_file())

    def is_faithful(self):
        """Whether the destination holds exactly what the upstream offers."""
        return self.tree() == self.upstream.agents()


@pytest.fixture
def git_upstream(git_server, repository):
    return GitUpstream(git_server, repository)


@pytest.fixture
def directory_upstream(tmp_path, small_template):
    directory = tmp_path / "upstream"
    shutil.copytree(small_template.directory / "agents", directory)
    return DirectoryUpstream(directory)


@pytest.fixture(params=["git", "directory"])
def upstream(request):
    """An upstream of each kind in turn."""
    return request.getfixturevalue(request.param + "_upstream")


@pytest.fixture
def mirror(program, git_upstream):
    """A git source that has not been synced yet."""
    return Mirror(program, git_upstream)


@pytest.fixture
def synced(mirror):
    """A git source after its first sync."""
    mirror.sync()
    return mirror


CHANGES = ("added", "updated", "restored", "removed", "kept", "skipped", "failed")


def changes(source):
    """What a sync document says was done: its change lists that are not empty."""
    return {name: source[name] for name in CHANGES if source[name]}


def paths(entries):
    """The paths in a list of {"path": ...}."""
    return [entry["path"] for entry in entries]


def only_source(document):
    """The one source of a JSON document."""
    [source] = document["sources"]
    return source


def complaint(outcome):
    """What went wrong in the program's own words, in lower case."""
    return (outcome.out + outcome.err).lower()


# ==== How the file reads ====

SECTIONS = (
    "Constants",
    "Errors",
    "Values",
    "Hashes, paths and files",
    "State",
    "HTTP",
    "Pkt-lines",
    "Git objects",
    "Packfiles",
    "Git client",
    "Sources",
    "Plan",
    "Sync",
    "Import of JSON state",
    "claude-mpm's names",
    "Manifest, lock and scan",
    "Dashboard",
    "Server",
    "Command line",
)


def definitions(module):
    """{name: line} of every top-level definition and assignment."""
    found = {}
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.setdefault(node.name, node.lineno)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = (target for target in targets if isinstance(target, ast.Name))
            found.update((target.id, node.lineno) for target in named)
    return found


def references(module):
    """(user's line, name) for each name of the module that a definition uses."""
    names = definitions(module)
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            used = {leaf.id for leaf in ast.walk(node) if isinstance(leaf, ast.Name)}
            for name in (used & set(names)) - {node.name}:
                yield node.lineno, name


def test_the_module_reads_from_top_to_bottom():
    """Definitions stand above their users: 98% of all references look upwards."""
    module = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    lines = definitions(module)
    upward = [lines[name] < line for line, name in references(module)]
    assert sum(upward) >= 0.98 * len(upward)


def test_the_sections_stand_in_the_agreed_order():
    source = SCRIPT.read_text(encoding="utf-8")
    banners = re.findall(r"^# ==== (.+?) ====$", source, re.MULTILINE)
    order = [name.lower() for name in SECTIONS]
    assert [name.lower() for name in banners] == [
        name for name in order if name in {banner.lower() for banner in banners}
    ]


def test_no_line_is_longer_than_88():
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > 88] == []


# ==== State ====

CONTRACT = """
CREATE TABLE sources (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, last_sha TEXT, last_sync_time TEXT,
    etag TEXT, enabled INTEGER DEFAULT 1,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP, updated_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE agent_files (
    source_id TEXT NOT NULL, file_path TEXT NOT NULL, content_sha TEXT NOT NULL,
    local_path TEXT, synced_at TEXT NOT NULL, file_size INTEGER,
    PRIMARY KEY (source_id, file_path),
    FOREIGN KEY (source_id) REFERENCES sources(id) ON DELETE CASCADE
);
CREATE TABLE sync_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source_id TEXT NOT NULL,
    sync_time TEXT NOT NULL, status TEXT NOT NULL, files_synced INTEGER DEFAULT 0,
    files_cached INTEGER DEFAULT 0, files_failed INTEGER DEFAULT 0,
    error_message TEXT, duration_ms INTEGER,
    FOREIGN KEY (source_id) REFERENCES sources(id) ON DELETE CASCADE
);
CREATE TABLE schema_metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE INDEX idx_agent_files_source ON agent_files(source_id);
CREATE INDEX idx_agent_files_path ON agent_files(file_path);
CREATE INDEX idx_agent_files_source_path_sha
    ON agent_files(source_id, file_path, content_sha);
CREATE INDEX idx_sync_history_source_time ON sync_history(source_id, sync_time DESC);
CREATE INDEX idx_sync_history_status ON sync_history(status);
INSERT INTO schema_metadata VALUES
    ('version', '1'), ('created_at', '2025-12-20T16:15:43+00:00');
"""
CONTRACT_ROWS = """
INSERT INTO sources (id, url, last_sha, etag) VALUES
    ('old', 'https://example.org/agents', '0123abcd', 'W/"949e"');
INSERT INTO agent_files
    (source_id, file_path, content_sha, local_path, synced_at, file_size) VALUES
    ('old', 'qa/qa.md', 'abcd', '/x/qa.md', '2025-12-20T16:15:43+00:00', 12);
INSERT INTO sync_history (source_id, sync_time, status, files_synced) VALUES
    ('old', '2025-12-20T16:15:43+00:00', 'success', 1);
"""
CONTRACT_TABLES = ("sources", "agent_files", "sync_history", "schema_metadata")


@contextlib.contextmanager
def opened(path):
    """A plain SQLite connection to *path*, committed and closed at the end."""
    with contextlib.closing(sqlite3.connect(str(path))) as connection, connection:
        yield connection


def old_database(path, script=CONTRACT + CONTRACT_ROWS):
    """A database as older programs made it: the contract alone, user_version 0."""
    with opened(path) as connection:
        connection.executescript(script)
    return path


def columns(connection, table):
    """{name: (type, not null, default, place in the primary key)} of *table*."""
    rows = connection.execute(f"PRAGMA table_info({table})")
    return {name: tuple(rest) for _, name, *rest in rows}


def foreign_keys(connection, table):
    """{(column, table, column referred to, on delete)} of *table*."""
    rows = connection.execute(f"PRAGMA foreign_key_list({table})")
    return {(row[3], row[2], row[4], row[6]) for row in rows}


def indexes(connection, table):
    """{name: [(column, descending)]} of the named indexes of *table*."""
    listed = connection.execute(f"PRAGMA index_list({table})").fetchall()
    names = [row[1] for row in listed if not row[1].startswith("sqlite_autoindex")]
    return {name: index_columns(connection, name) for name in names}


def index_columns(connection, name):
    rows = connection.execute(f"PRAGMA index_xinfo({name})")
    return [(row[2], row[3]) for row in rows if row[5]]


def schema(path):
    """All there is to compare between two databases: tables, keys, indexes, version."""
    with opened(path) as connection:
        names = connection.execute("SELECT name, type FROM sqlite_master").fetchall()
        tables = sorted(name for name, kind in names if kind == "table")
        described = {
            name: (
                columns(connection, name),
                foreign_keys(connection, name),
                indexes(connection, name),
            )
            for name in tables
        }
        return described, connection.execute("PRAGMA user_version").fetchone()[0]


@pytest.fixture
def database(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def state(database):
    """A new state with one source, `src`."""
    state = agent_sync.AgentSyncState(database)
    state.register_source("src", "https://example.org/agents")
    return state


def assert_recent(text):
    """*text* is an ISO 8601 time in UTC with its offset, of this test's run."""
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - moment) < timedelta(minutes=5)


def make_unreadable(state):
    """Take the tables away from under *state*, so that each statement fails."""
    with state._get_connection() as connection:
        for table in ("agent_files", "sync_history", "sources"):
            connection.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")


class TestSchemaOfTheState:
    def test_a_new_database_has_every_column_of_the_contract(self, state, tmp_path):
        old = old_database(tmp_path / "old.db")
        with opened(old) as contract, opened(state.db_path) as ours:
            for table in CONTRACT_TABLES:
                found = columns(ours, table)
                expected = columns(contract, table)
                assert {name: found.get(name) for name in expected} == expected

    def test_a_new_database_has_every_index_and_key_of_the_contract(
        self, state, tmp_path
    ):
        old = old_database(tmp_path / "old.db")
        with opened(old) as contract, opened(state.db_path) as ours:
            for table in CONTRACT_TABLES:
                assert foreign_keys(contract, table) <= foreign_keys(ours, table)
                expected = indexes(contract, table)
                found = indexes(ours, table)
                assert {name: found.get(name) for name in expected} == expected

    def test_the_metadata_names_the_contract_and_the_time(self, state):
        with opened(state.db_path) as connection:
            rows = dict(connection.execute("SELECT key, value FROM schema_metadata"))
        assert rows["version"] == "1" == str(agent_sync.AgentSyncState.SCHEMA_VERSION)
        assert_recent(rows["created_at"])

    def test_history_ids_are_never_used_again(self, state):
        first = state.record_sync_result("src", "success")
        with state._get_connection() as connection:
            connection.execute("DELETE FROM sync_history")
        assert state.record_sync_result("src", "success") == first + 1

    def test_a_fresh_and_an_upgraded_database_have_the_same_schema(
        self, state, tmp_path
    ):
        old = old_database(tmp_path / "old.db")
        agent_sync.AgentSyncState(old)
        assert schema(old) == schema(state.db_path)
        assert schema(old)[1] >= 1

    def test_an_upgrade_adds_the_indexes_that_an_old_database_lacks(
        self, state, tmp_path
    ):
        old = old_database(tmp_path / "old.db")
        with opened(old) as connection:
            connection.execute("DROP INDEX idx_agent_files_source_path_sha")
        agent_sync.AgentSyncState(old)
        assert schema(old) == schema(state.db_path)

    def test_an_upgrade_keeps_every_row(self, database):
        state = agent_sync.AgentSyncState(old_database(database))
        source = state.get_source_info("old")
        assert (source["last_sha"], source["etag"]) == ("0123abcd", 'W/"949e"')
        assert state.get_file_hash("old", "qa/qa.md") == "abcd"
        assert [run["files_synced"] for run in state.get_sync_history("old")] == [1]

    def test_an_upgraded_database_still_takes_the_statements_of_older_programs(
        self, database
    ):
        """Their INSERTs do not name what was added, so that needs defaults."""
        agent_sync.AgentSyncState(old_database(database, CONTRACT))
        with opened(database) as connection:
            connection.executescript(CONTRACT_ROWS)

    def test_opening_again_changes_nothing(self, state):
        before = pathlib.Path(state.db_path).read_bytes()
        agent_sync.AgentSyncState(state.db_path)
        assert pathlib.Path(state.db_path).read_bytes() == before

    def test_a_database_from_the_future_is_refused_untouched(self, state):
        with opened(state.db_path) as connection:
            connection.execute("PRAGMA user_version = 99")
        before = pathlib.Path(state.db_path).read_bytes()
        with pytest.raises(agent_sync.AgentSyncStateError, match="newer"):
            agent_sync.AgentSyncState(state.db_path)
        assert pathlib.Path(state.db_path).read_bytes() == before

    def test_the_journal_is_a_rollback_journal(self, state):
        with state._get_connection() as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        assert mode in ("delete", "truncate", "persist")

    @posix_only
    def test_the_default_database_is_private(self, program, monkeypatch):
        monkeypatch.delenv("AGENT_SYNC_DB")
        path = pathlib.Path(agent_sync.AgentSyncState().db_path)
        home = pathlib.Path(os.environ["HOME"])
        assert path == home / ".config" / "claude-mpm" / "agent_sync.db"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    @posix_only
    def test_a_directory_that_was_there_keeps_its_mode(self, tmp_path):
        (tmp_path / "shared").mkdir(mode=0o755)
        agent_sync.AgentSyncState(tmp_path / "shared" / "state.db")
        assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755

    def test_the_path_may_be_a_string(self, database):
        state = agent_sync.AgentSyncState(str(database))
        assert pathlib.Path(state.db_path) == database

    def test_an_sqlite_that_is_too_old_is_named(self, program, monkeypatch):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 23, 1))
        assert "3.24" in program.call("sources", check=FAILURE).err


class TestSourcesInTheState:
    def test_a_source_is_registered_with_its_defaults(self, state):
        source = state.get_source_info("src")
        assert source["url"] == "https://example.org/agents"
        assert source["enabled"] == 1
        assert source["last_sha"] is source["etag"] is source["last_sync_time"] is None

    def test_registering_again_updates_and_keeps_what_was_synced(self, state):
        state.update_source_sync_metadata("src", last_sha="abc", etag='"1"')
        state.track_file("src", "a.md", "aa")
        state.register_source("src", "https://example.org/moved", enabled=False)
        source = state.get_source_info("src")
        assert (source["url"], source["enabled"]) == ("https://example.org/moved", 0)
        assert (source["last_sha"], source["etag"]) == ("abc", '"1"')
        assert state.get_file_hash("src", "a.md") == "aa"

    def test_an_update_of_the_etag_alone_keeps_the_commit_id(self, state):
        state.update_source_sync_metadata("src", last_sha="abc")
        state.update_source_sync_metadata("src", etag='"1"')
        source = state.get_source_info("src")
        assert (source["last_sha"], source["etag"]) == ("abc", '"1"')

    def test_an_update_of_the_commit_id_alone_keeps_the_etag(self, state):
        state.update_source_sync_metadata("src", etag='"1"')
        state.update_source_sync_metadata("src", last_sha="abc")
        source = state.get_source_info("src")
        assert (source["last_sha"], source["etag"]) == ("abc", '"1"')

    def test_an_update_sets_both_times(self, state):
        state.update_source_sync_metadata("src")
        source = state.get_source_info("src")
        assert_recent(source["last_sync_time"])
        assert_recent(source["updated_at"])

    def test_an_unknown_source_is_none(self, state):
        assert state.get_source_info("nobody") is None

    def test_all_sources_or_only_the_enabled_ones(self, state):
        state.register_source("off", "https://example.org/off", enabled=False)
        everything = state.get_all_sources()
        assert sorted(source["id"] for source in everything) == ["off", "src"]
        enabled = state.get_all_sources(enabled_only=True)
        assert [source["id"] for source in enabled] == ["src"]
        assert all(type(source) is dict for source in everything)

    def test_a_deleted_source_takes_its_files_and_history_along(self, state):
        state.track_file("src", "a.md", "aa")
        state.record_sync_result("src", "success")
        with state._get_connection() as connection:
            connection.execute("DELETE FROM sources WHERE id = 'src'")
        assert state.get_file_hash("src", "a.md") is None
        assert state.get_sync_history("src") == []


class TestFilesInTheState:
    def row(self, state, path="a.md"):
        with state._get_connection() as connection:
            sql = "SELECT * FROM agent_files WHERE file_path = ?"
            return dict(connection.execute(sql, (path,)).fetchone())

    def test_a_tracked_file_has_all_its_columns(self, state):
        state.track_file("src", "a.md", "aa", "/x/a.md", 12)
        row = self.row(state)
        assert (row["source_id"], row["content_sha"]) == ("src", "aa")
        assert (row["local_path"], row["file_size"]) == ("/x/a.md", 12)
        assert_recent(row["synced_at"])

    def test_tracking_again_updates_the_row(self, state):
        state.track_file("src", "a.md", "aa", "/x/a.md", 12)
        state.track_file("src", "a.md", "bb", "/y/a.md", 13)
        row = self.row(state)
        assert (row["content_sha"], row["local_path"], row["file_size"]) == (
            "bb",
            "/y/a.md",
            13,
        )

    def test_a_batch_updates_every_column(self, state):
        state.track_file("src", "a.md", "aa", "/x/a.md", 12)
        with state._get_connection() as connection:
            connection.execute("UPDATE agent_files SET synced_at = '2001-01-01'")
        changed = {
            "file_path": "a.md",
            "content_sha": "bb",
            "local_path": "/y/a.md",
            "file_size": 13,
        }
        state.track_files_batch("src", [changed])
        row = self.row(state)
        assert {name: row[name] for name in changed} == changed
        assert_recent(row["synced_at"])

    def test_a_batch_needs_only_path_and_hash(self, state):
        batch = [
            {"file_path": path, "content_sha": path[0]} for path in ("1.md", "2.md")
        ]
        state.track_files_batch("src", batch)
        assert state.get_file_hash("src", "1.md") == "1"
        assert state.get_file_hash("src", "2.md") == "2"

    def test_a_batch_is_all_or_nothing(self, state):
        batch = [
            {"file_path": "a.md", "content_sha": "aa"},
            {"file_path": "b.md", "content_sha": None},
        ]
        with pytest.raises(agent_sync.DatabaseError):
            state.track_files_batch("src", batch)
        assert state.get_file_hash("src", "a.md") is None

    def test_an_empty_batch_is_fine(self, state):
        state.track_files_batch("src", [])

    def test_a_file_of_an_unknown_source_is_refused(self, state):
        with pytest.raises(agent_sync.DatabaseError):
            state.track_file("nobody", "a.md", "aa")

    def test_an_untracked_file_has_no_hash_and_counts_as_changed(self, state):
        assert state.get_file_hash("src", "a.md") is None
        assert state.has_file_changed("src", "a.md", "aa") is True

    def test_a_tracked_file_has_changed_when_its_hash_differs(self, state):
        state.track_file("src", "a.md", "aa")
        assert state.has_file_changed("src", "a.md", "aa") is False
        assert state.has_file_changed("src", "a.md", "bb") is True

    def test_the_same_path_in_two_sources_is_two_files(self, state):
        state.register_source("other", "https://example.org/other")
        state.track_file("src", "a.md", "aa")
        state.track_file("other", "a.md", "bb")
        assert state.get_file_hash("src", "a.md") == "aa"
        assert state.get_file_hash("other", "a.md") == "bb"

    @pytest.mark.parametrize("name", ["a'; DROP TABLE sources; --", "ü/🤖.md", "%_.md"])
    def test_names_are_only_ever_data(self, state, name):
        """FAULTS D15."""
        state.track_file("src", name, "aa")
        assert state.get_file_hash("src", name) == "aa"


class TestHistoryInTheState:
    def test_a_run_is_recorded_with_all_its_columns(self, state):
        row_id = state.record_sync_result("src", "partial", 1, 2, 3, "one failed", 45)
        [run] = state.get_sync_history("src")
        assert type(run) is dict
        assert run["id"] == row_id
        assert (run["status"], run["error_message"]) == ("partial", "one failed")
        counted = (run["files_synced"], run["files_cached"], run["files_failed"])
        assert counted == (1, 2, 3)
        assert run["duration_ms"] == 45
        assert_recent(run["sync_time"])

    def test_counters_are_zero_unless_given(self, state):
        state.record_sync_result("src", "error", error_message="no route")
        [run] = state.get_sync_history("src")
        assert run["files_synced"] == run["files_cached"] == run["files_failed"] == 0
        assert run["duration_ms"] is None

    @pytest.mark.parametrize("status", ["ok", "", "SUCCESS", None])
    def test_only_three_statuses_exist(self, state, status):
        with pytest.raises(ValueError):
            state.record_sync_result("src", status)
        assert state.get_sync_history("src") == []

    def test_the_newest_run_comes_first_and_ids_settle_ties(self, state):
        ids = [state.record_sync_result("src", "success") for _ in range(4)]
        with state._get_connection() as connection:
            connection.execute("UPDATE sync_history SET sync_time = '2025-01-01'")
            sql = "UPDATE sync_history SET sync_time = '2025-01-02' WHERE id = ?"
            connection.execute(sql, ids[:1])
        found = [run["id"] for run in state.get_sync_history("src")]
        assert found == [ids[0], ids[3], ids[2], ids[1]]

    def test_a_limit_keeps_the_newest(self, state):
        ids = [state.record_sync_result("src", "success") for _ in range(12)]
        newest = state.get_sync_history("src", limit=2)
        assert [run["id"] for run in newest] == ids[:-3:-1]
        assert len(state.get_sync_history("src")) == 10

    def test_history_is_kept_apart_by_source(self, state):
        state.record_sync_result("src", "success")
        assert state.get_sync_history("nobody") == []

    def test_old_runs_are_cleaned_up_and_counted(self, state):
        old, recent = (state.record_sync_result("src", "success") for _ in range(2))
        long_ago = (datetime.now(timezone.utc) - timedelta(days=40)).isoformat()
        with state._get_connection() as connection:
            sql = "UPDATE sync_history SET sync_time = ? WHERE id = ?"
            connection.execute(sql, (long_ago, old))
        assert state.cleanup_old_history(days=50) == 0
        assert state.cleanup_old_history() == 1
        assert [run["id"] for run in state.get_sync_history("src")] == [recent]


PUBLIC_CALLS = {
    "register_source": ("src", "https://example.org"),
    "update_source_sync_metadata": ("src", "abc"),
    "track_file": ("src", "a.md", "aa"),
    "track_files_batch": ("src", [{"file_path": "a.md", "content_sha": "aa"}]),
    "get_file_hash": ("src", "a.md"),
    "has_file_changed": ("src", "a.md", "aa"),
    "record_sync_result": ("src", "success"),
    "get_sync_history": ("src",),
    "get_source_info": ("src",),
    "get_all_sources": (),
    "cleanup_old_history": (),
}


class TestErrorsOfTheState:
    def test_the_errors_form_one_family(self):
        assert issubclass(agent_sync.DatabaseError, agent_sync.AgentSyncStateError)
        assert issubclass(agent_sync.AgentSyncStateError, agent_sync.AgentSyncError)

    @pytest.mark.parametrize("method", PUBLIC_CALLS)
    def test_public_methods_raise_the_programs_own_error(self, state, method):
        make_unreadable(state)
        with pytest.raises(agent_sync.DatabaseError) as caught:
            getattr(state, method)(*PUBLIC_CALLS[method])
        assert isinstance(caught.value.__cause__, sqlite3.Error)

    def test_errors_of_sqlite_pass_through_a_connection(self, state):
        with pytest.raises(sqlite3.OperationalError):
            with state._get_connection() as connection:
                connection.execute("SELECT * FROM nothing")

    def test_a_connection_rolls_back_and_raises_again(self, state):
        with pytest.raises(KeyError):
            with state._get_connection() as connection:
                connection.execute("INSERT INTO sources (id, url) VALUES ('x', 'y')")
                raise KeyError("x")
        assert state.get_source_info("x") is None

    def test_a_connection_commits_and_gives_rows_by_name(self, state):
        with state._get_connection() as connection:
            connection.execute("INSERT INTO sources (id, url) VALUES ('x', 'y')")
        with state._get_connection() as connection:
            row = connection.execute("SELECT * FROM sources WHERE id = 'x'").fetchone()
        assert isinstance(row, sqlite3.Row)
        assert row["url"] == "y"

    def test_foreign_keys_are_enforced_on_a_connection(self, state):
        with pytest.raises(sqlite3.IntegrityError):
            with state._get_connection() as connection:
                connection.execute(
                    "INSERT INTO sync_history (source_id, sync_time, status)"
                    " VALUES ('nobody', 'now', 'success')"
                )

    def test_a_directory_is_no_database(self, tmp_path):
        """FAULTS D03."""
        with pytest.raises(agent_sync.DatabaseError):
            agent_sync.AgentSyncState(tmp_path)


WRITER = """
import sys, agent_sync
state = agent_sync.AgentSyncState(sys.argv[1])
name = sys.argv[2]
state.register_source(name, "https://example.org/" + name)
for number in range(8):
    state.track_file(name, "%d.md" % number, "aa")
    state.record_sync_result(name, "success")
"""


class TestManyAtOnceOnTheState:
    """FAULTS D04 and D05: nobody sees "database is locked", nothing is lost."""

    def counts(self, path):
        with opened(path) as connection:
            tables = ("sources", "agent_files", "sync_history")
            sql = "SELECT count(*) FROM %s"
            return [connection.execute(sql % table).fetchone()[0] for table in tables]

    def test_threads_share_one_state(self, database):
        state = agent_sync.AgentSyncState(database)
        errors = []

        def write_rows(name):
            try:
                state.register_source(name, "https://example.org/" + name)
                for number in range(5):
                    state.track_file(name, f"{number}.md", "aa")
                    state.record_sync_result(name, "success")
            except Exception as error:
                errors.append(error)

        threads = [
            threading.Thread(target=write_rows, args=(name,)) for name in "abcdefgh"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert self.counts(database) == [8, 40, 40]

    def test_processes_create_and_share_one_database(self, database):
        command = [sys.executable, "-c", WRITER, str(database)]
        env = {**os.environ, "PYTHONPATH": str(HERE)}
        children = [subprocess.Popen([*command, name], env=env) for name in "abcd"]
        assert [child.wait(timeout=60) for child in children] == [0, 0, 0, 0]
        assert self.counts(database) == [4, 32, 32]


# ==== HTTP ====

# ==== Pkt-lines ====

# ==== Git objects ====

# ==== Packfiles ====

# ==== Git client ====


class TestGitClient:
    def test_a_first_sync_takes_three_requests_and_no_discovery(
        self, mirror, git_server
    ):
        source = mirror.sync()
        assert source["requests"] == 3
        assert {request.method for request in git_server.requests} == {"POST"}
        assert mirror.is_faithful()

    def test_requests_speak_protocol_version_two(self, synced, git_server):
        asked = {request.headers["git-protocol"] for request in git_server.requests}
        assert asked == {"version=2"}

    def test_connections_are_reused(self, synced, git_server):
        assert git_server.connections == 1

    def test_no_news_costs_one_request(self, synced, git_server):
        assert synced.sync()["requests"] == 1
        assert b"command=ls-refs" in git_server.requests[-1].body

    def test_an_update_takes_three_requests_at_most(self, synced):
        synced.upstream.write("qa/qa.md", b"# New\n")
        synced.upstream.publish()
        assert synced.sync()["requests"] <= 3
        assert synced.is_faithful()

    def test_a_server_without_filter_is_asked_for_everything_once(self, mirror):
        mirror.upstream.repository.config("uploadpack.allowFilter", "false")
        assert mirror.sync()["requests"] <= 4
        assert mirror.is_faithful()
        assert mirror.sync()["requests"] == 1

    def test_the_revision_is_the_commit_id(self, synced):
        repository = synced.upstream.repository
        [row] = synced.program.call_json("sources")["sources"]
        assert row["last_sha"] == repository.id()
        old, new = repository.id(), repository.commit()
        source = synced.sync()
        assert (source["previous_revision"], source["revision"]) == (old, new)

    @pytest.mark.parametrize(
        "ref",
        ["main", "refs/heads/main", "v1", "refs/tags/v1", "light", "HEAD", "a/b/c"],
    )
    def test_every_sort_of_ref_leads_to_its_commit(
        self, program, git_upstream, repository, ref
    ):
        repository.tag("v1", annotated=True)
        repository.tag("light")
        repository.branch("a/b/c")
        mirror = Mirror(program, git_upstream, "--ref", ref)
        assert mirror.sync()["revision"] == repository.id()
        assert mirror.is_faithful()
        assert mirror.sync()["requests"] == 1

    def test_a_full_commit_id_is_a_pin(self, program, git_upstream, repository):
        pinned = repository.id()
        repository.write("agents/qa/qa.md", b"# Later\n")
        repository.commit()
        mirror = Mirror(program, git_upstream, "--ref", pinned)
        assert mirror.sync()["revision"] == pinned
        assert mirror.tree() == repository.agents(pinned)

    def test_a_repository_with_sha256_ids_works_or_is_refused_plainly(
        self, program, git_server
    ):
        """FAULTS G27."""
        directory = git_server.root / "owner" / "sha256.git"
        repository = Repository.create(directory, "--object-format=sha256")
        repository.write("agents/a.md", b"# A\n")
        repository.commit()
        mirror = Mirror(program, GitUpstream(git_server, repository))
        outcome = program.call("sync", check=(0, 1))
        assert (
            mirror.is_faithful()
            if outcome.code == 0
            else "sha256" in complaint(outcome)
        )

    def test_a_packed_repository_with_deltas_is_read(
        self, program, git_upstream, repository
    ):
        for number in range(6):
            text = SMALL["agents/universal/research.md"] + b"%d\n" % number
            repository.write(f"agents/universal/copy-{number}.md", text)
            repository.commit()
        repository.git("gc", "-q", "--aggressive", "--prune=now")
        mirror = Mirror(program, git_upstream)
        mirror.sync()
        assert mirror.is_faithful()

    def test_a_file_that_stands_in_many_places_is_written_to_all(self, synced):
        for name in ("twin-1.md", "twin-2.md", "qa/twin-3.md"):
            synced.upstream.write(name, b"# The same everywhere\n")
        synced.upstream.publish()
        synced.sync()
        assert synced.is_faithful()

    def test_an_empty_file_is_a_file(self, synced):
        synced.upstream.write("empty.md", b"")
        synced.upstream.publish()
        synced.sync()
        assert synced.tree()["empty.md"] == b""


BAD_ANSWERS = {
    "401": (http_reply(401), "401"),
    "403": (http_reply(403), "403"),
    "404": (http_reply(404), "404|not found"),
    "a login page": (
        http_reply(
            200, b"<html><form>Log in</form></html>", (), "text/html; charset=utf-8"
        ),
        "html|git",
    ),
    "a page that claims to be git": (
        http_reply(200, b"<html></html>", (), "application/x-git-upload-pack-result"),
        "pkt|git",
    ),
    "an error packet": (
        http_reply(
            200, b"0010ERR no \x1b[31mway", (), "application/x-git-upload-pack-result"
        ),
        "no ",
    ),
    "nothing": (
        http_reply(200, b"", (), "application/x-git-upload-pack-result"),
        "",
    ),
    "junk for a status line": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ""),
}


class TestGitServersThatMisbehave:
    @pytest.mark.parametrize("name", BAD_ANSWERS)
    def test_a_bad_answer_is_told_in_one_line_and_loses_nothing(
        self, synced, git_server, name
    ):
        """FAULTS G24, G29, H12, H24: the error names source and cause."""
        before = stats(synced.dest)
        reply, words = BAD_ANSWERS[name]
        git_server.answer = lambda request: reply
        outcome = synced.program.call("sync", "--timeout", "5", check=FAILURE)
        told = [line for line in complaint(outcome).splitlines() if "src" in line]
        assert [line for line in told if re.search(words, line)], outcome
        assert stats(synced.dest) == before
        [run, _] = synced.program.query("SELECT * FROM sync_history ORDER BY id DESC")
        assert run["status"] == "error"
        assert run["error_message"]

    @pytest.mark.parametrize("name", ["401", "a login page", "nothing"])
    def test_the_json_document_tells_the_same(self, synced, git_server, name):
        git_server.answer = lambda request: BAD_ANSWERS[name][0]
        document = synced.program.call_json("sync", "--timeout", "5", check=FAILURE)
        source = only_source(document)
        assert document["ok"] is False
        assert source["status"] == "error"
        assert source["error"] and "\n" not in source["error"]
        assert changes(source) == {}

    def test_a_pack_cut_short_publishes_nothing(self, mirror, git_server):
        """FAULTS G01, INV1: a git run is all or nothing."""

        def cut_the_blobs(request):
            if len(git_server.requests) >= 3:
                status, headers, body = git_server.ask_git(request)
                return http_reply(status, body[: len(body) // 2], headers)
            return None

        git_server.answer = cut_the_blobs
        mirror.sync(check=FAILURE)
        assert mirror.tree() == {}
        git_server.answer = lambda request: None
        mirror.sync()
        assert mirror.is_faithful()

    def test_a_flipped_bit_publishes_nothing(self, mirror, git_server):
        """FAULTS G02."""

        def flip_a_bit(request):
            if len(git_server.requests) >= 3:
                status, headers, body = git_server.ask_git(request)
                middle = len(body) // 2
                flipped = bytes([body[middle] ^ 1])
                body = body[:middle] + flipped + body[middle + 1 :]
                return http_reply(status, body, headers)
            return None

        git_server.answer = flip_a_bit
        mirror.sync(check=FAILURE)
        assert mirror.tree() == {}

    def test_another_commit_than_the_one_asked_for_is_refused(self, mirror, git_server):
        """FAULTS G20: the objects are sound, but not those that were wanted."""
        repository = mirror.upstream.repository
        wanted = repository.id()
        other = repository.commit("Another").encode()

        def lie(request):
            if b"command=ls-refs" in request.body:
                status, headers, body = git_server.ask_git(request)
                return http_reply(status, body.replace(other, wanted.encode()), headers)
            swapped = request._replace(
                body=request.body.replace(wanted.encode(), other)
            )
            status, headers, body = git_server.ask_git(swapped)
            return http_reply(status, body.replace(other, wanted.encode()), headers)

        git_server.answer = lie
        mirror.sync(check=FAILURE)
        assert mirror.tree() == {}

    def test_a_redirected_post_is_an_error(self, synced, git_server):
        """FAULTS G30, H05."""
        place = {"Location": git_server.url + "/elsewhere"}
        git_server.answer = lambda request: http_reply(302, b"", place)
        synced.sync("--timeout", "5", check=FAILURE)
        posts = [ask for ask in git_server.requests if ask.method == "POST"]
        assert {post.path for post in posts} == {"/owner/repo.git/git-upload-pack"}

    def test_a_server_that_falls_silent_meets_the_timeout(self, synced, git_server):
        git_server.answer = git_server.silence
        before = stats(synced.dest)
        started = time.monotonic()
        synced.sync("--timeout", "0.3", check=FAILURE)
        assert time.monotonic() - started < 5
        assert stats(synced.dest) == before

    def test_a_server_that_drips_meets_the_timeout_too(self, synced, git_server):
        """FAULTS G31: the deadline is for the whole source, not for each read."""
        endless = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"0" * 9999
        git_server.answer = lambda request: drip(endless)
        started = time.monotonic()
        synced.sync("--timeout", "0.5", check=FAILURE)
        assert time.monotonic() - started < 5

    def test_a_fetch_that_ends_in_the_middle_keeps_the_last_good_version(
        self, synced, git_server
    ):
        """INV3."""
        before = synced.tree()
        synced.upstream.write("qa/qa.md", b"# New\n")
        synced.upstream.publish()
        git_server.answer = lambda request: (
            None if b"ls-refs" in request.body else b"HTTP/1.1 200 OK\r\n\r\n0"
        )
        synced.sync("--timeout", "5", check=FAILURE)
        assert synced.tree() == before
        git_server.answer = lambda request: None
        assert changes(synced.sync()) == {"updated": ["qa/qa.md"]}


# ==== Sources ====

GITHUB = "https://github.com/owner/repo"
HTTPS_FORMS = {  # URL: (kind, where it leads: ref and path, joined)
    "owner/repo": ("git", ""),
    "owner/repo@v1.2": ("git", "v1.2"),
    "owner/repo@feature/x": ("git", "feature/x"),
    GITHUB: ("git", ""),
    GITHUB + "/": ("git", ""),
    GITHUB + ".git": ("git", ""),
    GITHUB + "/tree/main/agents": ("git", "main/agents"),
    GITHUB + "/tree/feature/x/agents/qa": ("git", "feature/x/agents/qa"),
    "https://gitlab.com/owner/repo/-/tree/main/agents": ("git", "main/agents"),
    "https://codeberg.org/owner/repo/src/branch/main/agents": ("git", "main/agents"),
    "git@gitlab.com:owner/repo.git": ("git", ""),
    "https://raw.githubusercontent.com/owner/repo/main/agents": ("git", "main/agents"),
    "https://git.example.org/owner/repo.git": ("git", ""),
    "https://example.org/agents": ("http", ""),
    "https://example.org/a/b/c/agents.json": ("http", ""),
}


def registered(program, *arguments):
    """The row of the one source that `add *arguments` made."""
    program.call("add", *arguments, "--id", "src")
    return only_source(program.call_json("sources"))


class TestFormsOfUrls:
    @pytest.mark.parametrize("url", HTTPS_FORMS)
    def test_the_url_decides_kind_ref_and_path(self, program, url):
        row = registered(program, url)
        where = [part for part in (row["ref"], row["path"]) if part]
        assert (row["kind"], "/".join(where).strip("/")) == HTTPS_FORMS[url]

    @pytest.mark.parametrize("url", ["owner/repo", "git@github.com:owner/repo.git"])
    def test_short_forms_are_read_as_https(self, program, url):
        assert registered(program, url)["url"].startswith(GITHUB)

    def test_an_existing_directory_is_a_directory(self, program, tmp_path):
        (tmp_path / "mine").mkdir()
        assert registered(program, tmp_path / "mine")["kind"] == "dir"

    def test_a_file_url_is_a_directory(self, program, tmp_path):
        (tmp_path / "my agents").mkdir()
        row = registered(program, (tmp_path / "my agents").as_uri())
        assert row["kind"] == "dir"

    def test_an_existing_directory_wins_over_owner_and_repo(self, program):
        pathlib.Path("owner/repo").mkdir(parents=True)
        assert registered(program, "owner/repo")["kind"] == "dir"

    def test_options_win_over_the_url(self, program):
        row = registered(program, "owner/repo@v1", "--ref", "v2", "--path", "agents")
        assert (row["ref"], row["path"]) == ("v2", "agents")

    def test_a_kind_can_be_chosen(self, program):
        assert (
            registered(program, "https://example.org/a/b", "--kind", "http")["kind"]
            == "http"
        )

    def test_every_option_is_remembered(self, program, tmp_path):
        row = registered(
            program,
            "owner/repo",
            "--dest",
            tmp_path / "d",
            "--include",
            "*.md",
            "--include",
            "*.txt",
            "--exclude",
            "old/*",
            "--on-conflict",
            "keep",
            "--disabled",
        )
        assert pathlib.Path(row["destination"]) == tmp_path / "d"
        assert [glob in str(row["include"]) for glob in ("*.md", "*.txt")] == [
            True,
            True,
        ]
        assert "old/*" in str(row["exclude"])
        assert (row["on_conflict"], row["enabled"]) == ("keep", 0)

    def test_the_id_is_printed(self, program):
        printed = program.call("add", "owner/repo").out
        [row] = program.call_json("sources")["sources"]
        assert row["id"] in printed.split()

    def test_two_sources_get_two_ids_and_two_destinations(self, program):
        program.call("add", "owner/repo")
        program.call("add", "other/repo")
        rows = program.call_json("sources")["sources"]
        assert len({row["id"] for row in rows}) == 2
        assert len({row["destination"] for row in rows}) == 2

    def test_a_destination_is_below_the_cache_unless_given(self, program):
        destination = pathlib.Path(registered(program, "owner/repo")["destination"])
        assert program.root / "cache" in destination.parents

    @pytest.mark.parametrize("form", ["tree", "-/tree", "src/branch"])
    def test_a_ref_with_slashes_is_told_from_the_path(
        self, program, git_server, repository, form
    ):
        """The longest ref of the server that fits: here it is feature/x."""
        repository.branch("feature/x")
        url = f"{git_server.url}/owner/repo/{form}/feature/x/agents"
        dest = program.root / "dest"
        program.call("add", url, "--id", "src", "--dest", dest)
        program.call("sync")
        assert tree(dest) == repository.agents()

    @pytest.mark.parametrize("name", ["/owner/repo", "/owner/repo.git", "/owner/repo/"])
    def test_with_or_without_git_at_the_end(
        self, program, git_server, repository, name
    ):
        dest = program.root / "dest"
        program.call("add", git_server.url + name, "--path", "agents", "--dest", dest)
        program.call("sync")
        assert tree(dest) == repository.agents()


BAD_URLS = [
    "ext::sh -c id",
    "-oProxyCommand=id",
    "git://example.org/owner/repo",
    "ssh://git@example.org/owner/repo",
    "ftp://example.org/owner/repo",
    "data:text/plain,x",
    "javascript:alert(1)",
    "https://",
    "https://example.org:99999/owner/repo",
    "https://exa mple.org/owner/repo",
    "https://example.org/owner/re\npo",
    "https://example.org/owner/\x1b[31mrepo",
    "http://[::1/owner/repo",
    "",
]


class TestUrlsThatAreRefused:
    @pytest.mark.parametrize("url", BAD_URLS, ids=ascii)
    def test_only_https_and_directories_are_taken(self, program, url):
        """FAULTS G34, H29, H30."""
        program.call("add", "--id", "src", "--", url, check=FAILURE)
        assert program.call_json("sources") == {"sources": []}

    def test_a_password_in_a_url_is_refused_and_not_repeated(self, program):
        url = "https://user:hunter2@example.org/owner/repo"
        assert "hunter2" not in complaint(program.call("add", url, check=FAILURE))
        assert b"hunter2" not in program.database.read_bytes()

    def test_plain_http_is_for_loopback_unless_allowed(self, program):
        url = "http://example.org/owner/repo.git"
        assert "--allow-http" in complaint(program.call("add", url, check=FAILURE))
        assert registered(program, url, "--allow-http")["kind"] == "git"

    def test_a_directory_that_is_not_there_is_refused(self, program, tmp_path):
        program.call("add", tmp_path / "nothing", check=FAILURE)

    def test_an_id_is_taken_once(self, program):
        program.call("add", "owner/repo", "--id", "twice")
        assert (
            "twice"
            in program.call("add", "owner/other", "--id", "twice", check=FAILURE).err
        )
        assert only_source(program.call_json("sources"))["url"].startswith(GITHUB)

    @pytest.mark.parametrize("bad", ["../up", "a/b", "", ".", "a\nb", "x" * 300])
    def test_an_id_that_is_no_name_is_refused(self, program, bad):
        """It becomes a directory's name and part of an environment variable's."""
        program.call("add", "owner/repo", "--id=" + bad, check=FAILURE)

    @pytest.mark.parametrize("bad", ["../agents", "/etc", "a/../../b"])
    def test_a_path_that_leads_out_is_refused(self, program, bad):
        program.call("add", "owner/repo", "--path", bad, check=FAILURE)


class TestDestinations:
    def test_a_file_is_no_destination(self, program, git_upstream):
        taken = write(program.root, "taken", b"mine\n")
        arguments = ["--id", "src", "--dest", taken]
        outcome = program.call("add", *git_upstream.arguments, *arguments, check=None)
        if outcome.code == 0:
            outcome = program.call("sync", check=FAILURE)
        assert "taken" in complaint(outcome)
        assert taken.read_bytes() == b"mine\n"

    @pytest.mark.parametrize("inner", [".", "below", "deep/below"])
    def test_two_sources_never_share_a_destination(self, mirror, inner):
        arguments = ["--id", "other", "--dest", mirror.dest / inner]
        outcome = mirror.program.call("add", "owner/repo", *arguments, check=FAILURE)
        assert "src" in outcome.err

    def test_a_destination_around_another_is_refused_too(self, mirror):
        arguments = ["--id", "other", "--dest", mirror.dest.parent]
        mirror.program.call("add", "owner/repo", *arguments, check=FAILURE)

    @pytest.mark.parametrize("dest", [".", "inside", ".."])
    def test_a_directory_is_never_synced_into_itself(
        self, program, directory_upstream, dest
    ):
        """FAULTS P25."""
        dest = directory_upstream.directory / dest
        program.call(
            "add", *directory_upstream.arguments, "--dest", dest, check=FAILURE
        )

    @posix_only
    def test_a_read_only_destination_is_told_tidily(self, mirror):
        """FAULTS A10. Root may write anywhere, so root gives up its capabilities."""
        prefix = (
            []
            if os.geteuid()
            else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        )
        if prefix and not shutil.which("setpriv"):
            pytest.skip("root, and no setpriv to give up its capabilities")
        mirror.dest.mkdir(mode=0o555)
        outcome = mirror.program.run("sync", prefix=prefix, check=1)
        assert "src" in complaint(outcome)
        assert mirror.tree() == {}


class TestFilters:
    def test_include_and_exclude_replace_the_default(self, program, git_upstream):
        mirror = Mirror(
            program, git_upstream, "--include", "*.txt", "--include", "qa/*.md"
        )
        mirror.sync()
        assert "notes.txt" in mirror.tree()
        assert "qa/qa.md" in mirror.tree()
        assert "ops.json" not in mirror.tree()

    def test_exclude_takes_files_away(self, program, git_upstream):
        mirror = Mirror(program, git_upstream, "--exclude", "qa/*")
        mirror.sync()
        assert not [path for path in mirror.tree() if path.startswith("qa/")]
        assert "security.md" in mirror.tree()

    def test_without_a_path_the_whole_repository_is_read_but_its_readme(
        self, program, git_upstream, repository
    ):
        git_upstream.arguments = [git_upstream.url]
        mirror = Mirror(program, git_upstream)
        mirror.sync()
        assert mirror.tree() == only_agents(repository.archive())
        assert "agents/BASE-AGENT.md" in mirror.tree()

    @posix_only
    def test_links_submodules_and_lfs_pointers_are_skipped_and_reported(
        self, program, git_upstream, repository
    ):
        """FAULTS P17 and P20."""
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 9\n"
        repository.write("agents/large.md", pointer % (b"0" * 64))
        (repository.directory / "agents" / "link.md").symlink_to("/etc/passwd")
        repository.git("add", "-A")
        entry = f"160000,{repository.id()},agents/module.md"
        repository.git("update-index", "--add", "--cacheinfo", entry)
        repository.git("commit", "-q", "-m", "Not files")
        mirror = Mirror(program, git_upstream)
        source = mirror.sync()
        unwelcome = ["large.md", "link.md", "module.md"]
        assert sorted(paths(source["skipped"])) == unwelcome
        assert all(entry["reason"] for entry in source["skipped"])
        assert not set(unwelcome) & set(mirror.tree())
        assert "qa/qa.md" in mirror.tree()

    @posix_only
    def test_an_executable_file_is_written_as_data(self, synced):
        """FAULTS P21."""
        synced.upstream.write("tool.md", b"# Tool\n")
        script = synced.upstream.repository.directory / "agents" / "tool.md"
        script.chmod(0o755)
        synced.upstream.publish()
        synced.sync()
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE((synced.dest / "tool.md").stat().st_mode) == 0o644 & ~umask

    @posix_only
    def test_links_in_a_directory_are_never_followed(self, program, directory_upstream):
        """FAULTS P24."""
        outside = write(program.root, "outside/secret.md", b"secret\n").parent
        directory = directory_upstream.directory
        (directory / "link.md").symlink_to(outside / "secret.md")
        (directory / "up").symlink_to(outside)
        (directory / "loop").symlink_to(directory)
        os.mkfifo(str(directory / "pipe.md"))
        mirror = Mirror(program, directory_upstream)
        source = mirror.sync()
        assert b"secret\n" not in mirror.tree().values()
        assert {"link.md", "pipe.md"} <= set(paths(source["skipped"]))
        assert len(mirror.tree()) == 8


NEAR = {"mian": "main", "refs/heads/mian": "main", "feature": "feature/x"}


class TestNamesThatAreNotThere:
    @pytest.mark.parametrize("ref", NEAR)
    def test_a_missing_ref_is_named_and_so_are_those_near(
        self, program, git_upstream, repository, ref
    ):
        repository.branch("feature/x")
        mirror = Mirror(program, git_upstream, "--ref", ref)
        outcome = program.call("sync", check=1)
        assert ref in complaint(outcome)
        assert NEAR[ref] in complaint(outcome)
        assert mirror.tree() == {}

    def test_a_missing_path_is_named_and_so_are_those_near(self, program, git_upstream):
        git_upstream.arguments = [git_upstream.url, "--path", "agent"]
        Mirror(program, git_upstream)
        assert "agents" in complaint(program.call("sync", check=1))

    def test_a_path_that_is_a_file_is_no_directory(self, program, git_upstream):
        git_upstream.arguments = [git_upstream.url, "--path", "LICENSE"]
        Mirror(program, git_upstream)
        assert "license" in complaint(program.call("sync", check=1))

    def test_an_empty_repository_is_called_empty(self, program, git_server):
        repository = Repository.create(git_server.root / "owner" / "empty.git")
        Mirror(program, GitUpstream(git_server, repository))
        outcome = program.call("sync", check=1)
        assert "src" in complaint(outcome)
        assert re.search("empty|no ref|no branch|no commit", complaint(outcome))

    def test_an_unknown_commit_is_an_error(self, program, git_upstream):
        mirror = Mirror(program, git_upstream, "--ref", "1234567890" * 4)
        assert "1234567" in complaint(program.call("sync", check=1))
        assert mirror.tree() == {}

    @pytest.mark.parametrize(
        "command", ["sync", "status", "verify", "enable", "remove"]
    )
    def test_an_unknown_source_brings_the_nearest_to_mind(self, mirror, command):
        outcome = mirror.program.call(command, "scr", check=FAILURE)
        assert "scr" in outcome.err
        assert "src" in outcome.err


CANARY = "canary-7f3a"


def credentials(request):
    """What the request says of itself in its Authorization field, decoded."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return base64.b64decode(value).decode() if scheme.lower() == "basic" else value


class TestCredentials:
    @pytest.fixture
    def protected(self, mirror, git_server):
        """A source that only someone who knows the canary may read."""
        challenge = http_reply(401, b"", {"WWW-Authenticate": 'Basic realm="git"'})
        git_server.answer = lambda request: (
            None if CANARY in credentials(request) else challenge
        )
        return mirror

    def test_without_credentials_the_error_says_so(self, protected):
        assert "401" in complaint(protected.program.call("sync", check=1))

    def test_netrc_opens_any_host(self, protected):
        line = f"machine 127.0.0.1 login me password {CANARY}\n"
        path = write(os.environ["HOME"], ".netrc", line.encode())
        path.chmod(0o600)
        protected.program.call("sync")
        assert protected.is_faithful()

    def test_a_token_opens_one_source(self, protected, git_server, monkeypatch):
        monkeypatch.setenv("AGENT_SYNC_TOKEN_SRC", CANARY)
        protected.program.call("sync")
        assert protected.is_faithful()
        monkeypatch.delenv("AGENT_SYNC_TOKEN_SRC")
        monkeypatch.setenv("AGENT_SYNC_TOKEN_OTHER", CANARY)
        protected.program.call("sync", check=1)

    @pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GH_TOKEN"])
    def test_githubs_token_goes_to_github_alone(
        self, mirror, git_server, monkeypatch, name
    ):
        monkeypatch.setenv(name, CANARY)
        mirror.program.call("sync")
        assert not any(map(credentials, git_server.requests))

    def test_a_token_is_never_shown_nor_stored(self, protected, monkeypatch):
        """FAULTS S18, also when the server turns it down."""
        monkeypatch.setenv("AGENT_SYNC_TOKEN_SRC", CANARY)
        program = protected.program
        shown = [program.call("sync", "-v"), program.call("sources", "--json")]
        monkeypatch.setenv("AGENT_SYNC_TOKEN_SRC", CANARY[:-1])
        shown += [program.call("sync", "-v", check=1), program.call("history")]
        assert not [outcome for outcome in shown if CANARY[:-1] in complaint(outcome)]
        assert CANARY[:-1].encode() not in program.database.read_bytes()


# ==== Plan ====

# ==== Sync ====

SYNC_KEYS = {
    "source",
    "kind",
    "status",
    "checked",
    "revision",
    "previous_revision",
    *CHANGES,
    "unchanged",
    "requests",
    "bytes_received",
    "duration_ms",
    "error",
}


class TestEveryKindOfSource:
    """What is true of a sync whatever the source is: git or a directory."""

    def synced(self, program, upstream, *options):
        mirror = Mirror(program, upstream, *options)
        mirror.sync()
        return mirror

    def test_a_first_sync_brings_every_agent(self, program, upstream):
        mirror = Mirror(program, upstream)
        source = mirror.sync()
        assert mirror.is_faithful()
        assert changes(source) == {"added": sorted(upstream.agents())}

    def test_the_document_says_what_the_contract_says(self, program, upstream):
        Mirror(program, upstream)
        document = program.call_json("sync")
        source = only_source(document)
        assert document["ok"] is True
        assert set(source) == SYNC_KEYS
        assert (source["source"], source["checked"]) == ("src", True)
        assert source["error"] is source["previous_revision"] is None
        assert isinstance(source["duration_ms"], int)
        assert isinstance(source["bytes_received"], int)

    def test_a_second_sync_writes_nothing(self, program, upstream):
        """INV8: no file, and no row but history and times."""
        mirror = self.synced(program, upstream)
        before = stats(mirror.dest), program.durable_rows()
        source = mirror.sync()
        assert changes(source) == {}
        assert (source["unchanged"], source["checked"]) == (8, True)
        assert (stats(mirror.dest), program.durable_rows()) == before

    def test_only_what_changed_is_rewritten(self, program, upstream):
        mirror = self.synced(program, upstream)
        before = stats(mirror.dest)
        upstream.write("qa/qa.md", b"# New\n")
        upstream.publish()
        source = mirror.sync()
        assert changes(source) == {"updated": ["qa/qa.md"]}
        assert mirror.is_faithful()
        after = stats(mirror.dest)
        assert [path for path in after if after[path] != before[path]] == ["qa/qa.md"]

    def test_what_is_gone_upstream_goes_here(self, program, upstream):
        mirror = self.synced(program, upstream)
        upstream.delete("qa/qa.md")
        upstream.publish()
        assert changes(mirror.sync()) == {"removed": ["qa/qa.md"]}
        assert mirror.is_faithful()

    def test_a_file_becomes_a_directory_and_a_directory_a_file(self, program, upstream):
        """FAULTS P16."""
        mirror = self.synced(program, upstream)
        upstream.delete("ops.json")
        upstream.write("ops.json/ops.md", b"# Deeper\n")
        upstream.publish()
        mirror.sync()
        assert mirror.is_faithful()
        upstream.delete("ops.json/ops.md")
        upstream.write("ops.json", b"{}\n")
        upstream.publish()
        mirror.sync()
        assert mirror.is_faithful()

    def test_a_missing_file_is_restored(self, program, upstream):
        """INV9: the same revision, but the row's word is not trusted."""
        mirror = self.synced(program, upstream)
        (mirror.dest / "qa" / "qa.md").unlink()
        shutil.rmtree(str(mirror.dest / "engineer"))
        source = mirror.sync()
        assert mirror.is_faithful()
        assert len(source["restored"]) == 3
        assert mirror.backups() == []

    def test_a_destination_that_is_gone_is_made_again(self, program, upstream):
        """FAULTS A19."""
        mirror = self.synced(program, upstream)
        shutil.rmtree(str(mirror.dest))
        mirror.sync()
        assert mirror.is_faithful()

    def test_a_damaged_file_is_restored_even_if_size_and_time_are_the_same(
        self, program, upstream
    ):
        mirror = self.synced(program, upstream)
        path = mirror.dest / "security.md"
        before = path.stat()
        path.write_bytes(b"# security\n")
        os.utime(str(path), ns=(before.st_atime_ns, before.st_mtime_ns))
        assert mirror.sync()["restored"] == ["security.md"]
        assert mirror.is_faithful()
        assert mirror.backups() == [b"# security\n"]

    def test_identical_files_are_adopted_and_not_rewritten(self, program, upstream):
        mirror = Mirror(program, upstream)
        for path, data in upstream.agents().items():
            mirror.write(path, data)
        before = stats(mirror.dest)
        mirror.sync()
        assert stats(mirror.dest) == before
        assert len(program.call_json("files", "src")["files"]) == 8
        assert mirror.backups() == []

    def test_a_lost_database_is_made_up_from_the_files(self, program, upstream):
        """FAULTS D02."""
        mirror = self.synced(program, upstream)
        before = stats(mirror.dest)
        program.database.unlink()
        Mirror(program, upstream).sync()
        assert stats(mirror.dest) == before

    def test_files_of_the_user_are_left_alone(self, program, upstream):
        mirror = self.synced(program, upstream)
        mirror.write("mine.md", b"mine\n")
        mirror.write("qa/foo.tmp", b"mine too\n")
        upstream.delete("qa/qa.md")
        upstream.publish()
        mirror.sync()
        assert mirror.tree()["mine.md"] == b"mine\n"
        assert mirror.tree()["qa/foo.tmp"] == b"mine too\n"

    @pytest.mark.parametrize("policy", ["backup", "keep", "overwrite"])
    def test_an_edited_file_is_treated_by_the_policy(self, program, upstream, policy):
        """FAULTS P26: an edit here, and news of the same file upstream."""
        mirror = self.synced(program, upstream, "--on-conflict", policy)
        mirror.write("qa/qa.md", b"# My own\n")
        upstream.write("qa/qa.md", b"# New\n")
        upstream.publish()
        source = mirror.sync()
        kept = policy == "keep"
        assert mirror.tree()["qa/qa.md"] == (b"# My own\n" if kept else b"# New\n")
        assert mirror.backups() == ([b"# My own\n"] if policy == "backup" else [])
        assert source["kept"] == (["qa/qa.md"] if kept else [])

    @pytest.mark.parametrize("policy", ["backup", "keep", "overwrite"])
    def test_an_untracked_file_in_the_way_is_treated_by_the_policy(
        self, program, upstream, policy
    ):
        mirror = Mirror(program, upstream, "--on-conflict", policy)
        mirror.write("qa/qa.md", b"# My own\n")
        source = mirror.sync()
        kept = policy == "keep"
        expected = b"# My own\n" if kept else upstream.agents()["qa/qa.md"]
        assert mirror.tree()["qa/qa.md"] == expected
        assert mirror.backups() == ([b"# My own\n"] if policy == "backup" else [])
        assert source["kept"] == (["qa/qa.md"] if kept else [])

    def test_two_backups_of_one_file_are_both_kept(self, program, upstream):
        mirror = self.synced(program, upstream)
        for edit in (b"first\n", b"second\n"):
            mirror.write("qa/qa.md", edit)
            mirror.sync()
        assert mirror.backups() == [b"first\n", b"second\n"]
        assert mirror.is_faithful()

    def test_a_file_kept_once_is_kept_again(self, program, upstream):
        mirror = self.synced(program, upstream, "--on-conflict", "keep")
        mirror.write("qa/qa.md", b"# My own\n")
        for _ in range(2):
            assert mirror.sync()["kept"] == ["qa/qa.md"]
        assert mirror.tree()["qa/qa.md"] == b"# My own\n"

    @pytest.mark.parametrize("policy", ["backup", "keep", "overwrite"])
    def test_an_edited_file_that_is_gone_upstream_stays(
        self, program, upstream, policy
    ):
        """FAULTS P27: only files whose hash is still ours are removed."""
        mirror = self.synced(program, upstream, "--on-conflict", policy)
        mirror.write("qa/qa.md", b"# My own\n")
        upstream.delete("qa/qa.md")
        upstream.publish()
        mirror.sync()
        assert mirror.tree()["qa/qa.md"] == b"# My own\n"

    def test_a_mass_removal_needs_force(self, program, upstream):
        """FAULTS P27."""
        mirror = self.synced(program, upstream)
        before = mirror.tree()
        for path in sorted(before)[:6]:
            upstream.delete(path)
        upstream.publish()
        outcome = program.call("sync", check=1)
        assert "--force" in complaint(outcome)
        assert "6" in complaint(outcome)
        assert mirror.tree() == before
        mirror.sync("--force")
        assert mirror.is_faithful()

    def test_five_removals_are_no_mass_removal(self, program, upstream):
        mirror = self.synced(program, upstream)
        for path in sorted(mirror.tree())[:5]:
            upstream.delete(path)
        upstream.publish()
        assert len(mirror.sync()["removed"]) == 5
        assert mirror.is_faithful()

    @pytest.mark.parametrize("option", ["-n", "--dry-run"])
    def test_a_dry_run_tells_and_does_not_touch(self, program, upstream, option):
        mirror = self.synced(program, upstream)
        upstream.write("new.md", b"# New\n")
        upstream.write("qa/qa.md", b"# Newer\n")
        upstream.delete("security.md")
        upstream.publish()
        before = stats(mirror.dest), program.durable_rows()
        source = mirror.sync(option)
        assert changes(source) == {
            "added": ["new.md"],
            "updated": ["qa/qa.md"],
            "removed": ["security.md"],
        }
        assert (stats(mirror.dest), program.durable_rows()) == before

    def test_a_dry_run_before_the_first_sync_makes_no_destination(
        self, program, upstream
    ):
        mirror = Mirror(program, upstream)
        assert len(mirror.sync("--dry-run")["added"]) == 8
        assert mirror.tree() == {}

    def test_force_reads_everything_and_rewrites_nothing(self, program, upstream):
        mirror = self.synced(program, upstream)
        before = stats(mirror.dest)
        mirror.sync("--force")
        assert stats(mirror.dest) == before

    def test_a_source_checked_lately_is_not_asked(self, program, upstream):
        mirror = self.synced(program, upstream)
        upstream.write("new.md", b"# New\n")
        upstream.publish()
        source = mirror.sync("--max-age", "15m")
        assert (source["checked"], source["requests"]) == (False, 0)
        assert "new.md" not in mirror.tree()
        assert mirror.sync("--max-age", "0s")["added"] == ["new.md"]

    def test_an_offline_sync_asks_nobody(self, program, upstream):
        mirror = self.synced(program, upstream)
        source = mirror.sync("--offline")
        assert (source["checked"], source["requests"]) == (False, 0)

    def test_litter_of_a_killed_run_is_cleared(self, program, upstream):
        """FAULTS A06: the program's own pattern, and nothing that only resembles it."""
        mirror = self.synced(program, upstream)
        mirror.write("qa/.agent-sync-0123456789abcdef.tmp", b"half a fi")
        mirror.write("qa/.agent-sync-notes.tmp", b"mine\n")
        upstream.write("qa/qa.md", b"# New\n")
        upstream.publish()
        mirror.sync()
        assert mirror.tree() == {
            **upstream.agents(),
            "qa/.agent-sync-notes.tmp": b"mine\n",
        }

    def test_every_run_is_in_the_history(self, program, upstream):
        mirror = self.synced(program, upstream)
        upstream.write("qa/qa.md", b"# New\n")
        upstream.write("new.md", b"# New\n")
        upstream.delete("security.md")
        upstream.publish()
        mirror.sync()
        runs = program.call_json("history")["runs"]
        counted = [
            (
                run["status"],
                run["files_synced"],
                run["files_cached"],
                run["files_failed"],
            )
            for run in runs
        ]
        assert counted == [("success", 2, 6, 0), ("success", 8, 0, 0)]

    def test_names_beyond_ascii_are_synced(self, program, upstream):
        upstream.write("rôle/设计 🤖.md", b"# Design\n")
        upstream.publish()
        mirror = self.synced(program, upstream)
        assert mirror.is_faithful()
        assert "rôle/设计 🤖.md" in mirror.tree()

    def test_every_file_is_in_the_database_with_its_hash(self, program, upstream):
        mirror = self.synced(program, upstream)
        rows = program.call_json("files", "src")["files"]
        recorded = {
            row["file_path"]: (row["content_sha"], row["file_size"]) for row in rows
        }
        assert recorded == {
            path: (sha256(data), len(data)) for path, data in mirror.tree().items()
        }


RENAMED = {"added": ["qa/renamed.md"], "removed": ["qa/qa.md"]}
DAYS = {  # what happened upstream: (how, what a sync says)
    "nothing": (lambda repository: None, {}),
    "an empty commit": (lambda repository: repository.commit(), {}),
    "one file changed": (
        lambda repository: repository.write("agents/qa/qa.md", b"# New\n"),
        {"updated": ["qa/qa.md"]},
    ),
    "one added": (
        lambda repository: repository.write("agents/new/new.md", b"# New\n"),
        {"added": ["new/new.md"]},
    ),
    "one deleted": (
        lambda repository: repository.delete("agents/qa/qa.md"),
        {"removed": ["qa/qa.md"]},
    ),
    "one renamed": (
        lambda repository: repository.rename("agents/qa/qa.md", "agents/qa/renamed.md"),
        RENAMED,
    ),
    "a change elsewhere": (
        lambda repository: repository.write("LICENSE", b"Unlicense\n"),
        {},
    ),
}


class TestTheDailyLifeOfARepository:
    @pytest.mark.parametrize("day", DAYS)
    def test_a_sync_follows_what_happened(self, synced, day):
        happen, expected = DAYS[day]
        repository = synced.upstream.repository
        happen(repository)
        repository.commit()
        source = synced.sync()
        assert changes(source) == expected
        assert source["revision"] == repository.id()
        assert synced.is_faithful()

    def test_a_renamed_file_need_not_be_downloaded_again(self, synced, git_server):
        """Its blob is at hand; only commit and trees are asked for."""
        synced.upstream.repository.rename("agents/qa/qa.md", "agents/qa/renamed.md")
        synced.upstream.publish()
        assert changes(synced.sync()) == RENAMED
        assert synced.is_faithful()

    def test_a_force_push_is_followed(self, synced):
        repository = synced.upstream.repository
        repository.git("checkout", "-q", "--orphan", "fresh")
        repository.write("agents/qa/qa.md", b"# From scratch\n")
        repository.commit()
        repository.git("branch", "-q", "-M", "fresh", "main")
        assert changes(synced.sync()) == {"updated": ["qa/qa.md"]}
        assert synced.is_faithful()

    def test_a_switched_default_branch_is_followed(self, synced):
        repository = synced.upstream.repository
        repository.git("checkout", "-q", "-b", "next")
        repository.write("agents/next.md", b"# Next\n")
        repository.commit()
        assert changes(synced.sync()) == {"added": ["next.md"]}
        repository.checkout("main")
        assert changes(synced.sync()) == {"removed": ["next.md"]}

    def test_another_branch_can_be_synced_into_the_same_place(self, synced):
        repository = synced.upstream.repository
        repository.git("checkout", "-q", "-b", "next")
        repository.write("agents/qa/qa.md", b"# Next\n")
        repository.commit()
        before = stats(synced.dest)
        synced.program.call("remove", "src")
        again = Mirror(synced.program, synced.upstream, "--ref", "next")
        again.sync()
        assert again.is_faithful()
        after = stats(synced.dest)
        assert [path for path in after if after[path] != before[path]] == ["qa/qa.md"]

    @pytest.mark.parametrize("annotated", [False, True], ids=["light", "annotated"])
    def test_a_moved_tag_is_followed(
        self, program, git_upstream, repository, annotated
    ):
        repository.tag("v1", annotated=annotated)
        mirror = Mirror(program, git_upstream, "--ref", "v1")
        mirror.sync()
        repository.write("agents/qa/qa.md", b"# Moved\n")
        moved = repository.commit()
        assert changes(mirror.sync()) == {}
        repository.tag("v1", annotated=annotated)
        source = mirror.sync()
        assert (source["updated"], source["revision"]) == (["qa/qa.md"], moved)

    def test_a_deleted_branch_is_an_error_and_loses_nothing(
        self, program, git_upstream, repository
    ):
        repository.branch("stable")
        mirror = Mirror(program, git_upstream, "--ref", "stable")
        mirror.sync()
        before = stats(mirror.dest)
        repository.git("branch", "-D", "stable")
        outcome = program.call("sync", check=1)
        assert "stable" in complaint(outcome)
        assert "src" in complaint(outcome)
        assert stats(mirror.dest) == before

    def test_a_server_that_is_down_is_exit_code_three(self, synced, git_server):
        before = stats(synced.dest)
        git_server.close()
        document = synced.program.call_json("sync", check=3)
        source = only_source(document)
        assert (document["ok"], source["checked"]) == (False, False)
        assert source["error"]
        assert stats(synced.dest) == before
        last = synced.program.call_json("history", "-n", "1")["runs"][0]
        assert last["status"] == "error"

    def test_a_server_that_is_down_and_damaged_files_are_a_failure(
        self, synced, git_server
    ):
        (synced.dest / "security.md").write_bytes(b"# Edited\n")
        git_server.close()
        synced.sync(check=1)

    def test_a_server_that_was_never_up_is_told_tidily(self, mirror, git_server):
        git_server.close()
        outcome = mirror.program.call("sync", check=(1, 3))
        assert "src" in complaint(outcome)
        assert "refused" in complaint(outcome)

    def test_an_unknown_host_is_told_tidily(self, program, monkeypatch):
        def no_such_name(*args, **options):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
        program.call("add", "https://no.such.host.invalid/owner/repo", "--id", "src")
        outcome = program.call("sync", check=(1, 3))
        assert "src" in complaint(outcome)
        assert "no.such.host.invalid" in complaint(outcome)

    def test_a_repository_that_becomes_empty_needs_force(self, synced):
        """FAULTS P27: also when the directory itself is gone upstream."""
        repository = synced.upstream.repository
        shutil.rmtree(str(repository.directory / "agents"))
        repository.commit()
        before = synced.tree()
        synced.sync(check=1)
        assert synced.tree() == before


class TestMoreThanOneSource:
    @pytest.fixture
    def pair(self, program, git_server, git_upstream, directory_upstream):
        """A git source `one` and a directory `two`; their destinations by id."""
        destinations = {"one": program.root / "1", "two": program.root / "2"}
        for name, upstream in zip(destinations, (git_upstream, directory_upstream)):
            arguments = ["--id", name, "--dest", destinations[name]]
            program.call("add", *upstream.arguments, *arguments)
        return destinations

    def test_all_enabled_sources_are_synced(self, program, pair, git_upstream):
        sources = program.call_json("sync")["sources"]
        assert sorted(source["source"] for source in sources) == ["one", "two"]
        for destination in pair.values():
            assert tree(destination) == git_upstream.agents()

    def test_named_sources_are_synced_alone(self, program, pair):
        assert only_source(program.call_json("sync", "two"))["source"] == "two"
        assert not pair["one"].exists()

    def test_a_disabled_source_is_synced_only_by_name(self, program, pair):
        program.call("disable", "one")
        assert only_source(program.call_json("sync"))["source"] == "two"
        assert only_source(program.call_json("sync", "one"))["source"] == "one"
        program.call("enable", "one")
        assert len(program.call_json("sync")["sources"]) == 2

    def test_one_that_fails_never_stops_another(self, program, pair, git_server):
        """INV4."""
        git_server.answer = lambda request: http_reply(404)
        document = program.call_json("sync", check=1)
        errors = {source["source"]: source["error"] for source in document["sources"]}
        assert errors["one"]
        assert errors["two"] is None
        assert len(tree(pair["two"])) == 8

    def test_one_job_is_enough(self, program, pair):
        assert program.call_json("sync", "-j", "1")["ok"] is True

    def test_nothing_enabled_is_nothing_to_do(self, program, pair):
        program.call("disable", "one", "two")
        document = program.call_json("sync")
        assert document == {"ok": True, "sources": []}


class TestOneRunAtATime:
    def held_lock(self, dest):
        """The destination's lock file, locked by this process."""
        fcntl = pytest.importorskip("fcntl")
        handle = (dest / ".agent-sync" / "lock").open("w+")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        handle.write("pid 4242 on elsewhere\n")
        handle.flush()
        return handle

    def test_a_second_run_waits_and_then_says_who_holds_the_lock(self, synced):
        """FAULTS A15."""
        with self.held_lock(synced.dest):
            outcome = synced.program.call("sync", "--lock-timeout", "0.1", check=1)
        assert "4242" in complaint(outcome)
        assert "src" in complaint(outcome)

    def test_a_second_run_goes_on_when_the_lock_is_free(self, synced):
        handle = self.held_lock(synced.dest)
        timer = threading.Timer(0.2, handle.close)
        timer.start()
        synced.sync("--lock-timeout", "30")
        timer.join()
        assert synced.is_faithful()

    def test_a_lock_file_left_behind_holds_nobody_up(self, synced):
        """FAULTS A16: the kernel's lock counts, not the file."""
        lock = synced.dest / ".agent-sync" / "lock"
        lock.write_text("pid 1 on elsewhere\n")
        synced.sync("--lock-timeout", "0")
        assert lock.read_text() == ""

    def test_two_processes_at_once_both_succeed(self, mirror):
        """INV7."""
        command = mirror.program.command("sync", "--json")
        children = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        documents = [json.loads(child.communicate(timeout=60)[0]) for child in children]
        added = sorted(len(only_source(document)["added"]) for document in documents)
        assert added == [0, 8]
        assert mirror.is_faithful()


THOUSAND = 1000
PEAK_OF_CHILD = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


class TestScale:
    @pytest.fixture
    def thousand(self, program, git_server):
        repository = Repository.create(git_server.root / "owner" / "thousand.git")
        repository.config("core.compression", "1")
        base = prose("thousand", 8192)[:8000]
        for number in range(THOUSAND):
            path = f"agents/{number % 50:02}/{number:03}.md"
            repository.write(path, b"# %d\n" % number + base)
        repository.commit()
        return Mirror(program, GitUpstream(git_server, repository))

    @posix_only
    def test_a_thousand_files_take_three_requests_and_less_than_80_mb(self, thousand):
        command = thousand.program.command("sync")
        measured = subprocess.run(
            [sys.executable, "-c", PEAK_OF_CHILD, *command],
            stdout=subprocess.PIPE,
            check=True,
        )
        unit = 1 if sys.platform == "darwin" else 1024
        assert int(measured.stdout) * unit < 80e6
        assert thousand.is_faithful()
        assert len(thousand.upstream.requests) == 3


# ==== Command line ====


class TestEndToEnd:
    def test_the_repository_that_users_sync(
        self, program, git_server, agents_repository
    ):
        """206 files, 58 of them below agents/, 54 agents: three requests."""
        upstream = GitUpstream(git_server, agents_repository)
        assert len(agents_repository.archive()) == 206
        archive = agents_repository.archive("agents")
        assert len(archive) == 58
        dest = program.root / "dest"
        program.run("add", *upstream.arguments, "--id", "mpm", "--dest", dest)
        outcome = program.run("sync")
        assert tree(dest) == {
            path: archive[path] for path in archive if path not in NOT_AGENTS
        }
        assert len(tree(dest)) == 54
        assert len(git_server.requests) == 3
        assert "+ engineer/core/agent-04.md" in outcome.out.splitlines()

    def test_a_second_sync_asks_once_and_writes_nothing(
        self, program, git_server, agents_repository
    ):
        upstream = GitUpstream(git_server, agents_repository)
        dest = program.root / "dest"
        program.call("add", *upstream.arguments, "--id", "mpm", "--dest", dest)
        program.call("sync")
        before = stats(dest), program.durable_rows()
        document = program.run_json("sync")
        assert only_source(document)["requests"] == len(git_server.requests[3:]) == 1
        assert (stats(dest), program.durable_rows()) == before

    def test_the_cache_directory_is_used_without_a_destination(
        self, program, git_upstream, repository
    ):
        program.call("add", *git_upstream.arguments, "--id", "src")
        program.call("sync")
        [found] = [
            path.parent for path in (program.root / "cache").rglob("BASE-AGENT.md")
        ]
        assert tree(found) == repository.agents()

    def test_the_default_source_is_registered_by_the_first_sync(self, program):
        """Without the internet: the proxy to use is a port nobody listens on."""
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            outcome = program.run("sync", env={"HTTPS_PROXY": proxy}, check=(1, 3))
        assert "github-remote" in complaint(outcome)
        [row] = program.call_json("sources")["sources"]
        assert row["id"] == "github-remote"
        assert row["url"] == (
            "https://raw.githubusercontent.com/bobmatnyc/claude-mpm-agents/main/agents"
        )
        assert "/".join((row["ref"], row["path"])) == "main/agents"
        assert pathlib.Path(row["destination"]).name == "remote-agents"

    def test_only_a_sync_registers_the_default_source(self, program):
        for command in ("sources", "status", "files", "history"):
            program.call(command)
        assert program.call_json("sources") == {"sources": []}

    @posix_only
    def test_an_interrupt_is_exit_code_130(self, synced, git_server):
        """FAULTS A17: prompt, no traceback, nothing lost."""
        before = stats(synced.dest)
        asked = len(git_server.requests)
        git_server.answer = git_server.silence
        child = subprocess.Popen(
            synced.program.command("sync"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_until(lambda: len(git_server.requests) > asked)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=10)
        Outcome(child.returncode, out.decode(), err.decode()).checked(130)
        assert stats(synced.dest) == before


class TestTextOfSync:
    def test_each_change_is_a_line_and_then_comes_a_summary(self, synced):
        repository = synced.upstream.repository
        repository.write("agents/new.md", b"# New\n")
        repository.write("agents/qa/qa.md", b"# Newer\n")
        repository.delete("agents/security.md")
        revision = repository.commit()
        lines = synced.program.call("sync").out.splitlines()
        assert {"+ new.md", "~ qa/qa.md", "- security.md"} <= set(lines)
        [summary] = [line for line in lines if line.startswith("src:")]
        for words in ("1 added", "1 updated", "1 removed", "6 unchanged", "request"):
            assert words in summary
        assert revision[:7] in summary

    def test_no_news_is_one_line(self, synced):
        [line] = synced.program.call("sync").out.splitlines()
        assert line.startswith("src:")
        assert "up to date" in line or "8 unchanged" in line
        assert "1 request" in line

    def test_what_was_not_checked_is_not_called_up_to_date(self, synced):
        """Honest words."""
        for option in (["--offline"], ["--max-age", "1h"]):
            assert "up to date" not in synced.program.call("sync", *option).out

    def test_quiet_says_nothing_when_all_is_well(self, mirror):
        assert mirror.program.call("sync", "-q") == (0, "", "")

    def test_quiet_still_tells_errors(self, mirror, git_server):
        git_server.answer = lambda request: http_reply(404)
        outcome = mirror.program.call("-q", "sync", check=1)
        assert "src" in outcome.err

    def test_verbose_tells_more(self, mirror):
        assert mirror.program.call("sync", "-v").err


def read_to_end(descriptor, chunks):
    """Append all that comes from a terminal to *chunks*, until its other end closes."""
    with contextlib.suppress(OSError):
        while True:
            chunks.append(os.read(descriptor, 65536))


def shown_on_terminal(*arguments):
    """What `main` prints when both its outputs are a terminal."""
    ours, theirs = pytest.importorskip("pty").openpty()
    chunks = []
    reader = threading.Thread(target=read_to_end, args=(ours, chunks))
    reader.start()
    with open(theirs, "w", encoding="utf-8") as terminal:
        with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
            code = agent_sync.main(list(arguments))
    reader.join()
    os.close(ours)
    assert code == 0, chunks
    return b"".join(chunks)


class TestOnATerminal:
    COLOUR = rb"\x1b\[[\d;]*m"

    @pytest.fixture
    def large(self, program, git_server, agents_repository):
        return Mirror(program, GitUpstream(git_server, agents_repository))

    def test_there_is_a_progress_bar_in_colour(self, large):
        shown = shown_on_terminal("sync")
        assert re.search(rb"\r(?!\n)|\x1b\[\d*K", shown)
        assert re.search(self.COLOUR, shown)
        assert large.is_faithful()

    def test_quiet_shows_no_bar(self, large):
        assert shown_on_terminal("sync", "-q") == b""

    def test_colour_can_be_turned_off(self, mirror, monkeypatch):
        assert not re.search(self.COLOUR, shown_on_terminal("sync", "--no-color"))
        monkeypatch.setenv("NO_COLOR", "1")
        assert not re.search(self.COLOUR, shown_on_terminal("sync", "--force"))


COMMANDS = (
    "add",
    "remove",
    "enable",
    "disable",
    "sources",
    "sync",
    "status",
    "verify",
    "files",
    "history",
)
HYGIENE = """
import sys
touched = []
sys.addaudithook(lambda event, args: event[:7] == "socket." and touched.append(event))
import agent_sync
try:
    code = agent_sync.main({arguments!r}) if {arguments!r} else 0
except SystemExit as stop:
    code = stop.code
assert not code, code
assert not touched, touched
heavy = {{"ssl", "http.server", "difflib", "html"}} & set(sys.modules)
assert not heavy, heavy
"""


class TestArguments:
    @pytest.mark.parametrize(
        "arguments", [[], ["--version"], ["status"], ["sources"]], ids=str
    )
    def test_light_commands_load_nothing_heavy_and_touch_no_network(
        self, synced, arguments
    ):
        code = HYGIENE.format(arguments=arguments)
        env = {**os.environ, "PYTHONPATH": str(HERE)}
        subprocess.run([sys.executable, "-c", code], check=True, env=env)

    def test_the_version_is_printed(self, program):
        assert re.search(r"\d+\.\d+", program.call("--version").out)

    def test_help_names_every_command(self, program):
        text = program.call("--help").out
        assert [command for command in COMMANDS if command not in text] == []

    @pytest.mark.parametrize("command", COMMANDS)
    def test_help_of_a_command_has_examples(self, program, command):
        text = program.call(command, "--help").out
        assert re.search(rf"agent_sync(\.py)? {command}", text.split("xample")[-1])

    @pytest.mark.parametrize(
        "arguments",
        [
            ["no-such-command"],
            ["sync", "--no-such-option"],
            ["add"],
            ["remove"],
            ["enable"],
            ["sync", "--max-age", "soon"],
            ["sync", "-j", "0"],
            ["sync", "--timeout", "-1"],
            ["history", "-n", "x"],
            ["add", "owner/repo", "--kind", "svn"],
            ["add", "owner/repo", "--on-conflict", "fight"],
        ],
        ids=" ".join,
    )
    def test_a_mistake_is_exit_code_two(self, program, arguments):
        assert "agent_sync" in program.call(*arguments, check=2).err

    def test_no_command_shows_the_usage(self, program):
        assert "usage" in complaint(program.call(check=(0, 2)))

    def test_options_stand_before_or_after_the_command(self, program, git_upstream):
        database, cache = program.root / "other.db", program.root / "other-cache"
        options = ["--db", database, "--cache-dir", cache]
        program.call(*options, "add", *git_upstream.arguments, "--id", "before")
        program.call("add", *git_upstream.arguments, "--id", "after", *options)
        rows = program.call("--json", "sources", "--db", database).document["sources"]
        assert sorted(row["id"] for row in rows) == ["after", "before"]
        assert all(str(cache) in row["destination"] for row in rows)
        assert not program.database.exists()

    @pytest.mark.parametrize(
        "command", ["sync", "status", "verify", "remove", "enable"]
    )
    def test_an_error_with_json_is_a_document(self, mirror, command):
        outcome = mirror.program.call(command, "nobody", "--json", check=FAILURE)
        assert set(outcome.document) == {"error"}
        assert set(outcome.document["error"]) == {"type", "message"}
        assert "nobody" in outcome.document["error"]["message"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ["sources"],
            ["sync"],
            ["status"],
            ["verify"],
            ["files"],
            ["history"],
            ["disable", "src"],
            ["enable", "src"],
            ["remove", "src"],
        ],
        ids=" ".join,
    )
    def test_every_command_prints_one_document_with_json(self, synced, arguments):
        assert isinstance(synced.program.call_json(*arguments), dict)

    def test_adding_with_json_is_a_document_with_the_id(self, program):
        assert "new" in str(program.call_json("add", "owner/repo", "--id", "new"))


class TestManagingSources:
    def test_the_list_has_the_contracts_columns_and_ours(self, synced):
        row = only_source(synced.program.call_json("sources"))
        with opened(synced.program.database) as connection:
            contract = {"id", "url", "last_sha", "last_sync_time", "etag", "enabled"}
            assert contract <= set(columns(connection, "sources"))
        added = {
            "kind",
            "ref",
            "path",
            "destination",
            "include",
            "exclude",
            "on_conflict",
        }
        assert contract | added <= set(row)

    def test_the_list_can_be_read(self, synced):
        text = synced.program.call("sources").out
        assert "src" in text
        assert synced.upstream.url in text

    def test_removing_keeps_the_files(self, synced):
        before = stats(synced.dest)
        synced.program.call("remove", "src")
        assert synced.program.call_json("sources") == {"sources": []}
        assert stats(synced.dest) == before
        assert synced.program.query("SELECT * FROM agent_files") == []

    def test_removing_with_the_files_spares_what_is_not_ours(self, synced):
        synced.write("mine.md", b"mine\n")
        synced.write("qa/qa.md", b"# My own\n")
        synced.program.call("remove", "src", "--delete-files")
        assert synced.tree() == {"mine.md": b"mine\n", "qa/qa.md": b"# My own\n"}

    def test_enabling_and_disabling_are_remembered(self, synced):
        synced.program.call("disable", "src")
        assert only_source(synced.program.call_json("sources"))["enabled"] == 0
        synced.program.call("enable", "src")
        assert only_source(synced.program.call_json("sources"))["enabled"] == 1


DRIFT_KEYS = {
    "source",
    "revision",
    "last_sync_time",
    "status",
    "modified",
    "missing",
    "untracked",
}


@pytest.mark.parametrize("command", ["status", "verify"])
class TestStatusAndVerify:
    def test_all_is_well_after_a_sync(self, synced, git_server, command):
        """Offline: the server is gone and is not missed."""
        git_server.close()
        document = synced.program.call_json(command)
        source = only_source(document)
        assert document["ok"] is True
        assert set(source) >= DRIFT_KEYS
        assert source["revision"] == synced.upstream.repository.id()
        assert_recent(source["last_sync_time"])
        assert source["modified"] == source["missing"] == source["untracked"] == []

    def test_drift_is_told_and_is_exit_code_one(self, synced, command):
        synced.write("qa/qa.md", b"# My own\n")
        (synced.dest / "security.md").unlink()
        document = synced.program.call_json(command, check=1)
        source = only_source(document)
        assert document["ok"] is False
        assert (source["modified"], source["missing"]) == (
            ["qa/qa.md"],
            ["security.md"],
        )
        text = synced.program.call(command, check=1).out
        assert "qa/qa.md" in text
        assert "security.md" in text

    def test_a_source_never_synced_has_no_drift(self, mirror, command):
        source = only_source(mirror.program.call_json(command))
        assert source["modified"] == source["missing"] == []
        assert source["last_sync_time"] is None

    def test_a_source_can_be_named(self, synced, command):
        synced.program.call("add", "owner/repo", "--id", "other")
        assert only_source(synced.program.call_json(command, "src"))["source"] == "src"
        assert len(synced.program.call_json(command)["sources"]) == 2

    def test_nothing_is_changed_by_looking(self, synced, command):
        synced.write("qa/qa.md", b"# My own\n")
        before = stats(synced.dest), synced.program.database.read_bytes()
        synced.program.call(command, check=1)
        assert (stats(synced.dest), synced.program.database.read_bytes()) == before


class TestStatusAlone:
    def test_untracked_files_are_listed(self, synced):
        synced.write("mine.md", b"mine\n")
        document = synced.program.call_json("status", check=None)
        assert only_source(document)["untracked"] == ["mine.md"]

    def test_an_edit_that_keeps_size_and_time_is_found_by_verify(self, synced):
        path = synced.dest / "security.md"
        before = path.stat()
        path.write_bytes(b"# security\n")
        os.utime(str(path), ns=(before.st_atime_ns, before.st_mtime_ns))
        document = synced.program.call_json("verify", check=1)
        assert only_source(document)["modified"] == ["security.md"]

    def test_the_last_error_is_shown(self, synced, git_server):
        git_server.answer = lambda request: http_reply(404)
        synced.sync(check=1)
        assert "error" in synced.program.call("status", check=None).out.lower()


class TestFilesAndHistory:
    def test_files_are_listed_for_reading(self, synced):
        text = synced.program.call("files").out
        assert all(path in text for path in synced.tree())

    def test_files_of_one_source(self, synced, directory_upstream):
        program = synced.program
        directory_upstream.write("only-here.md", b"# Here\n")
        arguments = ["--id", "two", "--dest", program.root / "2"]
        program.call("add", *directory_upstream.arguments, *arguments)
        program.call("sync")
        rows = program.call_json("files", "two")["files"]
        assert len(rows) == 9
        assert {row["source_id"] for row in rows} == {"two"}
        assert len(program.call_json("files")["files"]) == 17

    def test_history_is_newest_first_and_can_be_cut(self, synced):
        synced.upstream.write("qa/qa.md", b"# New\n")
        synced.upstream.publish()
        synced.sync()
        synced.sync()
        runs = synced.program.call_json("history", "src")["runs"]
        assert [run["files_synced"] for run in runs] == [0, 1, 8]
        assert [run["source_id"] for run in runs] == ["src"] * 3
        assert synced.program.call_json("history", "-n", "1")["runs"] == runs[:1]
        assert synced.program.call_json("history", "--since", "1h")["runs"] == runs

    def test_old_runs_are_left_out_by_since(self, synced):
        with opened(synced.program.database) as connection:
            old = "2001-01-01T00:00:00+00:00"
            connection.execute("UPDATE sync_history SET sync_time = ?", (old,))
        assert synced.program.call_json("history", "--since", "7d") == {"runs": []}

    def test_changes_are_told_file_by_file(self, synced):
        old = synced.tree()["qa/qa.md"]
        gone = synced.tree()["security.md"]
        synced.upstream.write("qa/qa.md", b"# New\n")
        synced.upstream.write("new.md", b"# Added\n")
        synced.upstream.delete("security.md")
        synced.upstream.publish()
        synced.sync()
        run = synced.program.call_json("history", "--changes", "-n", "1")["runs"][0]
        told = {change["path"]: change for change in run["changes"]}
        assert {path: change["action"] for path, change in told.items()} == {
            "new.md": "add",
            "qa/qa.md": "update",
            "security.md": "remove",
        }
        hashes = {path: (row["old_sha"], row["new_sha"]) for path, row in told.items()}
        assert hashes == {
            "new.md": (None, sha256(b"# Added\n")),
            "qa/qa.md": (sha256(old), sha256(b"# New\n")),
            "security.md": (sha256(gone), None),
        }

    def test_changes_are_left_out_unless_asked_for(self, synced):
        [run] = synced.program.call_json("history")["runs"]
        assert "changes" not in run

    def test_history_can_be_read(self, synced):
        text = synced.program.call("history", "--changes").out
        assert "src" in text
        assert "success" in text
        assert "qa/qa.md" in text
