// Not a product: the smallest Node seeder/downloader that speaks the real wire protocol, to see what a TypeScript engine can reach.
// Seeder: requests parsed per read, adjacent ones read by one preadv (fs.readvSync) straight into a frame buffer with 13-byte gaps for headers, one socket write.
// Downloader: socket onread into one static buffer, blocks copied to piece buffers, SHA-1 per piece, one positional write per piece. Sequential, one peer, --source only.
import net from "net";
import fs from "fs";
import http from "http";
import crypto from "crypto";
const A = {};
for (let i = 2; i < process.argv.length; i++) {
  const k = process.argv[i].replace(/^--/, "");
  const n = process.argv[i + 1];
  if (n === undefined || n.startsWith("--")) A[k] = true;
  else {
    A[k] = n;
    i++;
  }
}
const ev = (k, o = {}) =>
  fs.writeSync(1, JSON.stringify({ ev: k, t: Date.now() / 1000, ...o }) + "\n");
ev("pid", { pid: process.pid });
process.on("SIGTERM", () => process.exit(0));
const tor = fs.readFileSync(A.torrent);
function dec(b, i) {
  const c = b[i];
  if (c === 105) {
    const e = b.indexOf(101, i);
    return [+b.toString("latin1", i + 1, e), e + 1];
  }
  if (c === 108) {
    const r = [];
    i++;
    while (b[i] !== 101) {
      const [v, j] = dec(b, i);
      r.push(v);
      i = j;
    }
    return [r, i + 1];
  }
  if (c === 100) {
    const r = {};
    i++;
    while (b[i] !== 101) {
      const [k, j] = dec(b, i);
      const s = j;
      const [v, n] = dec(b, j);
      r[k.toString("latin1")] = v;
      if (k.toString() === "info") r._info = b.subarray(s, n);
      i = n;
    }
    return [r, i + 1];
  }
  const q = b.indexOf(58, i),
    n = +b.toString("latin1", i, q);
  return [b.subarray(q + 1, q + 1 + n), q + 1 + n];
}
const meta = dec(tor, 0)[0],
  info = meta.info,
  ih = crypto.createHash("sha1").update(meta._info).digest(),
  PL = info["piece length"],
  LEN = info.length,
  NP = info.pieces.length / 20,
  BL = 16384;
const id = Buffer.from("-NM0001-" + crypto.randomBytes(6).toString("hex")),
  path = A.data + "/" + info.name;
const HS = Buffer.concat([
  Buffer.from([19]),
  Buffer.from("BitTorrent protocol"),
  Buffer.alloc(8),
  ih,
  id,
]);
const announce = (left, cb) => {
  const u = new URL(meta.announce.toString());
  http
    .get(
      `${u.origin}${u.pathname}?info_hash=${[...ih].map((x) => "%" + x.toString(16).padStart(2, "0")).join("")}&peer_id=${id.toString()}&port=${A.port}&uploaded=0&downloaded=0&left=${left}&compact=1&event=started`,
      (r) => {
        r.resume();
        r.on("end", cb);
      },
    )
    .on("error", (e) => ev("error", { msg: String(e) }));
};
ev("armed");
await new Promise((r) => process.stdin.once("data", r));
process.stdin.pause();
if (A.role === "seed") {
  const fd = fs.openSync(path, "r"),
    CH = +(process.env.NM_CHUNK || 64); // blocks per write at most
  const bits = Buffer.alloc(Math.ceil(NP / 8));
  for (let i = 0; i < NP; i++) bits[i >> 3] |= 128 >> (i & 7);
  const pool = [];
  net
    .createServer((s) => {
      s.setNoDelay(true);
      s.on("error", () => {});
      let hs = false,
        buf = Buffer.alloc(0);
      const q = [];
      let busy = 0;
      const pump = () => {
        while (q.length && busy < 2) {
          const n = Math.min(q.length, CH);
          const frame = pool.pop() || Buffer.allocUnsafeSlow(CH * (BL + 13));
          let o = 0,
            i = 0;
          while (i < n) {
            // a run of adjacent requests becomes one preadv
            let j = i;
            const views = [];
            const pos = q[i].p * PL + q[i].b;
            let next = pos;
            while (j < n && q[j].p * PL + q[j].b === next) {
              const r = q[j];
              frame.writeUInt32BE(9 + r.l, o);
              frame[o + 4] = 7;
              frame.writeUInt32BE(r.p, o + 5);
              frame.writeUInt32BE(r.b, o + 9);
              views.push(frame.subarray(o + 13, o + 13 + r.l));
              o += 13 + r.l;
              next += r.l;
              j++;
            }
            fs.readvSync(fd, views, pos);
            i = j;
          }
          q.splice(0, n);
          busy++;
          s.write(frame.subarray(0, o), () => {
            busy--;
            pool.push(frame);
            pump();
          });
        }
      };
      s.on("data", (d) => {
        if (buf.length) d = Buffer.concat([buf, d]);
        let i = 0;
        if (!hs) {
          if (d.length < 68) {
            buf = d;
            return;
          }
          hs = true;
          i = 68;
          s.write(HS);
          const h = Buffer.alloc(5);
          h.writeUInt32BE(1 + bits.length);
          h[4] = 5;
          s.write(Buffer.concat([h, bits, Buffer.from([0, 0, 0, 1, 1])]));
        }
        while (d.length - i >= 4) {
          const L = d.readUInt32BE(i);
          if (d.length - i < 4 + L) break;
          if (L === 13 && d[i + 4] === 6)
            q.push({
              p: d.readUInt32BE(i + 5),
              b: d.readUInt32BE(i + 9),
              l: d.readUInt32BE(i + 13),
            });
          i += 4 + L;
        }
        buf = d.subarray(i);
        pump();
      });
    })
    .listen(+A.port, () => announce(0, () => ev("ready")));
} else {
  const fd = fs.openSync(path, "w");
  fs.ftruncateSync(fd, LEN);
  const [host, port] = A.source.split(":");
  const AHEAD = +(process.env.NM_AHEAD || 4),
    hashOne = crypto.hash
      ? (b) => crypto.hash("sha1", b, "buffer")
      : (b) => crypto.createHash("sha1").update(b).digest();
  const plen = (p) => Math.min(PL, LEN - p * PL);
  const live = new Map(),
    spare = [];
  let nextP = 0,
    doneP = 0,
    first = false;
  const rb = Buffer.allocUnsafeSlow(+(process.env.NM_RB || 256) * 1024);
  let st = 0,
    need = 68,
    acc = Buffer.alloc(68),
    ao = 0,
    cur = null,
    co = 0,
    cl = 0,
    skip = 0; // st 0 handshake, 1 length+header, 2 body of a block, 3 skip
  const ask = () => {
    while (live.size < AHEAD && nextP < NP) {
      const p = nextP++,
        L = plen(p),
        n = Math.ceil(L / BL);
      live.set(p, { b: spare.pop() || Buffer.allocUnsafeSlow(PL), left: L });
      const m = Buffer.allocUnsafe(17 * n);
      for (let i = 0; i < n; i++) {
        const o = i * 17;
        m.writeUInt32BE(13, o);
        m[o + 4] = 6;
        m.writeUInt32BE(p, o + 5);
        m.writeUInt32BE(i * BL, o + 9);
        m.writeUInt32BE(Math.min(BL, L - i * BL), o + 13);
      }
      s.write(m);
    }
  };
  const fin = (p) => {
    const e = live.get(p),
      L = plen(p),
      v = e.b.subarray(0, L);
    if (Buffer.compare(hashOne(v), info.pieces.subarray(p * 20, p * 20 + 20))) {
      ev("error", { msg: "hash " + p });
      process.exit(1);
    }
    fs.writeSync(fd, v, 0, L, p * PL);
    live.delete(p);
    spare.push(e.b);
    doneP++;
    if (!first) {
      first = true;
      if (A.first) ev("first");
    }
    if (doneP === NP) {
      ev("complete");
      if (A["exit-when-done"]) process.exit(0);
    } else ask();
  };
  const s = net.connect({
    host,
    port: +port,
    onread: {
      buffer: rb,
      callback: (n, d) => {
        let i = 0;
        while (i < n) {
          if (st === 2) {
            const k = Math.min(cl, n - i);
            d.copy(cur.b, co, i, i + k);
            co += k;
            cl -= k;
            i += k;
            if (!cl) {
              cur.left -= cur.bl;
              if (!cur.left) fin(cur.p);
              st = 1;
              ao = 0;
              need = 4;
            }
            continue;
          }
          if (st === 3) {
            const k = Math.min(skip, n - i);
            i += k;
            skip -= k;
            if (!skip) {
              st = 1;
              ao = 0;
              need = 4;
            }
            continue;
          }
          const k = Math.min(need - ao, n - i);
          d.copy(acc, ao, i, i + k);
          ao += k;
          i += k;
          if (ao < need) continue;
          if (st === 0) {
            st = 1;
            ao = 0;
            need = 4;
            s.write(Buffer.from([0, 0, 0, 1, 2]));
            continue;
          }
          const L = acc.readUInt32BE(0);
          if (need === 4) {
            if (L === 0) {
              ao = 0;
              continue;
            }
            need = 5;
            continue;
          }
          const t = acc[4];
          if (t === 7) {
            if (need === 5) {
              need = 13;
              continue;
            }
            const p = acc.readUInt32BE(5);
            cur = live.get(p);
            cur.p = p;
            co = acc.readUInt32BE(9);
            cl = cur.bl = L - 9;
            st = 2;
            continue;
          }
          if (t === 1) ask();
          if (L > 1) {
            skip = L - 1;
            st = 3;
          } else {
            ao = 0;
            need = 4;
          }
        }
        return true;
      },
    },
  });
  s.setNoDelay(true);
  s.on("error", (e) => ev("error", { msg: String(e) }));
  s.on("connect", () => s.write(HS));
}
setInterval(() => {}, 1 << 30);
