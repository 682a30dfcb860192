"""Tests of agent_sync.py, section by section in the module's own order.

The parts are real: real git makes the repositories and is the oracle for what they
hold, `git http-backend` serves them on a loopback port, SQLite files are files, and
the tests named end to end run `python agent_sync.py` as a child process. Nothing
reaches the internet and nothing depends on the clock or on the order of the tests.

    python -m pytest -q                 # all
    python -m pytest -q -k state        # one section
"""

import ast
import asyncio
import atexit
import base64
import collections
import contextlib
import email.utils
import errno
import functools
import gc
import gzip
import hashlib
import hmac
import html.parser
import http.server
import inspect
import io
import itertools
import json
import logging
import multiprocessing
import os
import pathlib
import py_compile
import random
import re
import shlex
import shutil
import signal
import socket
import socketserver
import sqlite3
import ssl
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import traceback
import tracemalloc
import unicodedata
import urllib.parse
import urllib.request
import urllib.response
import weakref
import zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.message import Message

import pytest

import agent_sync

# ==== Harness ====
#
# Servers, repositories and a way to run the program. Knows git and HTTP; knows nothing
# of the program but its command line.

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "agent_sync.py"
FAILURE = (1, 2, 3)  # any exit code that says "this did not work"
MEMORY = "/dev/shm"  # a file system on which nothing waits for a disk
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")

if (
    os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > 1 << 30
    and not os.statvfs(MEMORY).f_flag & getattr(os, "ST_NOEXEC", 0)
):  # pytest makes its temporary directories there, unless told otherwise.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)

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


def wait_until(condition, seconds=60):
    """Poll until *condition()* is true, also on a machine that is busy; its value."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.002)
    return condition()


def sha256(data):
    """The hexadecimal SHA-256 of *data*."""
    return hashlib.sha256(data).hexdigest()


def tree(directory, what=pathlib.Path.read_bytes):
    """{relative path: *what* of the file} below *directory*, without `.agent-sync/`."""
    own = pathlib.Path(directory, ".agent-sync")
    paths = sorted(pathlib.Path(directory).rglob("*"))
    files = [p for p in paths if p.is_file() and own not in (p, *p.parents)]
    return {path.relative_to(directory).as_posix(): what(path) for path in files}


def stats(directory):
    """{relative path: (inode, mtime in ns)}: changes whenever a file is rewritten."""
    found = tree(directory, pathlib.Path.stat)
    return {name: (status.st_ino, status.st_mtime_ns) for name, status in found.items()}


@contextlib.contextmanager
def untouched(directory, program=None):
    """Within, no file there is written or exchanged, nor a durable row of *program*."""
    rows = program.durable_rows if program else list
    before = stats(directory), rows()
    yield
    assert (stats(directory), rows()) == before


def write(directory, name, data):
    """Write *data* to the file *name* below *directory*; the file's path."""
    path = pathlib.Path(directory, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def delete(directory, name):
    """Delete the file *name* below *directory*, and the directories it leaves empty."""
    pathlib.Path(directory, name).unlink()
    for parent in list(pathlib.PurePath(name).parents)[:-1]:
        with contextlib.suppress(OSError):
            pathlib.Path(directory, parent).rmdir()


def only_agents(files):
    """The part of *files*, {path: bytes}, that passes the default filter."""
    left_out = re.compile(r"(^|/)(\.|(dist|build|node_modules)(/|$)|README\.md$)")
    agents = [path for path in files if path.endswith((".md", ".mdc", ".json"))]
    return {path: files[path] for path in agents if not left_out.search(path)}


# As it came over the wire, but with the names of headers in lower case.
Request = collections.namedtuple("Request", "method path headers body")


class Reply(bytes):
    """A well-framed HTTP reply, after which the connection stays open."""


def raw(*lines, body=b"", status="200 OK"):
    """Raw bytes of a reply with just these fields, after which the server hangs up."""
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""])
    return head.encode("latin-1") + body


def reply_of(status, fields, body=b""):
    """A reply with just these *fields*, {name: value}."""
    lines = ["{}: {}".format(*field) for field in dict(fields).items()]
    return Reply(raw(*lines, body=body, status=status))


def http_reply(status, body=b"", headers=(), content_type="text/plain"):
    """A whole HTTP/1.1 reply with a Content-Length."""
    fields = {"Content-Type": content_type, "Content-Length": len(body)}
    return reply_of(f"{status} Because", {**fields, **dict(headers)}, body)


def not_modified(fields=()):
    """A 304: it never has a body, and so no length."""
    return reply_of("304 Not Modified", fields)


def drip(data, every=0.01):
    """Yield *data* byte by byte, one *every* so many seconds."""
    pause = threading.Event()
    for value in data:
        yield bytes([value])
        pause.wait(every)


class Connection(socketserver.StreamRequestHandler):
    """One client's connection: request after request until either side closes."""

    disable_nagle_algorithm = True

    def handle(self):
        reply = Reply()
        while isinstance(reply, Reply) and (request := self.read_request()):
            self.server.requests.append(request)
            reply = self.server.reply_for(request)
            for piece in [reply] if isinstance(reply, bytes) else reply:
                self.wfile.write(piece)

    def read_request(self):
        """The next request, or None at the end of the connection."""
        words = self.rfile.readline().split()
        if len(words) != 3:
            return None
        lines = iter(lambda: self.rfile.readline().rstrip(b"\r\n"), b"")
        fields = (line.decode("latin-1").partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Request(words[0].decode(), words[1].decode(), headers, body)


class LoopbackServer(socketserver.ThreadingTCPServer):
    """An HTTP/1.1 server on a free loopback port that remembers what it was asked.

    `reply_to(request)` gives the raw bytes to send: a Reply leaves the connection open,
    plain bytes or an iterable of bytes end it; b"" just drops it. To misbehave, set
    `answer`, a callable on the request: what it returns is sent instead, unless it is
    None. While the server `is_gone`, everything is a 404.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Connection)
        self.requests = []
        self.renew()
        self.closing = threading.Event()
        self.clients = []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.daemon = True  # None that a test forgets outlives the process.
        self.thread.start()

    def renew(self, **attributes):
        """Make the server as new, but for these *attributes*; itself."""
        self.requests.clear()
        self.connections = 0
        self.is_gone = False
        self.answer = lambda request: None
        vars(self).update(attributes)
        return self

    def reply_for(self, request):
        if self.is_gone:
            return http_reply(404, b"no such thing")
        reply = self.answer(request)
        return self.reply_to(request) if reply is None else reply

    def reply_to(self, request):
        return http_reply(404, b"no such thing")

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
    """A server whose answers are those of a callable or of a table {path: reply}."""

    def __init__(self, script):
        super().__init__()
        self.answer = script if callable(script) else lambda ask: script.get(ask.path)


class GitServer(LoopbackServer):
    """`git http-backend` behind HTTP/1.1 with keep-alive, for all in `root`."""

    known_replies = {}

    def reply_to(self, request):
        return framed(*self.ask_git(request))

    def ask_git(self, request):
        """git's (status, headers, body), which are the same as long as the refs are."""
        owner, name = request.path.split("/")[1:3]
        question = request._replace(headers=request.headers.get("git-protocol"))
        key = (*question, refs_and_config(self.root / owner / name / ".git"))
        if key not in self.known_replies:
            self.known_replies[key] = self.run_backend(request)
        return self.known_replies[key]

    def run_backend(self, request):
        """What `git http-backend`, a CGI program, answers: (status, headers, body)."""
        path, _, query = request.path.partition("?")
        env = {
            **GIT_ENV,
            "GIT_PROJECT_ROOT": str(self.root),
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
        output = subprocess.run(
            ["git", "http-backend"], env=env, input=request.body, capture_output=True
        ).stdout
        head, _, body = output.partition(b"\r\n\r\n")
        fields = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
        headers = {name: value for name, _, value in fields}
        return int(headers.pop("Status", "200").split()[0]), headers, body


def refs_and_config(directory):
    """All that git's reply depends on besides the objects: [(path, bytes)]."""
    files = [directory / name for name in ("HEAD", "config", "packed-refs")]
    files += sorted(directory.glob("refs/**/*"))
    present = [path for path in files if path.is_file()]
    return tuple((path.relative_to(directory), path.read_bytes()) for path in present)


def framed(status, headers, body):
    """An HTTP/1.1 reply: a long body in chunks, as Git hosts send packs."""
    if len(body) < 4096:
        return http_reply(status, body, headers)
    pieces = [body[start : start + 16384] for start in range(0, len(body), 16384)]
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""]]
    fields = {**headers, "Transfer-Encoding": "chunked"}
    return reply_of(f"{status} OK", fields, b"".join(chunks))


class Repository:
    """A real Git repository with a working tree, made by the real git."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.commits = 0

    @classmethod
    def create(cls, directory, *options):
        """An empty repository on branch `main` that serves filtered fetches."""
        repository = cls(directory)
        repository.directory.mkdir(parents=True)
        repository.git("init", "-q", "--template=", "-b", "main", *options)
        repository.git("config", "uploadpack.allowFilter", "true")
        repository.git("config", "maintenance.auto", "false")  # a process of its own
        repository.git("config", "core.logAllRefUpdates", "false")
        return repository

    def copy(self, directory):
        """The same repository elsewhere, much faster than by a clone."""
        twin = Repository(directory)
        shutil.copytree(self.directory, directory, symlinks=True)
        twin.commits = self.commits
        return twin

    def git(self, *args, data=None):
        """What `git *args` prints, as bytes without the last newline."""
        date = f"{1_700_000_000 + 60 * self.commits} +0000"
        env = {**GIT_ENV, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        options = {"cwd": self.directory, "env": env, "input": data}
        done = subprocess.run(["git", *args], **options, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout[:-1] if done.stdout.endswith(b"\n") else done.stdout

    def write(self, path, data):
        write(self.directory, path, data)

    def delete(self, path):
        delete(self.directory, path)

    def commit(self, message="Change"):
        """Commit the working tree as it is; the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.commits += 1
        return self.id()

    def id(self, revision="HEAD"):
        """The object id of *revision*."""
        return self.git("rev-parse", "--verify", revision).decode()

    def tag(self, name, annotated=False):
        self.git("tag", "-f", *(["-a", "-m", name] if annotated else []), name)

    def archive(self, path="", revision="HEAD", links=False):
        """{path: bytes} of every file below *path*; with *links*, those also."""
        data, found = self.git("archive", "--format=tar", f"{revision}:{path}"), {}
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for item in archive:
                if item.isfile():
                    found[item.name] = archive.extractfile(item).read()
                elif item.issym() and links:
                    found[item.name] = item.linkname.encode()
        return found

    def agents(self):
        """What a sync of `agents/` with the default filter must give."""
        return only_agents(self.archive("agents"))


def prose(seed, size):
    """About *size* bytes of Markdown, the same for the same *seed*."""
    words = ["review", "plan", "🤖", "deploy", "naïve", "设计", "agent", "tool"]
    chosen = random.Random(seed).choices([*words, "✅", "goal"], k=size // 6)
    lines = (" ".join(chosen[at : at + 12]) for at in range(0, len(chosen), 12))
    return (f"---\nname: {seed}\n---\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture(scope="session", autouse=True)
def heeded_signals():
    """Heed what a shell's background jobs ignore, or nohup's, and so their children."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


AGENTS = {
    "BASE-AGENT.md": b"# Base \xf0\x9f\xa4\x96\n",
    "engineer/core/engineer.md": prose("engineer", 3000),
    "engineer/data/data-engineer.md": prose("data-engineer", 1000),
    "ops.json": b'{"name": "ops"}\n',
    "qa/qa.md": prose("qa", 2000),
    "qa/web/web-qa.md": prose("web-qa", 500),
    "security.md": b"# Security\n",
    "universal/research.md": prose("research", 5000),
}
SMALL = {f"agents/{path}": data for path, data in AGENTS.items()}
SMALL.update({"README.md": b"# A small set of agents\n", "LICENSE": b"MIT\n"})
for path in ("notes.txt", ".hidden/secret.md", "dist/bundle.md"):
    SMALL[f"agents/{path}"] = b"not an agent\n"


@pytest.fixture(scope="session")
def small_template(tmp_path_factory):
    """A repository with eight agents and five other files, for tests to copy."""
    repository = Repository.create(tmp_path_factory.mktemp("small") / "repo.git")
    for path, data in SMALL.items():
        repository.write(path, data)
    repository.commit()
    repository.git("gc", "-q", "--prune=now")  # One pack is copied faster.
    return repository


@pytest.fixture(scope="session")
def lasting():
    """Makes servers by name that run as long as the tests, which find them as new."""
    servers = {}

    def server(name, make):
        if name not in servers or servers[name].closing.is_set():
            servers[name] = make()
        return servers[name]

    yield server
    for server in servers.values():
        server.close()


@pytest.fixture
def git_server(tmp_path, lasting):
    return lasting("git", GitServer).renew(root=tmp_path / "served")


@pytest.fixture
def repository(git_server, small_template):
    """A copy of the small repository, served as /owner/repo.git."""
    return small_template.copy(git_server.root / "owner" / "repo.git")


DIRECTORIES = ("claude-mpm", "engineer", "ops/cloud", "qa", "engineer/core", "qa/web/x")
AGENT_PATHS = [f"{DIRECTORIES[n % 6]}/agent-{n:02}.md" for n in range(50)]
AGENT_PATHS += [f"universal/agent-{n}.json" for n in range(50, 54)]
NOT_AGENTS = [".etag-cache.json", ".etag-cache.json.migrated"]
NOT_AGENTS += ["engineer/core/x.md.broken", "engineer/core/x.md.original"]


@pytest.fixture
def agents_repository(git_server):
    """The shape of bobmatnyc/claude-mpm-agents: 206 files, 58 of them below agents/."""
    repository = Repository.create(git_server.root / "owner" / "agents.git")
    sizes = random.Random(54)
    for path in [*AGENT_PATHS, *NOT_AGENTS]:
        data = prose(path, 4096 + int(46_000 * sizes.random() ** 2))
        repository.write("agents/" + path, data)
    for number in range(206 - 58):
        repository.write(f"skills/{number % 7}/skill-{number}.md", prose(number, 1500))
    repository.commit()
    return repository


class Outcome(collections.namedtuple("Outcome", "code out err")):
    """How one run of the program ended."""

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


@functools.cache
def bytecode():
    """The program as bytecode: to compile it takes longer than most of its runs."""
    directory = tempfile.mkdtemp(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    path = os.path.join(directory, "agent_sync.pyc")
    py_compile.compile(str(SCRIPT), path, str(SCRIPT), doraise=True)
    return path


def compiled():
    """The same, unless coverage measures child processes: by the path of the source."""
    measured = any(name.startswith("COVERAGE_PROCESS") for name in os.environ)
    return str(SCRIPT) if measured else bytecode()


def importing():
    """The environment of a child process that imports the program."""
    return {**os.environ, "PYTHONPATH": os.path.dirname(compiled())}


class Program:
    """agent_sync.py with a home, a database and a cache directory of its own.

    `run` starts a child process, `call` calls `main` in this process, which is faster;
    both check the exit code against *check* (None: any) and that all output is tidy.
    """

    asks = False
    script = None  # what a child process runs, if not the program as bytecode

    def __init__(self, root, capsys):
        self.root = root
        self.capsys = capsys
        self.database = root / "agent_sync.db"

    def call(self, *args, check=0):
        self.capsys.readouterr()
        try:
            code = agent_sync.main(self.arguments(*args))
        except SystemExit as stop:
            code = stop.code
        return Outcome(code or 0, *self.capsys.readouterr()).checked(check)

    def call_json(self, *args, check=0):
        return self.call(*args, "--json", check=check).document

    def run(self, *args, env=(), check=0, prefix=()):
        command, env = [*prefix, *self.command(*args)], {**os.environ, **dict(env)}
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 300}
        done = subprocess.run(command, env=env, **options)
        outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
        return outcome.checked(check)

    def arguments(self, *args):
        """*args* as text; `add` asks nobody unless the test `asks`."""
        args = [str(arg) for arg in args]
        return [*args, *([] if self.asks or "add" not in args[:1] else ["--no-check"])]

    def command(self, *args):
        """The argument list of a child process."""
        return [sys.executable, self.script or compiled(), *self.arguments(*args)]

    def query(self, sql, *parameters):
        """The rows of a query of the database, as dicts; a change is committed."""
        with opened(self.database) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, parameters)]

    def durable_rows(self):
        """The rows that a sync without news leaves alone: all but history and times."""
        rows = rows_of(self.database)
        del rows["sync_history"], rows["sqlite_sequence"]
        for row in rows["sources"]:
            row.update(last_sync_time=None, updated_at=None)
        return rows


# Environment variables that could change what a test sees.
PERSONAL = r"(?i)(AGENT_SYNC_|GITHUB_|SSL_CERT_).*|.*_PROXY|GH_TOKEN"
PERSONAL += "|NO_COLOR|FORCE_COLOR|NETRC|XDG_CONFIG_HOME"


@pytest.fixture
def unmeasured(monkeypatch):
    """Child processes without coverage: its modules, memory and files are not ours."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS")]:
        monkeypatch.delenv(name)


@pytest.fixture
def mounting(tmp_path):
    """The beginning of a command that runs a shell script with mounts of its own."""
    command = ["unshare", "-rm", "sh", "-c"]
    probe = [*command, 'mount -t tmpfs none "$1"', "sh", str(tmp_path)]
    tool = shutil.which("unshare")
    if not tool or subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mounting is not permitted here")
    return command


@pytest.fixture
def unprivileged():
    """The beginning of a command that takes from root the right to write anywhere."""
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root, and no setpriv to give up its capabilities")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@pytest.fixture
def program(tmp_path, monkeypatch, capsys):
    for name in [name for name in os.environ if re.fullmatch(PERSONAL, name)]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("LANGUAGE", "C")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("AGENT_SYNC_DB", str(tmp_path / "agent_sync.db"))
    monkeypatch.setenv("AGENT_SYNC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(agent_sync, "RETRY_PAUSE", 0.002)
    monkeypatch.chdir(home)
    return Program(tmp_path, capsys)


LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
LFS_POINTER += b"oid sha256:%064d\nsize 9\n" % 0


class Mirror:
    """One source, named `src`, registered to be synced from *upstream* into `dest`."""

    def __init__(self, program, upstream, *options):
        self.program = program
        self.upstream = upstream
        self.dest = program.root / "dest"
        self.lock = self.dest / ".agent-sync" / "lock"
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

    def follows(self, *options):
        """Whether it does so after a sync that ends well."""
        self.sync(*options)
        return self.is_faithful()

    def fails(self, *options, check=1):
        """Sync to an error that leaves all as it was; what `sync` gives."""
        with untouched(self.dest, self.program):
            source = self.sync(*options, check=check)
        assert (source["status"], changes(source)) == ("error", {})
        return source


@pytest.fixture
def mirror(request, program):
    """A source of the test's `upstream`, or else a git one; not synced yet."""
    name = "upstream" if "upstream" in request.fixturenames else "git_upstream"
    return Mirror(program, request.getfixturevalue(name))


@pytest.fixture
def synced(mirror):
    """The same after its first sync."""
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


# ---- Upstreams ----
#
# Where the agents of the contract tests come from: one form for every kind of source.
# `arguments` are for `add`, `kind` is what `sync` must call it, `costs` the requests of
# a first sync of eight agents, of one without news, and of one of one changed file.


class Upstream:
    """What all upstreams have in common."""

    def __init__(self, url, *options, server=None):
        self.url, self.arguments, self.server = url, [url, *options], server
        self.requests = server.requests if server else []

    def publish(self, files=()):
        """Publish *files*, {path: bytes or None}, and all that was written before."""
        for path, data in dict(files).items():
            if data is None:
                self.delete(path)
            else:
                self.write(path, data)
        self.commit()

    def commit(self):
        """What is written to a site or a directory is there."""

    def hide(self, is_gone=True):
        """Take the source away, or bring it back."""
        self.server.is_gone = is_gone


# ---- Harness of the web ----
#
# A web site with a manifest, and what the tests need of GitHub.

SITES_AGENTS = ("BASE-AGENT.md", "engineer/core/engineer.md", "ops.json", "qa/qa.md")
WEB_AGENTS = {name: AGENTS[name] for name in SITES_AGENTS}
FORGED = b"# Forged\n"


def json_manifest(files, **fields):
    """A manifest as DESIGN section 3 has it; *fields* may add to each file's entry."""
    entries = [
        {"path": name, "sha256": sha256(data), "size": len(data), **fields}
        for name, data in sorted(files.items())
    ]
    return json.dumps({"files": entries}).encode()


def sums_manifest(files):
    """The same as SHA256SUMS."""
    lines = (f"{sha256(data)}  {name}\n" for name, data in sorted(files.items()))
    return "".join(lines).encode()


FORMS = {
    "JSON": ("agents.json", json_manifest),
    "list": ("agents.json", lambda files: json.dumps(sorted(files)).encode()),
    "SHA256SUMS": ("SHA256SUMS", sums_manifest),
    "SHA256SUMS in agents.json": ("agents.json", sums_manifest),
}


def strong_etag(data):
    return {"ETag": f'"{sha256(data)[:16]}"'}


def weak_etag(data):
    return {"ETag": f'W/"{sha256(data)[:16]}"'}


def modified(data):
    """A Last-Modified that is as good as a hash: one second for each content."""
    date = email.utils.formatdate(int(sha256(data)[:7], 16), usegmt=True)
    return {"Last-Modified": date}


def is_current(request, fields):
    """Whether the client's condition names what the server has (RFC 9110, 13.2.2)."""
    asked = request.headers
    if "if-none-match" in asked:
        return asked["if-none-match"] == fields.get("ETag")
    since = asked.get("if-modified-since")
    return since is not None and since == fields.get("Last-Modified")


class Site(LoopbackServer, Upstream):
    """A static web site: agents and their manifest below /agents.

    `answers` may have another reply for a path, or a callable on the request for one;
    None is the site's own. `validators` makes the fields of an answer from its body.
    """

    kind = "http"

    def renew(self, files=WEB_AGENTS, form="JSON"):
        for name in ("reply_to", "finish_request"):
            vars(self).pop(name, None)
        self.server, self.arguments = self, [self.base]
        self.costs = (9, 9, 9) if form == "list" else (9, 1, 2)
        new = {"validators": strong_etag, "answers": {}, "log": []}
        return super().renew(files=dict(files), form=form, **new)

    @property
    def base(self):
        return f"{self.url}/agents"

    @property
    def index(self):
        """The manifest's name."""
        return FORMS[self.form][0]

    def write(self, path, data):
        self.files[path] = data

    def delete(self, path):
        del self.files[path]

    def agents(self):
        return only_agents(self.files)

    def manifest(self):
        return FORMS[self.form][1](self.files)

    def reply_to(self, request):
        name = below_agents(request)
        answer = self.answers.get(name)
        answer = answer(request) if callable(answer) else answer
        data = self.manifest() if name == self.index else self.files.get(name)
        if answer is None and data is None:
            answer = http_reply(404, b"no such thing")
        elif answer is None:
            fields = self.validators(data)
            fresh = is_current(request, fields)
            answer = not_modified(fields) if fresh else http_reply(200, data, fields)
        if isinstance(answer, Reply):
            self.log.append((int(answer[9:12]), name))
        return answer

    def take(self):
        """The requests since the last time, and forget them and their answers."""
        taken, self.requests[:], self.log = list(self.requests), [], []
        return taken

    def answered(self, status):
        """The files answered with *status* since the last `take`, sorted."""
        files = [name for answer, name in self.log if answer == status]
        return sorted(name for name in files if name != self.index)


def below_agents(request):
    """What a request asks for, below /agents."""
    return urllib.parse.unquote(request.path).partition("/agents/")[2]


def asked_for(requests):
    """What the requests asked for, below /agents, sorted."""
    return sorted(map(below_agents, requests))


def conditions(requests):
    """{path below /agents: its condition} of the requests that had one."""
    names = ("if-none-match", "if-modified-since")
    found = [(ask, name) for ask in requests for name in names if name in ask.headers]
    return {below_agents(ask): ask.headers[name] for ask, name in found}


def in_turn(*replies):
    """A script that gives its replies in turn, and the last one for ever."""
    to_come = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda request: next(to_come)


@pytest.fixture
def site(lasting):
    return lasting("site", Site).renew()


@pytest.fixture
def other_site(lasting):
    """Another origin: the same host, another port."""
    return lasting("other site", Site).renew()


@pytest.fixture
def web(program, site):
    """A source with hashes in its manifest, not synced yet."""
    return Mirror(program, site)


@pytest.fixture
def hashed(web, site):
    """A source with hashes in its manifest, after its first sync."""
    web.sync()
    site.take()
    return web


@pytest.fixture
def unhashed(program, site):
    """A source without hashes in its manifest, after its first sync."""
    mirror = Mirror(program, site.renew(form="list"))
    mirror.sync()
    site.take()
    return mirror


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that the program makes between tries, in seconds; made in no time."""
    made = []

    class Impatient(agent_sync.Deadline):
        def __init__(self, *args):
            super().__init__(*args)
            self.expired.wait = self.note

        def note(self, timeout=None):
            made.append(timeout)
            return self.expired.is_set()

    monkeypatch.setattr(agent_sync, "Deadline", Impatient)
    return made


def last_run(program):
    """The newest row of the history."""
    return program.query("SELECT * FROM sync_history ORDER BY id DESC LIMIT 1")[0]


def stored(program):
    """The validators stored: {path: (etag, last_modified)}, "" for the source's."""
    rows = program.query("SELECT file_path, etag, last_modified FROM agent_files")
    rows += program.query("SELECT '' AS file_path, etag, last_modified FROM sources")
    return {row["file_path"]: (row["etag"], row["last_modified"]) for row in rows}


def set_source(program, **columns):
    """Change columns of the only source, behind the program's back."""
    assignments = ", ".join(f"{name} = ?" for name in columns)
    program.query(f"UPDATE sources SET {assignments}", *columns.values())


class GitHub(LoopbackServer):
    """What the tests need of GitHub, for owner/repo, which is a real `repository`.

    Its API cuts a tree short after `limit` items; `git_reply` is for Git's protocol.
    """

    known = {}
    limit = None
    git_reply = http_reply(403, b"no Git here")

    def reply_to(self, request):
        path, _, query = request.path.partition("?")
        service, _, rest = path[1:].partition("/")
        reply = {"raw": self.raw, "api": self.tree}.get(service)
        return reply(rest, query, request) if reply else self.git_reply

    def remember(self, make, *args):
        """What *make* says of *args* and these refs; None of an unknown revision."""
        key = (*args, refs_and_config(self.repository.directory / ".git"))
        if key not in self.known:
            try:
                self.known[key] = make(*args)
            except AssertionError:
                self.known[key] = None
        return self.known[key]

    def raw(self, rest, query, request):
        """A file at a branch, whose name may have a slash."""
        names = urllib.parse.unquote(rest).split("/")[2:]
        for count in range(1, len(names)):
            branch, path = "/".join(names[:count]), "/".join(names[count:])
            ref = f"refs/heads/{branch}"
            files = self.remember(self.repository.archive, "", ref, True)
            if files and path in files:
                return http_reply(200, files[path])
        return http_reply(404, b"404: Not Found")

    def tree(self, rest, query, request):
        """The answer of `git/trees/NAME`."""
        prefix, _, name = rest.partition("/git/trees/")
        found = self.remember(self.list_tree, urllib.parse.unquote(name), bool(query))
        if prefix != "v3/repos/owner/repo" or found is None:
            return http_reply(404, b'{"message": "Not Found"}')
        tree_id, items = found
        fields = {"ETag": f'W/"{tree_id}"', "x-ratelimit-remaining": "59"}
        if is_current(request, fields):
            return not_modified()
        shown = items[: self.limit] if query else items
        cut = len(shown) < len(items)
        body = json.dumps({"sha": tree_id, "tree": shown, "truncated": cut}).encode()
        return http_reply(200, body, fields, "application/json")

    def list_tree(self, name, is_recursive):
        """(id, items) of a branch's or an id's tree, as `git ls-tree` has it."""
        tree_id = self.repository.id(name + "^{tree}")
        options = ["-r", "-t"] if is_recursive else []
        text = self.repository.git("ls-tree", "-l", "-z", *options, tree_id).decode()
        items = []
        for line in filter(None, text.split("\0")):
            head, _, path = line.partition("\t")
            mode, kind, name, size = head.split()
            item = {"path": path, "mode": mode, "type": kind, "sha": name}
            items.append({**item, "size": int(size)} if kind == "blob" else item)
        return tree_id, items


class GitUpstream(Upstream):
    """agents/ of a repository that a Git server has."""

    kind, costs = "git", (3, 1, 2)

    def __init__(self, server, repository):
        self.repository = repository
        name = repository.directory.relative_to(server.root).as_posix()
        super().__init__(f"{server.url}/{name}", "--path", "agents", server=server)

    def write(self, path, data):
        self.repository.write("agents/" + path, data)

    def delete(self, path):
        self.repository.delete("agents/" + path)

    def commit(self):
        self.repository.commit()

    def agents(self):
        """{path: bytes} of what a sync with the default filter must give."""
        return self.repository.agents()


class RawUpstream(GitUpstream):
    """agents/ of a repository on GitHub, read as raw files."""

    kind, costs = "http", (9, 1, 2)

    def __init__(self, server, *options):
        self.repository = server.repository
        url = f"{server.url}/raw/owner/repo/main/agents"
        Upstream.__init__(self, url, *options, server=server)


class DirectoryUpstream(Upstream):
    """A local directory."""

    kind, costs = "dir", (0, 0, 0)

    def __init__(self, directory):
        super().__init__(str(directory))
        self.directory = directory

    def write(self, path, data):
        write(self.directory, path, data)

    def delete(self, path):
        delete(self.directory, path)

    def agents(self):
        return only_agents(tree(self.directory))

    def hide(self, is_gone=True):
        away = self.directory.with_name("away")
        shutil.move(*map(str, (self.directory, away)[:: 1 if is_gone else -1]))


@pytest.fixture
def git_upstream(git_server, repository):
    return GitUpstream(git_server, repository)


@pytest.fixture
def version_0_upstream(git_server, git_upstream):
    """The same on a server that speaks version 0 of Git's protocol alone."""
    git_upstream.url = f"{git_server.url}/org/proj/_git/repo"
    git_upstream.arguments[0] = git_upstream.url
    git_server.answer = lambda request: azure(git_server, request)
    return git_upstream


@pytest.fixture
def hashed_upstream(site):
    return site.renew(AGENTS)


@pytest.fixture
def plain_upstream(site):
    return site.renew(AGENTS, "list")


@pytest.fixture
def github(tmp_path, lasting, small_template, monkeypatch):
    """A GitHub that has a copy of the small repository."""
    repository = small_template.copy(tmp_path / "hosted")
    github = lasting("github", GitHub)
    monkeypatch.setenv("AGENT_SYNC_GITHUB", github.url)
    return github.renew(repository=repository, limit=None, git_reply=GitHub.git_reply)


@pytest.fixture
def raw_upstream(program, github):
    return RawUpstream(github, "--kind", "http")


@pytest.fixture
def directory_upstream(tmp_path):
    for path, data in AGENTS.items():
        write(tmp_path / "upstream", path, data)
    return DirectoryUpstream(tmp_path / "upstream")


@pytest.fixture(params=["git", "version_0", "hashed", "plain", "raw", "directory"])
def upstream(request):
    """An upstream of each kind in turn."""
    return request.getfixturevalue(request.param + "_upstream")


# ---- Harness of hostile objects ----
#
# Objects, deltas, packs and answers of a Git server, put together by hand so that any
# part of them can be wrong, and a transport that hands them over without a network.

KIND_NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
OFS, REF = 6, 7
MIB = 1 << 20
EVERY_KIND = frozenset(KIND_NUMBERS)


def object_id(kind, data, algorithm="sha1"):
    """The id of an object, by the definition."""
    header = f"{kind} {len(data)}".encode() + b"\0"
    return hashlib.new(algorithm, header + data).hexdigest()


def tree_object(*entries):
    """A tree of (mode as text, name, id or object's (kind, data)), in this order."""
    made = b""
    for mode, name, target in entries:
        target = target if isinstance(target, str) else object_id(*target)
        name = name if isinstance(name, bytes) else name.encode()
        made += mode.encode() + b" " + name + b"\0" + bytes.fromhex(target)
    return "tree", made


def commit_object(root, message=b"Change\n"):
    """A commit of the tree object *root*, or of an id."""
    root = root if isinstance(root, str) else object_id(*root)
    who = b"A U Thor <author@example.com> 1700000000 +0000"
    lines = b"tree %s\nauthor %s\ncommitter %s\n\n" % (root.encode(), who, who)
    return "commit", lines + message


def size_bytes(size):
    """A size as deltas have it: seven bits a byte, the lowest first."""
    made = bytearray()
    while size > 0x7F:
        made.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*made, size])


def entry_header(number, size):
    """The type and size of a pack's entry."""
    first = number << 4 | size & 15
    more = size >> 4
    return bytes([first | 0x80]) + size_bytes(more) if more else bytes([first])


def pack_entry(number, data, base=b"", size=None, level=6):
    """An entry of a pack; *base* is what stands between its header and its data."""
    number = KIND_NUMBERS.get(number, number)
    size = len(data) if size is None else size
    return entry_header(number, size) + base + zlib.compress(data, level)


def full_entries(*objects):
    """An entry for each of *objects*, (kind, data)."""
    return [pack_entry(kind, data) for kind, data in objects]


def ofs_entry(delta, distance, **options):
    """An entry whose base begins so far back, as gitformat-pack encodes it."""
    back = [distance & 0x7F]
    distance >>= 7
    while distance:
        distance -= 1
        back.append(0x80 | distance & 0x7F)
        distance >>= 7
    return pack_entry(OFS, delta, bytes(reversed(back)), **options)


def ref_entry(delta, base, **options):
    return pack_entry(REF, delta, bytes.fromhex(base), **options)


def with_checksum(data, algorithm="sha1"):
    return data + hashlib.new(algorithm, data).digest()


def pack_of(*entries, count=None, version=2, signature=b"PACK", algorithm="sha1"):
    """A pack of *entries*, its header and its checksum."""
    count = len(entries) if count is None else count
    header = signature + version.to_bytes(4, "big") + count.to_bytes(4, "big")
    return with_checksum(header + b"".join(entries), algorithm)


def delta_of(base_size, size, *instructions):
    return size_bytes(base_size) + size_bytes(size) + b"".join(instructions)


def copy_of(offset, size):
    """A delta's instruction to copy; a size of 0x10000 is written as none."""
    opcode, arguments = 0x80, b""
    size = 0 if size == 0x10000 else size
    fields = [*offset.to_bytes(4, "little"), *size.to_bytes(3, "little")]
    for bit, byte in enumerate(fields):
        if byte:
            opcode |= 1 << bit
            arguments += bytes([byte])
    return bytes([opcode]) + arguments


def copy_all(size):
    """Instructions that copy the first *size* bytes."""
    step = 0xFFFFFF
    return b"".join(copy_of(at, min(step, size - at)) for at in range(0, size, step))


def insert_of(data):
    """A delta's instructions to insert *data*."""
    pieces = (data[start : start + 127] for start in range(0, len(data), 127))
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


def delta_between(base, data):
    """A simple delta: what both begin with is copied, the rest is inserted."""
    same = len(os.path.commonprefix([base, data]))
    return delta_of(len(base), len(data), copy_all(same), insert_of(data[same:]))


def received(data, algorithm="sha1"):
    """The agent_sync.Pack that *data* makes."""
    pack = agent_sync.Pack(io.BytesIO(), algorithm)
    assert [*pack.receive([data])] == []
    return pack


def unpacked(data, algorithm="sha1"):
    """Every object in a pack: {id: (kind, content)}."""
    objects = received(data, algorithm).objects(EVERY_KIND)
    return {name: (kind, content) for name, kind, content in objects}


def by_id(*objects):
    """{id: (kind, content)} of *objects*, what `unpacked` must give."""
    return {object_id(*item): item for item in objects}


def pkt(data):
    return b"%04x" % (len(data) + 4) + data


def reader(data):
    """The `read(n)` of a stream that holds *data*."""
    return io.BytesIO(data).read


def pack_answer(pack, sections=b"", end=b"0000"):
    """What a server answers to fetch: a packfile section in side-band packets."""
    pieces = (pack[start : start + 65515] for start in range(0, len(pack), 65515))
    packets = b"".join(pkt(b"\1" + piece) for piece in pieces)
    return sections + pkt(b"packfile\n") + packets + end


SERVICE = pkt(b"# service=git-upload-pack\n") + b"0000"
ADVERTISEMENT = SERVICE + pkt(b"version 2\n") + pkt(b"ls-refs\n")
ADVERTISEMENT += pkt(b"fetch=shallow filter\n") + b"0000"


class Transport:
    """A Git server without a network: one ref; answers for trees and for blobs."""

    def __init__(self, commit, first, second=None):
        self.deadline = agent_sync.Deadline()
        lines = (f"{commit} {name}\n".encode() for name in ("HEAD", "refs/heads/main"))
        self.refs = b"".join(map(pkt, lines)) + b"0000"
        self.first, self.second = first, first if second is None else second

    def once(self, url, key, find):
        return find()

    def request(self, url, read, headers=None):
        return self.stream(url, read, b"", headers)

    def stream(self, url, read, body, headers):
        told, fields = io.BytesIO(self.answer_to(body)), Message()
        fields["Content-Type"] = self.content_type(body)
        return read(urllib.response.addinfourl(told, fields, url, 200))

    def content_type(self, body):
        kind = "result" if body else "advertisement"
        return f"application/x-git-upload-pack-{kind}"

    def answer_to(self, body):
        if not body:
            return ADVERTISEMENT
        elif b"command=ls-refs" in body:
            return self.refs
        return self.first if b"deepen" in body else self.second


def brought(transport, path=None, include=("*",)):
    """{path: bytes} that a git source brings, listed and fetched as in a run."""
    where = {"url": "http://127.0.0.1/owner/repo.git", "kind": "git", "ref": "main"}
    row = agent_sync.SourceRow("src", **where, path=path, include=include)
    with agent_sync.GitSource(row, transport) as source:
        listing = source.list(agent_sync.NO_LAST_SYNC)
        return {file.path: content for file, content in source.fetch(listing.files)}


def brought_from(pack, commit, **options):
    """The same from one pack for everything."""
    return brought(Transport(commit, pack_answer(pack)), **options)


def refusal(function, *args, **options):
    """The AgentSyncError that a call ends with, as text; None if it ends well."""
    try:
        function(*args, **options)
    except agent_sync.AgentSyncError as error:
        assert not UNPRINTABLE.search(str(error)), str(error)
        return str(error)
    return None


def git_refusal(directory, pack, strict=True):
    """What `git index-pack` has against a pack, or None."""
    name = directory / f"{os.urandom(8).hex()}.pack"
    options = ["--strict"] if strict else []
    command = ["git", "index-pack", *options, "--stdin", str(name)]
    options = {"cwd": directory, "env": GIT_ENV, "input": pack, "capture_output": True}
    done = subprocess.run(command, **options)
    return done.stderr.decode() or "no" if done.returncode else None


@pytest.fixture(scope="session")
def no_objects(tmp_path_factory):
    """An empty repository in which git looks at packs."""
    return Repository.create(tmp_path_factory.mktemp("oracle") / "empty").directory


def serve(server, transport):
    """Let a GitServer say what a Transport says."""

    def answer(request):
        fields = {"Content-Type": transport.content_type(request.body)}
        return framed(200, fields, transport.answer_to(request.body))

    server.answer = answer


PEAK_LIMIT = 100e6
PEAK_OF_CHILD = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def peak_of_sync(program, check=FAILURE):
    """The peak memory, in bytes, of a child process that syncs."""
    prefix = [sys.executable, "-c", PEAK_OF_CHILD]
    outcome = program.run("sync", prefix=prefix, check=check)
    assert "no branch" not in outcome.err, "it did not come as far as the objects"
    return int(outcome.out) * (1 if sys.platform == "darwin" else 1024)


def surroundings(root, besides):
    """{path: (mode, inode, size, time)} in *root*, but for what is in *besides*."""
    found = {}
    for path in root.rglob("*"):
        if path.relative_to(root).parts[0] not in besides:
            status = path.lstat()
            size = () if path.is_dir() else (status.st_size, status.st_mtime_ns)
            found[path] = (status.st_mode, status.st_ino, *size)
    return found


# ==== How the file reads ====

SOURCE = SCRIPT.read_text(encoding="utf-8")
README = (HERE / "README.md").read_text(encoding="utf-8")


def names_used(node):
    """The names in a definition, hints and all, but for those that it binds itself."""
    leaves = list(ast.walk(node))
    names = [leaf for leaf in leaves if isinstance(leaf, ast.Name)]
    own = {leaf.id for leaf in names if isinstance(leaf.ctx, ast.Store)}
    own |= {leaf.arg for leaf in leaves if isinstance(leaf, ast.arg)}
    return {leaf.id for leaf in names} - own


def code_blocks(language):
    """The code blocks of the README in *language*, in order."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", README)


def in_a_shell(program, monkeypatch):
    """What runs a line of the README, and holds its output against its comment."""
    bytecode = f'[ "$1" != agent_sync.py ] || {{ shift; set -- "{compiled()}" "$@"; }}'
    shims = {"python3": bytecode, "agent-sync": f'set -- "{compiled()}" "$@"'}
    for name, script in shims.items():
        text = f'#!/bin/sh\n{script}\nexec "{sys.executable}" "$@"\n'
        write(program.root / "bin", name, text.encode()).chmod(0o755)
    monkeypatch.setenv("PATH", str(program.root / "bin"), prepend=os.pathsep)
    pathlib.Path("agent_sync.py").symlink_to(SCRIPT)

    def run(line):
        command, _, comment = line.partition("#")
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
        words, _, code = comment.partition(" (exit code ")
        assert done.returncode == int(code[:1] or 0), (line, done)
        assert words.strip(" …") in done.stdout, (line, done)

    return run


class TestTheModule:
    def test_the_module_reads_from_top_to_bottom(self):
        below = set()
        for node in reversed(ast.parse(SOURCE).body):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assert names_used(node) & below == set(), node.name
                below.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = getattr(node, "targets", None) or [node.target]
                below.update(name.id for name in targets if isinstance(name, ast.Name))

    def test_the_sections_stand_in_the_agreed_order_of_the_docstrings_map(self):
        section_map = agent_sync.__doc__.split("only those above it:")[1]
        agreed = re.findall(r"(?m)^    (\S.*?)  +\S", section_map)
        assert re.findall(r"(?m)^# ==== (.+?) ====$", SOURCE) == agreed

    def test_the_drawn_tree_of_errors_is_the_one_of_the_classes(self):
        drawing = SOURCE.split("# ==== Errors ====")[1].split("class ")[0]
        path, drawn = [], {}
        for indent, name in re.findall(r"(?m)^#( {5,})(\w+Error)\b", drawing):
            path[len(indent) // 4 - 1 :] = [name]
            drawn[name] = path[-2] if len(path) > 1 else "Exception"
        errors = [e for e in vars(agent_sync).values() if isinstance(e, type)]
        errors = [e for e in errors if issubclass(e, agent_sync.AgentSyncError)]
        assert drawn == {error.__name__: error.__base__.__name__ for error in errors}

    def test_the_public_names_are_those_of_the_readme(self):
        """And all of them are there, sorted, and say what they are."""
        table = re.search(r"(?m)^\| public name .*\n(?:\|.*\n)+", README)[0]
        cells = [row.split("|")[1] for row in table.splitlines()[2:]]
        named = re.findall(r"`(\w+)`", "".join(cells))
        assert sorted(named) == agent_sync.__all__ == sorted(agent_sync.__all__)
        assert all(getattr(agent_sync, name).__doc__ for name in agent_sync.__all__)

    def test_no_line_is_longer_than_88_or_in_the_readme_120(self):
        assert [line for line in SOURCE.splitlines() if len(line) > 88] == []
        assert [line for line in README.splitlines() if len(line) > 120] == []

    def test_what_is_public_has_type_hints(self):
        for name in agent_sync.__all__:
            value = getattr(agent_sync, name)
            members = vars(value) if isinstance(value, type) else {name: value}
            for member, function in members.items():
                is_public = member == "__init__" or not member.startswith("_")
                if is_public and inspect.isfunction(function):
                    parameters = {*inspect.signature(function).parameters} - {"self"}
                    hints = parameters | {"return"}
                    assert set(function.__annotations__) == hints, (name, member)


class TestTheReadme:
    def test_its_tables_of_options_are_the_parsers(self):
        done = subprocess.run([sys.executable, HERE / ".ci" / "options", "--check"])
        assert done.returncode == 0

    @posix_only
    def test_its_commands_do_what_their_comments_say(self, program, monkeypatch):
        """Those that need no network; a comment is a part of the output."""
        run = in_a_shell(program, monkeypatch)
        demo = code_blocks("sh")[0].partition("#")[0]
        stories = [b for b in code_blocks("sh") if re.search("mkdir|team ", b)]
        assert len(stories) == 2
        for line in [demo, *"".join(stories).splitlines()]:
            run(line)

    @posix_only
    def test_its_lock_file_serves_all(self, program, git_upstream, monkeypatch):
        """N02: also where there is no database, and no network."""
        monkeypatch.setenv("AGENT_SYNC_GITHUB", git_upstream.server.url)
        run = in_a_shell(program, monkeypatch)
        [team] = [block for block in code_blocks("sh") if "agent-sync lock" in block]
        [others] = [block for block in code_blocks("sh") if "sync --locked" in block]
        for line in team.splitlines():
            run(line)
        theirs = program.root / "clone"
        theirs.mkdir()
        shutil.copy("agents.lock.json", str(theirs))
        (theirs / "agent_sync.py").symlink_to(SCRIPT)
        agents = tree(".claude/agents")
        monkeypatch.chdir(theirs)
        monkeypatch.setenv("AGENT_SYNC_DB", str(program.root / "theirs.db"))
        run(others)
        assert tree(".claude/agents") == agents
        git_upstream.hide()
        (program.root / "theirs.db").unlink()
        [job] = re.findall(r"(?m)^- run: (.*)$", README)
        run(job)
        write(".claude/agents", "qa/qa.md", b"# Mine\n")
        run(f"{job} # modified: qa/qa.md (exit code 1)")
        assert not (program.root / "theirs.db").exists()

    @posix_only
    def test_its_session_hook_syncs_and_says_nothing(self, program, directory_upstream):
        mirror = Mirror(program, directory_upstream)
        text = f'#!/bin/sh\nexec "{sys.executable}" "{SCRIPT}" "$@"\n'
        write(".local/bin", "agent-sync", text.encode()).chmod(0o755)
        [hook] = json.loads(code_blocks("json")[0])["hooks"]["SessionStart"][0]["hooks"]
        done = subprocess.run(["sh", "-c", hook["command"]], capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert mirror.is_faithful()

    def test_its_python_does_what_its_comments_say(self, program, capsys):
        """But for the service, which asks GitHub, and what only claude-mpm can run."""
        write("my-agents", "qa.md", b"# QA\n")
        blocks = [b for b in code_blocks("python") if "GitSourceSyncService" not in b]
        for block in blocks:
            exec(compile(block, "README", "exec"), {})
        assert capsys.readouterr().out.splitlines() == [
            "my-agents success ['qa.md'] None",
            *re.findall(r"(?m)^print.*  # (.*)$", "".join(blocks)),
        ]


# ==== Hashes, paths and files ====

IGNORABLE = [0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F)]
IGNORABLE += [*range(0x206A, 0x2070), 0xFEFF]
DEVICES = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
DEVICES += [kind + digit for kind in ("COM", "LPT") for digit in "123456789¹²³"]
UNSAFE_NAMES = {
    "P01": ["", ".", ".."],
    "P02": ["a/b", "/abs", "foo/../.git/x", "./.git/x"],
    "P03": [".git", ".GIT", ".Git", ".gIt"],
    "P04": [".g" + chr(code) + "it" for code in IGNORABLE]
    + [chr(0x200C) + ".git", ".git" + chr(0xFEFF)],
    "P05": ["git~1", "GIT~1", "git~2", "git~10", "GIT~1.", "git~1 ", ".git.", ".git "]
    + [".git . .", ".git::$INDEX_ALLOCATION", ".git:x", ".git...", ".git~1"],
    "P09": [f"a{chr(code)}b" for code in [*range(32), 0x7F, *range(0x80, 0xA0)]],
    "P10": ["a\nb.md", "a\tb", "\x1b[31ma.md", "\x07", "a\r", "\u202egpj.md"]
    + [f"a{chr(code)}.md" for code in (0x61C, 0x200E, 0x200F)]
    + [f"a{chr(n)}.md" for n in (*range(0x2028, 0x202F), *range(0x2066, 0x206A))],
}
IMPOSSIBLE_NAMES = {
    "P06": [".git\\hooks\\x", "..\\..\\x", "a\\b", "\\\\h\\s", "\\", "a\\", "x\\x2d"],
    "P11": ["\udcff", "a\ud800", "\udcc0\udcaf", "\udfffx.md"],
    "P12": ["a" * 256, "é" * 128, "🤖" * 64],
    "own": [".agent-sync", ".agent-sync-0.tmp", ".AGENT-SYNC"],
}
WINDOWS_NAMES = {  # ordinary elsewhere
    "P07": ["a:b", "a.md::$DATA", "C:", "C:x", "sc:analyze.md", ":"],
    "P08": DEVICES
    + [name.lower() for name in DEVICES]
    + [name + ".md" for name in DEVICES]
    + ["COM1 .bar", "aux.foo.bar", "nul.md", "NUL  ", "con .", "Lpt².txt"],
    "P09": ["a.", "a ", "a. .", "a<b", "a>b", 'a"b', "a|b", "what?.md", "a*b"],
}
ORDINARY_NAMES = {
    "P03": ["git", "Git", "gitx", ".gitx", "git.md", ".github", ".gitignore", "a.git"],
    "P05": ["git~", "git~x", "xgit~1", "~git", "git-1", "gi~1", "file~1"],
    "P08": ["null", "myaux", "com10", "coni", "COM", "lpt", "console.md", "nul-x.md"]
    + ["auxiliary", "com", "CONIN", "x.con", "com1x", "prn_", "COM⁴"],
    "P09": ["a.b", ".a", "...a", "a b", " a", "a . b", "!#%&'()+,-;=@[]^_`{}~"],
    "P12": ["a" * 255, "é" * 127, "🤖" * 63, "x" * 251 + ".md"],
    "P14": ["café", "straße", "設計", "설계", "ملف", "naïve.md", "❤️.md", "ﬁle", "İ"]
    + [unicodedata.normalize("NFD", name) for name in ("café", "검토자", "ガイド")],
    "P22": ["-rf", "--help", "-", "~", "~root", "$HOME", "%2e%2e", "..%2f", "`id`"],
    "N05": ["می\u200cخواهم.md", "👩\u200d💻.md", "a\xa0b.md", "a\u200bb", "a\xadb"],
}
TWINS = {
    "P13-case": ["A.md", "a.md"],
    "P13-inner directories": ["x/Qa/a.md", "x/qa/A.md"],
    "P13-directory and file": ["agents", "Agents/b.md", "agents/c/d.md"],
    "P13-greek": ["ΣΑΣ.md", "σας.md"],
    "P14-ligature": ["ﬁle.md", "file.md"],
    "P14-sharp s": ["straße.md", "STRASSE.md"],
    "P14-long s": ["ſ.md", "s.md"],
    "P14-composed": ["café.md", unicodedata.normalize("NFD", "café.md")],
    "P14-composed and case": ["É.md", unicodedata.normalize("NFD", "é.md")],
    "P14-dotted I": ["İ.md", "i\u0307.md"],
    "P14-kelvin": ["\u212a.md", "k.md"],
    "P15-file and directory": ["a", "a/b.md"],
    "P15-file and deep directory": ["a/b", "a/b/c/d.md"],
}
NO_TWINS = [
    ["a.md", "b.md"],
    ["a/x.md", "a/y.md", "b/x.md"],
    ["Agents/a.md", "agents/b.md"],  # One directory or two: each file has its place.
    ["a", "a.md", "ab/c"],
    ["a-b/x.md", "a/b/x.md"],
    ["İ.md", "i.md"],
    ["cafe.md", "café.md"],
    ["ss.md", "s.md"],
]


class TestNamesOfFiles:
    """FAULTS P01 to P15, P22: unsafe anywhere, impossible here, ordinary, or twins."""

    def test_what_is_unsafe_is_so_on_every_platform(self):
        for row, names in UNSAFE_NAMES.items():
            for name in names:
                assert agent_sync.unsafe_name(name), (row, name)
                for path in (f"a/{name}", f"{name}/a.md", f"a/{name}/b.md"):
                    assert name == "a/b" or agent_sync.unsafe_path(path), (row, path)
                    assert name == "a/b" or refusal(agent_sync.check_path, path), path

    @pytest.mark.parametrize("windows", [False, True], ids=["posix", "windows"])
    def test_what_is_impossible_depends_on_the_platform(self, windows):
        here = [(WINDOWS_NAMES, windows), (ORDINARY_NAMES, False)]
        for table, is_impossible in [(IMPOSSIBLE_NAMES, True), *here]:
            for name in itertools.chain(*table.values()):
                assert not agent_sync.unsafe_name(name), ascii(name)
                fault = agent_sync.impossible_name(name, windows)
                assert bool(fault) is is_impossible, ascii(name)
                fault = agent_sync.impossible_path(f"a/{name}/b.md", windows)
                assert bool(fault) is is_impossible, ascii(name)

    def test_a_path_has_at_most_4096_bytes(self):
        """P12."""
        longest = "/".join(["a" * 255] * 16)
        assert len(longest) == 4095
        assert agent_sync.check_path(longest) == longest
        assert refusal(agent_sync.check_path, longest + "/b")
        assert refusal(agent_sync.check_path, "é" * 2049)

    def test_a_refusal_shows_no_raw_control_characters(self):
        """P10."""
        text = refusal(agent_sync.check_path, "x\x1b[31m\u202e\nevil.md")
        assert "\\x1b" in text and "\\u202e" in text

    def test_the_option_that_leaves_a_path_out_does(self):
        """N05: whatever is in the name, and pasted into a shell."""
        tables = (UNSAFE_NAMES, IMPOSSIBLE_NAMES, WINDOWS_NAMES, ORDINARY_NAMES)
        names = [name for table in tables for row in table.values() for name in row]
        for name in names:
            path = f"a/{name}/it's [x].md"
            named = f"/{agent_sync.glob_of(path)}"
            option, glob = shlex.split(agent_sync.glob_options("--exclude", [named]))
            assert option == "--exclude" and glob.isprintable()
            assert agent_sync.glob_matcher([glob])(path), (path, glob)
            assert not agent_sync.glob_matcher([glob])(f"b/{path}")

    @pytest.mark.parametrize("row", TWINS)
    def test_paths_that_are_one_place_somewhere_are_found_in_any_order(self, row):
        for given in itertools.permutations([*TWINS[row], "other.md", "a-z/other.md"]):
            twins = agent_sync.find_twins(given)
            assert set(twins) == set(TWINS[row]), given
            assert all(twins[path] != path for path in twins)

    @pytest.mark.parametrize("given", NO_TWINS, ids=ascii)
    def test_other_paths_may_stand_together(self, given):
        for order in itertools.permutations(given):
            assert agent_sync.find_twins(order) == {}

    def test_deep_paths_are_compared_in_no_time(self):
        """P12, INV5: else 10,000 files 2,000 deep would take minutes."""
        deep = "a/" * 2000
        assert not agent_sync.find_twins(f"{deep}{n}.md" for n in range(10_000))


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
# What version 1.0.0 added to the contract, and what it left there after a sync.
VERSION_1_0_0 = """
CREATE TABLE file_changes (
    run_id INTEGER NOT NULL REFERENCES sync_history(id) ON DELETE CASCADE,
    file_path TEXT NOT NULL, action TEXT NOT NULL, old_sha TEXT, new_sha TEXT,
    PRIMARY KEY (run_id, file_path)
);
ALTER TABLE agent_files ADD object_id TEXT; ALTER TABLE agent_files ADD etag TEXT;
ALTER TABLE agent_files ADD last_modified TEXT; ALTER TABLE sources ADD kind TEXT;
ALTER TABLE sources ADD ref TEXT; ALTER TABLE sources ADD path TEXT;
ALTER TABLE sources ADD destination TEXT; ALTER TABLE sources ADD include TEXT;
ALTER TABLE sources ADD exclude TEXT;
ALTER TABLE sources ADD on_conflict TEXT NOT NULL DEFAULT 'backup';
ALTER TABLE sources ADD file_count INTEGER; ALTER TABLE sources ADD last_modified TEXT;
ALTER TABLE sources ADD is_hashed INTEGER; ALTER TABLE sources ADD retry_at TEXT;
ALTER TABLE sync_history ADD revision TEXT;
ALTER TABLE sync_history ADD files_removed INTEGER DEFAULT 0;
ALTER TABLE sync_history ADD bytes_received INTEGER DEFAULT 0;
ALTER TABLE sync_history ADD requests INTEGER DEFAULT 0;
ALTER TABLE sync_history ADD triggered_by TEXT;
INSERT INTO file_changes VALUES
    (1, 'ops.md', 'remove', '10b4', NULL), (1, 'qa/qa.md', 'update', '182e', '49a9');
UPDATE agent_files SET object_id = '38ee', etag = '"949e"', last_modified = 'Tue';
UPDATE sources SET kind = 'git', ref = 'HEAD', path = 'agents', exclude = '["x*"]',
    destination = '/home/ada/agents', on_conflict = 'keep', file_count = 1;
UPDATE sync_history SET revision = '29f2', bytes_received = 484, requests = 3,
    triggered_by = 'sync';
PRAGMA user_version = 1;
"""
OLD_DATABASES = {"contract": CONTRACT + CONTRACT_ROWS}
OLD_DATABASES["1.0.0"] = OLD_DATABASES["contract"] + VERSION_1_0_0


@contextlib.contextmanager
def opened(path):
    """A plain SQLite connection to *path*, committed and closed at the end."""
    with contextlib.closing(sqlite3.connect(str(path))) as connection, connection:
        yield connection


def run_sql(path, script):
    """Run *script* on the database at *path*; its path."""
    with opened(path) as connection:
        connection.executescript(script)
    return path


def rows_of(path):
    """{table: its rows as dicts} of the database at *path*."""
    with opened(path) as connection:
        connection.row_factory = sqlite3.Row
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = [name for (name,) in connection.execute(query)]
        found = {name: connection.execute(f'SELECT * FROM "{name}"') for name in names}
        return {name: [dict(row) for row in rows] for name, rows in found.items()}


SCHEMA_QUERIES = {
    "columns": """SELECT t.name, c.name, c.type, "notnull", dflt_value, pk
        FROM sqlite_master AS t, pragma_table_info(t.name) AS c
        WHERE t.type = 'table' ORDER BY t.name, cid""",
    "foreign keys": """SELECT name, "from", "table", "to", on_delete
        FROM sqlite_master AS t, pragma_foreign_key_list(t.name) ORDER BY 1, 2""",
    "indexes": """SELECT i.name, i.tbl_name, group_concat(c.name || c.desc)
        FROM sqlite_master AS i, pragma_index_xinfo(i.name) AS c
        WHERE i.type = 'index' AND sql IS NOT NULL AND key GROUP BY 1, 2""",
    "marks": "SELECT * FROM pragma_user_version, pragma_application_id",
}


def schema(path):
    """All there is to compare between two databases."""
    with opened(path) as connection:
        queries = SCHEMA_QUERIES.items()
        return {name: connection.execute(sql).fetchall() for name, sql in queries}


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


class TestSchemaOfTheState:
    def test_a_new_database_has_all_that_the_contract_has(self, state, tmp_path):
        contract = schema(run_sql(tmp_path / "old.db", CONTRACT))
        ours = schema(state.db_path)
        for part in ("columns", "foreign keys", "indexes"):
            assert set(contract[part]) <= set(ours[part])
        with opened(state.db_path) as connection:
            rows = dict(connection.execute("SELECT key, value FROM schema_metadata"))
            [[mode]] = connection.execute("PRAGMA journal_mode").fetchall()
        assert rows["version"] == "1" == str(agent_sync.AgentSyncState.SCHEMA_VERSION)
        assert_recent(rows["created_at"])
        assert mode in ("delete", "truncate", "persist")

    def test_history_ids_are_never_used_again(self, state):
        first = state.record_sync_result("src", "success")
        run_sql(state.db_path, "DELETE FROM sync_history")
        assert state.record_sync_result("src", "success") == first + 1

    @pytest.mark.parametrize("script", OLD_DATABASES.values(), ids=OLD_DATABASES)
    def test_an_upgrade_is_the_new_schema_with_each_row(self, state, tmp_path, script):
        old = run_sql(tmp_path / "old.db", script)
        run_sql(old, "DROP INDEX idx_agent_files_source_path_sha")
        before = rows_of(old)
        agent_sync.AgentSyncState(old)
        assert schema(old) == schema(state.db_path)
        after = rows_of(old)
        for table, rows in before.items():
            kept = [{name: row[name] for name in rows[0]} for row in after[table]]
            assert kept == rows

    def test_an_upgraded_database_still_takes_older_statements(self, database):
        """Their INSERTs do not name what was added, so that needs defaults."""
        agent_sync.AgentSyncState(run_sql(database, CONTRACT))
        run_sql(database, CONTRACT_ROWS)

    def test_a_schema_of_the_future_is_opened_or_refused_untouched(self, state):
        """FAULTS D11: below 1000 a newer version has only added to it."""
        for version in (99, 999, 1000, 5000):
            run_sql(state.db_path, f"PRAGMA user_version = {version}")
            before = pathlib.Path(state.db_path).read_bytes()
            if version < 1000:
                agent_sync.AgentSyncState(state.db_path).get_all_sources()
            else:
                with pytest.raises(agent_sync.AgentSyncStateError, match="newer"):
                    agent_sync.AgentSyncState(state.db_path)
            assert pathlib.Path(state.db_path).read_bytes() == before

    def test_another_version_of_the_contract_is_logged_and_kept(self, state, caplog):
        sql = "UPDATE schema_metadata SET value = '7' WHERE key = 'version'"
        run_sql(state.db_path, sql)
        agent_sync.AgentSyncState(state.db_path)
        [record] = caplog.records
        assert record.levelname == "WARNING"
        assert "schema version 7, and this program knows 1" in record.getMessage()

    def test_a_newer_schema_takes_every_statement_of_this_one(self, state):
        """FAULTS D11: what it added has defaults, and is not known here."""
        tables = ("sources", "agent_files", "sync_history", "file_changes", "pending")
        for table in tables:
            run_sql(state.db_path, f"ALTER TABLE {table} ADD COLUMN new TEXT")
        run_sql(state.db_path, "PRAGMA user_version = 99")
        state = agent_sync.AgentSyncState(state.db_path)
        state.prepare_run("src", {"a.md": "aa"}, [("bb", b"old")])
        changes = [agent_sync.Change("a.md", "add", None, "aa")]
        track = [{"file_path": "a.md", "content_sha": "aa"}]
        outcome = {"status": "success"}
        run = state.record_run("src", outcome, changes=changes, track=track)
        assert [change["path"] for change in state.get_changes(run)] == ["a.md"]

    @posix_only
    def test_the_default_database_is_private(self, program, monkeypatch, tmp_path):
        """And a directory that was there keeps its mode."""
        monkeypatch.delenv("AGENT_SYNC_DB")
        path = pathlib.Path(agent_sync.AgentSyncState().db_path)
        home = pathlib.Path(os.environ["HOME"])
        assert path == home / ".config" / "claude-mpm" / "agent_sync.db"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        (tmp_path / "shared").mkdir(mode=0o755)
        state = agent_sync.AgentSyncState(str(tmp_path / "shared" / "state.db"))
        assert pathlib.Path(state.db_path) == tmp_path / "shared" / "state.db"
        assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755

    def test_an_sqlite_that_is_too_old_is_named(self, program, monkeypatch):
        """FAULTS D16."""
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 23, 1))
        assert "3.24" in program.call("sources", check=FAILURE).err
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 24, 0))
        program.call("sources")


class TestTheStateAgainstAModel:
    """FAULTS D15: any sequence of calls leaves what two dicts would hold."""

    IDS = ["src", "o'; DROP TABLE sources; --", "ü/🤖"]
    PATHS = ["a.md", "%_.md", "d/a'; --.md", "ü/🤖.md"]
    FILE = ("file_path", "content_sha", "local_path", "file_size")
    RUN = ("id", "status", "files_synced", "files_cached", "files_failed")
    RUN += ("error_message", "duration_ms")

    def test_what_is_written_is_read_back(self, state):
        chance = random.Random(3)
        sources = {"src": ["https://example.org/agents", 1, None, None]}
        files, runs = {}, {name: [] for name in self.IDS}
        for _ in range(200):
            name, what = chance.choice(self.IDS), chance.randrange(5)
            if what == 0 or name not in sources:
                url, enabled = f"https://h/{chance.randrange(3)}", chance.random() < 0.7
                state.register_source(name, url, enabled)
                sources.setdefault(name, [None] * 4)[:2] = url, int(enabled)
            elif what == 1:
                told = chance.choice([None, "abc", "def"]), chance.choice([None, '"1"'])
                state.update_source_sync_metadata(name, *told)
                known = sources[name][2:]
                sources[name][2:] = (new or old for new, old in zip(told, known))
            elif what == 2:
                row = chance.choice(["aa", "bb"]), chance.choice([None, "/x"]), 12
                path = chance.choice(self.PATHS)
                state.track_file(name, path, *row)
                files[name, path] = row
            elif what == 3:
                said = chance.choice([("aa",), ("cc", "/y", 13)])
                paths = chance.sample(self.PATHS, chance.randrange(4))
                batch = [dict(zip(self.FILE, (path, *said))) for path in paths]
                state.track_files_batch(name, batch)
                files.update({(name, path): (*said, None, None)[:3] for path in paths})
            else:
                run = chance.choice(["success", "partial", "error"]), 1, 2, 3, "why", 45
                run_id = state.record_sync_result(name, *run)
                runs[name].insert(0, (run_id, *run))
            self.compare(state, sources, files, runs)

    def compare(self, state, sources, files, runs):
        rows = {row["id"]: row for row in state.get_all_sources()}
        names = ("url", "enabled", "last_sha", "etag")
        assert {i: [row[n] for n in names] for i, row in rows.items()} == sources
        enabled = [row["id"] for row in state.get_all_sources(enabled_only=True)]
        assert sorted(enabled) == sorted(i for i, row in sources.items() if row[1])
        for name in self.IDS:
            assert state.get_source_info(name) == rows.get(name)
            for path in self.PATHS:
                sha = files.get((name, path), [None])[0]
                assert state.get_file_hash(name, path) == sha
                assert state.has_file_changed(name, path, "aa") is (sha != "aa")
            found = state.get_sync_history(name, 3)
            assert [tuple(map(run.get, self.RUN)) for run in found] == runs[name][:3]
        names = ("source_id", *self.FILE)
        found = {tuple(row[name] for name in names) for row in state.get_files()}
        assert found == {(*key, *row) for key, row in files.items()}

    def test_times_are_set_and_defaults_are_zero(self, state):
        assert state.get_source_info("src")["last_sync_time"] is None
        state.update_source_sync_metadata("src")
        state.track_files_batch("src", [])
        state.track_file("src", "a.md", "aa")
        source, [file] = state.get_source_info("src"), state.get_files("src")
        times = source["last_sync_time"], source["updated_at"], file["synced_at"]
        for moment in times:
            assert_recent(moment)
        state.record_sync_result("src", "error", error_message="no route")
        [run] = state.get_sync_history("src")
        assert type(run) is dict
        assert_recent(run["sync_time"])
        assert run["files_synced"] == run["files_cached"] == run["files_failed"] == 0
        assert run["duration_ms"] is None

    def test_what_cannot_be_is_refused_as_a_whole(self, state):
        rows = [{"file_path": "a.md", "content_sha": "aa"}]
        rows.append({"file_path": "b.md", "content_sha": None})
        for call in (
            lambda: state.track_files_batch("src", rows),
            lambda: state.track_file("nobody", "a.md", "aa"),
            lambda: state.update_source_sync_metadata("nobody", last_sha="abc"),
        ):
            with pytest.raises(agent_sync.DatabaseError):
                call()
        for status in ("ok", "", "SUCCESS", None):
            with pytest.raises(ValueError):
                state.record_sync_result("src", status)
        for source_id in ("", None):
            with pytest.raises(agent_sync.UsageError, match="id"):
                state.register_source(source_id, "https://example.org")
        assert state.get_files() == state.get_sync_history("src") == []

    def test_what_a_run_prepared_is_pending_until_it_is_settled(self, state):
        """FAULTS A14: a killed run's files are known as ours, for its source alone."""
        state.register_source("other", "https://example.org/other")
        state.prepare_run("src", {"a.md": "aa", "b.md": "bb", "../x": "cc"})
        state.prepare_run("src", {"a.md": "a2"})
        pending = {"a.md": {"aa", "a2"}, "b.md": {"bb"}}
        assert state.pending_files("src") == pending
        assert state.pending_files("other") == {}
        state.record_run("src", {"status": "error"})
        assert state.pending_files("src") == pending
        state.record_run("src", {"status": "partial"}, unsettled={"b.md"})
        assert state.pending_files("src") == {"b.md": {"bb"}}
        state.record_run("src", {"status": "success"}, unsettled=())
        assert state.pending_files("src") == {}

    def test_another_url_forgets_what_was_found_out_about_the_old_one(self, state):
        found = {"ref": "main", "path": "agents", "retry_at": "9999", "pin": "abc"}
        state.save_source("src", **found)
        state.save_source("src", url="https://example.org/agents", on_conflict="keep")
        kept = state.get_source_info("src")
        assert {name: kept[name] for name in found} == found
        state.save_source("src", url="https://example.org/moved", path="new")
        moved = state.get_source_info("src")
        assert [moved[name] for name in found] == [None, "new", None, "abc"]


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
# What other programs do to a source that was synced.
WRITERS = {
    "another filter": """UPDATE sources SET exclude = '["x*"]'""",
    "a row lost": "DELETE FROM agent_files WHERE file_path = 'qa/qa.md'",
    "a row's hash": "UPDATE agent_files SET content_sha = 'aa'",
    "a row's proof": "UPDATE agent_files SET object_id = NULL",
    "a protocol to come": """UPDATE sources SET
        protocol = '{"version": 3, "url": "https://h.invalid/"}'""",
    "a protocol of files": """UPDATE sources SET protocol = '{"url": "file:///etc"}'""",
}


class TestRunsAndErrorsOfTheState:
    @pytest.mark.parametrize("sql", WRITERS.values(), ids=WRITERS)
    def test_whoever_writes_a_row_makes_the_next_run_put_it_right(self, synced, sql):
        """FAULTS D02, D12: rows are the listing as long as their digest is right."""
        query = """SELECT file_path, content_sha, object_id, last_sha
            FROM agent_files, sources ORDER BY 1"""
        before = stats(synced.dest), synced.program.query(query)
        synced.program.query(sql)
        synced.sync()
        again = synced.sync()
        assert (again["requests"], again["unchanged"]) == (1, 8)
        assert (stats(synced.dest), synced.program.query(query)) == before

    def test_the_newest_run_comes_first_and_ids_settle_ties(self, state):
        ids = [state.record_sync_result("src", "success") for _ in range(12)]
        run_sql(state.db_path, "UPDATE sync_history SET sync_time = '2025-01-01'")
        sql = f"UPDATE sync_history SET sync_time = '2025-01-02' WHERE id = {ids[0]}"
        run_sql(state.db_path, sql)
        found = [run["id"] for run in state.get_sync_history("src")]
        assert found == [ids[0], *ids[:-10:-1]]
        told = [run["id"] for run in state.get_runs("src", limit=3)]
        assert told == ids[:-4:-1], "a clock that was set back changes nothing there"

    def test_runs_that_wait_for_each_other_come_to_the_disk_together(self, state):
        """One that fails takes no other along."""

        def commits():
            return int.from_bytes(state.db_path.read_bytes()[24:28], "big")

        before = commits()
        with ThreadPoolExecutor(3) as executor:
            with state.snapshot():  # for which all have to wait
                submit = functools.partial(executor.submit, state.record_sync_result)
                done = [submit(name, "success") for name in ("src", "none", "src")]
                wait_until(lambda: len(state._jobs) == 3)
        assert isinstance(done[1].exception(), agent_sync.DatabaseError)
        found = {run["id"] for run in state.get_sync_history("src")}
        assert (found, commits()) == ({done[0].result(), done[2].result()}, before + 1)

    def test_old_runs_are_cleaned_up_and_counted(self, state):
        old, recent = (state.record_sync_result("src", "success") for _ in range(2))
        long_ago = (datetime.now(timezone.utc) - timedelta(days=40)).isoformat()
        sql = f"UPDATE sync_history SET sync_time = '{long_ago}' WHERE id = {old}"
        run_sql(state.db_path, sql)
        assert state.cleanup_old_history(days=50) == 0
        assert state.cleanup_old_history() == 1
        assert [run["id"] for run in state.get_sync_history("src")] == [recent]
    def test_public_methods_raise_the_programs_own_error(self, state):
        for table in ("agent_files", "sync_history", "sources"):
            run_sql(state.db_path, f"ALTER TABLE {table} RENAME TO gone_{table}")
        for method, arguments in PUBLIC_CALLS.items():
            with pytest.raises(agent_sync.DatabaseError) as caught:
                getattr(state, method)(*arguments)
            assert isinstance(caught.value.__cause__, sqlite3.Error), method

    def test_a_state_in_a_cycle_closes_its_connections_in_time(self, database):
        """What Python 3.13 collects open it warns of, which fails the test."""
        state = agent_sync.AgentSyncState(database)
        state.get_all_sources()
        [(_, connection)] = state._idle
        holder = [state]
        del state
        gc.collect()  # Now the collector meets the connection before its state.
        holder[0].cycle = holder
        del holder, connection
        gc.collect()

    def test_a_connection_commits_or_rolls_back_and_raises_again(self, state):
        """Rows by name, foreign keys on, and SQLite's own errors pass through."""
        insert = "INSERT INTO sources (id, url) VALUES (?, 'y')"
        with state._get_connection() as connection:
            connection.execute(insert, ("kept",))
        run = "INSERT INTO sync_history (source_id, sync_time, status) VALUES (1, 2, 3)"
        for sql, error in (
            ("SELECT * FROM nothing", sqlite3.OperationalError),
            (run, sqlite3.IntegrityError),
            ("SELECT 1", KeyError),
        ):
            with pytest.raises(error), state._get_connection() as connection:
                connection.execute(insert, ("lost",))
                connection.execute(sql)
                raise KeyError("x")
        with state._get_connection() as connection:
            rows = list(connection.execute("SELECT * FROM sources WHERE url = 'y'"))
        assert isinstance(rows[0], sqlite3.Row)
        assert [row["id"] for row in rows] == ["kept"]


# ==== HTTP ====


def chunked(data):
    return raw("Transfer-Encoding: chunked", body=data)


def bytewise(data):
    """*data* in chunks of one byte."""
    return b"".join(b"1\r\n%c\r\n" % byte for byte in data) + b"0\r\n\r\n"


def encoded(name, data):
    return http_reply(200, data, {"Content-Encoding": name})


GZIP_BOMB = gzip.compress(bytes(agent_sync.MAX_LISTING_SIZE + 1))
BAD_STATUSES = {"H22": (201, 202, 203, 205, 206, 226, 299), "H23": (404, 410)}
BAD_STATUSES.update({"H24": (400, 401, 403, 407, 451), "H02": (302,)})


def not_an_answer(body):
    """{case: what a server may say that must not be taken for *body*}."""
    size, gzipped = len(body), gzip.compress(body)
    right, chunk = f"Content-Length: {size}", b"%x\r\n%s\r\n" % (size, body)
    return {
        "H06-shorter-than-its-length": raw(f"Content-Length: {size + 9}", body=body),
        "H07-chunks-without-an-end": chunked(chunk),
        "H07-a-chunk-cut-short": chunked(b"5" + chunk),
        "H07-junk-for-a-chunk-size": chunked(b"z" + chunk + b"0\r\n\r\n"),
        "H07-a-negative-chunk-size": chunked(b"-" + chunk + b"0\r\n\r\n"),
        "H07-no-chunk-size": chunked(b"\r\n" + body + b"\r\n0\r\n\r\n"),
        "H08-no-length": raw("Content-Type: text/plain", body=body),
        "H09-a-length-of-a-petabyte": raw("Content-Length: " + "9" * 15, body=body),
        "H09-a-length-of-5000-digits": raw("Content-Length: " + "9" * 5000, body=body),
        "H09-a-negative-length": raw(f"Content-Length: -{size}", body=body),
        "H09-a-garbled-length": raw("Content-Length: nine", body=body),
        "H09-two-lengths": raw(right, "Content-Length: 4", body=body),
        "H09-two-lengths-in-one": raw(f"{right}, 4", body=body),
        "H12-101-fields": raw(*["X: x"] * 101, right, body=body),
        "H12-a-field-of-70-KB": raw("X: " + "x" * 70_000, right, body=body),
        "H12-a-garbled-status": raw(right, body=body, status="OK"),
        "H12-status-99": raw(right, body=body, status="99 Low"),
        "H12-status-999": raw(right, body=body, status="999 High"),
        "H12-no-reply": b"",
        "N24-no-final-answer": raw(status="102 Processing") * 30,
        "H12-a-head-cut-short": b"HTTP/1.1 200 OK\r\nServer: x\r\nConte",
        "H12-HTTP/0.9": body,
        "H13-brotli": encoded("br", body),
        "H13-gzip-twice": encoded("gzip, gzip", gzip.compress(gzipped)),
        "H13-gzip-cut-short": encoded("gzip", gzipped[:-9]),
        "H13-gzip-and-more": encoded("gzip", gzipped[:-2]),
        "H13-a-bomb": encoded("gzip", GZIP_BOMB),
        "H21-a-web-page": http_reply(200, b"<html></html>", (), "text/html; x=y"),
        "H21-an-empty-file": http_reply(200),
        "H21-an-empty-file-in-chunks": chunked(b"0\r\n\r\n"),
        "H22-status-204": raw(status="204 No Content"),
        **{
            f"{row}-status-{status}": http_reply(status, body)
            for row, statuses in BAD_STATUSES.items()
            for status in statuses
        },
        "status-300": http_reply(300, body, {"Location": "/agents/ops.json"}),
    }


def one_file_each(cases):
    """A site's files: one for each of *cases*, and two more."""
    files = {f"{case}.md": prose(case, 300) for case in cases}
    return {**files, "sound.md": b"# Sound\n", "sound.json": b"{}\n"}


@pytest.mark.parametrize("status, token, told", [
    (404, "", "is the address right? if it is private: ~/.netrc or AGENT_SYNC_TOKEN"),
    (404, "t0ken", "is the address right, and the token from AGENT_SYNC_TOKEN_SRC?"),
    (401, "t0ken", "it refuses AGENT_SYNC_TOKEN_SRC, and does not answer without"),
    (401, "", "~/.netrc or AGENT_SYNC_TOKEN"),
    (403, "", "~/.netrc or AGENT_SYNC_TOKEN"),
    (403, "t0ken", "AGENT_SYNC_TOKEN_SRC"),
    (407, "", "the proxy wants a user and a password"),
    (304, "", "304 to an unconditional request"),
    (500, "", "try again later"),
    (405, "", "the server, or a proxy before it, does not take that"),
])  # fmt: skip
def test_what_to_do_about_a_reply_is_said(web, site, monkeypatch, status, token, told):
    """FAULTS H24: without showing the token there is."""
    monkeypatch.setenv("AGENT_SYNC_TOKEN_SRC", token)
    site.answers["agents.json"] = http_reply(status, b"t0ken")
    assert told in web.sync(check=(1, 3))["error"]
    assert "t0ken" not in complaint(web.program.call("sync", "-v", check=(1, 3)))


def odd_answers(data):
    """{case: what looks strange and is *data* nevertheless}."""
    length, reply = f"Content-Length: {len(data)}", http_reply(200, data)
    zipped = gzip.compress(data)
    fields = ["Content-Encoding: identity", "Content-Encoding: x-gzip"]
    fields += ["Transfer-Encoding: chunked"]
    chunks = b"%X;a=b\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (len(data), data)
    first = raw(status="102 Processing"), raw("Link: </x>", status="103 Early Hints")
    return {
        "H09-the-same-length-twice": raw(length, length, body=data),
        "H12-folded-fields": raw("X-Long: one", " two", length, body=data),
        "H12-100-continue": raw(status="100 Continue") + reply,
        "H38-other-cases-of-fields": raw(length.swapcase(), 'eTaG: "x"', body=data),
        "H38-Vary": http_reply(200, data, {"Vary": "*"}),
        "H13-gzip": encoded("gzip", zipped),
        "H13-x-gzip-in-two-fields": raw(*fields, body=bytewise(zipped)),
        "N26-no-encoding": encoded("", data),
        "N24-102-103-199": b"".join(first) + raw(status="199 Nearly") + reply,
        "H13-identity": encoded("Identity", data),
        "chunks-of-one-byte": chunked(bytewise(data)),
        "chunks-with-extensions": chunked(chunks),
        "JSON": http_reply(200, data, (), "application/json"),
        "H21-bytes": http_reply(200, data, (), "application/octet-stream"),
        "H21-Markdown": http_reply(200, data, (), "text/markdown"),
    }


SHORT_MANIFEST = sums_manifest({"BASE-AGENT.md": WEB_AGENTS["BASE-AGENT.md"]})


class TestAnswers:
    """FAULTS H06 to H13 and H21 to H24: each fault where nothing else helps."""

    @pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
    def test_a_file_without_a_hash_stays_as_it_was(self, program, site, first):
        """One file for each fault, before and after a first sync of all."""
        faults = not_an_answer(FORGED)
        mirror = Mirror(program, site.renew(one_file_each(faults), "list"))
        if not first:
            mirror.sync()
        before, rows = stats(mirror.dest), stored(program)
        site.answers = {f"{case}.md": reply for case, reply in faults.items()}
        source = mirror.sync("--timeout", "20", check=1)
        assert source["status"] == last_run(program)["status"] == "partial"
        # Empty from the beginning is right; only a change to nothing is doubtful.
        empty = {name for name in site.answers if "H21-an-empty-file" in name and first}
        assert paths(source["failed"]) == sorted(set(site.answers) - empty)
        assert all(failure["error"] for failure in source["failed"])
        assert len(source["added"]) + source["unchanged"] == 2 + len(empty)
        after = stats(mirror.dest)
        assert before.items() <= after.items()
        assert set(after) - set(before) <= {"sound.md", "sound.json"} | empty
        del rows[""]
        assert rows.items() <= stored(program).items()
        site.answers.clear()
        assert mirror.follows()

    def test_without_a_manifest_everything_stays_as_it_was(self, hashed, site):
        """What it lists no more would be removed."""
        faults = not_an_answer(SHORT_MANIFEST)
        faults["H14-a-304-that-was-not-asked-for"] = not_modified()
        faults["H21-only-space"] = http_reply(200, b"\n \n")
        faults["H21-an-error-in-JSON"] = http_reply(200, b'{"error": "expired"}')
        set_source(hashed.program, etag=None)  # so that no condition is sent
        for case, reply in faults.items():
            site.answers["agents.json"] = reply
            assert not hashed.fails("--timeout", "20", check=(1, 3))["checked"], case
            run = last_run(hashed.program)
            assert run["status"] == "error" and run["error_message"], case

    @pytest.mark.parametrize("form", ["JSON", "list"])
    def test_an_odd_answer_that_is_right_is_taken(self, program, site, form):
        """FAULTS H09, H12, H13, H21, H38, N24, N26."""
        files = one_file_each(odd_answers(b""))
        mirror = Mirror(program, site.renew(files, form))
        for case in odd_answers(b""):
            site.answers[f"{case}.md"] = odd_answers(files[f"{case}.md"])[case]
        assert mirror.follows()

    def test_a_file_without_a_length_will_do_if_its_hash_is_known(self, web, site):
        site.answers["qa/qa.md"] = raw(body=site.files["qa/qa.md"])
        assert web.follows()

    def test_a_length_and_chunks_give_one_file_or_none(self, unhashed, site):
        """FAULTS H09, RFC 9112 section 6.3: never the length's idea of the body."""
        before = unhashed.tree()
        fields = ["Content-Length: 4", "Transfer-Encoding: chunked"]
        body = b"9\r\n" + FORGED + b"\r\n0\r\n\r\n"
        site.answers["qa/qa.md"] = raw(*fields, body=body)
        unhashed.sync(check=(0, 1))
        assert unhashed.tree()["qa/qa.md"] in (FORGED, before["qa/qa.md"])

    @pytest.mark.parametrize("name, title, fields", [
        ("Anubis", "Making sure you're not a bot!", {}),
        ("Cloudflare", "Just a moment...", {"cf-mitigated": "challenge"}),
    ])  # fmt: skip
    def test_a_wall_against_bots_is_named(self, web, site, name, title, fields):
        page = f"<title>{title}</title>".encode()
        site.answers["agents.json"] = http_reply(200, page, fields, "text/html")
        told = web.sync(check=1)["error"]
        assert f"titled '{title}': {name}, a wall against bots" in told


class TestEndlessAnswers:
    """FAULTS H10, H11: no server can hold a run beyond --timeout, or fill memory."""

    def sync_all(self, program, site, seconds):
        """The errors of a source for each CASE of the answers, "CASE/agents.json"."""
        for case in sorted({name.partition("/")[0] for name in site.answers}):
            dest = program.root / "dest" / case
            options = ["--kind", "http", "--id", case, "--dest", dest]
            program.call("add", f"{site.base}/{case}", *options)
        document = program.call_json("sync", "--timeout", seconds, check=(1, 3))
        assert {source["status"] for source in document["sources"]} == {"error"}
        assert not list((program.root / "dest").rglob("*.md"))
        return [source["error"] for source in document["sources"]]

    def test_what_is_slow_is_left_in_time(self, program, site):
        """All of them go on for minutes; also pauses that the server asks for (H25)."""

        def slow_body(request):
            yield raw("Content-Length: 99999")
            yield from drip(b"x" * 99999)

        def flood(request):
            while not site.closing.is_set():
                yield raw(status="100 Continue") * 1000

        site.answers = {
            "body/agents.json": slow_body,
            "file/agents.json": http_reply(200, json_manifest({"a.md": b"# A\n"})),
            "file/a.md": slow_body,
            "head/agents.json": lambda request: drip(raw("X: " + "x" * 60_000)),
            "silence/agents.json": site.silence,
            "continue/agents.json": flood,
            "pauses/agents.json": http_reply(503, b"", {"Retry-After": "15"}),
        }
        errors = self.sync_all(program, site, "0.3")
        assert ["(--timeout)" in error for error in errors] == [True] * 6

    def test_a_server_that_says_nothing_is_left_in_time(self, web, site, monkeypatch):
        """FAULTS H10: its time is one of silence, and not that of the whole run."""
        monkeypatch.setattr(agent_sync, "SOCKET_TIMEOUT", 0.05)
        site.answers["agents.json"] = site.silence
        assert "agents.json: timed out" in web.sync(check=(1, 3))["error"]

    def test_what_has_no_end_is_left_at_the_limit(self, program, site, monkeypatch):
        """FAULTS H11, S06; with a lower limit, for the time it takes."""
        monkeypatch.setattr(agent_sync, "MAX_OBJECT_SIZE", 1 << 20)
        monkeypatch.setattr(agent_sync, "MAX_LISTING_SIZE", 1 << 20)
        sent = []

        def flood(head, piece):
            def script(request):
                yield head
                while not site.closing.is_set():
                    sent.append(len(piece))
                    yield piece

            return script

        chunk = b"10000\r\n%s\r\n" % bytes(0x10000)
        site.answers = {
            "fields/agents.json": flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),
            "body/agents.json": flood(raw(), bytes(0x10000)),
            "chunks/agents.json": flood(chunked(b""), chunk),
            "file/agents.json": http_reply(200, json_manifest({"a.md": b"# A\n"})),
            "file/a.md": flood(raw(), bytes(0x10000)),
        }
        told = " ".join(self.sync_all(program, site, "300"))
        assert told.count("larger than 1 MiB") == 2 and "100 headers" in told
        assert "a.md is not of the listed size" in told
        assert sum(sent) < 100 << 20


# Where a redirect may lead: the target, and whether the first origin's is the second's.
ORIGINS = [
    ("https://example.org/a", "https://example.org/b", True),
    ("https://example.org/a", "https://EXAMPLE.org:443/b", True),
    ("https://example.org/a", "https://example.org./b", True),
    ("http://localhost/a", "http://localhost:80/b", True),
    ("https://example.org/a", "https://example.org:444/b", False),
    ("https://example.org:80/a", "https://example.org/b", False),
    ("https://example.org/a", "https://www.example.org/b", False),
    ("https://example.org/a", "https://example.org.evil.example/b", False),
    ("http://localhost/a", "http://127.0.0.1/b", False),
    ("http://localhost:443/a", "https://localhost/b", False),
]
BAD_PLACES = [
    *("file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "ext::sh -c id"),
    *("javascript:alert(1)", "//evil.invalid/x", "http:///x", "http://[::1", ""),
    *("http://127.0.0.1:99999/", "http://user:hunter2@127.0.0.1/x", "/x\x01y", "/\xe9"),
    *("http://127.0.0.1\\@evil.invalid/", "/x y"),
]
REDIRECTS = (301, 302, 303, 307, 308)


def moved_to(place, status=302, body=b""):
    return http_reply(status, body, {"Location": place})


@pytest.fixture
def with_token(program, monkeypatch):
    """A token for the source `src`."""
    monkeypatch.setenv("AGENT_SYNC_TOKEN_SRC", CANARY)


class TestRedirects:
    """FAULTS H01 to H05."""

    def test_an_origin_is_a_scheme_a_host_and_a_port(self):
        """FAULTS H01; most from requests' test_should_strip_auth_*."""
        for one, other, same in ORIGINS:
            assert (agent_sync.origin(one) == agent_sync.origin(other)) is same

    def test_what_is_for_one_origin_stays(self, with_token, unhashed, site, other_site):
        """FAULTS H01, S18: neither credentials nor validators, with any status."""
        other_site.form = "list"
        names = ["agents.json", *site.files]
        for status, name in zip(REDIRECTS, names):
            site.answers[name] = moved_to(f"{other_site.base}/{name}", status, b"moved")
        assert unhashed.sync(check=None)["status"] == "success"
        for server in (site, other_site):
            assert asked_for(server.requests) == sorted(names)
        private = {"authorization", "cookie", "if-none-match", "if-modified-since"}
        for request in other_site.requests:
            assert not private & set(request.headers)
            assert CANARY not in str(request)
        self.check_both(site.requests)

    def check_both(self, requests):
        """Credentials and validators go along with all *requests*."""
        assert all(CANARY in credentials(request) for request in requests)
        assert all("if-none-match" in request.headers for request in requests)

    def test_what_was_dropped_is_not_back(self, with_token, hashed, site, other_site):
        """FAULTS H01: there and back again."""
        there = moved_to(f"{other_site.base}/back")
        site.answers["agents.json"] = in_turn(there, None)
        other_site.answers["back"] = moved_to(f"{site.base}/agents.json")
        assert hashed.sync(check=None)["unchanged"] == 4
        assert list(map(bool, map(credentials, site.requests))) == [True, False]

    def test_a_redirect_to_a_netrc_host_is_not_trusted(self, hashed, site, other_site):
        """FAULTS H01: who redirects does not decide where a password goes."""
        line = f"machine localhost login me password {CANARY}\n"
        write(os.environ["HOME"], ".netrc", line.encode()).chmod(0o600)
        away = other_site.base.replace("127.0.0.1", "localhost") + "/agents.json"
        site.answers["agents.json"] = moved_to(away)
        hashed.sync(check=None)
        assert other_site.requests
        assert not any(map(credentials, [*site.requests, *other_site.requests]))

    def test_a_bad_place_is_an_error(self, hashed, site):
        with untouched(hashed.dest):
            for place in BAD_PLACES:
                site.answers["agents.json"] = moved_to(place)
                source = hashed.sync("--timeout", "20", check=(1, 3))
                assert source["error"] and "hunter2" not in source["error"], place
                assert source["requests"] <= 6, place

    def test_a_relative_place_is_found(self, with_token, hashed, site):
        """Within one origin credentials and validators go along."""
        for place in ("agents.json", "../agents/agents.json", "/x/agents/agents.json"):
            site.answers["agents.json"] = in_turn(moved_to(place, 301), None)
            assert hashed.sync()["unchanged"] == 4, place
        assert len(site.requests) == 6
        self.check_both(site.requests)

    @pytest.mark.parametrize("query", ["", "?{}"], ids=["same", "new"])
    def test_a_loop_is_left_soon(self, hashed, site, query):
        places = (f"/agents/agents.json{query.format(n)}" for n in range(1000))
        site.answer = lambda request: moved_to(next(places))
        assert "too many redirects" in hashed.sync(check=1)["error"]
        assert len(site.requests) <= 6

    def test_the_body_of_a_redirect_is_not_read(self, hashed, site):
        """FAULTS H04: it may be endless."""

        def script(request):
            fields = ["Location: /agents/new.json", "Content-Length: " + "9" * 10]
            yield raw(*fields, status="302 Found")
            site.closing.wait()

        site.answers["agents.json"] = script
        site.answers["new.json"] = http_reply(200, site.manifest())
        assert hashed.sync("--timeout", "20")["unchanged"] == 4

    def test_a_post_is_never_redirected(self, mirror, git_server, other_site):
        """FAULTS H05, G30: what a server that has moved is asked first is a GET."""
        away = f"{other_site.url}/owner/repo.git/git-upload-pack"
        for status in REDIRECTS:
            git_server.answer = lambda request, n=status: moved_to(away, n)
            assert mirror.sync(check=1)["status"] == "error", status
        posts = [ask.path for ask in git_server.requests if ask.method == "POST"]
        assert set(posts) == {"/owner/repo.git/git-upload-pack"}
        assert not [ask for ask in other_site.requests if ask.method == "POST"]


def many_agents(count):
    return {f"{n % 7}/agent-{n:03}.md": prose(n, 300) for n in range(count)}


class TestConnectionsToAWebSite:
    """FAULTS H16, H27, H28, N17; RFC 8305: some of a name's addresses are dead."""

    @pytest.mark.parametrize("form", ["JSON", "list"])
    @pytest.mark.parametrize("jobs", [1, 4])
    def test_they_are_kept_and_at_most_as_many_as_jobs(self, program, site, jobs, form):
        mirror = Mirror(program, site.renew(many_agents(30), form))
        assert mirror.sync("-j", jobs)["requests"] == 31
        assert mirror.is_faithful()
        assert 1 <= site.connections <= jobs

    def test_jobs_are_for_all_sources_together(self, program, site, other_site):
        busy, most, mutex = set(), [0], threading.Lock()

        def script(request):
            with mutex:
                busy.add(id(request))
                most[0] = max(most[0], len(busy))
            time.sleep(0.002)
            with mutex:
                busy.discard(id(request))

        for name, server in (("one", site), ("two", other_site)):
            server.renew(many_agents(12)).answer = script
            dest = program.root / name
            program.call("add", server.base, "--id", name, "--dest", dest)
        program.call("sync", "-j", "2")
        assert tree(program.root / "one") == site.agents()
        assert most[0] <= 2

    def test_a_server_that_closes_after_some_is_asked_anew(self, program, site):
        turns = iter(range(1000))

        def script(request):
            reply = site.reply_to(request)
            return bytes(reply) if next(turns) % 3 == 2 else reply  # the end of it

        mirror = Mirror(program, site.renew(many_agents(12)))
        site.answer = script
        assert mirror.follows("-j", "1")
        assert site.connections == 5

    @pytest.mark.parametrize("cut", [b"", raw("Content-Length: 900", body=b"# Part\n")])
    def test_a_reset_in_an_answer_leaves_nothing_behind(self, hashed, site, cut):
        def script(request):
            linger = socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            with contextlib.suppress(OSError):
                site.clients[-1].setsockopt(*linger)  # a close sends RST
            return cut

        with untouched(hashed.dest):
            site.files["qa/qa.md"] = b"# Changed\n"
            site.answers["qa/qa.md"] = script
            assert hashed.sync("-j", "1", check=(1, 3))["status"] == "error"

    @pytest.mark.parametrize("form", ["JSON", "list"])
    def test_what_comes_behind_an_answer_is_no_answer(self, program, site, form):
        """FAULTS H28: a second reply, unasked, must not be taken for the next file."""
        mirror = Mirror(program, site.renew(many_agents(8), form))
        poison = http_reply(200, FORGED)
        site.answer = lambda request: Reply(site.reply_to(request) + poison)
        assert mirror.follows("-j", "1")

    def test_what_comes_behind_a_304_is_no_answer(self, unhashed, site):
        """FAULTS H16, H28: a 304 has no body, whatever the server sends."""
        body = b"<html>" + http_reply(200, FORGED)
        site.answers["BASE-AGENT.md"] = Reply(not_modified() + body)
        with untouched(unhashed.dest):
            assert unhashed.sync("-j", "1")["unchanged"] == 4

    @pytest.fixture
    def black_hole(self):
        """The address of a server that accepts no connection, and refuses none."""
        with contextlib.ExitStack() as stack:
            server = socket.create_server(("127.0.0.1", 0), backlog=0)
            hole = stack.enter_context(server)
            for _ in range(6):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(hole.getsockname())
            yield hole.getsockname()

    @pytest.fixture
    def addresses(self, monkeypatch):
        """What any name has as well, before its own addresses."""
        found, look_up = [], socket.getaddrinfo

        def getaddrinfo(host, port, **options):
            own = look_up(host, port, **options)
            return [(*own[0][:4], address) for address in found] + own

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return found

    def test_the_next_is_tried_while_one_says_nothing(self, web, addresses, black_hole):
        addresses += [black_hole]
        assert web.follows("-j", "1")

    def test_the_next_is_tried_at_once_if_one_fails(self, web, addresses, monkeypatch):
        monkeypatch.setattr(agent_sync, "ADDRESS_DELAY", 60)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            addresses += [closed.getsockname()]
        assert web.follows("--timeout", "50")

    def test_the_next_does_not_help_if_all_are_dead(self, web, monkeypatch, black_hole):
        dead = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", black_hole)] * 2
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: dead)
        assert "--timeout" in web.sync("--timeout", "0.3", check=FAILURE)["error"]

    def test_families_of_addresses_take_turns(self, monkeypatch):
        six, four = socket.AF_INET6, socket.AF_INET
        found = [(six, 1), (six, 2), (six, 3), (four, 4), (four, 5)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
        order = [number for _, number in agent_sync.addresses_of("h", 1)]
        assert order == [1, 4, 2, 5, 3]

    def test_a_name_is_looked_up_while_the_run_begins(self, program, monkeypatch):
        """And an unknown one is told tidily."""
        locked, seen = threading.Event(), []

        def getaddrinfo(*args, **options):
            seen.append((locked.is_set(), locked.wait(10)))
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        lock = agent_sync.DestinationLock
        spy(monkeypatch, lock, "__enter__", before=lambda self: locked.set())
        program.call("add", "https://host.invalid/owner/repo", "--id", "src")
        told = complaint(program.call("sync", check=(1, 3)))
        assert "src" in told and "host.invalid" in told
        assert seen[0] == (False, True)

    def test_a_handler_of_a_caller_may_change_each_request(self, web, site):
        """The fetcher is urllib's: what a caller adds to its openers is asked first."""

        class Signed(urllib.request.BaseHandler):
            def http_request(self, request):
                request.add_header("X-Signature", "mine")
                return request

        state = agent_sync.AgentSyncState(web.program.database)
        rows = agent_sync.find_sources(state)
        [report] = agent_sync.sync_sources(state, rows, handlers=[Signed()])
        assert report.error is None
        assert {ask.headers.get("x-signature") for ask in site.requests} == {"mine"}
        assert web.is_faithful()


def in_seconds(seconds):
    """An HTTP date so many seconds from now."""
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


class TestTriesAndPauses:
    def test_a_passing_fault_is_asked_again(self, web, site, pauses):
        """FAULTS H27, with a growing pause."""
        for status in (500, 502, 503, 504):
            fault = http_reply(status)
            site.answers["agents.json"] = in_turn(fault, fault, None)
            del pauses[:]
            assert web.follows()
            assert len(pauses) == 2, status
            assert 0 < pauses[0] < pauses[1] < 5

    @pytest.mark.parametrize("broken", [b"", raw("Content-Length: 99", body=b"0011")])
    def test_a_lost_connection_is_made_anew(self, mirror, git_server, broken, pauses):
        """FAULTS N17: what breaks off once is asked again, like a 502."""
        for lost in (0, 1, 2):
            git_server.answer = in_turn(*[None] * lost, broken, None)
            mirror.program.call("sync", "--force")
            assert mirror.is_faithful()
        assert set(pauses) == {agent_sync.RETRY_PAUSE}

    def test_a_lasting_fault_is_given_up(self, hashed, site, pauses):
        """FAULTS H24, H25, H27: and what asking again would not help is asked once."""
        once = (400, 401, 403, 404, 407, 410, 451, 501, 505)
        for status in (*once, 500, 503, 429):
            code, requests = (1, 1) if status in once else (3, 3)
            fields = {"Retry-After": "1"} if status == 429 else {}
            site.answers["agents.json"] = http_reply(status, b"", fields)
            source = hashed.sync("--force", check=code)
            assert str(status) in source["error"]
            assert source["requests"] == requests
        assert len(pauses) == 6 and pauses[-2:] == [1, 1]

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_short_pause_is_made(self, web, site, pauses, status):
        """FAULTS H25, both forms of Retry-After (RFC 9110, section 10.2.3)."""
        now, later, before = map(in_seconds, (0, 7, -1000))
        for text, seconds in (("2", 2), (later, 7), (before, 0), ("0", 0), ("20", 20)):
            reply = http_reply(status, b"", {"Retry-After": text, "Date": now})
            site.answers["agents.json"] = in_turn(reply, None)
            del pauses[:]
            assert web.follows()
            assert pauses == [pytest.approx(seconds, abs=1.01)], text

    LONG = [  # Retry-After of a 429, and how long nothing is asked then, in seconds
        ("3600", 3600), ("999999999", 86400), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
        ("9" * 5000, 60), ("soon", 60), ("-5", 60), ("1e9", 60), (None, 60),
        ("Fri, 99 Foo 2099 99:99:99 GMT", 60),
    ]  # fmt: skip

    def seconds_left(self, program):
        """How long nothing will be asked of the only source."""
        [row] = program.query("SELECT retry_at FROM sources")
        left = datetime.fromisoformat(row["retry_at"]) - datetime.now(timezone.utc)
        return left.total_seconds()

    def test_a_long_pause_is_remembered(self, hashed, site, pauses):
        """FAULTS H25, H26: only a run that is forced asks then; an answer ends it."""
        before = stats(hashed.dest)
        for text, seconds in [*self.LONG, (in_seconds(5000), 5000)]:
            fields = {} if text is None else {"Retry-After": text}
            site.answers["agents.json"] = http_reply(429, b"", fields)
            source = hashed.sync(check=3)
            assert (source["requests"], pauses) == (1, []), text
            assert "429" in source["error"]
            assert seconds - 30 < self.seconds_left(hashed.program) < seconds + 5, text
            site.answers.clear()
            source = hashed.sync(check=3)
            assert (source["requests"], source["checked"]) == (0, False)
            assert hashed.sync("--force")["unchanged"] == 4
            assert hashed.sync()["checked"] is True
        assert stats(hashed.dest) == before

    def test_too_many_requests_for_one_file_end_the_run(self, program, site, pauses):
        """FAULTS H26: no hammering."""
        mirror = Mirror(program, site.renew(many_agents(40), "list"))
        limit = http_reply(429, b"", {"Retry-After": "3600"})
        site.answers = dict.fromkeys(site.files, limit)
        source = mirror.sync("-j", "2", check=1)
        assert source["status"] == "error"
        assert source["requests"] < 12
        assert mirror.sync(check=1)["requests"] == 0

    @pytest.mark.parametrize("status", [403, 429])
    def test_githubs_limit_ends_by_its_clock(self, hashed, site, pauses, status):
        """FAULTS H26, H37: `x-ratelimit-reset` is a time of the server's."""
        for skew in (-3600, 0, 3600):
            end = int(time.time() + skew) + 1800
            fields = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(end)}
            fields["Date"] = in_seconds(skew)
            site.answers["agents.json"] = http_reply(status, b"", fields)
            assert hashed.sync("--force", check=3)["requests"] == 1
            assert 1700 < self.seconds_left(hashed.program) < 1900, skew

    def test_a_refusal_within_the_limit_is_no_pause(self, hashed, site, pauses):
        """FAULTS H26: every answer of GitHub has these fields."""
        fields = {"x-ratelimit-remaining": "59", "x-ratelimit-reset": "9" * 10}
        site.answers["agents.json"] = http_reply(403, b"", fields)
        assert hashed.sync(check=1)["requests"] == 1
        site.answers.clear()
        assert hashed.sync()["checked"] is True

    @pytest.mark.parametrize("year", [1970, 2099])
    def test_a_wrong_clock_stops_no_sync(self, web, site, monkeypatch, year):
        """FAULTS H37."""
        moment = f"{year}-01-01T00:00:00+00:00"
        monkeypatch.setattr(agent_sync, "utc_now", lambda: moment)
        web.sync()
        site.files["qa/qa.md"] = b"# Changed\n"
        assert web.sync()["updated"] == ["qa/qa.md"]

    TIMES = [("last_sync_time", 2099), ("retry_at", 2099), ("retry_at", 2001)]

    @pytest.mark.parametrize("column, year", TIMES)
    def test_a_time_that_is_not_near_stops_no_sync(self, hashed, column, year):
        """FAULTS H37: a clock that was ahead once makes no run skip for years."""
        set_source(hashed.program, **{column: f"{year}-01-01T00:00:00+00:00"})
        options = ["--max-age", "15m"] if column == "last_sync_time" else []
        assert hashed.sync(*options)["checked"] is True


class TestUrlsOfTheWeb:
    """FAULTS H29, H31, H32, H35."""

    def test_what_was_changed_in_the_database_is_no_way_in(self, hashed, site):
        """Others can write that file."""
        with untouched(hashed.dest):
            set_source(hashed.program, etag='"x"\r\nX-Injected: yes')
            hashed.sync(check=(0, 1, 3))
            assert not [ask for ask in site.take() if "x-injected" in ask.headers]
            urls = ["ftp://127.0.0.1/x", "file:///etc", "data:,x", "http://[::1"]
            for url in [*urls, "http://x/\r\nY:z"]:
                set_source(hashed.program, url=url, kind="http")
                hashed.program.call("sync", check=FAILURE)
                assert not site.requests

    ODD_NAMES = [
        "a b.md", "100%.md", "%41.md", "a#b.md", "a+b.md", "a;b&c=d.md", "a'b.md",
        "[x]~(y)!.md", "na\u00efve/\u8bbe\u8ba1 \U0001f916.md", "@a,b$.md",
    ]  # fmt: skip

    @pytest.mark.parametrize("form", ["JSON", "list", "SHA256SUMS"])
    def test_odd_names_are_quoted(self, program, site, form):
        files = {name: name.encode() for name in self.ODD_NAMES}
        site.renew(files, form)
        site.arguments = [f"{site.base}/{site.index}"]
        assert Mirror(program, site).follows()
        assert all(request.path.isascii() for request in site.requests)

    LEADING_AWAY = [
        "http://169.254.169.254/latest.md", "https://evil.invalid/x.md", "/etc/x.md",
        "//evil.invalid/x.md", "../x.md", "a/../../x.md", "a/./x.md", "git~1/x.md",
        "x.md\r\nX-Injected: yes.md", "x\0.md",
    ]  # fmt: skip

    @pytest.mark.parametrize("form", ["JSON", "list"])
    def test_a_listed_path_never_leads_away(self, hashed, site, other_site, form):
        """What a manifest names is below it, or is refused."""
        with untouched(hashed.dest):
            for path in self.LEADING_AWAY:
                manifest = FORMS[form][1]({**site.files, path: FORGED})
                site.answers["agents.json"] = http_reply(200, manifest)
                assert "--exclude" in hashed.sync(check=1)["error"], path
            assert set(asked_for(site.requests)) == {"agents.json"}


BAD_PROXIES = {  # the environment: what is said
    "http_proxy=http://127.0.0.1:9": "through the proxy 127.0.0.1:9",
    "http_proxy=http://[::1]:9/": "through the proxy [::1]:9",
    "http_proxy=http://proxy:port": "the proxy in http_proxy must be http:",
    "http_proxy=http://me:hunter2@x y": "the proxy in http_proxy must be http:",
    "HTTP_PROXY=socks5h://127.0.0.1:9": "HTTP_PROXY begins with socks5h://",
    "http_proxy=https://127.0.0.1:9": "http_proxy begins with https://",
    "ALL_PROXY=http://127.0.0.1:9": "ALL_PROXY is not supported: set http_proxy",
}


class TestProxies:
    """FAULTS H33, N14."""

    @pytest.fixture
    def proxy(self, program, monkeypatch):
        """A proxy that has everything, and is used if the environment counts."""
        files = {**WEB_AGENTS, "agents.json": json_manifest(WEB_AGENTS)}
        known = {name: http_reply(200, data) for name, data in files.items()}
        with ScriptedOrigin(lambda ask: known.get(below_agents(ask))) as proxy:
            for name in ("http_proxy", "https_proxy"):
                monkeypatch.setenv(name, proxy.url)
            yield proxy

    @pytest.fixture
    def distant(self, program):
        url = "http://agents.invalid/agents"
        program.call("add", url, "--id", "src", "--allow-http")
        return program

    def test_this_machine_is_never_asked_through_a_proxy(self, web, proxy):
        assert web.follows()
        assert not proxy.requests

    @pytest.mark.usefixtures("proxy")
    def test_none_is_dialled_before_a_proxy_is_sought(self, distant, site, monkeypatch):
        """But this machine is, while what speaks HTTP is still being imported."""
        begun, pool = [], agent_sync.ConnectionPool
        spy(monkeypatch, agent_sync, "Dial", lambda *at: begun.append(at[0]))
        spy(monkeypatch, pool, "_opener", lambda *args: begun.append("asked"))
        distant.call("sync", "src")
        assert "agents.invalid" not in begun
        assert begun[0] == "asked"
        del begun[:]
        distant.call("add", site.base, "--id", "web", "--no-check")
        distant.call("sync", "web", "--jobs", "1")
        assert begun[:2] == ["127.0.0.1", "asked"]
        assert begun.count("127.0.0.1") == 1

    def test_others_are(self, distant, proxy):
        assert only_source(distant.call_json("sync"))["added"] == sorted(WEB_AGENTS)
        assert len(proxy.requests) == 5
        assert proxy.connections <= 5

    def test_but_not_those_of_no_proxy(self, distant, proxy, monkeypatch):
        monkeypatch.setenv("no_proxy", "agents.invalid")
        distant.call("sync", check=1)
        assert not proxy.requests

    def test_a_proxy_from_a_request_to_cgi_is_none(self, distant, proxy, monkeypatch):
        """CVE-2016-5385, "httpoxy": HTTP_PROXY could be a field named Proxy."""
        monkeypatch.delenv("http_proxy")
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("REQUEST_METHOD", "GET")
        distant.call("sync", check=1)
        assert not proxy.requests

    def test_a_proxys_password_is_for_it_alone(self, distant, proxy, monkeypatch):
        url = proxy.url.replace("://", f"://me:{CANARY}@")
        monkeypatch.setenv("http_proxy", url)
        shown = [distant.call("sync", "-v"), distant.call("history", "--json")]
        assert "proxy-authorization" in proxy.requests[0].headers
        proxy.close()
        shown.append(distant.call("sync", "-v", check=(1, 3)))
        assert CANARY not in "".join(map(complaint, shown))
        assert CANARY.encode() not in distant.database.read_bytes()

    def test_a_proxy_that_fails_is_named(self, distant, monkeypatch):
        for text, words in BAD_PROXIES.items():
            name, _, value = text.partition("=")
            with monkeypatch.context() as patch:
                patch.setenv(name, value)
                outcome = distant.call("sync", "-v", check=FAILURE)
            assert words in outcome.err
            assert "hunter2" not in outcome.err

    def test_a_proxy_that_wants_a_password_says_so(self, program, monkeypatch):
        program.call("add", "https://agents.invalid/x/y/z", "--id", "src")
        with ScriptedOrigin(lambda request: http_reply(407)) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            outcome = program.call("sync", check=FAILURE)
        assert "refused by 407: give it a user and a password" in outcome.err

    def test_a_proxy_that_repeats_a_password_is_not_quoted(self, distant, monkeypatch):
        set_source(distant, kind="http")
        with ScriptedOrigin(lambda request: page_titled(CANARY)) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url.replace("//", f"//me:{CANARY}@"))
            outcome = distant.call("sync", "-v", check=FAILURE)
        assert "titled '***'" in outcome.err
        assert CANARY not in outcome.err


CA_CONFIGURATION = b"""
[ca]
database = index
serial = serial
policy = any
[any]
commonName = supplied
[req]
distinguished_name = any
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[good]
subjectAltName = DNS:localhost,IP:127.0.0.1
authorityKeyIdentifier = keyid
[stranger]
subjectAltName = DNS:stranger.invalid
authorityKeyIdentifier = keyid
"""


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A directory with an authority and what it certifies: good, expired, stranger."""
    if not shutil.which("openssl"):
        pytest.skip("the openssl command is not installed")
    root = tmp_path_factory.mktemp("certificates")
    for name, data in (("cnf", CA_CONFIGURATION), ("index", b""), ("serial", b"01\n")):
        write(root, name, data)

    def openssl(line):
        command = ["openssl", *line.split(), "-config", "cnf"]
        done = subprocess.run(command, cwd=root, capture_output=True, env=GIT_ENV)
        if done.returncode:
            pytest.skip(f"openssl {line}: {done.stderr.decode()[-200:]}")

    new = "req -newkey rsa:2048 -nodes -subj /CN=agents"
    openssl(f"{new} -keyout ca.key -x509 -days 3650 -extensions authority -out ca.pem")
    openssl(f"{new} -keyout key.pem -out request.pem")
    sign = "ca -name ca -batch -notext -cert ca.pem -keyfile ca.key -in request.pem"
    sign += " -outdir . -md sha256 -startdate 200101000000Z"
    for name, extensions, end in (("good", "good", 49), ("expired", "good", 21),
                                  ("stranger", "stranger", 49)):  # fmt: skip
        date = f"-enddate {end}0101000000Z -subj /CN={name}"
        openssl(f"{sign} {date} -extensions {extensions} -out {name}.pem")
    return root


class SecureSite(Site):
    """The same over TLS, with one of the certificates of `certificates`."""

    def __init__(self, root, name):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(str(root / f"{name}.pem"), str(root / "key.pem"))
        super().__init__()

    @property
    def url(self):
        return super().url.replace("http:", "https:")

    def finish_request(self, client, address):
        with self.context.wrap_socket(client, server_side=True) as secure:
            super().finish_request(secure, address)


class DistantSite(SecureSite):
    """The same, behind a proxy that it plays as well; *head* is what that was told."""

    base = "https://stranger.invalid/agents"

    def finish_request(self, client, address):
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            self.head += client.recv(1)
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        super().finish_request(client, address)


CERTIFICATES = [  # OpenSSL's code, the environment: what is said
    (20, {}, "set SSL_CERT_FILE to a file with it"),
    (20, {"REQUESTS_CA_BUNDLE": "/x"}, "the file that REQUESTS_CA_BUNDLE names"),
    (20, {"SSL_CERT_FILE": "/nowhere"}, "/nowhere, which is not a file"),
    (20, {"SSL_CERT_FILE": __file__}, "is the network's own authority in"),
    (20, {"SSL_CERT_DIR": "/nowhere"}, "/nowhere, which is not a directory"),
    (20, {"SSL_CERT_DIR": os.pathsep.join(["/nowhere", os.sep])}, "own authority in"),
    (10, {"SSL_CERT_FILE": "/nowhere"}, "is the URL right"),
    (62, {}, "is the URL right"),
    (92, {}, "which Python 3.13 then checks like curl and git"),
]


class TestTls:
    """FAULTS H34, N16: what is not certified is not asked."""

    @pytest.fixture
    def secure(self, request, certificates, program):
        with SecureSite(certificates, request.param) as site:
            yield Mirror(program, site)

    @pytest.fixture
    def trusted(self, certificates, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
        return certificates

    @pytest.mark.parametrize("secure", ["good"], indirect=True)
    def test_ones_own_authority_is_trusted(self, secure, trusted, with_token):
        assert secure.follows("-j", "2")
        assert secure.upstream.connections <= 2
        assert all(CANARY in credentials(ask) for ask in secure.upstream.requests)

    BAD = [("good", False), ("expired", True), ("stranger", True)]

    @pytest.mark.parametrize("secure, is_known", BAD, indirect=["secure"])
    def test_no_others_are_trusted(self, secure, is_known, request):
        """By an unknown authority, no longer, or for another."""
        if is_known:
            request.getfixturevalue("trusted")
        assert "certif" in secure.sync(check=1)["error"].lower()
        assert not secure.tree()
        assert not secure.upstream.requests

    @pytest.mark.parametrize("secure", ["good"], indirect=True)
    def test_no_redirect_leaves_https(self, secure, site, trusted):
        secure.upstream.answers["agents.json"] = moved_to(f"{site.base}/agents.json")
        assert "https" in secure.sync(check=1)["error"]
        assert not site.requests

    def test_a_certificate_that_fails_says_what_to_set(self):
        for code, environ, words in CERTIFICATES:
            assert words in agent_sync.certificate_hint(code, environ)

    GREETINGS = [  # what a server does that cannot do TLS; how often it is tried again
        (lambda client, address: client.sendall(http_reply(400)), 0),
        (lambda client, address: client.recv(9999), agent_sync.MAX_RETRIES),
    ]

    @pytest.mark.parametrize("greet, tries", GREETINGS, ids=["no-TLS", "broken-off"])
    def test_a_handshake_that_fails_is_tidy(self, program, site, pauses, greet, tries):
        """FAULTS H27, N17: one that breaks off is tried again."""
        site.finish_request = greet
        program.call("add", site.base.replace("http:", "https:"), "--id", "src")
        program.call("sync", "--timeout", "20", check=1)
        assert len(pauses) == tries

    def test_a_proxy_gets_no_token(self, program, trusted, with_token, monkeypatch):
        """FAULTS H33: but its password, which goes with CONNECT and nothing else."""
        with DistantSite(trusted, "stranger") as site:
            address = f"me:{CANARY}@127.0.0.1:{site.server_address[1]}"
            monkeypatch.setenv("https_proxy", f"http://{address}")
            assert Mirror(program, site).follows("-j", "1")
        secret = base64.b64encode(f"me:{CANARY}".encode())
        assert site.connections == 1
        assert site.head.startswith(b"CONNECT stranger.invalid:443 ")
        assert b"\r\nProxy-Authorization: Basic " + secret in site.head
        assert site.head.lower().count(b"authorization") == 1
        assert not [ask for ask in site.requests if "proxy" in str(ask.headers)]


def page_titled(text):
    return http_reply(200, f"<title>{text}</title>".encode(), (), "text/html")


ECHOES = {  # where a server may repeat what it was sent
    "an error of Git's": lambda sent: git_result(pkt(b"ERR " + sent.encode())),
    "a manifest": lambda sent: http_reply(200, sent.encode()),
    "a title": page_titled,
    "a type": lambda sent: http_reply(200, content_type=f"text/{sent}"),
    "an encoding": lambda sent: encoded(sent, b"x"),
    "a redirect": lambda sent: moved_to(f"/{sent}"),
    "a status": lambda sent: raw(status=f"{sent} OK"),
    "a reason": lambda sent: raw(status=f"401 {sent}"),
}
NETRC = [  # a file, and what it gives for h.io, or the complaint
    ("machine h.io login me password secret", "me:secret"),
    ("# x\nmachine x login a password b\nmachine h.io\n\tpassword s", ":s"),
    ("machine h.io login me account x password s # note", "me:s"),
    ("machine x login a method interactive\nmachine h.io password s", ":s"),
    ("machine x login only\nmachine h.io password s", ":s"),
    ('macdef x\ncd "x\nmachine h.io password no\n\nmachine h.io password s', ":s"),
    ("\ufeffmachine h.io password s\r\n", ":s"),
    ('machine h.io login "my self" password "a\\"b\\t\\\\"', 'my self:a"b\t\\'),
    ("machine x password no default login me password s", "me:s"),
    ("machine http://h.io password s", None),
    ('machine h.io\n password "s', "line 2 has an unclosed quote"),
]
TOKENS = [  # the secret, a host, what is sent
    ("t0", "h.io", "x-access-token:t0"),
    ("me:t0", "h.io", "me:t0"),
    ("t0", "bitbucket.org", "x-bitbucket-api-token-auth:t0"),
    ("ATCTT0", "bitbucket.org", "x-token-auth:ATCTT0"),
    ("Bearer t0", "h.io", "Bearer t0"),
]


class TestCredentialsAsTheyAre:
    """FAULTS N15."""

    def test_netrc_is_read_as_curl_does(self, program):
        for text, expected in NETRC:
            write(program.root, "netrc", text.encode())
            environ = {"NETRC": str(program.root / "netrc")}
            found = agent_sync.find_credential("https://h.io", None, environ)
            _, fault = agent_sync.read_netrc(environ)
            sent = found and base64.b64decode(found.header.split()[1]).decode()
            assert expected == (sent or (fault and fault.partition("read: ")[2])), text

    def test_a_token_goes_as_its_host_wants_it(self):
        for secret, host, sent in TOKENS:
            environ = {"AGENT_SYNC_TOKEN_SRC": f" {secret}\n"}
            found = agent_sync.find_credential(f"https://{host}/x", "src", environ)
            basic = "Basic " + base64.b64encode(sent.encode()).decode()
            assert found.header in (sent, basic)
        environ = {"AGENT_SYNC_TOKEN_SRC": f"Bearer {CANARY}\nX: y"}
        told = refusal(agent_sync.find_credential, "https://h.io/x", "src", environ)
        assert "AGENT_SYNC_TOKEN_SRC" in told
        assert CANARY not in told

    def test_a_bad_line_is_told_where_it_may_matter(self, web, site):
        write(os.environ["HOME"], ".netrc", b'machine 127.0.0.1 password "x\n')
        site.answers["agents.json"] = http_reply(401)
        assert "line 1 has an unclosed quote" in web.sync(check=1)["error"]

    def test_a_refused_token_is_left_out_once_and_told(self, web, site, with_token):
        """Of a public site that refuses an old one; a private one says which it was."""
        refused = http_reply(401)
        site.answer = lambda ask: refused if "authorization" in ask.headers else None
        assert "refuses AGENT_SYNC_TOKEN_SRC" in web.program.call("sync", "-j", "1").err
        assert web.is_faithful()
        assert sum("authorization" in ask.headers for ask in site.requests) == 1
        site.answer = lambda ask: refused
        assert "refuses AGENT_SYNC_TOKEN_SRC" in web.sync(check=1)["error"]

    @pytest.mark.parametrize("kind", ["git", "http"])
    def test_a_token_a_server_repeats_is_not_shown(self, program, with_token, kind):
        secret = base64.b64encode(f"x-access-token:{CANARY}".encode()).decode()
        with ScriptedOrigin({}) as server:
            program.call("add", f"{server.url}/x", "--kind", kind, "--id", "src")
            for place, echo in ECHOES.items():
                server.answer = lambda ask, echo=echo: echo(CANARY + secret)
                outcome = program.call("sync", "-v", check=FAILURE)
                assert "src: " in outcome.err, place
                shown = outcome.out + outcome.err
                assert CANARY not in shown and secret not in shown, place
        runs = program.query("SELECT error_message FROM sync_history")
        assert CANARY not in str(runs)

    def test_titles_without_end_take_no_time(self, web, site):
        """A page of nothing but titles that are not closed."""
        page = b"<title>" * (agent_sync.CHUNK_SIZE // 7)
        site.answers["agents.json"] = http_reply(200, page, (), "text/html")
        begun = time.process_time()
        assert "came as a web page: " in web.sync(check=1)["error"]
        assert time.process_time() - begun < 1


# ==== Pkt-lines ====

BAD_LENGTHS = [
    *(b"0002", b"0003", b"zzzz", b" 00f", b"+00f", b"-001", b"00 f", b"0_0f", b"0x0f"),
    *(b"00f\n", b"fff1", b"FFFF", "０1".encode()),
]
SHALLOW = pkt(b"shallow-info\n")
BAD_SECTIONS = {
    "nothing": b"",
    "a flush before the pack": b"0000" + pack_answer(b"PACK"),
    "a delim before the pack": b"0001" + pack_answer(b"PACK"),
    "no flush after the pack": pack_answer(b"PACK", end=b""),
    "a delim after the pack": pack_answer(b"PACK", end=b"0001"),
    "acknowledgments": pkt(b"acknowledgments\n") + pkt(b"NAK\n") + b"0001",
    "ready without a delim": pkt(b"acknowledgments\n") + pkt(b"ready\n") + b"0000",
    "a bare NAK": pkt(b"NAK\n") + pack_answer(b"PACK"),
    "wanted refs": pkt(b"wanted-refs\n") + b"0001" + pack_answer(b"PACK"),
    "pack URIs": pkt(b"packfile-uris\n") + pkt(b"0" * 40 + b" file:///x\n") + b"0001",
    "a flush among the shallow": SHALLOW + b"0000",
    "an end among the shallow": SHALLOW + pkt(b"shallow x\n"),
    "an error for a section": pkt(b"ERR no \x1b[31mway"),
    "an error among the shallow": SHALLOW + pkt(b"ERR no way"),
    "a pack without side-bands": pkt(b"packfile\n") + b"PACK\0\0\0\2",
    "a pack without pkt-lines": b"PACK\0\0\0\2\0\0\0\0",
}


class TestPktLines:
    """FAULTS G22 to G26."""

    def test_a_bad_length_is_an_error(self):
        """G22: `int` itself would take most of these; and each kind of early end."""
        for length in BAD_LENGTHS:
            assert refusal(agent_sync.read_pkt, reader(length + b"x" * 0xFFFF)), length
        for data in (b"00", b"", b"000fabc", b"0005"):
            assert refusal(agent_sync.read_pkt, reader(data)), data

    @pytest.mark.parametrize("size", [0, 1, 10, 11, 65515, 65516])
    def test_a_payload_comes_as_it_is(self, size):
        """G22, G23: the four digits may be in either case."""
        payload = b"x" * size
        assert agent_sync.read_pkt(reader(pkt(payload) + b"more")) == payload
        upper = b"%04X" % (size + 4) + payload
        assert agent_sync.read_pkt(reader(upper)) == payload

    def test_a_line_that_reads_like_a_flush_or_delim_is_a_line(self):
        """G22: only the length field makes a flush-pkt."""
        assert agent_sync.read_pkt(reader(b"0000")) == agent_sync.FLUSH_PKT
        assert agent_sync.read_pkt(reader(b"0001")) == agent_sync.DELIM_PKT
        stream = b"00080000" b"00080001" b"0006a\n0000"
        read = agent_sync.read_lines(reader(stream), 100)
        assert list(read) == [b"0000", b"0001", b"a"]

    @pytest.mark.parametrize("words", [b"no", b"no\n", b"\x1b[31mno\x07\x1b]0;x"])
    def test_an_error_packet_is_the_servers_refusal(self, words):
        with pytest.raises(agent_sync.RefusedError, match="no") as caught:
            agent_sync.read_pkt(reader(pkt(b"ERR " + words)))
        assert not UNPRINTABLE.search(str(caught.value))

    def test_lines_end_with_a_flush_and_are_bounded(self):
        """G23, INV5: an empty one takes memory too."""
        long = pkt(b"x" * 60) * 2 + b"0000"
        empty = b"0004" * 100_000 + b"0000"
        for stream in (b"0001", b"0009a\n0001", b"", b"0006a\n", long, empty):
            assert refusal(lambda s=stream: [*agent_sync.read_lines(reader(s), 100)])
        assert len(list(agent_sync.read_lines(reader(long), 1000))) == 2

    @pytest.mark.parametrize("before", [b"", pkt(b"\1data")])
    def test_what_is_no_data_or_progress_is_an_error(self, before):
        bad = [(band, "band") for band in (b"\0x", b"\4x", b"\xffx", b"0000", b"")]
        bad += [(b"\3no way\n", "no way"), (b"\3\x1b[2Jno\x07 way", "way")]
        for packet, words in [*bad, (b"ERR no way", "no way")]:
            stream = reader(before + pkt(packet) + pkt(b"\1more") + b"0000")
            assert words in refusal(lambda s=stream: [*agent_sync.read_side_band(s)])
        assert refusal(lambda: [*agent_sync.read_side_band(reader(before + b"0001"))])
        stream = reader(before)
        assert "hung up" in refusal(lambda: [*agent_sync.read_side_band(stream)])

    def test_progress_and_empty_data_are_passed_over(self):
        progress = pkt(b"\2\x1b[31mCounting\x07\r") * 1000
        stream = reader(progress + pkt(b"\1a") + pkt(b"\1") + pkt(b"\2") + b"0000")
        assert b"".join(agent_sync.read_side_band(stream)) == b"a"

    def test_a_section_out_of_place_is_an_error(self):
        for name, data in BAD_SECTIONS.items():
            assert refusal(lambda d=data: [*agent_sync.read_pack_data(reader(d))]), name

    def test_more_after_the_end_is_an_error(self):
        """G04: bytes after the pack's checksum, inside the packets and behind them."""
        commit, pack, files = small_history()
        assert brought_from(pack, commit) == files
        assert refusal(brought_from, pack + b"x", commit)
        assert refusal(brought, Transport(commit, pack_answer(pack) + b"0000"))


# ==== Git objects ====

A_BLOB = ("blob", b"# A\n")
A_TREE = tree_object(("100644", "a.md", A_BLOB))
A_COMMIT = commit_object(A_TREE)
TREE_ID = object_id(*A_TREE).encode()


def packed(*objects):
    """A pack of *objects* and the id of the last one, as `brought_from` takes them."""
    return pack_of(*full_entries(*objects)), object_id(*objects[-1])


def small_history():
    """(commit id, pack, {path: bytes}) of a small history, the pack with a delta."""
    text = prose("small", 300)
    blobs = [("blob", text), ("blob", text + b"More.\n"), A_BLOB]
    inner = tree_object(("100644", "b.md", blobs[1]), ("100755", "c.json", blobs[2]))
    root = tree_object(("100644", "a.md", blobs[0]), ("40000", "inner", inner))
    commit = commit_object(root)
    delta = delta_between(text, blobs[1][1])
    head = full_entries(commit, root, inner, blobs[2], blobs[0])
    pack = pack_of(*head, ofs_entry(delta, len(head[-1])))
    files = {"a.md": text, "inner/b.md": blobs[1][1], "inner/c.json": A_BLOB[1]}
    return object_id(*commit), pack, files


def tree_of(*names):
    """A tree with A_BLOB for each name, or A_TREE for "name/", in this order."""
    return tree_object(*(
        ("40000", name[:-1], A_TREE) if name[-1:] == "/" else ("100644", name, A_BLOB)
        for name in names
    ))  # fmt: skip


BAD_TREES = {
    "G17-cut in the id": A_TREE[1][:-1],
    "G17-cut after the name": A_TREE[1][:12],
    "G17-no NUL": b"100644 a.md",
    "G17-no space": b"100644a.md\0" + bytes(20),
    "G17-letters for a mode": b"1006x4 a.md\0" + bytes(20),
    "G17-eight for a digit": b"100684 a.md\0" + bytes(20),
    "G17-no mode": b" a.md\0" + bytes(20),
    "G17-a sign": b"+10644 a.md\0" + bytes(20),
    "G17-a long mode": b"1000100644 a.md\0" + bytes(20),
    "G17-a twin": tree_of("a", "a")[1],
    "G17-file and directory": tree_of("a", "a.md", "a/")[1],
    "G17-out of order": tree_of("b", "a")[1],
    "G17-a directory too early": tree_of("a/", "a.md")[1],
    "G17-a file too late": tree_of("a.md", "a")[1],
    "P01-empty": tree_of("")[1],
    "P01-dot": tree_of(".")[1],
    "P01-dot dot": tree_of("../")[1],
    "P02-slash": tree_of("a/b")[1],
    "P02-absolute": tree_of("/a")[1],
    "P03-git": tree_of(".git/")[1],
    "P03-GIT": tree_of(".GIT/")[1],
}
BAD_COMMITS = {
    "G19-empty": b"",
    "G19-no tree": b"author A <a@b> 1 +0000\n\nx",
    "G19-parent first": b"parent %s\ntree %s\n\nx" % (TREE_ID, TREE_ID),
    "G19-no hex": b"tree %s\n\nx" % (b"g" * 40),
    "G19-upper case": b"tree %s\n\nx" % TREE_ID.upper(),
    "G19-short": b"tree %s\n\nx" % TREE_ID[:39],
    "G19-long": b"tree %s0\n\nx" % TREE_ID,
    "G19-two spaces": b"tree  %s\n\nx" % TREE_ID,
    "G19-NUL": b"tree %s\0\n\nx" % TREE_ID,
    "G19-no line feed": b"tree %s" % TREE_ID,
    "G18-a blob for a tree": commit_object(A_BLOB)[1],
    "G18-a commit for a tree": commit_object(A_COMMIT)[1],
    "G20-a tree that is not there": commit_object("1" * 40)[1],
}
ODD_COMMITS = [  # G19
    b"tree %s\nauthor A <a@b> 99999999999999999999 +9999\n\nx" % TREE_ID,
    b"tree %s\n\nx" % TREE_ID,
    b"tree %s\nencoding \xff\0\n\nx" % TREE_ID,
    b"tree %s\ngpgsig %s\n\nx" % (TREE_ID, b"x" * MIB),
    b"tree %s\n\ntree %s\n" % (TREE_ID, b"1" * 40),
]


def tree_of_paths(paths, objects):
    """The tree object with A_BLOB at each of *paths*; all trees go to *objects*."""
    below, entries = {}, []
    for path in paths:
        name, slash, rest = path.partition("/")
        below.setdefault(name + slash, []).append(rest)
    for name in sorted(below, key=str.encode):
        is_tree = name[-1] == "/"
        target = tree_of_paths(below[name], objects) if is_tree else A_BLOB
        entries.append(("40000" if is_tree else "100644", name.rstrip("/"), target))
    objects.append(tree_object(*entries))
    return objects[-1]


class TestObjects:
    """FAULTS G17 to G20, P01 to P03, P11 to P15 and P21."""

    @pytest.mark.parametrize("name", BAD_TREES)
    def test_what_fsck_refuses_is_refused(self, name, no_objects):
        root = "tree", BAD_TREES[name]
        pack, commit = packed(A_BLOB, A_TREE, root, commit_object(root))
        assert git_refusal(no_objects, pack)
        assert refusal(lambda: list(agent_sync.parse_tree(BAD_TREES[name])))
        assert refusal(brought_from, pack, commit)

    def test_gits_own_order_is_the_right_one(self, tmp_path):
        """A directory sorts as if its name ended with a slash."""
        repository = Repository.create(tmp_path / "order")
        for path in ("a-b", "a/x", "a.md", "a0", "b/y", "ba", "é", "z/é"):
            repository.write(path, b"x")
        repository.commit()
        raw = repository.git("cat-file", "tree", "HEAD^{tree}")
        names = [entry.name for entry in agent_sync.parse_tree(raw)]
        listed = repository.git("ls-tree", "-z", "--name-only", "HEAD")
        assert names == listed.split(b"\0")[:-1]

    def test_the_type_comes_from_the_mode_alone(self):
        """P21 and G17: bits of permission, and a zero in front, do not matter."""
        modes = ["100644", "100755", "100664", "100777", "104755", "0100644"]
        cases = [(mode, "a.md", A_BLOB, {"a.md": A_BLOB[1]}) for mode in modes]
        modes = ["120000", "160000", "010644", "060000"]
        cases += [(mode, "a.md", A_BLOB, {}) for mode in modes]
        cases += [(m, "d", A_TREE, {"d/a.md": A_BLOB[1]}) for m in ("40755", "040000")]
        for *entry, expected in cases:
            root = tree_object(entry)
            found = brought_from(*packed(A_BLOB, A_TREE, root, commit_object(root)))
            assert found == expected, entry

    LIES = [("40000", A_BLOB), ("100644", A_TREE), ("100644", A_COMMIT)]

    @pytest.mark.parametrize("mode, target", [*LIES, ("40000", A_COMMIT)])
    def test_a_lie_about_a_type_is_an_error(self, mode, target, no_objects):
        root = tree_object((mode, "a.md", target))
        pack, commit = packed(A_BLOB, A_TREE, A_COMMIT, root, commit_object(root))
        assert git_refusal(no_objects, pack)
        assert refusal(brought_from, pack, commit)

    def test_files_that_cannot_be_here_keep_no_other_away(self):
        for name in (b"\xff\xfe.md", b"\xc0\xaf.md", b"\xed\xa0\x80.md"):
            root = tree_object(("100644", "a.md", A_BLOB), ("100644", name, A_BLOB))
            found = brought_from(*packed(A_BLOB, root, commit_object(root)))
            assert found == {"a.md": A_BLOB[1]}, name
        for row, paths in TWINS.items():
            objects = [A_BLOB]
            objects.append(commit_object(tree_of_paths(["good.md", *paths], objects)))
            if row[:3] == "P15" or "agents" in paths:  # Not even a tree.
                assert refusal(brought_from, *packed(*objects))
            else:
                assert brought_from(*packed(*objects)) == {"good.md": A_BLOB[1]}, row

    def test_a_tree_thousands_deep_is_skipped_and_not_recursed_into(self):
        objects = [A_BLOB, A_TREE]
        for _ in range(5000):
            objects.append(tree_object(("40000", "d", objects[-1])))
        root = tree_object(("100644", "a.md", A_BLOB), ("40000", "d", objects[-1]))
        found = brought_from(*packed(*objects, root, commit_object(root)))
        assert found == {"a.md": A_BLOB[1]}

    def test_a_tree_that_repeats_itself_is_not_walked_for_ever(self, monkeypatch):
        """G10, INV5: a dozen small trees that are 10**12 files, a "git bomb"."""
        monkeypatch.setattr(agent_sync, "MAX_OBJECTS", 2000)
        objects = [A_BLOB, tree_of(*(f"{n}.md" for n in range(10)))]
        while len(objects) <= 12:
            ten = (("40000", f"d{n}", objects[-1]) for n in range(10))
            objects.append(tree_object(*ten))
        pack, commit = packed(*objects, commit_object(objects[-1]))
        assert "2000 files" in refusal(brought_from, pack, commit)

    def test_a_commit_without_a_sound_tree_is_an_error(self):
        for name, data in BAD_COMMITS.items():
            pack, commit = packed(A_BLOB, A_TREE, A_COMMIT, ("commit", data))
            assert refusal(brought_from, pack, commit), name

    def test_only_the_tree_of_a_commit_matters(self):
        for data in ODD_COMMITS:
            found = brought_from(*packed(A_BLOB, A_TREE, ("commit", data)))
            assert found == {"a.md": A_BLOB[1]}, data[:99]

    def test_a_tag_leads_to_a_commit_or_is_an_error(self):
        """G18: a lying server may give one for a branch, or a long chain of them."""

        def told_of(target, length):
            tags = [A_BLOB, A_TREE, A_COMMIT, target]
            for _ in range(length):
                head = f"object {object_id(*tags[-1])}\ntype {tags[-1][0]}\ntag v\n\nx"
                tags.append(("tag", head.encode()))
            return refusal(brought_from, *packed(*tags))

        assert told_of(A_COMMIT, 1) is told_of(A_COMMIT, 3) is None
        assert told_of(A_TREE, 1) and told_of(A_BLOB, 1) and told_of(A_COMMIT, 1000)


# ==== Packfiles ====


@pytest.fixture(scope="session", params=["sha1", "sha256"])
def history(request, tmp_path_factory):
    """60 commits with `objects`, {id: (kind, content)}, as `git cat-file` has them."""
    directory = tmp_path_factory.mktemp("history") / request.param
    repository = Repository.create(directory, f"--object-format={request.param}")
    repository.git("fast-import", "--quiet", data=history_stream())
    repository.git("tag", "-a", "-m", "one", "v1", "main")
    listing = repository.git("cat-file", "--batch-all-objects", "--batch") + b"\n"
    stream = io.BytesIO(listing)
    repository.algorithm, repository.objects = request.param, {}
    while head := stream.readline().split():
        name, kind, size = head
        repository.objects[name.decode()] = kind.decode(), stream.read(int(size))
        stream.read(1)
    return repository


def history_stream():
    """What `git fast-import` reads: the same for every run."""
    noise, text, stream = random.Random(1), b"", b""
    big = bytes(noise.getrandbits(8) for _ in range(300_000))
    files = {"big.bin": big, "zeros.bin": bytes(3 * MIB), "empty.md": b""}
    for number in range(60):
        text = prose(f"growing {number}", 120) + text
        files["growing.md"] = text
        files[f"d{number % 7}/{number}.md"] = prose(str(number % 9), 400) + text[:90]
        if number == 30:
            files["big.bin"] = big[:150_000] + b"middle" + big[150_000:]
        who = b"committer C <c@example.com> %d +0000\n" % (1_700_000_000 + number)
        stream += b"commit refs/heads/main\n" + who + b"data 1\nx\n"
        for path, data in files.items():
            head = b"M 100644 inline %s\ndata %d\n" % (path.encode(), len(data))
            stream += head + data + b"\n"
        files = {}
    return stream


class TestPacksByGit:
    """G21: the oracle is `git cat-file --batch-all-objects`."""

    def pack_by_git(self, history, directory, options):
        options = f"--all -q --no-reuse-delta --no-reuse-object {options}".split()
        name = history.git("pack-objects", *options, directory / "all", data=b"")
        return (directory / f"all-{name.decode()}.pack").read_bytes()

    OPTIONS = ["", "--delta-base-offset", "--compression=0"]  # "": with ref-deltas
    OPTIONS += ["--delta-base-offset --depth=4095 --window=300"]

    @pytest.mark.parametrize("options", OPTIONS)
    def test_a_pack_gives_the_objects_that_git_sees(self, history, options, tmp_path):
        pack = self.pack_by_git(history, tmp_path, options)
        assert unpacked(pack, history.algorithm) == history.objects

    def test_wanted_objects_are_given_without_the_others(self, history, tmp_path):
        pack = self.pack_by_git(history, tmp_path, "--window=0")
        kinds = sorted((name, kind) for name, (kind, _) in history.objects.items())
        wanted = {name for name, kind in kinds[::5] if kind == "blob"}
        found = received(pack, history.algorithm).objects({"blob"}, wanted)
        assert {name for name, _, _ in found} == wanted

    @pytest.mark.parametrize("size", [1, 19, 20, 21, 1000])
    def test_chunks_of_any_size_make_the_same_pack(self, size):
        commit, data, _ = small_history()
        pack = agent_sync.Pack(io.BytesIO())
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        assert [*pack.receive(chunks)] == []
        found = {name for name, _, _ in pack.objects(EVERY_KIND)}
        assert found == set(unpacked(data)) and commit in found


def traced(function, *args):
    """A call's (result, bytes of memory left taken, bytes at the most)."""
    tracemalloc.start()
    try:
        return (function(*args), *tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()


TEXT = b"The quick brown fox jumps over the lazy dog.\n"


def of_text(size, *instructions):
    return delta_of(len(TEXT), size, *instructions)


BAD_DELTAS = {  # G14: git says "failed to apply delta" to each
    "a base one byte larger": delta_of(len(TEXT) + 1, 1, copy_of(0, 1)),
    "a base one byte smaller": delta_of(len(TEXT) - 1, 1, copy_of(0, 1)),
    "a copy over the end": of_text(10, copy_of(len(TEXT) - 9, 10)),
    "a copy from behind the end": of_text(1, copy_of(len(TEXT), 1)),
    "a copy of 65536 by default": of_text(0x10000, b"\x80"),
    "a result too short": of_text(4, copy_of(0, 3)),
    "a result too long": of_text(2, copy_of(0, 3)),
    "a result too long by an insert": of_text(2, insert_of(b"abc")),
    "nothing made": of_text(1),
    "the reserved instruction": of_text(1, b"\0", insert_of(b"x")),
    "the reserved instruction at the end": of_text(1, insert_of(b"x"), b"\0"),
    "an insert cut short": of_text(5, b"\x05abcd"),
    "an insert without data": of_text(1, b"\x01"),
    "a copy cut in its offset": of_text(1, b"\x9f\0\0"),
    "a copy cut in its size": of_text(1, b"\xf0\1"),
    "trailing garbage": of_text(1, insert_of(b"x"), b"\x83"),
    "no bytes": b"",
    "only the base's size": size_bytes(len(TEXT)),
    "a size without an end": b"\xff" * 12,
    "a result of 2**62": of_text(2**62, copy_of(0, 1)),
    "a size of 20 bytes": size_bytes(len(TEXT)) + b"\x80" * 19 + b"\0" + b"\x01x",
}
GOOD_DELTAS = {  # G15: the instruction, what it copies of 300,000 bytes
    "no size is 0x10000": (b"\x80", 0, 0x10000),
    "a size of zero is 0x10000": (b"\xf0\0\0\0", 0, 0x10000),
    "an offset and no size": (b"\x81\x07", 7, 0x10000),
    "a size of three bytes": (b"\xf0\1\0\3", 0, 0x30001),
    "only the third byte of a size": (b"\xc0\2", 0, 0x20000),
    "an offset of three bytes": (b"\x97\1\0\2\5", 0x020001, 5),
    "an offset of four bytes": (b"\x9f\1\0\1\0\5", 0x010001, 5),
    "only the third byte of an offset": (b"\x94\3\5", 0x030000, 5),
    "offsets and sizes in full": (b"\xff\1\2\1\0\4\3\1", 0x010201, 0x010304),
}


class TestDeltas:
    """FAULTS G14 and G15."""

    @pytest.mark.parametrize("name", BAD_DELTAS)
    def test_a_bad_delta_is_an_error_here_and_to_git(self, name, no_objects):
        delta = BAD_DELTAS[name]
        assert refusal(agent_sync.apply_delta, TEXT, delta)
        pack = pack_of(TEXT_ENTRY, ofs_entry(delta, len(TEXT_ENTRY)))
        assert git_refusal(no_objects, pack, strict=False)
        assert refusal(unpacked, pack)

    @pytest.mark.parametrize("name", GOOD_DELTAS)
    def test_every_form_of_a_copy_is_understood(self, name, no_objects):
        instruction, offset, size = GOOD_DELTAS[name]
        base = random.Random(2).getrandbits(8 * 300_000).to_bytes(300_000, "big")
        made = base[offset : offset + size]
        delta = delta_of(len(base), size, instruction)
        assert agent_sync.apply_delta(base, delta) == made
        first = pack_entry("blob", base, level=0)
        pack = pack_of(first, ofs_entry(delta, len(first)))
        assert git_refusal(no_objects, pack) is None
        assert unpacked(pack) == by_id(("blob", base), ("blob", made))

    def test_many_small_instructions_take_little_memory(self):
        """G10, INV5: two bytes of it make two bytes, and must make no list of all."""
        size = 32 << 10
        delta = of_text(size, b"\x90\x02" * (size // 2))
        made, _, peak = traced(agent_sync.apply_delta, TEXT, delta)
        assert len(made) == size
        assert peak < 4 * size


FULL = full_entries(A_BLOB, A_TREE, A_COMMIT)
TEXT_ENTRY = pack_entry("blob", TEXT)
TEXT_DELTA = of_text(3, copy_of(0, 3))
PACK_HEAD = b"PACK\0\0\0\2\0\0\0\1"
EMPTY = zlib.compress(b"")


def based_on(distance):
    """A pack of TEXT and of a delta whose base begins so far back."""
    return pack_of(TEXT_ENTRY, ofs_entry(TEXT_DELTA, distance))


def pack_with(*head):
    """A pack that ends in the header of its only entry."""
    return with_checksum(b"".join([PACK_HEAD, *head]))


BAD_PACKS = {
    "G03-a checksum of zeros": pack_of(*FULL)[:-20] + bytes(20),
    "G03-the checksum of sha256": pack_of(*FULL, algorithm="sha256"),
    "G04-bytes after the checksum": pack_of(*FULL) + b"\0",
    "G04-bytes before the checksum": with_checksum(pack_of(*FULL)[:-20] + b"\0"),
    "G05-one too many": pack_of(*FULL, count=4),
    "G05-one too few": pack_of(*FULL, count=2),
    "G05-none said": pack_of(*FULL, count=0),
    "G05-2**32-1": pack_of(*FULL, count=2**32 - 1),
    "G06-version 4": pack_of(*FULL, version=4),
    "G06-version 2 and more": pack_of(*FULL, version=(1 << 24) + 2),
    "G06-version 1": pack_of(*FULL, version=1),
    "G06-another signature": pack_of(*FULL, signature=b"PACk"),
    "G06-a header alone": b"PACK\0\0\0\2\0\0\0\0",
    "G07-type 0": pack_of(pack_entry(0, b"x")),
    "G07-type 5": pack_of(pack_entry(5, b"x")),
    "G08-a size too small": pack_of(pack_entry("blob", b"abc", size=2)),
    "G08-a size too large": pack_of(pack_entry("blob", b"abc", size=4)),
    "G08-a size of nothing": pack_of(pack_entry("blob", b"abc", size=0)),
    "G08-no size and no end": pack_of(pack_entry("blob", b"abc")[:-4]),
    "G08-no deflated data": pack_of(entry_header(3, 3) + b"\0" * 30),
    "G08-a wrong checksum of zlib": pack_of(pack_entry("blob", b"abc")[:-1] + b"\0"),
    "G08-a preset dictionary": pack_of(entry_header(3, 3) + b"\x78\xbb" + b"\0" * 30),
    "G08-raw deflate": pack_of(entry_header(3, 3) + zlib.compress(b"abc")[2:-4]),
    "G09-2**40 said": pack_of(pack_entry("blob", b"abc", size=2**40)),
    "G09-2**70 said": pack_of(pack_entry("blob", b"abc", size=2**70)),
    "G09-a header of 200 bytes": pack_of(b"\xb0" + b"\x80" * 200 + b"\1" + EMPTY),
    "G09-a header without an end": pack_with(b"\xbf", b"\xff" * 60),
    "G11-no distance": based_on(0),
    "G11-into the end of the one before": based_on(1),
    "G11-to the very front": based_on(len(TEXT_ENTRY) + 12),
    "G11-before the front": based_on(len(TEXT_ENTRY) + 13),
    "G11-2**70 back": based_on(2**70),
    "G11-a distance without an end": pack_with(entry_header(OFS, 3), b"\xff" * 90),
    "G12-a base cut short": pack_with(entry_header(REF, 3), b"\x11" * 10),
}
ODD_PACKS = {  # the pack, and the objects in it
    "one by hand": (pack_of(*FULL), (A_BLOB, A_TREE, A_COMMIT)),
    "G06-version 3": (pack_of(*FULL, version=3), (A_BLOB, A_TREE, A_COMMIT)),
    "G06-nothing": (pack_of(), ()),
    "G16-a long header": (pack_of(b"\xb1\x00" + zlib.compress(b"x")), [("blob", b"x")]),
    "G16-an object twice": (pack_of(*FULL, *FULL), (A_BLOB, A_TREE, A_COMMIT)),
}
DELTA_FIRST = pack_of(ref_entry(TEXT_DELTA, object_id("blob", TEXT)), TEXT_ENTRY)
ODD_PACKS["a delta first"] = DELTA_FIRST, [("blob", TEXT), ("blob", TEXT[:3])]


def flip(data, bit):
    """*data* with one bit flipped."""
    return set_byte(data, bit // 8, data[bit // 8] ^ 1 << bit % 8)


class TestPacksByHand:
    """FAULTS G01 to G16."""

    @pytest.mark.parametrize("name", BAD_PACKS)
    def test_a_bad_pack_is_refused_here_and_by_git(self, name, no_objects):
        pack = BAD_PACKS[name]
        if name != "G04-bytes after the checksum":  # which git accepts
            assert git_refusal(no_objects, pack, strict=False)
        assert refusal(unpacked, pack)

    @pytest.mark.parametrize("name", ODD_PACKS)
    def test_an_odd_pack_is_read_as_git_reads_it(self, name, no_objects):
        pack, objects = ODD_PACKS[name]
        assert git_refusal(no_objects, pack, strict=False) is None
        assert unpacked(pack) == by_id(*objects)
        if A_COMMIT in objects:
            assert brought_from(pack, object_id(*A_COMMIT)) == {"a.md": A_BLOB[1]}
        else:
            assert refusal(brought_from, pack, object_id(*A_COMMIT))

    def test_every_cut_and_flipped_bit_of_a_pack_is_an_error(self):
        """G01, G02: a cut also with a checksum that is right for what is left."""
        commit, pack, _ = small_history()
        for length in range(len(pack)):
            assert refusal(received, pack[:length]), length
        for length in range(len(pack) - 20):
            cut = with_checksum(pack[:length])
            assert refusal(brought_from, cut, commit), length
        for bit in range(8 * len(pack)):
            assert refusal(received, flip(pack, bit)), bit

    def test_no_flipped_bit_under_a_right_checksum_changes_a_file(self):
        """G02, INV1: the ids tell; only the version may be 2 or 3."""
        commit, pack, files = small_history()
        accepted = []
        for bit in range(8 * (len(pack) - 20)):
            with contextlib.suppress(agent_sync.AgentSyncError):
                flipped = with_checksum(flip(pack[:-20], bit))
                assert brought_from(flipped, commit) == files
                accepted.append(bit // 8)
        # Byte 7 is the version. In a deflated stream a flipped bit may say the same in
        # another way, such as the window size or a level in its header.
        assert accepted.count(7) == 1
        assert len(accepted) < 0.02 * 8 * len(pack)

    def test_every_cut_and_flipped_bit_of_an_answer_is_an_error_or_harmless(self):
        """G01, G02, G22: case does not count in a length, nor what is shallow."""
        commit, pack, files = small_history()
        shallow = pkt(b"shallow " + b"0" * 40)
        answer = pack_answer(pack, SHALLOW + shallow + b"0001")
        for length in range(len(answer)):
            assert refusal(brought, Transport(commit, answer[:length])), length
        harmless = 0
        for bit in range(8 * (len(answer) - len(pack)) + 64):
            with_flip = Transport(commit, flip(answer, bit), answer)
            if refusal(brought, with_flip) is None:
                assert brought(with_flip) == files
                harmless += 1
        assert 0 < harmless <= 8 * len(shallow)

    @pytest.mark.parametrize("size", [0, 1, 15, 16, 2047, 2048, 262_143, 262_144])
    def test_headers_of_every_length_are_read(self, size):
        blob = ("blob", bytes(size))
        assert unpacked(pack_of(*full_entries(blob))) == by_id(blob)

    def test_copies_of_copies_do_not_multiply(self):
        """G10: 2**40 objects, were each delta applied to each copy of its base."""
        entries, content = [TEXT_ENTRY, TEXT_ENTRY], TEXT
        for _ in range(40):
            delta = delta_between(content, content + b"x")
            entries += [ref_entry(delta, object_id("blob", content))] * 2
            content += b"x"
        assert len(unpacked(pack_of(*entries))) == 41

    def test_a_chain_of_5000_deltas_is_read(self):
        """G13: and nothing recursed into."""
        entries, content = [TEXT_ENTRY], TEXT
        for number in range(5000):
            made = TEXT + b"%d" % number
            delta = delta_between(content, made)
            entries.append(ofs_entry(delta, len(entries[-1]), level=1))
            content = made
        found = unpacked(pack_of(*entries))
        assert len(found) == 5001
        assert found[object_id("blob", content)] == ("blob", content)

    def test_a_large_object_is_in_no_ones_way(self):
        """N20: it is never read."""
        large = ("blob", bytes(17 * MIB))
        root = tree_object(("100644", "a.md", A_BLOB), ("100644", "large.bin", large))
        found = brought_from(*packed(A_BLOB, large, root, commit_object(root)))
        assert found == {"a.md": A_BLOB[1], "large.bin": None}

    def test_a_size_beyond_all_limits_is_not_even_inflated(self, monkeypatch):
        """G09, INV5: the size said is looked at first, not 1,000 times the pack."""
        made, inflate = [0], agent_sync.PackStream.inflate

        def counting(stream, size, consume):
            def count(piece):
                made[0] += len(piece)
                consume(piece)

            inflate(stream, size, count)

        monkeypatch.setattr(agent_sync.PackStream, "inflate", counting)
        monkeypatch.setattr(agent_sync, "MAX_INFLATED_SIZE", MIB)
        data = zlib.compress(bytes(32 * MIB), 1)
        for size in (32 * MIB, 2**40):
            made[0] = 0
            assert refusal(received, pack_of(entry_header(3, size) + data))
            assert made[0] <= 2 * MIB

    def test_the_sizes_of_all_entries_count_together(self, monkeypatch):
        """G10: also of what many small deltas of one base make."""
        monkeypatch.setattr(agent_sync, "MAX_INFLATED_SIZE", MIB)
        entries = full_entries(*(("blob", bytes(300_000 + n)) for n in range(4)))
        assert refusal(received, pack_of(*entries))
        assert refusal(received, pack_of(*entries[:3])) is None
        monkeypatch.setattr(agent_sync, "MAX_INFLATED_SIZE", 2 * MIB)
        base = bytes(MIB)
        entries = [pack_entry("blob", base)]
        for number in range(50):
            delta = delta_of(MIB, MIB, copy_of(0, MIB - 1), bytes([1, number]))
            entries.append(ref_entry(delta, object_id("blob", base)))
        assert "too much" in refusal(unpacked, pack_of(*entries))

    def test_bases_outside_a_thin_pack_count_only_if_they_have_their_ids(self):
        """G12: the second delta is of what the first one makes."""
        base, made, last = b"# Base\n", b"# Base\nA line\n", b"A line\n"
        ids = {text: object_id("blob", text) for text in (base, made, last)}
        first = ref_entry(delta_between(base, made), ids[base])
        second = ref_entry(delta_of(14, 7, copy_of(7, 7)), ids[made])
        pack = received(pack_of(second, first))
        for bases, found in (
            ({ids[base]: ("blob", base)}, {base, made, last}),
            ({ids[made]: ("blob", made)}, {made, last}),
            ({ids[base]: ("blob", base), ids[made]: ("blob", made)}, {*ids}),
            ({ids[base]: ("blob", base + b" ")}, set()),
            ({ids[base]: ("tree", base)}, set()),
            ({}, set()),
        ):
            objects = pack.objects({"blob"}, bases=bases.get)
            assert {content for _, _, content in objects} == found
        objects = pack.objects({"tree"}, bases={ids[base]: ("blob", base)}.get)
        assert not list(objects)

    @pytest.mark.parametrize("is_right", [True, False])
    def test_whole_objects_come_once_and_before_the_end_of_the_pack(self, is_right):
        """A wrong checksum is seen by whoever waits for the end, and he must."""
        came = []

        def chunks():
            data = pack_of(*FULL)
            for at in range(len(data) - 20):
                yield data[at : at + 1]
            assert len(came) >= len(FULL) - 1
            yield data[-20:] if is_right else bytes(20)

        pack = agent_sync.Pack(io.BytesIO())
        objects = pack.receive(chunks(), EVERY_KIND)
        error = refusal(lambda: came.extend(name for name, _, _ in objects))
        assert is_right == (error is None)
        assert len(set(came)) == len(came) == len(FULL)
        assert not list(pack.objects(EVERY_KIND))

    def test_no_memory_is_taken_for_a_count(self):
        told, taken, _ = traced(refusal, received, pack_of(*FULL, count=1_999_999))
        assert told and taken < MIB

    def test_as_many_objects_as_are_allowed_fit_into_memory(self):
        """G10: what one small object takes, times MAX_OBJECTS."""
        number = 5000
        pack = pack_of(*[pack_entry("blob", b"%d" % n, level=1) for n in range(number)])
        file = agent_sync.Pack(io.BytesIO(pack))
        objects, taken, _ = traced(lambda: [*file.receive([pack])])
        assert objects == []
        assert taken / number * agent_sync.MAX_OBJECTS < PEAK_LIMIT


def flip_any(chance, data):
    return flip(data, chance.randrange(8 * len(data))) if data else data


def splice(chance, data):
    """*data* with a slice cut out, doubled, or replaced by noise."""
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.randrange(1, 9))
    noise = bytes(chance.randrange(256) for _ in range(end - at))
    return data[:at] + chance.choice([b"", 2 * data[at:end], noise]) + data[end:]


def mutated_pack(chance, pack):
    """*pack* with a fault in its entries or their number, and a right checksum."""
    body, change = pack[:-20], chance.randrange(4)
    if change == 0:
        body = set_byte(body, 11, chance.randrange(10))
    elif change == 1:
        body = body[: chance.randrange(len(body))]
    else:
        body = body[:12] + [flip_any, splice][change - 2](chance, body[12:])
    return with_checksum(body)


class TestAgainstIndexPack:
    """FAULTS M11: what `git index-pack --strict --stdin` refuses is refused here.

    This program is stricter where a pack is sound but not what was asked for: another
    commit, or one object too few; it also refuses bytes after the checksum (G04). It is
    laxer in three ways that cannot change a file: an object may come twice (G16), a
    mode may begin with a zero (G17), and of a commit only the tree counts (G19).
    """

    def verdicts(self, directory, packs):
        """What git has against each of *packs*."""
        with ThreadPoolExecutor(4) as executor:
            return list(executor.map(lambda pack: git_refusal(directory, pack), packs))

    def test_mutated_packs(self, no_objects):
        chance = random.Random(20)
        commit, pack, files = small_history()
        packs = [pack, *(mutated_pack(chance, pack) for _ in range(250))]
        both = 0
        for pack, verdict in zip(packs, self.verdicts(no_objects, packs)):
            ours = refusal(brought_from, pack, commit)
            if ours is None:
                assert verdict is None, (verdict, pack.hex())
                assert brought_from(pack, commit) == files
            elif verdict is None:
                assert "not send" in ours or "does not name" in ours, ours
            else:
                both += 1
        assert 150 < both < 250

    def test_generated_and_mutated_trees(self, no_objects):
        """G17: here the ids are right, and the trees are not."""
        chance = random.Random(21)
        names = ["a", "a.md", "a-b", "b", ".", "..", ".git", "", "x/y", "git~1"]
        names += [".GIT", "é", "0", "a0", "ab"]
        packs = []
        for _ in range(150):
            chosen = chance.sample(names, chance.randrange(1, 4))
            chosen = [name + chance.choice(["", "/"]) for name in chosen]
            if chance.random() < 0.7:
                chosen.sort(key=str.encode)
            root = tree_of(*chosen)
            if chance.random() < 0.2:
                root = "tree", flip_any(chance, root[1])
            objects = dict.fromkeys([A_BLOB, A_TREE, root, commit_object(root)])
            packs.append(packed(*objects))
        both = 0
        verdicts = self.verdicts(no_objects, [pack for pack, _ in packs])
        for (pack, commit), verdict in zip(packs, verdicts):
            if verdict and "zeroPadded" not in verdict:
                assert refusal(brought_from, pack, commit), (verdict, pack.hex())
                both += 1
        assert both > 60


def mutated_manifest(chance):
    digest = sha256(b"")
    form = chance.choice([
        f'{{"files": [{{"path": "a/b.md", "sha256": "{digest}", "size": 0}}]}}',
        '["a.md", "b/c.md", "é/\\ud800.md", 1e999, null, {"path": "x"}]',
        f"{digest}  a/b.md\n{digest} *./c.md\n",
        '{"files": [[[[{}]]]], "files": NaN}',
    ]).encode("utf-8", "surrogatepass")  # fmt: skip
    return chance.choice([flip_any, splice])(chance, splice(chance, form))


def fuzz_targets(chance):
    """Calls with input that was mutated: each must end well or in AgentSyncError."""
    commit, pack, _ = small_history()
    yield brought, Transport(commit, pack_answer(mutated_pack(chance, pack)))
    answer = pack_answer(pack, SHALLOW + b"0001")
    yield brought, Transport(commit, splice(chance, answer), splice(chance, answer))
    wrong_refs = Transport(commit, answer)
    wrong_refs.refs = chance.choice([flip_any, splice])(chance, wrong_refs.refs)
    yield brought, wrong_refs
    delta = delta_between(TEXT, TEXT[:20] + A_TREE[1])
    yield agent_sync.apply_delta, TEXT, splice(chance, delta)
    noise = bytes(chance.randrange(256) for _ in range(chance.randrange(60)))
    yield agent_sync.apply_delta, TEXT, size_bytes(len(TEXT)) + noise
    yield unpacked, with_checksum(PACK_HEAD + noise)
    for parse, data in (
        (lambda data: list(agent_sync.parse_tree(data)), A_TREE[1]),
        (agent_sync.parse_tree_id, A_COMMIT[1]),
        (agent_sync.parse_tag, A_BLOB[1]),
        (agent_sync.parse_ref, Transport(commit, b"").refs[4:-5]),
    ):
        yield parse, splice(chance, flip_any(chance, data))
    row = agent_sync.SourceRow(id="src", url="", kind="http")
    data = mutated_manifest(chance)
    yield (lambda: agent_sync.choose(agent_sync.parse_manifest(data), row),)


def test_mutated_input_raises_nothing_but_this_programs_error():
    """The error boundary, with a fixed seed."""
    chance = random.Random(22)
    for _ in range(150):
        for function, *args in fuzz_targets(chance):
            refusal(function, *args)


# ==== Git client ====


class TestGitClient:
    @pytest.mark.parametrize("last", [1, 8])
    def test_an_interruption_ends_a_fetch(self, program, directory_upstream, last):
        """What was staged before goes again, and nothing was published."""
        mirror = Mirror(program, directory_upstream)
        state = agent_sync.AgentSyncState()
        [row] = agent_sync.find_sources(state)
        fetched = []

        def progress(source_id, done, total):
            fetched.append(done)
            if done == last:
                run.deadline.interrupt()

        options, near = agent_sync.SyncOptions(), agent_sync.Neighbours(state)
        run = agent_sync.Run(state, row, None, options, progress, None, near)
        assert run.perform().error == "interrupted"
        assert fetched == [*range(1, last + 1)]
        assert mirror.tree() == {}

    def test_a_first_sync_takes_one_connection(self, synced, git_server):
        """What it costs is in the contract: `GitUpstream.costs`."""
        for request in git_server.requests:
            assert request.method == "POST"
            assert request.headers["git-protocol"] == "version=2"
        assert git_server.connections == 1
        synced.sync()
        assert b"command=ls-refs" in git_server.requests[-1].body

    @pytest.mark.parametrize("version", [2, 0])
    def test_a_repository_of_sha256_is_synced(self, program, git_server, version):
        """FAULTS G27: an object format of SHA-256, end to end."""
        if version == 0:
            git_server.answer = lambda request: version_0(git_server, request)
        directory = git_server.root / "owner" / "sha256.git"
        repository = Repository.create(directory, "--object-format=sha256")
        mirror = Mirror(program, GitUpstream(git_server, repository))
        mirror.upstream.publish(AGENTS)
        assert len(mirror.sync()["revision"]) == 64
        assert mirror.is_faithful()
        text = AGENTS["universal/research.md"]
        for number in range(5):
            mirror.upstream.publish({f"copy-{number}.md": text + b"%d" % number})
        mirror.upstream.publish({"qa/qa.md": None})
        repository.git("gc", "-q", "--prune=now")
        assert mirror.follows()
        assert mirror.sync()["requests"] == 1


# How servers misunderstand what an update asks, and what may befall what was kept.
FORGETFUL_SERVERS = {
    "it knows no `have`": lambda body: re.sub(b"....have .*\n", b"", body),
    "it takes parents for ours": lambda body: re.sub(b"....shallow .*\n", b"", body),
    "it sends no thin packs": lambda body: body.replace(b"000ethin-pack\n", b""),
    "it sends no contents": lambda body: body[:-4] + b"0015filter blob:none\n0000",
    "it sends no trees": lambda body: body[:-4] + b"0012filter tree:0\n0000",
}
DAMAGED_MEMORIES = [
    "DELETE FROM git_trees",
    "DELETE FROM git_trees WHERE type = 'tree'",
    "DELETE FROM git_trees WHERE type = 'commit'",
    "DELETE FROM git_trees WHERE rowid = (SELECT max(rowid) FROM git_trees"
    " WHERE type = 'tree')",
    "UPDATE git_trees SET data = x'00'",
    "UPDATE git_trees SET data = 'text'",
    "UPDATE git_trees SET type = 'blob' WHERE type = 'tree'",
    "UPDATE git_trees SET data = (SELECT data FROM git_trees LIMIT 1)",
    "UPDATE git_trees SET object_id = printf('%040d', 7) WHERE type = 'commit'",
]


class TestUpdates:
    """An update leans on what the last run left, and on nothing that is not proven."""

    @pytest.fixture
    def changed(self, synced):
        """A mirror whose upstream has one file changed, one renamed, and one new."""
        old = SMALL["agents/universal/research.md"]
        synced.upstream.publish({"many/research.md": old, "many/memory.md": old})
        synced.sync()
        news = {"many/research.md": old + b"One line more.\n", "many/memory.md": None}
        news.update({"moved/memory.md": old, "new/new.md": b"# New\n"})
        synced.upstream.publish(news)
        return synced

    def test_they_take_two_requests_and_less_than_what_changed(self, changed):
        source = changed.sync()
        assert changed.is_faithful()
        assert source["requests"] == 2
        assert source["bytes_received"] < 1500
        assert changed.sync()["requests"] == 1

    @pytest.mark.parametrize("forgets", ["nothing", "no bitmap", *FORGETFUL_SERVERS])
    def test_no_server_makes_a_bad_file(self, changed, git_server, forgets):
        """N23, G12: a file is again what it was: a server with a bitmap may omit it."""
        upstream, program = changed.upstream, changed.program
        upstream.publish({"many/back.md": b"# Before\n"})
        changed.sync()
        program.call("remove", "src", "--delete-files")
        upstream.publish({"many/back.md": b"# Then\n"})
        mirror = Mirror(program, upstream)
        mirror.sync()
        upstream.publish({"many/back.md": b"# Before\n"})
        if forgets != "no bitmap":
            upstream.repository.git("repack", "-adbq")
        change = FORGETFUL_SERVERS.get(forgets)

        def answer(request):
            body = request.body
            if change and b"command=fetch" in body and b"have " in body:
                body = change(body)
            return framed(*git_server.ask_git(request._replace(body=body)))

        git_server.answer = answer
        assert mirror.sync()["requests"] <= (4 if change else 2)
        assert mirror.is_faithful()
        assert mirror.sync()["requests"] == 1

    def test_sources_in_one_repository_look_it_up_once(self, changed, git_server):
        program, arguments = changed.program, changed.upstream.arguments
        program.call("add", arguments[0], "--id", "same", "--path", "agents/qa")
        first = program.call_json("sync", "src", "same")["sources"]
        assert sum(source["requests"] for source in first) <= 5
        assert {source["status"] for source in first} == {"success"}
        before = len(git_server.requests)
        again = program.call_json("sync", "src", "same")["sources"]
        assert len(git_server.requests) == before + 1
        assert [source["checked"] for source in again] == [True, True]

    def test_what_is_remembered_is_not_believed(self, changed):
        for sql in DAMAGED_MEMORIES:
            with opened(changed.program.database) as connection:
                assert connection.execute(sql).rowcount, sql
            for most in (4, 2):
                changed.upstream.publish({"new/new.md": f"# {sql}, {most}\n".encode()})
                assert changed.sync()["requests"] <= most, sql
                assert changed.is_faithful(), sql

    @pytest.mark.parametrize("edit", [None, b"# Mine\n"])
    def test_a_base_that_is_not_here_any_more_is_not_needed(self, changed, edit):
        """G12: what was changed upstream was edited, or deleted, here."""
        path = changed.dest / "many" / "research.md"
        path.unlink()
        if edit:
            path.write_bytes(edit)
        assert changed.follows()
        assert changed.backups() == ([edit] if edit else [])

    @pytest.mark.parametrize("reply", [http_reply(500), http_reply(400), b""])
    def test_a_refusal_is_not_the_end(self, changed, git_server, reply):
        """N23: a server may know no more words than this, or hang up."""
        git_server.answer = lambda request: reply if b"have " in request.body else None
        changed.program.call("sync")
        assert changed.is_faithful()

    def test_of_a_much_larger_repository_only_what_is_wanted_comes(self, changed):
        """Its trees lean on the last ones; the contents are asked for by their ids."""
        repository = changed.upstream.repository
        for number in range(500):
            repository.write(f"other/{number:040d}.md", os.urandom(100))
        repository.commit()
        changed.sync()
        repository.write("other/large.md", os.urandom(100_000))
        changed.upstream.publish({"new/new.md": b"# Newer\n"})
        source = changed.sync()
        assert changed.is_faithful()
        assert source["requests"] == 3
        assert source["bytes_received"] < 2000

    @pytest.mark.parametrize("refuses", [False, True])
    def test_many_files_are_asked_for_by_their_tree(self, synced, git_server, refuses):
        """And by their own ids, where a server gives no tree."""
        upstream, number = synced.upstream, agent_sync.MANY_WANTS
        files = {f"all/{n}.md": b"# %d\n" % n for n in range(number)}
        upstream.publish({"some/README.md": b"# No\n", "some/a.md": b"# A\n", **files})
        synced.program.call("remove", "src", "--delete-files")
        tree = upstream.repository.id("HEAD:agents/all").encode()

        def answer(request):
            refused = refuses and b"want " + tree in request.body
            return git_result(pkt(b"ERR not our ref " + tree)) if refused else None

        git_server.answer = answer
        mirror = Mirror(synced.program, upstream)
        assert mirror.sync()["requests"] == (4 if refuses else 3)
        assert mirror.is_faithful()
        wants = git_server.requests[-1].body.count(b"want ")
        assert wants > number if refuses else wants < 20

    @pytest.mark.parametrize("limit", ["MAX_NEWS_SIZE", "MAX_REMEMBERED_SIZE"])
    def test_what_is_too_much_comes_the_plain_way(self, changed, monkeypatch, limit):
        monkeypatch.setattr(agent_sync, limit, 10)
        if limit == "MAX_REMEMBERED_SIZE":
            changed.sync()
            changed.upstream.publish({"new/new.md": b"# Newer\n"})
        assert changed.sync()["requests"] == (4 if limit == "MAX_NEWS_SIZE" else 3)
        assert changed.is_faithful()


def git_result(body, kind="application/x-git-upload-pack-result"):
    return http_reply(200, body, (), kind)


BAD_ANSWERS = [  # and what is said of them
    (http_reply(401), "401"),
    (http_reply(403), "403"),
    (http_reply(404), "404|not found"),
    (git_result(b"<html><form>Log in</form></html>", "text/html"), "html|git"),
    (git_result(b"<html></html>"), "pkt|git"),
    (git_result(b"0010ERR no \x1b[31mway"), "no "),
    (git_result(b""), ""),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ""),
]


@pytest.fixture
def hostile(program, git_server):
    """A source whose server has no repository and says what it is told to."""
    directory = git_server.root / "owner" / "repo.git"
    return Mirror(program, GitUpstream(git_server, Repository(directory)))


def serve_packs(server, commit, *packs):
    """Let a GitServer give *packs*, each a pack's bytes, for this commit's id."""
    serve(server, Transport(commit, *map(pack_answer, packs)))


class TestGitServersThatMisbehave:
    def test_a_bad_answer_is_one_line_and_loses_nothing(self, synced, git_server):
        """FAULTS G24, G29, H12, H24: the error names source and cause."""
        for reply, words in BAD_ANSWERS:
            git_server.answer = lambda request, reply=reply: reply
            outcome = synced.program.call("sync", "--timeout", "5", check=FAILURE)
            told = [line for line in complaint(outcome).splitlines() if "src" in line]
            assert [line for line in told if re.search(words, line)], outcome
            run = last_run(synced.program)
            assert run["status"] == "error" and run["error_message"]
            error = synced.fails("--timeout", "5", check=FAILURE)["error"]
            assert error and "\n" not in error

    SPOILED = [lambda b: b[: len(b) // 2], lambda b: flip(b, 4 * len(b))]

    @pytest.mark.parametrize("spoil", SPOILED, ids=["cut", "flipped"])
    def test_a_spoiled_pack_publishes_nothing(self, mirror, git_server, spoil):
        """FAULTS G01, G02, INV1: a git run is all or nothing."""

        def answer(request):
            is_third = len(git_server.requests) % 3 == 0
            return git_answer(git_server, request, spoil) if is_third else None

        git_server.answer = answer
        mirror.sync(check=FAILURE)
        assert mirror.tree() == {}
        git_server.answer = lambda request: None
        assert mirror.follows()

    def test_a_tree_without_its_blob_publishes_nothing(self, hostile, git_server):
        """G20: all is looked for before the first file is published."""
        other = ("blob", b"# Other\n")
        agents = tree_object(("100644", "a.md", A_BLOB), ("100644", "b.md", other))
        root = tree_object(("40000", "agents", agents))
        trees, commit = packed(agents, root, commit_object(root))
        for blobs in ([A_BLOB], [A_BLOB, ("blob", b"# Forged\n")], []):
            serve_packs(git_server, commit, trees, pack_of(*full_entries(*blobs)))
            outcome = hostile.program.call("sync", check=FAILURE)
            assert object_id(*other)[:7] in complaint(outcome) or not blobs
            assert hostile.tree() == {}
        more, _ = packed(A_BLOB, ("blob", b"# More than wanted\n"), A_COMMIT, other)
        serve_packs(git_server, commit, trees, more)
        hostile.sync()
        assert hostile.tree() == {"a.md": A_BLOB[1], "b.md": other[1]}

    def test_another_content_for_a_known_id_is_an_error(self, synced):
        """G32, S11: the SHA-256 of each object id is remembered."""
        sql = "UPDATE agent_files SET content_sha = ? WHERE file_path = 'qa/qa.md'"
        synced.program.query(sql, sha256(b"what the id stood for before"))
        (synced.dest / "qa/qa.md").unlink()
        outcome = synced.program.call("sync", "--force", check=FAILURE)
        assert "qa/qa.md" in complaint(outcome)
        assert "qa/qa.md" not in synced.tree()

    def test_another_commit_than_the_one_asked_for_is_refused(self, mirror, git_server):
        """FAULTS G20: the objects are sound, but not those that were wanted."""
        repository = mirror.upstream.repository
        wanted = repository.id().encode()
        other = repository.commit("Another").encode()

        def lie(request):
            swapped = request._replace(body=request.body.replace(wanted, other))
            return git_answer(git_server, swapped, lambda b: b.replace(other, wanted))

        git_server.answer = lie
        mirror.sync(check=FAILURE)
        assert mirror.tree() == {}

    @pytest.mark.parametrize("limit, told", [
        ("MAX_TREES_SIZE", "its directories are over"),
        ("MAX_INFLATED_SIZE", "the pack's objects are over"),
        ("MAX_FILES_SIZE", "all files together are larger than"),
    ])  # fmt: skip
    def test_what_is_too_much_for_one_run_fails(self, mirror, monkeypatch, limit, told):
        """FAULTS G09, G10, H15: whatever each part is, all together have a limit."""
        monkeypatch.setattr(agent_sync, limit, 100)
        assert told in mirror.sync(check=1)["error"]
        assert mirror.tree() == {}

    def test_a_server_that_is_slow_meets_the_timeout(self, synced, git_server):
        """FAULTS G31: the deadline is for the whole source, not for each read."""
        synced.upstream.publish({"new.md": b"# New\n"})
        with untouched(synced.dest):
            body = raw("Content-Length: 9999", body=b"0" * 9999)
            kind = "Content-Type: application/x-git-upload-pack-result"
            progress = raw(kind, body=pkt(b"packfile\n") + b"0005\2" * 9999)
            for answer in (
                git_server.silence,
                lambda request: drip(body),
                lambda ask: None if b"ls-refs" in ask.body else drip(progress, 0.001),
            ):
                git_server.answer = answer
                source = synced.sync("--timeout", "0.3", check=FAILURE)
                assert "--timeout" in source["error"]


def nested_live(size, depth):
    """Entries in which *depth* objects of *size* bytes are bases at the same time."""
    content = bytes(size)
    entries = [pack_entry("blob", content)]
    for number in range(1, depth):
        base, same = object_id("blob", content), copy_all(size - 1)
        for last in (255 - number, number):
            delta = delta_of(size, size, same, bytes([1, last]))
            entries.append(ref_entry(delta, base))
        content = content[:-1] + bytes([number])
    return entries


@posix_only
@pytest.mark.usefixtures("unmeasured")
class TestMemory:
    """Bombs, served over HTTP; the peak is that of a child that syncs: INV5."""

    BOMBS = {
        "G09": lambda: [pack_entry("blob", bytes(100 * MIB), level=1)],
        "G10-of-bases": lambda: nested_live(15 * MIB, 8),
    }

    @pytest.mark.parametrize("name", BOMBS)
    def test_a_bomb_of_blobs_takes_no_memory(self, hostile, git_server, program, name):
        root = tree_object(("40000", "agents", A_TREE))
        trees, commit = packed(A_TREE, root, commit_object(root))
        serve_packs(git_server, commit, trees, pack_of(*self.BOMBS[name]()))
        assert peak_of_sync(program) < PEAK_LIMIT
        assert hostile.tree() == {}

    def test_large_trees_take_less_than_100_mb(self, hostile, git_server, program):
        """G10: trees are held together, so their sum is bounded."""
        names = (bytes([65 + n]) * 12 * MIB for n in range(6))
        trees = [("tree", b"100644 %s\0%s" % (name, bytes(20))) for name in names]
        commit = commit_object(trees[0])
        pack = pack_of(*(pack_entry(*item, level=1) for item in (*trees, commit)))
        serve_packs(git_server, object_id(*commit), pack)
        assert peak_of_sync(program) < PEAK_LIMIT

    def test_a_flood_of_refs_takes_less_than_45_mb(self, hostile, git_server, program):
        """G28: they are read one by one."""
        transport = Transport("0" * 40, b"0000")
        line = "{:040x} refs/heads/main/{}\n"
        lines = (pkt(line.format(n, n).encode()) for n in range(120_000))
        transport.refs = b"".join(lines) + transport.refs
        serve(git_server, transport)
        assert peak_of_sync(program) < 45e6


BAD_IDS = ["1" * 39, "1" * 41, "11 " * 13 + "1", "A" * 40, "１" * 40]
BAD_NAMES = ["a..b", "\x1b[31mred", "a\0b", "a\nb", "\u202eniam", "main.lock", "a~1"]
BAD_NAMES += ["*", "a\\b", "/main", ".main"]
EMPTY_REPOSITORY = pkt(b"0" * 40 + b" capabilities^{}\0multi_ack ofs-delta\n") + b"0000"
OTHER_HASH, FLUSH = b"object-format=md5", b"0000"
ADVERTISEMENTS = {  # G27: (what a server says it can, what the error must say)
    "version 0": (EMPTY_REPOSITORY, "the repository is empty"),
    "version 1": (pkt(b"version 1\n") + EMPTY_REPOSITORY, "the repository is empty"),
    "nothing": (b"0000", "the repository is empty"),
    "another hash": (pkt(b"version 2\n") + pkt(OTHER_HASH) + b"0000", "object format"),
    "and another": (pkt(b"1" * 40 + b" HEAD\0" + OTHER_HASH) + FLUSH, "object format"),
    "a bad ref": (pkt(b"1" * 40 + b" refs/heads/a..b\0") + b"0000", "a bad ref"),
    "an error": (pkt(b"ERR go \x1b[1maway\n"), "go"),
    "an error after a service": (SERVICE + pkt(b"ERR go \x1b[1maway\n"), "go"),
    "no pkt-lines": (b"<html>", "pkt-line"),
    "no end": (pkt(b"version 2\n"), "hung up"),
    "too much": (pkt(b"version 2\n") + pkt(b"x" * 60_000) * 1200, "64 mib"),
}  # fmt: skip


class TestDiscovery:
    """FAULTS G27 to G30: refs, and what is asked only after a first request failed."""

    def test_a_bad_ref_is_an_error(self):
        lines = ["", "1" * 40, "refs/heads/main"]
        lines += [f"{object_id} refs/heads/main" for object_id in BAD_IDS]
        lines += [f"{'1' * 40} refs/heads/{name}" for name in BAD_NAMES]
        lines += [f"{'1' * 40} refs/tags/v1 peeled:{peeled}" for peeled in ("", "xyz")]
        for line in lines:
            assert refusal(agent_sync.parse_ref, line.encode()), line

    def test_a_tag_is_given_peeled_and_an_unborn_head_not_at_all(self):
        line = f"{'1' * 40} refs/tags/v1 peeled:{'2' * 40}"
        assert agent_sync.parse_ref(line.encode()) == ("refs/tags/v1", "2" * 40)
        line = b"unborn HEAD symref-target:refs/heads/main"
        assert agent_sync.parse_ref(line) is None

    def answer_posts(self, server, to_post, to_get):
        """What a server says to a POST, and to a GET."""
        server.requests.clear()
        server.answer = lambda ask: to_post if ask.method == "POST" else to_get

    def test_a_server_that_cannot_do_it_is_told(self, mirror, git_server):
        kind = {"Content-Type": "application/x-git-upload-pack-advertisement"}
        for name, (told, words) in ADVERTISEMENTS.items():
            self.answer_posts(git_server, http_reply(400), framed(200, kind, told))
            assert words in complaint(mirror.program.call("sync", check=FAILURE)), name
            assert len(git_server.requests) <= 3, name

    def test_a_server_at_another_origin_is_followed(self, mirror, git_server, site):
        """G30: what says which protocol is spoken goes along, unlike a password."""
        query = "info/refs?service=git-upload-pack"
        site.answers = {
            "repo.git/git-upload-pack": http_reply(404),
            f"repo.git/{query}": moved_to(f"{git_server.url}{REPO}/{query}", 301),
        }
        dest = mirror.program.root / "moved"
        options = ["--kind", "git", "--path", "agents", "--id", "moved", "--dest", dest]
        mirror.program.call("add", f"{site.base}/repo.git", *options)
        outcome = mirror.program.call("sync", "moved")
        assert f"set moved --url {git_server.url}" in outcome.err
        assert tree(dest) == mirror.upstream.agents()

    def test_a_token_the_old_place_refuses_stays(self, mirror, git_server, with_token):
        """G30, N15: a private repository that moved; 403 to a POST, 301 to a GET."""

        def answer(request):
            if "authorization" not in request.headers:
                return http_reply(401)
            if not request.path.startswith("/old/"):
                return None
            where = moved_to(request.path.replace("/old/", "/owner/"), 301)
            return where if request.method == "GET" else http_reply(403)

        git_server.answer = answer
        url = f"{git_server.url}/old/repo.git"
        mirror.program.call("set", "src", "--url", url, "--path", "agents")
        assert "refuses" not in mirror.program.call("sync").err
        assert mirror.is_faithful()
        assert mirror.sync()["requests"] == 1

    def test_a_redirect_leads_to_a_web_address_and_has_an_end(self, mirror, git_server):
        """G30, "re-rooting dies on insane schemes": five are followed, of a GET."""
        loop = f"{REPO}/info/refs?service=git-upload-pack&x"
        for place in [*BAD_PLACES, loop]:
            self.answer_posts(git_server, http_reply(404), moved_to(place))
            mirror.program.call("sync", check=FAILURE)
            gets = [ask for ask in git_server.requests if ask.method == "GET"]
            assert len(gets) <= 6, place
        assert mirror.tree() == {}


# ---- Hosts ----
# What Git hosts do on the wire, played in front of git's own `http-backend`: how each
# is known to differ, and what it then costs.


def without_version(request):
    """A request as a server sees it that knows no Git-Protocol header."""
    fields = {k: v for k, v in request.headers.items() if k != "git-protocol"}
    return request._replace(headers=fields)


def git_answer(server, request, change=lambda body: body, **fields):
    """git's reply to a request with its body changed."""
    status, headers, body = server.ask_git(request)
    return framed(status, {**headers, **fields}, change(body))


def below(request, base):
    """The same request for /owner/repo.git, if it is for what is at *base*; or None."""
    if not request.path.startswith(f"{base}/"):
        return None
    return request._replace(path=REPO + request.path[len(base) :])


def version_0(server, request):
    return git_answer(server, without_version(request))


def version_0_refusing(status, server, request):
    """One that answers a version 2 command with this status."""
    is_command = b"command=" in request.body
    return http_reply(status) if is_command else version_0(server, request)


def gitlab(server, request):
    """No POST without .git; a line on the service before version 2."""
    ask = below(request, "/group/sub/project.git")
    if ask is None:
        where = moved_to(request.path.replace("/project/", "/project.git/"), 301)
        return where if request.method == "GET" else http_reply(404)
    service = SERVICE if request.method == "GET" else b""
    return git_answer(server, ask, lambda body: service + body)


def azure(server, request):
    """Version 0, multi_ack or nothing, no .git."""
    ask = below(request, "/org/proj/_git/repo")
    if ask is None:
        return http_reply(404, b"TF401019: no such repository")
    if request.method == "POST" and b" multi_ack" not in request.body[:200]:
        return http_reply(400, b"TF401041: Clients must support multi-ack.")
    return version_0(server, ask)


def offering(capabilities, server, request):
    """Version 0 with these capabilities alone."""

    def offer(body):
        ref, _, rest = body.partition(b"\0")
        all_of_them, _, rest = rest.partition(b"\n")
        return ref + b"\0" + capabilities.ljust(len(all_of_them)) + b"\n" + rest

    if request.method == "POST":
        return version_0(server, request)
    return git_answer(server, without_version(request), offer)


def jgit(server, request):
    """No filter, no object format; a want that is no ref's is not valid."""
    if b"filter" in request.body or b"object-format" in request.body:
        return git_result(pkt(b"ERR unexpected line: filter blob:none"))
    if b"command=fetch" in request.body and b"deepen" not in request.body:
        return git_result(pkt(b"ERR want " + b"1" * 40 + b" not valid"))
    return None


def blobs_by_ref_only(server, request):
    """Version 0 with a filter, and no wants but of refs."""
    if b"want" in request.body and b"deepen" not in request.body:
        return git_result(pkt(b"ERR upload-pack: not our ref " + b"1" * 40))
    return version_0(server, request)


def gzipping(server, request):
    """All that it sends is gzipped, whether that was asked for or not."""
    return git_answer(server, request, gzip.compress, **{"Content-Encoding": "gzip"})


def wall(server, request):
    """A wall against bots, as Anubis's rule for git has it."""
    is_git = request.headers.get("user-agent", "").startswith("git/")
    fields = {"accept": "*/*", "cache-control": "no-cache", "pragma": "no-cache"}
    fits = all(request.headers.get(name) == value for name, value in fields.items())
    if is_git and fits and "gzip" in request.headers.get("accept-encoding", ""):
        return None
    return page_titled("Making sure you're not a bot!")


def strict(server, request):
    """Nothing without .git at the end of the repository's path."""
    return None if below(request, REPO) else http_reply(404)


def choosy(server, request):
    """Gitea and Gogs look at the type of what is posted."""
    kind = "application/x-git-upload-pack-request"
    is_right = request.method == "GET" or request.headers.get("content-type") == kind
    return None if is_right else http_reply(400)


def busy(server, request):
    """Asked to wait once at each place, also by a POST."""
    is_first = sum(ask.path == request.path for ask in server.requests) == 1
    return http_reply(429, b"", {"Retry-After": "0"}) if is_first else None


FILTER_REFUSED = {  # how: the answer, and the requests of a first sync
    "400": (http_reply(400, b"invalid filter"), 3),
    "403": (http_reply(403, b"filters are for members"), 3),
    "500": (http_reply(500), 5),
    "side-band 3": (git_result(pkt(b"packfile\n") + pkt(b"\3fatal: no filters\n")), 3),
    "ERR": (git_result(pkt(b"ERR filter 'tree' not supported")), 3),
    "an empty 200": (git_result(b""), 3),
}
REPO, OFF = "/owner/repo.git", {"uploadpack.allowFilter": "false"}
FEW = b"multi_ack_detailed shallow side-band-64k thin-pack"  # no offset deltas
HOSTS = {  # host: (what it does, its configuration, path, requests of a first sync)
    "GitHub": (None, {}, REPO, 3),
    "GitLab": (gitlab, {}, "/group/sub/project.git", 3),
    "GitLab without .git": (gitlab, {}, "/group/sub/project", 6),
    "Bitbucket Cloud": (None, OFF, REPO, 3),
    "Azure DevOps": (azure, {}, "/org/proj/_git/repo", 3),
    "CodeCommit": (functools.partial(offering, FEW), OFF, REPO, 3),
    "Gitea": (choosy, {}, REPO, 3),
    "Gogs": (functools.partial(version_0_refusing, 500), OFF, REPO, 5),
    "GitBucket, Gerrit": (jgit, OFF, REPO, 3),
    "an old cgit, or a proxy that drops the header": (version_0, {}, REPO, 4),
    "the same, saying 400": (functools.partial(version_0_refusing, 400), {}, REPO, 4),
    "the same, without side-band": (functools.partial(offering, b""), OFF, REPO, 3),
    "version 0 with wants of refs only": (blobs_by_ref_only, {}, REPO, 5),
    "a server that gzips": (gzipping, {}, REPO, 3),
    "a wall against bots": (wall, {}, REPO, 3),
    "a server with a limit": (busy, {}, REPO, 4),
    "a path without .git": (strict, {}, "/owner/repo", 6),
    **{
        f"filters refused by {how}": (
            lambda server, ask, reply=reply: reply if b"filter" in ask.body else None,
            {}, REPO, first,
        )
        for how, (reply, first) in FILTER_REFUSED.items()
    },
}  # fmt: skip


class TestHosts:
    """FAULTS N13 and N23, N17 in part: each host as it is on the wire."""

    @pytest.fixture
    def hosted(self, request, program, git_server, git_upstream):
        """A source at a host."""
        answer, config, path, _ = HOSTS[request.param]
        for name, value in config.items():
            git_upstream.repository.git("config", name, value)
        if answer:
            git_server.answer = functools.partial(answer, git_server)
        git_upstream.arguments[0] = git_server.url + path
        return Mirror(program, git_upstream, "--kind", "git")

    REF_HOSTS = ["GitHub", "Azure DevOps", "Gogs"]

    @pytest.mark.parametrize("hosted", REF_HOSTS, indirect=True)
    def test_every_kind_of_ref_leads_to_its_commit(self, hosted, pauses):
        """FAULTS G27: branches with slashes, tags, peeled ones, full ids."""
        repository, program = hosted.upstream.repository, hosted.program
        old, files = repository.id(), repository.agents()
        repository.git("branch", "feature/x/y")
        repository.tag("light")
        repository.tag("heavy", annotated=True)
        hosted.upstream.publish({"new.md": b"# New\n"})
        for ref in ("feature/x/y", "light", "heavy", "refs/tags/heavy", old):
            program.call("set", "src", "--ref", ref)
            assert hosted.sync()["revision"] == old, ref
            assert hosted.tree() == files
        for ref in ("main", "refs/heads/main", "HEAD"):
            program.call("set", "src", "--ref", ref)
            assert hosted.sync()["revision"] == repository.id(), ref
            assert hosted.is_faithful()
        program.call("set", "src", "--ref", "heavi")
        assert "did you mean heavy?" in hosted.sync(check=1)["error"]

    FIRST = [(host, row[3]) for host, row in HOSTS.items()]

    @pytest.mark.parametrize("hosted, first", FIRST, indirect=["hosted"])
    def test_is_synced_and_remembered(self, hosted, first, pauses):
        """First, unchanged, and after a change: faithful, and for what it must cost."""
        found = [hosted.sync()["requests"]]
        assert hosted.is_faithful()
        with untouched(hosted.dest, hosted.program):
            found.append(hosted.sync()["requests"])
        hosted.upstream.publish({"qa/qa.md": b"# Changed\n"})
        found.append(hosted.sync()["requests"])
        assert hosted.is_faithful()
        assert found == [first, 1, 2]


# ==== Addresses ====

# Addresses -> the kind, what is asked (=: as written), the ref and path (after ?: not
# told apart yet), and the include of a file's page.
ADDRESSES = """
o/r o/r.git gh:o/r                      -> git https://github.com/o/r.git
o/r@v1 o/r#v1 github:o/r@v1             -> git https://github.com/o/r.git v1
o/r@a/b                                 -> git https://github.com/o/r.git a/b
o-1/r_2.x                               -> git https://github.com/o-1/r_2.x.git
github.com/o/r www.github.com/o/r/      -> git https://github.com/o/r
https://GitHub.com/o/r                  -> git https://github.com/o/r
https://github.com/o/r.git/             -> git https://github.com/o/r.git
https://github.com/o/r.git#v1           -> git https://github.com/o/r.git v1
git+https://github.com/o/r.git          -> git https://github.com/o/r.git
https://me@github.com/o/r.git           -> git https://github.com/o/r.git
git@h.io:o/r.git ssh://git@h.io:22/o/r.git -> git https://h.io/o/r.git
org-1@h.io:g/s/r                        -> git https://h.io/g/s/r.git
ssh://h.io/o/r                          -> git https://h.io/o/r
https://github.com/o/r/tree/main        -> git https://github.com/o/r.git ?main
https://github.com/o/r/tree/main/a/b/   -> git https://github.com/o/r.git ?main a/b
https://github.com/o/r/tree/main/a%20b  -> git https://github.com/o/r.git ?main a b
https://github.com/o/r/tree/main/a?tab=readme -> git https://github.com/o/r.git ?main a
https://github.com/o/r/tree/main/a.md   -> git https://github.com/o/r.git ?main a.md
https://github.com/o/r/blob/main/a/q.md -> git https://github.com/o/r.git ?main a +/q.md
https://github.com/o/r/blob/main/q      -> git https://github.com/o/r.git ?main +/q
https://github.com/o/r/blob/main/a/[q].md -> git https://github.com/o/r.git ?main a +/[[]q].md
https://github.com/o/r/blob/main/s/x/SKILL.md -> git https://github.com/o/r.git ?main s/x
https://ghe.io/o/r/raw/main/a/q.md      -> git https://ghe.io/o/r.git ?main a +/q.md
https://raw.githubusercontent.com/o/r/main/a/b -> git https://github.com/o/r.git ?main a/b
https://raw.githubusercontent.com/o/r/refs/heads/main/a/q.md -> git https://github.com/o/r.git ?main a +/q.md
https://gist.github.com/o/0123456789abcdef0123456789abcdef -> git https://gist.github.com/0123456789abcdef0123456789abcdef.git
https://gitlab.com/g/s/r                -> git https://gitlab.com/g/s/r.git
https://gitlab.h.io/g/s/t/r/            -> git https://gitlab.h.io/g/s/t/r.git
https://gitlab.com/g/s/r/-/tree/main/a?ref_type=heads -> git https://gitlab.com/g/s/r.git ?main a
https://h.io/g/s/r/-/tree/main/a        -> git https://h.io/g/s/r.git ?main a
https://h.io/g/s/r/-/blob/main/a/q.md   -> git https://h.io/g/s/r.git ?main a +/q.md
https://h.io/o/r/src/branch/x/a         -> git https://h.io/o/r.git ?x a
https://h.io/o/r/src/branch/x/a/q.md    -> git https://h.io/o/r.git ?x a +/q.md
https://h.io/o/r/src/tag/v1             -> git https://h.io/o/r.git ?v1
https://codeberg.org/o/r/raw/branch/x/q.md -> git https://codeberg.org/o/r.git ?x +/q.md
https://bitbucket.org/o/r/src/main/a/   -> git https://bitbucket.org/o/r.git ?main a
https://bitbucket.org/o/r/src/main/a/q.md -> git https://bitbucket.org/o/r.git ?main a +/q.md
https://b.h.io/x/projects/PRJ/repos/r/browse/a?at=refs%2Fheads%2Fb%2Fc -> git https://b.h.io/x/scm/PRJ/r.git b/c a
https://b.h.io/users/me/repos/r/browse  -> git https://b.h.io/scm/~me/r.git
ssh://git@b.h.io:7999/prj/r.git         -> git https://b.h.io/scm/prj/r.git
https://me@dev.azure.com/o/p%20q/_git/r -> git https://dev.azure.com/o/p%20q/_git/r
https://dev.azure.com/o/p/_git/r?path=/a/b&version=GBf/x -> git https://dev.azure.com/o/p/_git/r f/x a/b
https://o.visualstudio.com/p/_git/r?path=%2Fa%2Fq.md&version=GTv1 -> git https://o.visualstudio.com/p/_git/r v1 a +/q.md
git@ssh.dev.azure.com:v3/o/p/r          -> git https://dev.azure.com/o/p/_git/r
https://go.googlesource.com/x/y/+/refs/heads/main/a -> git https://go.googlesource.com/x/y ?main a
https://git.sr.ht/~u/r/tree/main/item/a/b -> git https://git.sr.ht/~u/r main a/b
https://h.io/pub/x/r.git/tree/a/b?h=main -> git https://h.io/pub/x/r.git main a/b
https://huggingface.co/o/m/tree/main/a  -> git https://huggingface.co/o/m ?main a
HTTPS://github.com/o/r.git              -> git https://github.com/o/r.git
https://h.io/                           -> http https://h.io
https://b.h.io/scm/PRJ/r.git -> git =
https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/R -> git =
https://go.googlesource.com/go https://git.sr.ht/~u/r -> git =
https://huggingface.co/datasets/o/m https://h.io:8443/x.git -> git =
https://h.io/group/tree/repo.git http://[::1]/o/r http://localhost/o/r.git -> git =
https://h.io/a https://h.io/agents.json https://h.io/a/SHA256SUMS -> http =
https://h.io/a/b/c http://127.0.0.1:8/a/b/c -> http =
"""  # noqa: E501
NO_ADDRESSES = {  # whether a web site is meant or not
    "G34": [
        "ext::sh -c id", "-oProxyCommand=id", "git://h.io/o/r",
        "https://github.com/o", "https://github.com/o/r/issues",
        "rsync://h.io/x", "file://h.io/x", "javascript:alert(1)", "data:text/plain,x",
        "ftp://h.io/o/r", "gopher://h.io/a", "https:h.io", "o", "o/r@", "o/..", "a b/c",
        "git@h.io:a b", "git@h.io:../../o", "git@h.io:o/r?x", "o/r\n@v", "",
    ],
    "H29": [
        "https://h.io/o/r\nHost: x", "https://h.io/o/r\tx", "ht\ntps://h.io/o/r",
        "https://h.io/o/r\r\nX: y", "https://h.io/o\0", "https://h.io/o/r\x7f",
        "https://h.io/my agents", "https://h.io/ag\xe9nts", "https://h.io/\x1b[31mr",
        "git@h.io:o/\x1b[31mr", "git@h.io:o/r\u202e", "git@h.io:o/r\rHost: x",
    ],
    "H30": [
        "https://", "https:///o/r", "https://h.io\\x/o/r", "https://h.io:0/o/r",
        "https://x\\@h.io/o", "https://a@b@h.io/o", "https://ghp_0123@h.io/o/r",
        "https://h.io:-1/o/r", "https://h.io:x/o/r", "https://h.io:99999/o/r",
        "https://h .io/o/r", "https://h\xe9.io/o/r", "https://h\u2100.io/o/r",
        "http://[::1", "http://[::1/o/r", "https://h.io/o?x=y", "https://h.io/a/b/c#x",
        "https://h.io/o/r@v1",
    ],
    "H33": ["http://h.io/o/r", "http://127.0.0.1.h.io/x", "http://localhost.h.io/x/y"],
}  # fmt: skip
PASSWORDS = [
    "https://user:hunter2@h.io/o/r", "https://hf_hunter2@h/o/r", "ext://u:hunter2@h/x",
    "http://u:hunter2@127.0.0.1:9/x/", "u:hunter2@h.io:o/r.git", "ssh://u:hunter2@h/x",
    "ssh+git://u:hunter2@h.io/x", "file://u:hunter2@h.io/x",
]  # fmt: skip


class TestAddresses:
    """FAULTS G34, H29 to H31 and H33."""

    @pytest.fixture(autouse=True)
    def elsewhere(self, monkeypatch, tmp_path):
        """A working directory without anything in it, and GitHub where it is."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("AGENT_SYNC_GITHUB", raising=False)

    @pytest.mark.parametrize("row", ADDRESSES.strip().splitlines())
    def test_an_address_is_read(self, row):
        """N12."""
        written, _, expected = row.partition("-> ")
        for url in written.split():
            address = agent_sync.parse_address(f" {url} ")
            ref = "?" * address.ref_is_ambiguous + (address.ref or "")
            include = [f"+{glob}" for glob in address.include]
            found = [*address[:2], ref, address.path, *include]
            assert " ".join(filter(None, found)) == expected.replace("=", url)

    @pytest.mark.parametrize("kind", [None, "http"])
    @pytest.mark.parametrize("row", NO_ADDRESSES)
    def test_what_is_no_address_is_refused(self, row, kind):
        """S16: plain http, but for loopback, only if it is allowed."""
        for url in NO_ADDRESSES[row]:
            told = refusal(agent_sync.parse_address, url, kind)
            assert told and (row != "H33" or "--allow-http" in told), url

    @pytest.mark.parametrize("kind", [None, "http", "dir", "git"])
    def test_a_password_is_refused_and_not_repeated(self, kind):
        """S18."""
        for url in PASSWORDS:
            if kind != "dir" or ":hunter2" in url:
                assert "hunter2" not in refusal(agent_sync.parse_address, url, kind)

    def test_an_enterprise_server_stands_beside_the_public_one(self, monkeypatch):
        """Raw URLs of both are read, such as the default source's."""
        monkeypatch.setenv("AGENT_SYNC_GITHUB", "https://GHE.example/")
        raw = ["https://ghe.example/raw/o/r/main", "https://GHE.example/raw/o/r/main"]
        for url in ["o/r", *raw]:
            assert agent_sync.parse_address(url).remote == "https://ghe.example/o/r.git"
        default = agent_sync.parse_address(agent_sync.DEFAULT_SOURCE_URL).remote
        assert default == "https://github.com/bobmatnyc/claude-mpm-agents.git"

    def test_a_directory_is_one_however_it_is_named(self, tmp_path):
        """It wins over OWNER/REPO; an "@" in it does not stand for a password."""
        for name in ("owner/repo", "my agents", "x@1"):
            (tmp_path / name).mkdir(parents=True)
            names = [name, tmp_path / name, (tmp_path / name).as_uri()]
            for written in [*map(str, names), f"file:{tmp_path}/{name}"]:
                if "/" in written:
                    found = agent_sync.parse_address(written)
                    assert found == agent_sync.Address("dir", str(tmp_path / name))
        for written in (r"C:\Users\me@corp\agents", "file:x@1"):
            assert agent_sync.parse_address(written, "dir").kind == "dir"

    def test_the_longest_ref_that_fits_is_taken(self):
        """By brute force: of all refs, with all that is left as the path."""
        chance = random.Random(5)
        parts = itertools.product("ab", ["", "/a", "/b"], ["", "/a", "/b"])
        names = sorted({"".join(some) for some in parts})
        for given in [*names, "ab", "a/bc", "x"]:
            for refs in [chance.sample(names, k) for k in range(len(names))]:
                parts = given.split("/")
                ways = [(parts[:n], parts[n:]) for n in range(len(parts), 0, -1)]
                fits = [way for way in ways if "/".join(way[0]) in refs][:1]
                expected = [("/".join(r), "/".join(p) or None) for r, p in fits]
                splits = agent_sync.tree_splits(given)
                found = [split for split in splits if split[0] in refs][:1]
                assert found == expected, (given, refs)


# ==== Sources ====

GLOBS = [  # (glob, paths that it matches, paths that it does not), beside git's own
    ("*.md", "a.md x/y/a.md .a.md", "a.mdx a.MD a.md/b"),
    ("a?.md", "x/ab.md aé.md", "x/abc.md a/.md"),
    ("./a/*.md", "a/b.md", "x/a/b.md a/b/c.md"),
    ("dist/", "dist/a.md x/dist/y/a.md", "dist x/distant/a.md"),
    ("/dist/", "dist/y/a.md", "x/dist/a.md"),
    ("d*/", "x/dist/a.md", "x/a.d"),
    ("a/b/", "a/b/c.md", "b/c.md x/a/b/c"),
    ("caf\u00e9.md", "caf\u00e9.md cafe\u0301.md", "cafe.md"),
    ("cafe\u0301*", "caf\u00e9.md", "cafe.md"),
    ("[", "", "[ a"),
    ("", "", "a.md"),
    ("!a.md", "!a.md", "a.md"),
]
TAKEN = [  # by default
    "a.md", "x/a.json", "x/a.mdc", "x/building/a.md", "dist.md", "a..md", "readme.md",
    "s/x/SKILL.md", "s/x/run.py", "s/x/a/b.png", "s/x/.env.example", "s/x/dist/a.js",
    "s/x/README.md", "s/x/node_modules/y", "s/x/sub/SKILL.md", "s/x/sub/.z/w",
]  # fmt: skip
LEFT_OUT = [
    "README.md", "x/README.md", "a.txt", "a.MD", ".a.md", "x/.a.md", ".x/a.md",
    "x/.git/a.md", "dist/a.md", "x/dist/a.md", "build/x/a.md", "node_modules/x.md",
    ".x/y/SKILL.md", ".x/y/z.py", "dist/z/SKILL.md", "s/run.py", "s/xy.py",
    "s/x/.gitignore", "s/x/.github/a.md", "s/x/a/.gitkeep", "Makefile", "x/Makefile",
    "x/[*", "x/a.\x07?", "a/", "settings.json", "x/Settings.Local.json", "x/hooks.json",
]  # fmt: skip
KINDS = {"README.md": 2, "*.txt": 1, "*.MD": 1, ".a.md": 2, ".x/": 3, ".git/": 1}
KINDS |= {"settings.json": 1, "Settings.Local.json": 1, "hooks.json": 1}
KINDS |= {"dist/": 3, "build/": 1, "node_modules/": 1, "*.py": 2, ".gitignore": 1}
KINDS |= {".github/": 1, ".gitkeep": 1, "Makefile": 2, "\\[\\*": 1, "*.?\\?": 1, "*": 1}


class TestFilters:
    """FAULTS N03 and N04: globs as git knows them, and skills whole."""

    @pytest.mark.parametrize("glob, matching, others", GLOBS)
    def test_a_glob_matches_what_it_says(self, glob, matching, others):
        matches = agent_sync.glob_matcher([glob])
        assert [path for path in matching.split() if not matches(path)] == []
        assert [path for path in others.split() if matches(path)] == []

    def test_globs_mean_what_they_mean_in_git(self, tmp_path):
        """The same as in a `.gitattributes` file: whole paths, and nothing below."""
        parts = ["a", "b", "*", "**", "?", "[ab]", "[!a]", "[a-c]", "[]a]", "\\*", "."]
        parts += ["[[:alpha:]]", "-", "/", "/", "**/", "/**/", "/**"]
        chance = random.Random(7)
        globs = {"".join(chance.choices(parts, k=n % 5 + 1)) for n in range(1500)}
        # Where brackets meet slashes, and ** is less than a name, git has its own way.
        odd = re.compile(r"\[[^\]]*/|//|/$|\*\*[^/*]|[^/*]\*\*|^\./")
        globs = [glob for glob in globs if not odd.search(glob)]
        names = ["a", "b", "c", "ab", "a.b", ".a", "-", "*", "]"]
        paths = {"/".join(chance.choices(names, k=n % 4 + 1)) for n in range(300)}
        lines = (f"{glob} glob{number}\n" for number, glob in enumerate(globs))
        repository = Repository.create(tmp_path / "x")
        repository.write(".gitattributes", "".join(lines).encode())
        command = ["check-attr", "-z", "-a", "--stdin"]
        told = repository.git(*command, data="\0".join(paths).encode())
        fields = told.decode().split("\0")
        expected = {(p, int(name[4:])) for p, name in zip(fields[::3], fields[1::3])}
        matchers = enumerate(agent_sync.glob_matcher([glob]) for glob in globs)
        found = {(p, number) for number, match in matchers for p in paths if match(p)}
        assert [(p, globs[number]) for p, number in sorted(found ^ expected)] == []
        assert len(globs) > 500 and len(found) > 5000

    def test_no_glob_takes_exponential_time(self):
        """INV5: a lock file's globs are others' input."""
        assert not agent_sync.glob_matcher(["*a" * 60 + "b"])("a" * 255)
        assert not agent_sync.glob_matcher(["**/a/" * 60 + "b"])("a/" * 2000 + "c")

    def test_by_default_text_is_taken_and_skills_whole(self):
        """Each kind that is left out is a glob that takes it."""
        taken, left_out = agent_sync.select_paths(TAKEN + LEFT_OUT)
        assert sorted(taken) == sorted(TAKEN)
        assert left_out == KINDS
        taken, _ = agent_sync.select_paths(TAKEN + LEFT_OUT, list(left_out))
        assert set(LEFT_OUT) <= taken

    def test_a_skill_at_the_top_is_all_there_is(self):
        paths = {*TAKEN, *LEFT_OUT, "SKILL.md"}
        taken, _ = agent_sync.select_paths(paths)
        gits = {path for path in paths if "/.git" in f"/{path}"}
        assert taken == paths - gits and len(gits) == 4

    def test_an_include_replaces_the_default_and_an_exclude_adds_to_it(self):
        def taken(*globs):
            return agent_sync.select_paths(TAKEN + LEFT_OUT, *globs)[0]

        assert taken(["*"]) == {*TAKEN, *LEFT_OUT}
        hidden = {".x/a.md", ".x/y/SKILL.md", ".x/y/z.py"}
        assert taken([".x/", "*.txt"]) == {"a.txt", *hidden}
        assert "s/x/run.py" not in taken(["*.md"])
        others = {path for path in TAKEN if not path.startswith("s/")} - {"x/a.json"}
        assert taken([], ["s/", "*.json"]) == others

    @pytest.mark.parametrize("dest", [".", "inside", ".."])
    def test_a_directory_is_not_synced_to_it(self, program, directory_upstream, dest):
        """FAULTS P25."""
        dest = directory_upstream.directory / dest
        program.call("add", directory_upstream.url, "--dest", dest, check=FAILURE)

    def test_a_glob_that_is_not_what_it_looks_like_is_told(self, program, git_upstream):
        """N03: a negation is refused, a list is one glob."""
        add = ["add", *git_upstream.arguments, "--id", "src"]
        for option in ("--include", "--exclude"):
            assert "'!a.md'" in program.call(*add, option, "!a.md", check=2).err
        for glob in ("*.{md,mdc}", "*.md,*.mdc"):
            program.call("remove", "src", check=None)
            assert "is one glob" in program.call(*add, "--include", glob).err
        assert "is one glob" not in program.call("set", "src", "--include", "*.md").err
        assert "'!x'" in program.call("set", "src", "--exclude", "!x", check=2).err
        program.call("set", "src", "--include", "\\!x", "--include", "*.md")
        program.call("sync")

    def test_what_only_windows_forbids_is_skipped_there(self):
        """N05."""
        row = agent_sync.SourceRow("src", "", "git")
        names = ("a.md", "sc:b.md", "nul.md", "c .md")
        files = [agent_sync.File(name) for name in names]
        for windows, skipped in ((True, ["nul.md", "sc:b.md"]), (False, [])):
            fields = agent_sync.choose(files, row, windows=windows)
            assert [path for path, _ in fields["impossible"]] == skipped
            assert len(fields["files"]) + len(skipped) == 4

    def test_without_a_path_all_is_read(self, program, git_upstream, repository):
        git_upstream.arguments = [git_upstream.url]
        mirror = Mirror(program, git_upstream)
        mirror.sync()
        assert mirror.tree() == only_agents(repository.archive())


@posix_only
class TestDirectories:
    """FAULTS P24."""

    def test_a_read_only_destination_is_told_tidily(self, mirror, unprivileged):
        """FAULTS A10."""
        mirror.dest.mkdir(mode=0o555)
        outcome = mirror.program.run("sync", prefix=unprivileged, check=1)
        assert "src" in complaint(outcome)
        assert mirror.tree() == {}

    def test_links_in_it_are_never_followed(self, program, directory_upstream):
        outside = write(program.root, "outside/secret.md", b"secret\n").parent
        directory = directory_upstream.directory
        (directory / "link.md").symlink_to(outside / "secret.md")
        (directory / "up").symlink_to(outside)
        (directory / "loop").symlink_to(directory)
        os.mkfifo(str(directory / "pipe.md"))
        mirror = Mirror(program, directory_upstream)
        assert {"link.md", "pipe.md"} <= {*paths(mirror.sync()["skipped"])}
        assert mirror.tree() == AGENTS

    def test_an_unreadable_one_is_named(self, program, directory_upstream, monkeypatch):
        mirror = Mirror(program, directory_upstream)
        locked = directory_upstream.directory / "qa"
        refuse_path(monkeypatch, os, "scandir", locked)
        error = mirror.sync(check=1)["error"]
        assert f"cannot read {locked}" in error
        options = shlex.split(error.rpartition(" leave it out:")[2])
        program.call("set", "src", *options)
        assert paths(mirror.sync()["skipped"]) == ["qa"]

    def test_a_name_not_in_utf_8_is_skipped_tidily(self, program, directory_upstream):
        """P11: also as the name of a local file."""
        directory_upstream.write(os.fsdecode(b"\xff.md"), b"x")
        mirror = Mirror(program, directory_upstream)
        assert "! \\udcff.md (skipped" in program.call("sync").out
        assert mirror.tree() == AGENTS

    def test_a_file_that_changes_while_it_is_read_is_an_error(self, directory_upstream):
        row = agent_sync.SourceRow("src", directory_upstream.url, "dir")
        source = agent_sync.DirectorySource(row)
        listing = source.list(agent_sync.NO_LAST_SYNC)
        directory_upstream.write("qa/qa.md", b"# Grown since\n")
        assert "qa/qa.md" in refusal(lambda: list(source.fetch(listing.files)))
        directory_upstream.delete("qa/qa.md")
        assert "qa/qa.md" in refusal(lambda: list(source.fetch(listing.files)))


CANARY = "s3cr3t-canary-0b5e"


def credentials(request):
    """What the request says of itself in its Authorization field, decoded."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return base64.b64decode(value).decode() if scheme.lower() == "basic" else value


# Where a token is, whether it goes along with requests, and with which.
SENDING = """
GITHUB_TOKEN           yes https://github.com/o/r https://api.github.com/repos/o/r
GH_TOKEN               yes https://GitHub.com:443/o/r
GH_TOKEN               yes https://raw.githubusercontent.com/o/r
GITHUB_TOKEN           no  http://github.com/o/r https://gist.github.com/o/r
GITHUB_TOKEN           no  https://github.com.example.org/o/r
GITHUB_TOKEN           no  https://example.org/github.com/o/r
GITHUB_TOKEN           no  http://127.0.0.1:8/github.com
AGENT_SYNC_TOKEN_SRC   yes https://github.com/o/r https://example.org/o/r
AGENT_SYNC_TOKEN_SRC   yes http://127.0.0.1:8/o/r http://[::1]/o/r
AGENT_SYNC_TOKEN_SRC   no  http://example.org/o/r
AGENT_SYNC_TOKEN_OTHER no  https://example.org/o/r
"""
# Where a user may put a token for a server on this machine: (environment, .netrc), and
# whether that server gets to see it.
TOKEN_PLACES = {
    "its own variable": ({"AGENT_SYNC_TOKEN_SRC": CANARY}, "", True),
    "GITHUB_TOKEN": ({"GITHUB_TOKEN": CANARY}, "", False),
    ".netrc": ({}, f"machine 127.0.0.1 login me password {CANARY}\n", True),
    ".netrc, the login": ({}, f"machine 127.0.0.1 login {CANARY} password x\n", True),
    ".netrc, of another": ({}, f"machine h.io login me password {CANARY}\n", False),
    "a proxy": ({"https_proxy": f"http://me:{CANARY}@127.0.0.1:9"}, "", False),
}


class TestCredentials:
    """FAULTS S18: in no output, log, database byte, file, exception, process list."""

    @pytest.mark.parametrize("row", SENDING.strip().splitlines())
    def test_a_token_goes_where_it_belongs(self, program, row):
        """H24, H33."""
        name, goes, *urls = row.split()
        for url in urls:
            found = agent_sync.find_credential(url, "src", {name: CANARY})
            header = found.header.split()[1] if found else ""
            assert (CANARY in base64.b64decode(header).decode()) == (goes == "yes"), url
            assert CANARY not in repr(found)

    @pytest.fixture(params=["git", "hashed"])
    def guarded(self, request, program):
        """A mirror of a server that lets in only who knows the canary."""
        upstream = request.getfixturevalue(request.param + "_upstream")
        self.guard(upstream.server, 401)
        return Mirror(program, upstream)

    def guard(self, server, status, opens=True):
        """Let *server* refuse with a *status*, and tell who asks what it was told."""
        self.seen = []

        def answer(request):
            self.seen.append(credentials(request))
            if opens and CANARY in credentials(request):
                return None
            told = request.headers.get("authorization", "")
            fields = {"WWW-Authenticate": 'Basic realm="x"', "X-Told": told}
            return http_reply(status, f"{told} {credentials(request)}".encode(), fields)

        server.answer = answer

    SAYING = ["sync -v", "sync -v --force --json", "sources --json", "history"]
    SAYING += ["history --changes --json", "status -v", "files --json"]

    def everything_said(self, program):
        """All output of each command that could tell, and all bytes of all files."""
        texts = []
        for words in self.SAYING:
            texts += program.call(*words.split(), check=None)[1:]
        files = tree(program.root)
        files.pop("home/.netrc", None)
        return "".join(texts) + str(files)

    @pytest.mark.parametrize("place", TOKEN_PLACES)
    def test_a_token_opens_and_is_found_nowhere(self, guarded, place, monkeypatch):
        """H24: also if the server turns it down, and says it back."""
        environment, netrc, is_sent = TOKEN_PLACES[place]
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        if netrc:
            write(os.environ["HOME"], ".netrc", netrc.encode()).chmod(0o600)
        monkeypatch.setattr(agent_sync, "MAX_RETRIES", 0)
        source = guarded.sync(check=0 if is_sent else 1)
        assert (CANARY in "".join(self.seen)) == is_sent
        assert guarded.is_faithful() if is_sent else "401" in source["error"]
        encoded = base64.b64encode(f"x-access-token:{CANARY}".encode())[:-4].decode()
        for status in (403, 500):
            said = self.everything_said(guarded.program)
            assert CANARY not in said and encoded not in said
            self.guard(guarded.upstream.server, status, opens=False)

    def test_it_is_in_no_command_line(self, guarded, with_token):
        lines, answer = [], guarded.upstream.server.answer

        def look(request):
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    lines.append(path.read_bytes())
            return answer(request)

        guarded.upstream.server.answer = look
        outcome = guarded.program.run("sync", "-v")
        assert guarded.is_faithful()
        assert CANARY not in outcome.out + outcome.err
        assert lines and not [line for line in lines if CANARY.encode() in line]

    def test_netrc_may_be_elsewhere(self, guarded, monkeypatch):
        """But it has to be a file."""
        for path in ("/dev/zero", "/dev/stdin", "/", "/nothing"):
            monkeypatch.setenv("NETRC", path)
            assert "401" in guarded.sync(check=1)["error"]
        line = f"machine 127.0.0.1 login me password {CANARY}\n"
        write(guarded.program.root, "netrc", line.encode()).chmod(0o600)
        monkeypatch.setenv("NETRC", str(guarded.program.root / "netrc"))
        assert guarded.follows()

    def test_an_exception_tells_importers_nothing(self, program, with_token, caplog):
        """Neither its text, nor its arguments, nor those of its causes."""
        caplog.set_level("DEBUG")
        with ScriptedOrigin({}) as origin:
            self.guard(origin, 403, opens=False)
            where = {"cache_dir": program.root / "cache", "source_id": "src"}
            service = agent_sync.GitSourceSyncService(origin.url, **where)
            calls = service.sync_agents, service.check_for_updates
            shown = [repr(call()) for call in calls]
            with pytest.raises(agent_sync.AgentSyncError) as raised:
                service._download("a.md")
        error = raised.value
        while error:
            shown.append(repr(error) + repr(vars(error)))
            error = error.__cause__ or error.__context__
        assert CANARY not in "".join([*shown, caplog.text, repr(vars(service))])


HOSTILE_TREES = {  # the row: (mode, name) of what stands beside a.md, what comes of it
    "P02-dot dot slash": ("100644", "../../evil.md", "refused"),
    "P03-git": ("40000", ".git", "refused"),
    "P04-zero width": ("40000", ".g\u200cit", "left out"),
    "P05-short name": ("40000", "git~1", "--exclude '/git~1/a.md'"),
    "P05-short name, left out": ("100644", "git~2", "left out"),
    "P05-trailing space": ("40000", ".git ", "left out"),
    "P06-backslash": ("100644", "a\\..\\evil.md", "skipped"),
    "P06-backslash, left out": ("100644", "..\\..\\evil.md", "left out"),
    "P07-stream": ("100644", "evil.md::$DATA.md", "taken"),
    "P07-drive": ("40000", "C:", "taken"),
    "P08-device": ("100644", "nul.md", "taken"),
    "P09-trailing dot": ("40000", "evil.", "taken"),
    "P10-escape": ("100644", "\x1b[31mevil.md", "--exclude '/?\\[31mevil.md'"),
    "P10-line feed": ("100644", "evil\n.md", "--exclude '/evil?.md'"),
    "P10-line feed, left out": ("100644", "evil\n.py", "left out"),
    "P10-reversed": ("100644", "evil\u202edm.md", "--exclude '/evil?dm.md'"),
    "P11-no utf-8": ("100644", b"\xff\xfe.md", "skipped"),
    "P12-256 bytes": ("100644", "x" * 253 + ".md", "skipped"),
    "P13-case": ("100644", "A.md", "both skipped"),
    "P14-not composed": ("100644", "cafe\u0301.md", "taken"),
}


@posix_only
class TestHostileTrees:
    """Served by real git; INV2: nothing outside the destination is touched."""

    def attack(self, mirror, agents, *objects, check=FAILURE):
        """Commit the tree *agents*, sound or not, and sync."""
        root, git = mirror.program.root, mirror.upstream.repository.git
        top = tree_object(("40000", "agents", agents))
        commit = commit_object(top)
        for kind, data in (A_BLOB, A_TREE, *objects, agents, top, commit):
            git("hash-object", "-t", kind, "-w", "--literally", "--stdin", data=data)
        git("update-ref", "refs/heads/main", object_id(*commit))
        write(root, "canary.md", CANARY.encode())
        besides = ["dest", "served", "agent_sync.db"]
        before = surroundings(root, besides)
        outcome = mirror.program.call("sync", "--force", check=check)
        assert surroundings(root, besides) == before
        assert (root / "canary.md").read_bytes() == CANARY.encode()
        return outcome

    @pytest.mark.parametrize("row", HOSTILE_TREES)
    def test_a_name_is_refused_skipped_left_out_or_taken(self, synced, row):
        """N05: one odd file never keeps the others away, unless it is unsafe."""
        before = synced.tree()
        mode, name, expected = HOSTILE_TREES[row]
        other = (mode, name, A_TREE if mode == "40000" else A_BLOB)
        entries = [("100644", "a.md", A_BLOB), other]
        entries.sort(key=lambda e: os.fsencode(e[1]) + b"/" * (e[0] == "40000"))
        ends_well = expected in ("skipped", "both skipped", "left out", "taken")
        check = 0 if ends_well else FAILURE
        outcome = self.attack(synced, tree_object(*entries), check=check)
        if not ends_well:
            assert synced.tree() == before
            assert expected == "refused" or expected in complaint(outcome)
            assert last_run(synced.program)["status"] == "error"
            return
        found = {} if expected == "both skipped" else {"a.md": A_BLOB[1]}
        if expected == "taken":
            found[f"{name}/a.md" if mode == "40000" else name] = A_BLOB[1]
        assert synced.tree() == found
        source, skipped = synced.sync(), {"skipped": 1, "both skipped": 2}
        assert len(source["skipped"]) == skipped.get(expected, 0)
        assert source["left_out"] == (expected == "left out")

    def test_all_that_leaves_several_names_out_is_named(self, synced):
        """N05: beside the globs that there are, as `set` replaces them."""
        names = "a.md", "x\x07.md", "y\x07.md", "z.md"
        entries = [("100644", name, A_BLOB) for name in names]
        synced.program.call("set", "src", "--exclude", "z.md")
        outcome = self.attack(synced, tree_object(*entries))
        options = shlex.split(outcome.err.rpartition(" leave it out:")[2])
        synced.program.call("set", "src", *options)
        assert synced.sync("--force")["left_out"] == 3
        assert synced.tree() == {"a.md": A_BLOB[1]}

    def test_a_link_and_a_directory_of_one_name_publish_nothing_outside(self, synced):
        """P18, P15: in one tree; the link itself is never made."""
        link = ("blob", str(synced.program.root).encode())
        for names in (("link", "link"), ("Link", "link"), ("lin\u200ck", "link")):
            entries = ("120000", names[0], link), ("40000", names[1], A_TREE)
            self.attack(synced, tree_object(*entries), link, check=None)
            assert not (synced.dest / names[0]).is_symlink()
            assert not (synced.program.root / "a.md").exists()

    def test_of_odd_modes_only_the_owners_bit_counts(self, synced):
        """P21."""
        modes = {"100664": 0o644, "100777": 0o755, "104755": 0o755, "0100644": 0o644}
        entries = [(mode, f"{mode}.md", A_BLOB) for mode in sorted(modes)]
        self.attack(synced, tree_object(*entries), check=0)
        os.umask(umask := os.umask(0))
        found = tree(synced.dest, lambda path: stat.S_IMODE(path.stat().st_mode))
        assert found == {f"{mode}.md": modes[mode] & ~umask for mode in modes}


@posix_only
class TestLinksInTheDestination:
    """FAULTS P19: INV2 whatever stands in the way."""

    @pytest.fixture
    def outside(self, program):
        return write(program.root, "outside/qa.md", b"mine\n").parent

    WAYS = [(os.symlink, "outside/qa.md"), (os.symlink, "none.md")]
    WAYS += [(os.link, "outside/qa.md")]

    @pytest.mark.parametrize("link, target", WAYS)
    def test_a_file_that_is_a_link_is_left(self, synced, outside, link, target):
        """Neither followed nor, if it is a hard link, written through."""
        (synced.dest / "qa/qa.md").unlink()
        link(synced.program.root / target, synced.dest / "qa/qa.md")
        synced.upstream.publish({"qa/qa.md": b"# New\n"})
        synced.sync()
        assert tree(outside) == {"qa.md": b"mine\n"}
        assert not (synced.program.root / "none.md").exists()
        assert synced.is_faithful()

    MOMENTS = ["stage", "sync_files", "publish", "sync_directories"]

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_a_parent_swapped_is_no_way_out(self, synced, outside, monkeypatch, moment):
        """Noticed, also after the last rename. Nor is a link of before the run."""
        synced.upstream.publish({"qa/qa.md": b"# New\n", "qa/new.md": b"# New\n"})

        def swap(*args):
            if not (synced.dest / "qa").is_symlink():
                (synced.dest / "qa").rename(synced.program.root / "moved")
                (synced.dest / "qa").symlink_to(outside)

        with monkeypatch.context() as patched:
            spy(patched, agent_sync.Directory, moment, swap)
            assert synced.sync(check=1)["status"] == "error"
        assert tree(outside) == {"qa.md": b"mine\n"}
        synced.sync()
        assert tree(outside) == {"qa.md": b"mine\n"}
        assert synced.is_faithful()

    def test_the_programs_own_directory_is_not_one(self, mirror, tmp_path):
        (mirror.dest / ".agent-sync").parent.mkdir()
        (mirror.dest / ".agent-sync").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").mkdir()
        assert "a link; mend that" in mirror.sync(check=1)["error"]
        assert tree(tmp_path / "elsewhere") == {}

    def test_the_destination_itself_may_be_a_link(self, mirror):
        real = mirror.program.root / "real"
        real.mkdir()
        mirror.dest.symlink_to(real)
        mirror.sync()
        assert tree(real) == mirror.upstream.agents()


LINKS = {  # below agents/: where a link leads, and the files it is or why it is skipped
    "CLAUDE.md": ("qa/qa.md", [""]),
    "chain.md": ("CLAUDE.md", [""]),
    "skill": ("../.agents/skills/tdd", ["/SKILL.md", "/run.sh", "/ref/guide.md"]),
    "through": ("skill/ref", ["/guide.md"]),
    "round/about": (".././qa//../../docs/", ["/guide.md"]),
    "up.md": ("../LICENSE", [""]),
    "out.md": ("../../outside.md", "link out of the repository"),
    "absolute.md": ("/etc/passwd", "link out of the repository"),
    "git.md": ("../.git/config", "link into .git"),
    "short": ("../GIT~1/hooks", "link into .git"),
    "nothing.md": ("missing.md", "link to nothing in the repository"),
    "file.md": ("qa/qa.md/x", "link into a file"),
    "slash.md": ("qa/qa.md/", "link into a file"),
    "self.md": ("self.md", "link through more than 10, or to itself"),
    "inside": (".", "link to a directory that it is in"),
    "all": ("..", "link to a directory that it is in"),
    "module": ("../sub/x", "link into a submodule"),
    **{f"hop{n}.md": (f"hop{n + 1}.md", [""]) for n in range(1, 10)},
    "hop0.md": ("hop1.md", "link through more than 10, or to itself"),
    "hop10.md": ("qa/qa.md", [""]),
}


@posix_only
class TestLinksThroughARepository:
    """FAULTS P17, P18, S08, N04: what a checkout of the whole commit would show."""

    @pytest.fixture
    def linked(self, git_upstream, repository):
        """The upstream with LINKS, what they lead to outside of agents/, submodules."""
        for path in (".agents/skills/tdd/SKILL.md", ".agents/skills/tdd/run.sh"):
            repository.write(path, path.encode())
        repository.write("docs/guide.md", b"# Guide\n")
        (repository.directory / ".agents/skills/tdd/run.sh").chmod(0o755)
        (repository.directory / ".agents/skills/tdd/ref").symlink_to("../../../docs")
        (repository.directory / "agents/round").mkdir()
        self.add(repository, {path: target for path, (target, _) in LINKS.items()})
        return git_upstream

    def add(self, repository, links):
        """Commit links below agents/, and submodules in two places."""
        for path, target in links.items():
            (repository.directory / "agents" / path).symlink_to(target)
        repository.git("add", "-A")
        for path in ("sub", "agents/module.md"):
            entry = f"160000,{repository.id()},{path}"
            repository.git("update-index", "--add", "--cacheinfo", entry)
        repository.git("commit", "-q", "-m", "Links, and submodules")

    def test_each_is_what_it_leads_to_or_is_told(self, program, linked, repository):
        mirror = Mirror(program, linked, "--include", "*")
        source = mirror.sync()
        skipped = {skip["path"]: skip["reason"] for skip in source["skipped"]}
        whys = {path: why for path, (_, why) in LINKS.items() if type(why) is str}
        assert skipped == {**whys, "module.md": "submodule"}
        found = {path + end for path in LINKS.keys() - whys for end in LINKS[path][1]}
        there = repository.directory / "agents"
        expected = {path: (there / path).read_bytes() for path in found}
        tree = mirror.tree()
        assert {path: tree[path] for path in found} == expected
        assert not any(path.is_symlink() for path in mirror.dest.rglob("*"))
        assert (mirror.dest / "skill" / "run.sh").stat().st_mode & 0o100
        assert source["requests"] == 4
        assert mirror.sync()["skipped"] == source["skipped"]

    def test_the_targets_are_remembered(self, program, linked, repository):
        """Two requests for an update, as without links, and where a link is new."""
        mirror = Mirror(program, linked)
        mirror.sync()
        repository.write("docs/guide.md", b"# Changed\n")
        repository.git("commit", "-qam", "Changed")
        (repository.directory / "agents" / "new.md").symlink_to("security.md")
        repository.git("add", "agents/new.md")
        repository.git("commit", "-qm", "Linked")
        source = mirror.sync()
        assert source["added"] == ["new.md"]
        changed = ["round/about/guide.md", "skill/ref/guide.md", "through/guide.md"]
        assert (source["updated"], source["requests"]) == (changed, 2)

    def test_a_path_may_lead_through_a_link(self, program, linked, repository):
        """Or be in another normal form; N05. What else it is is said."""
        repository.write("agents/cafe\u0301/guide.md", b"# Guide\n")
        repository.git("add", "agents")
        repository.git("commit", "-q", "-m", "From a Mac")
        for path in ("agents/skill/ref", "agents/caf\u00e9"):
            dest = program.root / path
            program.call("add", linked.url, "--path", path, "--dest", dest)
            program.call("sync")
            assert tree(dest) == {"guide.md": b"# Guide\n"}
        whys = {"sub": "submodule: add", "agents/nothing.md": "link to nothing"}
        for path, why in whys.items():
            program.call("add", linked.url, "--path", path, "--id", "x")
            outcome = program.call("sync", "x", check=1)
            assert f"{path.rpartition('/')[2]}' " in outcome.err and why in outcome.err
            program.call("remove", "x")

    def test_on_githubs_raw_files_it_is_the_same(self, program, github):
        repository = github.repository
        repository.write(".agents/x/SKILL.md", b"# X\n")
        # One file is the same blob as a link, and its path sorts behind that.
        repository.write("agents/z.md", b"../.agents/x")
        self.add(repository, {"s": "../.agents/x", "b.md": "no", "c.md": "s/SKILL.md"})
        mirror = Mirror(program, RawUpstream(github))
        assert paths(mirror.sync()["skipped"]) == ["b.md", "module.md"]
        assert mirror.tree()["s/SKILL.md"] == mirror.tree()["c.md"] == b"# X\n"

    def test_links_that_multiply_are_skipped_at_once(self, program, git_server):
        """G10, INV5: ten directories with ten links each, ten deep: 10**12 files."""
        targets = [("blob", f"../d{n}".encode()) for n in range(1, 11)]
        links = [[("120000", f"l{n}", target) for n in range(10)] for target in targets]
        leaf = [("100644", f"{n:03}.md", A_BLOB) for n in range(100)]
        trees = [tree_object(*entries) for entries in (*links, leaf)]
        entries = [("40000", f"d{n}", tree) for n, tree in enumerate(trees)]
        entries.sort(key=lambda entry: entry[1] + "/")
        root = tree_object(("100644", "a.md", A_BLOB), *entries)
        objects = [A_BLOB, *targets, *trees, root, commit_object(root)]
        pack, commit = packed(*objects)
        found = brought_from(pack, commit)
        shallow = {path for path in found if path.count("/") < 2}
        assert shallow == {"a.md", *(f"d10/{name}" for _, name, _ in leaf)}
        assert len([path for path in found if path.startswith("d9/")]) == 1000
        assert not [path for path in found if path.startswith("d0/")]
        serve(git_server, Transport(commit, pack_answer(pack)))
        url = f"{git_server.url}/owner/repo.git"
        program.call("add", url, "--id", "src", "--exclude", "d?/")
        assert peak_of_sync(program, check=0) < PEAK_LIMIT


class TestBackups:
    """FAULTS N01, N10 and N21."""

    def test_the_same_bytes_are_saved_once(self, synced):
        """Here a formatter edits what came after each run."""
        places = set()
        for _ in range(3):
            synced.write("qa/qa.md", b"# Formatted\n")
            (saved,) = synced.sync()["saved"]
            places.add(saved["to"])
        assert synced.backups() == [b"# Formatted\n"] and len(places) == 1
        synced.write("qa/qa.md", b"# Edited\n")
        synced.sync()
        assert synced.backups() == [b"# Edited\n", b"# Formatted\n"]

    def test_git_and_loaders_of_agents_see_nothing_of_it(self, synced):
        """Loaders look into hidden directories as well. P26: what was in the way."""
        synced.write("qa/qa.md", b"---\nname: qa\n---\nmine\n")
        synced.write("new.md/mine.md", b"mine too\n")
        synced.upstream.publish({"new.md": b"# New\n"})
        synced.sync()
        assert synced.is_faithful() and len(synced.backups()) == 2
        files = tree(synced.dest / ".agent-sync")
        assert files[".gitignore"] == b"*\n" and len(files) == 4
        assert not [name for name in files if name.endswith((".md", ".mdc", ".json"))]
        git = Repository(synced.dest).git
        git("init", "-q")
        status = git("status", "--porcelain", "-uall")
        assert b"qa.md" in status and b".agent-sync" not in status

    def test_those_of_version_1_0_0_are_hidden_by_the_next_run(self, synced):
        (synced.dest / ".agent-sync" / ".gitignore").unlink()
        for name in ("a.md", "a.md.bak", "b/c.json"):
            synced.write(f".agent-sync/backup/T/{name}", name.encode())
        synced.sync("--dry-run")
        assert "backup/T/a.md" in tree(synced.dest / ".agent-sync")
        synced.sync()
        files = tree(synced.dest / ".agent-sync")
        assert files["backup/T/a.md.1.bak"] == b"a.md"
        assert files["backup/T/a.md.bak"] == b"a.md.bak"
        assert files["backup/T/b/c.json.bak"] == b"b/c.json"
        assert len(files) == 5

    @posix_only
    def test_a_link_to_elsewhere_is_not_followed(self, synced):
        """By the first run, which hides old backups; the error names the whole path."""
        (synced.dest / ".agent-sync" / ".gitignore").unlink()
        kept = write(synced.program.root, "elsewhere/kept.md", b"# Kept\n")
        (synced.dest / ".agent-sync" / "backup").symlink_to(kept.parent)
        synced.write("qa/qa.md", b"# Edited\n")
        error = synced.sync(check=1)["error"]
        assert "(.agent-sync/backup/" in error and "/qa/qa.md.bak): Not a dir" in error
        assert tree(kept.parent) == {"kept.md": b"# Kept\n"}
        assert synced.tree()["qa/qa.md"] == b"# Edited\n"


class TestSharedDestinations:
    """FAULTS N09, P23, S15: in one directory, or in one inside another's."""

    SKILL = {"x/SKILL.md": b"# X of one\n", "x/run.md": b"run\n"}
    SOURCES = {  # id: (where in the destination, its files)
        "one": ("", {"a.md": b"one\n", "both.md": b"one\n", **SKILL}),
        "two": ("", {"b.md": b"two\n", "BOTH.md": b"two\n", "x/more.md": b"two\n"}),
        "sub": ("below", {"c.md": b"sub\n", "d/e.md": b"sub\n"}),
        "top": ("", {"below/c.md": b"top\n", "below/f.md": b"top\n", "a.md/g.md": b""}),
    }
    TOGETHER = {**SOURCES["one"][1], "b.md": b"two\n", "mine.md": b"mine\n"}
    TOGETHER |= {"below/c.md": b"sub\n", "below/d/e.md": b"sub\n"}
    TOGETHER |= {"below/f.md": b"top\n"}

    @pytest.fixture
    def shared(self, program):
        """The destination, with a file of the user's in it; the sources are added."""
        dest = program.root / "dest"
        write(dest, "mine.md", b"mine\n")
        for source_id, (below, files) in self.SOURCES.items():
            for path, data in files.items():
                write(program.root / source_id, path, data)
            options = ["--id", source_id, "--dest", dest / below]
            program.call("add", program.root / source_id, *options)
        return dest

    def agents(self, directory):
        found = tree(directory).items()
        return {path: data for path, data in found if ".agent-sync/" not in path}

    def test_each_owns_its_files_and_a_skill_whole(self, program, shared):
        """What is another's is not called untracked."""
        program.call("sync")
        assert self.agents(shared) == self.TOGETHER
        owners = {"two": {"BOTH.md": "one", "x/more.md": "one"}, "one": {}, "sub": {}}
        owners["top"] = {"a.md/g.md": "one", "below/c.md": "sub"}
        for source in program.call_json("sync")["sources"]:
            found = {skip["path"]: skip["reason"] for skip in source["skipped"]}
            owner = owners[source["source"]]
            assert found == {p: f"belongs to source '{owner[p]}'" for p in owner}
        sources = program.call_json("status")["sources"]
        untracked = {source["source"]: source["untracked"] for source in sources}
        assert untracked == {**dict.fromkeys(self.SOURCES, ["mine.md"]), "sub": []}

    ORDERS = [*itertools.permutations("01"), *itertools.permutations("012")]
    ORDERS += [random.Random(seed).sample("0123456789", 10) for seed in range(4)]

    @pytest.mark.parametrize("order", ORDERS, ids="".join)
    def test_in_any_order_each_keeps_its_own(self, program, order):
        """Who comes first owns what both have, and a skill whole, for ever."""
        dest, files, below = program.root / "dest", {}, {}
        mine = {"mine.md": b"# Mine\n", "s/mine.md": b"# Mine\n"}
        for path, data in mine.items():
            write(dest, path, data)

        def publish(text):
            for name, listed in files.items():
                for path in listed:
                    data = f"{name} {text}\n".encode()
                    write(program.root / "from" / name, path, data)

        def sync(names):
            """{path: (its source, its text)} once these sources are synced."""
            for name in names:
                program.call("sync", name)
            found = self.agents(dest)
            assert {path: found.pop(path) for path in mine} == mine
            return {path: tuple(data.decode().split()) for path, data in found.items()}

        for name in sorted(order):  # some in a directory of the others'
            below[name] = "below/" if name in "147" else ""
            twin = ["both.md", "BOTH.md"][int(name) % 2]
            listed = [f"{name}.md", twin, "s/SKILL.md", f"s/{name}.md"]
            listed.append("a.md/2.md" if name == "2" else "a.md")
            files[name] = {below[name] + path for path in listed}
            if not below[name]:
                files[name] |= {f"below/s/{name}.md", "below/both.md"}
            publish("old")
            options = ["--id", name, "--dest", dest / below[name]]
            program.call("add", program.root / "from" / name / below[name], *options)
        found = sync(order)
        owned = {name: {p for p in found if found[p][0] == name} for name in order}
        assert owned[order[0]] == files[order[0]]
        assert len({path.lower() for path in found}) == len(found)
        for skill in [path[:-8] for path in found if path.endswith("s/SKILL.md")]:
            inside = {path for path in found if path.startswith(skill)}
            (owner,) = {found[path][0] for path in inside}
            assert {path for path in files[owner] if path.startswith(skill)} == inside
        publish("new")
        after = {path: (owner, "new") for path, (owner, _) in found.items()}
        assert sync([*reversed(order)]) == after
        for source in program.call_json("sync")["sources"]:
            name = source["source"]
            skipped = {below[name] + path for path in paths(source["skipped"])}
            assert changes(source).keys() <= {"skipped"}
            assert skipped == files[name] - owned[name]
        program.call("remove", order[0], "--delete-files")
        left = {path: own for path, own in after.items() if own[0] != order[0]}
        assert sync([]) == left
        assert not list(dest.rglob("*.bak"))

    def test_what_a_killed_run_of_one_wrote_is_not_anothers(self, program, shared):
        """A14: killed after its files, before their rows."""
        write(shared, "both.md", b"one\n")
        for path, data in self.SOURCES["one"][1].items():
            row = (path, sha256(data))
            program.query("INSERT INTO pending VALUES ('one', ?, ?)", *row)
        program.call("sync", "two")
        assert self.agents(shared)["both.md"] == b"one\n"
        program.call("sync")
        assert self.agents(shared) == self.TOGETHER

    def test_a_source_moves_within_what_another_has(self, program, shared):
        """A15: it waits for no lock that it holds itself."""
        program.call("sync")
        before = self.agents(shared)
        for place in ("above", "above/below", "", "below"):
            program.call("set", "sub", "--dest", shared / place, "--lock-timeout", "0")
            program.call("sync", "sub")
        assert self.agents(shared) == before == self.TOGETHER
        assert not list((shared / "above").rglob("*"))

    def test_their_runs_wait_for_one_another(self, program, shared):
        """A15: also where the directory of one is inside that of the other."""
        program.call("sync")
        with agent_sync.DestinationLock(shared):
            for command in (["sync", "sub"], ["set", "sub", "--exclude", "c.md"]):
                outcome = program.call(*command, "--lock-timeout", "0", check=1)
                assert "another run holds" in outcome.err
        program.call("sync", "sub")


class TestChangedSources:
    """FAULTS N08: what `set` changes, the next sync brings about."""

    SETTINGS = [  # what is set, what takes it back, whether only repositories have it
        ("--include *.json", "--default-filters", False),
        ("--include qa/", "--default-filters", False),
        ("--exclude qa/", "--default-filters", False),
        ("--path agents/qa", "--path agents", True),
        ("--ref old", "--ref main", True),
        ("--kind KIND", "--kind KIND", False),
        ("--on-conflict overwrite", "--on-conflict backup", False),
        ("--allow-hidden", "--no-allow-hidden", False),
        ("--disable", "--enable", False),
        ("--dest AWAY", "--dest HERE", False),
        ("--url OTHER --exclude none", "--url URL --default-filters", False),
    ]

    def test_set_makes_a_source_what_a_fresh_one_would_be(self, program, upstream):
        """There and back, without --force; and afterwards each state can be had."""
        repository = getattr(upstream, "repository", None)
        if repository:
            repository.git("branch", "old")
        upstream.publish({"new.md": b"# New\n", "qa/qa.md": None})
        mirror, fresh, states = Mirror(program, upstream), program.root / "fresh", {}
        other = write(program.root / "other", "here.md", b"# Here\n").parent
        url, *path = upstream.arguments
        words = {"KIND": [upstream.kind], "OTHER": [other], "URL": [url, *path]}
        words.update(AWAY=[program.root / "away"], HERE=[mirror.dest])

        def spelled(options):
            return [w for name in options.split() for w in words.get(name, [name])]

        def change(source, options, *more):
            """What is here once an option of a source is set, of itself and tracked."""
            program.call("set", source, *options, *more)
            program.call("sync", source)
            (row,) = program.query("SELECT * FROM sources WHERE id = ?", source)
            sql = "SELECT file_path, content_sha FROM agent_files WHERE source_id = ?"
            tracked = {tuple(row.values()) for row in program.query(sql, source)}
            found = tree(row["destination"])
            assert {(path, sha256(data)) for path, data in found.items()} == tracked
            return found

        for there, back, is_for_repositories in self.SETTINGS:
            if is_for_repositories and not repository:
                continue
            there, back = spelled(there), spelled(back)
            options = ["--id", "fresh", "--dest", fresh]
            program.call("add", *upstream.arguments, *options)
            no_dest = ["--dest", fresh] if "--dest" in there else []
            found = change("src", there)
            assert found == change("fresh", there, *no_dest), there
            runs = program.call_json("history", "src", "-n", "1")["runs"]
            states[runs[0]["id"]] = found
            program.call("remove", "fresh", "--delete-files")
            assert change("src", back) == upstream.agents(), back
        assert mirror.backups() == []
        for run, state in states.items():
            program.call("rollback", "src", run)
            assert mirror.tree() == state

    def test_a_new_destination_takes_the_files_along(self, synced):
        synced.write("qa/qa.md", b"# My own\n")
        synced.write("mine.md", b"mine\n")
        moved = synced.program.root / "moved"
        document = synced.program.call_json("set", "src", "--dest", moved)
        assert document == {"source": "src", "kept": ["qa/qa.md"]}
        assert synced.tree() == {"qa/qa.md": b"# My own\n", "mine.md": b"mine\n"}
        source = only_source(synced.program.call_json("sync"))
        assert changes(source) == {"restored": ["qa/qa.md"]}
        assert tree(moved) == synced.upstream.agents()

    BAD = ["nobody --ref x", "src", "src --path ../x", "src --kind ftp"]
    BAD += ["src --url http://h.example/x", "src --url https://u:p@h.example/x"]

    @pytest.mark.parametrize("arguments", BAD)
    def test_a_change_that_cannot_be_changes_nothing(self, synced, arguments):
        with untouched(synced.dest, synced.program):
            synced.program.call("set", *arguments.split(), check=2)

    def test_a_second_directory_of_a_repository_is_called_by_it(self, program):
        ids = {"agents": "repo", "more/skills": "repo-skills", "last": "repo-last"}
        for path, source_id in ids.items():
            added = program.call_json("add", "owner/repo", "--path", path)
            assert added["source"] == source_id


# ==== Web sources ====
#
# What is special about them; the rest is in TestEveryKindOfSource.


class TestManifests:
    @pytest.mark.parametrize("form", FORMS)
    def test_three_forms_named_by_the_url(self, program, site, form):
        """DESIGN section 3; a second sync asks for what it must, and writes nothing."""
        site.renew(form=form)
        site.arguments = [f"{site.base}/{site.index}"]
        mirror = Mirror(program, site)
        assert mirror.sync()["requests"] == 5
        assert mirror.is_faithful()
        with untouched(mirror.dest):
            site.take()
            source = mirror.sync()
            assert (source["unchanged"], changes(source)) == (4, {})
            assert source["requests"] == (5 if form == "list" else 1)
            assert set(conditions(site.requests)) == set(asked_for(site.requests))

    @pytest.mark.parametrize("name", ["agents.json", "index.json", "SHA256SUMS"])
    def test_a_manifest_of_any_name_at_the_root_of_a_site(self, program, name):
        """A URL of one or two names is a web site's if it ends like a manifest."""
        files = {f"/{path}": http_reply(200, data) for path, data in WEB_AGENTS.items()}
        files[f"/{name}"] = http_reply(200, json_manifest(WEB_AGENTS))
        with ScriptedOrigin(files) as origin:
            dest = program.root / "dest"
            url = origin.url if name == "agents.json" else f"{origin.url}/{name}"
            program.call("add", url, "--id", "src", "--dest", dest)
            program.call("sync")
        assert tree(dest) == WEB_AGENTS

    SUMS = sums_manifest(WEB_AGENTS)
    NO_SIZES = [{"path": p, "sha256": sha256(d).upper()} for p, d in WEB_AGENTS.items()]
    ODD = {  # as `sha256sum -b` and `find . -exec sha256sum` write them, for one
        "capitals, no sizes": json.dumps({"files": NO_SIZES, "made": "today"}).encode(),
        "SHA256SUMS in capitals": re.sub(rb"(?m)^\w+", lambda m: m[0].upper(), SUMS),
        "binary, here, CRLF": SUMS.replace(b"  qa", b" *./qa").replace(b"\n", b"\r\n"),
        "20,000 entries": json.dumps([*map(str, range(20_000)), *WEB_AGENTS]).encode(),
        "a comment, a backslash": b"# Mine\n%s\\%064d  a\\\\b\\nc.txt\n" % (SUMS, 0),
    }

    @pytest.mark.parametrize("case", ODD)
    def test_an_odd_manifest_is_read(self, web, site, case):
        """FAULTS H35."""
        site.answers["agents.json"] = http_reply(200, self.ODD[case])
        assert web.follows()

    def test_what_a_manifest_lists_is_what_the_command_writes(self):
        """Read and written again, it is the same: by hand a property."""
        chance = random.Random(8)
        for _ in range(50):
            names = [f"{chance.randrange(40)}/é {n}.md" for n in range(9)]
            files = {name: prose(name, chance.randrange(90)) for name in names}
            found = agent_sync.parse_manifest(json_manifest(files))
            plain = [file._replace(size=None, mode=None) for file in found]
            assert agent_sync.parse_manifest(sums_manifest(files)) == plain
            assert agent_sync.parse_manifest(agent_sync.manifest_bytes(found)) == found
            hashes = {name: sha256(data) for name, data in files.items()}
            assert {file.path: file.sha256 for file in found} == hashes

    BAD = [
        b"{", b"{}", b'{"files": {"a.md": 1}}', b"[1]", b'[{"sha256": "x"}]',
        b'{"files": [], "files": ["qa/qa.md"]}', b'["qa/qa.md", "qa/qa.md"]',
        b'{"files": [{"path": "a.md", "size": NaN}]}', b"[Infinity]",
        b"[" * 5000 + b"]" * 5000, b'{"a":' * 100_000,
        b'[{"path": "a.md", "size": %s}]' % (b"9" * 4301),
        b'[{"path": "a.md", "size": -1}]', b'[{"path": "a.md", "size": true}]',
        b'[{"path": "a.md", "size": 1.5}]', b'[{"path": "a.md", "sha256": "abc"}]',
        b'[{"path": "a.md", "sha256": 1}]', '["qa/qa.md"]'.encode("utf-16"),
        '["\u00e9.md"]'.encode("latin-1"), b'["a\\u0000.md"]', b'["a\x1b[31m.md"]',
        b'["qa/qa.md"] and more', b"Hello, world\n", SHORT_MANIFEST + b"what is this\n",
        SHORT_MANIFEST.replace(b"BASE", b"\xff\xfe"),
    ]  # fmt: skip

    def test_a_bad_manifest_changes_nothing(self, hashed, site):
        """FAULTS H35, P13 to P15, INV3; tidy in what it says."""
        for data in self.BAD:
            site.answers["agents.json"] = http_reply(200, data, {"ETag": '"bad"'})
            source = hashed.fails()
            assert source["requests"] == 1 and len(source["error"]) < 1000, data[:99]
        site.answers.clear()
        assert hashed.sync()["unchanged"] == 4

    LIES = [("qa/qa.md", 200, FORGED), ("qa/qa.md", 200, bytes(len(b"# Changed\n")))]
    LIES += [("qa/qa.md", 200, b"# Chan"), ("qa/qa.md", 200, b"")]
    LIES += [("qa/qa.md", 404, b""), ("new.md", 410, b"")]

    def test_the_whole_revision_or_nothing(self, hashed, site):
        """H35, H36, INV1: what may have changed is listed once more, not for ever."""
        site.files["qa/qa.md"] = b"# Changed\n"
        site.files["new.md"] = b"# New\n"
        del site.files["ops.json"]
        for path, status, body in self.LIES:
            site.take()
            site.answers = {path: http_reply(status, body)}
            assert path in hashed.fails()["error"], body
            times = 2 if status == 200 else 1
            assert asked_for(site.requests).count("agents.json") == times
        site.answers.clear()
        assert hashed.follows()

    def test_a_source_that_changes_meanwhile_is_listed_once_more(self, hashed, site):
        """FAULTS H36, S05: never a mixture of two revisions."""
        site.files["qa/qa.md"] = b"# Second\n"
        site.files["ops.json"] = b'{"name": "second"}\n'

        def publish(request):
            site.files["qa/qa.md"] = b"# Third\n"
            site.files["ops.json"] = b'{"name": "third"}\n'

        old = http_reply(200, site.manifest(), {"ETag": '"second"'})
        turns = in_turn(old, None)
        site.answers = {"agents.json": turns, "qa/qa.md": publish, "ops.json": publish}
        source = hashed.sync()
        assert source["updated"] == ["ops.json", "qa/qa.md"]
        assert source["revision"] == sha256(site.manifest())
        assert hashed.is_faithful()
        assert asked_for(site.requests).count("agents.json") == 2
        assert len(hashed.program.query("SELECT id FROM sync_history")) == 2

    def test_a_file_that_cannot_be_had_is_not_deleted(self, unhashed, site):
        """FAULTS H23, INV4: `partial`, and the rest goes its way."""
        for status in (404, 410, 403):
            site.answers["qa/qa.md"] = http_reply(status)
            site.files["ops.json"] = b'{"status": %d}\n' % status
            source = unhashed.sync(check=1)
            assert (source["status"], source["updated"]) == ("partial", ["ops.json"])
            [failed] = source["failed"]
            assert failed["path"] == "qa/qa.md"
            assert str(status) in failed["error"]
            assert unhashed.is_faithful()
            run = last_run(unhashed.program)
            assert (run["status"], run["files_failed"]) == ("partial", 1)
            assert run["files_cached"] == 2
        outcome = unhashed.program.call("sync", check=1)
        assert "qa/qa.md" in complaint(outcome)
        assert "up to date" not in complaint(outcome)
        with untouched(unhashed.dest):
            site.answers = dict.fromkeys(site.files, http_reply(404))
            assert unhashed.sync(check=1)["status"] == "error"

    def test_what_was_synced_in_part_is_not_recent(self, unhashed, site):
        """Nor does a run that asked nobody make it so."""
        set_source(unhashed.program, last_sync_time=None)
        site.answers["qa/qa.md"] = http_reply(404)
        unhashed.sync(check=1)
        unhashed.sync("--offline")
        assert "not wholly synced" in unhashed.program.call("status").out
        again = unhashed.sync("--max-age", "15m", check=1)
        assert (again["checked"], again["status"]) == (True, "partial")
        site.answers.clear()
        unhashed.sync()
        assert unhashed.sync("--max-age", "15m")["checked"] is False

    def test_what_is_suddenly_empty_or_no_json_is_refused(self, unhashed, site):
        """H21: the one before was not empty; a JSON agent must be JSON."""
        site.files["empty.md"] = b""
        assert unhashed.follows()
        (unhashed.dest / "empty.md").unlink()
        assert unhashed.sync()["restored"] == ["empty.md"]
        site.files["qa/qa.md"] = b""
        site.files["ops.json"] = b"<!DOCTYPE html>"
        for force in ([], ["--force"]):
            with untouched(unhashed.dest):
                source = unhashed.sync(*force, check=1)
            assert paths(source["failed"]) == ["ops.json", "qa/qa.md"]

    def test_each_fact_that_a_manifest_has_counts(self, web, site):
        """FAULTS H35: a size though the hash is right, a hash though one is missing."""
        manifest = site.manifest().replace(b'"size": 2', b'"size": 3', 1)
        assert manifest != site.manifest()
        site.answers["agents.json"] = http_reply(200, manifest)
        assert "size" in web.sync(check=1)["error"]
        assert not web.tree()
        items = json.loads(site.manifest())["files"]
        items[0] = {"path": items[0]["path"]}
        site.answers["agents.json"] = http_reply(200, json.dumps(items).encode())
        site.answers["qa/qa.md"] = http_reply(200, FORGED)
        web.sync(check=1)
        assert "qa/qa.md" not in web.tree()


ETAGS = ['"abc"', 'W/"9e"', "abc", '""', '"a,b"', '"a"b"', '"a\\b"', '"\xe9"', 'w/"x"']
BAD_ETAGS = ["*", '"' + "x" * 8192 + '"', '"a\r\n b"', '"a\x01b"']
DATES = ["Fri, 01 Jan 2100 00:00:00 GMT"]  # and two forms of RFC 9110, section 5.6.7
DATES += ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
BAD_DATES = ["yesterday", "Fri, 99 Foo 2099", "", "0", "-1"]


class TestValidators:
    """FAULTS H14 to H20, H38: with the stored validators of that very file."""

    @pytest.mark.parametrize("sent, is_kept", [("10:00:00", False), ("10:00:01", True)])
    def test_a_date_as_old_as_the_answer_is_not_kept(self, web, site, sent, is_kept):
        """RFC 9110, section 8.8.2.2: another change may come in it."""
        dates = {"Last-Modified": "10:00:00", "Date": sent}
        fields = {name: f"Wed, 25 Nov 2026 {at} GMT" for name, at in dates.items()}
        site.validators = lambda data: fields
        web.sync()
        site.take()
        web.sync()
        assert ("agents.json" in conditions(site.requests)) == is_kept

    NAMED = [("ETag", ETAGS, BAD_ETAGS), ("Last-Modified", DATES, BAD_DATES)]

    @pytest.mark.parametrize("name, good, bad", NAMED)
    def test_one_goes_back_as_it_is_or_not_at_all(self, program, site, name, good, bad):
        """FAULTS H17, H19: one file has each, and in turn the manifest."""
        values = {f"{number}.md": value for number, value in enumerate(good + bad)}
        mirror = Mirror(program, site.renew({p: p.encode() for p in values}, "list"))
        for value in (good[0], good[-1], bad[2]):
            values["agents.json"] = value
            site.validators = lambda data: {
                name: values.get(data.decode(), values["agents.json"])
            }
            mirror.sync()
            site.take()
            with untouched(mirror.dest):
                assert mirror.sync()["unchanged"] == len(site.files)
            usable = {path: value for path, value in values.items() if value in good}
            assert conditions(site.requests) == usable

    def both(data):
        return {**strong_etag(data), **modified(data)}

    MAKERS = [strong_etag, weak_etag, modified, both, lambda data: {}]

    @pytest.mark.parametrize("make", MAKERS)
    def test_each_file_has_its_own(self, web, site, make):
        """H20, RFC 9110 section 13.2.2: of both the tag decides; none is made up."""
        site.form, site.validators = "list", make
        web.sync()
        site.take()
        before, source = stats(web.dest), web.sync()
        bodies = {**site.files, "agents.json": site.manifest()}
        made = {path: [*make(data).values()] for path, data in bodies.items()}
        expected = {path: values[0] for path, values in made.items() if values}
        assert conditions(site.requests) == expected
        assert source["unchanged"] == 4
        assert (source["bytes_received"] == 0) == bool(expected)
        assert stats(web.dest) == before

    def test_the_same_content_again_is_not_written(self, unhashed, site):
        """H18, H19, INV8: a new tag is stored; Apache's "-gzip" brings 200 for ever."""
        with untouched(unhashed.dest):
            site.validators = weak_etag
            assert unhashed.sync()["bytes_received"] > 4000
            site.take()
            assert unhashed.sync()["bytes_received"] == 0
            assert conditions(site.requests)["qa/qa.md"].startswith("W/")
            site.validators = lambda data: {"ETag": f'"{sha256(data)[:9]}-gzip"'}
            others = {"headers": {"if-none-match": "never"}}
            site.answer = lambda request: site.reply_to(request._replace(**others))
            for _ in range(2):
                source = unhashed.sync()
                assert (source["unchanged"], changes(source)) == (4, {})
                assert source["bytes_received"] > 4000

    def test_the_same_tag_for_new_content_is_found_by_force(self, unhashed, site):
        """FAULTS H19: only the server can know, unless everything is fetched."""
        site.validators = lambda data: {"ETag": '"same"'}
        unhashed.sync()
        site.files["qa/qa.md"] = b"# Changed\n"
        unhashed.sync()
        site.take()
        assert unhashed.sync("--force")["updated"] == ["qa/qa.md"]
        assert not conditions(site.requests)
        assert unhashed.is_faithful()

    def test_an_unasked_304_for_a_file_is_no_answer(self, web, site):
        """FAULTS H14: nothing is recorded, and the next run has it."""
        site.form = "list"
        site.answers["qa/qa.md"] = not_modified({"ETag": '"x"'})
        assert paths(web.sync(check=1)["failed"]) == ["qa/qa.md"]
        assert "qa/qa.md" not in stored(web.program)
        site.answers.clear()
        assert web.sync()["added"] == ["qa/qa.md"]

    def test_no_validator_of_a_file_that_is_not_here_any_more(self, unhashed, site):
        """H15, INV9: a 304 would mean nothing. Nor where the database lost the rows."""
        (unhashed.dest / "qa/qa.md").unlink()
        unhashed.write("ops.json", b"")
        unhashed.write("BASE-AGENT.md", b"# Edited\n")
        assert unhashed.sync()["restored"] == ["BASE-AGENT.md", "ops.json", "qa/qa.md"]
        sent = conditions(site.requests)
        assert set(sent) == {"agents.json", "engineer/core/engineer.md"}
        assert unhashed.is_faithful()
        assert unhashed.backups() == [b"", b"# Edited\n"]
        unhashed.program.query("DELETE FROM agent_files")
        site.take()
        assert unhashed.follows() and not conditions(site.requests)

    def test_a_304_keeps_the_stored_tag_unless_it_has_another(self, unhashed, site):
        """FAULTS H16: GitHub sends none. RFC 9111 section 4.3.4."""
        rows = stored(unhashed.program)
        with untouched(unhashed.dest):
            site.answer = lambda request: not_modified()
            assert unhashed.sync()["unchanged"] == 4
            assert stored(unhashed.program) == rows
            site.answer = lambda request: not_modified({"ETag": '"renamed"'})
            assert changes(unhashed.sync()) == {}
            known = stored(unhashed.program).values()
            assert {etag for etag, _ in known} == {'"renamed"'}
            site.take()
            unhashed.sync()
            assert set(conditions(site.requests).values()) == {'"renamed"'}

    def test_no_tag_is_stored_without_its_body(self, hashed, site):
        """FAULTS H15: not the manifest's, if files were not had. Nor by a dry run."""
        rows = stored(hashed.program)
        site.files["qa/qa.md"] = b"# Changed\n"
        assert hashed.sync("--dry-run")["updated"] == ["qa/qa.md"]
        assert stored(hashed.program) == rows
        site.answers["qa/qa.md"] = http_reply(404)
        hashed.sync(check=1)
        assert stored(hashed.program) == rows
        site.answers.clear()
        assert hashed.sync()["updated"] == ["qa/qa.md"]


class TestGitHubsRawFiles:
    """DESIGN section 3: raw files under `--kind http`."""

    @pytest.fixture
    def mirror(self, program, raw_upstream):
        return Mirror(program, raw_upstream)

    def test_the_revision_is_the_tree_of_the_branch(self, synced, github):
        [row] = synced.program.query("SELECT last_sha FROM sources")
        assert row["last_sha"] == github.repository.id("HEAD^{tree}")
        assert synced.sync()["bytes_received"] == 0
        assert github.requests[-1].path.endswith("/git/trees/main?recursive=1")
        assert "if-none-match" in github.requests[-1].headers

    def test_an_unasked_304_is_no_listing(self, mirror, github):
        """FAULTS H14, INV1: nothing is up to date, nothing removed, nothing synced."""
        github.answer = lambda request: not_modified()
        assert mirror.sync(check=1)["status"] == "error"
        unasked, github.answer = github.answer, lambda request: None
        mirror.sync()
        github.answer = unasked
        for force in ([], ["--force"]):
            set_source(mirror.program, etag=None, last_modified=None)
            assert mirror.fails(*force, check=(1, 3))["checked"] is False

    def test_a_file_that_is_not_the_blob_is_refused(self, synced, github):
        """INV1: the blob id proves it."""
        synced.upstream.publish({"qa/qa.md": b"# Changed\n"})
        for body in (FORGED, b"# Chanced\n", bytes(3000)):
            reply = http_reply(200, body)
            github.answer = lambda request, reply=reply: (
                reply if "/raw/" in request.path else None
            )
            assert "qa/qa.md" in synced.fails()["error"]

    @pytest.mark.parametrize("limit", [0, 3, 7])
    def test_a_listing_that_is_cut_short_is_walked(self, mirror, github, limit):
        github.limit = limit
        assert mirror.follows()
        assert mirror.sync()["requests"] == 1

    def test_a_directory_that_is_not_there_is_an_error(self, program, github):
        program.call("add", f"{github.url}/raw/owner/repo/main/agent", "--kind", "http")
        assert "agent" in complaint(program.call("sync", check=1))

    def test_a_ref_with_a_slash_and_a_directory_with_a_space(self, program, github):
        github.repository.write("my agents/x y.md", b"# X\n")
        github.repository.commit()
        github.repository.git("branch", "feature/x")
        url = f"{github.url}/raw/owner/repo/feature/x/my%20agents"
        dest = program.root / "dest"
        program.call("add", url, "--kind", "http", "--ref", "feature/x", "--dest", dest)
        program.call("sync")
        assert tree(dest) == {"x y.md": b"# X\n"}

    FILE = {"type": "blob", "mode": "100644", "path": "agents/x.md"}
    WHOLE = {**FILE, "sha": "0" * 40}
    TREES = [[{}], [FILE], [{**WHOLE, "path": "agents/../../x.md"}], [WHOLE] * 2]
    BAD = [[], {"tree": []}, {"sha": "0" * 40}]
    BAD += ({"sha": "0" * 40, "tree": tree} for tree in TREES)

    def test_a_bad_tree_changes_nothing(self, synced, github):
        for body in [b"<html>", *(json.dumps(bad).encode() for bad in self.BAD)]:
            reply = http_reply(200, body, {"ETag": '"bad"'}, "application/json")
            github.answer = lambda request, reply=reply: reply
            synced.fails()

    REFUSALS = {str(code): http_reply(code) for code in (403, 404, 405, 501)}
    REFUSALS["web page"] = http_reply(200, b"<html>blocked</html>", (), "text/html")

    @pytest.mark.parametrize("case", REFUSALS)
    def test_where_git_is_refused_raw_files_are_read(
        self, program, github, case, git_server, repository
    ):
        """Only when the kind was left to be chosen, and until git is served again."""
        github.git_reply = self.REFUSALS[case]
        mirror = Mirror(program, RawUpstream(github))
        outcome = program.call("sync", "--json")
        assert only_source(outcome.document)["kind"] == "http"
        assert "raw files" in outcome.err
        assert mirror.is_faithful()
        again = mirror.sync()
        assert (again["unchanged"], again["requests"]) == (8, 1)
        with untouched(mirror.dest):
            github.answer = git_server.reply_to
            source = only_source(program.call_json("sync"))
            assert (source["kind"], source["unchanged"]) == ("git", 8)

    def test_a_kind_that_was_chosen_is_kept(self, program, github):
        mirror = Mirror(program, RawUpstream(github, "--kind", "git"))
        assert mirror.sync(check=1)["status"] == "error"
        assert {ask.path[:16] for ask in github.requests} == {"/owner/repo.git/"}


NGINX_CONFIGURATION = """
daemon off; master_process off; pid pid; error_log error.log; events {{ }}
http {{
    log_format short '$connection $status'; access_log access.log short;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5;
    gzip on; gzip_min_length 0; gzip_types *;
    server {{ listen 127.0.0.1:{port}; root www; }}
}}
"""


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    """(what it serves, its port, its log) of an nginx of our own."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed")
    root = tmp_path_factory.mktemp("nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    write(root, "nginx.conf", NGINX_CONFIGURATION.format(port=port).encode())
    command = [program, "-p", str(root), "-c", "nginx.conf"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_until(lambda: (root / "pid").exists() or process.poll() is not None)
    assert process.poll() is None, (root / "error.log").read_text()
    yield root / "www", port, root / "access.log"
    process.terminate()
    process.wait(300)


@pytest.mark.parametrize("form", ["JSON", "list"])
def test_two_hundred_files_from_a_real_server(nginx, program, form):
    www, port, log = nginx
    files, dest = many_agents(200), program.root / "dest"

    def publish(day):
        """Write what is new, dated one day apart: nginx makes a tag of the time."""
        there = tree(www / form)
        for name, data in {**files, "agents.json": FORMS[form][1](files)}.items():
            if there.get(name) != data:
                os.utime(write(www / form, name, data), (day * 86400, day * 86400))

    def sync(expected):
        """Sync over six connections, and be answered with {status: how often}."""
        os.truncate(log, 0)
        source = only_source(program.call_json("sync", "-j", "6"))
        wait_until(lambda: log.read_text().count("\n") >= source["requests"])
        lines = [line.split() for line in log.read_text().splitlines()]
        statuses = [status for _, status in lines]
        assert {status: statuses.count(status) for status in statuses} == expected
        assert len({connection for connection, _ in lines}) <= 6
        assert tree(dest) == files
        return source

    program.call("add", f"http://127.0.0.1:{port}/{form}", "--dest", dest)
    publish(day=1)
    sync({"200": 201})
    before = stats(dest)
    assert sync({"304": 1 if form == "JSON" else 201})["bytes_received"] == 0
    files["3/agent-003.md"] += b"Changed\n"
    publish(day=2)
    changed = sync({"200": 2} if form == "JSON" else {"200": 1, "304": 200})
    assert changed["updated"] == ["3/agent-003.md"]
    assert len(set(before.items()) - set(stats(dest).items())) == 1


# ==== Plan ====


def local_file(data, mode=0o644):
    ids = sha256(data), object_id("blob", data)
    return agent_sync.LocalFile(*ids, len(data), inode=1, mode=mode)


def listed(data, path="a.md", hashed=False, **fields):
    """A File of a git source, or of a manifest with hashes."""
    if hashed:
        return agent_sync.File(path, sha256(data), size=len(data), **fields)
    return agent_sync.File(path, object_id=object_id("blob", data), **fields)


def tracked_as(data, path="a.md", hashed=False, **fields):
    file = listed(data, path, hashed, **fields)
    return file._replace(sha256=sha256(data), size=len(data))


def plan_of(files, tracked, local, pending=None, policy="backup", failed=()):
    listing = agent_sync.Listing("1" * 40, tuple(files), failed=tuple(failed))
    rows = {row.path: row for row in tracked}
    return agent_sync.make_plan(listing, rows, local, pending, policy)


OLD, NEW, MINE = b"old", b"new", b"mine"
DIR = agent_sync.Obstacle("a.md", ("a.md/x",))
EMPTY = agent_sync.Obstacle("a.md", ())
LINK = agent_sync.Obstacle("a.md", ("a.md",))
PLANS = """
add                               |NEW |None|None |backup   |add
adopt                             |NEW |None|NEW  |backup   |adopt
adopt under keep                  |NEW |None|NEW  |keep     |adopt
adopt what is tracked otherwise   |NEW |OLD |NEW  |backup   |adopt
unchanged                         |NEW |NEW |NEW  |backup   |unchanged
update                            |NEW |OLD |OLD  |backup   |update
update what is missing            |NEW |OLD |None |backup   |update
restore                           |NEW |NEW |None |backup   |restore
restore under keep                |NEW |NEW |None |keep     |restore
restore what was edited           |NEW |NEW |MINE |backup   |restore, save a.md
overwrite what was edited         |NEW |NEW |MINE |overwrite|restore
keep what was edited              |NEW |NEW |MINE |keep     |keep
update what was edited            |NEW |OLD |MINE |backup   |update, save a.md
untracked in the way              |NEW |None|MINE |backup   |add, save a.md
untracked is overwritten          |NEW |None|MINE |overwrite|add
untracked is kept                 |NEW |None|MINE |keep     |keep
a directory                       |NEW |None|DIR  |backup   |add, save a.md/x, clear
a directory, overwrite            |NEW |None|DIR  |overwrite|add, save a.md/x, clear
a directory, keep                 |NEW |None|DIR  |keep     |keep
an empty directory                |NEW |None|EMPTY|keep     |add, clear
a link                            |NEW |NEW |LINK |backup   |restore, save a.md, clear
a link, overwrite                 |NEW |NEW |LINK |overwrite|restore, save a.md, clear
remove                            |None|OLD |OLD  |backup   |remove
remove what is gone               |None|OLD |None |backup   |remove
edited and removed                |None|OLD |MINE |backup   |keep
edited and removed, overwrite     |None|OLD |MINE |overwrite|keep
a directory and removed, overwrite|None|OLD |DIR  |overwrite|keep
a file of the user's own          |None|None|MINE |backup   |nothing
"""
PLANS = [[cell.strip() for cell in row.split("|")] for row in PLANS.split("\n")[1:-1]]


class TestPlan:
    """FAULTS P26 and P27: whose is what is here?"""

    @pytest.mark.parametrize("hashed", [False, True], ids=["by id", "by SHA-256"])
    @pytest.mark.parametrize("row", PLANS, ids=[row[0] for row in PLANS])
    def test_every_state_has_its_action(self, row, hashed):
        _, *names, policy, expected = row
        file, row, local = (globals().get(name) for name in names)
        files = [listed(file, hashed=hashed)] if file else []
        rows = [tracked_as(row, hashed=hashed)] if row else []
        if isinstance(local, bytes):
            local = local_file(local)
        words = []
        for action in plan_of(files, rows, {"a.md": local}, policy=policy):
            assert action.path == "a.md" and action.clears in (None, "a.md")
            words += [action.action, *(f"save {path}" for path in action.saves)]
            words += ["clear"] if action.clears else []
        assert (", ".join(words) or "nothing") == expected

    def test_what_a_killed_run_wrote_is_ours(self):
        """It is replaced, also under `keep`, and removed, without a backup."""
        local = {"a.md": local_file(b"half")}
        ours = {"a.md": {sha256(b"half"), sha256(b"whole")}}
        for rows in ([], [tracked_as(OLD)], [tracked_as(NEW)]):
            [action] = plan_of([listed(NEW)], rows, local, ours, "keep")
            assert (action.verb, action.saves) == ("rename", ())
        [action] = plan_of([], [tracked_as(OLD)], local, ours)
        assert action.action == "remove"

    def test_a_directory_of_files_makes_way(self):
        """P16: without a backup of those that go anyway."""
        way = [("clear", "a", None, None), ("rename", "a", None, 0o644)]
        remove = ("remove", "a/b.md", None, None)
        save = ("back up", "a/b.md", ".agent-sync/backup/now/a/b.md.bak", None)
        for data, action, step in ((OLD, "remove", remove), (MINE, "keep", save)):
            obstacle = agent_sync.Obstacle("a", ("a/b.md",))
            local = {"a": obstacle, "a/b.md": local_file(data)}
            actions = plan_of([listed(NEW, "a")], [tracked_as(OLD, "a/b.md")], local)
            assert [one.action for one in actions] == ["add", action]
            assert agent_sync.publish_steps(actions, "now") == [step, *way]

    MODES = [  # listed, tracked (0: not at all), here; then the step, and the mode
        (0o755, 0o644, 0o644, "chmod", 0o755),
        (0o644, 0o755, 0o755, "chmod", 0o644),
        (0o755, 0o755, 0o644, None, None),  # the user's own chmod stays
        (0o644, 0o644, 0o755, None, None),
        (0o755, 0o644, 0o755, None, None),
        (0o755, 0, 0o644, "chmod", 0o755),  # adopted
        (0o644, 0, 0o755, None, None),
        (0o755, None, 0o644, "chmod", 0o755),  # tracked before modes were
        (None, None, 0o755, None, None),
        (0o755, 0o755, 0o644, "rename", 0o644),  # an update keeps the user's
        (0o755, 0o755, 0o755, "rename", 0o755),
    ]

    @pytest.mark.parametrize("new, old, here, verb, mode", MODES)
    def test_a_local_chmod_stays_until_upstreams(self, new, old, here, verb, mode):
        """P21."""
        data = OLD if verb == "rename" else NEW
        rows = [tracked_as(data, mode=old)] if old != 0 else []
        local = {"a.md": local_file(data, mode=here)}
        [action] = plan_of([listed(NEW, mode=new)], rows, local)
        assert (action.verb, action.mode) == (verb, mode)
        files = agent_sync.tracked_after({row.path: row for row in rows}, [action])
        assert files["a.md"].mode == new

    LOSSES = [(5, 9, 4, False), (6, 6, 9, True), (6, 11, 5, True), (6, 12, 6, False)]
    LOSSES += [(7, 13, 6, True), (1, 1, 0, True), (0, 9, 0, False), (5, 5, 0, True)]

    @pytest.mark.parametrize("lost, before, after, is_too_much", LOSSES)
    def test_more_than_half_and_five_or_all(self, lost, before, after, is_too_much):
        """P27, N06."""
        assert agent_sync.is_too_much(lost, before, after) is is_too_much

    FIRST = ["a a/b.md", "a/b.md a", "A.md a.md"]
    NOT_FIRST = ["Qa/x.md qa/y.md", "a.md b.md", "ab/c.md a"]

    @pytest.mark.parametrize("names", FIRST + NOT_FIRST)
    def test_what_stands_where_a_file_goes_is_removed_first(self, names):
        """P13, P16."""
        old, new = names.split()
        remove = agent_sync.Action("remove", old, verb="remove")
        actions = [remove, agent_sync.Action("add", new, verb="rename")]
        steps = [step.path for step in agent_sync.publish_steps(actions, "now")]
        assert steps == ([old, new] if names in self.FIRST else [new, old])


class Disk:
    """A destination of {fold(path): bytes}; it performs the steps of a run."""

    def __init__(self, files, fold):
        self.files = {fold(path): data for path, data in files.items()}
        self.fold = fold
        self.saved = []

    def look(self, path):
        """What `Directory.inspect` would say."""
        path = self.fold(path)
        if path in self.files:
            return local_file(self.files[path])
        parent = path.rpartition("/")[0]
        if parent in self.files:
            return agent_sync.Obstacle(parent, (parent,))
        below = self.at_or_below(path)
        return agent_sync.Obstacle(path, tuple(below)) if below else None

    def perform(self, step, contents):
        path = self.fold(step.path)
        if step.verb == "back up":
            self.saved.append(self.files.pop(path))
        elif step.verb == "remove":
            self.files.pop(path, None)
        elif step.verb == "rename":
            assert self.at_or_below(path) in ([], [path])
            assert path.rpartition("/")[0] not in self.files
            self.files[path] = contents[step.path]
        else:
            assert step.verb == "clear"

    def at_or_below(self, path):
        return [n for n in self.files if n == path or n.startswith(path + "/")]


class TestEverySmallState:
    TWO_SPELLINGS = [{"a": OLD, "A": OLD}, {"a": OLD, "A": NEW}]
    WORLDS = {  # how names are compared, two names, what may be tracked of both
        "a file and its directory": (str, ("a", "a/b"), []),
        "two spellings": (str.lower, ("a", "A"), TWO_SPELLINGS),
    }

    @pytest.mark.parametrize("policy", agent_sync.POLICIES)
    @pytest.mark.parametrize("world", WORLDS)
    def test_killed_after_any_step_nothing_is_lost(self, policy, world):
        """A14, P13, P26: bytes that no row claims are on the disk, or backed up."""
        (fold, names, both), count = self.WORLDS[world], 0
        one = [{}, *({path: data} for path in names for data in (OLD, NEW, MINE))]
        for entries, rows, files in itertools.product(one, [*one, *both], one):
            rows = {path: tracked_as(data, path) for path, data in rows.items()}
            steps = self.run(Disk(files, fold), entries, rows, policy)[0]
            for number in range(len(steps) + 1):
                disk = Disk(files, fold)
                _, pending, _ = self.run(disk, entries, rows, policy, number)
                self.check_nothing_lost(files, rows, entries, disk, policy)
                _, _, after = self.run(disk, entries, rows, policy, pending=pending)
                self.check_nothing_lost(files, rows, entries, disk, policy)
                steps_then, _, _ = self.run(disk, entries, after, policy)
                assert steps_then == []
                if policy != "keep":
                    assert all(disk.files[fold(p)] == entries[p] for p in entries)
                count += 1
        assert count > 150

    def run(self, disk, entries, rows, policy, kill_after=None, pending=()):
        """Plan and perform; (the steps, what is pending at a kill, the rows then)."""
        looked = {path: disk.look(path) for path in {*entries, *rows, *pending}}
        listing = [listed(data, path) for path, data in entries.items()]
        actions = plan_of(listing, rows.values(), looked, dict(pending), policy)
        for number, action in enumerate(actions):
            if action.verb == "rename":
                file = tracked_as(entries[action.path], action.path)
                actions[number] = action._replace(file=file)
        steps = agent_sync.publish_steps(actions, "now")
        for step in steps[:kill_after]:
            disk.perform(step, entries)
        prepared = {a.path: {a.file.sha256} for a in actions if a.verb == "rename"}
        return steps, prepared, agent_sync.tracked_after(rows, actions)

    def check_nothing_lost(self, files, rows, entries, disk, policy):
        for path, data in files.items():
            names = {path} if disk.fold is str else {path, path.swapcase()}
            ours = sha256(data) in {rows[name].sha256 for name in names & rows.keys()}
            here = disk.files.get(disk.fold(path)) == data
            if not (ours or here or data in disk.saved):
                in_the_way = not names.isdisjoint(entries)
                assert policy == "overwrite" and in_the_way, (files, rows, entries)


# ==== Sync ====

SYNC_KEYS = {"source", "kind", "status", "checked", "pinned", "destination", *CHANGES}
SYNC_KEYS |= {"revision", "previous_revision", "saved", "unchanged", "requests"}
SYNC_KEYS |= {"bytes_received", "duration_ms", "error", "left_out", "findings"}


class TestEveryKindOfSource:
    """What is true of a sync whatever the source is: each of the `upstream` fixture."""

    def test_a_first_sync_brings_every_agent_and_records_it(self, mirror, upstream):
        """P14: also one whose name is not ASCII."""
        upstream.publish({"rôle/设计 🤖.md": b"# Design\n"})
        agents = upstream.agents()
        assert mirror.sync("--dry-run")["added"] == sorted(agents)
        assert not mirror.dest.exists()
        document = mirror.program.call_json("sync")
        source = only_source(document)
        assert mirror.tree() == agents and len(agents) == 9
        assert document["ok"] is True
        assert set(source) == SYNC_KEYS
        assert changes(source) == {"added": sorted(agents)}
        assert (source["source"], source["kind"]) == ("src", upstream.kind)
        assert (source["status"], source["checked"]) == ("success", True)
        assert source["error"] is source["previous_revision"] is None
        assert source["bytes_received"] > 0 or not source["requests"]
        assert type(source["duration_ms"]) is int
        rows = mirror.program.call_json("files", "src")["files"]
        found = {r["file_path"]: (r["content_sha"], r["file_size"]) for r in rows}
        assert found == {path: (sha256(x), len(x)) for path, x in agents.items()}

    def test_a_sync_costs_what_it_must(self, mirror, upstream):
        """INV8, A22: without news only history and times are written, as by --force."""
        first = mirror.sync()
        with untouched(mirror.dest):
            with untouched(mirror.dest, mirror.program):
                again = mirror.sync()
            forced = mirror.sync("--force")
        assert (changes(again), again["unchanged"], again["checked"]) == ({}, 8, True)
        assert again["revision"] == again["previous_revision"] == first["revision"]
        upstream.publish({"qa/qa.md": b"# New\n"})
        source = mirror.sync()
        assert source["revision"] != source["previous_revision"] == first["revision"]
        costs = [sync["requests"] for sync in (first, again, forced)]
        assert costs == [upstream.costs[0], upstream.costs[1], upstream.costs[0]]
        assert source["requests"] <= upstream.costs[2]

    def test_news_are_told_by_a_dry_run_and_then_synced(self, synced, upstream):
        """Only what changed is rewritten; the dry run touches nothing."""
        gone = "engineer/core/engineer.md"
        upstream.publish({"new.md": b"# New\n", "qa/qa.md": b"# Newer\n", gone: None})
        before = set(stats(synced.dest).items())
        news = {"added": ["new.md"], "updated": ["qa/qa.md"], "removed": [gone]}
        with untouched(synced.dest, synced.program):
            assert changes(synced.sync("-n")) == news
        assert changes(synced.sync()) == news
        assert synced.is_faithful()
        assert not (synced.dest / "engineer/core").exists()
        touched = set(stats(synced.dest).items()) - before
        assert sorted(path for path, _ in touched) == ["new.md", "qa/qa.md"]
        run = last_run(synced.program)
        assert (run["files_synced"], run["files_cached"]) == (2, 6)

    def test_a_file_becomes_a_directory_and_a_directory_a_file(self, synced, upstream):
        """FAULTS P16."""
        deeper = {"ops.json": None, "ops.json/ops.md": b"# Deeper\n"}
        for files in (deeper, {"ops.json/ops.md": None, "ops.json": b"{}\n"}):
            upstream.publish(files)
            assert synced.follows()
        assert synced.backups() == []

    def test_what_is_missing_or_damaged_here_is_restored(self, synced, upstream):
        """INV9, A19, G33: the same revision, but no row is trusted, and no stat."""
        (synced.dest / "qa" / "qa.md").unlink()
        shutil.rmtree(str(synced.dest / "engineer"))
        damaged = synced.dest / "security.md"
        before = damaged.stat()
        damaged.write_bytes(b"# security\n")
        os.utime(str(damaged), ns=(before.st_atime_ns, before.st_mtime_ns))
        restored = ["engineer/core/engineer.md", "engineer/data/data-engineer.md"]
        source = synced.sync()
        assert changes(source) == {"restored": [*restored, "qa/qa.md", "security.md"]}
        assert synced.is_faithful()
        assert synced.backups() == [b"# security\n"]
        shutil.rmtree(str(synced.dest))
        assert len(synced.sync()["restored"]) == 8
        assert synced.is_faithful()

    def test_what_is_here_already_is_adopted_and_not_rewritten(self, mirror, upstream):
        """FAULTS D02: the same when the database was lost. It stands in the history."""
        for path, data in upstream.agents().items():
            mirror.write(path, data)
        before = stats(mirror.dest)
        for _ in range(2):
            source = mirror.sync()
            assert (changes(source), source["unchanged"]) == ({}, 8)
            assert stats(mirror.dest) == before
            assert len(mirror.program.call_json("files")["files"]) == 8
            assert last_run(mirror.program)["files_cached"] == 8
            history = mirror.program.call_json("history", "--changes", "-n", "1")
            told = [(c["path"], c["action"]) for c in history["runs"][0]["changes"]]
            assert sorted(told) == [(path, "adopt") for path in sorted(before)]
            mirror.program.database.unlink()
            mirror = Mirror(mirror.program, upstream)
        assert mirror.backups() == []

    def test_files_of_the_user_stay_and_litter_is_cleared(self, synced, upstream):
        """FAULTS A06: the program's own pattern, and nothing that only resembles it."""
        mine = {"mine.md": b"mine\n", "qa/foo.tmp": b"mine too\n"}
        mine["qa/.agent-sync-notes.tmp"] = b"and mine\n"
        litter = {"qa/.agent-sync-0123456789abcdef.tmp": b"half a fi"}
        for path, data in {**mine, **litter}.items():
            synced.write(path, data)
        upstream.publish({"qa/qa.md": None, "qa/new.md": b"# New\n"})
        synced.sync()
        assert synced.tree() == {**upstream.agents(), **mine}

    @pytest.mark.parametrize("policy", ["backup", "keep", "overwrite"])
    def test_what_is_in_the_way_is_for_the_policy(self, program, upstream, policy):
        """P26, P27: edited, with news, gone, untracked; kept until it is deleted."""
        mirror = Mirror(program, upstream, "--on-conflict", policy)
        mirror.write("ops.json", b"{}\n")
        kept = ["ops.json"] if policy == "keep" else []
        assert mirror.sync()["kept"] == kept
        assert mirror.sync("--max-age", "15m")["unchanged"] == 8 - len(kept)
        edited = ["qa/qa.md", "qa/web/web-qa.md", "security.md"]
        for path in edited:
            mirror.write(path, b"# My own\n")
        upstream.publish({"qa/qa.md": b"# New\n", "security.md": None})
        second = mirror.sync()
        agents, mine = upstream.agents(), {"security.md": b"# My own\n"}
        if policy == "keep":
            mine.update(dict.fromkeys(edited, b"# My own\n"), **{"ops.json": b"{}\n"})
        assert mirror.tree() == {**agents, **mine}
        assert second["kept"] == sorted(mine)
        told = mirror.program.query("SELECT * FROM file_changes WHERE action = 'keep'")
        assert [change["file_path"] for change in told] == ["security.md"]
        saved = [b"# My own\n", b"# My own\n", b"{}\n"] if policy == "backup" else []
        assert mirror.backups() == saved
        assert mirror.sync()["kept"] == sorted(mine.keys() & agents.keys())
        for path in mine:
            (mirror.dest / path).unlink()
        assert mirror.follows()

    def test_a_mass_removal_needs_force(self, synced, upstream):
        """FAULTS P27: of five files it is none, of six of eight it is one."""
        before = synced.tree()
        upstream.publish(dict.fromkeys(sorted(before)[:6]))
        error = synced.fails()["error"]
        assert "--force" in error and "6" in error
        upstream.publish({min(before): before[min(before)]})
        assert len(synced.sync()["removed"]) == 5
        assert synced.is_faithful()
        upstream.publish({min(before): None})
        assert synced.follows("--force")

    def test_an_emptied_source_empties_no_destination(self, synced, upstream):
        """N06: unmounted, a broken deploy, all moved away; with any number of files."""
        upstream.publish(dict.fromkeys(sorted(upstream.agents())[1:]))
        synced.sync("--force")
        upstream.publish(dict.fromkeys(upstream.agents()))
        assert len(synced.tree()) == 1
        error = synced.fails()["error"]
        assert "--force" in error or "--include" in error

    def test_a_file_no_longer_to_be_had_stays_and_is_named(self, synced, upstream):
        """N05, P13: in each run; others that are skipped only in the first."""
        before = synced.tree()
        upstream.publish({"OPS.json": b"{}\n"})
        for is_new in (True, False):
            out = synced.program.call("sync").out
            assert "! ops.json (skipped" in out and "2 skipped" in out
            assert ("! OPS.json" in out) is is_new
            assert synced.tree() == before

    def test_files_that_moved_are_not_lost(self, synced, upstream):
        """N07: renamed all, and one of eight with a word in it changed."""
        agents = upstream.agents()
        moved = {f"moved/{path}": data for path, data in agents.items()}
        moved["moved/qa/qa.md"] = b"# Another\n"
        upstream.publish({**dict.fromkeys(agents), **moved})
        source = synced.sync()
        assert len(source["removed"]) == len(source["added"]) == 8
        assert synced.is_faithful()

    def test_skills_come_whole_and_what_is_left_out_is_said(self, mirror, upstream):
        """N03, N04: also when nothing changed."""
        names = ("SKILL.md", "run.py", "a/b.png", ".env.example", "README.md")
        skill = {f"skills/pdf/{name}": name.encode() * 9 for name in names}
        others = ["x.toml", "y.toml", "skills/z.py", "skills/pdf/.gitignore"]
        upstream.publish({**skill, **dict.fromkeys([*others, "rules/a.mdc"], b"# O\n")})
        sources = [mirror.sync("--dry-run"), mirror.sync(), mirror.sync()]
        sources.append(mirror.sync("--max-age", "1h"))
        expected = {*skill, "rules/a.mdc", *AGENTS}
        assert set(sources[0]["added"]) == set(mirror.tree()) == expected
        assert {path: mirror.tree()[path] for path in skill} == skill
        (left_out,) = {source["left_out"] for source in sources}
        assert left_out >= len(others)
        told = mirror.program.call("sync").err
        assert f"{left_out} more files do not match the filters (" in told
        assert "2 *.toml" in told and "1 .gitignore" in told

    def test_filters_that_take_nothing_say_what_there_is(self, program, upstream):
        """N03."""
        upstream.publish({"x.toml": b"# Other\n"})
        mirror = Mirror(program, upstream, "--include", "*.rs")
        if upstream.kind != "dir":  # which is not asked by add
            program.asks = True
            options = ["--id", "src2", "--include", "*.rs"]
            told = program.call("add", *upstream.arguments, *options).err
            assert "registered, but the filters take none of its" in told
        error = mirror.sync("src", check=1)["error"]
        assert "*.md" in error and "1 *.toml" in error and "--include '*.md'" in error
        program.call("set", "src", "--include", "*.rs", "--include", "/qa")
        error = mirror.sync("src", check=1)["error"]
        assert error.endswith(" give --include '*.rs' --include /qa/")
        assert mirror.tree() == {}

    def test_a_file_over_the_limit_stays_as_it_was(self, synced, upstream, monkeypatch):
        """N20."""
        monkeypatch.setattr(agent_sync, "MAX_OBJECT_SIZE", 50_000)
        before = synced.tree()
        for path in ("huge.md", "qa/qa.md"):
            upstream.write(path, random.Random(path).randbytes(60_000).hex().encode())
        upstream.publish()
        for _ in range(2):
            source = synced.sync()
            assert paths(source["skipped"]) == ["huge.md", "qa/qa.md"]
            assert all("larger" in skip["reason"] for skip in source["skipped"])
            assert synced.tree() == before
        out = synced.program.call("sync").out
        assert "huge.md" not in out and "2 skipped" in out

    def test_git_lfs_pointers_are_skipped_and_told(self, synced, upstream):
        """FAULTS P20: one that was a file goes, unless it was edited."""
        skipped = ["large.md", "qa/qa.md", "security.md"]
        upstream.publish({**dict.fromkeys(skipped, LFS_POINTER), "new.md": b"# New\n"})
        synced.write("security.md", b"# Mine\n")
        source = synced.sync()
        assert paths(source["skipped"]) == skipped
        assert (source["removed"], source["kept"]) == (["qa/qa.md"], skipped[2:])
        assert source["added"] == ["new.md"]
        assert synced.tree()["security.md"] == b"# Mine\n"
        assert "qa/qa.md" not in synced.tree()
        synced.sync()
        assert LFS_POINTER not in synced.tree().values()

    def test_a_source_that_is_gone_loses_nothing(self, synced, upstream):
        """INV3, P27: an error that names it, in the history, and later all is well."""
        upstream.hide()
        for option in ([], ["--force"], ["--dry-run"]):
            source = synced.fails(*option)
            assert source["error"] and not source["checked"]
        assert last_run(synced.program)["status"] == "error"
        assert "src" in complaint(synced.program.call("sync", check=1))
        upstream.hide(False)
        assert synced.sync()["unchanged"] == 8

    def test_a_source_checked_lately_is_not_asked(self, synced, upstream):
        upstream.publish({"new.md": b"# New\n"})
        source = synced.sync("--max-age", "15m")
        assert (source["checked"], source["requests"]) == (False, 0)
        assert "new.md" not in synced.tree()
        assert synced.sync("--max-age", "0s")["added"] == ["new.md"]

    def test_offline_nobody_is_asked_and_nothing_promised(self, synced, upstream):
        for options in (["--offline"], ["--offline", "--force"]):
            with untouched(synced.dest, synced.program):
                source = synced.sync(*options)
            assert (source["checked"], source["requests"]) == (False, 0)
            assert source["unchanged"] == 8
        (synced.dest / "qa" / "qa.md").unlink()
        for options in (["--offline"], ["--offline", "--dry-run"]):
            error = synced.fails(*options)["error"]
            assert "qa/qa.md would have to be fetched" in error


WEEK = """
nothing                                         |
write agents/qa/qa.md                           | ~qa/qa.md
write agents/new/new.md                         | +new/new.md
mv agents/qa/qa.md agents/qa/renamed.md         | +qa/renamed.md -qa/qa.md
mv agents/qa/renamed.md agents/qa/RENAMED.md    | +qa/RENAMED.md -qa/renamed.md
rm agents/security.md                           | -security.md
write LICENSE                                   |
"""
# Options of `add` that name what is not there, and what the error brings to mind.
MISSING = """
--ref mian                                      main
--ref refs/heads/mian                           main
--ref feature                                   feature/x
--ref 1234567890123456789012345678901234567890  1234567
--path agent                                    agents
--path LICENSE                                  --include
"""


class TestTheDailyLife:
    def test_a_sync_follows_what_happened(self, synced, repository):
        for day in WEEK.strip().splitlines():
            what, _, told = day.partition("|")
            verb, *names = what.split()
            if verb == "write":
                repository.write(*names, day.encode())
            elif verb != "nothing":
                repository.git(verb, *names)
            repository.commit()
            source = synced.sync()
            lists = zip("+~-", ("added", "updated", "removed"))
            marks = [mark + path for mark, name in lists for path in source[name]]
            assert marks == told.split(), day
            assert source["revision"] == repository.id()
            assert synced.is_faithful(), day

    def test_what_is_missing_and_near_is_named(self, program, git_upstream, repository):
        repository.git("branch", "feature/x")
        for row in MISSING.strip().splitlines():
            option, missing, near = row.split()
            options = [option, missing, "--id", "x", "--dest", program.root / "d"]
            program.call("add", git_upstream.url, *options)
            told = complaint(program.call("sync", "x", check=1))
            assert missing[:7].lower() in told and near in told, row
            assert tree(program.root / "d") == {}
            program.call("remove", "x")

    def test_an_unknown_source_brings_the_nearest_to_mind(self, mirror):
        for command in ("sync", "status", "verify", "remove"):
            outcome = mirror.program.call(command, "scr", check=FAILURE)
            assert "scr" in outcome.err and "src" in outcome.err

    def test_other_branches_in_its_place_are_followed(self, synced):
        """A switched default branch, and one that was pushed by force."""
        repository = synced.upstream.repository
        repository.git("checkout", "-q", "-b", "next")
        synced.upstream.publish({"next.md": b"# Next\n"})
        assert changes(synced.sync()) == {"added": ["next.md"]}
        repository.git("checkout", "-q", "main")
        assert changes(synced.sync()) == {"removed": ["next.md"]}
        repository.git("checkout", "-q", "--orphan", "fresh")
        synced.upstream.publish({"qa/qa.md": b"# From scratch\n"})
        repository.git("branch", "-q", "-M", "fresh", "main")
        assert changes(synced.sync()) == {"updated": ["qa/qa.md"]}
        assert synced.is_faithful()

    @pytest.mark.parametrize("annotated", [False, True], ids=["light", "annotated"])
    def test_a_moved_tag_is_noticed(self, program, git_upstream, repository, annotated):
        """And a deleted one is an error."""
        repository.tag("v1", annotated=annotated)
        mirror = Mirror(program, git_upstream, "--ref", "v1")
        mirror.sync()
        git_upstream.publish({"qa/qa.md": b"# Moved\n"})
        assert changes(mirror.sync()) == {}
        repository.tag("v1", annotated=annotated)
        source = mirror.sync()
        assert source["updated"] == ["qa/qa.md"]
        assert source["revision"] == repository.id()
        with untouched(mirror.dest):
            repository.git("tag", "-d", "v1")
            told = complaint(program.call("sync", check=1))
            assert "v1" in told and "src" in told

    def test_the_date_of_a_commit_does_not_matter(self, synced, repository):
        """FAULTS S04: of the far future, and then of the last one."""
        for years in (70, -30):
            repository.commits = years * 365 * 24 * 60
            synced.upstream.publish({"qa/qa.md": f"# {years}\n".encode()})
            assert changes(synced.sync()) == {"updated": ["qa/qa.md"]}

    def test_a_server_that_is_down_is_exit_code_three(self, synced, git_server):
        """If the files here are right; the first time, or if they are not, it is 1."""
        never = [*synced.upstream.arguments, "--id", "never", "--disabled"]
        synced.program.call("add", *never)
        with untouched(synced.dest):
            git_server.close()
            assert "as synced last" in synced.program.call("sync", check=3).err
            document = synced.program.call_json("sync", check=3)
            source = only_source(document)
            assert (document["ok"], source["checked"]) == (False, False)
            assert source["error"] and last_run(synced.program)["status"] == "error"
        told = complaint(synced.program.call("sync", "never", check=(1, 3)))
        assert "never" in told and "refused" in told
        (synced.dest / "security.md").write_bytes(b"# Edited\n")
        synced.sync(check=1)

    def test_names_are_utf_8_if_text_is_not(self, program, git_upstream, monkeypatch):
        """N19: in a Latin-1 locale `os` functions would write another name."""
        git_upstream.publish({"rôle/代理.md": b"# A\n"})
        monkeypatch.setattr(agent_sync, "_NAMES_ARE_TEXT", False)
        mirror = Mirror(program, git_upstream)
        assert mirror.follows()
        mirror.write("rôle/代理.md", b"# Mine\n")
        git_upstream.publish({"ops.json": None})
        source = mirror.sync()
        assert source["removed"] == ["ops.json"]
        assert source["restored"] == ["rôle/代理.md"]
        assert mirror.is_faithful() and mirror.backups() == [b"# Mine\n"]
        program.call("verify")

    def test_one_that_is_disabled_or_fails_never_stops_another(
        self, program, git_server, git_upstream, directory_upstream
    ):
        """INV4, S09."""
        program.call("add", *git_upstream.arguments, "--id", "one")
        options = ["--id", "two", "--dest", program.root / "two"]
        program.call("add", directory_upstream.url, *options)
        program.call("set", "one", "--disable")
        assert only_source(program.call_json("sync"))["source"] == "two"
        assert only_source(program.call_json("sync", "one"))["source"] == "one"
        program.call("set", "one", "--enable")
        git_server.answer = lambda request: http_reply(404)
        one, two = program.call_json("sync", check=1)["sources"]
        assert one["error"] and two["error"] is None
        assert tree(program.root / "two") == AGENTS

    def test_a_slow_one_leaves_others_a_connection(self, program, site, other_site):
        """INV4, H10: its files come only when those of the other one are there."""
        site.renew(many_agents(8), "list")
        other_site.renew(many_agents(8), "list")

        def slow(request):
            if not request.path.endswith("agents.json"):
                wait_until(lambda: len(other_site.requests) == 9, 9)

        def quick(request):
            if request.path.endswith("agents.json"):
                wait_until(lambda: len(site.requests) >= 2, 9)

        site.answer, other_site.answer = slow, quick
        for name, server in (("slow", site), ("quick", other_site)):
            options = ["--id", name, "--dest", program.root / name]
            program.call("add", server.base, *options)
        program.call("sync", "-j", "2", "--timeout", "5")
        assert tree(program.root / "slow") == tree(program.root / "quick")


@posix_only
class TestFilesThatAreNotReadAgain:
    """A file whose stat is as it was when it was verified, long ago, is left unread."""

    @pytest.fixture
    def opened_files(self, monkeypatch):
        """The names of the files that were opened."""
        names = []
        spy(monkeypatch, os, "open", lambda *a, **o: names.append(os.fspath(a[0])))
        return names

    @pytest.fixture
    def known(self, synced, opened_files, monkeypatch):
        """Files of which none is taken for racy."""
        monkeypatch.setattr(agent_sync, "RACY_TIME", -(10**12))
        synced.sync()
        opened_files.clear()
        return synced

    def agents(self, names):
        return [name for name in names if name.endswith((".md", ".json"))]

    def forge(self, mirror):
        """An edit of qa/qa.md that the database takes for what was verified."""
        path = mirror.write("qa/qa.md", b"# Mine\n")
        update = "UPDATE agent_files SET stat = ? WHERE file_path = 'qa/qa.md'"
        mirror.program.query(update, agent_sync.stat_text(path.stat()))

    def test_it_is_verified_once_and_then_left_alone(self, known, opened_files):
        with untouched(known.dest):
            assert known.sync()["unchanged"] == len(known.tree())
            assert self.agents(opened_files) == []

    def test_what_changed_just_before_is_always_read(self, synced, monkeypatch):
        """Another change might fall into the same tick of the clock."""
        monkeypatch.setattr(agent_sync, "RACY_TIME", 10**13)
        for _ in range(2):
            synced.sync()
            rows = synced.program.call_json("files")["files"]
            assert {row["stat"] for row in rows} == {None}

    def test_an_edit_that_keeps_size_and_mtime_is_seen(self, known):
        path = known.dest / "qa" / "qa.md"
        status, content = path.stat(), path.read_bytes()
        path.write_bytes(content[::-1])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert path.stat().st_mtime_ns == status.st_mtime_ns
        assert known.sync()["restored"] == ["qa/qa.md"]
        assert known.backups() == [content[::-1]]

    def test_verify_and_force_read_everything(self, known):
        self.forge(known)
        assert known.sync()["restored"] == []
        [source] = known.program.call_json("verify", check=1)["sources"]
        assert source["modified"] == ["qa/qa.md"]
        assert known.sync("--force")["restored"] == ["qa/qa.md"]
        assert known.is_faithful()

    @pytest.mark.parametrize("news", [None, b"# New\n"])
    def test_what_is_about_to_go_is_read_first(self, known, news):
        """An edit is never lost, whatever the database says."""
        self.forge(known)
        known.upstream.publish({"qa/qa.md": news})
        assert known.sync()["kept"] == ([] if news else ["qa/qa.md"])
        assert known.tree()["qa/qa.md"] == (news or b"# Mine\n")
        assert known.backups() == ([b"# Mine\n"] if news else [])

    def test_another_content_in_the_database_is_another_file(self, known, opened_files):
        """Whoever tracks a file anew has not said what its stat was."""
        state = agent_sync.AgentSyncState(known.program.database)
        state.track_file("src", "qa/qa.md", sha256(b"other"))
        known.sync()
        assert self.agents(opened_files) == ["qa.md"]
        assert known.is_faithful()

    def test_directories_are_not_opened_for_each_file(self, mirror, opened_files):
        """A new file is to be written and brought to the disk; an old one also read."""
        paths = [f"deep/er/{number % 4}/{number:03d}.md" for number in range(100)]
        for opens, content in ((2, b"# New\n"), (6, b"# Newer\n")):
            mirror.upstream.publish({path: content + path.encode() for path in paths})
            opened_files.clear()
            mirror.sync()
            assert len(opened_files) < (opens + 1.5) * len(paths)

    def test_a_thousand_files_take_three_requests_and_80_mb(self, program, git_server):
        repository = Repository.create(git_server.root / "owner" / "thousand.git")
        repository.git("config", "core.compression", "1")
        base = prose("thousand", 8192)[:8000]
        for number in range(1000):
            path = f"agents/{number % 50:02}/{number:03}.md"
            repository.write(path, b"# %d\n" % number + base)
        repository.commit()
        mirror = Mirror(program, GitUpstream(git_server, repository))
        assert peak_of_sync(program, check=0) < 80e6
        assert mirror.is_faithful()
        assert len(git_server.requests) == 3


# ==== Registry ====

BAD_ARGUMENTS = """
owner/repo --kind http
example/a/b --path ../agents
owner/repo --path /etc
owner/repo --path a/../../b
https://example.org/a/b/c --ref main
https://example.org/a/b/c --path sub
{root} --ref main
{root}/nothing
https://example.org/a/b?query
ext::id
owner/repo --id=
owner/repo --id ../up
owner/repo --id a/b
owner/repo --id .
owner/repo --id a\x1fb
"""


class TestAddSource:
    """What `add` makes of its arguments; TestAddresses has how a URL is read."""

    def test_every_option_is_remembered_and_wins_over_the_url(self, program, tmp_path):
        options = "--ref v2 --path x --include *.md --include *.txt --exclude old/*"
        options += f" --on-conflict keep --disabled --dest {tmp_path}/d"
        url = "https://github.com/o/r/tree/main/agents"
        program.call("add", url, "--id", "src", *options.split())
        row = only_source(program.call_json("sources"))
        expected = {"kind": "git", "ref": "v2", "path": "x", "on_conflict": "keep"}
        expected.update(include=["*.md", "*.txt"], exclude=["old/*"], enabled=0)
        assert row == {**row, **expected, "destination": str(tmp_path / "d")}

    def test_ids_and_destinations_are_made_up_each_for_its_own(self, program, tmp_path):
        """Any name gives an id that will do; it is printed."""
        names = ["_agents", "a" * 70, "-x", "..a.._", "é", "repo"]
        for name in names:
            (tmp_path / "x" / name).mkdir(parents=True)
            program.call("add", tmp_path / "x" / name)
        printed = [program.call("add", name).out for name in ("owner/repo", "o2/repo")]
        rows = program.call_json("sources")["sources"]
        ids, places = zip(*((row["id"], row["destination"]) for row in rows))
        assert len(set(ids)) == len(set(places)) == len(rows) == len(names) + 2
        assert all(set(ids) & set(text.split()) for text in printed)
        cache = program.root / "cache"
        assert all(cache in pathlib.Path(place).parents for place in places)
        for path in ("/", "/___"):
            address = agent_sync.Address("dir", path)
            assert agent_sync.suggest_ids(address)[0] == "source"

    @pytest.mark.parametrize("arguments", BAD_ARGUMENTS.strip().splitlines())
    def test_what_cannot_be_is_refused_and_nothing_registered(self, program, arguments):
        """H29, H31: an id becomes a directory's name, and part of a variable's."""
        words = arguments.format(root=program.root).split(" ")
        outcome = program.call("add", *words, check=FAILURE)
        assert "repositories" in outcome.err or " --path sub" not in arguments
        assert program.call_json("sources") == {"sources": []}

    @pytest.mark.parametrize("options", [[], ["-v"], ["--json"]], ids=str)
    def test_a_url_with_a_password_is_refused_and_not_shown(self, program, options):
        """FAULTS S18."""
        for url in PASSWORDS:
            outcome = program.call("add", url, *options, check=FAILURE)
            assert "hunter2" not in outcome.out + outcome.err
        assert program.call_json("sources") == {"sources": []}
        assert b"hunter2" not in program.database.read_bytes()

    MISTAKES = [("include", "*.md"), ("include", [1]), ("exclude", "*.md")]
    MISTAKES += [("on_conflict", "ask"), ("kind", "svn")]

    @pytest.mark.parametrize("name, value", MISTAKES)
    def test_a_mistake_of_a_program_is_told(self, tmp_path, name, value):
        state = agent_sync.AgentSyncState(tmp_path / "state.db")
        with pytest.raises(agent_sync.UsageError, match=name):
            agent_sync.add_source(state, "owner/repo", **{name: value})
        assert state.get_all_sources() == []

    URLS = ["/repo", "/repo.git", "/repo/", "/repo/tree/feature/x/agents"]
    URLS += ["/repo/-/tree/feature/x/agents", "/repo/src/branch/feature/x/agents"]

    @pytest.mark.parametrize("url", URLS)
    def test_each_form_of_a_url_leads_there(self, program, git_server, repository, url):
        """With or without ".git"; of refs the longest that fits, here feature/x."""
        repository.git("branch", "feature/x")
        options = [] if "feature" in url else ["--path", "agents"]
        dest = program.root / "dest"
        program.call("add", f"{git_server.url}/owner{url}", *options, "--dest", dest)
        program.call("sync")
        assert tree(dest) == repository.agents()


class TestAddAsks:
    """`add` asks once, refuses only what cannot work, and says what there is."""

    def test_it_says_what_is_there_and_where(self, program, git_server, repository):
        program.asks = True
        for name in ("one", "two"):
            repository.write(f"skills/{name}/SKILL.md", b"# Skill\n")
            repository.write(f"skills/{name}/more.md", b"# More\n")
        repository.commit()
        where = program.root / "files"
        url = git_server.url + REPO
        document = program.call_json("add", url, "--dest", where, "--id", "x")
        there = {"agents": "8 agents", "skills": "2 skills"}
        assert document == {"source": "x", "destination": str(where), "has": there}
        assert len(git_server.requests) == 2
        text = program.call("add", url, "--dest", program.root / "2", "--id", "y").out
        assert "2 skills in skills/ (--path skills)" in text
        assert str(program.root / "2") in text
        program.call("add", url, "--path", "agents", "--id", "z", "--no-check")
        assert len(git_server.requests) == 4

    ANSWERS = {  # the reply, what is said, whether the source is registered
        "nothing": (http_reply(404), "--kind git", False),
        "gone": (http_reply(410), "manifest", False),
        "page": (http_reply(200, b"<title>Sign in</title>"), "titled 'Sign in'", False),
        "private": (http_reply(401), "answered 401", True),
        "forbidden": (http_reply(403), "answered 403", True),
        "limited": (http_reply(429, b"", {"Retry-After": "99"}), "rate limited", True),
        "down": (http_reply(503), "answered 503", True),
        "broken": (b"", "closed", True),
        "odd": (http_reply(200, b'["../x.md"]'), "refused path", True),
    }  # fmt: skip

    @pytest.mark.parametrize("case", ANSWERS)
    def test_only_what_cannot_work_is_refused(self, program, site, case):
        """FAULTS N18, N26."""
        reply, words, is_taken = self.ANSWERS[case]
        site.answers, program.asks = {"agents.json": reply}, True
        assert words in program.call("add", site.base, check=int(not is_taken)).err
        assert len(program.call_json("sources")["sources"]) == is_taken

    def test_one_that_is_slow_is_taken(self, program, site, monkeypatch):
        monkeypatch.setattr(agent_sync, "PROBE_TIMEOUT", 0.2)
        site.answers, program.asks = {"agents.json": site.silence}, True
        assert program.call("add", site.base).err.endswith("not done after 0.2 s\n")

    def test_refs_and_paths_that_are_not_there(self, program, git_server, repository):
        """FAULTS N13, N20: and so is a server of the dumb protocol."""
        url, program.asks = git_server.url + REPO, True
        err = program.call("add", url, "--ref", "mian", check=1).err
        assert "'mian'; did you mean main?" in err
        err = program.call("add", url, "--path", "agent", check=1).err
        assert "'agent' at the top; did you mean agents?" in err
        refs = b"%s\trefs/heads/main\n" % repository.id().encode()
        replies = {"GET": http_reply(200, refs), "POST": http_reply(405)}
        git_server.answer = lambda request: replies[request.method]
        assert "dumb protocol" in program.call("add", url, check=1).err
        assert program.call_json("sources") == {"sources": []}


# ==== Undo ====


def hunks(text):
    """The lines of a diff that were added or deleted."""
    lines = [line for line in text.splitlines() if line[:1] in ("+", "-")]
    return [line for line in lines if not line.startswith(("+++ ", "--- "))]


def differences(mirror, *options, check=0):
    """What `diff` shows: {path: its entry}."""
    document = mirror.program.call_json("diff", *options, check=check)
    return {file["path"]: file for file in only_source(document)["files"]}


def actions(files):
    """{path: what is done with it} of such entries."""
    return {path: file["action"] for path, file in files.items()}


class TestSeeDecideUndo:
    """Diff, rollback and pins, whatever the source is."""

    @pytest.fixture
    def lived(self, synced, upstream):
        """A source after three runs; `states` are the trees after each of them."""
        synced.states = [synced.tree()]
        second = {"qa/qa.md": b"# Second\n", "new/one.md": b"# One\n"}
        third = {"qa/qa.md": b"# Third\n", "new/one.md": None}
        for files in ({**second, "security.md": None}, third):
            upstream.publish(files)
            synced.sync()
            synced.states.append(synced.tree())
        synced.first = synced.program.call_json("history", "src")["runs"][-1]
        return synced

    def rollback(self, mirror, *args):
        return only_source(mirror.program.call_json("rollback", "src", *args))

    def test_diff_shows_what_the_next_sync_brings(self, synced, upstream):
        """And writes nothing; with --local it shows the edits made here."""
        upstream.write("qa/qa.md", upstream.agents()["qa/qa.md"] + b"More.\n")
        upstream.write("new.md", b"# New\n")
        gone = upstream.agents()["security.md"].decode().splitlines()
        upstream.publish({"security.md": None})
        with untouched(synced.dest, synced.program):
            files = differences(synced, "--exit-code", check=1)
        expected = {"new.md": "add", "qa/qa.md": "update", "security.md": "remove"}
        assert actions(files) == expected
        assert hunks(files["new.md"]["diff"]) == ["+# New"]
        assert hunks(files["qa/qa.md"]["diff"]) == ["+More."]
        assert hunks(files["security.md"]["diff"]) == [f"-{line}" for line in gone]
        synced.sync()
        asked = len(upstream.requests)
        assert differences(synced, "--exit-code") == {}
        assert len(upstream.requests) - asked == upstream.costs[1]
        synced.write("qa/qa.md", synced.tree()["qa/qa.md"] + b"Mine.\n")
        (synced.dest / "new.md").unlink()
        files = differences(synced, "--local")
        assert hunks(files["qa/qa.md"]["diff"]) == ["+Mine."]
        assert actions(files) == {"qa/qa.md": "update", "new.md": "remove"}

    def test_rollback_goes_back_step_by_step_without_a_network(self, lived, upstream):
        upstream.hide()
        for state in (lived.states[1], lived.states[0]):
            source = self.rollback(lived)
            assert lived.tree() == state
            assert (source["status"], source["requests"]) == ("success", 0)
            again = lived.sync()
            assert (changes(again), again["requests"], again["pinned"]) == ({}, 0, True)
        assert "no earlier state" in lived.program.call("rollback", "src", check=2).err
        upstream.hide(False)
        lived.program.call("unpin", "src")
        assert not lived.sync()["pinned"]
        assert lived.tree() == lived.states[2]
        assert lived.backups() == []

    def test_rollback_to_a_run_or_a_revision_and_forward_again(self, lived):
        runs = lived.program.call_json("history", "src")["runs"]
        ids = [run["id"] for run in runs][::-1]
        short = [run["revision"][:7] for run in runs][::-1]
        for name, state in (ids[0], 0), (ids[2], 2), (short[1], 1), (short[0], 0):
            dry = self.rollback(lived, name, "--dry-run")
            assert changes(self.rollback(lived, name)) == changes(dry) != {}
            assert lived.tree() == lived.states[state]
        [newest] = lived.program.call_json("history", "src", "-n", "1")["runs"]
        assert newest["triggered_by"] == "rollback"

    def test_what_runs_changed_since_is_shown_from_the_history(self, lived, upstream):
        upstream.hide()
        for since in (lived.first["id"], lived.first["revision"][:7]):
            files = differences(lived, "--since", since)
            assert actions(files) == {"qa/qa.md": "update", "security.md": "remove"}
            assert hunks(files["qa/qa.md"]["diff"])[-1] == "+# Third"
        assert set(differences(lived, "--since", "2d")) == set(lived.states[2])

    def test_a_pin_holds_what_is_here_and_asks_nobody(self, synced, upstream):
        synced.program.call("pin", "src")
        before = synced.tree()
        upstream.publish({"qa/qa.md": b"# Newer\n"})
        source = synced.sync()
        assert (source["pinned"], source["requests"]) == (True, 0)
        assert not source["checked"]
        assert "src: pinned, 8 files as synced" in synced.program.call("sync").out
        assert synced.tree() == before
        synced.program.call("unpin", "src")
        assert changes(synced.sync()) == {"updated": ["qa/qa.md"]}

    def test_a_pin_from_the_history_is_applied_by_the_next_sync(self, lived, upstream):
        upstream.hide()
        lived.program.call("pin", "src", lived.first["revision"][:8])
        assert lived.tree() == lived.states[2]
        lived.sync("--offline")
        assert lived.tree() == lived.states[0]
        assert lived.sync()["revision"] == lived.first["revision"]

    def test_a_file_that_went_missing_under_a_pin_comes_back(self, synced, upstream):
        """From the source, if it still has it; else the run fails and says which."""
        synced.program.call("pin", "src")
        (synced.dest / "qa" / "qa.md").unlink()
        assert changes(synced.sync()) == {"restored": ["qa/qa.md"]}
        assert synced.is_faithful()
        upstream.hide()
        (synced.dest / "qa" / "qa.md").unlink()
        with untouched(synced.dest):
            assert "qa/qa.md" in synced.sync(check=(1, 3))["error"]

    def test_offline_brings_back_what_is_kept_and_names_what_is_not(self, lived):
        self.rollback(lived)
        (lived.dest / "new" / "one.md").unlink()
        assert changes(lived.sync("--offline")) == {"restored": ["new/one.md"]}
        assert lived.tree() == lived.states[1]
        never_replaced = min(set(lived.states[0]) - {"qa/qa.md", "security.md"})
        (lived.dest / never_replaced).unlink()
        assert never_replaced in lived.sync("--offline", check=1)["error"]

    @pytest.mark.parametrize("upstream", ["git", "raw", "directory"], indirect=True)
    def test_a_mode_can_be_all_that_changes(self, synced, upstream):
        """It is shown and done alone, told in the history, and can be taken back."""
        root = getattr(upstream, "repository", upstream).directory
        [place] = root.rglob("qa.md")
        path = synced.dest / "qa" / "qa.md"
        before = path.stat()
        place.chmod(0o755)
        upstream.commit()
        diff = differences(synced)["qa/qa.md"]["diff"]
        assert "old mode 100644\nnew mode 100755\n" in diff and "@@" not in diff
        assert changes(synced.sync()) == {"updated": ["qa/qa.md"]}
        assert path.stat().st_mode == before.st_mode | (before.st_mode & 0o444) >> 2
        assert path.stat().st_ino == before.st_ino
        out = synced.program.call("history", "src", "--changes", "-n", "1").out
        assert "mode 644 -> 755" in out
        assert changes(self.rollback(synced)) == {"updated": ["qa/qa.md"]}
        assert path.stat().st_mode == before.st_mode

    def test_an_edit_in_the_way_of_a_rollback_is_saved_and_can_be_got_back(self, lived):
        lived.write("qa/qa.md", b"# Mine\n")
        source = self.rollback(lived)
        assert lived.tree() == lived.states[1]
        assert lived.backups() == [b"# Mine\n"]
        [run] = lived.program.call_json("history", "src", "qa/qa.md", "-n", "1")["runs"]
        [change] = run["changes"]
        assert change["saved_to"] == source["saved"][0]["to"]
        assert run["restored_run"] and change["new_sha"] == sha256(b"# Second\n")
        told = lived.program.call("history", "src", "--changes", "-n", "1").out
        assert f"your edit was saved as {change['saved_to']}\n" in told
        assert f"to get it back: {change['get_back']}\n" in told
        subprocess.run(change["get_back"], shell=True, check=True)
        assert lived.tree()["qa/qa.md"] == b"# Mine\n"


CHANGED_TEXTS = [
    (b"a\nb\nc\n", b"a\nB\nc\n"),
    (b"a\nb", b"a\nb\n"),
    (b"", b"a\n\n"),
    (b"a\r\nb\r\n", b"a\nb\r\n"),
    (b"1\n" * 40 + b"x\n" + b"2\n" * 40, b"0\n" + b"1\n" * 40 + b"2\n" * 41),
    (b"--- a\n+++ b\n@@ c\n", b"--- a\n++ b\n@@ c\n"),
    ("\u2028x\n\x0c\ty\n".encode(), "\u2028x\n\x0c\tz\n".encode()),
]


class TestDiffs:
    def test_git_applies_what_is_shown(self, local):
        """Git is the oracle: added, changed, removed, moved, moved and edited."""
        old = {f"text {n}.md": old for n, (old, _) in enumerate(CHANGED_TEXTS)}
        new = {f"text {n}.md": new for n, (_, new) in enumerate(CHANGED_TEXTS)}
        for n in range(3):
            old[f"old/{n}.md"] = b"".join(b"%d %d\n" % (n, line) for line in range(30))
            text = old[f"old/{n}.md"].replace(b" 7\n", b" 7 and more\n") + b"end"
            new[f"new/{2 - n}.md"] = text if n else text[:9]
        moved = {"old/1.md": "new/1.md", "old/2.md": "new/0.md"}
        for name in ("same-1.md", "same-2.md"):
            old[name] = new[f"new/{name}"] = b"# The same in both\n"
            moved[name] = f"new/{name}"
        local.upstream.publish(old)
        local.sync()
        new.update({"new/x.md": b"new", "moved.md": AGENTS["security.md"]})
        gone = old.keys() - new.keys() | {"qa/qa.md", "security.md"}
        local.upstream.publish({**new, **dict.fromkeys(gone)})
        repository = local.program.root / "repository"
        shutil.copytree(local.dest, repository)
        files = differences(local)
        assert files["moved.md"]["action"] == "move" and "security.md" not in files
        moves = {f["old_path"]: path for path, f in files.items() if "old_path" in f}
        assert moves == {**moved, "security.md": "moved.md"}
        patch = "".join(file["diff"] for file in files.values()).encode()
        git = ["git", "-C", str(repository)]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "apply", "-"], input=patch, check=True)
        local.sync()
        shutil.rmtree(repository / ".git")
        assert tree(repository) == local.tree()
        out = local.program.call("diff", "--stat", "--since", "2").out
        assert "move     security.md -> moved.md | +0 -0" in out
        assert "move     old/1.md -> new/1.md | +2 -1" in out
        assert "16 files (" in out

    def test_binary_and_large_files_are_summed_up(self, local):
        local.upstream.write("a.md", b"\x00\xff")
        local.upstream.write("b.md", b"x\n" * 200_000)
        local.upstream.write("c.md", b"y\n" * (agent_sync.MAX_DIFF_SIZE // 2))
        out = local.program.call("diff").out
        assert "(binary, 0 to 2 bytes)" in out and "(large, 0 to 400,000 bytes)" in out
        assert "\n+y\n" in out

    def test_too_much_to_read_is_only_named(self, local, monkeypatch):
        monkeypatch.setattr(agent_sync, "MAX_REVIEW_SIZE", 30)
        local.upstream.write("a.md", b"# A\n")
        local.upstream.write("b.md", b"# B\n")
        out = local.program.call("diff").out
        assert "+# A\n" in out and "+# B" not in out
        assert "+++ b/b.md" not in out and "b/b.md" in out and "too much" in out

    def test_texts_that_are_hard_to_compare_take_no_longer(self, local):
        """Lines that are the same everywhere would keep difflib busy for minutes."""
        lines = [b"%d\n" % (number % 150) for number in range(9000)]
        local.upstream.write("a.md", b"a\n" + b"".join(lines))
        local.sync()
        local.upstream.write("a.md", b"b\n" + b"".join(lines[1:]))
        assert differences(local)["a.md"]["insertions"] == 9000

    def test_diff_is_in_colour_on_a_terminal_and_shows_what_hides(self, local):
        local.upstream.write("qa/qa.md", "run \u202esh\n".encode())
        assert b"\x1b[32m+run \\u202esh\x1b[0m" in shown_on_terminal("diff")
        assert "\x1b" not in local.program.call("diff").out

    def test_hidden_text_is_refused_before_anything_is_replaced(self, local):
        """FAULTS S13; and taken all the same if the user allows it, and said, too."""
        program, before = local.program, stats(local.dest)
        local.upstream.write("a.md", b"# Other\n")
        local.upstream.write("qa/qa.md", "one\nrun \u202esh\n".encode())
        err = program.call("sync", check=1).err
        assert "qa/qa.md:2:5" in err and "U+202E" in err
        assert "diff src" in err and "set src --allow-hidden" in err
        assert stats(local.dest) == before
        program.call("sync", "--force", check=1)
        assert local.sync("--dry-run")["findings"] == []  # It fetches nothing.
        program.call("set", "src", "--allow-hidden")
        assert "qa/qa.md:2:5: U+202E" in program.call("sync", "-q").err
        assert local.is_faithful()
        assert program.call("sync").err == ""

    def test_a_history_with_a_gap_says_from_where_on_it_is_whole(self, local):
        for text in b"123":
            local.upstream.write("a.md", b"%d\n" % text)
            local.sync()
        local.program.query("DELETE FROM file_changes WHERE run_id = 3")
        local.program.call("rollback", "src", "3", "-n")
        error = local.program.call("rollback", "src", "2", check=1).err
        assert "the history is whole from run 3 on" in error

    @pytest.mark.parametrize("when", ["9", "abcdef1", "yesterday", "-1", "1x", "main"])
    def test_what_names_no_state_is_a_usage_error(self, local, when):
        local.program.call("diff", f"--since={when}", check=2)


@pytest.mark.parametrize("name", ["agent_sync.db", "AGENT_SYNC.db", "agent_sync.py/x"])
def test_what_this_program_runs_by_is_not_overwritten(name, mirror, monkeypatch):
    """FAULTS S17: itself and its database, where a source has a file for them."""
    monkeypatch.setattr(agent_sync, "__file__", str(mirror.dest / "agent_sync.py"))
    database = write(mirror.dest, "agent_sync.db", b"")
    mirror.program.database.rename(database)
    monkeypatch.setenv("AGENT_SYNC_DB", str(database))
    mirror.program.call("set", "src", "--include", "*")
    before = database.stat().st_ino
    mirror.upstream.publish({name: b"# Theirs\n"})
    err = mirror.program.call("sync", check=1).err
    assert f"refused path '{name}'" in err and "this program has" in err
    assert database.stat().st_ino == before


class TestPinsOfGit:
    """FAULTS S01, S10."""

    def test_a_tag_a_commit_or_an_abbreviation_is_held(self, synced, repository):
        """By full ids: a tag that is moved later is told by `diff`, not followed."""
        program, upstream, states = synced.program, synced.upstream, [synced.tree()]
        first = synced.sync()["revision"]
        repository.git("tag", "v1", first)
        upstream.publish({"qa/qa.md": b"# Second\n"})
        second = synced.sync()["revision"]
        states.append(synced.tree())
        for name, state in (("v1", 0), (second, 1), (first[:7], 0), ("HEAD", 1)):
            program.call("pin", "src", name)
            synced.sync()
            assert synced.tree() == states[state]
        program.call("set", "src", "--ref", "v1")
        program.call("pin", "src", "v1")
        synced.sync()
        assert program.call("diff").err == ""
        repository.git("tag", "-f", "v1", second)
        before = len(upstream.requests)
        _, out, err = program.call("diff")
        assert f"v1 is {second[:7]} now" in err and "no differences" in out
        assert len(upstream.requests) == before + 1
        assert changes(synced.sync()) == {}
        assert synced.tree() == states[0]

    def test_a_commit_that_was_never_here_is_fetched(self, mirror, repository):
        first = repository.id()
        old = mirror.upstream.agents()
        mirror.upstream.publish({"qa/qa.md": b"# Second\n"})
        mirror.program.call("pin", "src", first)
        assert mirror.sync()["revision"] == first
        assert mirror.tree() == old
        assert mirror.sync()["requests"] == 0

    @pytest.mark.parametrize("name", ["nothing", "0123456", "", "v1\n"])
    def test_what_names_nothing_is_an_error(self, synced, name):
        assert "error" in synced.program.call("pin", "src", name, check=(1, 2)).err
        assert not synced.sync()["pinned"]


class TestAsking:
    """`sync --ask`: what was read is what is published."""

    @pytest.fixture
    def asked(self, local):
        local.upstream.write("qa/qa.md", b"# Newer\n")
        local.before = local.tree()
        return local

    @pytest.fixture
    def answered(self, monkeypatch):
        """What `sync --ask` prints for an *answer*, after what happens *meanwhile*."""

        class Person(io.StringIO):
            def isatty(self):
                return True

            def readline(self):
                self.meanwhile()
                return self.getvalue()

        def answered(answer, meanwhile=lambda: None):
            person = Person(answer)
            person.meanwhile = meanwhile
            monkeypatch.setattr("sys.stdin", person)
            return shown_on_terminal("sync", "--ask")

        return answered

    def test_yes_publishes_what_was_read_and_nothing_newer(self, asked, answered):
        def meanwhile():
            asked.upstream.write("qa/qa.md", b"# Evil\n")
            busy = asked.program.run("sync", "--lock-timeout", "0.1", check=1)
            assert str(os.getpid()) in busy.err

        shown = answered("y\n", meanwhile)
        assert b"+# Newer" in shown and b"take this? [y/N]" in shown
        assert asked.tree() == {**asked.before, "qa/qa.md": b"# Newer\n"}

    def test_anything_else_changes_nothing(self, asked, answered):
        for answer in ("n\n", "", "\n", "perhaps\n"):
            with pytest.raises(AssertionError, match="declined"):
                answered(answer)
            assert asked.tree() == asked.before
        assert len(asked.program.call_json("history")["runs"]) == 1

    def test_an_edit_made_meanwhile_is_not_lost(self, asked, answered):
        with pytest.raises(AssertionError, match="changed during the run"):
            answered("y\n", lambda: asked.write("qa/qa.md", b"# Mine\n"))
        assert asked.tree()["qa/qa.md"] == b"# Mine\n"

# ==== Crashes ====
#
# A process that has imported the module forks a child for each crash point. The child
# runs `main` and is killed, or meets an error, at its Nth operation on files or on the
# database. What the kernel was given survives a kill, so nothing waits for a disk here.

OLD_AGENTS = {
    "engineer/core.md": prose("old core", 4000),
    "same.json": b'{"name": "same"}\n',
    "becomes-a-directory.md": prose("old file", 1500),
    "becomes-a-file.md/inner.md": prose("old inner", 1500),
    "old/place/moved.md": prose("moved", 2000),
    "gone.md": b"# Gone\n",
    "emptied/gone.md": prose("gone", 900),
    "stays/stays.md": prose("stays", 900),
}
NEW_AGENTS = {
    "engineer/core.md": prose("new core", 5000),
    "same.json": b'{"name": "same"}\n',
    "becomes-a-directory.md/inner.md": prose("new inner", 1500),
    "becomes-a-file.md": prose("new file", 1500),
    "new/place/moved.md": prose("moved", 2000),
    "stays/stays.md": prose("stays", 900),
    "stays/added.md": prose("added", 1200),
}
FOREIGN = {  # of the user, and in the way
    "engineer/core.md": b"# Edited by hand\n",
    "stays/added.md": b"# I was here first\n",
    "becomes-a-file.md/notes/mine.txt": b"notes beside an agent\n",
}
STAGED = re.compile(r"\.agent-sync-[0-9a-f]{16}\.tmp")
TRACKED = """INSERT INTO agent_files (source_id, file_path, content_sha, synced_at)
    VALUES ('src', ?, ?, '2025-12-20T16:15:43+00:00')"""
TIMES = "created_at", "updated_at", "last_sync_time", "changed_at", "checked_at", "stat"
TIMES += ("synced_at",)


def writing_by(file_class):
    """An `os.fdopen` whose files to be written are of *file_class*, an io.FileIO."""
    real = os.fdopen
    buffers = {"wb": io.BufferedWriter, "r+b": io.BufferedRandom}

    def fdopen(fd, mode="r", *args, **options):
        if mode in buffers:
            return buffers[mode](file_class(fd, mode))
        return real(fd, mode, *args, **options)

    return fdopen


class Fault:
    """What happens once, at the Nth of a process's `operations` on files or database.

    *how* names one or two signals, or an errno; LOSS renames *dest*.
    """

    WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link")
    LOSS = "loss of the destination"

    def __init__(self, how, at, dest):
        self.how, self.at, self.dest = how, at, dest
        self.operations = []
        self.lock = threading.RLock()
        self.over = False

    def audit(self, event, args):
        if event in self.CHANGES:
            self.happen(event)
        elif event == "open" and args[2] & self.WRITING and type(args[0]) is not int:
            self.happen("open for writing")

    def happen(self, operation):
        with self.lock:
            if self.over:
                return
            self.operations.append(operation)
            if len(self.operations) == self.at:
                self.over = True
                self.strike(operation)

    def happen_in_sql(self, sql, connection):
        """Of a transaction two changes and the end count: it is whole or nothing."""
        verb, what = (sql.split() + [""])[:2]
        reads = verb in ("SELECT", "BEGIN", "ROLLBACK", "PRAGMA")
        if reads and "user_version =" not in sql:
            connection.changes = 0
            return
        connection.changes += 1
        if verb == "COMMIT" or connection.changes <= 2:
            self.happen(f"sql {verb} {what}")

    def strike(self, operation):
        if self.how.startswith("SIG"):
            first, *second = (getattr(signal, name) for name in self.how.split())
            try:
                os.kill(os.getpid(), first)
            finally:  # whether that has raised here already or not
                for number in second:
                    os.kill(os.getpid(), number)
        elif self.how == self.LOSS:
            with contextlib.suppress(OSError):
                self.dest.rename(self.dest.with_name("away"))
        elif operation.startswith("sql"):
            texts = {"ENOSPC": "database or disk is full", "EIO": "disk I/O error"}
            raise sqlite3.OperationalError(texts[self.how])
        else:
            number = getattr(errno, self.how)
            raise OSError(number, os.strerror(number))

    def install(self):
        """From now on, count in this process; only for a child that ends soon."""
        fault = self

        class TornFile(io.FileIO):
            def write(self, data):
                half = super().write(memoryview(data)[: len(data) // 2])
                fault.happen("write")
                return half + super().write(memoryview(data)[half:])

        class Connection(sqlite3.Connection):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                super().execute("PRAGMA synchronous = OFF")
                self.changes = 0

            def execute(self, sql, *args):
                fault.happen_in_sql(sql, self)
                return super().execute(sql, *args)

            def executemany(self, sql, *args):
                fault.happen_in_sql(sql, self)
                return super().executemany(sql, *args)

            def commit(self):
                if self.in_transaction and self.changes:
                    fault.happen_in_sql("COMMIT", self)
                super().commit()

        os.fdopen = writing_by(TornFile)
        os.fsync = lambda fd: fault.happen("fsync")
        sqlite3.connect = functools.partial(sqlite3.connect, factory=Connection)
        # With a hook for audits, two threads that begin to be traced at once are
        # one too many for CPython before 3.12; a child's coverage is not kept.
        threading.settrace(None)
        sys.addaudithook(self.audit)


def fork_off(function, *args):
    """Begin to run *function* in a forked child; what `end_of` takes."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(300)
            os.close(reader)
            with open(writer, "w") as pipe:
                pipe.write(json.dumps(function(*args)))
        finally:
            os._exit(99)
    os.close(writer)
    return pid, reader


def end_of(child):
    """What the function returned in a child, or how that ended instead."""
    pid, reader = child
    with open(reader) as pipe:
        result = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if result:
        return json.loads(result)
    return {"code": code, "text": "", "operations": []}


class World:
    """A directory with an upstream, a destination and a database, ready for a run.

    A method for each scenario says what is there before; `restore` brings that back.
    """

    command = ["sync", "src"]
    goal = NEW_AGENTS  # what the command must make, beside other things
    then = None  # what is run after that, if not the same again
    users = ()  # contents that must not be lost

    def __init__(self, root):
        self.root = root
        self.template, self.case = root / "template", root / "case"
        self.upstream = root / "upstream"
        self.dest = self.case / "cache" / "sources" / "src"
        self.database = self.case / "agent_sync.db"

    def main(self, command, how=None, at=0):
        """Run `main`, with a fault only in a child: what that installs stays."""
        fault, text = Fault(how, at, self.dest), io.StringIO()
        if how:
            fault.install()
        places = ["--db", self.database, "--cache-dir", self.case / "cache"]
        try:
            with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
                code = agent_sync.main([str(arg) for arg in (*places, *command)])
        except BaseException:
            code, text = 99, io.StringIO(traceback.format_exc())
        fault.over = True
        return {"code": code, "text": text.getvalue(), "operations": fault.operations}

    def run(self, *command):
        outcome = self.main(command)
        assert outcome["code"] == 0, outcome["text"]

    def fill(self, directory, files):
        for name, data in files.items():
            write(directory, name, data)

    def publish(self, files, name="upstream"):
        """Let the upstream, or another, have just these *files*."""
        shutil.rmtree(self.root / name, ignore_errors=True)
        self.fill(self.root / name, files)

    def first_sync(self, files=NEW_AGENTS):
        self.publish(files)
        self.run("add", self.upstream, "--id", "src")

    def update(self):
        self.first_sync(OLD_AGENTS)
        self.run("sync")
        self.publish(NEW_AGENTS)

    def conflict(self):
        self.update()
        self.fill(self.dest, FOREIGN)
        self.users = FOREIGN.values()

    def shared(self):
        """Three sources with a path and a skill of two; one is in another's."""
        skill = {"skill/SKILL.md": b"# Of src\n"}
        theirs = {"other.md": b"# Old\n", "same.json": b"[]\n", "stays/b.md": b"b\n"}
        news = {"other.md": b"# New\n", "skill/b.md": b"b\n", "stays/c.md": b"c\n"}
        self.first_sync({**OLD_AGENTS, **skill})
        self.publish(theirs, "other")
        self.publish({"stays.md": b"[]\n", "deep.md": b"# Deep\n"}, "deep")
        for name, dest in ("other", self.dest), ("deep", self.dest / "stays"):
            self.run("add", self.root / name, "--id", name, "--dest", dest)
        self.run("sync")
        self.publish({**NEW_AGENTS, **skill})
        self.publish(news, "other")
        write(self.dest, "mine.md", b"# Mine\n")
        self.goal = {**NEW_AGENTS, **skill, "mine.md": b"# Mine\n"}
        self.then = ["sync"]

    def migration(self):
        """A database as older programs made it, with files that they synced."""
        self.publish(NEW_AGENTS)
        self.fill(self.dest, OLD_AGENTS)
        run_sql(self.database, CONTRACT)
        sources = ("src", str(self.upstream)), ("other", "https://a.test/x/y")
        files = [(path, sha256(data)) for path, data in OLD_AGENTS.items()]
        with opened(self.database) as connection:
            connection.executemany("INSERT INTO sources(id, url) VALUES(?, ?)", sources)
            connection.executemany(TRACKED, files)

    def json_import(self):
        """An ETag cache in JSON with two files that are there."""
        self.dest = self.case / "cache" / "remote-agents"
        self.goal = {"one.md": b"# One\n", "two.md": b"# Two\n"}
        self.fill(self.dest, self.goal)
        entries = {
            f"https://agents.test/{name}": {"etag": f'"{name}"', "file_size": len(data)}
            for name, data in self.goal.items()
        }
        write(self.dest, ".etag-cache.json", json.dumps(entries).encode())
        self.command = ["migrate"]

    def rollback(self):
        """Back to the first of two runs, from what was kept of a web site's files."""
        self.site = Site().renew(OLD_AGENTS)
        self.run("add", self.site.base, "--id", "src")
        self.run("sync")
        self.run("lock", self.root / "agents.lock.json")
        self.site.files = NEW_AGENTS
        self.run("sync")
        self.goal = OLD_AGENTS
        self.command = ["rollback", "src", "1"]

    def online(self):
        """The same, where nothing was kept, from the web site, which has it again."""
        self.rollback()
        self.site.files = OLD_AGENTS
        run_sql(self.database, "DELETE FROM contents")

    def locked(self):
        """The same by a lock file."""
        self.rollback()
        options = ["--dest", f"src={self.dest}", "--offline"]
        self.command = ["sync", "--locked", self.root / "agents.lock.json", *options]

    def files(self):
        """{path: bytes} of all files in the destination, the program's own too."""
        found = [path for path in self.dest.rglob("*") if path.is_file()]
        return {p.relative_to(self.dest).as_posix(): p.read_bytes() for p in found}

    def check_nothing_is_torn(self):
        """Each file is old or new, and the user's are somewhere."""
        files = self.files()
        for path, data in files.items():
            if path[0] != "." and "/.agent-sync" not in path:
                known = self.before.get(path), self.after.get(path)
                assert data in known, f"{path} is neither old nor new: {data[:40]}"
        lost = set(self.users) - set(files.values())
        assert not lost, f"the user's {lost} is lost"

    def state(self):
        """(what two runs must agree on: files, rows without times; all backups)."""
        files, rows = self.files(), rows_of(self.database)
        found = sorted((k, sha256(v)) for k, v in files.items() if "/backup/" not in k)
        for row in [*rows["sources"], *rows["agent_files"], *rows["pending"]]:
            found.append(repr({k: v for k, v in row.items() if k not in TIMES}))
        found += os.listdir(self.case)
        found += [row["status"] for row in rows["sync_history"][-1:]]
        with opened(self.database) as connection:
            found += connection.execute("PRAGMA integrity_check")
        backups = {v for k, v in files.items() if k.startswith(".agent-sync/b")}
        return [*sorted(map(str, found)), schema(self.database)], backups

    def make(self, scenario):
        """Prepare a *scenario*, and learn what an undisturbed run makes; itself."""
        self.case.mkdir(parents=True)
        getattr(self, scenario)()
        self.before = self.files()
        self.case.rename(self.template)
        self.restore()
        outcome = end_of(fork_off(self.main, self.command, "nothing"))
        assert outcome["code"] == 0, outcome["text"]
        self.total, self.after = len(outcome["operations"]), self.files()
        assert self.goal.items() <= self.after.items()
        if self.then:
            self.run(*self.then)
        self.expected, _ = self.state()
        return self

    def restore(self):
        shutil.rmtree(self.case, ignore_errors=True)
        shutil.copytree(self.template, self.case, symlinks=True)

    def examine(self, how, first, step):
        """(number of operations in all, exit code with a fault at each *step*th)."""
        numbers = range(first, self.total + 1, step)
        return self.total, [self.code_with(how, number) for number in numbers]

    def code_with(self, how, number):
        """The exit code with a fault at *number*; one more run must make it good."""
        self.restore()
        outcome = end_of(fork_off(self.main, self.command, how, number))
        code, text = outcome["code"], outcome["text"]
        try:
            Outcome(code, "", text).checked((-9, -15, 0, 1, 2, 129, 130, 143))
            assert "unexpected" not in text, text
            self.check_nothing_is_torn()
            shutil.rmtree(self.dest.with_name("away"), ignore_errors=True)
            self.run(*(self.then or self.command))
            state, backups = self.state()
            assert state == self.expected, f"{state} is not {self.expected}"
            assert backups >= set(self.users), f"backups are {backups}"
        except AssertionError as error:
            where = outcome["operations"][number - 1 :]
            raise AssertionError(f"{how} at {number}, {where}: {error}") from error
        return code

    def run_together(self, commands):
        """(an Outcome for each of *commands*, begun at once; where that was)."""
        self.restore()
        reader, writer = os.pipe()

        def begin(command):
            os.close(writer)
            os.read(reader, 1)  # until the other end is closed in all processes
            return self.main(command)

        children = [fork_off(begin, command) for command in commands]
        os.close(writer)
        outcomes = [end_of(child) for child in children]
        os.close(reader)
        self.check_nothing_is_torn()
        outcomes = [Outcome(each["code"], "", each["text"]) for each in outcomes]
        for outcome in outcomes:
            assert "database is locked" not in outcome.checked((0, 1, 2)).err
        return outcomes, World(self.root)


@functools.cache
def world_of(scenario):
    """This worker's World of a scenario."""
    return World(pathlib.Path.home() / f"{scenario}-{os.getpid()}").make(scenario)


def in_world(scenario, method, *arguments):
    """What a *method* of this worker's World of *scenario* returns."""
    return getattr(world_of(scenario), method)(*arguments)


def begin_worker(root):
    """Prepare a process that forks for crash points."""
    import argparse  # noqa: F401
    import concurrent.futures.thread  # noqa: F401

    os.umask(0o022)
    os.environ.update(HOME=root, PYTHONDONTWRITEBYTECODE="1")
    os.environ.pop("TZ", None)
    gc.freeze()  # What children never touch is never copied for them.


class CrashLab(ProcessPoolExecutor):
    """Two processes that fork for crash points, one for each half of them."""

    def examine(self, scenario, how, every=1, first=1):
        """(number of operations in all, exit code at each crash point tried)."""
        question = in_world, scenario, "examine", how
        starts = (first, first + every)
        asked = [self.submit(*question, start, 2 * every) for start in starts]
        (total, codes), (_, others) = [answer.result() for answer in asked]
        return total, codes + others

    def run_together(self, scenario, *commands):
        """(an Outcome for each command, the World in which they were run together)."""
        return self.submit(in_world, scenario, "run_together", commands).result()


@pytest.fixture(scope="session")
def crash_lab(tmp_path_factory):
    root = [str(tmp_path_factory.mktemp("crashes"))]
    with CrashLab(2, multiprocessing.get_context("spawn"), begin_worker, root) as lab:
        yield lab


# At least so many operations there are: as many crash points, and half as many errors.
# An update has been left out: a conflict is one, and more.
OPERATIONS = {"first_sync": 45, "conflict": 65, "migration": 40, "json_import": 5}
KILLED = {**OPERATIONS, "shared": 50, "rollback": 50, "online": 50, "locked": 50}
SIGNALS = {"SIGINT": [130], "SIGTERM": [143], "SIGHUP": [129]}
SIGNALS["SIGINT SIGTERM"] = [143, 130, -15]  # the second may come when all is over


@posix_only
class TestCrashPoints:
    """FAULTS A01, A05, A06, A14, D08, D10, D18; INV1, INV2, INV6, INV9."""

    @pytest.mark.parametrize("scenario", KILLED)
    def test_killed_anywhere_one_more_run_makes_it_good(self, crash_lab, scenario):
        """N09, too: one of three sources in one directory; a rollback; a lock file."""
        every = 3 if scenario in ("rollback", "online", "locked") else 1
        total, codes = crash_lab.examine(scenario, "SIGKILL", every=every)
        assert len(codes) >= max(KILLED[scenario], total) // every
        assert set(codes) == {-signal.SIGKILL}

    @pytest.mark.parametrize("first, how", [(1, "ENOSPC"), (3, "EIO")])
    @pytest.mark.parametrize("scenario", OPERATIONS)
    def test_an_error_anywhere_is_made_good(self, crash_lab, scenario, first, how):
        """Every fifth operation for each error; EDQUOT has its own test."""
        _, codes = crash_lab.examine(scenario, how, every=5, first=first)
        assert set(codes) <= {0, 1}
        assert len(codes) >= OPERATIONS[scenario] // 6

    @pytest.mark.parametrize("how", SIGNALS)
    def test_a_signal_anywhere_ends_the_run_in_order(self, crash_lab, how):
        """FAULTS A17: its exit code, no traceback, nothing torn, nothing lost."""
        first = random.Random(how).randrange(1, 7)
        _, codes = crash_lab.examine("conflict", how, every=7, first=first)
        assert len(codes) >= 8
        assert SIGNALS[how][0] in codes
        assert set(codes) <= {0, *SIGNALS[how]}

    def test_a_destination_renamed_during_the_run_is_made_again(self, crash_lab):
        """FAULTS A19."""
        total, codes = crash_lab.examine("update", Fault.LOSS, every=6)
        assert len(codes) >= total // 6


def spy(monkeypatch, owner, name, before=None, after=None):
    """Let *before* or *after* see, or refuse, the arguments of each `owner.name`."""
    real = getattr(owner, name)

    def spied(*args, **options):
        if before:
            before(*args, **options)
        result = real(*args, **options)
        if after:
            after(*args, **options)
        return result

    monkeypatch.setattr(owner, name, spied)


@pytest.fixture
def local(program, directory_upstream):
    """A directory source after its first sync."""
    mirror = Mirror(program, directory_upstream)
    mirror.sync()
    return mirror


def litter(directory):
    """The temporary files of this program below *directory*."""
    paths = pathlib.Path(directory).rglob("*")
    return [path for path in paths if STAGED.match(path.name)]


@posix_only
class TestOrderOfWrites:
    def test_a_file_is_safe_before_it_can_be_seen(self, local, monkeypatch):
        """FAULTS A02: write, fsync, replace, fsync of the directory, transaction."""
        steps = []  # of these: (which one, inode)

        class LoggedFile(io.FileIO):
            def write(self, data):
                steps.append(("write", os.fstat(self.fileno()).st_ino))
                return super().write(data)

        def fsync(fd):
            status = os.fstat(fd)
            kind = "fsync directory" if stat.S_ISDIR(status.st_mode) else "fsync"
            steps.append((kind, status.st_ino))

        def replace(source, target, *, src_dir_fd=None, dst_dir_fd=None):
            steps.append(("replace", os.stat(source, dir_fd=src_dir_fd).st_ino))
            steps.append(("into", os.fstat(dst_dir_fd).st_ino))

        def record(*args, **options):
            steps.append(("record", None))

        monkeypatch.setattr(os, "fdopen", writing_by(LoggedFile))
        spy(monkeypatch, os, "fsync", fsync)
        spy(monkeypatch, os, "replace", replace)
        spy(monkeypatch, agent_sync.AgentSyncState, "record_run", record)
        for path in ("qa/qa.md", "security.md", "fresh/deep/new.md"):
            local.upstream.write(path, prose("newer " + path, 30_000))
        local.sync()
        kinds = [kind for kind, _ in steps]
        assert kinds.count("replace") == 3
        for inode in [inode for kind, inode in steps if kind == "replace"]:
            writes = [i for i, step in enumerate(steps) if step == ("write", inode)]
            [fsync] = [i for i, step in enumerate(steps) if step == ("fsync", inode)]
            assert max(writes) < fsync < kinds.index("replace"), "staged as a whole"
            replace = steps.index(("replace", inode))
            directory = steps.index(("fsync directory", steps[replace + 1][1]))
            assert replace < directory < kinds.index("record")
        brought = {inode for kind, inode in steps if kind == "fsync directory"}
        new = [local.dest, local.dest / "fresh", local.dest / "fresh" / "deep"]
        assert {path.stat().st_ino for path in new} <= brought

    def test_a_temporary_file_lies_beside_its_file_until_then(self, local, monkeypatch):
        """FAULTS A08: in one file system. A07: after that its name may be another's."""
        pairs, gone, deleted = [], [], []

        def replace(source, target, *, src_dir_fd=None, dst_dir_fd=None):
            pairs.append((os.fstat(src_dir_fd).st_ino, os.fstat(dst_dir_fd).st_ino))
            gone.append(source)

        spy(monkeypatch, os, "replace", replace)
        spy(monkeypatch, os, "unlink", lambda path, **_: deleted.append(path))
        for path in ("qa/qa.md", "security.md", "engineer/core/new.md"):
            local.upstream.write(path, b"# New\n")
        local.sync()
        assert len(pairs) == 3 and set(gone).isdisjoint(deleted)
        assert all(source == target for source, target in pairs)

    @pytest.mark.parametrize("name", ["EIO", "ENOSPC", "EDQUOT"])
    def test_a_failed_fsync_is_a_failed_file(self, local, monkeypatch, name):
        """FAULTS A03: not tried again on the same file, which may look clean then."""
        local.upstream.write("qa/qa.md", b"# New\n")
        before, number, tried = local.tree(), getattr(errno, name), []

        def fsync(fd):
            tried.append(os.fstat(fd).st_ino)
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            text = complaint(local.program.call("sync", check=1))
        assert "src" in text and os.strerror(number).lower() in text
        assert len(tried) == len(set(tried)) == 1
        assert local.tree() == before
        assert litter(local.dest) == []
        assert local.follows()

    def test_short_writes_are_continued(self, local, monkeypatch):
        """FAULTS A04."""

        class ShortFile(io.FileIO):
            def write(self, data):
                return super().write(memoryview(data)[:7])

        monkeypatch.setattr(os, "fdopen", writing_by(ShortFile))
        local.upstream.write("qa/qa.md", prose("short", 3000))
        assert local.follows()

    @pytest.mark.parametrize("mask", [0o077, 0o002, 0o022])
    def test_the_umask_makes_modes_of_files(self, program, directory_upstream, mask):
        """FAULTS A09, P21: 0644 or, if the owner may run it there, 0755 less it."""
        (directory_upstream.directory / "qa" / "qa.md").chmod(0o755)
        before = os.umask(mask)
        try:
            mirror = Mirror(program, directory_upstream)
            mirror.sync()
        finally:
            os.umask(before)
        modes = tree(mirror.dest, lambda path: stat.S_IMODE(path.stat().st_mode))
        assert modes.pop("qa/qa.md") == 0o755 & ~mask
        assert set(modes.values()) == {0o644 & ~mask}

    def test_a_mount_point_in_the_destination(self, local, tmp_path, mounting):
        """FAULTS A08: files in it are written; that no backup can leave it is told."""
        local.upstream.write("qa/qa.md", b"# New\n")
        script = (
            'cd "$1" && shift && mount -t tmpfs none dest/qa && "$@" >log || exit 9;'
            ' grep -qx "# New" dest/qa/qa.md || exit 8; echo edited >dest/qa/qa.md;'
            ' "$@"; code=$?; grep -qx edited dest/qa/qa.md || exit 7; exit $code'
        )
        prefix = [*mounting, script, "sh", str(local.dest.parent)]
        outcome = local.program.run("sync", prefix=prefix, check=1)
        assert "cross-device link" in complaint(outcome)


class TestAfterAKilledRun:
    """FAULTS A01: its temporary files go, whatever comes before the next whole run."""

    def leave_journal(self, mirror, *files):
        """What a killed run leaves that was about to publish these (path, content)."""
        mirror.write(".agent-sync/lock", b"pid 1 since then\n")
        sql = "INSERT INTO pending VALUES ('src', ?, ?)"
        for path, data in files:
            mirror.program.query(sql, path, sha256(data))

    def test_its_litter_goes_also_after_a_run_that_failed(self, local, monkeypatch):
        """Nothing of ours can be in what must not be listed."""
        local.write("qa/.agent-sync-0123456789abcdef.tmp", b"half")
        self.leave_journal(local)
        (local.dest / "mine").mkdir()
        with monkeypatch.context() as patch:
            refuse_path(patch, os, "scandir", local.dest / "mine")
            local.upstream.hide()
            local.sync(check=1)
            local.sync("--offline")
            local.upstream.hide(False)
            local.sync()
        assert litter(local.dest) == []

    def test_what_two_of_them_wrote_is_ours(self, local):
        """The first had written the file, the second was about to."""
        local.write("new.md", b"# First\n")
        self.leave_journal(local, ("new.md", b"# First\n"), ("new.md", b"# Second\n"))
        local.upstream.write("new.md", b"# Third\n")
        assert local.follows()
        assert local.backups() == []

    @pytest.mark.parametrize("journal", ["database", "lock file"])
    def test_a_run_in_part_does_not_settle_it(self, unhashed, site, journal):
        """What could not be had now is known to be ours later; as of 1.0.0, too."""
        half = ("qa/qa.md", b"# Half way\n"), ("ops.json", b"{}\n")
        for path, data in half:
            unhashed.write(path, data)
        if journal == "database":
            self.leave_journal(unhashed, *half)
        else:
            lines = ["pid 1", *(f"{sha256(data)} {path}" for path, data in half), ""]
            unhashed.write(".agent-sync/lock", "\n".join(lines).encode())
        site.answers["qa/qa.md"] = http_reply(404)
        unhashed.sync(check=1)
        assert unhashed.lock.read_bytes() == b""
        site.answers.clear()
        assert unhashed.follows()
        assert unhashed.backups() == []

    def test_a_run_in_part_claims_nothing_of_the_users(self, unhashed, site):
        """What it published is recorded; what comes back later is not of its making."""
        old = site.files["ops.json"]
        site.files["ops.json"] = b'{"name": "new"}'
        site.answers["qa/qa.md"] = http_reply(404)
        unhashed.sync(check=1)
        unhashed.write("ops.json", old)
        site.files["ops.json"] = b'{"name": "newer"}'
        unhashed.sync(check=1)
        assert unhashed.backups() == [old]
        assert unhashed.lock.read_bytes() == b""

    def test_what_it_published_goes_with_the_source(self, local):
        local.write("new.md", b"# New\n")
        local.write("mine.md", b"# Mine\n")
        self.leave_journal(local, ("new.md", b"# New\n"), ("mine.md", b"# Other\n"))
        assert "kept" not in local.program.call("remove", "src", "--delete-files").out
        assert local.tree() == {"mine.md": b"# Mine\n"}

    def test_its_litter_is_not_in_the_way_of_a_file(self, local):
        """Its directory has become one upstream."""
        local.upstream.write("dir.md/a.md", b"# A\n")
        local.sync()
        local.write("dir.md/.agent-sync-0123456789abcdef.tmp", b"half")
        self.leave_journal(local)
        local.upstream.publish({"dir.md/a.md": None, "dir.md": b"# File\n"})
        assert local.follows()
        assert local.backups() == []

    def test_what_it_published_first_is_no_mass_removal(self, program, tmp_path):
        """Nothing was recorded yet, and everything was renamed since."""
        for name in "abcdefgh":
            for directory in ("upstream/new", "dest/old"):
                write(tmp_path / directory, f"{name}.md", name.encode())
        mirror = Mirror(program, DirectoryUpstream(tmp_path / "upstream"))
        self.leave_journal(mirror, *mirror.tree().items())
        assert mirror.follows()

    def test_offline_what_it_published_is_left_for_a_run_that_asks(self, local):
        """FAULTS A01: killed between its files and their rows."""
        data = b"# New\n"
        local.upstream.write("new.md", data)
        local.write("new.md", data)
        self.leave_journal(local, ("new.md", data))
        assert changes(local.sync("--offline")) == {}
        assert local.tree()["new.md"] == data
        local.upstream.delete("new.md")
        assert changes(local.sync()) == {"removed": ["new.md"]}


def test_a_file_that_comes_beside_its_twin_is_not_lost(local, monkeypatch):
    """FAULTS A15: where case counts, it is the user's own; a hard link is not."""
    twin = local.dest / "qa/QA.md"
    os.link(local.dest / "qa/qa.md", twin)
    local.upstream.publish({"qa/qa.md": None, "qa/QA.md": twin.read_bytes()})

    def edit(*args):
        local.write("qa/new", b"# My own\n").replace(twin)

    with monkeypatch.context() as patch:
        spy(patch, agent_sync.AgentSyncState, "prepare_run", after=edit)
        assert "changed during the run" in local.sync(check=1)["error"]
    assert local.tree()["qa/QA.md"] == b"# My own\n"
    assert local.follows()
    assert local.backups() == [b"# My own\n"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.EPERM])
def test_a_directory_that_cannot_be_removed_stays(local, monkeypatch, number):
    """A mount point, or what is in a directory of somebody else's."""
    local.upstream.write("alone/a.md", b"# Alone\n")
    local.sync()
    local.upstream.delete("alone/a.md")
    with monkeypatch.context() as patch:
        refuse_renames(patch, number, ["rmdir"])
        assert local.sync()["removed"] == ["alone/a.md"]
    assert list((local.dest / "alone").iterdir()) == []
    assert changes(local.sync()) == {}


REFUSALS = [  # what, with which error of Windows, how often; exit code, pauses if few
    ("replace", 5, 3, 0, 3),
    ("replace", 32, 3, 0, 3),
    ("replace", 33, 3, 0, 3),
    ("unlink", 32, 3, 0, 3),
    ("replace", 32, 999, 1, None),
    ("replace", None, 1, 1, 0),
]


@pytest.mark.parametrize("case", REFUSALS)
def test_a_file_that_others_have_open_is_waited_for(local, monkeypatch, case):
    """FAULTS A11, A12: as a scanner on Windows has it; else the old files stay."""
    name, winerror, times, code, waits = case
    error = PermissionError(errno.EACCES, "Permission denied")
    error.winerror = winerror
    before, pauses, errors = local.tree(), [], [error] * times
    local.upstream.publish({"qa/qa.md": b"# New\n", "security.md": None})

    def refuse(*args, **options):
        if errors:
            raise errors.pop()

    spy(monkeypatch, os, name, refuse)
    monkeypatch.setattr(agent_sync.time, "sleep", pauses.append)
    local.sync(check=code)
    assert local.tree() == (before if code else local.upstream.agents())
    assert litter(local.dest) == []
    assert len(pauses) == waits if waits is not None else 1 < sum(pauses) < 10


INJECTED = {  # one fault in a system call that SQLite, or the program, makes
    "A03 fsync EIO": ("fsync:error=EIO:when=1", 1),
    "D08 pwrite ENOSPC": ("pwrite64:error=ENOSPC:when=4", 1),
    "D07 pwrite killed": ("pwrite64:signal=KILL:when=9", -9),
    "D07 fdatasync killed": ("fdatasync:signal=KILL:when=2", -9),
}


@pytest.mark.usefixtures("unmeasured")
@posix_only
class TestFaultsOfTheKernel:
    @pytest.mark.parametrize("case", INJECTED)
    def test_the_next_run_makes_it_good(self, local, case):
        """FAULTS A01, A03, D07, D08."""
        strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", os.devnull]
        if not shutil.which("strace") or subprocess.call([*strace, "true"]):
            pytest.skip("needs strace, and to be permitted it")
        injection, code = INJECTED[case]
        before, new = local.tree(), prose("newer", 9000)
        local.upstream.publish({"qa/qa.md": new, "security.md": new, "ops.json": None})
        after = local.upstream.agents()
        prefix = [*strace, "-e", "inject=" + injection]
        local.program.run("sync", prefix=prefix, check=(code, 128 - code))
        for path, data in local.tree().items():
            known = before.get(path), after.get(path)
            assert data in known or STAGED.match(path.split("/")[-1])
        assert local.follows()
        assert litter(local.dest) == []
        assert is_sound(local.program, "integrity_check")

    def test_a_full_disk_leaves_just_the_old_files(self, local, tmp_path, mounting):
        """FAULTS A05, D08: on a real file system without room for the new files."""
        before = local.tree()
        for path in list(before)[:6]:
            local.upstream.write(path, prose("large " + path, 40_000))
        copy, kept = tmp_path / "copy", tmp_path / "kept"
        kept.mkdir()
        shutil.copytree(local.dest, copy)
        script = (
            'set -e; mount -t tmpfs -o size=160k none "$1"; cp -a "$2/." "$1"; set +e;'
            ' dest=$1; kept=$3; shift 3; "$@"; code=$?; cp -a "$dest/." "$kept";'
            " exit $code"
        )
        prefix = [*mounting, script, "sh", local.dest, copy, kept]
        outcome = local.program.run("sync", prefix=prefix, check=1)
        assert "no space left" in complaint(outcome)
        assert tree(kept) == before
        assert last_run(local.program)["status"] == "error"


# ==== The database, damaged ====
#
# Whatever becomes of the database: no agent file is lost, no file of the user's is
# touched, and what can be made up from the files on disk is.


def set_byte(data, at, value):
    return data[:at] + bytes([value]) + data[at + 1 :]


DAMAGES = {
    "text": lambda data: b"not a database, but quite long enough to be one\n" * 100,
    "noise": lambda data: random.Random(1).randbytes(len(data)),
    "zeros": lambda data: bytes(len(data)),
    "first 100 bytes": lambda data: data[:100],
    "half": lambda data: data[: len(data) // 2],
    "first page gone": lambda data: bytes(4096) + data[4096:],
    "without its last page": lambda data: data[:-4096],
    "a header of the future": lambda data: set_byte(set_byte(data, 18, 9), 19, 9),
    "a header that forbids to write": lambda data: set_byte(data, 18, 9),
    "a page count that lies": lambda data: data[:28] + b"\xff" * 4 + data[32:],
    "a page size that lies": lambda data: data[:16] + b"\x00\x03" + data[18:],
    "the schema's page": lambda data: data[:100] + b"\xff" * 300 + data[400:],
    "all pages but the first": lambda data: data[:4096] + b"\xa5" * (len(data) - 4096),
}
EDITS = {  # of the schema's text, by damage, which SQLite still reads without a word
    "a name that is not UTF-8": (b"content_sha TEXT", b"content\xffsha TEXT"),
    "another name": (b"retry_at TEXT", b"retry_au TEXT"),
    "columns swapped": (b"etag TEXT,", b"path TEXT,"),
    "a column swallowed": (b"last_sha TEXT,", b"last_sha TEXTl"),
    "a table that is not there": (b"REFERENCES sources", b"REFERENCES sourcet"),
    "the sequence of runs": (b"sequence(name,seq)", b"sequence(name$seq)"),
    "no SQL": (b"CREATE TABLE sync_history", b"CREATE UABLE sync_history"),
    "an index of nothing": (b"agent_files(file_path)", b"agent_files(file_patg)"),
}


@pytest.fixture
def full(local):
    """A directory source that was synced, with files of the user's beside it."""
    local.write("mine.md", b"# Mine\n")
    local.write("qa/notes.txt", b"notes\n")
    return local


@pytest.fixture
def at_home(full, program, monkeypatch):
    """The database of `full` is where it is by default."""
    monkeypatch.delenv("AGENT_SYNC_DB")
    data, place = program.database.read_bytes(), "home/.config/claude-mpm/agent_sync.db"
    program.database = write(program.root, place, data)


def corrupt_copy(program):
    """What was the database: [(name, bytes)]."""
    found = program.database.parent.glob(program.database.name + ".corrupt-*")
    return sorted((path.name, path.read_bytes()) for path in found)


def sync_anyhow(mirror):
    """Sync until it works, as a user would: again, and if need be after an `add`."""
    program = mirror.program
    for _ in range(3):
        listed = program.call("sources", check=(0, 1))
        if listed.code == 0 and "src:" not in listed.out:
            add = [mirror.upstream.url, "--id", "src", "--dest", mirror.dest]
            program.call("add", *add)
        if program.call("sync", "src", check=(0, 1, 2)).code == 0:
            return
    raise AssertionError(program.call("sync", "src", check=None))


def damage_table(program, name):
    """Write noise over the root page of a table; the others can be read."""
    [row] = program.query("SELECT rootpage FROM sqlite_master WHERE name = ?", name)
    with open(program.database, "r+b") as file:
        file.seek((row["rootpage"] - 1) * 4096)
        file.write(b"\xff" * 200)


def is_sound(program, pragma="quick_check"):
    return program.query(f"PRAGMA {pragma}") == [{pragma: "ok"}]


class TestDamagedDatabases:
    def test_the_files_stay_and_are_adopted(self, full, program, at_home):
        """FAULTS D01, D02, D23; INV1, INV2, INV6."""
        before, database = stats(full.dest), program.database.read_bytes()
        damages = {name: make(database) for name, make in DAMAGES.items()}
        edits = {name: database.replace(*edit, 1) for name, edit in EDITS.items()}
        seen_at_once = {"text", "noise", "first 100 bytes", "a header of the future"}
        for damage, data in {**damages, **edits, "empty": b""}.items():
            for path in program.database.parent.iterdir():
                path.unlink()
            assert data != database
            program.database.write_bytes(data)
            if damage in seen_at_once | EDITS.keys():
                outcome = program.call("sources", "--quiet", check=(0, 1))
                [(name, kept)] = corrupt_copy(program)
                assert kept == data, damage
                assert name in outcome.err and "damaged" in outcome.err, damage
            sync_anyhow(full)
            assert stats(full.dest) == before, f"{damage}: adopted, not rewritten"
            assert is_sound(program)
            assert len(program.call_json("files")["files"]) == 8, damage
        assert corrupt_copy(program) == [], "an empty file is a new database"
        assert full.backups() == []

    def test_sources_of_an_older_schema_are_saved(self, program):
        """FAULTS D01: one that a program wrote which knows the contract alone."""
        run_sql(program.database, OLD_DATABASES["contract"])
        program.query("DROP INDEX idx_agent_files_path")
        expected = program.query("SELECT id, url FROM sources ORDER BY id")
        damage_table(program, "agent_files")
        program.call("sources", check=(0, 1))
        assert corrupt_copy(program)
        sources = program.call_json("sources")["sources"]
        assert [{"id": row["id"], "url": row["url"]} for row in sources] == expected

    def test_one_whose_revision_is_lost_counts_as_damaged(self, full, program):
        with untouched(full.dest):
            program.query("PRAGMA user_version = 0")
            assert "damaged" in program.call("sources").err and corrupt_copy(program)
            sync_anyhow(full)

    def test_tables_that_no_program_makes_so_are_left_alone(self, program):
        run_sql(program.database, OLD_DATABASES["contract"])
        program.query("ALTER TABLE sync_history RENAME COLUMN sync_time TO at")
        before = program.database.read_bytes()
        assert "not as other programs make it" in program.call("sources", check=1).err
        assert program.database.read_bytes() == before and not corrupt_copy(program)

    def test_sound_sources_are_saved_from_beside_damaged_ones(self, program):
        """FAULTS D01: a page of them is noise, and one has a ref that is no text."""
        state = agent_sync.AgentSyncState(program.database)
        for number in range(120):
            source_id = f"s{number:03}"
            state.register_source(source_id, f"https://h/{'x' * 200}/{source_id}")
        program.query("UPDATE sources SET ref = CAST(x'ff' AS TEXT) WHERE id = 's001'")
        program.query("UPDATE sources SET id = '' WHERE id = 's003'")
        data = program.database.read_bytes()
        page = data.index(b"/s060") // 4096 * 4096
        noise = b"\xa5" * 4096
        program.database.write_bytes(data[:page] + noise + data[page + 4096 :])
        program.call("sources", check=(0, 1))
        saved = [row["id"] for row in program.call_json("sources")["sources"]]
        assert corrupt_copy(program)
        assert {"s000", "s002", "s004", "s119"} <= set(saved)
        assert "s060" not in saved and len(saved) > 90

    @posix_only
    def test_two_that_see_it_replace_it_once(self, program, at_home, monkeypatch):
        """FAULTS D20: the second must not put the first one's database aside."""
        database = program.database
        data = database.read_bytes()
        database.write_bytes(DAMAGES["text"](data))

        def late(file, operation):
            """Another process had the lock, and has done it all."""
            write(database.parent, "other", data).replace(database)

        monkeypatch.setattr(agent_sync.fcntl, "flock", late)
        agent_sync.AgentSyncState(database)
        assert database.read_bytes() == data
        assert corrupt_copy(program) == []

    def test_nobody_sees_one_without_its_sources(self, program, at_home, monkeypatch):
        """FAULTS D01, D20: not even while it is replaced."""
        seen = []
        damage_table(program, "sync_history")

        def look(*args, **options):
            seen.extend(program.query("SELECT id FROM sources"))

        spy(monkeypatch, os, "replace", after=look)
        program.call("history", check=(0, 1))
        assert corrupt_copy(program)
        assert seen and all(row == {"id": "src"} for row in seen)
        assert list(program.database.parent.glob("*.new-*")) == []

    def test_its_journals_go_along_and_edits_are_kept(self, full, program, at_home):
        """FAULTS D01, D02, D07: a journal would be played back into the new one."""
        full.write("qa/qa.md", b"# Edited\n")
        program.database.write_bytes(b"damaged " * 1000)
        journals = [f"{program.database}{end}" for end in ("-wal", "-shm", "-journal")]
        for journal in journals:
            pathlib.Path(journal).write_bytes(b"of " + b"old " * 99)
        program.call("sources", check=(0, 1))
        assert corrupt_copy(program)
        assert not any(map(os.path.exists, journals))
        sync_anyhow(full)
        assert full.backups() == [b"# Edited\n"]
        assert full.tree()["mine.md"] == b"# Mine\n"

    @posix_only
    def test_many_processes_find_the_damage_at_once(self, program, at_home):
        """FAULTS D01, D05, INV7."""
        program.database.write_bytes(b"damaged " * 1000)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = program.command("sources")
        children = [subprocess.Popen(command, **quiet) for _ in range(4)]
        assert {child.wait(timeout=300) for child in children} <= {0, 1}
        assert len(corrupt_copy(program)) == 1


FOREIGN_SCHEMAS = {
    "an untrusted index": "CREATE INDEX i ON t (json_extract(a, '$.x'))",
    "newer syntax": """PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = 'CREATE TABLE t (a) FUTURE'""",
    "other tables": "PRAGMA user_version = 2000",
}


def random_damage(data, chance):
    """*data* with one fault of a disk in it, as *chance*, a Random, will have it."""
    size = int.from_bytes(data[16:18], "big")
    page = chance.randrange(len(data) // size) * size
    places = [chance.randrange(len(data)), chance.randrange(100)]
    places.append(page + chance.randrange(40))
    places.append(data.index(b"CREATE TABLE") + chance.randrange(3000))
    at = chance.choice(places)
    flipped = bytes(byte ^ 0xFF for byte in data[page : page + size : 64])
    return chance.choice([
        lambda: data[:at],
        lambda: set_byte(data, at, data[at] ^ 1 << chance.randrange(8)),
        lambda: set_byte(data, at, chance.randrange(256)),
        lambda: data[:at] + chance.randbytes(64) + data[at + 64 :],
        lambda: data[:page] + bytes(size) + data[page + size :],
        lambda: data[:page] + flipped * 64 + data[page + size :],
    ])()  # fmt: skip


class TestDamageThatHides:
    """FAULTS D22, D23: what SQLite does not call damage, or only in the middle."""

    def test_a_damaged_index_is_found_after_the_error_it_makes(self, full, program):
        """FAULTS D22: `quick_check` says ok, and each update of the file fails."""
        [row] = program.query("SELECT * FROM agent_files WHERE file_path = 'qa/qa.md'")
        entry = f"srcqa/qa.md{row['content_sha']}".encode()
        data = program.database.read_bytes()
        leaves = [at for at in range(0, len(data), 4096) if data[at] == 0x0A]
        [at] = [at for at in leaves if entry in data[at : at + 4096]]
        last = data.index(entry, at) + len(entry) - 1
        program.database.write_bytes(set_byte(data, last, ord("x")))
        assert is_sound(program)
        full.upstream.write("qa/qa.md", b"# News\n")
        err = program.call("sync", check=1).err
        assert "run it again" in err and "the database was damaged" in err
        full.sync()
        assert full.tree()["qa/qa.md"] == b"# News\n"
        assert is_sound(program, "integrity_check")

    def test_no_damage_lasts_longer_than_one_run(self, full, program, at_home):
        """FAULTS D01, D22, D23: a fixed sample of all that was tried."""
        before, data = full.tree(), program.database.read_bytes()
        for number in range(40):
            for path in program.database.parent.iterdir():
                path.unlink()
            damaged = random_damage(data, random.Random(number))
            if int.from_bytes(damaged[60:64], "big") >= 1000:
                continue  # A version that is refused by contract.
            program.database.write_bytes(damaged)
            for command in ("status", "history", "sync"):
                assert "unexpected" not in program.call(command, check=None).err
            sync_anyhow(full)
            assert full.tree() == before

    @pytest.mark.parametrize("mode", ["delete", "wal", "persist"])
    @pytest.mark.parametrize("case", FOREIGN_SCHEMAS)
    def test_another_programs_database_is_refused_untouched(self, program, case, mode):
        """FAULTS D21: it is healthy, whatever SQLite says of it here."""
        place = write(program.root, "other/app.db", b"")
        with opened(place) as connection:
            connection.execute(f"PRAGMA journal_mode = {mode}")
            connection.executescript("CREATE TABLE t (a);" + FOREIGN_SCHEMAS[case])
        before = tree(place.parent)
        for command in (["status"], ["sync", "-n"], ["sync"], ["sources"]):
            assert "another --db" in program.call("--db", place, *command, check=1).err
            assert tree(place.parent) == before

    @pytest.mark.parametrize("damage", ["text", "zeros", "noise", "first page gone"])
    def test_a_file_that_is_not_recognisably_ours_is_left_alone(self, full, damage):
        """FAULTS D01, D21: but for the one at the default place."""
        database = full.program.database
        data = DAMAGES[damage](database.read_bytes())
        database.write_bytes(data)
        for command in (["status"], ["sync", "-n"], ["sync"]):
            outcome = full.program.call("--db", database, *command, check=1)
            assert "not a database of this program" in outcome.err
        assert database.read_bytes() == data
        assert corrupt_copy(full.program) == []

    def test_our_own_is_not_set_aside_for_what_a_user_has_added(self, full):
        """FAULTS D21: an index that SQLite does not trust makes nothing damaged."""
        full.program.query("CREATE TABLE t (a)")
        full.program.query("CREATE INDEX i ON t (json_extract(a, '$.x'))")
        before = full.program.database.read_bytes()
        assert "json_extract" in full.program.call("sync", check=1).err
        assert full.program.database.read_bytes() == before

    def test_a_recovered_database_is_not_a_new_one(self, program, monkeypatch):
        """FAULTS N11, D01: no default source is added where all sources are lost."""
        monkeypatch.delenv("AGENT_SYNC_DB")
        write(program.root, "home/.config/claude-mpm/agent_sync.db", b"damaged " * 1000)
        for _ in range(2):
            assert "source" in program.call("sync", check=2).err
            assert program.call_json("sources") == {"sources": []}


HOSTILE_SCHEMAS = {
    "eat": """CREATE TRIGGER eat AFTER INSERT ON agent_files BEGIN
        DELETE FROM agent_files; END""",
    "route": """CREATE TRIGGER route AFTER UPDATE ON sources BEGIN
        UPDATE sources SET destination = '/' WHERE id = new.id; END""",
    "spy": "CREATE VIEW spy AS SELECT * FROM sources",
    "endless": """CREATE VIEW endless AS WITH RECURSIVE n(i) AS
        (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n""",
    "agent_files": """ALTER TABLE agent_files RENAME TO real_files;
        CREATE VIEW agent_files AS SELECT * FROM real_files""",
}
LEADING_OUT = ["../../x", "../dest-x", "/etc/x", "a/../../../x", "..\\x", "", ".git/x"]
ODD_VALUES = {
    "sources": [
        ("enabled", "yes"), ("last_sync_time", "the day before yesterday"),
        ("last_sync_time", b"\xff\x00"), ("last_sha", 7), ("etag", b"\xff"),
        ("include", "{}"), ("include", '"*"'), ("exclude", "[1, null]"),
        ("on_conflict", "shred"), ("listing_digest", b"\xff"), ("ref", b"\xff"),
        ("destination", "a\x00b"), ("destination", ""), ("retry_at", "for ever"),
        ("retry_at", 9), ("id", "x\x1b[31m"),
    ],
    "sources that fail": [
        ("include", "not JSON"), ("kind", "carrier pigeon"), ("url", ""),
        ("url", "gopher://example.org"), ("url", b"\xff\xfe"),
        ("destination", b"\xff\x00"),
    ],
    "agent_files": [
        ("file_path", b"\xff\xfe"), ("file_path", "a\x00b.md"),
        ("file_path", "\x1b[31mred.md"), ("file_path", 7), ("content_sha", b"\xff"),
        ("content_sha", 7), ("file_size", "large"), ("file_size", -1),
        ("object_id", b"\xff"), ("local_path", "../../elsewhere"),
        ("synced_at", "never"),
    ],
    "sync_history": [
        ("sync_time", "never"), ("sync_time", b"\xff"), ("files_synced", "x"),
        ("error_message", "\x1b[31mred\nand more"), ("status", "splendid"),
        ("revision", 7),
    ],
}  # fmt: skip


class TestDatabasesThatLie:
    def test_a_hostile_schema_is_refused_and_left_alone(self, full):
        """FAULTS D13."""
        program, database = full.program, full.program.database
        good, files = database.read_bytes(), stats(full.dest)
        for name, ddl in HOSTILE_SCHEMAS.items():
            database.write_bytes(good)
            run_sql(database, ddl)
            before = database.read_bytes()
            for command in (["sync"], ["status"], ["remove", "src", "--delete-files"]):
                assert name in program.call(*command, check=1).err
            assert (database.read_bytes(), stats(full.dest)) == (before, files)
            with pytest.raises(agent_sync.AgentSyncStateError, match=name):
                agent_sync.AgentSyncState(database)

    def test_a_table_without_its_columns_is_set_aside(self, full):
        """FAULTS D12: what a half-done migration may leave; its sources are saved."""
        with untouched(full.dest):
            full.program.query("ALTER TABLE agent_files RENAME TO old_files")
            full.program.query("CREATE TABLE agent_files (source_id, file_path)")
            assert "agent_sync.db.corrupt" in full.program.call("sync").err
            assert len(full.program.call_json("files")["files"]) == 8

    @pytest.mark.parametrize("command", ["sync", "status", "verify", "remove"])
    def test_rows_whose_paths_lead_out_reach_nothing(self, full, command):
        """FAULTS D13, INV2: as if they came from the network."""
        for victim in ("x", "dest-x", "dest/.git/x"):
            write(full.program.root, victim, b"canary")
        for path in LEADING_OUT:
            full.program.query(TRACKED, path, sha256(b"canary"))
        before = tree(full.dest)
        arguments = ["src", "--delete-files"] if command == "remove" else []
        full.program.call(command, *arguments, check=(0, 1))
        for victim in ("x", "dest-x", "dest/.git/x"):
            assert (full.program.root / victim).read_bytes() == b"canary"
        left = tree(full.dest)
        assert left.items() <= before.items()
        assert left == before or command == "remove"
        assert left["mine.md"] == b"# Mine\n"

    def test_a_source_whose_id_is_no_utf_8_can_be_removed(self, full, program):
        """FAULTS D14: until then it stops no other, and is told."""
        sql = "INSERT INTO sources (id, url) VALUES (CAST(x'ff' AS TEXT), 'https://h')"
        program.query(sql)
        src, odd = program.call_json("sync", check=1)["sources"]
        assert (src["error"], odd["source"]) == (None, "\\xff")
        assert odd["error"]
        program.call("remove", "\\xff")
        program.call("sync")

    def test_a_row_that_is_no_utf_8_is_refused_and_goes(self, full):
        """FAULTS D14: as text, so SQLite itself cannot read it back as such."""
        program, before = full.program, tree(full.dest)
        program.query(TRACKED, "odd", "aa")
        odd = "UPDATE agent_files SET file_path = CAST(x'61ff2e6d64' AS TEXT)"
        program.query(odd + " WHERE file_path = 'odd'")
        for command in ("status", "files", "sync"):
            program.call(command)
        assert len(program.call_json("files")["files"]) == 8
        assert tree(full.dest) == before

    @pytest.mark.parametrize("case", ODD_VALUES)
    def test_a_value_of_the_wrong_sort_is_met_in_order(self, full, tmp_path, case):
        """INV4, FAULTS D14: no traceback; the files stay; another source is synced."""
        program, other, table = full.program, tmp_path / "other", case.split()[0]
        other.mkdir()
        program.call("add", other, "--id", "zzz", "--dest", tmp_path / "zzz")
        before, database = tree(full.dest), program.database.read_bytes()
        where = {"sources": "id = 'src'", "agent_files": "file_path = 'qa/qa.md'"}
        commands = ["status", "history", "sync"]
        commands += ["verify", "files", "sources"] if table != "sync_history" else []
        for number, (column, value) in enumerate(ODD_VALUES[case]):
            write(other, "agent.md", b"# %d\n" % number)
            program.database.write_bytes(database)
            sql = f"UPDATE {table} SET {column} = ? WHERE {where.get(table, 1)}"
            program.query(sql, value)
            program.call("status", check=(0, 1, 2))
            for command in commands:
                outcome = program.call(command, "--json", check=(0, 1, 2))
                assert outcome.document, (column, value)
                assert "unexpected" not in outcome.err, (column, value)
            program.call("sync", "--max-age", "1h", check=(0, 1, 2))
            program.call("history", "--changes", "--limit", "999")
            assert tree(full.dest) == before, (column, value)
            assert tree(tmp_path / "zzz") == {"agent.md": b"# %d\n" % number}
            if case == "sources that fail":
                assert "src" in program.call("sync", check=1).err
                _, status = program.call_json("status", check=(0, 1))["sources"]
                assert status["missing"] == status["untracked"] == []
        assert tree(program.root / "home") == {}, "nothing lands where it was called"

    ODD_ARGUMENTS = ["\ud800", 1 << 63, b"\xff", "a\x00b", None, 1.5]

    @pytest.mark.parametrize("value", ODD_ARGUMENTS, ids=repr)
    def test_arguments_of_the_wrong_sort_are_refused_or_kept(self, state, value):
        """FAULTS D14: the programs that import this one make mistakes, too."""
        state.track_file("src", "good.md", "aa", file_size=1)
        refused = [
            refusal(state.track_file, "src", "a.md", "aa", file_size=value),
            refusal(state.track_file, "src", "b.md", value, value),
            refusal(state.record_sync_result, "src", "success", value, 0, 0, value),
        ]
        assert "" not in refused
        files = {row["file_path"]: row for row in state.get_files("src")}
        kept = {name for name, why in zip(("a.md", "b.md"), refused) if why is None}
        assert set(files) == {"good.md"} | kept
        assert len(state.get_sync_history("src")) == (not refused[2])
        assert files["good.md"]["file_size"] == 1


@contextlib.contextmanager
def repeating(function):
    """A set of what *function* returns to a thread that calls it in the meantime."""
    seen, over = set(), threading.Event()

    def repeat():
        while not over.is_set():
            seen.add(function())

    with ThreadPoolExecutor(1) as pool:
        repeated = pool.submit(repeat)
        try:
            yield seen
        finally:
            over.set()
        repeated.result()


class TestDatabasesInTheWay:
    def test_a_directory_in_its_place_is_told(self, full):
        """FAULTS D03; and so is a file where its directory would be."""
        told = full.program.call("sources", "--db", f"{__file__}/x.db", check=1).err
        assert f"cannot create the database {__file__}/x.db" in told
        database = full.program.database
        database.unlink()
        database.mkdir()
        assert str(database) in full.program.call("sync", check=1).err

    @posix_only
    @pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
    def test_a_database_behind_a_link_works(self, full, link):
        """FAULTS D03: a dotfiles repository links such files."""
        alias = full.program.root / "home" / "alias.db"
        link(full.program.database, alias)
        full.upstream.write("new.md", b"# New\n")
        full.program.call("--db", alias, "sync")
        assert len(full.program.query("SELECT * FROM agent_files")) == 9

    @posix_only
    @pytest.mark.parametrize("what", ["file", "directory", "both"])
    def test_a_read_only_database_can_be_looked_at(self, full, what, unprivileged):
        """FAULTS D03: `status` works, `sync` tells; no file is lost."""
        program, before = full.program, set(full.tree())
        database = write(program.root, "place/a.db", program.database.read_bytes())
        if what != "directory":
            database.chmod(0o444)
        if what != "file":
            database.parent.chmod(0o555)
        full.upstream.write("qa/qa.md", b"# New\n")
        program.run("--db", database, "status", prefix=unprivileged)
        outcome = program.run("--db", database, "sync", prefix=unprivileged, check=1)
        assert re.search("read-?only|unable to open|permission", complaint(outcome))
        full.sync()
        assert set(full.tree()) == before
        database.parent.chmod(0o755)

    def test_a_lock_held_for_a_moment_is_waited_for(self, full):
        """FAULTS D04: RESERVED, then EXCLUSIVE."""
        options = {"isolation_level": None, "check_same_thread": False}
        other = sqlite3.connect(str(full.program.database), **options)
        other.execute("BEGIN EXCLUSIVE")
        timer = threading.Timer(0.2, other.rollback)
        timer.start()
        full.upstream.write("new.md", b"# New\n")
        assert full.sync()["added"] == ["new.md"]
        timer.join()
        other.close()

    @pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
    def test_a_lock_held_for_long_is_told(self, full, monkeypatch, kind):
        """FAULTS D04, INV9: the next run heals what could not be recorded."""
        full.upstream.write("qa/qa.md", b"# New\n")
        monkeypatch.setattr(agent_sync, "BUSY_TIMEOUT", 0.05)
        with opened(full.program.database) as other:
            other.execute("BEGIN " + kind)
            assert "locked" in complaint(full.program.call("sync", check=1))
        full.sync()
        assert full.tree()["qa/qa.md"] == b"# New\n"
        assert full.backups() == []

    def test_a_database_in_wal_mode_works_and_stays_so(self, full):
        """FAULTS D06: the user, or another program, has chosen it."""
        full.program.query("PRAGMA journal_mode = WAL")
        full.upstream.write("new.md", b"# New\n")
        assert full.sync()["added"] == ["new.md"]
        assert full.program.query("PRAGMA journal_mode") == [{"journal_mode": "wal"}]

    def test_one_exchanged_during_a_run_is_survived(self, full, program, monkeypatch):
        """FAULTS D09: an older copy comes back from a backup in the middle."""
        older = program.database.read_bytes()
        full.upstream.write("one.md", b"# One\n")
        full.sync()

        def exchange(*args):
            write(program.root, "older", older).replace(program.database)

        full.upstream.write("two.md", b"# Two\n")
        with monkeypatch.context() as patch:
            spy(patch, agent_sync.Directory, "sync_directories", exchange)
            program.call("sync", check=(0, 1))
        full.sync()
        assert set(full.upstream.agents()) <= set(full.tree())
        assert len(program.call_json("files")["files"]) == len(full.upstream.agents())

    def test_a_copy_taken_while_syncing_is_whole(self, full):
        """FAULTS D19: by SQLite's backup, with the rows of before or after."""

        def copy():
            with contextlib.closing(sqlite3.connect(":memory:")) as twin:
                with opened(full.program.database) as connection:
                    connection.backup(twin)
                [(check,)] = twin.execute("PRAGMA integrity_check")
                [(count,)] = twin.execute("SELECT count(*) FROM agent_files")
                return check, count

        with repeating(copy) as seen:
            for number in range(5):
                for name in "abc":
                    full.upstream.write(f"{name}{number}.md", b"# New\n")
                full.sync()
        assert seen <= {("ok", 8 + 3 * number) for number in range(6)}


# ==== Many at once ====
#
# Children forked from one warm process begin at the same moment; INV7 is that they end
# as if one had come after the other.


def track_in_children(path):
    """How many files are tracked after four children have tracked five each."""
    state = agent_sync.AgentSyncState(path)
    state.register_source("src", "https://example.org")

    def track(name):
        for number in range(5):
            state.track_file("src", f"{name}{number}", "aa")

    children = [fork_off(track, name) for name in "abcd"]
    assert [end_of(child) for child in children] == [None] * 4
    return len(state.get_files("src"))


def held_by(path):
    """The file *path*, locked by this process as the program does it."""
    fcntl = pytest.importorskip("fcntl")
    handle = path.open("r+")
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


@posix_only
class TestManyRunsAtOnce:
    @pytest.mark.parametrize("scenario", ["first_sync", "conflict", "migration"])
    def test_sixteen_processes_leave_what_one_would(self, crash_lab, scenario):
        """FAULTS A15, D05, INV7: one database, too, with four that only look."""
        commands = [["sync", "src"]] * 16 + [["status", "src"]] * 4
        outcomes, world = crash_lab.run_together(scenario, *commands)
        assert [outcome.code for outcome in outcomes][:16] == [0] * 16
        changed = re.compile(r"[+~] stays/added\.md")
        busy = [outcome for outcome in outcomes if changed.search(outcome.err)]
        assert len(busy) == 1, "only one had anything to do"
        assert tree(world.dest) == NEW_AGENTS
        assert litter(world.dest) == []
        assert (world.dest / ".agent-sync" / "lock").read_bytes() == b""

    def test_of_fifty_those_that_wait_succeed_and_others_are_told_why(self, crash_lab):
        """FAULTS D20, A15: the holder, too, unless he comes or goes just then."""
        wait, do_not = ["sync", "src"], ["sync", "src", "--lock-timeout", "0"]
        outcomes, _ = crash_lab.run_together("update", *[wait, do_not] * 25)
        assert [outcome.code for outcome in outcomes][::2] == [0] * 25
        for outcome in outcomes[1::2]:
            busy = r"another run holds.*(\(pid \d+ since|does not say which)"
            assert outcome.code == 0 or re.search(busy, outcome.err)

    def test_syncs_beside_a_removal_leave_nothing_half(self, crash_lab):
        """FAULTS A15: whichever comes first, the others see a source or none."""
        remove = ["remove", "src", "--delete-files"]
        commands = [["sync", "src"]] * 4 + [remove] + [["sync", "src"]] * 4
        for _ in range(2):
            outcomes, world = crash_lab.run_together("conflict", *commands)
            assert outcomes[4].code == 0
            rows = rows_of(world.database)
            assert rows["sources"] == rows["agent_files"] == rows["sync_history"] == []
            assert set(FOREIGN.values()) <= set(world.files().values())
            assert litter(world.case) == []

    def test_a_state_carried_over_a_fork_still_works(self, crash_lab, tmp_path):
        """FAULTS A18: no connection is open between two calls."""
        assert crash_lab.submit(track_in_children, tmp_path / "state.db").result() == 20

    def test_a_reader_sees_the_old_or_the_new_and_always_something(self, local):
        """FAULTS A13: INV1 for those who open a file while it is replaced."""
        versions = [prose(f"version {number}", 30_000) for number in range(2)]
        local.upstream.write("qa/qa.md", versions[0])
        local.sync()
        with repeating((local.dest / "qa" / "qa.md").read_bytes) as seen:
            for number in range(12):
                local.upstream.write("qa/qa.md", versions[number % 2])
                local.sync()
        assert seen == set(versions)


@posix_only
class TestLocks:
    def test_what_a_lock_file_says_holds_nobody_up(self, full):
        """FAULTS A16: the kernel's lock counts, and dies with its holder."""
        before = full.tree()
        for left_behind in (
            b"pid 4194300 since 2020-01-01T00:00:00+00:00\n",  # of one that is gone
            b"pid 1 since 2020-01-01T00:00:00+00:00\n",  # of one that lives
            b"pid 7 on elsewhere\n" + b"0" * 64 + b" ../../x\n",
            bytes(range(256)) * 4000,
        ):
            full.lock.write_bytes(left_behind)
            full.sync("--lock-timeout", "0")
            assert full.lock.read_bytes() == b"", left_behind[:50]
            assert full.tree() == before, left_behind[:50]

    def test_what_is_no_lock_file_is_told_and_not_followed(self, full, tmp_path):
        """FAULTS A16, INV2: a pipe is not waited for, a link leads nowhere."""
        victim = write(tmp_path, "victim", b"canary")
        for make in (os.mkfifo, os.mkdir, lambda path: os.symlink(victim, path)):
            full.lock.unlink()
            make(str(full.lock))
            assert "src" in complaint(full.program.call("sync", check=1))
            full.lock.rename(tmp_path / os.urandom(4).hex())
            full.lock.write_bytes(b"")
        assert victim.read_bytes() == b"canary"

    def test_a_lock_file_deleted_while_waiting_is_not_a_lock(self, full, monkeypatch):
        """FAULTS A16: who gets the lock of a file that is gone has no lock at all."""
        old, tried = held_by(full.lock), threading.Event()
        kind = agent_sync.DestinationLock
        spy(monkeypatch, kind, "_try_lock", after=lambda self: tried.set())
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(kind(full.dest, 0.5).__enter__)
            assert tried.wait(10)
            full.lock.unlink()
            full.lock.write_bytes(b"")
            with held_by(full.lock):
                old.close()
                assert isinstance(waiting.exception(), agent_sync.BusyError)

    @pytest.fixture
    def slow(self, full, site):
        """A web site that waits for its event `go`, and a source `slow` of it."""
        site.renew({"slow.md": b"# Slow\n"})
        site.go = threading.Event()
        site.answer = lambda request: site.go.wait(60) and None
        site.dest = full.program.root / "slow"
        full.program.call("add", site.base, "--id", "slow", "--dest", site.dest)
        yield site
        site.go.set()

    def hold(self, full, slow, prefix=()):
        """A child that holds the lock while its server says nothing."""
        command = [*prefix, *full.program.command("sync", "slow")]
        pipe = subprocess.PIPE
        child = subprocess.Popen(command, stdout=pipe, stderr=pipe)
        wait_until(lambda: slow.requests)
        return child

    def end(self, child, check):
        """What the child printed until it ended, with the exit code *check*."""
        out, err = child.communicate(timeout=300)
        return Outcome(child.returncode, out.decode(), err.decode()).checked(check)

    def test_a_source_moved_meanwhile_is_left_alone(self, full, program, tmp_path):
        """FAULTS A15: a run that waited for the lock knows its old destination only."""
        state, before = agent_sync.AgentSyncState(), tree(full.dest)
        [row] = agent_sync.find_sources(state)
        program.call("remove", "src")
        elsewhere = str(tmp_path / "else")
        program.call("add", "owner/repo", "--id", "src", "--dest", elsewhere)
        [report] = agent_sync.sync_sources(state, [row])
        assert "changed in the meantime" in report.error
        assert tree(full.dest) == before
        [row] = agent_sync.find_sources(state)
        assert row.destination == elsewhere

    def test_a_suspended_holder_keeps_its_lock_and_goes_on(self, full, slow):
        """FAULTS A20: others are told its process id; it ends as if never stopped."""
        child = self.hold(full, slow)
        child.send_signal(signal.SIGSTOP)
        try:
            busy = full.program.call("sync", "slow", "--lock-timeout", "0.1", check=1)
            assert f"pid {child.pid} since" in busy.err
            assert tree(slow.dest) == {}
            slow.go.set()
        finally:
            child.send_signal(signal.SIGCONT)
        self.end(child, 0)
        assert tree(slow.dest) == slow.files

    ENDS = [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130), ("SIGKILL", -9)]

    @pytest.mark.parametrize("name, code", ENDS)
    def test_a_signal_ends_a_run_that_waits_for_a_server(self, full, slow, name, code):
        """FAULTS A16, A17: at once, with its own code, recorded; the lock is free."""
        child = self.hold(full, slow)
        child.send_signal(getattr(signal, name))
        said = self.end(child, code).err
        if name != "SIGKILL":
            [run] = full.program.call_json("history", "slow")["runs"]
            assert "interrupted" in said and "interrupted" in run["error_message"]
        slow.go.set()
        full.program.call("sync", "slow", "--lock-timeout", "0")
        assert tree(slow.dest) == slow.files

    def test_a_signal_that_was_ignored_before_stays_so(self, full, slow):
        """FAULTS A17: as nohup has it."""
        prefix = ["sh", "-c", 'trap "" HUP && exec "$@"', "sh"]
        child = self.hold(full, slow, prefix)
        child.send_signal(signal.SIGHUP)
        slow.go.set()
        self.end(child, 0)

    def test_an_interruption_while_runs_are_started_ends_them(self, full, monkeypatch):
        """FAULTS A17: one has a thread by then, and waits for a lock."""
        start = threading.Thread.start

        def interrupted(thread):
            monkeypatch.setattr(threading.Thread, "start", start)
            start(thread)
            raise KeyboardInterrupt

        monkeypatch.setattr(threading.Thread, "start", interrupted)
        with held_by(full.lock):
            full.program.call("sync", "src", check=130)


# ==== Limits and secrets ====
#
# Few descriptors, little memory, nobody at the other end of the output.


def by_shell(script):
    """The beginning of a command that a line of shell runs, in which it is "$@"."""
    return ["sh", "-c", script, "sh"]


@posix_only
@pytest.mark.parametrize("script, arguments, code, said", [
    ('{ "$@"; echo "code $?" >&2; } | :', "history --changes", 0, "code 0"),
    ('exec "$@" >/dev/full', "sync", 1, "space"),
    ('exec "$@" >/dev/full', "files --json", 1, "space"),
    ('unset PYTHONUNBUFFERED; exec "$@" 2>/dev/full', "sync -v", 0, ""),
    ('exec "$@" <&-', "sync -v", (0, 1), ""),
    ('exec "$@" >&-', "files --json", (0, 1), ""),
    ('exec "$@" 2>&-', "sync -v", (0, 1), ""),
    ('exec "$@" <&- >&- 2>&-', "sync -v", (0, 1), ""),
])  # fmt: skip
def test_output_may_go_nowhere(full, program, script, arguments, code, said):
    """FAULTS A17: a reader that went early, a full disk, closed descriptors.

    No file of ours takes the place of a closed one.
    """
    if "/dev/full" in script and not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    full.upstream.write("new.md", b"# New\n")
    outcome = program.run(*arguments.split(), prefix=by_shell(script), check=code)
    assert said in outcome.err and "roken pipe" not in outcome.err
    assert "new.md" in full.tree() or (arguments, code) != ("sync -v", 0)
    full.sync()
    assert full.tree()["new.md"] == b"# New\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs an RLIMIT_AS that is kept")
class TestLimits:
    """FAULTS A21: 64 descriptors and 512 MB of addresses."""

    PREFIX = by_shell('ulimit -n 64; ulimit -v 524288; exec "$@"')

    @pytest.fixture
    def many(self, tmp_path):
        """A directory with 400 agents."""
        for number in range(400):
            write(tmp_path, f"upstream/{number % 40}/{number}.md", b"# %d\n" % number)
        return tmp_path / "upstream"

    def test_few_descriptors_are_enough(self, program, git_upstream, many):
        program.call("add", many, "--id", "directory")
        program.call("add", *git_upstream.arguments, "--id", "git")
        assert program.run("sync", "--json", prefix=self.PREFIX).document["ok"] is True
        cache = program.root / "cache" / "sources"
        assert len(tree(cache / "directory")) == 400
        assert tree(cache / "git") == git_upstream.agents()

    def test_as_many_runs_begin_as_there_is_memory_for(self, program, many):
        """INV3: the threads of sixteen would reserve more than that."""
        for number in range(16):
            program.call("add", many / str(number), "--id", f"d{number}")
        program.run("sync", prefix=self.PREFIX)
        program.call("verify")


# ==== Import of JSON state ====

CACHE = ".etag-cache.json"
RAW_BASE = "https://raw.githubusercontent.com/bobmatnyc/claude-mpm-agents/main/agents"


def weak(data):
    """A weak ETag for *data*, as raw.githubusercontent.com gives them."""
    return weak_etag(data)["ETag"]


@pytest.fixture
def host(lasting):
    """A site with weak ETags and a manifest without hashes."""
    host = lasting("host", Site).renew(WEB_AGENTS, "list")
    host.validators = weak_etag
    return host


def put_cache(directory, base, files, **fields):
    """Write *files* and an ETag cache as found in the wild; the cache's path.

    *fields* go into each of its entries.
    """
    entries = {}
    for path, data in files.items():
        write(directory, path, data)
        entry = {"etag": weak(data), "file_size": len(data), **fields}
        entry["last_modified"] = "2025-12-20T16:15:43.537197+00:00"
        entries[f"{base}/{urllib.parse.quote(path)}"] = entry
    return write(directory, CACHE, json.dumps(entries, indent=2).encode())


@pytest.fixture
def old(program, host):
    """A source that an earlier program synced; its cache is in program.root/cache."""
    dest = program.root / "cache" / "src"
    program.call("add", host.base, "--kind", "http", "--id", "src", "--dest", dest)
    put_cache(dest, host.base, host.files)
    return dest


def tracked_etags(program):
    """{path: (hash, ETag)} of all tracked files."""
    rows = program.query("SELECT * FROM agent_files")
    return {row["file_path"]: (row["content_sha"], row["etag"]) for row in rows}


def expected_etags(files):
    return {path: (sha256(data), weak(data)) for path, data in files.items()}


def refuse_renames(monkeypatch, number=errno.EACCES, names=("rename", "replace")):
    """Make the program see directories in which nothing can be renamed, or removed."""

    def refuse(*args, **options):
        raise OSError(number, os.strerror(number))

    for name in names:
        monkeypatch.setattr(os, name, refuse)


def refuse_path(monkeypatch, owner, name, path):
    """Make the program see that `owner.name` of *path* is not permitted."""

    def refuse(*args, **options):
        if str(path) in map(str, args):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

    spy(monkeypatch, owner, name, before=refuse)


class TestMigration:
    """Its crash points are among those of TestCrashPoints."""

    def test_no_cache_is_a_message_and_a_missing_directory_only_if_named(self, program):
        document = {"imported": 0, "download_again": 0, "unreadable": 0, "files": []}
        for _ in range(2):
            assert "nothing to import" in program.call("migrate").out
            assert program.call_json("migrate") == document
            (program.root / "cache").mkdir(exist_ok=True)
        missing = program.root / "missing"
        outcome = program.call("migrate", "--cache-dir", missing, check=2)
        assert str(missing) in outcome.err and not missing.exists()

    def test_a_cache_as_in_the_wild_is_imported_whole(self, program, host, old):
        """46 entries in nested directories, with weak ETags: nothing is downloaded."""
        host.files = {path: prose(path, 600) for path in AGENT_PATHS[:46]}
        original = put_cache(old, host.base, host.files).read_bytes()
        document = program.call_json("migrate")
        assert (document["imported"], document["download_again"]) == (46, 0)
        assert document["unreadable"] == 0
        assert tracked_etags(program) == expected_etags(host.files)
        assert (old / f"{CACHE}.backup").read_bytes() == original
        assert not (old / CACHE).exists() and host.requests == []
        with untouched(old):
            source = only_source(program.call_json("sync"))
            assert source["unchanged"] == source["requests"] - 1 == 46
            assert (host.answered(304), host.answered(200)) == (sorted(host.files), [])

    def test_the_summary_and_the_document_say_what_was_done(self, program, host, old):
        (old / "ops.json").unlink()
        _, *entries, last = program.call("migrate", "-n").out.splitlines()
        for words in ("3 imported", "1 to download again", "0 files unreadable"):
            assert words in last
        etags = {f"{host.base}/{path}": weak(WEB_AGENTS[path]) for path in WEB_AGENTS}
        ops, said = f"{host.base}/ops.json", ("imported", "to download again")
        lines = [f"  {url} {etags[url]}: {said[url == ops]}" for url in sorted(etags)]
        assert entries == lines
        [file] = program.call_json("migrate", "-n")["files"]
        assert {entry["url"]: entry["etag"] for entry in file["entries"]} == etags
        [file] = program.call_json("migrate")["files"]
        assert (file["file"], file["imported"]) == (str(old / CACHE), 3)
        assert (file["download_again"], file["error"]) == ([ops], None)
        assert file["renamed_to"] == str(old / f"{CACHE}.backup")

    @posix_only
    def test_the_same_cache_again_changes_no_row_and_no_backup(self, program, old):
        """Nor is a dangling link a free name for one."""
        data = (old / CACHE).read_bytes()
        program.call("migrate")
        before = program.durable_rows()
        (old / f"{CACHE}.backup.1").symlink_to(program.root / "elsewhere")
        for number in (2, 3):
            (old / CACHE).write_bytes(data + b" " * number)
            program.call("migrate")
            assert program.durable_rows() == before
            numbered = old / f"{CACHE}.backup.{number}"
            assert numbered.read_bytes() == data + b" " * number
        assert (old / f"{CACHE}.backup").read_bytes() == data
        assert not (program.root / "elsewhere").exists()

    def test_a_newer_etag_is_not_replaced_by_an_old_one(self, program, host, old):
        data = (old / CACHE).read_bytes()
        host.files["ops.json"] = b"{}\n"
        program.call("migrate")
        program.call("sync")
        before = tracked_etags(program)
        (old / CACHE).write_bytes(data.replace(b'"file_size": 16', b'"file_size": 3'))
        program.call("migrate")
        assert tracked_etags(program) == before == expected_etags(host.files)

    def test_a_read_only_directory_is_imported_once(self, program, old, monkeypatch):
        refuse_renames(monkeypatch)
        with untouched(old):
            error = program.call("migrate").err
        assert "not renamed" in error and "Permission denied" in error
        with untouched(old, program):
            [file] = program.call_json("migrate")["files"]
        assert (file["imported"], file["renamed_to"]) == (4, None)
        assert tracked_etags(program) == expected_etags(WEB_AGENTS)

    def imported(self, program):
        program.call("migrate")
        return sorted(tracked_etags(program))

    @posix_only
    def test_a_file_not_as_recorded_comes_again(self, program, host, old, monkeypatch):
        """Missing, of another size, a link, or not to be read."""
        missing, short, link, locked = sorted(WEB_AGENTS)
        write(program.root, "elsewhere", WEB_AGENTS[link])
        (old / missing).unlink()
        write(old, short, WEB_AGENTS[short][:-1])
        (old / link).unlink()
        (old / link).symlink_to(program.root / "elsewhere")
        with monkeypatch.context() as patch:
            refuse_path(patch, agent_sync.Directory, "inspect", locked)
            assert self.imported(program) == []
        program.call("sync")
        assert host.answered(200) == sorted(WEB_AGENTS)
        assert tree(old).items() >= WEB_AGENTS.items()

    def test_a_url_that_is_no_file_of_the_source_is_left_out(self, program, host, old):
        below = [
            "/../src/ops.json", "/%2e%2e/src/ops.json", "//ops.json", "/ops.json?raw=1",
            "/", "", "2/ops.json", "/\ud800.md", "/%00.md",
        ]  # fmt: skip
        urls = [host.base + path for path in below]
        urls += ["https://example.org/ops.json", "ops.json", ""]
        entry = {"etag": '"x"', "file_size": len(WEB_AGENTS["ops.json"])}
        (old / CACHE).write_text(json.dumps(dict.fromkeys(urls, entry)))
        document = program.call_json("migrate")
        assert (document["imported"], document["download_again"]) == (0, len(urls))

    def test_an_entry_without_a_sound_etag_comes_again(self, program, host, old):
        """FAULTS H17. "*" would keep the server from ever sending the file again."""
        no_etags = [
            7, ['"x"'], "", "*", '"a\r\nX-Evil: 1"', '"\u8a2d"', '"a" b', '"\ud800"',
            "x" * 9000,
        ]  # fmt: skip
        odd = [None, [], "etag", 7, {}, {"etag": None}]
        odd += [{"etag": '"x"', "file_size": size} for size in ("4", -1, 10**40, {})]
        odd += [{"etag": etag, "file_size": 4} for etag in no_etags]
        entries = {f"{number}.md": entry for number, entry in enumerate(odd)}
        cache = {f"{host.base}/{name}": entry for name, entry in entries.items()}
        (old / CACHE).write_text(json.dumps(cache))
        host.files = dict.fromkeys(entries, b"# A\n")
        for name in entries:
            write(old, name, b"# A\n")
        assert self.imported(program) == []
        assert only_source(program.call_json("sync"))["failed"] == []
        assert host.answered(200) == sorted(entries)

    @pytest.mark.parametrize("form", ["a key twice", "a byte order mark", "empty"])
    def test_an_odd_document_is_read_as_it_was_meant(self, program, host, old, form):
        """Of a key that comes twice the last one counts; an empty one is put aside."""
        data = (old / CACHE).read_bytes()
        one = put_cache(old, host.base, WEB_AGENTS, etag='"old"').read_bytes()
        twice = one.rstrip(b"}\n ") + b"}," + data.lstrip(b"{")
        forms = {"a key twice": twice, "a byte order mark": b"\xef\xbb\xbf" + data}
        (old / CACHE).write_bytes(forms.get(form, b"{}"))
        self.imported(program)
        files = {} if form == "empty" else WEB_AGENTS
        assert tracked_etags(program) == expected_etags(files)
        assert (old / f"{CACHE}.backup").is_file()

    def test_an_edited_file_is_not_taken_for_ours(self, program, host):
        """It is tracked with another hash, so it is the user's: never lost."""
        host.form = "JSON"
        mirror = Mirror(program, host)
        mirror.sync()
        edited = WEB_AGENTS["qa/qa.md"][:-5] + b"Mine\n"
        put_cache(mirror.dest, host.base, {"qa/qa.md": edited})
        program.call("migrate", "--cache-dir", mirror.dest)
        mirror.sync()
        assert mirror.tree().items() >= WEB_AGENTS.items()
        assert mirror.backups() == [edited]


DAMAGED = {
    "empty": b"",
    "cut short": b'{"http://127.0.0.1/agents/a.md": {"etag": "x", "file_s',
    "no JSON": b"<html>\n",
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "UTF-16": '{"a": {}}'.encode("utf-16"),
    "not UTF-8": b'{"\xff": {}}',
    "nested too deep": b'{"a":' * 100_000,
    "a number too long": b'{"a": ' + b"9" * 20_000,
    "NUL bytes": b"\0" * 512,
}


class TestCachesBesideOneAnother:
    def test_each_is_an_error_that_is_told_and_stays_as_it_is(self, program, old):
        """The others are imported all the same."""
        root, count = program.root / "cache", len(DAMAGED)
        for name, data in DAMAGED.items():
            write(root, f"{name}/{CACHE}", data)
        before = {name: tree(root / name) for name in DAMAGED}
        outcome = program.call("migrate", "-n", check=1)
        assert "not json" in complaint(outcome)
        assert all(str(root / name / CACHE) in outcome.err for name in DAMAGED)
        assert f"{count} files unreadable" in outcome.out
        document = program.call_json("migrate", check=1)
        assert (document["imported"], document["unreadable"]) == (4, count)
        errors = [file for file in document["files"] if file["error"]]
        assert [file["renamed_to"] for file in errors] == [None] * count
        assert {name: tree(root / name) for name in DAMAGED} == before
        assert (old / f"{CACHE}.backup").is_file()

    @posix_only
    @pytest.mark.parametrize("make, unreadable", [
        (lambda path: os.truncate(write(path.parent, path.name, b""), 40 << 20), 1),
        (lambda path: path.symlink_to(f"{CACHE}.kept"), 1),
        (os.mkfifo, 1),
        (os.mkdir, 0),
    ], ids=["huge", "link", "pipe", "directory"])  # fmt: skip
    def test_what_is_no_file_or_too_large_stays(self, program, old, make, unreadable):
        (old / CACHE).rename(old / f"{CACHE}.kept")
        make(old / CACHE)
        before = os.lstat(old / CACHE)
        document = program.call_json("migrate", check=unreadable)
        assert (document["imported"], document["unreadable"]) == (0, unreadable)
        is_huge = before.st_size == 40 << 20
        assert ("larger than" in str(document["files"])) is is_huge
        assert os.lstat(old / CACHE) == before

    def test_a_cache_in_anothers_destination_is_not_imported(self, program, host, old):
        elsewhere = program.root / "cache" / "copy"
        put_cache(elsewhere, host.base, {"a.md": b"# A copy\n"})
        assert program.call_json("migrate")["imported"] == 4
        assert "a.md" not in tracked_etags(program)
        [row] = program.query("SELECT * FROM sources")
        assert row["destination"] == str(old)

    def test_the_default_source_need_not_be_registered(self, program, monkeypatch):
        """A copy of its cache is not its destination; a relative path gets absolute."""
        dest = program.root / "cache" / "remote-agents"
        put_cache(dest, RAW_BASE, WEB_AGENTS)
        put_cache(program.root / "cache" / "z-copy", RAW_BASE, WEB_AGENTS)
        monkeypatch.chdir(program.root)
        agent_sync.migrate_etag_cache("cache")
        assert tracked_etags(program) == expected_etags(WEB_AGENTS)
        [row] = program.query("SELECT id, url, destination, enabled FROM sources")
        assert tuple(row.values()) == ("github-remote", RAW_BASE, str(dest), 1)
        rows = program.query("SELECT local_path FROM agent_files ORDER BY file_path")
        assert rows[2]["local_path"] == str(dest / "ops.json")

    def test_what_was_put_aside_is_read_only_when_asked(self, program, old):
        """What an earlier program lost. A dry run, and a second one, change nothing."""
        (old / CACHE).rename(old / f"{CACHE}.migrated")
        assert program.call_json("migrate")["files"] == []
        with untouched(old):
            with untouched(old, program):
                assert program.call_json("migrate", "--rescue", "-n")["imported"] == 4
            assert program.call_json("migrate", "--rescue")["imported"] == 4
            assert tracked_etags(program) == expected_etags(WEB_AGENTS)
            with untouched(old, program):
                program.call("migrate", "--rescue")


# ==== claude-mpm's names ====

Service = agent_sync.GitSourceSyncService


@pytest.fixture
def new_service(program, host):
    """Makes a service for the host, as claude-mpm does."""
    return lambda: Service(host.base, program.root / "cache" / "service", "mpm")


@pytest.fixture
def service(new_service):
    """A service that has not synced yet."""
    return new_service()


@pytest.fixture
def complete(service, host):
    """The same after its first sync."""
    service.sync_agents()
    host.take()
    return service


def assert_result(result, synced=(), cached=(), failed=()):
    """*result* of `sync_agents` is exactly this, and its counts agree."""
    lists = {"synced": synced, "cached": cached, "failed": failed}
    for name, expected in lists.items():
        assert sorted(result[name]) == sorted(expected), name
    counts = result["total_downloaded"], result["cache_hits"]
    assert counts == (len(synced), len(cached))


class TestService:
    def test_without_arguments_it_is_the_default_source(self, program):
        """And the errors stand where claude-mpm looks for them."""
        service = Service()
        assert service.source_url == agent_sync.DEFAULT_SOURCE_URL == RAW_BASE
        assert service.source_id == "github-remote"
        assert service.cache_dir == program.root / "cache" / "remote-agents"
        assert service.cache_dir.is_dir()
        assert isinstance(service.sync_state, agent_sync.AgentSyncState)
        assert service.sync_state.db_path == program.database
        assert issubclass(agent_sync.NetworkError, agent_sync.GitSyncError)
        assert issubclass(agent_sync.CacheError, agent_sync.GitSyncError)
        assert issubclass(agent_sync.DatabaseError, agent_sync.AgentSyncStateError)

    def test_the_arguments_have_their_old_names_and_order(self, program, host):
        url, path = host.base, program.root / "a" / "b"
        named = Service(source_url=url + "/", cache_dir=str(path), source_id="mpm")
        assert (named.source_url, named.source_id) == (url, "mpm")
        assert named.cache_dir == named.get_cached_agents_dir() == path
        assert path.is_dir()
        placed = Service(url, path, "mpm")
        assert placed.source_url == url
        assert placed.sync_state.get_source_info("mpm")["url"] == url
        home = Service(url, "~/agents", "home")
        assert home.cache_dir == program.root / "home" / "agents"

    def test_making_one_enables_and_asks_nothing(self, service, new_service, host):
        service.sync_state.register_source("mpm", host.base, enabled=False)
        new_service()
        assert service.sync_state.get_source_info("mpm")["enabled"] == 0
        assert host.requests == []

    @pytest.mark.parametrize("below", ["", "agents/", "owner/repo/agents/"])
    def test_the_files_here_are_found_as_claude_mpm_names_them(self, service, below):
        root = service.cache_dir
        for name in ("qa.md", "ops/aws.md", ".agent-sync/x.md", "ops.json"):
            write(root, below + name, b"x")
        assert service._discover_cached_agents() == ["ops/aws.md", "qa.md"]
        assert service._resolve_cache_path("ops/aws.md") == root / below / "ops/aws.md"
        assert service._resolve_cache_path("aws.md") is None

    def test_a_first_sync_downloads_and_logs_all(self, service, caplog, capsys):
        """Nothing is printed."""
        caplog.set_level("INFO", "agent_sync")
        words = {"progress_prefix": "Syncing", "progress_suffix": "agents"}
        assert_result(service.sync_agents(**words), synced=WEB_AGENTS)
        assert tree(service.cache_dir) == WEB_AGENTS
        [run] = service.sync_state.get_sync_history("mpm")
        assert (run["status"], run["files_synced"]) == ("success", 4)
        assert {f"Syncing {path} agents" for path in WEB_AGENTS} <= set(caplog.messages)
        assert capsys.readouterr() == ("", "")

    def test_a_second_directory_is_its_own(self, complete, other_site, program):
        """FAULTS N22: claude-mpm makes them under one id for several directories."""
        other_site.files = {"other.md": b"# Other\n"}
        elsewhere = program.root / "elsewhere"
        second = Service(other_site.base, elsewhere, "mpm")
        assert second.source_id == "mpm"
        assert_result(second.sync_agents(), synced=["other.md"])
        assert_result(complete.sync_agents(), cached=WEB_AGENTS)
        assert tree(elsewhere) == other_site.files
        assert tree(complete.cache_dir) == WEB_AGENTS
        first, other = program.call_json("sources")["sources"]
        assert first["id"] == "mpm" and re.fullmatch("mpm-[0-9a-f]{8}", other["id"])
        third = Service(other_site.base, elsewhere, "mpm")
        assert_result(third.sync_agents(), cached=["other.md"])

    def test_another_url_counts_from_the_run_on(self, complete, other_site):
        other_site.files = {**WEB_AGENTS, "more.md": b"# More\n"}
        second = Service(other_site.base, complete.cache_dir, "mpm")
        assert_result(complete.sync_agents(), cached=WEB_AGENTS)
        assert_result(second.sync_agents(), synced=["more.md"], cached=WEB_AGENTS)

    def test_what_force_refresh_fetched_counts_as_downloaded(self, complete, host):
        with untouched(complete.cache_dir):
            assert_result(complete.sync_agents(force_refresh=True), synced=WEB_AGENTS)
            assert host.answered(200) == sorted(WEB_AGENTS)

    @pytest.fixture
    def dest(self, program):
        return program.root / "cache" / "service"

    def test_no_run_after_it_downloads_anything(self, dest, host, new_service):
        """Every second run did, in the code that this replaces. What is gone goes."""
        gone = {**WEB_AGENTS, "gone.md": b"# Gone\n"}
        original = put_cache(dest, host.base, gone).read_bytes()
        for _ in range(3):
            assert_result(new_service().sync_agents(), cached=WEB_AGENTS)
        assert host.answered(200) == []
        assert tree(dest) == {**WEB_AGENTS, f"{CACHE}.migrated": original}

    def test_a_damaged_cache_stays_and_is_logged(self, dest, new_service, caplog):
        write(dest, CACHE, b"{")
        assert_result(new_service().sync_agents(), synced=WEB_AGENTS)
        assert (dest / CACHE).read_bytes() == b"{" and CACHE in caplog.text

    def test_a_service_imports_for_itself(self, dest, host, new_service, monkeypatch):
        """A cache of another source below is of use to its own; a locked one is not."""
        put_cache(dest, host.base, host.files)
        other = put_cache(dest / "other", RAW_BASE, WEB_AGENTS)
        (dest / "locked").mkdir()
        with monkeypatch.context() as patch:
            refuse_path(patch, os, "scandir", dest / "locked")
            service = new_service()
        assert_result(service.sync_agents(), cached=WEB_AGENTS)
        assert other.exists()

    def test_each_path_says_whether_a_sync_would_change_it(self, service, host):
        assert service.check_for_updates() == dict.fromkeys(WEB_AGENTS, True)
        assert tree(service.cache_dir) == {}
        service.sync_agents()
        host.files.update({"ops.json": b"{}\n", "new.md": b"# New\n"})
        del host.files["BASE-AGENT.md"]
        (service.cache_dir / "qa/qa.md").unlink()
        with untouched(service.cache_dir):
            expected = dict.fromkeys([*WEB_AGENTS, "new.md"], True)
            expected["engineer/core/engineer.md"] = False
            assert service.check_for_updates() == expected
        assert len(service.sync_state.get_sync_history("mpm")) == 1

    def test_it_comes_from_the_source_or_offline_from_the_cache(self, complete, host):
        host.files["qa/qa.md"] = b"# Newer\n"
        del host.files["ops.json"]
        assert complete.download_agent_file("qa/qa.md") == "# Newer\n"
        assert tree(complete.cache_dir) == WEB_AGENTS
        for name in ("nowhere.md", "qa", "ops.json"):
            assert complete.download_agent_file(name) is None
        host.is_gone = True
        assert complete.download_agent_file("ops.json") == '{"name": "ops"}\n'
        host.close()
        assert complete.download_agent_file("ops.json") == '{"name": "ops"}\n'

    @pytest.mark.parametrize("form", ["list", "JSON"])
    def test_no_other_file_is_asked_for(self, service, host, form):
        """And its text is not decoded by what the server says, but as UTF-8."""
        data = host.files["odd.md"] = "# na\u00efve \U0001f916\r\n".encode() + b"\xff\n"
        fields = {"Content-Type": "text/markdown; charset=iso-8859-1"}
        host.answers["odd.md"] = http_reply(200, data, fields)
        host.form = form
        text = service.download_agent_file("odd.md")
        assert text == "# na\u00efve \U0001f916\r\n\ufffd\n"
        assert host.answered(200) == ["odd.md"]

    def test_a_hostile_name_is_none_and_asks_nobody(self, program, service, host):
        write(program.root / "cache", "outside.md", b"# Secret\n")
        write(service.cache_dir, ".git/config", b"secret\n")
        for name in (
            "../outside.md", "/etc/passwd", "qa/../../outside.md", "..\\outside.md",
            "C:\\outside.md", "", ".", "a\0.md", "\ud800.md", ".git/config",
            ".agent-sync/lock", "x" * 5000,
        ):  # fmt: skip
            assert service.download_agent_file(name) is None, name
        assert host.requests == []
        if os.name == "posix":
            (service.cache_dir / "link.md").symlink_to("../outside.md")
            assert service.download_agent_file("link.md") is None


class TestMistakesOfTheCodeItReplaces:
    """Each of them was seen in claude-mpm's own two modules."""

    @pytest.mark.parametrize("again", [False, True], ids=["first", "later"])
    def test_a_failed_write_was_called_synced(self, service, host, monkeypatch, again):
        if again:
            service.sync_agents()
            host.files["qa/qa.md"] = b"# Newer\n"
        with monkeypatch.context() as patch:
            refuse_renames(patch, errno.ENOSPC)
            for _ in range(2):
                result = service.sync_agents()
                assert (result["synced"], result["total_downloaded"]) == ([], 0)
                assert result["failed"] or "No space left" in result["error"]
        assert service.sync_state.get_sync_history("mpm")[0]["status"] == "error"
        assert "qa/qa.md" in service.sync_agents()["synced"]
        assert tree(service.cache_dir) == host.files

    def test_offline_a_complete_cache_was_eleven_failed_files(self, complete, host):
        """What is missing is named; what was edited is not called cached."""
        host.close()
        with untouched(complete.cache_dir):
            for force in (False, True):
                assert_result(complete.sync_agents(force), cached=WEB_AGENTS)
        (complete.cache_dir / "ops.json").unlink()
        rest = set(WEB_AGENTS) - {"ops.json"}
        assert_result(complete.sync_agents(), cached=rest, failed=["ops.json"])
        write(complete.cache_dir, "ops.json", b'{"edited": true}')
        assert complete.sync_agents()["cached"] == sorted(rest)

    def test_offline_without_a_cache_nothing_is_claimed(self, service, host):
        host.close()
        result = service.sync_agents()
        assert_result(result)
        assert "refused" in result["error"].lower()
        [run] = service.sync_state.get_sync_history("mpm")
        assert run["status"] == "error" and service.check_for_updates() == {}
        assert service.download_agent_file("ops.json") is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestETagCache:
    URL = "https://example.org/agents/a.md"

    @pytest.fixture
    def cache_file(self, tmp_path):
        return tmp_path / "cache" / CACHE

    def test_what_is_stored_is_there_the_next_time_in_the_old_format(self, cache_file):
        with pytest.warns(DeprecationWarning, match="AgentSyncState") as caught:
            cache = agent_sync.ETagCache(cache_file)
        assert caught[0].filename == __file__ and not cache_file.parent.exists()
        assert cache.get_etag(self.URL) is None
        cache.set_etag(self.URL, 'W/"x"', 7)
        cache.set_etag(self.URL + "2", '"y"')
        again = agent_sync.ETagCache(str(cache_file))
        assert again.get_etag(self.URL) == 'W/"x"'
        assert again.get_etag(self.URL + "2") == '"y"'
        entry = json.loads(cache_file.read_bytes())[self.URL]
        assert re.match(r"\d{4}-\d\d-\d\dT.*\+00:00$", entry.pop("last_modified"))
        assert entry == {"etag": 'W/"x"', "file_size": 7}
        assert list(cache_file.parent.iterdir()) == [cache_file]

    @pytest.mark.parametrize("damage", [*DAMAGED, "a directory"])
    def test_a_damaged_one_counts_as_empty(self, cache_file, damage, caplog):
        if damage in DAMAGED:
            write(cache_file.parent, CACHE, DAMAGED[damage])
        else:
            cache_file.mkdir(parents=True)
        cache = agent_sync.ETagCache(cache_file)
        assert cache.get_etag(self.URL) is None and str(cache_file) in caplog.text
        cache.set_etag(self.URL, '"x"')
        assert cache.get_etag(self.URL) == '"x"'
        again = agent_sync.ETagCache(cache_file).get_etag(self.URL)
        assert again == ('"x"' if damage in DAMAGED else None)
        assert list(cache_file.parent.iterdir()) == [cache_file]

    def test_a_failed_write_spoils_nothing(self, cache_file, caplog, monkeypatch):
        cache = agent_sync.ETagCache(cache_file)
        cache.set_etag(self.URL, '"x"')
        before = tree(cache_file.parent)
        refuse_renames(monkeypatch, errno.ENOSPC)
        with caplog.at_level(logging.ERROR, logger="agent_sync"):
            cache.set_etag(self.URL, '"y"')
        assert "No space left" in caplog.text and tree(cache_file.parent) == before


TWO_THREADS = """
import agent_sync, concurrent.futures, sys
base, root, name = sys.argv[1:]
state = agent_sync.AgentSyncState()
state.register_source("shared", "https://example.org/shared")

def work(thread):
    source_id = f"{name}-{thread}"
    service = agent_sync.GitSourceSyncService(base, f"{root}/{source_id}", source_id)
    for number in range(3):
        result = service.sync_agents()
        assert result["failed"] == [] and result["error"] is None, result
        state.track_file("shared", f"{source_id}-{number}.md", "aa")
        state.record_sync_result("shared", "success")

with concurrent.futures.ThreadPoolExecutor(2) as executor:
    list(executor.map(work, range(2)))
"""


def test_two_threads_in_each_of_two_processes_lose_nothing(program, host):
    """D04, D05: one state and one service each, on one database."""
    command = [sys.executable, "-c", TWO_THREADS, host.base, str(program.root)]
    options = {"env": importing(), "stderr": subprocess.PIPE}
    children = [subprocess.Popen([*command, name], **options) for name in "ab"]
    assert [child.communicate(timeout=60)[1] for child in children] == [b"", b""]
    assert [child.returncode for child in children] == [0, 0]
    state = agent_sync.AgentSyncState()
    names = ["a-0", "a-1", "b-0", "b-1"]
    assert [row["id"] for row in state.get_all_sources()] == [*names, "shared"]
    assert len(state.get_files("shared")) == len(state.get_runs("shared")) == 12
    for name in names:
        runs = [(run["status"], run["files_synced"]) for run in state.get_runs(name)]
        assert runs == [("success", 0), ("success", 0), ("success", 4)]
        assert len(state.get_files(name)) == 4
        assert tree(program.root / name) == WEB_AGENTS


def test_from_asyncio_by_threads(service):
    """20 syncs and 200 calls of the state at once, as the README shows it."""
    state = service.sync_state
    state.register_source("other", "https://example.com/")

    async def everything():
        track = functools.partial(state.track_file, "other", content_sha="0" * 64)
        syncs = [asyncio.to_thread(service.sync_agents) for _ in range(20)]
        calls = [asyncio.to_thread(track, f"{n}.md") for n in range(200)]
        return await asyncio.gather(*syncs, *calls)

    results = asyncio.run(everything())[:20]
    assert [result["error"] for result in results] == [None] * 20
    assert sum(result["total_downloaded"] for result in results) == 4
    assert len(state.get_files("other")) == 200
    assert len(state.get_sync_history("mpm", 100)) == 20


# ==== Manifest, lock and scan ====


class TestManifest:
    @pytest.fixture
    def public(self, tmp_path):
        for path, data in WEB_AGENTS.items():
            write(tmp_path / "public", path, data)
        return tmp_path / "public"

    def listed(self, public):
        """{path: its entry} of the manifest that was written."""
        document = json.loads((public / "agents.json").read_bytes())
        assert list(document) == ["files"]
        return {entry.pop("path"): entry for entry in document["files"]}

    def test_it_lists_size_and_hash_of_every_file_sorted(self, program, public):
        """It needs no database."""
        document = program.call_json("manifest", public)
        path, nothing = str(public / "agents.json"), {"skipped": [], "left_out": 0}
        assert document == {"manifest": path, "files": 4, **nothing}
        assert list(self.listed(public).items()) == [
            (path, {"sha256": sha256(data), "size": len(data)})
            for path, data in sorted(WEB_AGENTS.items())
        ]
        assert program.call_json("manifest", program.root / "home")["files"] == 0
        missing = program.call("manifest", program.root / "missing", check=2)
        assert "missing" in missing.err and not program.database.exists()

    @posix_only
    def test_what_no_source_would_take_is_not_listed(self, program, public):
        """Nor the manifest itself, but an `agents.json` further down is. N03: said."""
        for name in (".hidden/a.md", "dist/a.md", "a.txt", "README.md"):
            write(public, name, b"# No\n")
        (public / "link.md").symlink_to(public / "BASE-AGENT.md")
        write(public, "qa/agents.json", b"{}")
        for _ in range(2):
            document = program.call_json("manifest", public)
            assert (document["files"], document["left_out"]) == (5, 4)
            assert document["skipped"] == [{"path": "link.md", "reason": "link"}]
        outcome = program.call("manifest", public)
        assert "! link.md (skipped: link)" in outcome.out
        assert "4 more files do not match the filters" in outcome.err
        assert self.listed(public).keys() == {*WEB_AGENTS, "qa/agents.json"}

    def test_an_interrupted_write_leaves_the_old(self, program, public, monkeypatch):
        program.call("manifest", public)
        write(public, "new.md", b"# New\n")
        before = tree(public)
        refuse_renames(monkeypatch, errno.ENOSPC)
        assert "No space left" in program.call("manifest", public, check=1).err
        assert tree(public) == before

    @posix_only
    def test_a_name_that_no_client_would_take_is_refused(self, program, public):
        write(public, "git~1.d/../git~1/a.md", b"# A\n")
        refused = program.call("manifest", public, check=1).err
        assert not (public / "agents.json").exists()
        options = shlex.split(refused.rpartition(" leave it out:")[2])
        program.call("manifest", public, *options)
        assert self.listed(public).keys() == WEB_AGENTS.keys()

    def test_any_static_server_can_serve_it(self, program, public):
        """Without a change: one request, and no file is read."""
        program.call("manifest", public)
        files = http.server.SimpleHTTPRequestHandler
        handler = functools.partial(files, directory=str(public))
        os.utime(public / "agents.json", (1e9, 1e9))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,)).start()
            dest, port = program.root / "dest", server.server_address[1]
            program.call("add", f"http://127.0.0.1:{port}", "--dest", dest)
            assert only_source(program.call_json("sync"))["requests"] == 5
            before = stats(dest)
            source = only_source(program.call_json("sync"))
            assert (source["requests"], source["bytes_received"]) == (1, 0)
            server.shutdown()
        assert tree(dest) == WEB_AGENTS and stats(dest) == before


# What is done to a document, its first source and that one's first file, and a word of
# why the lock file is refused (FAULTS S12, S07).
LOCK_FILES = [
    (lambda d, s, f: d.update(version=2), "its version is 2"),
    (lambda d, s, f: d.update(version=True), "its version is true"),
    (lambda d, s, f: d.pop("version"), "its version is null"),
    (lambda d, s, f: d.update(sources=[]), "no sources"),
    (lambda d, s, f: d.update(sources=d["sources"] * 2), "twice"),
    (lambda d, s, f: d.update(sources=[1]), "source 1 is not an object"),
    (lambda d, s, f: d.update(extra=1), "unknown key 'extra'"),
    (lambda d, s, f: s.update(token="x"), "unknown key 'token'"),
    (lambda d, s, f: s.update(allow_hidden=True), "unknown key 'allow_hidden'"),
    (lambda d, s, f: s.pop("revision"), "no 'revision'"),
    (lambda d, s, f: s.update(revision="main"), "bad 'revision'"),
    (lambda d, s, f: s.update(id="../x"), "bad 'id'"),
    (lambda d, s, f: s.update(id="a\nb"), "bad 'id'"),
    (lambda d, s, f: s.update(kind="ftp"), "bad 'kind'"),
    (lambda d, s, f: s.update(kind="dir", url="/etc"), "local directory"),
    (lambda d, s, f: s.update(url="http://agents.test/o/r.git"), "http"),
    (lambda d, s, f: s.update(url="https://u:p@agents.test/o/r.git"), "password"),
    (lambda d, s, f: s.update(ref="a\nb"), "bad 'ref'"),
    (lambda d, s, f: s.update(path="../.."), "path"),
    (lambda d, s, f: s.update(include="*.md"), "bad 'include'"),
    (lambda d, s, f: s.pop("destination"), "give --dest src=DIR"),
    (lambda d, s, f: s.update(destination="../elsewhere"), "bad 'destination'"),
    (lambda d, s, f: s.update(destination="/tmp"), "bad 'destination'"),
    (lambda d, s, f: s.update(destination=1), "bad 'destination'"),
    (lambda d, s, f: s.update(destination=".git/hooks"), "bad 'destination'"),
    (lambda d, s, f: s.update(destination="link"), "leads out"),
    (lambda d, s, f: s.update(destination="inside/hooks"), "leads out"),
    (lambda d, s, f: f.update(path="../x.md"), "bad path"),
    (lambda d, s, f: f.update(path=".git/config"), "bad path"),
    (lambda d, s, f: f.update(path="QA/qa.md"), "one and the same"),
    (lambda d, s, f: f.update(sha256="0" * 63), "bad 'sha256'"),
    (lambda d, s, f: f.update(size=-1), "bad 'size'"),
    (lambda d, s, f: f.update(size=True), "bad 'size'"),
    (lambda d, s, f: f.update(size=2**40), "bad 'size'"),
    (lambda d, s, f: f.update(executable=1), "bad 'executable'"),
    (lambda d, s, f: f.update(mode=511), "unknown key 'mode'"),
]  # fmt: skip
LOCK_TEXTS = [
    (b"", "not JSON"),
    (b"[]", "its version is null"),
    (b'{"version": 1, "version": 1}', "key twice"),
    (b'{\n<<<<<<< ours\n"version": 1\n=======\n>>>>>>> theirs\n}', "merge"),
    (b"[" * 5000, "nested"),
]


class TestLockFiles:
    """A lock file is input from others (FAULTS S07, S12)."""

    def lock(self, mirror):
        """Sync and lock it, and copy the lock file to a machine with nothing else."""
        mirror.sync()
        mirror.file, fresh = (mirror.program.root / x for x in ("x.lock.json", "fresh"))
        mirror.program.call("lock", mirror.file)
        fresh.mkdir()
        mirror.fresh, mirror.copy = fresh, fresh / shutil.copy(mirror.file, fresh)
        return mirror

    @pytest.fixture
    def locked(self, mirror):
        return self.lock(mirror)

    def sync_fresh(self, mirror, *options, check=0):
        """Sync what the copied lock file says, on a machine with nothing but that."""
        sync = ["--db", mirror.fresh / "db", "sync", "--locked", mirror.copy]
        return mirror.program.call(*sync, *options, check=check)

    @pytest.mark.parametrize("kind", ["git", "hashed", "plain", "raw"])
    def test_the_same_files_appear_where_nothing_else_is(self, request, program, kind):
        upstream = request.getfixturevalue(f"{kind}_upstream")
        mirror = self.lock(Mirror(program, upstream, "--include", "*.md"))
        before = mirror.file.read_bytes(), mirror.file.stat().st_ino
        told = f"1 source, {len(mirror.tree())} files\n"
        assert program.call("lock", mirror.file).out.endswith(told)
        assert (mirror.file.read_bytes(), mirror.file.stat().st_ino) == before
        verify = ["verify", "--locked", mirror.copy]
        assert "+ qa/qa.md" in self.sync_fresh(mirror, "--dry-run").out
        assert set(tree(mirror.fresh)) <= {"x.lock.json", "db"}
        assert "missing: qa/qa.md" in program.call(*verify, check=1).out
        self.sync_fresh(mirror)
        assert tree(mirror.fresh / "dest") == mirror.tree()
        program.call(*verify)
        for options in (["--locked", mirror.copy], []):
            again = program.call_json("--db", mirror.fresh / "db", "sync", *options)
            again = only_source(again)
            assert (changes(again), again["requests"], again["pinned"]) == ({}, 0, True)

    @pytest.mark.parametrize("kind", ["git", "hashed", "plain", "raw"])
    def test_what_has_changed_since_is_not_taken(self, request, program, kind):
        """A commit is still what it was; a site that has moved on fails by name."""
        upstream = request.getfixturevalue(f"{kind}_upstream")
        mirror = self.lock(Mirror(program, upstream))
        upstream.publish({"qa/qa.md": b"# Other\n"})
        if kind == "git":
            self.sync_fresh(mirror)
            assert tree(mirror.fresh / "dest") == mirror.tree()
        else:
            assert "qa/qa.md" in self.sync_fresh(mirror, check=1).err
            assert not tree(mirror.fresh / "dest")
            left = program.call_json("--db", mirror.fresh / "db", "sources")
            assert left == {"sources": []}

    def test_a_lock_file_that_lies_writes_nothing(self, locked):
        for name, value in (("sha256", "0" * 64), ("executable", True)):
            document = json.loads(locked.file.read_bytes())
            file = document["sources"][0]["files"][3]
            file[name] = value
            locked.copy.write_text(json.dumps(document))
            assert file["path"] in self.sync_fresh(locked, check=1).err
            assert not tree(locked.fresh / "dest")

    def test_damaged_and_hostile_lock_files_are_refused(self, locked, program):
        """And no one is asked, and nothing is written."""
        (locked.fresh / "link").symlink_to(program.root)
        (locked.fresh / ".git").mkdir()
        (locked.fresh / "inside").symlink_to(locked.fresh / ".git")
        cases = list(LOCK_TEXTS)
        for change, why in LOCK_FILES:
            document = json.loads(locked.file.read_bytes())
            source = document["sources"][0]
            change(document, source, source["files"][0])
            cases.append((json.dumps(document).encode(), why))

        def others():
            found = stats(locked.fresh).items()
            return {(name, at) for name, at in found if name[:2] not in ("db", "x.")}

        before, asked = others(), len(locked.upstream.requests)
        for data, why in cases:
            locked.copy.write_bytes(data)
            assert why in self.sync_fresh(locked, check=1).err, (data[:200], why)
            assert others() == before, why
        assert len(locked.upstream.requests) == asked

    def test_an_id_that_is_here_keeps_its_url_and_place(self, locked, program, site):
        sync = ["sync", "--locked", locked.file]
        document = json.loads(locked.file.read_bytes())
        web = {"url": site.base, "kind": "http", "ref": None, "path": None}
        document["sources"][0].update(web)
        locked.file.write_text(json.dumps(document))
        assert "is here with another URL" in program.call(*sync, check=1).err
        shutil.copy(locked.copy, locked.file)
        told = program.call(*sync, "--dest", "src=elsewhere", check=1).err
        assert "is here with another destination" in told

    def test_a_lock_file_gets_no_token_of_a_source_it_names(self, locked, monkeypatch):
        monkeypatch.setenv("AGENT_SYNC_TOKEN_SRC", "secret-token")
        before = len(locked.upstream.requests)
        self.sync_fresh(locked)
        (locked.fresh / "dest" / "qa" / "qa.md").unlink()
        self.sync_fresh(locked)
        requests = locked.upstream.requests[before:]
        assert len(requests) > 2
        assert not any("authorization" in str(request).lower() for request in requests)

    def test_verify_needs_no_database_and_only_bytes_count(self, locked, program):
        none = program.root / "none"
        verify = ["--db", none / "db", "verify", "--locked", locked.file]
        assert "all as locked" in program.call(*verify, "--strict").out
        (locked.dest / "qa" / "qa.md").chmod(0o755)
        (locked.dest / "qa").rename(locked.dest / "elsewhere")
        (locked.dest / "qa").symlink_to("elsewhere")
        program.call(*verify)
        told = program.call(*verify, "--strict", check=1).out
        assert "untracked: elsewhere/qa.md" in told
        locked.write("elsewhere/qa.md", b"# Mine\n")
        (locked.dest / "security.md").unlink()
        source = only_source(program.call_json(*verify, check=1))
        changed = source["modified"], source["missing"]
        assert changed == (["qa/qa.md"], ["security.md"]) and not none.exists()

    def test_what_cannot_be_locked_or_compared_is_told(self, mirror, program):
        assert "sync it first" in program.call("lock", check=2).err
        self.lock(mirror)
        for line, code, told in (
            ("sync src --locked x", 2, "name none"),
            ("sync --locked nowhere", 1, "cannot read nowhere"),
            (f"verify two --locked {mirror.file}", 2, "no source 'two'"),
        ):
            assert told in program.call(*line.split(), check=code).err
        (mirror.fresh / "file").write_bytes(b"mine")
        told = self.sync_fresh(mirror, "--dest", f"src={mirror.copy}", check=1).err
        assert "is not a directory" in told
        db = ["--db", mirror.fresh / "db"]
        assert program.call_json(*db, "sources") == {"sources": []}
        program.call("lock", "x")  # A destination outside is left to be chosen.
        [source] = json.loads(pathlib.Path("x").read_bytes())["sources"]
        assert "destination" not in source
        program.call("set", "src", "--disable")
        assert "nothing to lock" in program.call("lock", check=2).err


# A file's text, and what `scan` must find in it: line:column, code point, how many of
# them, and ! if that is critical (FAULTS S13, S14).
FLAG = "\U0001f3f4"
HIDDEN = {
    "tags.md": ("a\n b\U000e0041\U000e0042c", "2:3 U+E0041 2!"),
    "odd-flag.md": (FLAG + "\U000e0067\U000e0041\U000e007f", "1:2 U+E0067 3!"),
    "long-flag.md": (FLAG + "\U000e0061" * 7 + "\U000e007f", "1:2 U+E0061 8!"),
    "no-flag.md": ("\U0001f600\U000e0067\U000e007f", "1:2 U+E0067 2!"),
    "override.md": ("\r\nrun \u202esh\u202c", "2:5 U+202E 1!, 2:8 U+202C 1!"),
    "isolate.json": ('"\u2066"', "1:2 U+2066 1!"),
    "selectors.md": ("\U0001f600\ufe00\ufe01", "1:2 U+FE00 2!"),
    "selectors-2.md": ("x" + "\U000e0150" * 9, "1:2 U+E0150 9!"),
    "selector-on-ascii.md": ("x\ufe01", "1:2 U+FE01 1"),
    "marks.md": ("\u200eb\u200fc\u061c", "1:1 U+200E 1, 1:3 U+200F 1, 1:5 U+061C 1"),
    "spaces.md": ("a\u200bb\u200b", "1:2 U+200B 1, 1:4 U+200B 1"),
    "joiner.md": ("a\u200db \U0001f600\u200d.", "1:2 U+200D 1, 1:6 U+200D 1"),
    "many-joiners.md": ("\u06cc\u200c\u200c\u200c\u06cc", "1:2 U+200C 3"),
    "mark-inside.md": ("\ufeffa\ufeff", "1:3 U+FEFF 1"),
    "invisible.mdc": ("a\xadb\u2060\u2063\u3164", "1:2 U+00AD 1, 1:4 U+2060 3"),
    "controls.md": ("a\x1b[2Jb\x00\x7f\x85", "1:2 U+001B 1, 1:7 U+0000 3"),
    "latin-1.md": (b"caf\xe9\n\xe9\xe2\x80\xae", "1:4 0xE9 1, 2:2 U+202E 1!"),
    "utf-16.md": ("\u202e".encode("utf-16"), "1:1 0xFF 1, 1:2 U+202E 1!"),
    "s/script.py": ("# \u2067\n", "1:3 U+2067 1!"),
    "s/image.png": (b"\x89PNG\x00\xe2\x80\xae", ""),
    # No false alarm.
    "plain.md": ("# Agent\r\n\tcode \u2014 \u201cquoted\u201d\f\n", ""),
    "mark.md": ("\ufeff# Agent\n", ""),
    "emoji.md": ("\u26a0\ufe0f 1\ufe0f\u20e3 \u2764\ufe0f\u200d\U0001f525", ""),
    "emoji-2.md": ("\U0001f469\U0001f3fd\u200d\U0001f91d\u200d\U0001f468", ""),
    "emoji-taken-out.md": ("## \ufe0f Important", ""),
    "flag.md": ("\U0001f1eb\U0001f1f7", ""),
    "wales.md": (FLAG + "".join(chr(0xE0000 + ord(c)) for c in "gbwls\x7f"), ""),
    "cjk.md": ("\u845b\U000e0100 \u8fbb\ufe00", ""),
    "persian.md": ("\u0645\u06cc\u200c\u062e\u0648\u0627 API\u200c\u0647\u0627", ""),
    "hindi.md": ("\u0915\u094d\u200d\u0937 \u0930\u094d\u200d", ""),
    "sinhala.md": ("\u0dc1\u0dca\u200d\u0dbb\u0dd3", ""),
    "thai.md": ("\u0e20\u0e32\u0e29\u0e32\u200b\u0e44\u0e17\u0e22", ""),
    "khmer.md": ("\u1781\u17d2\u1789\u17bb\u17c6\u200b\u1785\u1784\u17cb", ""),
    "escapes.md": (r"`\u202e` and \x1b[0m and &#x200b;", ""),
    "s/escapes.py": (r"BAD = '[\u202a-\u202e\U000e0041]'", ""),
}


class TestScan:
    """Hidden and misleading characters (FAULTS S13, S14)."""

    @pytest.fixture
    def scanned(self, program, directory_upstream):
        """A source that has all of HIDDEN in it; the Program."""
        for path, (text, _) in HIDDEN.items():
            data = text if isinstance(text, bytes) else text.encode()
            directory_upstream.write(path, data)
        directory_upstream.write("many.md", b"a\x01" * 500 + b"\xe2\x80\xae")
        options = ["--include", "*", "--allow-hidden"]
        added = Mirror(program, directory_upstream, *options).sync()["added"]
        assert len(added) > len(HIDDEN)
        return program

    def test_hidden_characters_are_found_where_they_are_and_nothing_else(self, scanned):
        found = {path: [] for path in [*HIDDEN, "many.md"]}
        for finding in scanned.call_json("scan", check=1)["findings"]:
            mark = "!" if finding["critical"] else ""
            where = "{line}:{column} {code_point} {length}".format(**finding)
            found[finding["path"]].append(where + mark)
            assert finding["source"] == "src"
        *many, last = found.pop("many.md")
        assert many == [f"1:{2 * n} U+0001 1" for n in range(1, 101)]
        assert last == "1:1001 U+202E 1!"
        found = {path: ", ".join(told) for path, told in found.items()}
        assert found == {path: expected for path, (_, expected) in HIDDEN.items()}

    def test_a_finding_can_be_read_and_opened(self, scanned):
        *lines, last = scanned.call("scan", "src", check=1).out.splitlines()
        assert "src: override.md:2:5: critical: U+202E RIGHT-TO-LEFT OVERRIDE" in lines
        tags = "critical: U+E0041 TAG LATIN CAPITAL LETTER A (2 in a row)"
        assert f"src: tags.md:2:3: {tags}" in lines
        assert "src: latin-1.md:1:4: 0xE9 not UTF-8" in lines
        assert re.fullmatch(r"\d+ findings in \d+ files", last)

    def test_code_scanning_gets_sarif(self, scanned, monkeypatch):
        """SARIF 2.1.0: 3.13 (log), 3.14 (run), 3.27 (result), 3.30 (region)."""
        monkeypatch.chdir(scanned.root)
        document = scanned.call("scan", "--sarif", check=1).document
        [run] = document["runs"]
        assert document["version"] == "2.1.0"
        assert run["columnKind"] == "unicodeCodePoints"
        told = {}
        for result in run["results"]:
            [location] = result["locations"]
            place = location["physicalLocation"]
            of_file = told.setdefault(place["artifactLocation"]["uri"], [])
            of_file.append((result["level"], place["region"]))
        place = {"startLine": 1, "startColumn": 2}
        assert told["dest/isolate.json"] == [("error", place)]
        assert len(told["dest/s/script.py"]) == 1
        assert [level for level, _ in told["dest/marks.md"]] == ["warning"] * 3
        rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        assert {result["ruleId"] for result in run["results"]} == rules

    def test_files_that_are_gone_or_cannot_be_read(self, synced, program):
        path = synced.dest / "qa" / "qa.md"
        path.unlink()
        assert program.call("scan").out == "0 findings in 8 files\n"
        path.mkdir()
        assert "cannot read qa/qa.md" in program.call("scan", check=1).err


# ==== Dashboard ====

HOSTILE = [  # FAULTS W12
    "<script>alert(1)</script>", "</title></style><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>', "' onmouseover='alert(1)", "javascript:alert(1)",
    "<!--\u202etxt.exe", "a\x1b[31m\x00b", "{{7*7}} ${7*7} &lt;b&gt;",
]  # fmt: skip


class PageReader(html.parser.HTMLParser):
    """What a browser makes of a page: its elements, its attributes and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data

    def values(self, *names):
        """The values of all attributes of these names."""
        return [value for name, value in self.attributes if name in names]


def shown(text):
    """*text* as the page shows it: what is not printable is written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def put_rows(path, table, *rows):
    """Add *rows*, dicts of columns, to a table of the database at *path*."""
    with opened(path) as connection:
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
            connection.execute(sql, list(row.values()))


def at(**ago):
    """The time so long ago, as the database has it."""
    return (datetime.now(timezone.utc) - timedelta(**ago)).isoformat()


@pytest.fixture
def busy(local):
    """A mirror with a history: syncs, a change, an edit made here, a failing source."""
    local.upstream.write("qa/new.md", "# New\u200b\n".encode())
    local.upstream.write("qa/edited.md", b"# Mine\n")
    local.upstream.write("notes.txt", b"not one that is taken\n")
    (local.upstream.directory / "link.md").symlink_to("notes.txt")
    local.sync()
    local.write("qa/edited.md", b"edited here\n")
    local.program.call("add", "http://127.0.0.1:9/none/", "--id", "down")
    local.program.call("sync", "down", check=1)
    return local


CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# Put into a page, it makes it tell how it fared in a browser, and its text.
WITNESS = b"""<script>
const seen = []
addEventListener("securitypolicyviolation", e => seen.push(e.violatedDirective))
addEventListener("error", e => seen.push(e.message))
addEventListener("load", () => {
  const page = document.documentElement, style = getComputedStyle(document.body)
  seen.push(...performance.getEntriesByType("resource").map(e => e.name))
  page.textContent = JSON.stringify([
    seen, page.scrollWidth, innerWidth, style.color + style.backgroundColor,
    page.textContent,
  ])
})
</script>"""


class TestReport:
    def test_one_page_says_how_each_source_is(self, busy, program):
        """Whole without a network, fit for a screen reader; --json is what it shows."""
        path = program.root / "report.html"
        program.call("report", path)
        page = PageReader(path.read_text("ascii"))
        document = program.call_json("report")
        down, src = document["sources"]
        assert (document["ok"], down["healthy"]) == (False, False)
        assert src["modified"] == ["qa/edited.md"]
        assert [run["source_id"] for run in document["runs"]] == ["down", "src", "src"]
        for said in (
            "2 sources, 1 in trouble", "1 file not as synced", "qa/edited.md",
            "failing: http://127.0.0.1:9/none/agents.json: Connection refused",
            str(busy.dest), src["revision"], "qa/new.md:1:6: ", "ZERO WIDTH SPACE",
            "+# New\\u200b", "link.md (link)", "1 *.txt",
        ):  # fmt: skip
            assert said in page.text
        assert not {"script", "iframe", "object", "form"} & set(page.tags)
        urls = page.values("src", "href", "data", "srcset", "poster", "xlink:href")
        assert urls and all(url.startswith("data:") for url in urls)
        assert {"header", "main", "footer", "h1", "caption", "title"} <= set(page.tags)
        assert page.values("lang") == ["en"] and "viewport" in page.values("name")
        assert set(page.values("aria-labelledby")) == set(page.values("id"))
        assert page.values("scope") == ["col"] * page.tags.count("th")
        assert page.values("role") == ["img"] * page.tags.count("svg")
        assert len(page.values("aria-label")) == page.tags.count("svg")
        outcome = program.call("report", busy.dest / "a" / "b", check=1)
        assert "cannot write" in outcome.err

    def test_hostile_text_stays_text(self, program, tmp_path):
        """FAULTS W12: names of sources and files, addresses, causes."""
        state = agent_sync.AgentSyncState()
        for text in HOSTILE:
            state.save_source(text, url=text, kind="dir", destination=str(tmp_path))
            state.track_file(text, f"a/{text}.md", "0" * 64)
            failed = {"status": "error", "error_message": text, "sync_time": at(days=1)}
            put_rows(program.database, "sync_history", {"source_id": text, **failed})
        page = PageReader(program.call("report", "-").out)
        assert not {"script", "img"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert all(page.text.count(shown(text)) >= 4 for text in HOSTILE)

    @pytest.mark.parametrize("columns, words", [
        ({"enabled": 1}, "as synced"),
        ({"pin": "main"}, "pinned, as synced"),
        ({"enabled": 0}, "disabled"),
        ({"last_sync_time": at(days=3)}, "not checked for 3 d"),
        ({"last_sync_time": None}, "never synced"),
        ({"destination": "relative"}, "bad destination"),
    ], ids=str)  # fmt: skip
    def test_the_words_are_honest(self, local, program, columns, words):
        set_source(program, **columns)
        assert words in PageReader(program.call("report").out).text

    @posix_only
    @pytest.mark.parametrize("command", ["report", "lock"])
    def test_a_pipe_is_written_to_and_stays(self, command, local, program):
        """And so are devices; as root, /dev/null would be gone for all."""
        pipe, chunks = program.root / "pipe", []
        os.mkfifo(pipe)
        reader = threading.Thread(target=lambda: chunks.append(pipe.read_bytes()))
        reader.start()
        program.call(command, pipe)
        reader.join()
        assert stat.S_ISFIFO(pipe.stat().st_mode) and len(chunks[0]) > 100

    def test_a_large_collection_makes_a_small_page(self, program, tmp_path):
        """200 sources, 20,000 files that are all missing here, 10,000 runs."""
        state = agent_sync.AgentSyncState()
        names = (f"agents/agent-{n:03}.md" for n in range(100))
        files = [{"file_path": name, "content_sha": "0" * 64} for name in names]
        for number in range(200):
            columns = {"kind": "dir", "destination": str(tmp_path / str(number))}
            state.save_source(f"s{number}", url="/x", **columns)
            state.track_files_batch(f"s{number}", files)
        good = {"status": "success", "files_synced": 1, "duration_ms": 99}
        bad = {"status": "error", "error_message": "it was slow, again"}
        runs = [good if n % 9 else bad for n in range(10_000)]
        rows = (
            {"source_id": f"s{n % 200}", "sync_time": at(minutes=n), **run}
            for n, run in enumerate(runs)
        )
        put_rows(program.database, "sync_history", *rows)
        program.call("report", tmp_path / "report.html")
        assert (tmp_path / "report.html").stat().st_size < 2_000_000

    @pytest.mark.skipif(not CHROMIUM, reason="chromium-headless-shell is not installed")
    def test_the_page_is_readable_everywhere(self, busy, start_serve, tmp_path):
        """Nothing is refused or asked of others, and no bar to scroll sideways.

        Hostile names are there as text, and light is not dark.
        """
        state = agent_sync.AgentSyncState()
        for name in HOSTILE:
            state.save_source(name, url=name, kind="dir", destination=str(busy.dest))
            state.track_file(name, f"{'long' * 30}/{name}.md", "0" * 64)
        _, headers, body = start_serve().ask("GET", "/")
        policy = headers["content-security-policy"] + "; script-src 'unsafe-inline'"
        fields = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
        reply = http_reply(200, body.replace(b"<meta", WITNESS + b"<meta", 1), fields)
        command = [CHROMIUM, "--headless", "--no-sandbox", "--dump-dom"]
        command.append(f"--user-data-dir={tmp_path / 'chromium'}")
        colors = {"0": set(), "1": set()}  # dark and light
        with ScriptedOrigin({"/": reply}) as origin:
            for width, scheme in itertools.product((1280, 390), colors):
                size = f"--window-size={width},800"
                scheme_is = f"--blink-settings=preferredColorScheme={scheme}"
                options = [size, scheme_is, f"{origin.url}/"]
                done = subprocess.run([*command, *options], capture_output=True)
                told = json.loads(PageReader(done.stdout.decode()).text)
                seen, scroll, inner, color, text = told
                assert seen == [] and scroll <= inner == width
                assert all(shown(name) in text for name in HOSTILE)
                colors[scheme].add(color)
        assert len(colors["0"]) == len(colors["1"]) == 1 and colors["0"] != colors["1"]

    def test_text_has_contrast_in_both_schemes(self):
        """WCAG 2, 1.4.3: 4.5 to 1, of each colour of text on what it stands on."""

        def luminance(color):
            color = color * 2 if len(color) == 3 else color
            parts = [int(color[n : n + 2], 16) / 255 for n in (0, 2, 4)]
            linear = [((c + 0.055) / 1.055) ** 2.4 for c in parts]
            return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear))

        palettes = re.findall(r":root \{(.*?)\}", agent_sync.STYLE, re.DOTALL)
        assert len(palettes) == 2
        texts = ("text", "dim", "ok", "note", "bad", "off")
        pairs = itertools.product(texts, ("back", "card"))
        pairs = [*pairs, ("text", "ins"), ("text", "del")]
        for palette in palettes:
            colors = dict(re.findall(r"--(\w+): #(\w+);", palette))
            for text, on in pairs:
                low, high = sorted(luminance(colors[name]) for name in (text, on))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (text, on)


# ==== Server ====

WEBHOOK_SECRET = "It's a Secret to Everybody"
# From GitHub's documentation: this secret, the payload "Hello, World!", its signature.
GITHUBS_VECTOR = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


class Served:
    """`serve` in a child process; `get`, `raw` and `push` ask it, `stop` ends it."""

    def __init__(self, root, *arguments, secret=WEBHOOK_SECRET, port=0):
        self.log = root / "serve.log"
        env = {**os.environ, "AGENT_SYNC_DB": str(root / "agent_sync.db")}
        env["AGENT_SYNC_WEBHOOK_SECRET"] = secret
        options = ["serve", "--port", str(port), *map(str, arguments)]
        command = [sys.executable, compiled(), *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        wait_until(lambda: b"listening on" in self.output or self.process.poll())
        found = re.search(rb"listening on http://(\S+):(\d+)", self.output)
        assert found, self.output
        self.host, self.port = found[1].decode().strip("[]"), int(found[2])

    @property
    def output(self):
        return self.log.read_bytes()

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=300)

    def raw(self, data):
        """Send *data*; the reply: (status, headers in lower case, body)."""
        with self.connect() as connection:
            connection.sendall(data)
            reply = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = reply.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(": ") for line in lines)
        return int(start.split()[1]), {k.lower(): v for k, _, v in fields}, body

    def ask(self, method, path, body=b"", **headers):
        fields = {"Host": f"{self.host}:{self.port}", **headers}
        if method == "POST":
            fields.setdefault("Content-Length", len(body))
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""])
        return self.raw(head.encode("latin-1") + body)

    def get(self, path, **headers):
        """The body of what is at *path*, which must be there."""
        status, _, body = self.ask("GET", path, **headers)
        assert status == 200, (status, body)
        return body

    def push(self, payload, event="push", host="github", **headers):
        """Deliver a webhook as *host* does; (status, text)."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        fields = {"Content_Type": "application/json", **signed(host, body, event)}
        status, _, text = self.ask("POST", "/webhook", body, **{**fields, **headers})
        return status, text.decode()

    def stop(self):
        """Stop it as systemd does; the exit code."""
        self.process.terminate()
        code = self.process.wait(300)
        assert b"Traceback" not in self.output, self.output
        return code


def hmac_of(body, secret=WEBHOOK_SECRET):
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def signed(host, body, event):
    """The header lines in which *host* says what it sends, and that it is itself."""
    hub = {"X_GitHub_Event": event, "X_Hub_Signature_256": f"sha256={hmac_of(body)}"}
    return {
        "github": hub,
        "gitea": {"X_Gitea_Event": event, "X_Gitea_Signature": hmac_of(body)},
        "forgejo": {"X_Forgejo_Event": event, "X_Forgejo_Signature": hmac_of(body)},
        "gitlab": {"X_Gitlab_Event": "Push Hook", "X_Gitlab_Token": WEBHOOK_SECRET},
        "nobody": {"X_GitHub_Event": event},
    }[host]


def github_push(url, ref="refs/heads/main", after="1" * 40):
    """A push as GitHub reports it, in the fields that say what was pushed where."""
    page = re.sub(r"\.git$", "", url)
    repository = {"full_name": "owner/repo", "html_url": page, "clone_url": url}
    repository.update(url=page, git_url="git://h/o/r.git", ssh_url="git@h:o/r.git")
    push = {"ref": ref, "before": "0" * 40, "after": after, "repository": repository}
    return {**push, "deleted": not after.strip("0"), "pusher": {"name": "somebody"}}


def gitlab_push(url):
    """The same as GitLab reports it."""
    project = {"path_with_namespace": "owner/repo", "git_http_url": url}
    project.update(web_url=re.sub(r"\.git$", "", url), git_ssh_url="git@h:o/r.git")
    push = {"object_kind": "push", "ref": "refs/heads/main", "after": "1" * 40}
    repository = {"name": "repo", "url": "git@h:o/r.git"}
    return {**push, "event_name": "push", "project": project, "repository": repository}


@pytest.fixture
def start_serve(program):
    """Start `serve` with these options; all that were started are stopped."""
    started = []

    def start(*arguments, **options):
        started.append(Served(program.root, *arguments, **options))
        return started[-1]

    yield start
    codes = [served.stop() for served in started if served.process.poll() is None]
    assert set(codes) <= {0}


@pytest.fixture(scope="session")
def lasting_serve(tmp_path_factory):
    """One `serve` for all tests that leave nothing behind in it."""
    served = Served(tmp_path_factory.mktemp("serve"), "-v")
    yield served
    assert served.stop() == 0


class TestPages:
    def test_the_page_is_live_and_writes_nothing(self, busy, program, start_serve):
        served = start_serve()
        before = program.database.read_bytes()
        assert "1 file not as synced" in PageReader(served.get("/").decode()).text
        status = json.loads(served.get("/api/status"))
        assert [s["source"] for s in status["sources"]] == ["down", "src"]
        runs = json.loads(served.get("/api/history"))["runs"]
        assert [run["source_id"] for run in runs] == ["down", "src", "src"]
        assert paths(runs[1]["changes"]) == ["qa/edited.md", "qa/new.md"]
        assert program.database.read_bytes() == before
        busy.sync("src")
        wait_until(lambda: b"not as synced" not in served.get("/"))

    def test_healthz_is_bad_while_a_source_fails_or_is_old(self, local, start_serve):
        """S03: also one that was never synced; a disabled one counts for nothing."""
        set_source(local.program, last_sync_time=at(days=2))
        served = start_serve("--every", "1d")
        first = "SELECT * FROM sync_history WHERE triggered_by = 'serve'"
        wait_until(lambda: local.program.query(first))
        for columns, status in (
            ({"last_sync_time": at(days=2)}, 200),
            ({"last_sync_time": at(days=4)}, 503),
            ({"enabled": 0}, 200),
            ({"enabled": 1, "last_sync_time": at(days=1)}, 200),
        ):
            set_source(local.program, **columns)
            assert served.ask("GET", "/healthz")[0] == status, columns
        failed = {"source_id": "src", "status": "error", "sync_time": at(seconds=-9)}
        failed["error_message"] = "it is \x1b gone"
        put_rows(local.program.database, "sync_history", failed)
        status, _, body = served.ask("GET", "/healthz")
        assert (status, body) == (503, b"src: failing: it is \\x1b gone\n")

    def test_metrics_are_prometheus_text(self, busy, program, start_serve):
        state = agent_sync.AgentSyncState()
        state.save_source('a"b\\c\n', url="/x", kind="dir", destination="/x")
        served, ran = start_serve(), 'agent_sync_runs_total{source="%s",status="%s"} 1'
        first = served.get("/metrics").decode()
        assert r'{source="a\"b\\c\\n"}' in first
        assert 'agent_sync_source_healthy{source="down"} 0' in first
        assert 'agent_sync_source_drifted_files{source="src"} 1' in first
        assert "agent_sync_runs_total{" not in first, "it has just started to count"
        program.call("sync", check=1)
        second = served.get("/metrics").decode()
        assert ran % ("src", "success") in second and ran % ("down", "error") in second
        state.cleanup_old_history(days=-1)
        assert ran % ("src", "success") in served.get("/metrics").decode()
        number = r"[-+]?\d+(\.\d+)?(e[-+]\d+)?"
        sample = r"[a-z_]+(\{(\w+=\"([^\"\\]|\\.)*\",?)*\})? " + number
        for line in second.splitlines():
            assert re.fullmatch(rf"# (HELP|TYPE) .+|{sample}", line), line
        if shutil.which("promtool"):
            check = ["promtool", "check", "metrics"]
            done = subprocess.run(check, input=second.encode(), capture_output=True)
            assert (done.returncode, done.stdout + done.stderr) == (0, b"")

    @pytest.mark.parametrize("how", ["locked", "damaged", "missing"])
    def test_a_database_in_trouble_is_said(self, busy, program, start_serve, how):
        """FAULTS W16, D01, D04: 503 in one line, and the server goes on."""
        served, database = start_serve(), program.database
        kept = database.read_bytes()
        with contextlib.ExitStack() as stack:
            if how == "locked":
                other = sqlite3.connect(database, isolation_level=None)
                stack.callback(other.close)
                other.execute("BEGIN EXCLUSIVE")
            elif how == "missing":
                database.unlink()
            else:
                database.write_bytes(kept[:1000])
            # Each waits two seconds for a lock.
            pages = ("/healthz", "/", "/metrics", "/api/history")
            for path in pages[: 1 if how == "locked" else None]:
                # What was found out before is shown for a second.
                replies = (served.ask("GET", path) for _ in range(5000))
                body = next(body for status, _, body in replies if status == 503)
                assert body.count(b"\n") == 1 and b"database" in body
        database.write_bytes(kept)
        assert PageReader(served.get("/").decode()).tags


REQUESTS = r"""
W04 no length | 411 | POST /webhook HTTP/1.1 ~ Host: {host}
W04 chunked | 411 | POST /webhook HTTP/1.1 ~ Transfer-Encoding: chunked ~~ 0 ~~
W04 chunked too | 411 | POST /webhook HTTP/1.1 ~ Content-Length: 4 ~ Transfer-Encoding: x ~~ 0 ~~
W04 -1 | 400 | POST /webhook HTTP/1.1 ~ Content-Length: -1
W04 +5 | 400 | POST /webhook HTTP/1.1 ~ Content-Length: +5 ~~ hello
W04 abc | 400 | POST /webhook HTTP/1.1 ~ Content-Length: abc
W04 1_0 | 400 | POST /webhook HTTP/1.1 ~ Content-Length: 1_0 ~~ 0123456789
W04 two lengths | 400 | POST /webhook HTTP/1.1 ~ Content-Length: 1 ~ Content-Length: 2 ~~ ab
W04 10^12 | 413 | POST /webhook HTTP/1.1 ~ Content-Length: 1000000000000
W09 evil | 421 | GET / HTTP/1.1 ~ Host: evil.example
W09 none | 421 | GET / HTTP/1.1
W09 two | 421 | GET / HTTP/1.1 ~ Host: {host} ~ Host: {host}
W09 longer | 421 | GET / HTTP/1.1 ~ Host: 127.0.0.1.evil:{port}
W09 other port | 421 | GET / HTTP/1.1 ~ Host: 127.0.0.1:1
W09 user | 421 | GET / HTTP/1.1 ~ Host: a@{host}
W09 absolute | 400 | GET http://{host}/ HTTP/1.1 ~ Host: {host}
W09 absolute evil | 400 | GET http://evil/ HTTP/1.1 ~ Host: {host}
W09 any for the webhook | 403 | POST /webhook HTTP/1.1 ~ Host: hooks.example ~ Content-Length: 0
W09 localhost | 200 | GET /healthz HTTP/1.1 ~ Host: LOCALHOST:{port}
W09 IPv6 | 200 | GET /healthz HTTP/1.1 ~ Host: [::1]:{port}
W10 form | 405 | POST / HTTP/1.1 ~ Host: {host} ~ Origin: null ~ Content-Length: 3 ~~ a=b
W10 GET of the webhook | 405 | GET /webhook HTTP/1.1 ~ Host: {host}
W11 up | 404 | GET /../../etc/passwd HTTP/1.1 ~ Host: {host}
W11 two slashes | 404 | GET //evil HTTP/1.1 ~ Host: {host}
W11 encoded | 404 | GET /%2e%2e/ HTTP/1.1 ~ Host: {host}
W11 encoded root | 404 | GET /%2F HTTP/1.1 ~ Host: {host}
W11 NUL | 400 | GET /\0 HTTP/1.1 ~ Host: {host}
W11 backslash | 400 | GET \\ HTTP/1.1 ~ Host: {host}
W11 long | 400 | GET /{9000} HTTP/1.1 ~ Host: {host}
W14 ESC | 400 | GET /\x1b[31m HTTP/1.1 ~ Host: {host}
W14 ESC in a header | 400 | GET / HTTP/1.1 ~ Host: {host} ~ X: \x1b[31m
W14 bare LF | 400 | GET / HTTP/1.1 ~ Host: {host}\nX: y
W14 folded | 400 | GET / HTTP/1.1 ~ Host: {host} ~  X: y
W14 space before colon | 400 | GET / HTTP/1.1 ~ Host : {host}
W15 HEAD | 200 | HEAD /healthz HTTP/1.1 ~ Host: {host}
W15 OPTIONS | 405 | OPTIONS / HTTP/1.1 ~ Host: {host}
W15 PUT | 405 | PUT / HTTP/1.1 ~ Host: {host} ~ Content-Length: 1 ~~ a
W15 TRACE | 405 | TRACE / HTTP/1.1 ~ Host: {host}
W15 CONNECT | 400 | CONNECT {host} HTTP/1.1 ~ Host: {host}
W15 HTTP/0.9 | 400 | GET /
W15 HTTP/2 | 400 | PRI * HTTP/2.0 ~~ SM ~~
W15 HTTP/1.0 | 200 | GET /healthz HTTP/1.0 ~ Host: {host}
W15 long head | 431 | GET / HTTP/1.1 ~ X: {99999}
W15 pipelined | 200 | GET /healthz HTTP/1.1 ~ Host: {host} ~~ GET / HTTP/1.1 ~~
W15 a body that nobody reads | 200 | GET /healthz HTTP/1.1 ~ Host: {host} ~ Content-Length: 9 ~~ GET / HT
W15 TLS | 400 | \x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03
a query | 200 | GET /healthz?now HTTP/1.1 ~ Host: {host}
"""  # noqa: E501
# FAULTS id and fault, status, request: "~" ends a line, "~~" the head.
REQUESTS = [line.split(" | ") for line in REQUESTS.strip().splitlines()]


class TestRequests:
    @pytest.mark.parametrize("name, status, text", REQUESTS, ids=lambda t: t[:30])
    def test_odd_requests_do_not_end_it(self, lasting_serve, name, status, text):
        text = text if "~~" in text else f"{text} ~~ "
        text = text.encode().decode("unicode_escape")
        text = re.sub(" ~~ ?", "\r\n\r\n", text).replace(" ~ ", "\r\n")
        port = str(lasting_serve.port)
        text = text.replace("{host}", f"127.0.0.1:{port}").replace("{port}", port)
        text = re.sub(r"\{(\d+)\}", lambda match: "a" * int(match[1]), text)
        got, headers, body = lasting_serve.raw(text.encode("latin-1"))
        assert got == int(status) and headers["connection"] == "close"
        assert "default-src 'none'" in headers["content-security-policy"]
        if name != "W15 HEAD":
            assert int(headers["content-length"]) == len(body)
        assert ("allow" in headers) == (status == "405")
        assert lasting_serve.get("/healthz") == b"ok\n"
        assert not UNPRINTABLE.search(lasting_serve.output.decode())

    def test_a_body_that_never_comes_whole_is_dropped(self, lasting_serve):
        """FAULTS W04: shorter than its Content-Length, and then the end."""
        head = b"POST /webhook HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort"
        with lasting_serve.connect() as connection:
            connection.sendall(head)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1000) == b""
        assert lasting_serve.get("/healthz") == b"ok\n"

    def test_500_idle_connections_keep_nobody_out(self, lasting_serve):
        """FAULTS W05: half of them silent, half in the middle of a request line."""
        with contextlib.ExitStack() as stack:
            for number in range(500):
                connection = stack.enter_context(lasting_serve.connect())
                connection.sendall(b"GET / HT" if number % 2 else b"")
            assert lasting_serve.get("/healthz") == b"ok\n"
            assert b"<h1>" in lasting_serve.get("/")

    def connect(self, server):
        """Connect to an HttpServer of this process."""
        url = urllib.parse.urlsplit(server.url)
        return socket.create_connection((url.hostname, url.port), timeout=300)

    def answered(self, server, data):
        """What it answers, "" for a connection cut."""
        with self.connect(server) as connection:
            connection.sendall(data)
            with contextlib.suppress(ConnectionError):
                return connection.recv(1000).decode()
            return ""

    def test_who_is_slow_is_cut_off(self, monkeypatch):
        """FAULTS W05: a request has to arrive in time, and the oldest make room."""
        monkeypatch.setattr(agent_sync, "REQUEST_TIMEOUT", 0.05)
        with agent_sync.HttpServer(lambda path: None) as server:
            assert self.answered(server, b"GET / HTTP/1.1\r\n") == ""
        monkeypatch.setattr(agent_sync, "REQUEST_TIMEOUT", 60)
        monkeypatch.setattr(agent_sync, "MAX_CONNECTIONS", 3)
        with agent_sync.HttpServer(lambda path: None) as server:
            with contextlib.ExitStack() as stack:
                for _ in range(10):
                    stack.enter_context(self.connect(server))
                head = f"GET / HTTP/1.1\r\nHost: {server.url[7:]}\r\n\r\n"
                assert "404" in self.answered(server, head.encode())

    def test_large_bodies_are_bounded_together(self, monkeypatch):
        monkeypatch.setattr(agent_sync, "BODIES_LIMIT", 100_000)
        route = agent_sync.Route("POST", lambda request: agent_sync.Reply(200), 90_000)
        with agent_sync.HttpServer(lambda path: route) as server:
            head = f"POST / HTTP/1.1\r\nHost: {server.url[7:]}\r\n"
            head = f"{head}Content-Length: 80000\r\n\r\n".encode()
            with self.connect(server) as first:
                first.sendall(head)
                wait_until(lambda: "503" in self.answered(server, head))
                first.sendall(bytes(80_000))
                assert b"200" in first.recv(1000)
            assert "200" in self.answered(server, head + bytes(80_000))

    def test_a_fault_of_ours_is_a_500_without_its_traceback(self):
        def fail(request):
            raise KeyError("boom")

        said, route = [], agent_sync.Route("GET", fail, any_host=True)
        with agent_sync.HttpServer(lambda path: route, log=said.append) as server:
            reply = self.answered(server, b"GET / HTTP/1.1\r\n\r\n")
        assert "500" in reply and "Traceback" not in reply
        assert any("boom" in line for line in said)


AGAIN = "\r\nX-Hub-Signature-256: sha256="
BAD_SIGNATURES = {  # FAULTS W01, and what is sent instead of the right signature
    "none": {},
    "empty": {"X_Hub_Signature_256": ""},
    "no digest": {"X_Hub_Signature_256": "sha256="},
    "wrong": {"X_Hub_Signature_256": "sha256=" + "0" * 64},
    "cut": {"X_Hub_Signature_256": "sha256=" + GITHUBS_VECTOR[:-1]},
    "no prefix": {"X_Hub_Signature_256": GITHUBS_VECTOR},
    "upper case": {"X_Hub_Signature_256": "sha256=" + GITHUBS_VECTOR.upper()},
    "SHA-1": {"X_Hub_Signature": "sha1=" + GITHUBS_VECTOR[:40]},
    "not ASCII": {"X_Hub_Signature_256": "sha256=\xe9" + GITHUBS_VECTOR[1:]},
    "two": {"X_Hub_Signature_256": f"sha256={GITHUBS_VECTOR}{AGAIN}"},
    "Gitea's, wrong": {"X_Gitea_Signature": "0" * 64},
    "GitLab's, wrong": {"X_Gitlab_Token": WEBHOOK_SECRET[:-1]},
    "GitLab's, not ASCII": {"X_Gitlab_Token": "\xe9" * 30},
    "GitLab's, empty": {"X_Gitlab_Token": ""},
}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
UNFIT = {  # FAULTS W03 and W07: (body, header lines, status)
    "W03 text": (b"{}", {"Content_Type": "text/plain"}, 415),
    "W03 no type": (b"{}", {"Content_Type": ""}, 415),
    "W03 gzip": (b"{}", {"Content_Encoding": "gzip"}, 415),
    "W03 form": (b"payload=%7B%22zen%22%3A1%7D", FORM, 200),
    "W03 form without payload": (b"a=b", FORM, 400),
    "W03 charset": (b"{}", {"Content_Type": "Application/JSON; charset=utf-8"}, 200),
    "W03 UTF-16": ("{}".encode("utf-16"), {}, 400),
    "W07 ping": (b'{"zen": "x"}', {"X_GitHub_Event": "ping"}, 200),
    "W07 unknown event": (b"{}", {"X_GitHub_Event": "fork\x1b"}, 400),
    "W07 other event": (b"{}", {"X_GitHub_Event": "fork"}, 200),
    "W07 list": (b"[]", {}, 400),
    "W07 text": (b'"x"', {}, 400),
    "W07 nothing": (b"", {}, 400),
    "W07 cut": (b'{"ref": ', {}, 400),
    "W07 NaN": (b'{"ref": NaN}', {}, 400),
    "W07 nested": (b'{"a":' * 100_000, {}, 400),
    "W07 same key twice": (b'{"ref": "a", "ref": "b"}', {}, 400),
    "W07 wrong types": (b'{"ref": [1], "after": 7, "repository": 3}', {}, 200),
}


def runs_of(program):
    """The runs that webhooks started: their sources."""
    sql = "SELECT source_id FROM sync_history WHERE triggered_by = 'webhook'"
    return [row["source_id"] for row in program.query(sql)]


class TestWebhook:
    def test_a_wrong_signature_is_refused_in_the_same_words(self, lasting_serve):
        """FAULTS W01, W03: it is verified before what it signs is read: no JSON."""
        assert hmac_of(b"Hello, World!") == GITHUBS_VECTOR
        status, text = lasting_serve.push(b"Hello, World!")
        assert status == 400 and "not JSON" in text
        for case, headers in BAD_SIGNATURES.items():
            got = lasting_serve.push(b"Hello, World!", host="nobody", **headers)
            assert got == (403, "the signature is missing or wrong\n"), case

    @pytest.mark.parametrize("secret", ["", "1234567"])
    def test_without_a_secret_all_are_refused(self, program, start_serve, secret):
        """FAULTS W02: and it is said at the start."""
        served = start_serve(secret=secret)
        assert b"AGENT_SYNC_WEBHOOK_SECRET" in served.output
        body = b"{}"
        sign = {"X_Hub_Signature_256": f"sha256={hmac_of(body, secret)}"}
        for headers in (sign, {"X_Gitlab_Token": secret}, {}):
            assert served.push(body, host="nobody", **headers)[0] == 403

    def test_raw_files_follow_a_push_too(self, program, raw_upstream, start_serve):
        mirror = Mirror(program, raw_upstream)
        url = f"{raw_upstream.server.url}/owner/repo.git"
        assert start_serve().push(github_push(url)) == (202, "to be synced: src\n")
        wait_until(lambda: runs_of(program) and mirror.is_faithful())

    def test_what_is_not_a_push_of_ours_starts_nothing(self, lasting_serve):
        for case, (body, headers, status) in UNFIT.items():
            assert lasting_serve.push(body, **headers)[0] == status, case

    def test_a_push_starts_a_sync_of_its_source(self, mirror, program, start_serve):
        """Of each host; whatever the URL's case, and with `.git` or without."""
        served = start_serve()
        url = mirror.upstream.url.replace("/owner/", "/Owner/")
        for number, host in enumerate(("github", "gitea", "forgejo", "gitlab"), 1):
            make = gitlab_push if host == "gitlab" else github_push
            got = served.push(make(url), host=host)
            assert got == (202, "to be synced: src\n"), host
            wait_until(lambda number=number: len(runs_of(program)) == number)
        assert mirror.is_faithful()

    def test_a_push_syncs_only_who_follows(self, program, git_server, start_serve):
        """FAULTS W07: nothing of the payload is used as an address, a path or a ref."""
        ours = f"{git_server.url}/owner/repo.git"
        for name, *options in (
            ("main", "--ref", "main"),
            ("tag", "--ref", "v1"),
            ("any",),
            ("pinned", "--ref", "1" * 40),
            ("off", "--disabled"),
        ):
            options += ["--id", name, "--dest", program.root / name]
            program.call("add", ours, *options)
        program.call("add", f"{git_server.url}/a/b.git", "--id", "other")
        served = start_serve()
        for ref, after, expected in (
            ("refs/heads/main", "1" * 40, "any, main"),
            ("refs/heads/other", "1" * 40, "any"),
            ("refs/tags/v1", "1" * 40, "tag"),
            ("refs/tags/v2", "1" * 40, None),
            ("refs/heads/main", "0" * 40, None),
            ("refs/heads/1111111111111111111111111111111111111111", "1" * 40, "any"),
            ("main", "1" * 40, "main"),
        ):
            status, text = served.push(github_push(ours, ref, after))
            said = f"to be synced: {expected}" if expected else "no source here follows"
            assert text.startswith(said), ref
            assert status == (202 if expected else 200)
        for url in ("http://evil.example/owner/repo.git", "../x", "", f"{ours}/more"):
            assert served.push(github_push(url))[0] == 200
        wait_until(lambda: {"any", "main", "tag"} <= set(runs_of(program)))
        assert set(runs_of(program)) == {"any", "main", "tag"}
        assert {r.path.split("/")[1] for r in git_server.requests} == {"owner"}

    def test_a_delivery_counts_once_also_after_a_restart(self, mirror, start_serve):
        """FAULTS W06: and none is remembered whose signature does not hold."""
        served = start_serve()
        push = github_push(mirror.upstream.url)
        first = {"X_GitHub_Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
        assert served.push(push, host="nobody", **first)[0] == 403
        assert served.push(push, **first)[0] == 202
        assert served.push(push, **first) == (200, "this delivery came before\n")
        wait_until(lambda: runs_of(mirror.program) == ["src"])
        assert served.stop() == 0
        served = start_serve()
        assert served.push(push, **first)[0] == 200
        assert served.push(push, X_GitHub_Delivery="another")[0] == 202
        wait_until(lambda: runs_of(mirror.program) == ["src", "src"])

    def test_a_hundred_pushes_are_two_syncs(self, mirror, git_server, start_serve):
        """FAULTS W08: one that runs and one that waits; each push is answered first."""
        served, gate = start_serve(), threading.Event()
        git_server.answer = lambda request: gate.wait(600) and None
        push = github_push(mirror.upstream.url)
        assert served.push(push)[0] == 202
        wait_until(lambda: git_server.requests)
        with ThreadPoolExecutor(16) as executor:
            answers = list(executor.map(served.push, [push] * 99))
        assert {status for status, _ in answers} == {202}
        gate.set()
        wait_until(lambda: len(runs_of(mirror.program)) == 2)
        assert served.push({}, event="ping")[0] == 200 and served.stop() == 0
        assert len(runs_of(mirror.program)) == 2


class TestServe:
    # A signal that comes while coverage's own lock is held, leaves it held for ever.
    @pytest.mark.usefixtures("unmeasured")
    def test_it_looks_at_all_sources_every_so_often(self, local, program, start_serve):
        served = start_serve("--every", "0.2")
        wait_until(lambda: len(program.call_json("history")["runs"]) >= 2)
        local.upstream.write("later.md", b"# Later\n")
        wait_until(lambda: b"1 added" in served.output)
        assert local.is_faithful() and served.stop() == 0
        runs = program.call_json("history")["runs"]
        assert [run["triggered_by"] for run in runs[:2]] == ["serve"] * 2

    @pytest.mark.usefixtures("unmeasured")
    def test_a_sync_that_fails_does_not_end_it(self, local, program, start_serve):
        served = start_serve("--every", "0.1")
        database, kept = program.database, program.root / "kept.db"
        os.replace(database, kept)
        write(program.root, "agent_sync.db", b"What is this?")
        wait_until(lambda: str(database).encode() in served.output)
        os.replace(kept, database)
        wait_until(lambda: served.ask("GET", "/healthz")[0] == 200)
        assert served.process.poll() is None

    @posix_only
    def test_sigterm_in_a_sync_ends_it_well(self, synced, git_server, start_serve):
        """FAULTS W18, A17."""
        served, gate = start_serve(), threading.Event()
        before = synced.tree()
        synced.upstream.publish({"core/new.md": b"# New\n"})
        git_server.answer = lambda request: gate.wait(600) and None
        git_server.requests.clear()
        assert served.push(github_push(synced.upstream.url))[0] == 202
        wait_until(lambda: git_server.requests)
        assert served.stop() == 0 and synced.tree() == before
        gate.set()
        again = start_serve(port=served.port)
        assert again.port == served.port
        assert again.push(github_push(synced.upstream.url))[0] == 202
        added = "SELECT * FROM sync_history WHERE files_synced = 1"
        wait_until(lambda: synced.program.query(added) and synced.is_faithful())

    def test_beyond_this_machine_it_wants_a_secret(self, program, start_serve):
        """FAULTS W13."""
        told = program.call("serve", "--host", "0.0.0.0", check=2).err
        assert "AGENT_SYNC_WEBHOOK_SECRET" in told
        served = start_serve("--host", "0.0.0.0")
        served.host = "127.0.0.1"
        assert served.get("/healthz") == b"ok\n"
        assert served.ask("GET", "/", Host="evil.example")[0] == 421

    def test_a_port_that_is_taken_is_one_line(self, program, lasting_serve):
        port = lasting_serve.port
        told = program.call("serve", "--port", port, check=1).err
        assert f"cannot listen on http://127.0.0.1:{port}" in told
        for wrong in ("70000", "-1", "http"):
            program.call("serve", "--port", wrong, check=2)

    def test_it_listens_at_an_ipv6_address(self, program, start_serve):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("no IPv6 here")
        served = start_serve("--host", "::1")
        assert served.get("/healthz", Host=f"[::1]:{served.port}") == b"ok\n"


# ==== Upkeep ====


def checks_of(program, *options, check=0):
    """What `doctor` looked at: {subject: [(level, text, hint)]}."""
    found = {}
    for item in program.call_json("doctor", *options, check=check)["checks"]:
        line = item["level"], item["text"], item["hint"]
        found.setdefault(item["subject"], []).append(line)
    return found


def no_directory(mirror, program):
    directory = program.root / "up"
    directory.mkdir()
    program.call("add", directory, "--id", "x")
    directory.rmdir()


def link_as_lock(mirror, program):
    (mirror.dest / "link").symlink_to("elsewhere")
    (mirror.dest / "link").replace(mirror.lock)


def move_database(mirror, program):
    program.database = program.database.replace(program.root / "moved.db")
    os.environ["AGENT_SYNC_DB"] = str(program.database)


def share_destination(mirror, program):
    up = write(program.root / "up", "own.md", b"# Own\n").parent
    program.call("add", up, "--id", "sub", "--dest", mirror.dest / "a" / "b")
    program.call("add", up, "--id", "b", "--dest", mirror.dest)
    program.call("sync", "b")


OWNERS = "b (1 file), src (8 files), sub (0 files in a/b)"
DOWN = "http://127.0.0.1:9/o/r.git"
TROUBLES = [  # (what is done to a synced source, subject, level, words)
    (lambda m, p: damage_table(p, "sources"), "database", "bad", ""),
    (lambda m, p: p.database.chmod(0o644), "permissions", "note", "read by others"),
    (lambda m, p: p.call("add", DOWN, "--id", "x"), "x", "bad", "Connection refused"),
    (no_directory, "x", "bad", "there is no directory"),
    (lambda m, p: set_source(p, destination="x"), "src", "bad", "bad destination"),
    (lambda m, p: set_source(p, destination="/dev/null/x"), "src", "bad", "not a dir"),
    (link_as_lock, "src", "bad", ".agent-sync/lock: "),
    (move_database, "database", "note", "it was last used as"),
    (share_destination, "destinations", "note", f"dest is shared by {OWNERS}"),
    (lambda m, p: write(p.root, "home/.netrc", b'login "x'), "credentials", "bad",
     "line 1 has an unclosed quote"),
]  # fmt: skip


class TestDoctor:
    def test_all_is_well(self, synced, program):
        checks = checks_of(program)
        assert {level for lines in checks.values() for level, _, _ in lines} == {"ok"}
        assert {"Python", "SQLite", "TLS", "database", "space"} <= set(checks)
        said = " ".join(text for _, text, _ in checks["src"])
        assert "files to be taken by Git's protocol, version 2, in" in said
        assert "can be written" in said
        text = program.call("doctor").out
        assert re.fullmatch(r"(ok   [^\n]+\n)+", text)

    def test_it_makes_no_database(self, program):
        assert checks_of(program)["database"][0][0] == "note"
        assert not program.database.exists()

    @posix_only
    @pytest.mark.parametrize("make, subject, level, words", TROUBLES)
    def test_each_trouble_is_a_line(self, synced, program, make, subject, level, words):
        make(synced, program)
        found = checks_of(program, check=1 if level == "bad" else 0)[subject]
        [line] = [line for line in found if words in line[1] and line[0] != "ok"]
        assert line[0] == level

    def test_a_lock_that_is_held_and_certificates_are_told(self, synced, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
        with held_by(synced.lock):
            checks = checks_of(synced.program, check=1)
        [told] = [text for level, text, _ in checks["src"] if level == "note"]
        assert "another run holds" in told
        [(level, told, _)] = checks["certificates"]
        assert level == "bad" and "names /nowhere/ca.pem, which is not" in told

    def test_credentials_and_proxies_are_named_and_not_shown(self, mirror, monkeypatch):
        for name in ("GITHUB_TOKEN", "AGENT_SYNC_TOKEN_SRC", "AGENT_SYNC_TOKEN_NOBODY"):
            monkeypatch.setenv(name, "s3cret")
        monkeypatch.setenv("https_proxy", "http://me:s3cret@proxy.example:3128")
        monkeypatch.setenv("SSL_CERT_FILE", __file__)
        write(os.environ["HOME"], ".netrc", b"machine h.io login a password s3cret")
        outcome = mirror.program.call("doctor")
        tokens = ("GITHUB_TOKEN is set", "AGENT_SYNC_TOKEN_SRC is set")
        for said in (*tokens, "~/.netrc: h.io\n", f"SSL_CERT_FILE: {__file__}\n"):
            assert said in outcome.out
        assert re.search("note .*AGENT_SYNC_TOKEN_NOBODY", outcome.out)
        assert "https: proxy.example" in outcome.out
        assert "s3cret" not in outcome.out + outcome.err

    CLOCKS = [(-7200, "2 h behind"), (90_000, "25 h ahead of"), (60, None)]

    @pytest.mark.parametrize("seconds, words", CLOCKS)
    def test_a_clock_that_is_off_is_said(self, program, seconds, words):
        then = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        date = {"Date": email.utils.format_datetime(then, usegmt=True)}
        with ScriptedOrigin(lambda request: http_reply(200, b"[]", date)) as origin:
            program.call("add", origin.url, "--id", "src", "--allow-http")
            found = checks_of(program, check=1 if words else 0)["src"]
        said = [text for level, text, _ in found if level == "bad"]
        assert [words in text for text in said] == ([True] if words else [])


LONG_AGO = "2020-01-01T00:00:00+00:00"


def put_content(state, digest, stored_at=LONG_AGO):
    row = {"sha256": digest, "data": b"", "size": 100, "stored_at": stored_at}
    put_rows(state.db_path, "contents", row)


def make_old_runs(state):
    """Six runs of long ago, two of them with a change of a file that is kept."""
    run = {"source_id": "src", "sync_time": LONG_AGO, "status": "success"}
    run["listing_digest"] = "x"
    runs = [{**run, "revision": text} for text in ("aa", "aa", "aa", "bb", "bb", "bb")]
    change = {"file_path": "a.md", "action": "update"}
    changes = [{**change, "run_id": n, "old_sha": f"old {n}"} for n in (1, 4)]
    put_rows(state.db_path, "sync_history", *runs)
    put_rows(state.db_path, "file_changes", *changes)
    for digest in ("old 1", "old 4", "nobody's"):
        put_content(state, digest)
    put_content(state, "a run's that goes on", agent_sync.utc_now())


class TestClean:
    def left(self, state):
        """The ids of the runs that are left, and what is kept of contents."""
        with opened(state.db_path) as connection:
            runs = connection.execute("SELECT id FROM sync_history").fetchall()
            kept = connection.execute("SELECT sha256 FROM contents").fetchall()
        return [run_id for (run_id,) in runs], {digest for (digest,) in kept}

    def test_the_last_run_the_last_change_and_the_one_before_it_stay(self, state):
        """FAULTS D17: with them the last change can still be undone."""
        make_old_runs(state)
        before = self.left(state)
        counts = {"runs": 3, "contents": 2, "content_bytes": 200}
        assert state.clean(dry_run=True) == counts and self.left(state) == before
        assert state.clean() == counts
        assert self.left(state) == ([3, 4, 6], {"old 4", "a run's that goes on"})
        assert state.clean()["runs"] == 0
        assert state.clean(contents=True)["contents"] == 2

    def test_the_last_change_can_be_undone_after_it(self, local, program):
        """Without the source, from what was kept."""
        before = local.tree()
        for text in (b"# 2\n", b"# 3\n"):
            local.upstream.write("qa/qa.md", text)
            local.sync()
            local.sync()
        program.query("UPDATE sync_history SET sync_time = ?", LONG_AGO)
        program.query("UPDATE contents SET stored_at = ?", LONG_AGO)
        assert program.call_json("clean")["runs"] == 2
        local.upstream.hide()
        program.call("rollback", "src")
        assert local.tree() == {**before, "qa/qa.md": b"# 2\n"}

    def test_what_leads_back_to_a_pin_stays(self, state, monkeypatch):
        """Also where the oldest contents make room."""
        make_old_runs(state)
        for pin in ("aa", "of a run that is gone"):
            state.save_source("src", pin=pin)
            state.clean(contents=True)
            assert self.left(state) == ([3, 4, 6], {"old 4"})
        state.save_source("src", pin="aa")
        monkeypatch.setattr(agent_sync, "MAX_CONTENTS_SIZE", 250)
        put_content(state, "nobody's")
        state.prepare_run("src", {"b.md": "bb"}, [("new", b"x" * 100)])
        assert self.left(state)[1] == {"old 4", "new"}

    def test_the_command_says_what_it_frees(self, local, program):
        """Backups only if asked to, what killed runs left, and the database's space."""
        left = ".agent-sync-0123456789abcdef.tmp"
        local.write("qa/qa.md", b"# Edited\n")
        local.sync()
        backups = local.dest / ".agent-sync" / "backup"
        [saved] = backups.iterdir()
        saved.rename(backups / "20200101T000000.000000")
        local.write(left, b"left")
        program.query("CREATE TABLE big AS SELECT zeroblob(1000000) AS x")
        program.query("DROP TABLE big")
        told = program.call("clean", "-n", "--backups").out
        assert "2 files in destinations would be deleted" in told
        with agent_sync.DestinationLock(local.dest):
            assert "another run" in program.call("clean", check=1).err
        assert local.backups() == [b"# Edited\n"]
        assert program.call_json("clean")["files"] == [str(local.dest / left)]
        assert local.backups() == [b"# Edited\n"]
        document = program.call_json("clean", "--backups")
        assert (len(document["files"]), document["file_bytes"]) == (1, 9)
        assert not backups.exists() and program.database.stat().st_size < 500_000
        assert local.follows()


# ==== Command line ====


def shown_on_terminal(*arguments):
    """What `main` prints when both its outputs are a terminal."""
    ours, theirs = pytest.importorskip("pty").openpty()
    chunks = []

    def read_to_end():
        with contextlib.suppress(OSError):
            while True:
                chunks.append(os.read(ours, 65536))

    reader = threading.Thread(target=read_to_end)
    reader.start()
    with open(theirs, "w", encoding="utf-8") as terminal:
        with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
            code = agent_sync.main(list(arguments))
    reader.join()
    os.close(ours)
    assert code == 0, b"".join(chunks).decode()
    return b"".join(chunks)


def on_screen(shown):
    """What a terminal shows in the end: no line that was erased, and no colours."""
    return re.sub(r"[^\n]*\r\x1b\[K|\x1b\[\d+m", "", shown.decode())


class TestSyncAndItsText:
    def test_the_default_source_is_registered_by_the_first_sync(self, program):
        """Without the internet: the proxy to use is a port nobody listens on."""
        program.script = str(SCRIPT)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            outcome = program.run("sync", env={"HTTPS_PROXY": proxy}, check=(1, 3))
        assert "github-remote" in complaint(outcome)
        [row] = program.call_json("sources")["sources"]
        assert (row["id"], row["url"]) == ("github-remote", RAW_BASE)
        assert (row["ref"], row["path"]) == ("main", "agents")
        assert pathlib.Path(row["destination"]).name == "remote-agents"

    @posix_only
    @pytest.mark.parametrize("ends_by", ["destructor", "finalizer", "early"])
    def test_a_signal_that_meets_one_is_not_lost(self, monkeypatch, ends_by):
        """FAULTS A17: what these raise goes nowhere, and `serve` would run on.

        Where threads begin slowly, it comes again before the timer's has begun.
        """
        early = [False, False, ends_by == "early"]

        class Timer(threading.Timer):
            def start(self):
                return self.function(*self.args) if early.pop() else super().start()

        class Closing:
            def __del__(self):
                if ends_by != "finalizer":
                    signal.raise_signal(signal.SIGTERM)

        closing = [Closing()]
        if ends_by == "finalizer":
            weakref.finalize(closing[0], signal.raise_signal, signal.SIGTERM)
        monkeypatch.setattr(threading, "Timer", Timer)
        with pytest.raises(agent_sync.Terminated), agent_sync.interruptible():
            closing.clear()
            time.sleep(60)

    def test_whether_something_changed_can_be_the_exit_code(self, mirror, program):
        assert "never synced" in program.call("sync", "--offline", check=1).err
        for line, code in (("sync -n", 1), ("sync", 1), ("sync -n", 0), ("sync", 0)):
            program.call(*line.split(), "--exit-code", check=code)
        program.call("set", "src", "--disable")
        assert "nothing to sync: every source is disabled" in program.call("sync").out

    def test_each_change_is_a_line_and_then_comes_a_summary(self, synced, program):
        news = {"new.md": b"# New\n", "qa/qa.md": b"# Newer\n", "security.md": None}
        synced.upstream.publish(news)
        lines = program.call("sync").out.splitlines()
        assert {"+ new.md", "~ qa/qa.md", "- security.md"} <= set(lines)
        [summary] = [line for line in lines if line.startswith("src:")]
        for words in ("1 added", "1 updated", "1 removed", "6 unchanged", "request"):
            assert words in summary
        assert synced.upstream.repository.id()[:7] in summary

    def test_what_is_skipped_in_each_run_hides_nothing_else(self, synced, repository):
        (repository.directory / "agents" / "link.md").symlink_to("/etc/passwd")
        repository.commit()
        synced.sync()
        told = synced.program.call("sync").out
        assert "src: up to date, 8 files, 1 skipped at" in told
        synced.program.call("pin", "src")
        told = synced.program.call("sync").out
        assert "src: pinned, 8 files as synced, 1 skipped at" in told

    def test_of_many_changes_fifty_are_shown(self, mirror, program):
        mirror.upstream.publish({f"many/{n}.md": b"# Many\n" for n in range(60)})
        assert "… 18 more: diff --stat" in program.call("sync", "-n").out
        lines = program.call("sync").out.splitlines()
        assert [line[0] in "+~-=!" for line in lines] == [True] * 50 + [False] * 2
        assert lines[50] == "… 18 more: history --changes"

    @posix_only
    @pytest.mark.parametrize("options", [[], ["-q"]], ids=str)
    def test_how_to_get_an_edit_back_is_said(self, synced, program, options):
        edited = synced.write("qa/qa.md", b"# Mine\n")
        dry = program.call("sync", "--dry-run", *options).err
        assert "qa/qa.md would be saved" in dry and "cp " not in dry
        told = program.call("sync", *options).err
        assert edited.read_bytes() != b"# Mine\n"
        subprocess.run(["sh", "-c", told[told.index("cp ") :]], check=True)
        assert edited.read_bytes() == b"# Mine\n"

    @posix_only
    def test_where_a_link_is_saved_is_said_as_it_cannot_be_copied_back(self, synced):
        (synced.dest / "qa").rename(synced.program.root / "qa")
        (synced.dest / "qa").symlink_to(synced.program.root / "qa")
        told = synced.program.call("sync").err
        saved = re.search(r"qa was saved as (\S+)", told)[1]
        assert "cp " not in told and os.path.islink(saved) and synced.is_faithful()

    def test_of_many_edits_only_the_first_are_named(self, synced, program, monkeypatch):
        monkeypatch.setattr(agent_sync, "MAX_LINES", 1)
        for path in ("qa/qa.md", "security.md", "ops.json"):
            synced.write(path, b"# Mine\n")
        dry, told = (program.call("sync", *n).err for n in (["-n"], []))
        assert dry.count("saved") == 2 and "src: 2 more would be saved first" in dry
        assert "2 more were saved: history --changes" in told
        assert len(synced.backups()) == 3

    def test_a_destination_that_was_moved_can_be_told(self, synced, program):
        moved = synced.dest.rename(program.root / "moved")
        told = program.call("sync", "-n").err
        assert f"no {synced.dest} any more; if it was moved: set src --dest DIR" in told
        program.call("set", "src", "--dest", moved)
        assert "any more" not in program.call("sync").err

    @pytest.mark.parametrize("command", ["status", "diff", "files", "history"])
    def test_where_there_is_nothing_to_show_that_is_said(self, program, command):
        outcome = program.call(command)
        assert outcome.out == "" and "nothing to show; see: sources" in outcome.err

    def test_no_news_is_one_line_that_says_where_the_files_are(self, synced, program):
        """And what was not checked is not called up to date."""
        revision = synced.upstream.repository.id()
        for options, words in (
            ([], f"8 files at {revision[:7]} in {synced.dest} (1 request, "),
            (["--offline"], "offline, 8 files as synced"),
            (["--max-age", "1h"], "not asked, 8 files at"),
        ):
            [line] = program.call("sync", *options).out.splitlines()
            assert line.startswith("src:") and words in line
            assert ("up to date" in line) is (options == [])

    def test_quiet_tells_nothing_but_errors_and_verbose_more(self, mirror, git_server):
        assert mirror.program.call("sync", "-v").err
        assert mirror.program.call("sync", "-q") == (0, "", "")
        git_server.answer = lambda request: http_reply(404)
        assert "src" in mirror.program.call("-q", "sync", check=1).err

    def test_a_duration_has_a_unit_or_is_in_seconds(self):
        lengths = {"90": 90, "1s": 1, "1.5m": 90, "2h": 7200, "7d": 604_800}
        assert {text: agent_sync.parse_duration(text) for text in lengths} == lengths

    COLOUR = rb"\x1b\[[\d;]*m"

    def test_progress_is_a_bar_in_colour(self, program, git_server, agents_repository):
        large = Mirror(program, GitUpstream(git_server, agents_repository))
        assert shown_on_terminal("sync", "-n", "-q") == b""
        shown = shown_on_terminal("sync")
        assert re.search(rb"\r(?!\n)|\x1b\[\d*K", shown)
        assert re.search(self.COLOUR, shown) and large.is_faithful()
        assert b" MiB" in shown
        assert b"54/54" in shown and "54/54" not in on_screen(shown)
        lines = on_screen(shown).splitlines()
        assert all(line[:1] in "+…as" for line in lines), "and no leftovers"

    def test_colour_can_be_turned_off(self, mirror, monkeypatch):
        """N19: a dumb terminal gets plain lines."""
        assert not re.search(self.COLOUR, shown_on_terminal("sync", "--no-color"))
        monkeypatch.setenv("NO_COLOR", "1")
        assert not re.search(self.COLOUR, shown_on_terminal("sync", "--force"))
        monkeypatch.delenv("NO_COLOR")
        mirror.upstream.publish({"qa/qa.md": b"# New\n"})
        monkeypatch.setenv("TERM", "dumb")
        assert b"\x1b" not in shown_on_terminal("diff") + shown_on_terminal("sync")


HYGIENE = """
import sys
touched = []
sys.addaudithook(lambda event, args: event[:7] == "socket." and touched.append(event))
import agent_sync
try:
    code = agent_sync.main(sys.argv[1:]) if sys.argv[1:] else 0
except SystemExit as stop:
    code = stop.code
heavy = {"ssl", "http.client", "html", "difflib", "logging", "concurrent.futures"}
sys.exit(code or touched or heavy & set(sys.modules) or 0)
"""
WITHOUT_SQLITE = """
import sys
sys.modules["sqlite3"] = None
import agent_sync
sys.exit(agent_sync.main(sys.argv[1:]))
"""


def python(*arguments):
    """Run Python, which can import the program: (exit code, what it says of errors)."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=importing(), capture_output=True, text=True)
    return done.returncode, done.stderr


class TestArguments:
    @pytest.mark.usefixtures("unmeasured", "synced")
    @pytest.mark.parametrize(
        "line", ["", "--version", "status", "sources", "sync --max-age 1h"]
    )
    def test_light_commands_load_nothing_heavy_nor_ask(self, line):
        code, error = python("-c", HYGIENE, *line.split())
        assert code == 0, error

    @pytest.mark.parametrize("line, told", [
        ("snyc", "sync"),
        ("snyc status", "sync"),
        ("snyc --db sync", "sync"),
        ("sync --dryrun", "--dry-run"),
        ("sync --max-aeg=3m", "--max-age"),
        ("sync --jsn", "--json"),
        ("add owner/repo --kind gti", "git"),
        ("add owner/repo --inclde x", "--include"),
        ("xyzzy", "there is: add"),
        ("sources src", "too many"),
        ("sync --dry", "no option --dry"),
        ("sync --dest src=x", "set ID --dest"),
        ("verify --dest src=x", "set ID --dest"),
        ("manifest ''", "empty"),  # a variable of a shell that is not set
        ("sync --db ''", "empty"),
        ("sync --db=", "empty"),
        ("sync --db=--", "empty"),
        ("add owner/repo --include=--", "empty"),
        ("--cache-dir= sync", "empty"),
        ("add owner/repo --dest ''", "empty"),
        (f"sync -j {'9' * 30}", "999999"),
        *((line, "agent_sync") for line in (
            "no-such-command", "sync --no-such-option", "remove", "set", "set src",
            "sync --max-age soon", "sync -j 0", "sync --timeout -1", "history -n x",
            "add owner/repo --kind svn", "add owner/repo --on-conflict fight",
        )),
    ])  # fmt: skip
    def test_what_was_mistyped_is_told_what_was_meant(self, program, line, told):
        assert told in program.call(*shlex.split(line), check=2).err

    @pytest.mark.parametrize("line, told", [
        ("diff --since 1 --local", "exclude each other"),
        ("sync --ask", "terminal"),
        ("add o/r --id src", "set src"),
        ("diff --local new", "'new' was never synced"),
        ("pin new", "give a revision"),
        ("pin src yesterday", "'yesterday' is not a revision of 'src'"),
        ("rollback src aaaaaaa", "ambiguous"),
        ("set src --enable --disable", "enabled, or not?"),
        ("set src --dest file", "is not a directory"),
        ("sync --locked x --dest nowhere", "'nowhere' is not ID=DIR"),
        ("set src --include !a", "a glob cannot take back"),
        ("add ./file/x --dest file", "is not a directory"),
        ("--db other.db sync -n", "sync without --dry-run adds the default one"),
    ])  # fmt: skip
    def test_what_makes_no_sense_is_told(self, hashed, line, told, program):
        program.call("add", "owner/repo", "--id", "new", "--disabled")
        write(".", "file", b"mine")
        for digit in "bc":
            hashed.sync("--force")
            sql = "UPDATE sync_history SET revision = ? WHERE id = ?"
            program.query(sql, "a" * 63 + digit, last_run(program)["id"])
        assert told in program.call(*line.split(), check=2).err

    @posix_only
    def test_arguments_are_utf_8(self, program):
        """N25."""
        command = [*map(os.fsencode, program.command("add")), b"/tmp/\xff"]
        done = subprocess.run(command, capture_output=True)
        assert done.returncode == 2 and b"not UTF-8" in done.stderr

    @pytest.mark.usefixtures("program")
    @pytest.mark.parametrize(
        "line, told", [("sync", 1), ("status", 1), ("manifest .", 0), ("--version", 0)]
    )
    def test_a_python_without_sqlite_is_told_in_a_line(self, line, told):
        """N19. What needs no database works."""
        code, error = python("-c", WITHOUT_SQLITE, *line.split())
        assert (code, error.count("no sqlite3 module")) == (told, told)
        assert error.count("\n") == told

    @posix_only
    @pytest.mark.parametrize("home", ["", "here", "./here"])
    def test_a_home_directory_is_an_absolute_path(self, program, monkeypatch, home):
        monkeypatch.setenv("HOME", home)
        monkeypatch.delenv("AGENT_SYNC_DB")
        assert "HOME" in program.call("sources", check=2).err

    def test_a_ref_too_long_to_ask_for_is_told(self, mirror, program):
        program.call("add", mirror.upstream.url, "--id", "long", "--ref", "x" * 70_000)
        assert "too long" in program.call("sync", "long", check=1).err

    @posix_only
    def test_a_working_directory_that_is_gone_is_told(self, program):
        prefix = by_shell('mkdir gone && cd gone && rmdir ../gone && exec "$@"')
        assert "None" not in program.run("add", "./agents", prefix=prefix, check=1).err

    @posix_only
    def test_names_of_files_are_utf_8_whatever_the_locale(self, program, tmp_path):
        """N19: a Latin-1 locale, as old servers have it; and cron without any."""
        made = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(tmp_path / "en_US")]
        if not shutil.which("localedef") or subprocess.run(made).returncode:
            pytest.skip("a Latin-1 locale cannot be made here")
        write("there", "café.md", b"# Coffee\n")
        write("there", "代理.md", b"# Agent\n")
        program.run("add", "./there", "--dest", tmp_path / "café")
        latin1 = {"LOCPATH": str(tmp_path), "LC_ALL": "en_US"}
        for env in (latin1, {"LC_ALL": "C"}, latin1):
            program.run("sync", env=env)
            assert tree(tmp_path / "café") == tree("there")

    def test_help_tells_of_every_command_and_each_has_an_example(self, program):
        assert re.search(r"\d+\.\d+", program.call("--version").out)
        assert "usage" in complaint(program.call(check=(0, 2)))
        text = program.call("--help").out
        for command in agent_sync.COMMANDS:
            assert command in text
            told = program.call(command, "--help").out.split("xample")[-1]
            assert re.search(rf"agent_sync(\.py)? {command}", told), command

    def test_options_stand_before_or_after_the_command(self, program, git_upstream):
        database, cache = program.root / "other.db", program.root / "other-cache"
        options = ["--db", database, "--cache-dir", cache]
        program.call(*options, "add", *git_upstream.arguments, "--id", "before")
        program.call("add", *git_upstream.arguments, "--id", "after", *options)
        rows = program.call("--json", "sources", "--db", database).document["sources"]
        assert sorted(row["id"] for row in rows) == ["after", "before"]
        assert all(str(cache) in row["destination"] for row in rows)
        assert not program.database.exists()

    def test_with_json_one_document_is_printed_also_of_an_error(self, synced, program):
        for command in ("sync", "status", "verify", "remove"):
            document = program.call_json(command, "nobody", check=FAILURE)
            assert list(document) == ["error"]
            assert set(document["error"]) == {"type", "message"}
            assert "nobody" in document["error"]["message"]
        commands = ["sources", "sync", "status", "verify", "files", "history"]
        for line in (*commands, "set src --disable", "remove src"):
            assert isinstance(program.call_json(*line.split()), dict), line

    @pytest.mark.parametrize(
        "name, command", [("find_sources", "status"), ("make_plan", "sync")]
    )
    def test_our_faults_are_one_line(self, synced, monkeypatch, capsys, name, command):
        def fault(*args, **options):
            raise KeyError("of ours")

        monkeypatch.setattr(agent_sync, name, fault)
        quiet = synced.program.call(command, check=1)
        assert quiet.err.count("\n") == 1 and "unexpected KeyError" in quiet.err
        assert agent_sync.main([command, "-v"]) == 1
        text = capsys.readouterr().err
        assert "Traceback" in text and "in fault" in text
        assert not UNPRINTABLE.search(text)

    def test_a_thread_that_did_nothing_is_no_success(self, local, monkeypatch):
        monkeypatch.setattr(threading.Thread, "run", lambda thread: None)
        told = local.program.call("sync", check=1).err
        assert "a thread ended before its function began" in told

    def test_it_runs_in_any_thread(self, synced, capsys):
        """Signals are the main one's alone."""
        with ThreadPoolExecutor(1) as executor:
            assert executor.submit(agent_sync.main, ["status"]).result() == 0
        assert "src: 8 files, all as synced" in capsys.readouterr().out

    @pytest.mark.usefixtures("program")
    def test_without_docstrings_everything_works(self):
        """N19: -OO, as frozen programs have it."""
        for arguments in (["sync", "--help"], ["demo"]):
            assert python("-OO", str(SCRIPT), *arguments) == (0, "")


SHARE = "share/agent-sync"


@posix_only
class TestInstall:
    @pytest.fixture
    def prefix(self, program):
        program.script = str(SCRIPT)
        return program.root / "a 'quoted' préfix"

    def test_the_command_runs_isolated_and_from_bytecode(self, program, prefix):
        """And it can install itself again."""
        document = program.run("install", "--prefix", prefix, "--json").document
        assert document["command"] == str(prefix / "bin" / "agent-sync")
        [cached] = (prefix / SHARE).glob("__pycache__/*.pyc")
        before, elsewhere = stats(cached.parent), program.root / "cwd"
        for name in ("json.py", "agent_sync.py", "sitecustomize.py"):
            write(elsewhere, name, b"raise SystemExit('not this one')")

        def installed(*arguments, **options):
            command = [document["command"], *arguments]
            done = subprocess.run(command, capture_output=True, text=True, **options)
            return Outcome(done.returncode, done.stdout, done.stderr).checked(0).out

        env = {**os.environ, "PYTHONPATH": str(elsewhere)}
        version = installed("--version", cwd=elsewhere, env=env)
        assert version == f"agent_sync {agent_sync.__version__}\n"
        helped = installed("sync", "--help", cwd=elsewhere, env=env)
        assert "agent-sync sync" in helped and "agent_sync.py" not in helped
        assert stats(cached.parent) == before
        installed("install", "--prefix", str(prefix))
        assert "{" in installed("sources", "--json")

    @pytest.mark.parametrize("make", [
        lambda path: path.write_text("#!/bin/sh\necho another\n"),
        os.mkdir,
        lambda path: path.symlink_to("nowhere"),
    ], ids=["a file", "a directory", "a link to nowhere"])  # fmt: skip
    @pytest.mark.parametrize(
        "name", ["bin/agent-sync", f"{SHARE}/start.py", f"{SHARE}/agent_sync.py"]
    )
    def test_what_is_not_its_own_is_not_replaced(self, program, prefix, name, make):
        path = prefix / name
        path.parent.mkdir(parents=True)
        make(path)
        with untouched(prefix):
            assert name in program.call("install", "--prefix", prefix, check=2).err

    def test_an_interrupt_while_it_starts_is_silent(self, program, prefix):
        program.run("install", "--prefix", prefix)
        write(prefix / SHARE, "agent_sync.py", b"import os\nos.kill(os.getpid(), 2)\n")
        done = subprocess.run([prefix / "bin" / "agent-sync"], capture_output=True)
        assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")

    def test_it_warns_where_it_would_not_be_found(self, program, prefix, monkeypatch):
        """That is also inside of a virtual environment."""
        install = ["install", "--prefix", prefix]
        monkeypatch.setattr(sys, "prefix", sys.base_prefix)
        assert "PATH" in program.call(*install).err
        monkeypatch.setenv("PATH", str(prefix / "bin"), prepend=os.pathsep)
        assert program.call(*install).err == ""
        monkeypatch.setattr(sys, "prefix", "/some/venv")
        assert "/some/venv" in program.call(*install).err


class TestManagingSources:
    @posix_only
    @pytest.mark.parametrize("way", ["", ".agent-sync", ".agent-sync/lock", "."])
    def test_removing_keeps_the_files_also_where_no_run_can_be(self, synced, way):
        """As something stands where its lock, or the destination, would be."""
        program, before = synced.program, stats(synced.dest)
        if way:
            shutil.rmtree(synced.dest if way == "." else synced.dest / ".agent-sync")
        if way == ".":
            synced.dest.symlink_to(synced.dest)
        elif way == ".agent-sync":
            synced.write(way, b"mine")
        elif way:
            (synced.dest / way).mkdir(parents=True)
        if len(way) > 1:
            program.call("remove", "src", "--delete-files", check=1)
        program.call("remove", "src")
        assert program.call_json("sources") == {"sources": []}
        assert program.query("SELECT * FROM agent_files") == []
        assert way == "." or stats(synced.dest) == before

    def test_what_no_source_can_be_can_be_removed(self, synced):
        set_source(synced.program, destination="relative")
        with untouched(synced.dest):
            synced.program.call("remove", "src", "--delete-files")
            assert synced.program.call_json("sources") == {"sources": []}

    def test_removing_that_fails_half_way_can_be_done_again(self, synced, monkeypatch):
        remove = ["remove", "src", "--delete-files"]
        with monkeypatch.context() as patch:
            refuse_path(patch, os, "unlink", "security.md")
            told = synced.program.call(*remove, check=1).err
        assert str(synced.dest / "security.md") in told
        assert f"without {8 - len(synced.tree())} files" in told
        synced.program.call(*remove)
        assert not synced.dest.exists()

    def test_removing_with_the_files_spares_what_is_not_ours(self, synced, program):
        synced.write("security.md", b"# Edited\n")
        synced.sync()
        synced.write("mine.md", b"mine\n")
        synced.write("qa/qa.md", b"# My own\n")
        program.call("remove", "src", "--delete-files")
        assert synced.tree() == {"mine.md": b"mine\n", "qa/qa.md": b"# My own\n"}
        assert synced.backups() == [b"# Edited\n"]


@pytest.mark.parametrize("command", ["status", "verify"])
class TestStatusAndVerify:
    def test_looking_tells_drift_and_changes_nothing(self, synced, git_server, command):
        """Offline: the server is gone and is not missed."""
        git_server.close()
        document = synced.program.call_json(command)
        source = only_source(document)
        assert document["ok"] is True and {"source", "status"} <= set(source)
        assert source["revision"] == synced.upstream.repository.id()
        assert_recent(source["last_sync_time"])
        assert source["modified"] == source["missing"] == source["untracked"] == []
        synced.write("qa/qa.md", b"# My own\n")
        (synced.dest / "security.md").unlink()
        before = stats(synced.dest), synced.program.database.read_bytes()
        document = synced.program.call_json(command, check=1)
        source = only_source(document)
        told = document["ok"], source["modified"], source["missing"]
        assert told == (False, ["qa/qa.md"], ["security.md"])
        text = synced.program.call(command, check=1).out
        assert "qa/qa.md" in text and "security.md" in text
        assert (stats(synced.dest), synced.program.database.read_bytes()) == before

    @pytest.mark.parametrize("how", ["a file where it was", "not to be listed"])
    def test_an_unreadable_one_hides_no_other(self, synced, monkeypatch, command, how):
        program, options = synced.program, ["--id", "two", "--dest", "two"]
        program.call("add", *synced.upstream.arguments, *options)
        program.call("sync", "two")
        if how == "not to be listed":
            refuse_path(monkeypatch, os, "scandir", synced.dest / "qa")
        else:
            shutil.rmtree(synced.dest)
            synced.dest.write_bytes(b"mine")
        document = program.call_json(command, check=1)
        src, two = document["sources"]
        assert document["ok"] is False and "dest" in src["error"]
        assert (two["error"], two["modified"], two["missing"]) == (None, [], [])
        text = program.call(command, check=1).out
        assert src["error"] in text and "two: 8 files, all as synced" in text


class TestVerifyAlone:
    """FAULTS N02: it cannot pass without having compared anything."""

    def test_where_there_is_nothing_to_compare_it_fails(self, program, mirror):
        """No source, one that was never synced, one without a file."""
        document = program.call_json("verify", check=1)
        assert document["ok"] is False
        assert "never synced" in only_source(document)["error"]
        assert "never synced" in program.call("verify", check=1).out
        program.call("remove", "src")
        assert program.call_json("verify", check=1) == {"ok": False, "sources": []}
        assert "no source is registered" in program.call("verify", check=1).err
        (program.root / "up").mkdir()
        program.call("add", program.root / "up")
        program.call("sync")
        assert program.call_json("verify", check=1)["ok"] is False
        assert "no file is tracked" in program.call("verify", check=1).err

    def test_strictly_files_that_nobody_tracks_fail_it(self, synced, program):
        synced.write("qa/notes.txt", b"not one that would be taken\n")
        program.call("verify", "--strict")
        synced.write("qa/mine.md", b"mine\n")
        program.call("verify")
        document = program.call_json("verify", "--strict", check=1)
        assert document["ok"] is False
        assert only_source(document)["untracked"] == ["qa/mine.md"]

    def test_a_database_at_another_path_fails_it_until_a_sync(self, synced, tmp_path):
        """A checkout's copy: the files that it tracks are those of another one."""
        program, copy = synced.program, tmp_path / "copy.db"
        shutil.copy(program.database, copy)
        at_copy = ["--db", copy, "verify"]
        assert str(program.database) in program.call(*at_copy, check=1).err
        assert program.call_json(*at_copy, check=1)["ok"] is False
        program.call("verify")
        program.call("--db", copy, "sync")
        program.call(*at_copy)

    def test_disabled_sources_count_only_if_they_are_named(self, synced, program):
        program.call("add", "owner/repo", "--id", "other", "--disabled")
        program.call("verify")
        program.call("verify", "other", check=1)
        program.call("set", "src", "--disable")
        program.call("verify", check=1)


class TestHistory:
    def test_it_is_newest_first_and_can_be_cut(self, synced, program):
        synced.upstream.publish({"qa/qa.md": b"# New\n"})
        synced.sync()
        synced.sync()
        runs = program.call_json("history", "src")["runs"]
        assert [run["files_synced"] for run in runs] == [0, 1, 8]
        assert [run["source_id"] for run in runs] == ["src"] * 3
        assert program.call_json("history", "-n", "1")["runs"] == runs[:1]
        assert program.call_json("history", "--since", "1h")["runs"] == runs
        program.query("UPDATE sync_history SET sync_time = ?", at(days=8))
        assert program.call_json("history", "--since", "7d") == {"runs": []}

    def test_changes_are_told_file_by_file(self, synced, program):
        old = {path: sha256(data) for path, data in synced.tree().items()}
        news = {"qa/qa.md": b"# New\n", "new.md": b"# Added\n", "security.md": None}
        synced.upstream.publish(news)
        synced.sync()
        [run] = program.call_json("history", "--changes", "-n", "1")["runs"]
        names = "path", "action", "old_sha", "new_sha"
        assert sorted(tuple(row[name] for name in names) for row in run["changes"]) == [
            ("new.md", "add", None, sha256(b"# Added\n")),
            ("qa/qa.md", "update", old["qa/qa.md"], sha256(b"# New\n")),
            ("security.md", "remove", old["security.md"], None),
        ]


# ==== Demo ====


def the_same_each_time(lines):
    """Of the demo's lines its headings, its commands, and what is done to each file."""
    return sorted(line for line in lines if re.match(r"\d+\. |\$ |  [-+~=!] ", line))


class TestDemo:
    documents = []

    @pytest.fixture
    def document(self, program):
        """What `demo --json` prints, of one run for all tests that only read it."""
        if not self.documents:
            self.documents.append(program.call_json("demo"))
        return self.documents[0]

    @pytest.fixture
    def temporary(self, program, monkeypatch):
        """The directory for temporary files."""
        directory = program.root / "temporary"
        directory.mkdir()
        for name in ("TMPDIR", "TEMP", "TMP"):
            monkeypatch.setenv(name, str(directory))
        monkeypatch.setattr(tempfile, "tempdir", None)
        return directory

    def test_it_is_the_same_and_leaves_nothing(self, program, document, temporary):
        """Whatever is around it: a proxy, a token, a database that cannot be opened."""
        env = dict.fromkeys(["HTTP_PROXY", "http_proxy"], "http://127.0.0.1:1")
        env.update(GITHUB_TOKEN="x", NO_PROXY="", no_proxy="")
        outcome = program.run("--db", temporary, "demo", env=env)
        assert outcome.err == ""
        lines = the_same_each_time(outcome.out.splitlines())
        assert lines == the_same_each_time(document["lines"]) and len(lines) > 30
        assert [path for path in program.root.rglob("*") if path.is_file()] == []
        assert list(temporary.iterdir()) == []

    def test_each_step_shows_what_it_says(self, document):
        """Every number in its text is one that was measured in that run."""
        assert document["ok"] is True
        steps = [(step["command"], step["document"]) for step in document["steps"]]
        syncs = [doc["sources"] for line, doc in steps if line.startswith("sync")]
        first, unchanged, changed, healed, hidden, hostile = syncs
        costs = [[source["requests"] for source in sync] for sync in syncs]
        assert costs[:4] == [[2, 5], [1, 1], [2, 3], [1, 2]]
        assert [len(source["added"]) for source in first] == [2, 4]
        assert [source["bytes_received"] for source in unchanged][1] == 0
        assert changed[1]["removed"] == ["ops.json"]
        assert healed[1]["restored"] == ["qa/tester.md"]
        assert hidden[0]["findings"][0]["path"] == "qa/tester.md"
        assert "../../owned.md" in hostile[0]["error"]
        documents = dict(steps)
        assert documents["rollback web"]["sources"][0]["added"] == ["ops.json"]
        assert len(documents["history web"]["runs"]) == len(syncs) + 1
        size = documents["report report.html"]["bytes"]
        assert document["lines"][-1].endswith(f"{size:,} bytes")
        text = "\n".join(document["lines"])
        for source in first + unchanged + changed:
            cost = agent_sync.count_text(source["requests"], "request")
            assert f"({cost}, {source['duration_ms'] / 1000:.1f} s)" in text

    def test_it_tells_of_a_run_that_went_wrong(self, program, monkeypatch):
        agents = {**agent_sync.DEMO_AGENTS, "../out.md": "# Out\n"}
        monkeypatch.setattr(agent_sync, "DEMO_AGENTS", agents)
        program.call("demo", check=1)

    @posix_only
    def test_ended_by_a_signal_it_cleans_up(self, program, temporary):
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        child = subprocess.Popen(program.command("demo"), **options)
        wait_until(lambda: list(temporary.rglob("*.db")) or child.poll() is not None)
        child.send_signal(signal.SIGTERM)
        errors = child.communicate(timeout=300)[1].decode()
        assert child.returncode in (0, 143), errors
        assert "Traceback" not in errors and list(temporary.iterdir()) == []
