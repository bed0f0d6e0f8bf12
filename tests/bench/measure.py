"""What the measuring scripts share: the program in a pseudo-terminal, what the kernel says of it, tables.

It refuses to judge: it says what it saw, and ends what it started.
"""
import contextlib, fcntl, json, os, pathlib, pty, re, select, signal, statistics, struct, subprocess, sys, tempfile
import termios, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WIDTH, HEIGHT = 120, 36
TICKS = os.sysconf("SC_CLK_TCK")


def isolated(folder, config):
    """Nothing of the user's own configuration or state takes part."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("SKYDECK_", "XDG_"))}
    state = folder / "home"
    state.mkdir(exist_ok=True)
    return {**own, "HOME": str(state), "KUBECONFIG": str(config), "TERM": "xterm-256color", "NO_PROXY": "127.0.0.1"}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid, field):
    found = re.search(rf"^{field}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(found[1]) / 1024


def wire_bytes(pid):
    """What the open connections of a process have received, TLS included."""
    told = subprocess.run(["ss", "-tinpH"], capture_output=True, text=True, check=True).stdout
    sockets = re.split(r"\n(?=\S)", told)
    return sum(int(size) for it in sockets if f"pid={pid}," in it for size in re.findall(r"bytes_received:(\d+)", it))


def status(binary, environment):
    """`skydeck status clusters`: seconds, peak, CPU, document."""
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        process = subprocess.Popen([binary, "status", "clusters", "-o", "json", "--timeout", "60s"], env=environment, stdout=out,
                                   stdin=subprocess.DEVNULL)
        _, code, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(code)
        out.seek(0)
        document = json.loads(out.read())
    if process.returncode != 0:
        sys.exit(f"skydeck status ended with {process.returncode}: {[it['problem'] for it in document['items']]}")
    return seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime, document


class Screen:
    """As much of a terminal as the console uses: cursor addresses, text, erasing."""
    TOKEN = re.compile(r"\x1b\[([?>=<]?)([\d;:]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|\x1b[ -/]*[0-~]|[^\x1b]", re.S)
    UNFINISHED = re.compile(r"\x1b(?:[ -/]*|\[[^@-~]*|\][^\x07\x1b]*\x1b?)$")

    def __init__(self):
        self.rows = [[" "] * WIDTH for _ in range(HEIGHT)]
        self.x = self.y = 0
        self.rest = b""
        self.left = ""

    def feed(self, data):
        data = self.rest + data
        text = data.decode(errors="ignore")
        self.rest = data[len(text.encode()):] if len(data) - len(text.encode()) < 4 else b""
        text = self.left + text
        unfinished = self.UNFINISHED.search(text)
        self.left = unfinished[0] if unfinished else ""
        for token in self.TOKEN.finditer(text[:len(text) - len(self.left)]):
            if token[3]:
                self.control(token[1], token[2], token[3])
            elif len(token[0]) == 1 and token[0] >= " ":
                if self.x < WIDTH and self.y < HEIGHT:
                    self.rows[self.y][self.x] = token[0]
                self.x += 1
            elif token[0] == "\r":
                self.x = 0
            elif token[0] == "\n":
                self.y += 1

    def control(self, mark, numbers, final):
        if mark:
            return
        numbers = [int(it) if it else 0 for it in re.split("[;:]", numbers)] if numbers else [0]
        if final in "Hf":
            self.y = max(numbers[0], 1) - 1
            self.x = max(numbers[1] if len(numbers) > 1 else 1, 1) - 1
        elif final == "G":
            self.x = max(numbers[0], 1) - 1
        elif final == "C":
            self.x += max(numbers[0], 1)
        elif final == "J":
            self.rows = [[" "] * WIDTH for _ in range(HEIGHT)]
        elif final == "K" and self.y < HEIGHT:
            self.rows[self.y][self.x:] = [" "] * (WIDTH - self.x)

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.rows)


class Console:
    """The console in a pseudo-terminal; its screen is read all the time, as a terminal does."""

    def __init__(self, binary, environment):
        self.screen, self.output = Screen(), 0
        self.began = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
            os.execve(binary, [str(binary)], environment)
        # The child may start before its size is set; both sides set the same.
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))

    def read(self, seconds):
        """Reads what comes within so long; false when the console has ended."""
        ready, _, _ = select.select([self.terminal], [], [], max(0, seconds))
        if not ready:
            return True
        try:
            data = os.read(self.terminal, 1 << 16)
        except OSError:
            return False
        self.output += len(data)
        self.screen.feed(data)
        return bool(data)

    def until(self, shown, seconds, what):
        """Seconds from the start of the program until the screen shows it."""
        deadline = time.monotonic() + seconds
        while not shown(self.screen.text()):
            if time.monotonic() > deadline or not self.read(deadline - time.monotonic()):
                sys.exit(f"{what} did not come:\n{self.screen.text()}")
        return time.monotonic() - self.began

    def watch(self, seconds):
        """CPU of so many seconds, as part of one core."""
        before, began = cpu_seconds(self.pid), time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            if not self.read(left):
                sys.exit("the console ended")
        return (cpu_seconds(self.pid) - before) / (time.monotonic() - began)

    def keys(self, count):
        """Seconds from a key that moves the cursor of the clusters panel to the screen that shows it, sorted."""
        def marked():
            return [at for at, row in enumerate(self.screen.rows) if "›" in row[:3]]

        os.write(self.terminal, b"2")
        self.until(lambda text: "REQ/S" in text, 20, "the clusters panel")
        spread = []
        for at in range(count):
            before, pressed = marked(), time.monotonic()
            os.write(self.terminal, b"jk"[at % 2:at % 2 + 1])
            while marked() == before:
                if time.monotonic() > pressed + 20 or not self.read(0.1):
                    sys.exit(f"no key moved the cursor:\n{self.screen.text()}")
            spread.append(time.monotonic() - pressed)
            # As a person does: also while something else goes on.
            pause = time.monotonic() + 0.03
            while (left := pause - time.monotonic()) > 0 and self.read(left):
                pass
        return sorted(spread)

    def quit(self):
        if self.pid is None:
            return
        with contextlib.suppress(OSError):
            os.write(self.terminal, b"q")
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline and self.read(deadline - time.monotonic()):
                pass
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGTERM)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.terminal)
        self.pid = None


@contextlib.contextmanager
def console(binary, environment):
    running = Console(binary, environment)
    try:
        yield running
    finally:
        running.quit()


def first_frame(running):
    """Seconds to the first frame."""
    return running.until(lambda text: "READ-ONLY" in text, 20, "the first frame")


def pods_told(running):
    """Seconds to the moment when what pods request is a number without a `?`: then every one of them was told."""
    return running.until(lambda text: re.search(r"GPUs \d+/\d+ requested", text), 120, "the last pod")


def all_live(running, count, of=None):
    """Seconds to all rows: those of so many clusters, of so many that there are."""
    return running.until(lambda text: f"clusters {count}/{of or count} live" in text, 120, "the last row")


def started(running, count, of=None):
    """Seconds to the first frame and to all rows."""
    return first_frame(running), all_live(running, count, of)


def median(values):
    return statistics.median(values)


def times(values):
    return " ".join(f"{value:.2f}" for value in values)


def show(title, table):
    print(f"\n{title}")
    widths = [max(len(row[at]) for row in table) for at in range(2)]
    for what, value, note in table:
        print(f"{what:<{widths[0]}}  {value:>{widths[1]}}  {note}".rstrip())
    sys.stdout.flush()


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    total = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return (f"{os.cpu_count()} x {cpu[1] if cpu else os.uname().machine}, {int(total[1]) >> 20} GiB, "
            f"Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}")


def build():
    subprocess.run(["nice", "-n", "5", "cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "release" / "skydeck"


def on_signals_end():
    """A signal becomes an exception, so that what was started is ended."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
