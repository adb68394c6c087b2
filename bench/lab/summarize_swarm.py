#!/usr/bin/env python3
"""Markdown tables from swarm JSON lines: summarize_swarm.py FILE [TAG]"""
import json, sys, statistics as st

rows = {}
for l in open(sys.argv[1]):
    d = json.loads(l)
    if "error" in d:
        print("error:", d)
        continue
    if len(sys.argv) > 2 and d["tag"] != sys.argv[2]:
        continue
    rows.setdefault(
        (
            d["n"],
            d["arrival"],
            d["selfish"],
            d["leave"],
            d["system"],
            d["size_mib"],
            tuple(d["rates"]),
        ),
        [],
    ).append(d)
f = lambda v, p=1: "-" if v is None or v != v else f"{v:.{p}f}"
print(
    "| N | arrival | peers | source leaves at | system | first | median | last | own median | own max | T* | last/T* | source copies | peers up, copies | done | pieces left in swarm | idle | runs |\n"
    + "|---" * 18
    + "|"
)
for k, rs in sorted(
    rows.items(), key=lambda kv: (kv[0][1], kv[0][3], kv[0][2], kv[0][0], kv[0][4])
):
    m = (
        lambda x: st.median([r[x] for r in rs if r.get(x) is not None])
        if any(r.get(x) is not None for r in rs)
        else None
    )
    n, arr, sel, lv, sysn, mib, rates = k
    sysn += (
        ""
        if (mib, rates) == (64, (80, 20, 80))
        else f" ({mib:g} MiB, {rates[0]:g}/{rates[1]:g}/{rates[2]:g})"
    )
    print(
        f"| {n} | {arr} | {'leave' if sel else 'stay'} | {lv or 'never'} | {sysn} | {f(m('first'))} | {f(m('median'))} | {f(m('last'))} | {f(m('dmed'))} | {f(m('dmax'))} | {f(m('tstar'),2)} | {f(m('ratio'),2)} | {f(m('copies'),2)} | {f(m('peer_up_copies'),2)} | {'/'.join(str(r['done']) for r in rs)} | {'/'.join(f(r.get('union'),3) for r in rs) if lv else ''} | {f(m('idle'),2)} | {len(rs)}{'' if all(r['ok'] for r in rs) else ' BAD'} |"
    )
