"""Measuring lab: namespaces, shaped links, process accounting, adapter runner. python3 (any 3.9+), root."""
import os, sys, subprocess, json, time, threading, signal, ctypes, hashlib, shutil, atexit, urllib.request, statistics as st

HERE = os.path.dirname(os.path.abspath(__file__))
# a client under development brings its own adapters: $LAB_ADAPTERS is looked into first
ADAPTERS = [d for d in (os.environ.get("LAB_ADAPTERS"), HERE + "/adapters") if d]


def adapter(name, ours=""):
    """$LAB_ADAPTERS/name, else the lab's own (`ours`, or adapters/name)"""
    for f in [f"{d}/{name}" for d in ADAPTERS] + [ours]:
        if f and os.access(f, os.X_OK):
            return os.path.abspath(f)
    raise RuntimeError(f"no adapter {name} in {ADAPTERS}")


WORK = os.environ.get("LAB_WORK", "/dev/shm/lab")
os.makedirs(WORK, exist_ok=True)
TCK = os.sysconf("SC_CLK_TCK")
PFX = os.environ.get("LAB_PREFIX", "lab")


def _term(*_):
    sys.exit(143)


signal.signal(signal.SIGTERM, _term)
signal.signal(signal.SIGINT, _term)  # so that finally: blocks clean up
_libc = ctypes.CDLL(None, use_errno=True)


def sh(cmd, check=True, quiet=True):
    r = subprocess.run(cmd, shell=True, text=True, capture_output=True)
    if check and r.returncode:
        raise RuntimeError(f"{cmd}: {r.stderr}")
    return r.stdout


# ---------- namespaces ----------
_ns = []


def allow_cc(cc):
    # a new namespace may only choose a congestion control on the machine's allow list: add it there
    p = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"
    cur = open(p).read().split()
    if cc not in cur:
        open(p, "w").write(" ".join(cur + [cc]))


def ns_add(name, cc="cubic"):
    allow_cc(cc)
    sh(f"ip netns del {name}", check=False)
    sh(f"ip netns add {name}")
    _ns.append(name)
    sh(f"ip -n {name} link set lo up")
    sh(
        f"ip netns exec {name} sysctl -qw net.ipv4.tcp_congestion_control={cc} net.ipv6.conf.all.disable_ipv6=1 net.ipv4.tcp_no_metrics_save=1"
    )


def ns_cleanup():
    for n in _ns:
        sh(f"ip netns del {n}", check=False)
    _ns.clear()


def in_ns(name):
    """preexec_fn: enter netns `name`"""

    def f():
        fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
        if _libc.setns(fd, 0x40000000):
            os._exit(97)
        os.close(fd)
        os.setsid()
        _libc.prctl(1, signal.SIGKILL)  # die with the harness

    return f


def rate_qdisc(ns, dev, mbit, burst=32768, lat="40ms"):
    if mbit:
        sh(
            f"tc -n {ns} qdisc replace dev {dev} root tbf rate {int(mbit*1e6)}bit burst {burst} latency {lat}"
        )


class Net:
    """One bridge namespace; hosts hang on it with veths. up shapes the host's end, down shapes the bridge's end."""

    def __init__(self, cc="cubic"):
        self.cc = cc
        self.br = PFX + "-br"
        ns_add(self.br, cc)
        sh(f"ip -n {self.br} link add br0 type bridge && ip -n {self.br} link set br0 up")
        self.holder = subprocess.Popen(["sleep", "36000"], preexec_fn=in_ns(self.br))
        self.hosts = {}

    def host(self, name, ip, up=None, down=None, offload=False):
        n = f"{PFX}-{name}"
        ns_add(n, self.cc)
        v = f"v{name}"
        sh(f"ip link add {v} netns {self.br} type veth peer name eth0 netns {n}")
        if not offload:
            sh(
                f"ip netns exec {n} ethtool -K eth0 tso off gso off gro off; ip netns exec {self.br} ethtool -K {v} tso off gso off gro off"
            )
        sh(
            f"ip -n {self.br} link set {v} master br0 up && ip -n {n} addr add {ip}/16 dev eth0 && ip -n {n} link set eth0 up"
        )
        rate_qdisc(n, "eth0", up)
        rate_qdisc(self.br, v, down)
        self.hosts[name] = ip
        return n

    def counters(self):
        """{host: (bytes sent by host, bytes received by host)} on the wire"""
        out = {}
        for line in open(f"/proc/{self.holder.pid}/net/dev").read().splitlines()[2:]:
            k, v = line.split(":")
            k = k.strip()
            v = v.split()
            if k.startswith("v") and k[1:] in self.hosts:
                out[k[1:]] = (int(v[0]), int(v[8]))
        return out

    def close(self):
        self.holder.kill()
        self.holder.wait()
        ns_cleanup()


# ---------- process accounting ----------
def pstat(pid):
    f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return int(f[11]) / TCK, int(f[12]) / TCK


def pmem(pid):
    d = {}
    for l in open(f"/proc/{pid}/status"):
        if l[:5] in ("VmHWM", "RssAn"):
            k, v = l.split(":")
            d[k] = int(v.split()[0]) * 1024
    return d.get("VmHWM", 0), d.get("RssAnon", 0)


def cpu_idle():
    f = list(map(int, open("/proc/stat").readline().split()[1:]))
    return f[3] + f[4] + f[1], sum(f[:8])


def cpu_all():
    """whole machine, seconds: user+system+irq+softirq (nice'd work of others left out), softirq alone"""
    f = list(map(int, open("/proc/stat").readline().split()[1:]))
    return (f[0] + f[2] + f[5] + f[6]) / TCK, (f[5] + f[6]) / TCK


class Client:
    def __init__(
        self,
        name,
        ns,
        role,
        torrent,
        data,
        port,
        ip,
        tmp,
        source="",
        mode="normal",
        exit_when_done=False,
        first=False,
        pin=None,
        env=None,
        more=(),
    ):
        self.name = name
        self.ev = {}
        self.info = {}
        self.states = []
        self.pids = []
        self.cv = threading.Condition()
        self.rusage = None
        self.anon = 0
        self.hwm = 0
        what = ["--file", data] if role == "server" else ["--torrent", torrent, "--data", data]
        cmd = [
            adapter(name),
            "--role",
            role,
            *what,
            "--port",
            str(port),
            "--ip",
            ip,
            "--tmp",
            tmp,
            "--mode",
            mode,
            *more,
        ]
        if source:
            cmd += ["--source", source]
        if exit_when_done:
            cmd += ["--exit-when-done"]
        if first:
            cmd += ["--first"]
        if pin is not None:
            cmd = ["taskset", "-c", str(pin)] + cmd
        os.makedirs(tmp, exist_ok=True)
        role == "server" or os.makedirs(data, exist_ok=True)
        self.err = open(tmp + "/adapter.err", "w")
        self.t_spawn = time.time()
        self.p = subprocess.Popen(
            cmd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.err,
            preexec_fn=in_ns(ns),
            env={**os.environ, **(env or {})},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.p.stdout:
            try:
                e = json.loads(line)
            except ValueError:
                continue
            k = e["ev"]
            if k == "pid":
                self.pids.append(e["pid"])
            elif k == "rusage":
                self.rusage = e
            elif k == "error":
                sys.stderr.write(f"{self.name}: {e}\n")
            elif k == "state":
                self.states.append(e)
            if k == "complete":
                self.snap_end = self.cpu()
            self.info.setdefault(k, e)
            with self.cv:
                self.ev.setdefault(k, e.get("t", time.time()))
                self.cv.notify_all()
        with self.cv:
            self.ev.setdefault("eof", time.time())
            self.cv.notify_all()

    def wait(self, kind, timeout):
        end = time.time() + timeout
        with self.cv:
            while kind not in self.ev:
                left = end - time.time()
                if left <= 0 or ("eof" in self.ev and kind != "eof"):
                    return None
                self.cv.wait(min(left, 1))
        return self.ev[kind]

    def go(self):
        self.t_go = time.time()
        self.p.stdin.write(b"go\n")
        self.p.stdin.flush()

    def cpu(self):
        if self.rusage:
            return self.rusage["user"], self.rusage["sys"]
        u = s = 0
        for p in self.pids:
            try:
                a, b = pstat(p)
                u += a
                s += b
            except (OSError, IndexError):
                pass
        return u, s

    def sample(self):
        for p in self.pids:
            try:
                h, a = pmem(p)
                self.hwm = max(self.hwm, h)
                self.anon = max(self.anon, a)
            except OSError:
                pass

    def kill(self, hard=False):
        if hard:
            for p in self.pids:
                try:
                    os.kill(p, signal.SIGKILL)
                except OSError:
                    pass
            self.p.kill()
        else:
            self.p.terminate()
        try:
            self.p.wait(6)
        except subprocess.TimeoutExpired:
            for p in self.pids:
                try:
                    os.kill(p, signal.SIGKILL)
                except OSError:
                    pass
            self.p.kill()
            self.p.wait()


# ---------- torrent making (own bencoder, so that no client's quirks come in) ----------
def benc(x):
    if isinstance(x, int):
        return b"i%de" % x
    if isinstance(x, str):
        x = x.encode()
    if isinstance(x, bytes):
        return b"%d:" % len(x) + x
    if isinstance(x, list):
        return b"l" + b"".join(map(benc, x)) + b"e"
    return b"d" + b"".join(benc(k) + benc(x[k]) for k in sorted(x)) + b"e"


def mkfile(path, size):
    """Deterministic pseudo-random content, cheap (AES-CTR by openssl)."""
    if os.path.exists(path) and os.path.getsize(path) == size:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    sh(
        f'head -c {size} /dev/zero | openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv 0{"0"*31} > {path}'
    )


def mktorrent(path, out, announce, piece):
    pcs = []
    with open(path, "rb") as f:
        while b := f.read(piece):
            pcs.append(hashlib.sha1(b).digest())
    info = {
        "length": os.path.getsize(path),
        "name": os.path.basename(path),
        "piece length": piece,
        "pieces": b"".join(pcs),
    }
    open(out, "wb").write(benc({"announce": announce, "info": info}))
    return hashlib.sha1(benc(info)).digest(), pcs


def same(a, b):
    return subprocess.run(["cmp", "-s", a, b]).returncode == 0


# ---------- tracker ----------
class OpenTracker:
    def __init__(self, ns, ip, port, ih_list, tmp, pin=None):
        os.makedirs(tmp, exist_ok=True)
        wl = tmp + "/wl.txt"
        open(wl, "w").write("".join(i.hex() + "\n" for i in ih_list))
        os.chmod(wl, 0o644)
        os.chmod(tmp, 0o755)

        cmd = [
            "opentracker",
            "-i",
            ip,
            "-p",
            str(port),
            "-P",
            str(port),
            "-w",
            wl,
            "-u",
            "nobody",
            "-d",
            "/",
        ]
        if pin is not None:
            cmd = ["taskset", "-c", str(pin)] + cmd
        self.ns = ns
        self.ip = ip
        self.port = port
        self.log = open(tmp + "/ot.log", "w")
        self.p = subprocess.Popen(
            cmd,
            preexec_fn=in_ns(ns) if ns else None,
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
        )
        time.sleep(0.3)

    def seeders(self, ih):
        q = "".join("%%%02x" % b for b in ih)
        code = f"import urllib.request as u,re;d=u.urlopen('http://{self.ip}:{self.port}/scrape?info_hash={q}',timeout=3).read();m=re.search(rb'8:completei(\\d+)e',d);print(m.group(1).decode() if m else 0)"
        r = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=in_ns(self.ns)
        )
        return int(r.stdout or 0)

    def wait_seed(self, ih, timeout=15, want=1):
        end = time.time() + timeout
        while time.time() < end:
            if self.seeders(ih) >= want:
                return True
            time.sleep(0.2)
        return False

    def close(self):
        self.p.kill()
        self.p.wait()


def med(x):
    return st.median(x) if x else float("nan")
