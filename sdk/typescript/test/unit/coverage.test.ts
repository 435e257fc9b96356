import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { collect, connect } from "./server.ts";

const DOCUMENT = JSON.parse(
  readFileSync(new URL("../../../../functions/api/openapi.json", import.meta.url), "utf-8"),
) as { paths: Record<string, Record<string, unknown>> };

test("every operation of the document has a method", async () => {
  const { membus, asked } = await connect([{ status: 200, body: { items: [], next_cursor: null, rejected: [] } }]);
  const [user, agent, talks] = [membus.user("{user}"), membus.agent("{agent}"), membus.conversations];

  await Promise.all([
    membus.health(),
    membus.openapi(),
    membus.usage(),
    membus.getSettings(),
    membus.changeSettings({ memory_scope: "agent" }),
    membus.search("x"),
    membus.events.send([]),
    membus.jobs.get("{job}"),
    user.profile(),
    user.export(),
    user.event("{event}"),
    user.purgeEvent("{event}"),
    user.erase({ confirm: "{user}" }),
    collect(user.facts.list()),
    collect(user.facts.history("{key}")),
    user.facts.get("{key}"),
    user.facts.set("{key}", "v"),
    user.facts.setMany([]),
    user.facts.delete("{key}"),
    collect(user.review.list()),
    user.review.approve("{quarantine_id}"),
    user.review.reject("{quarantine_id}"),
    collect(agent.episodes()),
    agent.append([]),
    collect(agent.sessions()),
    agent.getState("{session}"),
    agent.putState("{session}", {}),
    agent.deleteState("{session}"),
    collect(membus.memories.list()),
    membus.memories.add([]),
    membus.memories.get("{memory}"),
    membus.memories.update("{memory}", {}),
    membus.memories.delete("{memory}"),
    talks.create("{user}"),
    collect(talks.list()),
    talks.get("{conversation}"),
    talks.update("{conversation}", {}),
    talks.delete("{conversation}"),
    collect(talks.messages("{conversation}")),
    talks.message("{conversation}", "{message}"),
    talks.say("{conversation}", "hi", { author: "{user}" }),
    talks.context("{conversation}"),
    talks.messageContext("{conversation}", "{message}"),
    talks.toolResults("{conversation}", "{message}"),
    talks.summary("{conversation}"),
    talks.handoff("{conversation}"),
  ]);

  const called = new Set(asked.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`));
  const documented = Object.entries(DOCUMENT.paths)
    .filter(([path]) => !path.startsWith("/v1/mcp/")) // clients of that protocol speak it
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  assert.deepEqual([...called].sort(), documented.sort());
});
