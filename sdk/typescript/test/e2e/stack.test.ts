/** The client on the deployed stack that MEMBUS_STACK names. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { AuthenticationError, ConflictError, Membus, NotFoundError, PermissionDeniedError } from "membus-client";

const stack = process.env["MEMBUS_STACK"] ?? ".local/stack.json";
const membus = Membus.local(stack);
const somebody = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) {
    found.push(item);
  }
  return found;
}

test("what a user says is learned, found and corrected", async () => {
  const ada = membus.user(somebody("ada"));

  const outcome = await ada.waitRead(await ada.remember("I live in Bath and I love jazz."));
  assert.deepEqual(new Set(outcome.facts.map((fact) => fact.value)), new Set(["Bath", "jazz"]));
  assert.match((await ada.profile()).text, /home\.city: Bath/);
  assert.deepEqual(new Set((await collect(ada.facts.list())).map((fact) => fact.key)), new Set(["home.city", "likes.jazz"]));
  let { results } = await ada.search("Where does she live?", { k: 3 });
  for (const deadline = Date.now() + 30_000; !results.length && Date.now() < deadline; ) {
    ({ results } = await ada.search("Where does she live?", { k: 3 }));
  }
  assert.match(results[0]?.text ?? "", /Bath/);

  const city = await ada.facts.set("home.city", "Oslo");
  await assert.rejects(ada.facts.set("home.city", "Bergen", { expectedVersion: city.version - 1 }), (error) => {
    assert.ok(error instanceof ConflictError);
    assert.equal(error.currentVersion, city.version);
    return true;
  });
  const history = await collect(ada.facts.history("home.city"));
  assert.deepEqual(history.map((version) => version.value), ["Bath", "Oslo"]);
  await ada.facts.delete("home.city");
  await assert.rejects(ada.facts.get("home.city"), NotFoundError);
});

test("a conversation is answered whole and word by word", async () => {
  const user = somebody("ada");
  await membus.user(user).facts.set("home.city", "Bath");
  const { conversation_id: talk } = await membus.conversations.create(user, { title: "Trip" });

  const answer = await membus.conversations.say(talk, "Where do I live?", { author: user });
  const pieces = await collect(membus.conversations.stream(talk, "Where do I live?", { author: user }));

  assert.match(answer.message.content, /Bath/);
  assert.match(pieces.map((piece) => piece.text).join(""), /Bath/);
  assert.deepEqual(pieces.map((piece) => piece.begins).slice(0, 2), [true, false].slice(0, pieces.length));
  const roles = (await collect(membus.conversations.messages(talk))).map((message) => message.role);
  assert.deepEqual(roles, ["user", "assistant", "user", "assistant"]);
  await assert.rejects(membus.conversations.get(talk, { userId: "eve" }), PermissionDeniedError);
});

test("a key that is not valid is refused, over HTTP and over the socket", async () => {
  const stranger = Membus.local(stack, { apiKey: "mb_local_none_none" });

  await assert.rejects(stranger.user("ada").profile(), AuthenticationError);
  await assert.rejects(collect(stranger.conversations.stream("c", "Hello?", { author: "ada" })), AuthenticationError);
});

test("states, memories and episodes come back", async () => {
  const [user, guide] = [somebody("ada"), membus.agent(somebody("guide"))];

  const state = await guide.putState("s1", { step: 1 });
  assert.deepEqual((await guide.getState("s1")).data, { step: 1 });
  assert.deepEqual((await collect(guide.sessions())).map((session) => session.session_id), ["s1"]);
  await assert.rejects(guide.putState("s1", { step: 2 }, { expectedVersion: state.version + 5 }), ConflictError);
  await guide.deleteState("s1", { expectedVersion: state.version });
  const [receipt] = await membus.memories.add([{ text: "The shop closes at nine.", user_id: user }]);
  assert.equal((await membus.memories.get(receipt!.id)).text, "The shop closes at nine.");
  await guide.append([{ user_id: user, type: "note.saved", payload: { n: 1 } }]);
  assert.deepEqual((await collect(guide.episodes())).map((episode) => episode.payload), [{ n: 1 }]);
});

for (const name of ["मोहन", "நீ", "andre\u0301", "用户"]) {
  test(`the user ${name} and their facts are addressed`, async () => {
    const user = membus.user(somebody(name));
    const key = `allergy.${name}`;

    await user.facts.set(key, "yes");

    assert.equal((await user.facts.get(key)).value, "yes");
    assert.deepEqual((await collect(user.facts.history(key))).map((version) => version.value), ["yes"]);
    await user.facts.delete(key);
    assert.deepEqual(await collect(user.facts.list()), []);
  });
}

test("an export and an erasure are waited for", async () => {
  const user = somebody("ada");
  const ada = membus.user(user);
  await ada.facts.set("home.city", "Bath");

  const exported = await membus.jobs.wait(await ada.export());

  assert.deepEqual([exported.kind, exported.status], ["export", "done"]);
  assert.equal((await ada.erase({ confirm: user })).kind, "erasure");
});
