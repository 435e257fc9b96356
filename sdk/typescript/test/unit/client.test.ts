import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";

import { Membus, RestoreInProgressError, VERSION, event, message } from "membus-client";

import { collect, connect } from "./server.ts";

const FACT = { key: "home.city", value: "Bath" };

test("pages are asked for as they are reached", async () => {
  const { membus, asked } = await connect([
    { status: 200, body: { items: [FACT], next_cursor: "c 2" } },
    { status: 200, body: { items: [], next_cursor: "c 3" } },
    { status: 200, body: { items: [FACT], next_cursor: null } },
  ]);
  const facts = membus.user("ada").facts.list({ kind: "place" });

  const first = await facts.next();
  assert.deepEqual([first.value?.key, asked.length], ["home.city", 1]);

  assert.deepEqual((await collect(facts)).map((fact) => fact.value), ["Bath"]);
  assert.deepEqual(asked.map((request) => request.query), [
    { kind: "place" },
    { kind: "place", cursor: "c 2" },
    { kind: "place", cursor: "c 3" },
  ]);
});

test("rejected events are an error unless they are allowed", async () => {
  const receipt = {
    accepted: [{ index: 0, event_id: "e1" }],
    rejected: [{ index: 1, code: "invalid", detail: "no text" }],
  };
  const { membus } = await connect([{ status: 202, body: receipt }]);

  await assert.rejects(membus.events.send([message("ada", "hi"), message("ada", "")]), {
    name: "EventsRejectedError",
    message: "rejected events: 1: invalid: no text",
    receipt,
  });
  assert.deepEqual(await membus.events.send([], { allowRejected: true }), receipt);
});

test("options become the API's fields", async () => {
  const { membus, asked } = await connect([{ status: 200, body: { items: [], next_cursor: null } }]);
  const noon = new Date("2026-11-20T12:00:00Z");

  assert.deepEqual(event("ada", "page.viewed", { path: "/" }, { sessionId: "s", occurredAt: noon, remember: false }), {
    user_id: "ada",
    type: "page.viewed",
    payload: { path: "/" },
    session_id: "s",
    occurred_at: "2026-11-20T12:00:00.000Z",
    remember: false,
  });
  await membus.search("tea", { userId: "ada", asOf: noon, maxTokens: 9, since: "2026-11-01T00:00:00Z" });
  await membus.memories.update("m", { expiresAt: null });
  await collect(membus.agent("a").episodes({ since: noon, until: noon, userId: "ada" }));
  await collect(membus.memories.list({ filters: { a: { eq: 1 } } }));
  await membus.user("ada").facts.delete("k", { expectedVersion: 0 });

  assert.deepEqual(asked[0]?.body, {
    query: "tea",
    user_id: "ada",
    as_of: "2026-11-20T12:00:00.000Z",
    max_tokens: 9,
    from: "2026-11-01T00:00:00Z",
  });
  assert.deepEqual(asked[1]?.body, { expires_at: null });
  assert.deepEqual(asked[2]?.query, { from: noon.toISOString(), to: noon.toISOString(), user_id: "ada" });
  assert.deepEqual(asked[3]?.query, { filters: '{"a":{"eq":1}}' });
  assert.equal(asked[4]?.headers["if-match"], '"0"');
});

for (const user of ["a b", "मोहन", "a/b", "a?b#c", "ada@example.com", "50%", "$&"]) {
  test(`the id ${user} is encoded as one segment`, async () => {
    const { membus, asked } = await connect([{ status: 200, body: {} }]);

    await membus.user(user).profile();

    const [, version, users, segment, profile, ...more] = asked[0]?.path.split("/") ?? [];
    assert.deepEqual([version, users, profile, more], ["v1", "users", "profile", []]);
    assert.equal(decodeURIComponent(segment ?? ""), user);
  });
}

for (const user of ["", ".", ".."]) {
  test(`the id «${user}» addresses nothing else`, async () => {
    const { membus, asked } = await connect([{ status: 200, body: {} }]);

    await assert.rejects(membus.user(user).profile(), { name: "MembusError", message: /user cannot be/ });

    assert.equal(asked.length, 0);
  });
}

test("an answer that takes long is waited for", async () => {
  const pending = { message_id: "m", role: "assistant", author: "ada", content: "", status: "pending" };
  const done = { ...pending, content: "Bath.", status: "complete" };
  const { membus, asked } = await connect([
    { status: 202, body: { message: pending } },
    { status: 200, body: pending },
    { status: 200, body: done },
  ]);

  const answer = await membus.conversations.say("c", "Where do I live?", { author: "ada", key: "k1" });

  assert.equal(answer.message.content, "Bath.");
  assert.deepEqual(asked.map((request) => request.path), [
    "/v1/conversations/c/messages",
    "/v1/conversations/c/messages/m",
    "/v1/conversations/c/messages/m",
  ]);
  assert.equal(asked[0]?.headers["idempotency-key"], "k1");
  assert.deepEqual(asked[0]?.body, { content: "Where do I live?", author: "ada" });
});

test("an event is waited for until it has been read", async () => {
  const { membus } = await connect([
    { status: 404, body: { code: "not_found" } },
    { status: 200, body: { status: "waiting" } },
    { status: 200, body: { status: "learned" } },
  ]);

  assert.equal((await membus.user("ada").waitRead("e")).status, "learned");
});

test("a job is waited for until it has ended, and not for ever", async () => {
  const running = { status: 200, body: { job_id: "j", status: "running" } };
  const done = { status: 200, body: { job_id: "j", status: "done" } };

  const ending = await connect([running, done]);
  assert.equal((await ending.membus.jobs.wait("j")).status, "done");

  const endless = await connect([running]);
  await assert.rejects(endless.membus.jobs.wait("j", { timeoutSeconds: 0.1 }), {
    name: "WaitTimeoutError",
    message: "job j did not end within 0.1 seconds",
  });
});

test("archived episodes on their way back are an error with their job", async () => {
  const { membus } = await connect([{ status: 202, body: { job_id: "restore-1", status: "running" } }]);

  await assert.rejects(collect(membus.agent("a").episodes()), (error) => {
    assert.ok(error instanceof RestoreInProgressError);
    assert.equal(error.job.job_id, "restore-1");
    return true;
  });
});

test("an erasure has to be confirmed", async () => {
  const { membus, asked } = await connect([{ status: 202, body: {} }]);

  await assert.rejects(membus.user("ada").erase({ confirm: "eve" }), /confirm: "ada"/);

  assert.equal(asked.length, 0);
});

test("an unknown address says what to set", () => {
  delete process.env["MEMBUS_URL"];

  assert.throws(() => new Membus(), /MEMBUS_URL/);
  assert.throws(() => Membus.local(`${tmpdir()}/none/stack.json`), /make up/);
});

test("settings come from options, else from the environment", () => {
  Object.assign(process.env, { MEMBUS_URL: "http://a.test/", MEMBUS_API_KEY: "k", MEMBUS_WS_URL: "ws://a.test" });

  const { settings } = new Membus({ timeoutSeconds: 5 });

  assert.deepEqual(
    [settings.url, settings.apiKey, settings.socketUrl, settings.timeoutSeconds, settings.maxRetries],
    ["http://a.test", "k", "ws://a.test", 5, 2],
  );
  assert.equal(new Membus({ url: "http://b.test" }).settings.url, "http://b.test");
});

test("the version is that of the package", () => {
  const file = new URL("../../package.json", import.meta.url);

  assert.equal((JSON.parse(readFileSync(file, "utf-8")) as { version: string }).version, VERSION);
});
