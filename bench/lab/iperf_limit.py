#!/usr/bin/env python3
"""iperf3 limit on the same links as bench_pair: veth (mtu 1500, TSO) and lo; 1 stream, 5 s; CPU by getrusage of both ends."""
from lablib import *
import resource


def one(link, mtu=1500, cc="cubic"):
    ns_add(PFX + "-a", cc)
    ln = PFX + "-a"
    if link == "veth":
        ln = PFX + "-b"
        ns_add(ln, cc)
        sh(f"ip link add eth0 netns {PFX}-a type veth peer name eth0 netns {ln}")
        sh(
            f"ip -n {PFX}-a link set eth0 mtu {mtu} up; ip -n {PFX}-a addr add 10.77.0.1/24 dev eth0; ip -n {ln} link set eth0 mtu {mtu} up; ip -n {ln} addr add 10.77.0.2/24 dev eth0"
        )
    else:
        sh(f"ip -n {PFX}-a addr add 10.77.0.1/32 dev lo")
    s = subprocess.Popen(
        ["iperf3", "-s", "-1", "-B", "10.77.0.1"],
        preexec_fn=in_ns(PFX + "-a"),
        stdout=subprocess.DEVNULL,
    )
    time.sleep(0.4)
    r = subprocess.run(
        ["iperf3", "-c", "10.77.0.1", "-t", "4", "-J", "-l", "128K"],
        preexec_fn=in_ns(ln),
        capture_output=True,
        text=True,
    )
    u = os.wait4(s.pid, 0)[2]
    ns_cleanup()
    e = json.loads(r.stdout)["end"]
    b = e["sum_received"]["bytes"]
    sec = e["sum_received"]["seconds"]
    c = e["cpu_utilization_percent"]
    gib = b / 2**30
    return b / 1e6 / sec, c["host_total"] / 100 * sec / gib, c["remote_total"] / 100 * sec / gib


for link, cc in (("veth", "cubic"), ("lo", "cubic"), ("veth", "bbr")):
    rs = sorted(one(link, cc=cc) for _ in range(3))
    m = rs[1]
    print(
        f"iperf3 {link:5} {cc:6} median {m[0]:.0f} MB/s  sender {m[1]:.3f} receiver {m[2]:.3f} CPU-s/GiB  (all: {[round(x[0]) for x in rs]})",
        flush=True,
    )
