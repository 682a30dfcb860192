"""Measure agent_sync beside git, curl, the previous release and what is the least.

    make bench [BASE=path/of/a/previous/agent_sync.py] [ARGS='--delays 50 --only real']

Offline: git repositories made here, behind `git http-backend` and a loopback port; a
relay before that port delays connects and answers like a network of that round trip.
All programs take turns, so what else the machine does is spread over them. Nothing is
asserted: times are for people to read.
"""

import argparse
import asyncio
import collections
import contextlib
import functools
import http.client
import http.server
import json
import marshal
import multiprocessing
import os
import pathlib
import platform
import random
import shutil
import socket
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "agent_sync.py"
BACKEND = ["git", "http-backend"]
SOURCES = 100
SPAN = 5.0  # seconds for one row of a table, after which it has fewer rounds


class Shape(NamedTuple):
    """A repository: how many files of what size below agents/, and beside that."""

    name: str
    files: int
    size: int
    others: int = 0


SHAPES = (
    Shape("n10", 10, 12_000),
    Shape("real", 54, 12_000, 152),
    Shape("n1000", 1_000, 12_000),
    Shape("n10000", 10_000, 2_000),
)


class Sample(NamedTuple):
    """What one call of a program took."""

    seconds: float
    cpu: float  # seconds of processor, its own and the system's for it
    mib: float  # the most memory
    counts: dict


# ==== The server and the relay, each in a process of its own ====


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers below /git/ by `git http-backend`, and else from files with ETags."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def setup(self):
        super().setup()
        self.server.counts["connections"] += 1

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = self.command, self.path, dict(self.headers), body
        self.server.counts["requests"] += 1
        self.server.asked.append(request)
        if self.path.startswith("/git/"):
            self.answer_by_git(body)
        else:
            self.answer_by_file()

    do_POST = do_GET

    def send(self, data):
        self.server.counts["bytes"] += len(data)
        self.wfile.write(data)

    def answer_by_git(self, body):
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.server.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
        }
        for variable in ("GIT_PROTOCOL", "CONTENT_TYPE", "HTTP_CONTENT_ENCODING"):
            name = variable.removeprefix("HTTP_").replace("_", "-")
            environment[variable] = self.headers.get(name, "")
        pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
        with subprocess.Popen(BACKEND, env=environment, **pipes) as backend:
            backend.stdin.write(body)
            backend.stdin.close()
            head = http.client.parse_headers(backend.stdout)
            self.send_response(int(head.get("Status", "200").split()[0]))
            self.send_header("Content-Type", head["Content-Type"])
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while piece := backend.stdout.read1(1 << 16):
                self.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.send(b"0\r\n\r\n")

    def answer_by_file(self):
        data = pathlib.Path(self.server.root + self.path).read_bytes()
        tag = f'"{hash(data):x}"'
        same = self.headers.get("If-None-Match") == tag
        self.send_response(304 if same else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", "0" if same else str(len(data)))
        self.end_headers()
        self.send(b"" if same else data)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # A client went away: its own exit code says so.


def serve(pipe, root, certificate):
    """Serve *root*, by TLS as well; say on *pipe* what was asked since last."""
    ports = range(2 if certificate else 1)
    servers = [Server(("127.0.0.1", 0), Handler) for _ in ports]
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        servers[1].socket = context.wrap_socket(
            servers[1].socket, server_side=True, do_handshake_on_connect=False
        )
    for server in servers:
        server.root = root
        server.counts, server.asked = collections.Counter(), []
        threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send([server.server_address[1] for server in servers])
    while pipe.recv() is not None:
        counts = sum((server.counts for server in servers), collections.Counter())
        asked = [request for server in servers for request in server.asked]
        pipe.send(({"bytes": 0, **counts} if counts else {}, asked))
        for server in servers:
            server.counts.clear()
            server.asked.clear()


async def pump(reader, writer, delay, begin):
    """Copy a stream, each byte *delay* seconds late, and none before *begin*."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue()

    async def send():
        while item := await queue.get():
            due, data = item
            await asyncio.sleep(max(0, due - loop.time()))
            writer.write(data)
        with contextlib.suppress(OSError):
            writer.write_eof()

    sender = asyncio.ensure_future(send())
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 18):
            queue.put_nowait((max(loop.time(), begin) + delay, data))
    queue.put_nowait(None)
    with contextlib.suppress(OSError):
        await sender


def relay(pipe, targets, delay):
    """Relay a new port to each of the ports *targets*; a round trip takes *delay* s."""

    async def main():
        ports = []
        for target in targets:

            async def connected(reader, writer, target=target):
                # The kernel accepts at once; a distant one would take a round trip.
                begin = asyncio.get_running_loop().time() + delay
                there = await asyncio.open_connection("127.0.0.1", target)
                await asyncio.gather(
                    pump(reader, there[1], delay / 2, begin),
                    pump(there[0], writer, delay / 2, begin),
                )
                for end in (writer, there[1]):
                    end.close()

            server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=256)
            ports.append(server.sockets[0].getsockname()[1])
        pipe.send(ports)
        await asyncio.Event().wait()

    asyncio.run(main())


def begin(function, *arguments):
    """Run *function* in a process; return (its end of a pipe, what it says first)."""
    ours, theirs = multiprocessing.Pipe()
    arguments = theirs, *arguments
    multiprocessing.Process(target=function, args=arguments, daemon=True).start()
    return ours, ours.recv()


# ==== Repositories ====


def text(rng, words, size):
    """Return *size* bytes of Markdown that compresses like prose."""
    body = " ".join(rng.choices(words, k=size // 7))[: size - 40]
    return f"---\nname: agent {rng.random()}\n---\n{body}\n".encode()


def make_repository(path, shape):
    """Make a bare repository of *shape*; return its commits: 5 of one file, 5 of 10 %.

    They follow one another; HEAD is at the first, which comes before all of them. One
    that was made before is used again.
    """
    if path.exists():
        return git("-C", path, "rev-list", "--reverse", "--all").decode().split()
    rng = random.Random(shape.name)
    letters = "etaoinshrdlucmfw"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(4000)]
    names = [f"agents/{i % 20:02d}/agent-{i:05d}.md" for i in range(shape.files)]
    others = [f"other/{i % 9}/file-{i:04d}.py" for i in range(shape.others)]
    contents = {name: text(rng, words, shape.size) for name in names + others}
    commands = []

    def commit(number, changed):
        commands.append(
            b"commit refs/heads/main\nmark :%d\ncommitter A <a@b.c> %d +0000\n"
            b"data 1\nx\n" % (number, 1_700_000_000 + number)
        )
        for name in changed:
            commands.append(
                b"M 100644 inline %s\ndata %d\n%s\n"
                % (name.encode(), len(contents[name]), contents[name])
            )

    def edit(name):
        line = b"\nedited %d\n" % rng.randrange(10**9)
        middle = len(contents[name]) // 2
        contents[name] = contents[name][:middle] + line + contents[name][middle:]
        return name

    commit(1, contents)
    for number in range(2, 7):
        commit(number, [edit(rng.choice(names))])
    for number in range(7, 12):
        commit(number, map(edit, rng.sample(names, max(2, shape.files // 10))))
    git("init", "-q", "--bare", "-b", "main", path)
    for option in ("allowFilter", "allowAnySHA1InWant"):
        git("-C", path, "config", f"uploadpack.{option}", "true")
    git("-C", path, "fast-import", "--quiet", data=b"".join(commands))
    git("-C", path, "repack", "-adbq")
    commits = git("-C", path, "rev-list", "--reverse", "main").decode().split()
    git("-C", path, "update-ref", "refs/bench/last", commits[-1])  # All stay reachable.
    git("-C", path, "update-ref", "refs/heads/main", commits[0])
    return commits


def git(*arguments, data=None):
    done = subprocess.run(
        ["git", *map(str, arguments)], input=data, stdout=subprocess.PIPE, check=True
    )
    return done.stdout


# ==== The programs ====


class Git:
    """`git pull` in a clone of depth 1."""

    name = "git"

    def first(self, url, place):
        return ["git", "clone", "-q", "--depth", "1", url, str(place / "git")]

    def update(self, place):
        return ["git", "-C", str(place / "git"), "pull", "-q"]


class AgentSync:
    """`sync` of the source `s`; *command* runs the program."""

    def __init__(self, name, command):
        self.name, self.command = name, command

    def call(self, place, *arguments):
        return [*self.command, "--db", str(place / f"{self.name}.db"), *arguments]

    def add(self, url, place):
        options = ["--path", "agents"] if "/git/" in url else []
        destination = place / self.name / "s"
        call = ["add", url, "--id", "s", "--dest", str(destination), *options]
        subprocess.run(self.call(place, *call), stdout=subprocess.DEVNULL, check=True)

    def add_more(self, place, count):
        """Register *count* sources in all: that of `add` again, with other numbers."""
        connection = sqlite3.connect(place / f"{self.name}.db")
        with connection:
            connection.row_factory = sqlite3.Row
            row = dict(connection.execute("SELECT * FROM sources").fetchone())
            for number in range(1, count):
                new = {**row, "id": f"s{number}"}
                new["url"] = row["url"].replace("many0", f"many{number}")
                new["destination"] = row["destination"] + str(number)
                marks = ", ".join("?" * len(new))
                connection.execute(
                    f"INSERT INTO sources ({', '.join(new)}) VALUES ({marks})",
                    list(new.values()),
                )
        connection.close()

    def first(self, url, place):
        self.add(url, place)
        return self.update(place)

    def update(self, place):
        return self.call(place, "-q", "sync")


def install(script, directory):
    """Return the command that runs *script* as installed: with its bytecode cached."""
    command = [sys.executable, script, "install", "--prefix", directory]
    subprocess.run(command, capture_output=True, check=True)
    return [str(next(directory.glob("bin/agent-sync*")))]


# ==== Measuring ====


# What a process has at its start counts as its own, so that the one that starts others
# must be small. Windows has no `wait4`, and so neither processor time nor memory here.
RUNNER = """
import marshal, os, subprocess, sys, time
while call := marshal.load(sys.stdin.buffer):
    command, environment = call
    with open(sys.argv[1], "wb") as log:
        started = time.perf_counter()
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(child.pid, 0)
            cost = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
        else:
            status, cost = child.wait(), (0.0, 0)
    marshal.dump((status, time.perf_counter() - started, *cost), sys.stdout.buffer)
    sys.stdout.flush()
"""


class Bench:
    """The server, the relays, the programs, and a directory for all they make."""

    def __init__(self, directory, options):
        self.directory = directory
        self.delays = options.delays
        self.rounds = options.rounds
        self.requests = []  # of the last command that ran
        root = directory / "root"
        (root / "git").mkdir(parents=True)
        (directory / "home").mkdir()
        home = str(directory / "home")
        os.environ.update(HOME=home, GIT_CONFIG_NOSYSTEM="1", LC_ALL="C")
        self.certificate = make_certificate(directory)
        runner = [sys.executable, "-IS", "-c", RUNNER, directory / "log"]
        pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
        self.runner = subprocess.Popen(runner, **pipes)
        self.server, ports = begin(serve, str(root), self.certificate)
        self.ports = {0: ports}
        for delay in filter(None, self.delays):
            _, self.ports[delay] = begin(relay, ports, delay / 1000)
        self.ours = AgentSync("agent_sync", install(SCRIPT, directory / "installed"))
        self.programs = [self.ours, Git()]
        self.paths = []  # of the files on the site
        if options.base:
            base = [sys.executable, str(pathlib.Path(options.base).resolve())]
            self.programs.append(AgentSync("base", base))
        self.syncs = [p for p in self.programs if isinstance(p, AgentSync)]

    def close(self):
        """End what was begun."""
        self.server.send(None)
        marshal.dump(None, self.runner.stdin)
        self.runner.communicate()

    def url(self, delay, secure=False):
        scheme = "https" if secure else "http"
        return f"{scheme}://127.0.0.1:{self.ports[delay][secure]}"

    def counts(self):
        """Return what the server was asked since the last call: {what: number}."""
        self.server.send("counts")
        counts, self.requests = self.server.recv()
        return counts

    def run(self, command):
        """Run *command* and return its Sample."""
        self.counts()
        marshal.dump((command, dict(os.environ)), self.runner.stdin)
        self.runner.stdin.flush()
        status, seconds, cpu, memory = marshal.load(self.runner.stdout)
        if status:
            said = (self.directory / "log").read_text()
            raise SystemExit(f"failed: {' '.join(command)}: {said}")
        unit = 1 << (20 if sys.platform == "darwin" else 10)
        return Sample(seconds, cpu, memory / unit, self.counts())

    def timed(self, function):
        """Return the Sample of *function()*, called here."""
        self.counts()
        started = time.perf_counter()
        function()
        seconds = time.perf_counter() - started
        return Sample(seconds, 0.0, 0.0, self.counts())

    def measure(self, calls, delay=None):
        """Return {name: [Sample]} of *calls*, {name: function of the round}, in turns.

        Each function returns a command to run, or a Sample. With *delay*, in
        milliseconds, the floor is what agent_sync has just asked for, once more.
        """
        samples, started = {name: [] for name in calls}, time.perf_counter()
        for number in range(self.rounds):
            for name, call in calls.items():
                made = call(number)
                sample = self.run(made) if isinstance(made, list) else made
                samples[name].append(sample)
                if name == self.ours.name and delay is not None:
                    replay = functools.partial(self.replay, self.requests, delay)
                    least = self.timed(replay)
                    samples.setdefault("floor", []).append(least)
            if time.perf_counter() - started > SPAN:
                break
        return samples

    def replay(self, requests, delay):
        """Send *requests* over one connection and read the answers, and no more."""
        connection = http.client.HTTPConnection(self.url(delay)[len("http://") :])
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for method, path, headers, body in requests:
            connection.request(method, path, body or None, headers)
            connection.getresponse().read()
        connection.close()


def make_certificate(directory):
    """Return the file of a certificate and key for this machine; None without openssl.

    It is trusted from here on, beside those that the system trusts.
    """
    if not shutil.which("openssl"):
        return None
    path, trusted = directory / "certificate.pem", directory / "trusted.pem"
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        " -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
        f" -keyout {path} -out {path}".split(),
        stderr=subprocess.DEVNULL,
        check=True,
    )
    system = ssl.get_default_verify_paths().cafile
    known = pathlib.Path(system).read_bytes() if system else b""
    trusted.write_bytes(known + path.read_bytes())
    os.environ.update(SSL_CERT_FILE=str(trusted), GIT_SSL_CAINFO=str(trusted))
    return str(path)


def heading(title):
    names = ["", "", "ms", "min–max", "× git", "× floor", "CPU ms", "requests"]
    names += ["connections", "KiB", "peak MiB"]
    print(f"\n**{title}**\n\n| {' | '.join(names)} |\n|{' --- |' * len(names)}")


def show(title, samples):
    """Print one line for each program of *samples*, {name: [Sample]}.

    A star stands where there was time for fewer than five rounds.
    """
    medians = {
        n: statistics.median(s.seconds for s in got) for n, got in samples.items()
    }
    for name, got in samples.items():
        times, counts = [1000 * sample.seconds for sample in got], got[-1].counts
        star = "*" if len(got) < 5 else ""
        bases = [medians.get(base) for base in ("git", "floor")]
        cpu = 1000 * statistics.median(sample.cpu for sample in got)
        cells = [title, name, f"{1000 * medians[name]:.1f}"]
        cells.append(f"{min(times):.1f}–{max(times):.1f}{star}")
        cells += [f"{medians[name] / base:.2f}" if base else "" for base in bases]
        cells.append(f"{cpu:.0f}" if cpu else "")
        cells += [counts.get(what, "") for what in ("requests", "connections")]
        cells.append(round(counts["bytes"] / 1024, 1) if counts else "")
        cells.append(f"{max(sample.mib for sample in got):.0f}" if cpu else "")
        print("|", " | ".join(map(str, cells)), "|", flush=True)


# ==== What is measured ====


def updates(programs, place, before=lambda number: None):
    """Return the calls that update in *place*, each after *before* that round."""

    def update(program, number):
        before(number)
        return program.update(place)

    return {program.name: functools.partial(update, program) for program in programs}


def firsts(programs, url, places):
    """Return the calls that sync for the first time, each round in another place."""

    def first(program, number):
        places[number].mkdir(exist_ok=True)
        return program.first(url, places[number])

    return {program.name: functools.partial(first, program) for program in programs}


def bench_shape(bench, shape, delay):
    """First, unchanged, one file, 10 %: a git source of this shape."""
    repository = bench.directory / "root/git" / f"{shape.name}.git"
    commits = make_repository(repository, shape)

    def move(number):
        git("-C", repository, "update-ref", "refs/heads/main", commits[number])

    heading(
        f"{shape.name}: {shape.files} files of {shape.size / 1000:g} KB in a"
        f" repository of {shape.files + shape.others}, round trip {delay} ms"
    )
    move(0)
    # Nothing is deleted before the end: for some seconds after it, ext4 looks in vain
    # at each inode that became free before it takes a new one.
    places = [bench.directory / f"{shape.name}-{delay}-{n}" for n in range(5)]
    url = f"{bench.url(delay)}/git/{repository.name}"
    samples = bench.measure(firsts(bench.programs, url, places), delay)
    show("first", samples)
    place = places[len(samples["git"]) - 1]
    show("unchanged", bench.measure(updates(bench.programs, place), delay))
    for step, base in (("one file", 1), ("10 %", 6)):
        move(base - 1)
        for program in bench.programs:
            bench.run(program.update(place))
        calls = updates(
            bench.programs, place, lambda number, base=base: move(base + number)
        )
        show(step, bench.measure(calls, delay))


def bench_tls(bench, delay):
    """Unchanged, by TLS."""
    make_repository(bench.directory / "root/git/tls.git", SHAPES[0])
    heading(f"TLS: {SHAPES[0].files} files, round trip {delay} ms")
    place = bench.directory / f"tls-{delay}"
    place.mkdir()
    for program in bench.programs:
        bench.run(program.first(f"{bench.url(delay, True)}/git/tls.git", place))
    show("unchanged", bench.measure(updates(bench.programs, place)))


def bench_many(bench, delay):
    """Unchanged, with one source and with many on one host."""
    original = bench.directory / "root/git/many0.git"
    if not original.exists():
        make_repository(original, SHAPES[0])
        for number in range(1, SOURCES):
            shutil.copytree(original, original.with_name(f"many{number}.git"))
    heading(f"{SOURCES} sources of {SHAPES[0].files} files, round trip {delay} ms")
    for title, count in (("1 source", 1), (f"{SOURCES} sources", SOURCES)):
        place = bench.directory / f"many-{delay}-{count}"
        place.mkdir()
        for program in bench.syncs:
            program.add(f"{bench.url(delay)}/git/many0.git", place)
            program.add_more(place, count)
            bench.run(program.update(place))
        show(f"{title} unchanged", bench.measure(updates(bench.syncs, place)))


def make_site(bench):
    """Make a site of 1,000 files with a manifest; return their paths."""
    site, rng = bench.directory / "root/site", random.Random(1)
    words = [f"word{rng.randrange(1 << 24):x}" for _ in range(4000)]
    for number in range(1000):
        path = site / f"{number % 20:02d}/agent-{number:05d}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text(rng, words, 12_000))
    bench.run([*bench.ours.command, "manifest", str(site)])
    files = json.loads((site / "agents.json").read_bytes())["files"]
    return [file["path"] for file in files]


def bench_web(bench, delay):
    """A manifest with hashes: first and unchanged."""
    if not bench.paths:
        bench.paths = make_site(bench)
    heading(f"manifest with hashes: {len(bench.paths)} files, round trip {delay} ms")
    url = f"{bench.url(delay)}/site"
    places = [bench.directory / f"web-{delay}-{n}" for n in range(5)]
    calls = firsts(bench.syncs, f"{url}/agents.json", places)
    calls["8 × http.client"] = lambda _: bench.timed(
        lambda: eight_threads(url, bench.paths)
    )
    if shutil.which("curl"):
        config = bench.directory / "curl.config"
        lines = (f'url = "{url}/{p}"\noutput = "got/{p}"\n' for p in bench.paths)
        config.write_text("".join(lines))
        options = f"-Z --no-progress-meter --parallel-max 16 --create-dirs -K {config}"
        directory = ["--output-dir", str(bench.directory)]
        calls["curl"] = lambda _: ["curl", *options.split(), *directory]
    samples = bench.measure(calls)
    show("first", samples)
    place = places[len(samples[bench.ours.name]) - 1]
    show("unchanged", bench.measure(updates(bench.syncs, place), delay))


def eight_threads(url, paths):
    """Get all *paths* below *url* by eight threads, each with one connection."""
    host, _, base = url[len("http://") :].partition("/")

    def get(part):
        connection = http.client.HTTPConnection(host)
        for path in part:
            connection.request("GET", f"/{base}/{path}")
            connection.getresponse().read()
        connection.close()

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(get, [paths[n::8] for n in range(8)]))


def bench_start(bench):
    """What takes no network: the start, `status`, and calls of the state."""
    heading("without a network")
    place = bench.directory / "start"
    place.mkdir()
    make_repository(bench.directory / "root/git/start.git", SHAPES[1])
    for program in bench.syncs:
        bench.run(program.first(f"{bench.url(0)}/git/start.git", place))
    least = "import sqlite3, argparse, json"
    calls = {p.name: lambda _, p=p: p.call(place, "status") for p in bench.syncs}
    calls["floor"] = lambda _: [sys.executable, "-c", least]
    calls["floor with -IS"] = lambda _: [sys.executable, "-IS", "-c", least]
    show("status", bench.measure(calls))
    show_state(place)


def show_state(place):
    """Print what 10,000 rows take beside SQLite alone, and one look-up."""
    sys.path.insert(0, str(SCRIPT.parent))
    import agent_sync

    keys = "file_path", "content_sha", "local_path", "file_size"
    rows = [(f"d/{n:05d}.md", f"{n:064x}", f"/d/{n:05d}.md", n) for n in range(10_000)]
    files = [dict(zip(keys, row)) for row in rows]
    batch, raw, look_up = [], [], []
    for number in range(5):
        states = [agent_sync.AgentSyncState(place / f"{n}{number}.db") for n in "ab"]
        for state in states:
            state.register_source("s", "https://example.com/r.git")
        started = time.perf_counter()
        states[0].track_files_batch("s", files)
        batch.append(time.perf_counter() - started)
        connection = sqlite3.connect(states[1].db_path)
        started = time.perf_counter()
        with connection:
            connection.executemany(
                f"INSERT INTO agent_files (source_id, synced_at, {', '.join(keys)})"
                " VALUES ('s', '2026-01-01', ?, ?, ?, ?)",
                rows,
            )
        raw.append(time.perf_counter() - started)
        connection.close()
        started = time.perf_counter()
        for path, *_ in rows[:1000]:
            states[0].get_file_hash("s", path)
        look_up.append((time.perf_counter() - started) / 1000)
    batch, raw, look_up = map(statistics.median, (batch, raw, look_up))
    print(
        f"\ntrack_files_batch, 10,000 rows: {1000 * batch:.0f} ms,"
        f" {batch / raw:.2f} times executemany alone;"
        f" get_file_hash: {1e6 * look_up:.0f} µs"
    )


def machine():
    """Return what the figures were measured with."""
    versions = [
        f"Python {platform.python_version()}",
        git("--version").decode().strip(),
    ]
    return ", ".join(
        [platform.platform(), f"{os.cpu_count()} processors", *versions]
        + [f"load {os.getloadavg()[0]:.1f}"]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--base", help="agent_sync.py of a previous release")
    parser.add_argument("--delays", type=int, nargs="*", default=[0, 50], help="in ms")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 6))
    names = [shape.name for shape in SHAPES] + ["tls", "many", "web", "start"]
    parser.add_argument("--only", nargs="*", default=names, choices=names)
    options = parser.parse_args()
    started = time.monotonic()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="agent-sync-bench-") as directory:
        bench = Bench(pathlib.Path(directory), options)
        measures = {s.name: functools.partial(bench_shape, shape=s) for s in SHAPES}
        measures.update(tls=bench_tls, many=bench_many, web=bench_web)
        if not bench.certificate:
            del measures["tls"]
        for name, measure in measures.items():
            for delay in options.delays if name in options.only else ():
                measure(bench, delay=delay)
        if "start" in options.only:
            bench_start(bench)
        bench.close()
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
