"""Shared by the python adapters. Contract: see lab/README.md."""
import argparse, json, os, sys, time, signal, threading


def args():
    p = argparse.ArgumentParser()
    p.add_argument("--role", choices=["seed", "leech"], required=True)
    p.add_argument("--torrent", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--ip", default="0.0.0.0")
    p.add_argument("--source", default="")
    p.add_argument("--mode", default="normal")
    p.add_argument("--tmp", required=True)
    p.add_argument("--exit-when-done", action="store_true")
    p.add_argument(
        "--first", action="store_true", help="report the first verified piece (may poll)"
    )
    a = p.parse_args()
    os.makedirs(a.tmp, exist_ok=True)
    os.makedirs(a.data, exist_ok=True)
    return a


_lock = threading.Lock()


def ev(kind, **kw):
    with _lock:
        sys.stdout.write(json.dumps(dict(ev=kind, t=kw.pop("t", time.time()), **kw)) + "\n")
        sys.stdout.flush()


def gate():
    ev("armed")
    line = sys.stdin.readline()
    if not line:
        sys.exit(3)


def bdecode_name(path):
    d = open(path, "rb").read()
    i = d.index(b"4:name") + 6
    j = d.index(b":", i)
    n = int(d[i:j])
    return d[j + 1 : j + 1 + n].decode()
