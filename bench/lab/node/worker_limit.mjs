// worker_threads: what a hop costs, and hashing pieces in a worker. node worker_limit.mjs
import { Worker, isMainThread, parentPort, workerData } from "worker_threads";
import crypto from "crypto";
import { fileURLToPath } from "url";
if (!isMainThread) {
  if (workerData.mode === "sab") {
    const ctl = new Int32Array(workerData.ctl),
      data = new Uint8Array(workerData.data);
    let seen = 0;
    for (;;) {
      Atomics.wait(ctl, 0, seen);
      const v = Atomics.load(ctl, 0);
      if (v === -1) process.exit(0);
      if (v === seen) continue;
      seen = v;
      if (workerData.hash) crypto.createHash("sha1").update(data).digest();
      Atomics.store(ctl, 1, v);
      Atomics.notify(ctl, 1);
    }
  } else
    parentPort.on("message", (m) => {
      const b = m.ab ? new Uint8Array(m.ab) : m.b;
      const h = workerData.hash && b ? crypto.createHash("sha1").update(b).digest() : null;
      parentPort.postMessage(
        { i: m.i, h, ab: m.ab },
        m.ab && m.ab instanceof ArrayBuffer ? [m.ab] : [],
      );
    });
} else {
  const me = fileURLToPath(import.meta.url),
    P = 1 << 20,
    N = 1024;
  const run = (name, wd, make, inflight) =>
    new Promise((resolve) => {
      const w = new Worker(me, { workerData: wd });
      let sent = 0,
        got = 0,
        t0,
        c0,
        e0;
      const pool = Array.from({ length: inflight }, make);
      const send = (m) => {
        const i = sent++;
        if (m.ab) w.postMessage({ i, ab: m.ab }, m.ab instanceof ArrayBuffer ? [m.ab] : []);
        else w.postMessage({ i, b: m.b }, []);
      };
      w.on("message", (r) => {
        got++;
        if (got === N) {
          const dt = (performance.now() - t0) / 1e3,
            c = process.cpuUsage(c0),
            e = performance.eventLoopUtilization(e0);
          console.log(
            name.padEnd(58),
            ((dt / N) * 1e6).toFixed(1).padStart(7),
            "us/msg",
            ((N * P) / 1e6 / dt).toFixed(0).padStart(6),
            "MB/s-equivalent; process CPU",
            ((c.user + c.system) / N).toFixed(1),
            "us/msg; main loop busy",
            e.utilization.toFixed(2),
          );
          void w.terminate();
          resolve();
        } else if (sent < N) send(r.ab ? { ab: r.ab } : make());
      });
      w.on("online", () =>
        setTimeout(() => {
          t0 = performance.now();
          c0 = process.cpuUsage();
          e0 = performance.eventLoopUtilization();
          for (const m of pool) send(m);
        }, 100),
      );
    });
  const small = () => ({ b: null });
  for (const k of [1, 16]) await run(`empty message round trip, ${k} in flight`, {}, small, k);
  for (const k of [1, 16])
    await run(
      `transfer 1 MiB ArrayBuffer there and back, ${k} in flight`,
      {},
      () => ({ ab: new ArrayBuffer(P) }),
      k,
    );
  for (const k of [1, 4])
    await run(
      `copy 1 MiB Buffer there (structured clone), ${k} in flight`,
      {},
      () => ({ b: Buffer.alloc(P) }),
      k,
    );
  for (const k of [1, 4])
    await run(
      `transfer 1 MiB + SHA-1 in worker, ${k} in flight`,
      { hash: true },
      () => ({ ab: new ArrayBuffer(P) }),
      k,
    );
  const sab = new SharedArrayBuffer(P);
  for (const k of [1, 4])
    await run(
      `SharedArrayBuffer 1 MiB by message + SHA-1, ${k} in flight`,
      { hash: true },
      () => ({ ab: sab }),
      k,
    );
  {
    const b = Buffer.alloc(P);
    const t = performance.now();
    for (let i = 0; i < N; i++) crypto.createHash("sha1").update(b).digest();
    const dt = (performance.now() - t) / 1e3;
    console.log(
      "SHA-1 of 1 MiB on the main thread".padEnd(58),
      ((dt / N) * 1e6).toFixed(1).padStart(7),
      "us/msg",
      ((N * P) / 1e6 / dt).toFixed(0).padStart(6),
      "MB/s",
    );
  }
}
