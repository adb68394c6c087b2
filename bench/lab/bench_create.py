#!/usr/bin/env python3
"""Torrent creation over one big page-cached file. bench_create.py [--gib 4] [--runs 3]; 1 MiB pieces, v1 only. Wall by clock, CPU by wait4.
   To add a maker: --maker 'NAME=COMMAND with {f} for the file, {o} for the output, {t} for a torrent of the file and {d} for its folder', or a line in MAKERS."""
import argparse
from lablib import *

ap = argparse.ArgumentParser()
ap.add_argument("--gib", type=float, default=4)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--only", default="")
ap.add_argument("--maker", action="append", default=[])
a = ap.parse_args()
D = WORK + "/create"
os.makedirs(D, exist_ok=True)
f = D + "/big.bin"
F = int(a.gib * 2**30)
mkfile(f, F)
o = D + "/o.torrent"
LT = f"import libtorrent as lt,sys; fs=lt.file_storage(); fs.add_file('big.bin',{F}); t=lt.create_torrent(fs,1<<20,flags=lt.create_torrent.v1_only); t.add_tracker('http://127.0.0.1/announce'); lt.set_piece_hashes(t,'{D}'); open('{o}','wb').write(lt.bencode(t.generate()))"
NODE = lambda body: [
    "node",
    "-e",
    f"const fs=require('fs'),c=require('crypto');const fd=fs.openSync('{f}'),b=Buffer.allocUnsafeSlow(1<<20);let out=[];for(let p=0;p<{F};p+=1<<20){{fs.readSync(fd,b,0,1<<20,p);{body}}}",
]
WRK = HERE + "/create/workers.mjs"
MAKERS = {
    "cat >/dev/null (read)": ["dd", f"if={f}", "of=/dev/null", "bs=1M", "status=none"],
    "openssl dgst -sha1": ["openssl", "dgst", "-sha1", f],
    "mktorrent -t 1": [
        "mktorrent",
        "-t",
        "1",
        "-l",
        "20",
        "-a",
        "http://127.0.0.1/announce",
        "-o",
        o,
        f,
    ],
    "mktorrent -t 2": [
        "mktorrent",
        "-t",
        "2",
        "-l",
        "20",
        "-a",
        "http://127.0.0.1/announce",
        "-o",
        o,
        f,
    ],
    "libtorrent v1_only": ["/usr/bin/python3", "-c", LT],
    "transmission-create": [
        "transmission-create",
        "-s",
        "1024",
        "-t",
        "http://127.0.0.1/announce",
        "-o",
        o,
        f,
    ],
    "create-torrent (JS)": [
        "node",
        os.environ.get("PEERS_DIR", "/tmp/peers") + "/node_modules/create-torrent/bin/cmd.js",
        f,
        "--announce",
        "http://127.0.0.1/announce",
        "--pieceLength",
        str(1 << 20),
        "-o",
        o,
    ],
    "node readSync only": NODE(""),
    "node readSync+createHash sha1": NODE("out.push(c.createHash('sha1').update(b).digest())"),
    "node readSync+crypto.hash sha1": NODE("out.push(c.hash('sha1',b,'buffer'))"),
    "node 2 workers sha1": ["node", WRK, f, "2"],
}
t = D + "/t.torrent"
for mk in a.maker:
    n, c = mk.split("=", 1)
    MAKERS[n] = [
        x.replace("{f}", f).replace("{o}", o).replace("{d}", D).replace("{t}", t) for x in c.split()
    ]
    if "{t}" in c:
        mktorrent(f, t, "http://127.0.0.1/announce", 1 << 20)
if a.only:
    MAKERS = {n: c for n, c in MAKERS.items() if any(x in n for x in a.only.split(","))}
rows = {n: [] for n in MAKERS}
chk = {n: "" for n in MAKERS}


def digest(torrent):
    """a short digest of all piece hashes: the same for every maker"""
    d = open(torrent, "rb").read()
    i = d.index(b"6:pieces") + 8
    j = d.index(b":", i)
    n = int(d[i:j])
    h = hashlib.sha1(d[j + 1 : j + 1 + n]).hexdigest()[:10]
    return f"{n//20} pieces {h}"


# In turns, so that a busy minute of the machine hits all alike.
for r in range(a.runs):
    for name, cmd in MAKERS.items():
        if os.path.exists(o):
            os.unlink(o)
        start = time.time()
        p = subprocess.Popen(
            cmd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        err = p.stderr.read()
        _, rc, ru = os.wait4(p.pid, 0)
        if rc:
            print(name, "FAILED", err[-300:])
            continue
        rows[name].append(
            (time.time() - start, ru.ru_utime, ru.ru_stime, ru.ru_maxrss / 1024)
        )
        if os.path.exists(o) and "hash" not in name:
            chk[name] = digest(o)
print(f"{'maker':32} {'GB/s':>6} {'CPU-s/GiB':>9} {'usr':>6} {'sys':>6} {'RSS MiB':>8}  all walls")
for name, rs in rows.items():
    if rs:
        rs.sort()
        m = rs[len(rs) // 2]
        g = F / 2**30
        print(
            f"{name:32} {F/1e9/m[0]:6.2f} {(m[1]+m[2])/g:9.3f} {m[1]/g:6.3f} {m[2]/g:6.3f} {m[3]:8.0f}  {[round(x[0],2) for x in rs]} {chk[name]}",
            flush=True,
        )
shutil.rmtree(D)
