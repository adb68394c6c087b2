// piece hashes by N worker threads, each reading its own pieces by position
import { Worker, isMainThread, workerData } from "worker_threads";
import fs from "fs";
import crypto from "crypto";
import { fileURLToPath } from "url";
const PL = 1 << 20;
if (isMainThread) {
  const f = process.argv[2],
    n = +process.argv[3],
    size = fs.statSync(f).size,
    np = Math.ceil(size / PL),
    out = new SharedArrayBuffer(np * 20),
    ctr = new SharedArrayBuffer(4);
  let live = n;
  for (let i = 0; i < n; i++)
    new Worker(fileURLToPath(import.meta.url), { workerData: { f, np, out, ctr } }).on(
      "exit",
      () => {
        if (!--live)
          console.log(crypto.createHash("sha1").update(new Uint8Array(out)).digest("hex"));
      },
    );
} else {
  const { f, np, out, ctr } = workerData,
    fd = fs.openSync(f),
    o = new Uint8Array(out),
    c = new Int32Array(ctr),
    b = Buffer.allocUnsafeSlow(PL);
  for (;;) {
    const p = Atomics.add(c, 0, 1);
    if (p >= np) break;
    const n = fs.readSync(fd, b, 0, PL, p * PL);
    o.set(
      crypto.hash
        ? crypto.hash("sha1", n < PL ? b.subarray(0, n) : b, "buffer")
        : crypto
            .createHash("sha1")
            .update(n < PL ? b.subarray(0, n) : b)
            .digest(),
      p * 20,
    );
  }
}
