// Positional file I/O on a page-cached / tmpfs file. node fs_limit.mjs DIR [MiB=1024]
import fs from "fs";
import fsp from "fs/promises";
const dir = process.argv[2] || "/dev/shm/lab",
  mib = +(process.argv[3] || 1024),
  F = mib * 2 ** 20,
  path = dir + "/fslimit.bin";
const fd0 = fs.openSync(path, "w");
{
  const z = Buffer.alloc(1 << 20, 5);
  for (let i = 0; i < mib; i++) fs.writeSync(fd0, z, 0, z.length, i << 20);
}
fs.closeSync(fd0);
const fd = fs.openSync(path, "r+"),
  fh = await fsp.open(path, "r+");
const med = (a) => a.sort((x, y) => x[0] - y[0])[a.length >> 1];
const row = async (name, f) => {
  const rs = [];
  for (let r = 0; r < 3; r++) {
    const c0 = process.cpuUsage(),
      t = performance.now();
    await f();
    const dt = (performance.now() - t) / 1e3,
      c = process.cpuUsage(c0);
    rs.push([F / 1e6 / dt, c.user / 1e6 / (F / 2 ** 30), c.system / 1e6 / (F / 2 ** 30)]);
  }
  const m = med(rs);
  console.log(
    name.padEnd(44),
    m[0].toFixed(0).padStart(6),
    "MB/s  CPU-s/GiB",
    (m[1] + m[2]).toFixed(3),
    `(${m[1].toFixed(3)}+${m[2].toFixed(3)})`,
  );
};
for (const kib of [16, 64, 256, 1024]) {
  const n = kib * 1024,
    b = Buffer.allocUnsafeSlow(n),
    bs = Array.from({ length: 4 }, () => Buffer.allocUnsafeSlow(n));
  await row(`readSync positional ${kib} KiB, one buffer`, () => {
    for (let o = 0; o < F; o += n) fs.readSync(fd, b, 0, n, o);
  });
  await row(
    `fs.read callback ${kib} KiB, 4 in flight`,
    () =>
      new Promise((resolve) => {
        let o = 0,
          live = 0;
        const go = (k) => {
          if (o >= F) {
            if (!live) resolve();
            return;
          }
          const p = o;
          o += n;
          live++;
          fs.read(fd, bs[k], 0, n, p, () => {
            live--;
            go(k);
          });
        };
        for (let k = 0; k < 4; k++) go(k);
      }),
  );
  await row(`FileHandle.read ${kib} KiB, sequential await`, async () => {
    for (let o = 0; o < F; o += n) await fh.read(b, 0, n, o);
  });
  await row(`writeSync positional ${kib} KiB (overwrite)`, () => {
    for (let o = 0; o < F; o += n) fs.writeSync(fd, b, 0, n, o);
  });
  await row(
    `fs.write callback ${kib} KiB, 4 in flight`,
    () =>
      new Promise((resolve) => {
        let o = 0,
          live = 0;
        const go = (k) => {
          if (o >= F) {
            if (!live) resolve();
            return;
          }
          const p = o;
          o += n;
          live++;
          fs.write(fd, bs[k], 0, n, p, () => {
            live--;
            go(k);
          });
        };
        for (let k = 0; k < 4; k++) go(k);
      }),
  );
}
await row("writeSync 1024 KiB to a new sparse file", () => {
  fs.rmSync(path + "2", { force: true });
  const f2 = fs.openSync(path + "2", "w");
  fs.ftruncateSync(f2, F);
  const b = Buffer.allocUnsafeSlow(1 << 20);
  for (let o = 0; o < F; o += 1 << 20) fs.writeSync(f2, b, 0, 1 << 20, o);
  fs.closeSync(f2);
});
fs.closeSync(fd);
await fh.close();
fs.rmSync(path);
fs.rmSync(path + "2", { force: true });
