/** Memory for answers, Node's way: pooled, not cleared, text copied by native code. */
import type { AnswerMemory } from "../../protocol/tracker/http-answer.ts";

/** See `AnswerMemory`; what it allocates are Buffers. */
export const nodeMemory: AnswerMemory = {
  allocate: (length) => Buffer.allocUnsafe(length),
  writeLatin1: (target, text, at) => {
    (target as Buffer).write(text, at, "latin1");
  },
};
