#!/usr/bin/env python3
"""Tracker capacity: tracker on core 0, C load generator on core 1, own namespace, loopback, 100k peers in 1k swarms, numwant 50.
   bench_tracker.py --trackers opentracker,bittorrent-tracker --modes udp,udpc,http,httpka --runs 3
   NAME+keys gives each peer of each swarm a key of its own, which NAME must judge (LAB_KEYS has their number a swarm).
   NAME*N has N workers (LAB_WORKERS).
   A tracker is $LAB_ADAPTERS/tracker-NAME or tracker/adapters/NAME, called as: NAME IP PORT TMPDIR WHITELISTFILE (exec's the server, stays in the foreground)."""
import argparse
from lablib import *

ap = argparse.ArgumentParser()
ap.add_argument("--trackers", default="opentracker,bittorrent-tracker")
ap.add_argument("--modes", default="udp,udpc,http,httpka")
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--swarms", type=int, default=1000)
ap.add_argument("--peers", type=int, default=100)
ap.add_argument("--secs", type=float, default=4)
ap.add_argument("--windows", default="64,1")
ap.add_argument("--numwant", type=int, default=50)
ap.add_argument("--key", default="", help="announce to /announce/KEY")
ap.add_argument("--sources", type=int, default=200, help="addresses that TCP comes from")
ap.add_argument("--sockets", type=int, default=1, help="sockets that UDP comes from, each a process with its part of the window")
ap.add_argument("--offers", type=int, default=0, help="offers of an announce over WebSocket, each of which is answered")
ap.add_argument("--out", default=WORK + "/tracker.jsonl")
a = ap.parse_args()
M = (1 << 64) - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & M
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M
    return x ^ (x >> 31)


def ih(s):
    return (
        mix(s * 7 + 1).to_bytes(8, "little")
        + mix(s * 7 + 2).to_bytes(8, "little")
        + mix(s * 7 + 3).to_bytes(8, "little")[:4]
    ).hex()


T = WORK + "/trk"
os.makedirs(T, exist_ok=True)
wl = T + "/wl.txt"
open(wl, "w").write("\n".join(ih(s) for s in range(a.swarms)) + "\n")
NS = PFX + "-t"
gen = WORK + "/loadgen"
loadgen = HERE + "/tracker/loadgen.c"
if not os.path.exists(gen) or os.path.getmtime(gen) < os.path.getmtime(loadgen):
    sh(f"gcc -O2 -o {gen} {loadgen}")


def lg(mode, pid, *x, keyed=False):
    r = subprocess.run(
        [
            "taskset",
            "-c",
            "1",
            gen,
            mode,
            "127.0.0.1",
            "6969",
            "--swarms",
            str(a.swarms),
            "--peers",
            str(a.peers),
            "--pid",
            str(pid),
            "--numwant",
            str(a.numwant),
            "--sources",
            str(a.sources),
            "--sockets",
            str(a.sockets),
            "--offers",
            str(a.offers),
            *(["--key", a.key] if a.key else []),
            *(["--keys"] if keyed else []),
            *map(str, x),
        ],
        preexec_fn=in_ns(NS),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if r.stderr:
        sys.stderr.write(r.stderr[:400])
    return json.loads(r.stdout)


rows = {}
try:
    ns_add(NS)
    for t in a.trackers.split(","):
        program, keyed = t.removesuffix("+keys"), t.endswith("+keys")
        program, _, workers = program.partition("*")
        for run in range(a.runs):
            for mode in a.modes.split(","):
                shutil.rmtree(T + "/run", ignore_errors=True)
                p = subprocess.Popen(
                    [
                        "taskset",
                        "-c",
                        "0",
                        adapter("tracker-" + program, HERE + "/tracker/adapters/" + program),
                        "127.0.0.1",
                        "6969",
                        T + "/run",
                        wl,
                    ],
                    preexec_fn=in_ns(NS),
                    env={
                        **os.environ,
                        **({"LAB_KEYS": str(a.peers)} if keyed else {}),
                        **({"LAB_WS": "1"} if mode == "ws" else {}),
                        **({"LAB_WORKERS": workers} if workers else {}),
                    },
                    stdout=open(T + "/log", "w"),
                    stderr=subprocess.STDOUT,
                )
                time.sleep(4 if keyed else 1.5)
                try:
                    # over WebSocket the connections are the peers: --windows 1000,10000
                    f = (
                        {"rss0_kib": 0, "rss1_kib": 0, "ok": 0}
                        if mode == "ws"
                        else lg("udpc" if "udp" in mode else "http", p.pid, "--fill", "--window", 64, keyed=keyed)
                    )
                    f.update(tracker=t, run=run, phase="fill")
                    open(a.out, "a").write(json.dumps(f) + "\n")
                    for w in a.windows.split(","):
                        r = lg(
                            mode,
                            p.pid,
                            "--window",
                            w,
                            "--secs",
                            a.secs if int(w) > 1 else 1.5,
                            "--seed",
                            run + 1,
                            keyed=keyed,
                        )
                        r.update(
                            tracker=t,
                            run=run,
                            # over WebSocket: of a connection, what V8 keeps for new objects included
                            rss_per_peer=round(
                                (r["rss_open_kib"] - r["rss0_kib"]) * 1024 / int(w)
                                if mode == "ws"
                                else (f["rss1_kib"] - f["rss0_kib"]) * 1024 / (a.swarms * a.peers)
                            ),
                            fill_ok=f["ok"],
                        )
                        rows.setdefault((t, mode, w), []).append(r)
                        open(a.out, "a").write(json.dumps(r) + "\n")
                        print(json.dumps(r), flush=True)
                except Exception as e:
                    print(t, mode, "FAILED", e, flush=True)
                finally:
                    p.kill()
                    p.wait()
finally:
    ns_cleanup()
print(
    f"\n{'tracker':20} {'mode':7} {'win':>3} {'ann/s':>8} {'p50us':>7} {'p99us':>7} {'CPUus/ann':>9} {'trk util':>8} {'gen util':>8} {'B/peer':>6} {'passed/s':>8} err lost"
)
for (t, mode, w), rs in rows.items():
    m = lambda k: med([x[k] for x in rs])
    print(
        f"{t:20} {mode:7} {w:>3} {m('rps'):8.0f} {m('p50_us'):7.0f} {m('p99_us'):7.0f} {m('tracker_cpu_us'):9.2f} {m('tracker_util'):8.2f} {m('gen_util'):8.2f} {m('rss_per_peer'):6.0f} {m('passed'):8.0f} {m('err'):.0f} {m('lost'):.0f}"
    )
