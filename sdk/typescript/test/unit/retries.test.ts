import assert from "node:assert/strict";
import { test } from "node:test";

import * as errors from "membus-client";

import { BREAK, SILENCE, connect, problem, type Answer } from "./server.ts";

const PROFILE = { facts: [], text: "", tokens: 0, version: 0 };

test("a post is sent again under the same key", async () => {
  const { membus, asked } = await connect([
    BREAK,
    problem(503, "unavailable"),
    { status: 201, body: { items: [] } },
  ]);

  assert.deepEqual(await membus.memories.add([{ text: "tea" }]), []);

  const keys = new Set(asked.map((request) => request.headers["idempotency-key"]));
  assert.deepEqual([asked.length, keys.size, keys.has(undefined)], [3, 1, false]);
  assert.deepEqual(new Set(asked.map((request) => JSON.stringify(request.body))), new Set(['{"items":[{"text":"tea"}]}']));
  assert.equal(asked[0]?.headers.authorization, "Bearer mb_key");
  assert.match(asked[0]?.headers["user-agent"] ?? "", /^membus-client-typescript\/\d/);
});

test("every call has a key of its own", async () => {
  const { membus, asked } = await connect([{ status: 201, body: { items: [] } }]);

  await membus.memories.add([]);
  await membus.memories.add([]);

  assert.notEqual(asked[0]?.headers["idempotency-key"], asked[1]?.headers["idempotency-key"]);
});

const CASES: [string, Answer, new (...options: never[]) => Error, number][] = [
  ["400", problem(400, "bad_cursor"), errors.BadRequestError, 1],
  ["401", problem(401, "unauthorized"), errors.AuthenticationError, 1],
  ["402", problem(402, "budget_exhausted"), errors.BudgetExhaustedError, 1],
  ["403", problem(403, "forbidden"), errors.PermissionDeniedError, 1],
  ["404 of a proxy", { status: 404, body: "<p>no json</p>" }, errors.NotFoundError, 1],
  ["409 of another version", problem(409, "version_conflict"), errors.ConflictError, 1],
  ["409 in progress", problem(409, "in_progress"), errors.ConflictError, 3],
  ["413", problem(413, "too_large"), errors.RequestTooLargeError, 1],
  ["418", problem(418, "teapot"), errors.APIStatusError, 1],
  ["422", problem(422, "invalid"), errors.UnprocessableError, 1],
  ["429", problem(429, "rate_limited"), errors.RateLimitError, 3],
  ["503", problem(503, "unavailable"), errors.ServerError, 3],
  ["503 that stays", problem(503, "archive_thawing"), errors.ServerError, 1],
  ["500 that stays", problem(500, "unsafe"), errors.ServerError, 1],
  ["a broken connection", BREAK, errors.APIConnectionError, 3],
  ["a redirect", { status: 307, headers: { Location: "/elsewhere" } }, errors.APIConnectionError, 3],
];

for (const [name, answer, error, tries] of CASES) {
  test(`${name} is tried ${tries} times`, async () => {
    const { membus, asked } = await connect([answer]);

    await assert.rejects(membus.user("ada").profile(), (raised) => (raised as Error).constructor === error);

    assert.equal(asked.length, tries);
  });
}

test("an error carries code, request and version", async () => {
  const { membus, asked } = await connect([problem(409, "version_conflict", { current_version: 4 })]);

  await assert.rejects(membus.user("ada").facts.set("home.city", "Oslo", { expectedVersion: 3 }), {
    name: "ConflictError",
    message: "409 version_conflict: why (request r-1)",
    status: 409,
    code: "version_conflict",
    detail: "why",
    requestId: "r-1",
    currentVersion: 4,
  });
  assert.deepEqual(asked[0]?.body, { value: "Oslo", expected_version: 3 });
});

test("a pause longer than the timeout is not waited for", async () => {
  const limited = { status: 429, body: { code: "rate_limited" }, headers: { "Retry-After": "3600" } };
  const { membus, asked } = await connect([limited], { timeoutSeconds: 5 });

  await assert.rejects(membus.health(), { name: "RateLimitError", retryAfterSeconds: 3600 });

  assert.equal(asked.length, 1);
});

test("Retry-After is waited for", async () => {
  const busy = { ...problem(429, "rate_limited"), headers: { "Retry-After": "1" } };
  const { membus } = await connect([busy, { status: 200, body: PROFILE }]);
  const begun = performance.now();

  await membus.user("ada").profile();

  assert.ok(performance.now() - begun >= 990);
});

test("a call that outlasts its timeout is an error of its own, and not tried again", async () => {
  const { membus, asked } = await connect([SILENCE], { timeoutSeconds: 0.2 });

  await assert.rejects(membus.user("ada").profile(), { name: "APITimeoutError", message: /GET \/v1\/users\/ada/ });

  assert.equal(asked.length, 1);
});

test("without retries a call is sent once", async () => {
  const { membus, asked } = await connect([problem(503, "unavailable")], { maxRetries: 0 });

  await assert.rejects(membus.health(), errors.ServerError);

  assert.equal(asked.length, 1);
});

test("an address where nothing listens is named", async () => {
  const membus = new errors.Membus({ url: "http://127.0.0.1:1", maxRetries: 0 });

  await assert.rejects(membus.health(), { name: "APIConnectionError", message: /127\.0\.0\.1:1 cannot be reached: / });
});

test("an answer that is no JSON is not taken for one", async () => {
  const { membus } = await connect([{ status: 200, body: "<p>a proxy</p>" }]);

  await assert.rejects(membus.health(), { name: "APIConnectionError", message: /address of the API/ });
});
