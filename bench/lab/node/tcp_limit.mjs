// Raw TCP between two node processes over 127.0.0.1 (receiver pinned to core 0, sender to core 1). node tcp_limit.mjs [GiB=2] [runs=3]
import net from "net";
import { spawn } from "child_process";
import { fileURLToPath } from "url";
const me = fileURLToPath(import.meta.url),
  [, , role, a1, a2, a3] = process.argv;
const cpu = () => {
  const c = process.cpuUsage();
  return [c.user / 1e6, c.system / 1e6];
};
const HDR = Buffer.from([0, 0, 0x40, 9, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
if (role === "recv") {
  // a1 variant, a2 total payload bytes
  let got = 0,
    t0 = 0,
    c0;
  const want = +a2;
  const start = () => {
    if (!t0) {
      t0 = performance.now();
      c0 = cpu();
    }
  };
  const fin = (s) => {
    const c = cpu(),
      dt = (performance.now() - t0) / 1e3;
    console.log(JSON.stringify({ got, dt, cpu: [c[0] - c0[0], c[1] - c0[1]] }));
    s.destroy();
    srv.close();
  };
  const on = (s, n) => {
    start();
    got += n;
    if (got >= want) fin(s);
  };
  const m = /^onread(\d+)/.exec(a1);
  // net.Server can't set onread on accepted sockets, so the receiver dials and the sender listens
  const srv = { close() {} };
  const port = +a3;
  const o = { port, host: "127.0.0.1" };
  let s;
  if (m) {
    const b = Buffer.allocUnsafeSlow(+m[1] * 1024);
    o.onread = {
      buffer: b,
      callback: (n) => {
        on(s, n);
        return true;
      },
    };
    s = net.connect(o);
  } else if (a1 === "parse") {
    // frames of 4+9+16384 parsed and copied into a 1 MiB piece buffer
    const piece = Buffer.allocUnsafeSlow(1 << 20);
    let po = 0,
      need = 13,
      inHdr = true;
    const b = Buffer.allocUnsafeSlow(256 * 1024);
    o.onread = {
      buffer: b,
      callback: (n, buf) => {
        let i = 0;
        while (i < n) {
          const k = Math.min(need, n - i);
          if (!inHdr) {
            buf.copy(piece, po, i, i + k);
            po += k;
            if (po >= 1 << 20) po = 0;
          }
          i += k;
          need -= k;
          if (need === 0) {
            inHdr = !inHdr;
            need = inHdr ? 13 : 16384;
          }
        }
        on(s, n);
        return true;
      },
    };
    s = net.connect(o);
  } else {
    s = net.connect(o);
    s.on("data", (d) => on(s, d.length));
  }
  s.on("error", () => {});
} else if (role === "send") {
  const want = +a2;
  const v = a1;
  const srv = net.createServer((s) => {
    s.setNoDelay(true);
    s.on("error", () => {});
    s.on("close", () => {
      const c = cpu();
      console.log(JSON.stringify({ cpu: [c[0] - c0[0], c[1] - c0[1]] }));
      srv.close();
    });
    const c0 = cpu();
    let sent = 0;
    const big = Buffer.alloc(1 << 20, 7);
    const step = () => {
      while (sent < want + (8 << 20) && !s.destroyed) {
        let ok;
        if (v === "w64k") {
          ok = s.write(big.subarray(0, 65536));
          sent += 65536;
        } else if (v === "w256k") {
          ok = s.write(big.subarray(0, 262144));
          sent += 262144;
        } else if (v === "w1m") {
          ok = s.write(big);
          sent += 1 << 20;
        } else if (v === "frame-concat") {
          const b = Buffer.allocUnsafe(16397);
          HDR.copy(b);
          big.copy(b, 13, 0, 16384);
          ok = s.write(b);
          sent += 16397;
        } else if (v === "frame-2writes") {
          s.write(HDR);
          ok = s.write(big.subarray(0, 16384));
          sent += 16397;
        } else if (v === "frame-cork1") {
          s.cork();
          s.write(HDR);
          ok = s.write(big.subarray(0, 16384));
          s.uncork();
          sent += 16397;
        } else if (v === "frame-cork16") {
          s.cork();
          for (let i = 0; i < 16; i++) {
            s.write(HDR);
            ok = s.write(big.subarray(i * 16384, i * 16384 + 16384));
          }
          s.uncork();
          sent += 16397 * 16;
        } else if (v === "frame-pack16") {
          const b = Buffer.allocUnsafeSlow(16397 * 16);
          for (let i = 0; i < 16; i++) {
            HDR.copy(b, i * 16397);
            big.copy(b, i * 16397 + 13, 0, 16384);
          }
          ok = s.write(b);
          sent += 16397 * 16;
        }
        if (!ok) {
          s.once("drain", step);
          return;
        }
      }
    };
    step();
  });
  srv.listen(0, "127.0.0.1", () => console.log("P" + srv.address().port));
} else {
  const gib = +(role || 2),
    runs = +(a1 || 3),
    bytes = gib * 2 ** 30;
  const cases = [
    ["w64k", "data"],
    ["w64k", "onread64"],
    ["w64k", "onread256"],
    ["w256k", "onread256"],
    ["w1m", "onread1024"],
    ["frame-2writes", "parse"],
    ["frame-cork1", "parse"],
    ["frame-concat", "parse"],
    ["frame-cork16", "parse"],
    ["frame-pack16", "parse"],
  ];
  console.log(
    "sender          receiver     MB/s    sender CPU-s/GiB (u+s)   receiver CPU-s/GiB (u+s)",
  );
  for (const [sv, rv] of cases) {
    const rs = [];
    for (let r = 0; r < runs; r++) {
      const out = await new Promise((resolve) => {
        const S = spawn("taskset", ["-c", "1", process.execPath, me, "send", sv, bytes]);
        let so = "",
          ro = "",
          R,
          nclose = 0;
        const done = () => {
          if (++nclose === 2) resolve([so, ro]);
        };
        S.stdout.on("data", (d) => {
          so += d;
          if (!R && so.includes("\n")) {
            R = spawn("taskset", [
              "-c",
              "0",
              process.execPath,
              me,
              "recv",
              rv,
              bytes,
              so.slice(1).split("\n")[0],
            ]);
            R.stdout.on("data", (d) => {
              ro += d;
            });
            R.stderr.pipe(process.stderr);
            R.on("close", done);
          }
        });
        S.stderr.pipe(process.stderr);
        S.on("close", done);
      });
      const R = JSON.parse(out[1]),
        S = JSON.parse(out[0].split("\n")[1]);
      const g = R.got / 2 ** 30;
      rs.push({ mbs: R.got / 1e6 / R.dt, s: S.cpu.map((x) => x / g), r: R.cpu.map((x) => x / g) });
    }
    rs.sort((a, b) => a.mbs - b.mbs);
    const m = rs[rs.length >> 1];
    const f = (c) => `${(c[0] + c[1]).toFixed(2)} (${c[0].toFixed(2)}+${c[1].toFixed(2)})`;
    console.log(
      sv.padEnd(15),
      rv.padEnd(11),
      m.mbs.toFixed(0).padStart(6),
      "  ",
      f(m.s).padEnd(24),
      f(m.r),
    );
  }
}
