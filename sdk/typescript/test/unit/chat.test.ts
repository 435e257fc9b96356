import assert from "node:assert/strict";
import { test } from "node:test";

import { Membus } from "membus-client";

import { collect, connect, problem } from "./server.ts";

type Script = (socket: ScriptedSocket, sent: Record<string, unknown>) => void;

/** A socket that plays one script a connection, the last one for ever. It stands for the platform's WebSocket. */
class ScriptedSocket extends EventTarget {
  static scripts: (Script | "refused")[] = [];
  static sent: Record<string, unknown>[] = [];
  static protocols: unknown;
  readonly #script: Script | "refused";

  constructor(_url: string, protocols: unknown) {
    super();
    const { scripts } = ScriptedSocket;
    ScriptedSocket.protocols = protocols;
    this.#script = scripts.length > 1 ? scripts.shift()! : scripts[0]!;
    queueMicrotask(() => this.dispatchEvent(new Event(this.#script === "refused" ? "error" : "open")));
  }

  send(text: string): void {
    const sent = JSON.parse(text) as Record<string, unknown>;
    ScriptedSocket.sent.push(sent);
    if (this.#script !== "refused") {
      this.#script(this, sent);
    }
  }

  frame(frame: Record<string, unknown>): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  close(): void {
    this.dispatchEvent(new Event("close"));
  }
}

function client(...scripts: (Script | "refused")[]): Membus {
  ScriptedSocket.scripts = scripts;
  ScriptedSocket.sent = [];
  const WebSocket = ScriptedSocket as unknown as typeof globalThis.WebSocket;
  return new Membus({ url: "http://membus.test", apiKey: "mb_key", socketUrl: "ws://membus.test", WebSocket });
}

const say = (membus: Membus) => collect(membus.conversations.stream("c", "Where do I live?", { author: "ada" }));

test("an answer comes in pieces until it is done", async () => {
  const pieces = await say(
    client((socket) => {
      socket.frame({ type: "delta", seq: 0, text: "In ", message_id: "m" });
      socket.frame({ type: "heartbeat", seq: 1 });
      socket.frame({ type: "delta", seq: 2, text: "Bath.", message_id: "m" });
      socket.frame({ type: "done", seq: 3 });
    }),
  );

  assert.deepEqual(pieces, [
    { text: "In ", begins: true, messageId: "m" },
    { text: "Bath.", begins: false, messageId: "m" },
  ]);
  assert.deepEqual(ScriptedSocket.protocols, ["membus.v1", "bearer.mb_key"]);
});

test("a broken connection is resumed under the same request_id", async () => {
  const pieces = await say(
    client(
      (socket) => {
        socket.frame({ type: "delta", seq: 0, text: "In ", message_id: "m" });
        socket.close();
      },
      (socket) => socket.frame({ type: "error", seq: 0, code: "in_progress", detail: "m" }),
      (socket) => {
        socket.frame({ type: "delta", seq: 0, text: "In Bath.", message_id: "m" });
        socket.frame({ type: "done", seq: 1 });
      },
    ),
  );

  assert.deepEqual(pieces.map((piece) => [piece.text, piece.begins]), [
    ["In ", true],
    ["In Bath.", true],
  ]);
  assert.equal(ScriptedSocket.sent.length, 3);
  assert.equal(new Set(ScriptedSocket.sent.map((sent) => sent["request_id"])).size, 1);
});

test("an answer that ends with an error throws it with its code", async () => {
  const failing = client((socket) => socket.frame({ type: "error", seq: 0, code: "incomplete", detail: "broke off" }));

  await assert.rejects(say(failing), { name: "BadRequestError", code: "incomplete", detail: "broke off" });
});

test("a socket that refuses the key says so with the API's words", async () => {
  const { membus } = await connect([problem(401, "unauthorized")], {
    socketUrl: "ws://membus.test",
    WebSocket: client("refused").settings.WebSocket,
  });

  await assert.rejects(say(membus), { name: "AuthenticationError", code: "unauthorized", requestId: "r-1" });
});

test("a socket without an address says what to set", async () => {
  delete process.env["MEMBUS_WS_URL"];

  await assert.rejects(say(new Membus({ url: "http://membus.test" })), /MEMBUS_WS_URL/);
});
