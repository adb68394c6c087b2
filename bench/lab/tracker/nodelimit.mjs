// Not a tracker: fixed replies of a tracker's size, to see the ceiling of node's dgram, node:http and net on one core. argv: KIND IP PORT
import dgram from "dgram";
import http from "http";
import net from "net";
const [, , kind, ip, port] = process.argv;
const ann = Buffer.alloc(320);
ann.writeUInt32BE(1, 0);
const con = Buffer.alloc(16);
con.writeUInt32BE(0, 0);
const u = dgram.createSocket({ type: "udp4", recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
u.on("message", (m, r) => {
  if (m.length < 16) return;
  const a = m.readUInt32BE(8);
  const src = a === 0 ? con : ann;
  const b = Buffer.allocUnsafe(src.length);
  src.copy(b);
  m.copy(b, 4, 12, 16);
  u.send(b, 0, b.length, r.port, r.address);
});
u.bind(+port, ip);
const body = Buffer.concat([
  Buffer.from("d8:completei25e10:incompletei75e8:intervali1800e5:peers300:"),
  Buffer.alloc(300),
  Buffer.from("e"),
]);
if (kind === "http")
  http
    .createServer((q, s) => {
      const i = q.url.indexOf("?");
      if (i < 0) {
        s.statusCode = 404;
        s.end();
        return;
      }
      s.setHeader("Content-Type", "text/plain");
      s.setHeader("Content-Length", body.length);
      s.end(body);
    })
    .listen(+port, ip, 4096);
else if (process.env.LAB_WS) {
  // Bare frames: whatever comes is one message, and is answered by one as long as an announce's answer.
  const reply = Buffer.from(`{"interval":120,${" ".repeat(105)}}`);
  const frame = Buffer.concat([Buffer.from([0x81, reply.length]), reply]);
  net
    .createServer({ noDelay: true }, (s) => {
      s.on("error", () => {});
      s.on("data", (d) =>
        s.write(d[0] === 0x47 ? "HTTP/1.1 101 Switching Protocols\r\n\r\n" : frame),
      );
    })
    .listen(+port, ip, 4096);
} else {
  const ka = Buffer.concat([
      Buffer.from(
        `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]),
    cl = Buffer.concat([
      Buffer.from(
        `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]);
  net
    .createServer({ noDelay: true }, (s) => {
      let acc = null;
      s.on("error", () => {});
      s.on("data", (d) => {
        if (acc) d = Buffer.concat([acc, d]);
        acc = null;
        for (;;) {
          const e = d.indexOf("\r\n\r\n");
          if (e < 0) {
            if (d.length) acc = d;
            return;
          }
          const head = d.latin1Slice(0, e);
          const q = head.indexOf("info_hash=");
          if (q > 0 && head.indexOf("Connection: close") > 0) {
            s.end(cl);
            return;
          }
          s.write(ka);
          d = d.subarray(e + 4);
          if (!d.length) return;
        }
      });
    })
    .listen(+port, ip, 4096);
}
