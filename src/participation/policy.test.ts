import assert from "node:assert/strict";
import { test } from "node:test";
import { type Policy, type PolicyName, type PolicyNumbers, resolvePolicy } from "./policy.ts";

const unbounded = {
  minRateBytesPerSecond: undefined,
  egressBudgetBytes: undefined,
  onBudgetEnd: "serve-floor-only",
  deadline: undefined,
} as const;

test("the named policies", () => {
  const table: Readonly<Record<PolicyName, Policy>> = {
    fast: { name: "fast", floor: 2, alwaysHelps: true, leadMs: 3000, ...unbounded },
    balanced: { name: "balanced", floor: 2, alwaysHelps: false, leadMs: 3000, ...unbounded },
    thrifty: { name: "thrifty", floor: 1, alwaysHelps: false, leadMs: undefined, ...unbounded },
  };
  for (const policy of Object.values(table)) {
    assert.deepEqual(resolvePolicy(policy.name), { ok: true, value: policy });
  }
});

test("a publisher's numbers override those of the name, each on its own", () => {
  const base = resolvePolicy("thrifty");
  assert.ok(base.ok);
  const table: readonly PolicyNumbers[] = [
    { floor: 0 },
    { floor: 100 },
    { minRateBytesPerSecond: 0 },
    { minRateBytesPerSecond: 1e6 },
    { egressBudgetBytes: 0 },
    { egressBudgetBytes: 5e11 },
    { onBudgetEnd: "stop" },
    { onBudgetEnd: "ignore" },
    { deadline: -5 },
    { floor: 3, minRateBytesPerSecond: 10, egressBudgetBytes: 20, deadline: 30 },
  ];
  for (const numbers of table) {
    assert.deepEqual(resolvePolicy("thrifty", numbers), {
      ok: true,
      value: { ...base.value, ...numbers },
    });
  }
});

test("numbers that mean nothing are refused, and the message names them", () => {
  const table: readonly (readonly [PolicyNumbers, RegExp])[] = [
    [{ floor: -1 }, /floor -1 .* 0 to 100/],
    [{ floor: 101 }, /floor 101 /],
    [{ floor: 1.5 }, /floor 1.5 /],
    [{ floor: Number.NaN }, /floor NaN /],
    [{ minRateBytesPerSecond: -1 }, /minimum rate -1 /],
    [{ minRateBytesPerSecond: Number.NaN }, /minimum rate NaN /],
    [{ egressBudgetBytes: -1 }, /egress budget -1 /],
    [{ egressBudgetBytes: Number.NaN }, /egress budget NaN /],
  ];
  for (const [numbers, message] of table) {
    const result = resolvePolicy("balanced", numbers);
    assert.ok(!result.ok && result.code === "USAGE", JSON.stringify(numbers));
    assert.match(result.message, message);
  }
});
