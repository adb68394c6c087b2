#!/usr/bin/env python3
"""Swarm lab: source + N peers + tracker, each its own namespace on one bridge, every link shaped both ways by tbf.
 bench_swarm.py --systems libtorrent,libtorrent+super,transmission,aria2,webtorrent,nginx-curl --n 4,8,16 --runs 3
   --arrival flash | stagger:SECONDS      --leave K (source is SIGKILLed after K copies left its link)   --selfish (peers exit when complete)
   --liars K (K seeds that give nothing)   --exodus (when all are done and the server is in S2 they vanish, and one newcomer comes; needs @ADAPTER)
 A system is ADAPTER[+SEEDMODE]; SRC:PEER mixes two adapters, SRC:A|B|C lets the peers take turns among A, B and C. @ADAPTER[+MODE] is a server: tracker and
 source in one, which publishes the file itself (role `server` of the contract). --up takes one rate, or a list that the peers take in turns. One JSON line per run goes to --out."""
import argparse
from lablib import *

ap = argparse.ArgumentParser()
ap.add_argument("--systems", required=True)
ap.add_argument("--n", default="8")
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--size-mib", type=float, default=64)
ap.add_argument("--piece-kib", type=int, default=256)
ap.add_argument("--us", type=float, default=80)
ap.add_argument("--up", default="20")
ap.add_argument("--down", type=float, default=80)
ap.add_argument("--arrival", default="flash")
ap.add_argument("--leave", type=float, default=0)
ap.add_argument("--selfish", action="store_true")
ap.add_argument("--liars", type=int, default=0)
ap.add_argument("--exodus", action="store_true")
ap.add_argument("--timeout", type=float, default=240)
ap.add_argument("--stall", type=float, default=30)
ap.add_argument("--first", action="store_true")
ap.add_argument("--out", default=WORK + "/swarm.jsonl")
ap.add_argument("--tag", default="")
ap.add_argument("--cc", default="cubic")
a = ap.parse_args()
UPS = [float(x) for x in a.up.split(",")]
F = int(a.size_mib * 2**20)
D = WORK + "/swarm"
os.makedirs(D, exist_ok=True)
src = D + "/src/file.bin"
shutil.rmtree(D + "/src", ignore_errors=True)
mkfile(src, F)
tor = D + "/file.torrent"
TR_IP, S_IP = "10.88.0.2", "10.88.0.3"
ih, pieces = mktorrent(src, tor, f"http://{TR_IP}:6969/announce", a.piece_kib << 10)
WIRE = 1514 / 1448  # ethernet bytes per payload byte with full segments and timestamps


def tstar(n, wire=1.0):
    f = F * 8 / 1e6 * wire
    return max(f / a.us, f / a.down, n * f / (a.us + sum(UPS[i % len(UPS)] for i in range(n))))


def tstar_sent(n, copies):
    """the bound when the source sends `copies` copies in all"""
    f = F * 8 / 1e6
    return max(f / a.us, f / a.down, (n - copies) * f / sum(UPS[i % len(UPS)] for i in range(n)))


def start_liars(net, torrent):
    """a.liars addresses on one host, each a seed by its own word only"""
    host = net.host("liars", "10.88.2.1", up=100, down=100)
    ips = [f"10.88.2.{i + 1}" for i in range(a.liars)]
    for ip in ips[1:]:
        sh(f"ip -n {host} addr add {ip}/16 dev eth0")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", "liars.mjs")
    p = subprocess.Popen(
        ["node", script, torrent, "7999", *ips], stdout=subprocess.PIPE, preexec_fn=in_ns(host)
    )
    p.stdout.readline()
    return p


def exodus(net, S, P, peer, torrent):
    """all peers vanish once the server rests; how long one that comes then needs, from its go"""
    until = time.time() + 30
    while time.time() < until and not any(e.get("to") == "S2" for e in S.states):
        time.sleep(0.1)
    rested = any(e.get("to") == "S2" for e in S.states)
    for p in P:
        p.kill(hard=True)
    time.sleep(1)
    ns = net.host("new", "10.88.3.1", up=UPS[0], down=a.down)
    data, tmp = f"{D}/run/dnew", f"{D}/run/tnew"
    c = Client(
        peer[0],
        ns,
        "leech",
        torrent,
        data,
        7999,
        "10.88.3.1",
        tmp,
        source=f"{S_IP}:7000",
        mode=peer[1],
        exit_when_done=False,
        first=True,
    )
    try:
        if c.wait("armed", 60) is None:
            raise RuntimeError("newcomer not armed")
        c.go()
        done = c.wait("complete", F * 8 / 1e6 / a.us * 5 + 60) is not None
        first = c.ev.get("first")
        return dict(
            after_s2=rested,
            first=first and round(first - c.t_go, 2),
            complete=round(c.ev["complete"] - c.t_go, 2) if done else None,
            direct=round(F * 8 / 1e6 / min(a.us, a.down) * WIRE, 2),
        )
    finally:
        c.kill(hard=True)


def run(system, n, r):
    s, l = (system.split(":") * 2)[:2]
    server = s.startswith("@")
    s = s.lstrip("@")
    l = l.lstrip("@")
    s, sm = (s.split("+") + ["normal"])[:2]
    ls = [(x.split("+") + ["normal"])[:2] for x in l.split("|")]
    if ":" not in system:
        ls = [[s, "normal"]]
    shutil.rmtree(D + "/run", ignore_errors=True)
    os.makedirs(D + "/run")
    net = Net(a.cc)
    tr = None
    S = None
    P = []
    liars = None
    try:
        if not server:
            tr = OpenTracker(net.host("tr", TR_IP), TR_IP, 6969, [ih], D + "/run/ot")
        nS = net.host("s", S_IP, up=a.us, down=a.us)
        nP = [
            net.host(f"p{i}", f"10.88.1.{i+1}", up=UPS[i % len(UPS)], down=a.down) for i in range(n)
        ]
        if server:
            S = Client(
                s,
                nS,
                "server",
                "",
                src,
                7000,
                S_IP,
                D + "/run/ts",
                mode=sm,
                more=["--piece-kib", str(a.piece_kib), "--uplink-mbit", str(a.us)],
            )
        else:
            S = Client(s, nS, "seed", tor, D + "/src", 7000, S_IP, D + "/run/ts", mode=sm)
        if S.wait("armed", 30) is None:
            raise RuntimeError("source not armed")
        S.go()
        if S.wait("ready", 60) is None:
            raise RuntimeError("source not ready")
        torrent = S.info["ready"]["torrent"] if server else tor
        if tr and s != "nginx-curl" and not tr.wait_seed(ih):
            raise RuntimeError("source not announced")
        for i in range(n):
            l, lm = ls[i % len(ls)]
            P.append(
                Client(
                    l,
                    nP[i],
                    "leech",
                    torrent,
                    f"{D}/run/d{i}",
                    7001 + i,
                    f"10.88.1.{i+1}",
                    f"{D}/run/t{i}",
                    source=f"{S_IP}:7000",
                    mode=lm,
                    exit_when_done=a.selfish,
                    first=a.first,
                )
            )
        for p in P:
            if p.wait("armed", 60) is None:
                raise RuntimeError("peer not armed")
        if a.liars:
            liars = start_liars(net, torrent)
        time.sleep(0.5)
        c0 = net.counters()
        i0 = cpu_idle()
        sc0 = S.cpu()
        t0 = time.time()
        step = float(a.arrival.split(":")[1]) if a.arrival.startswith("stagger") else 0
        started = 0
        left_at = None
        lastrx = 0
        lastmove = time.time()
        srcmark = {}
        while True:
            now = time.time()
            while started < n and now >= t0 + started * step:
                P[started].go()
                started += 1
            c = net.counters()
            sent = c["s"][0] - c0["s"][0]
            if a.leave and left_at is None and sent >= a.leave * F * WIRE:
                S.kill(hard=True)
                left_at = now - t0
            done = sum("complete" in p.ev for p in P)
            if done == n:
                break
            rx = sum(
                c[f"p{i}"][1] - c0[f"p{i}"][1] for i in range(n)
            )  # all peers: a sum over the unfinished ones would fall when one finishes
            if rx > lastrx + 200e3:
                lastrx = rx
                lastmove = now
            if now - lastmove > a.stall and started == n:
                break
            if now - t0 > a.timeout:
                break
            time.sleep(0.02 if a.leave else 0.05)
            if int(now * 2) != int((now - 0.05) * 2):
                [p.sample() for p in P]
                S.sample()
        newcomer = exodus(net, S, P, ls[0], torrent) if a.exodus and done == n else None
        tend = time.time()
        i1 = cpu_idle()
        c1 = net.counters()
        sc1 = S.cpu()
        time.sleep(0.3)
        dur = sorted(p.ev["complete"] - p.t_go for p in P if "complete" in p.ev)
        ab = sorted(p.ev["complete"] - t0 for p in P if "complete" in p.ev)
        ok = all(same(src, f"{D}/run/d{i}/file.bin") for i in range(n) if "complete" in P[i].ev)
        sent = c1["s"][0] - c0["s"][0]
        up = [c1[f"p{i}"][0] - c0[f"p{i}"][0] for i in range(n)]
        res = dict(
            system=system,
            n=n,
            run=r,
            arrival=a.arrival,
            leave=a.leave,
            selfish=a.selfish,
            size_mib=a.size_mib,
            piece_kib=a.piece_kib,
            rates=[a.us, UPS if len(UPS) > 1 else UPS[0], a.down],
            tag=a.tag,
            done=len(dur),
            first=round(ab[0], 2) if ab else None,
            median=round(med(ab), 2) if ab else None,
            last=round(ab[-1], 2) if ab else None,
            dmed=round(med(dur), 2) if dur else None,
            dmax=round(dur[-1], 2) if dur else None,
            tstar=round(tstar(n), 2),
            tstar_wire=round(tstar(n, WIRE), 2),
            copies=round(sent / WIRE / F, 3),
            peer_up_copies=round(sum(up) / WIRE / F, 3),
            up_min=round(min(up) / WIRE / F, 2),
            up_max=round(max(up) / WIRE / F, 2),
            left_at=left_at and round(left_at, 2),
            idle=round((i1[0] - i0[0]) / (i1[1] - i0[1]), 3),
            src_cpu=None if left_at else round(sum(sc1) - sum(sc0), 2),
            peer_cpu=round(med([sum(p.cpu()) for p in P]), 2),
            rss=max(p.hwm for p in P) >> 20,
            ok=ok,
            span=round(tend - t0, 1),
        )
        if newcomer:
            res["newcomer"] = newcomer
        if a.liars:
            res["liars"] = a.liars
        res["spawn_to_armed"] = round(med([p.ev["armed"] - p.t_spawn for p in P]), 3)
        if a.first:
            res["first_piece_med"] = round(
                med([p.ev["first"] - p.t_go for p in P if "first" in p.ev]), 3
            )
        res["ratio"] = round(res["last"] / res["tstar"], 3) if len(dur) == n else None
        res["tstar_sent"] = round(tstar_sent(n, res["copies"]), 2)
        res["ratio_sent"] = round(res["last"] / res["tstar_sent"], 3) if len(dur) == n else None
        if S.states:
            res["states"] = [
                [round(e.get("t", 0) - t0, 2), e.get("from"), e.get("to"), e.get("reason")]
                for e in S.states
            ]
        if (
            a.leave
        ):  # which part of the file lies in the swarm, in peers that are still there (or all, if they stay)
            have = [False] * len(pieces)
            pl = a.piece_kib << 10
            for i in range(n):
                if a.selfish and "complete" in P[i].ev:
                    continue
                try:
                    with open(f"{D}/run/d{i}/file.bin", "rb") as f:
                        for k in range(len(pieces)):
                            b = f.read(pl)
                            if not have[k] and hashlib.sha1(b).digest() == pieces[k]:
                                have[k] = True
                except FileNotFoundError:
                    pass
            res["union"] = (
                None if a.selfish and len(dur) == n else round(sum(have) / len(have), 4)
            )  # nobody left: not defined
        return res
    finally:
        if liars:
            liars.kill()
        for p in P:
            p.kill(hard=True)
        if S:
            S.kill(hard=True)
        if tr:
            tr.close()
        net.close()
        shutil.rmtree(D + "/run", ignore_errors=True)


allr = []
try:
    for n in map(int, a.n.split(",")):
        for r in range(a.runs):
            for system in a.systems.split(","):
                try:
                    res = run(system, n, r)
                except RuntimeError as e:
                    res = dict(system=system, n=n, run=r, error=str(e), tag=a.tag)
                print(json.dumps(res), flush=True)
                open(a.out, "a").write(json.dumps(res) + "\n")
                allr.append(res)
finally:
    ns_cleanup()
print(
    f"\n{'system':34} {'N':>3} {'first':>6} {'median':>6} {'last':>6} {'T*':>6} {'last/T*':>7} {'/T*(E)':>7} {'copies':>6} {'peerup':>6} {'done':>5} idle n"
)
for n in map(int, a.n.split(",")):
    for system in a.systems.split(","):
        rs = [x for x in allr if x["system"] == system and x["n"] == n and "error" not in x]
        if not rs:
            print(system, n, "no result")
            continue
        m = lambda k: med([x[k] for x in rs if x[k] is not None])
        print(
            f"{system:34} {n:3} {m('first'):6.1f} {m('median'):6.1f} {m('last'):6.1f} {m('tstar'):6.2f} {m('ratio'):7.2f} {m('ratio_sent'):7.2f} {m('copies'):6.2f} {m('peer_up_copies'):6.2f} {m('done'):5.1f} {m('idle'):.2f} {len(rs)} {'' if all(x['ok'] for x in rs) else 'DATA BAD'}"
        )
