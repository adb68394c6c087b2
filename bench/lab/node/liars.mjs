// Liars: peers that announce themselves as seeds, say to everybody that they have everything, and
// give nothing.  node liars.mjs TORRENT PORT IP...   One line on standard output when all announced.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { connect, createServer } from "node:net";

const [torrentPath, port, ...ips] = process.argv.slice(2);
const torrent = readFileSync(torrentPath);

/** The end of the bencoded value at `at`. */
function endOf(bytes, at) {
  const head = String.fromCharCode(bytes[at]);
  if (head === "i") return bytes.indexOf("e", at) + 1;
  if (head === "d" || head === "l") {
    let next = at + 1;
    while (bytes[next] !== 0x65) next = endOf(bytes, next);
    return next + 1;
  }
  const colon = bytes.indexOf(":", at);
  return colon + 1 + Number(bytes.toString("latin1", at, colon));
}

/** The bytes of the value of `key` in the dictionary at 0. */
function valueOf(bytes, key) {
  for (let at = 1; bytes[at] !== 0x65; ) {
    const keyEnd = endOf(bytes, at);
    const name = bytes.toString("latin1", bytes.indexOf(":", at) + 1, keyEnd);
    const end = endOf(bytes, keyEnd);
    if (name === key) return bytes.subarray(keyEnd, end);
    at = end;
  }
  throw new Error(`no ${key}`);
}

const text = (value) => value.toString("latin1", value.indexOf(":") + 1);
const info = valueOf(torrent, "info");
const announce = text(valueOf(torrent, "announce"));
const hash = createHash("sha1").update(info).digest();
const pieces = valueOf(info, "pieces");
const count = (pieces.length - pieces.indexOf(":") - 1) / 20;
const encoded = [...hash].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

function bitfield() {
  const bits = Buffer.alloc(Math.ceil(count / 8), 0xff);
  if (count % 8 !== 0) bits[bits.length - 1] = (0xff << (8 - (count % 8))) & 0xff;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bits.length + 1);
  head[4] = 5;
  return Buffer.concat([head, bits]);
}

/** Says that it has everything, and is silent. */
function lie(socket, id) {
  socket.on("error", () => socket.destroy());
  socket.on("data", () => {});
  const head = Buffer.concat([
    Buffer.from([19]),
    Buffer.from("BitTorrent protocol"),
    Buffer.alloc(8),
  ]);
  socket.write(Buffer.concat([head, hash, Buffer.from(id), bitfield()]));
}

function start(ip, number) {
  const id = `-LI0001-${String(number).padStart(12, "0")}`;
  createServer((socket) => lie(socket, id)).listen(Number(port), ip);
  const query = `info_hash=${encoded}&peer_id=${id}&port=${port}&uploaded=0&downloaded=0&left=0&compact=1&event=started&numwant=200`;
  return new Promise((done) => {
    const request = get(`${announce}?${query}`, { localAddress: ip }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const peers = valueOf(Buffer.concat(chunks), "peers");
        const list = pieces && peers.subarray(peers.indexOf(":") + 1);
        for (let at = 0; at + 6 <= list.length; at += 6) {
          const host = [...list.subarray(at, at + 4)].join(".");
          const socket = connect({ host, port: list.readUInt16BE(at + 4), localAddress: ip });
          socket.on("connect", () => lie(socket, id));
          socket.on("error", () => socket.destroy());
        }
        done();
      });
    });
    request.on("error", (error) => {
      process.stderr.write(`liar ${ip}: ${error.message}\n`);
      done();
    });
  });
}

await Promise.all(ips.map(start));
process.stdout.write("ready\n");
