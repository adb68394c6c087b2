import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { concatBytes, latin1Bytes } from "../../base/bytes.ts";
import { parseResponseHead } from "./response-head.ts";

const plain =
  "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/9\r\n\r\n";

describe("the head of an answer", () => {
  test("gives status, headers, and where the body is", () => {
    const result = parseResponseHead(latin1Bytes(`${plain}hello`));

    assert.deepEqual(result, {
      type: "head",
      length: plain.length,
      head: {
        status: 206,
        headers: Object.assign(Object.create(null), {
          "content-length": "5",
          "content-range": "bytes 0-4/9",
        }),
        bodyLength: 5,
        keepsAlive: true,
      },
    });
  });

  test("is incomplete until its empty line", () => {
    for (let length = 0; length < plain.length; length++) {
      assert.equal(parseResponseHead(latin1Bytes(plain.slice(0, length))).type, "incomplete");
    }
  });

  test("says when the connection ends", () => {
    const text = plain.replace("\r\n\r\n", "\r\nConnection: Close\r\n\r\n");
    const result = parseResponseHead(latin1Bytes(text));
    assert.ok(result.type === "head" && !result.head.keepsAlive);
  });

  test("joins headers of one name", () => {
    const text = plain.replace("\r\n\r\n", "\r\nVary: a\r\nvary:b \r\n\r\n");
    const result = parseResponseHead(latin1Bytes(text));
    assert.ok(result.type === "head" && result.head.headers["vary"] === "a, b");
  });

  test("is odd when it is none, or the body has no plain length", () => {
    const withHeader = (line: string) => plain.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
    for (const text of [
      "220 ftp.example ready\r\n\r\n",
      plain.replace("1.1", "1.0"),
      plain.replace("206", "204"),
      plain.replace("206", "100"),
      plain.replace("206", "20"),
      plain.replace("Content-Length: 5\r\n", ""),
      plain.replace("Length: 5", "Length: -5"),
      plain.replace("Length: 5", "Length: 5e3"),
      withHeader("Content-Length: 5"),
      withHeader("Content-Length: 6"),
      withHeader("Transfer-Encoding: chunked"),
      withHeader("Content-Encoding: gzip"),
      withHeader("Location: http://elsewhere/"),
      withHeader(" folded"),
      withHeader("no colon"),
      withHeader("na me: x"),
      withHeader(`x: ${"y".repeat(20_000)}`),
    ]) {
      assert.equal(parseResponseHead(latin1Bytes(text)).type, "odd", JSON.stringify(text));
    }
  });

  test("is read the same whatever follows, and no bytes break it", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (rest) => {
        const result = parseResponseHead(concatBytes([latin1Bytes(plain), rest]));
        assert.ok(result.type === "head" && result.length === plain.length);
        parseResponseHead(rest);
      }),
    );
  });
});
