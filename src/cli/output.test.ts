/** Tests of what commands say, on fake streams. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BtPublisherError } from "../base/errors.ts";
import { createOutput, type Output, type OutputStream } from "./output.ts";

class FakeStream implements OutputStream {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;
  #onError: (error: NodeJS.ErrnoException) => void = () => undefined;

  constructor(options: { isTTY?: boolean; columns?: number } = {}) {
    this.isTTY = options.isTTY ?? false;
    this.columns = options.columns ?? 80;
  }

  write(text: string, done?: () => void): boolean {
    this.text += text;
    done?.();
    return true;
  }

  on(_event: "error", listener: (error: NodeJS.ErrnoException) => void): void {
    this.#onError = listener;
  }

  breakPipe(): void {
    this.#onError(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  }

  takeText(): string {
    const text = this.text;
    this.text = "";
    return text;
  }
}

interface Setup {
  readonly output: Output;
  readonly stdout: FakeStream;
  readonly stderr: FakeStream;
  readonly time: { now: number };
  readonly broken: { count: number };
}

function setUp(
  options: { json?: boolean; isTTY?: boolean; columns?: number; term?: string } = {},
): Setup {
  const stdout = new FakeStream(options);
  const stderr = new FakeStream(options);
  const time = { now: Date.UTC(2026, 0, 2, 3, 4, 5) };
  const broken = { count: 0 };
  const output = createOutput({
    json: options.json ?? false,
    stdout,
    stderr,
    term: options.term,
    now: () => time.now,
    onBroken: () => broken.count++,
  });
  return { output, stdout, stderr, time, broken };
}

const FIGURES = {
  bytes: 500_000_000,
  total: 1_000_000_000,
  downRate: 10_000_000,
  upRate: 2_000_000,
  peers: 8,
  fromSource: 100,
  fromPeers: 300,
};

describe("with --json", () => {
  test("an event is one line with its name, its time and its fields", () => {
    const { output, stdout } = setUp({ json: true });

    output.event("published", { name: "debian", floor: undefined }, "for people");
    output.print("for people");

    assert.equal(
      stdout.text,
      '{"event":"published","at":"2026-01-02T03:04:05.000Z","name":"debian"}\n',
    );
  });

  test("CLI-17 an error is a valid line with its code, and standard error stays empty", () => {
    const { output, stdout, stderr } = setUp({ json: true });

    output.error(new BtPublisherError("LOCKED", "in use", { detail: { pid: 7 } }));
    output.error(new TypeError("a bug"));

    const [known, bug] = stdout.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(known.event, "error");
    assert.equal(known.code, "LOCKED");
    assert.deepEqual(known.detail, { pid: 7 });
    assert.equal(bug.code, "INTERNAL");
    assert.equal(stderr.text, "");
  });

  test("progress has the names of the figures", () => {
    const { output, stdout } = setUp({ json: true });

    output.progress(FIGURES);

    const { event, at, ...figures } = JSON.parse(stdout.text);
    assert.equal(event, "progress");
    assert.equal(at, "2026-01-02T03:04:05.000Z");
    assert.deepEqual(figures, FIGURES);
  });
});

describe("for people", () => {
  test("an event is its text, and nothing without one", () => {
    const { output, stdout } = setUp();

    output.event("piece", { pieceIndex: 3 });
    output.event("published", { name: "debian" }, "published debian");

    assert.equal(stdout.text, "published debian\n");
  });

  test("CLI-12 what it says is escaped, warnings and errors too", () => {
    const { output, stdout, stderr } = setUp();

    output.print("a\u001b[2J");
    output.warn("b\u001b[2J");
    output.error(new BtPublisherError("NO_INPUT", "c\u001b[2J"));

    assert.equal(stdout.text, "a\\x1b[2J\n");
    assert.equal(stderr.text, "warning: b\\x1b[2J\nerror: c\\x1b[2J (NO_INPUT)\n");
  });

  test("a terminal's progress line is drawn over, and cleared before other text", () => {
    const { output, stdout, time } = setUp({ isTTY: true, columns: 100 });

    output.progress(FIGURES);
    assert.equal(
      stdout.takeText(),
      " 50 %  [############------------]  500 MB of 1.00 GB  10.0 MB/s  50 s left  8 peers",
    );
    output.progress(FIGURES);
    assert.equal(stdout.takeText(), "", "drawn again too soon");
    time.now += 1000;
    output.progress(FIGURES);
    assert.ok(stdout.takeText().startsWith("\r\u001b[K 50 %"));
    output.print("done");
    assert.equal(stdout.takeText(), "\r\u001b[Kdone\n");
  });

  for (const [name, options] of [
    ["without a terminal", { isTTY: false }],
    ["with TERM=dumb", { isTTY: true, term: "dumb" }],
  ] as const) {
    test(`CLI-11 ${name} progress is a plain line now and then`, () => {
      const { output, stdout, time } = setUp(options);

      output.progress(FIGURES);
      time.now += 9000;
      output.progress(FIGURES);
      time.now += 1000;
      output.progress(FIGURES);

      assert.equal(stdout.text.split("\n").length - 1, 2);
      assert.match(stdout.text, /^[\u0020-\u007e\n]*$/);
    });
  }

  test("CLI-11 20 columns are enough for a progress line", () => {
    const { output, stdout } = setUp({ isTTY: true, columns: 20 });

    output.progress(FIGURES);

    assert.equal(stdout.text, " 50 %");
  });

  test("progress of nothing is complete", () => {
    const { output, stdout } = setUp();

    output.progress({ bytes: 0, total: 0 });

    assert.match(stdout.text, /^100 %/);
  });
});

test("CLI-10 a reader that goes away is told once, and later words are dropped", async () => {
  for (const json of [true, false]) {
    const { output, stdout, broken } = setUp({ json });

    output.event("first", {}, "first");
    stdout.breakPipe();
    stdout.breakPipe();
    stdout.takeText();
    output.event("second", {}, "second");
    await output.flush();

    assert.equal(stdout.text, "");
    assert.equal(broken.count, 1);
  }
});
