// SHA-1 / SHA-256 MB/s on one core. taskset -c 1 node crypto_limit.mjs
import crypto from "crypto";
const med = (a) => a.sort((x, y) => x - y)[a.length >> 1];
const bench = (name, bytes, f) => {
  const rs = [];
  for (let r = 0; r < 4; r++) {
    const n = Math.ceil(256e6 / bytes);
    const t = performance.now();
    for (let i = 0; i < n; i++) f();
    const dt = (performance.now() - t) / 1e3;
    if (r) rs.push((n * bytes) / 1e6 / dt);
  }
  console.log(name.padEnd(46), med(rs).toFixed(0).padStart(6), "MB/s");
};
for (const alg of ["sha1", "sha256"]) {
  for (const kib of [16, 64, 256, 1024, 4096]) {
    const b = crypto.randomBytes(kib * 1024);
    bench(`${alg} createHash one update ${kib} KiB`, b.length, () =>
      crypto.createHash(alg).update(b).digest(),
    );
    if (crypto.hash)
      bench(`${alg} crypto.hash ${kib} KiB`, b.length, () => crypto.hash(alg, b, "buffer"));
  }
  const p = crypto.randomBytes(1 << 20);
  bench(`${alg} createHash 1 MiB piece in 16 KiB updates`, 1 << 20, () => {
    const h = crypto.createHash(alg);
    for (let i = 0; i < 64; i++) h.update(p.subarray(i * 16384, i * 16384 + 16384));
    h.digest();
  });
}
for (const alg of ["SHA-1", "SHA-256"]) {
  const p = crypto.randomBytes(1 << 20);
  const rs = [];
  for (let r = 0; r < 4; r++) {
    const c0 = process.cpuUsage();
    const t = performance.now();
    for (let i = 0; i < 64; i++)
      await Promise.all([0, 1, 2, 3].map(() => crypto.subtle.digest(alg, p)));
    const dt = (performance.now() - t) / 1e3;
    const c = process.cpuUsage(c0);
    if (r) rs.push([(256 * 1.048576) / dt, ((c.user + c.system) / 1e6) * 4]);
  }
  rs.sort((a, b) => a[0] - b[0]);
  console.log(
    `${alg} subtle.digest 1 MiB, 4 in flight`.padEnd(46),
    rs[1][0].toFixed(0).padStart(6),
    "MB/s",
    rs[1][1].toFixed(2),
    "CPU-s/GiB (copies the input, thread pool)",
  );
}
