#!/usr/bin/env python3
"""One source -> one downloader. Two namespaces joined by an unshaped veth (--link veth), or one namespace, two addresses on lo (--link lo).
   bench_pair.py --size-mib 1024 --runs 3 --pairs libtorrent:libtorrent,transmission:transmission [--store /dev/shm/lab|/tmp/labdisk] [--out FILE.jsonl]"""
import argparse
from lablib import *

ap = argparse.ArgumentParser()
ap.add_argument("--size-mib", type=int, default=1024)
ap.add_argument("--piece-kib", type=int, default=1024)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--pairs", required=True)
ap.add_argument("--link", default="veth")
ap.add_argument("--store", default=WORK)
ap.add_argument("--mtu", type=int, default=1500)
ap.add_argument("--timeout", type=int, default=180)
ap.add_argument("--out", default=WORK + "/pair.jsonl")
ap.add_argument("--cc", default="cubic")
ap.add_argument("--tag", default="")
a = ap.parse_args()
F = a.size_mib << 20
gib = F / 2**30
D = a.store + "/pair"
os.makedirs(D, exist_ok=True)
src = D + "/src/file.bin"
mkfile(src, F)
S_IP, L_IP = "10.77.0.1", "10.77.0.2"
S_NS, L_NS = PFX + "-a", PFX + "-b"
ns_add(S_NS, a.cc)
if a.link == "veth":
    ns_add(L_NS, a.cc)
    sh(f"ip link add eth0 netns {S_NS} type veth peer name eth0 netns {L_NS}")
    for n, ip in ((S_NS, S_IP), (L_NS, L_IP)):
        sh(f"ip -n {n} link set eth0 mtu {a.mtu} up; ip -n {n} addr add {ip}/24 dev eth0")
else:
    L_NS = S_NS
    for ip in (S_IP, L_IP):
        sh(f"ip -n {S_NS} addr add {ip}/32 dev lo")
tor = D + "/file.torrent"
ih, _ = mktorrent(src, tor, f"http://{S_IP}:6969/announce", a.piece_kib << 10)
tr = None
rows = {}
try:
    for r in range(a.runs):
        for pair in a.pairs.split(","):
            s, l = pair.split(":")
            s, sm = (s.split("+") + ["normal"])[:2]
            l, lm = (l.split("+") + ["normal"])[:2]
            shutil.rmtree(D + "/dst", ignore_errors=True)
            shutil.rmtree(D + "/tmp", ignore_errors=True)
            tr = OpenTracker(S_NS, S_IP, 6969, [ih], D + "/tmp/ot")
            open(src, "rb").read(1)
            S = Client(s, S_NS, "seed", tor, D + "/src", 7001, S_IP, D + "/tmp/s", mode=sm)
            S.wait("armed", 20)
            S.go()
            L = Client(
                l,
                L_NS,
                "leech",
                tor,
                D + "/dst",
                7002,
                L_IP,
                D + "/tmp/l",
                source=f"{S_IP}:7001",
                mode=lm,
            )
            L.wait("armed", 20)
            res = None
            try:
                if S.wait("ready", 120) is None:
                    raise RuntimeError("seed not ready")
                if s != "nginx-curl" and sm != "http" and not tr.wait_seed(ih):
                    raise RuntimeError("seed not announced")
                time.sleep(0.5)
                c0 = S.cpu()
                i0 = cpu_idle()
                m0 = cpu_all()
                L.go()
                tend = time.time() + a.timeout
                while "complete" not in L.ev and time.time() < tend and L.p.poll() is None:
                    S.sample()
                    L.sample()
                    time.sleep(0.05)
                if "complete" not in L.ev:
                    raise RuntimeError("no completion")
                c1 = S.cpu()
                i1 = cpu_idle()
                m1 = cpu_all()
                cl = L.snap_end
                S.sample()
                L.sample()
                if L.rusage:
                    L.hwm = max(L.hwm, L.rusage["maxrss"])
                w = L.ev["complete"] - L.t_go
                time.sleep(0.7)
                ok = same(src, D + "/dst/file.bin")
                res = dict(
                    pair=pair,
                    link=a.link,
                    store=a.store,
                    size_mib=a.size_mib,
                    piece_kib=a.piece_kib,
                    cc=a.cc,
                    tag=a.tag,
                    wall=round(w, 3),
                    mbs=round(F / 1e6 / w, 1),
                    s_cpu=round((sum(c1) - sum(c0)) / gib, 3),
                    s_user=round((c1[0] - c0[0]) / gib, 3),
                    s_sys=round((c1[1] - c0[1]) / gib, 3),
                    l_cpu=round(sum(cl) / gib, 3),
                    l_user=round(cl[0] / gib, 3),
                    l_sys=round(cl[1] / gib, 3),
                    tot_cpu=round((m1[0] - m0[0]) / gib, 3),
                    soft=round((m1[1] - m0[1]) / gib, 3),
                    s_rss=S.hwm >> 20,
                    s_anon=S.anon >> 20,
                    l_rss=L.hwm >> 20,
                    l_anon=L.anon >> 20,
                    l_late_ms=L.info["complete"].get("late_ms"),
                    idle=round((i1[0] - i0[0]) / max(1, i1[1] - i0[1]), 3),
                    ok=ok,
                    run=r,
                )
            except RuntimeError as e:
                res = dict(pair=pair, error=str(e), run=r, tag=a.tag)
            finally:
                L.kill()
                S.kill()
                tr.close()
                tr = None
            print(json.dumps(res), flush=True)
            open(a.out, "a").write(json.dumps(res) + "\n")
            if "error" not in res:
                rows.setdefault(pair, []).append(res)
finally:
    if tr:
        tr.close()
    ns_cleanup()
    shutil.rmtree(D + "/dst", ignore_errors=True)
print(
    f"\n{'source:downloader':34} {'MB/s':>7} {'src CPU-s/GiB (usr+sys)':>26} {'dl CPU-s/GiB (usr+sys)':>26} {'RSS s/d MiB':>12} {'anon s/d':>10} {'machine (softirq)':>18} {'dl loop p99 ms':>14} idle ok"
)
for p, rs in rows.items():
    m = lambda k: med([x[k] for x in rs])
    late = [x["l_late_ms"] for x in rs if x["l_late_ms"] is not None]
    print(
        f"{p:34} {m('mbs'):7.0f} {m('s_cpu'):10.2f} ({m('s_user'):.2f}+{m('s_sys'):.2f}) {m('l_cpu'):14.2f} ({m('l_user'):.2f}+{m('l_sys'):.2f}) {m('s_rss'):6.0f}/{m('l_rss'):<6.0f} {m('s_anon'):4.0f}/{m('l_anon'):<4.0f} {m('tot_cpu'):10.2f} ({m('soft'):.2f}) {f'{med(late):.1f}' if late else '-':>14} {m('idle'):.2f} {all(x['ok'] for x in rs)} n={len(rs)}"
    )
