/** A server that answers requests in turn, the last answer for ever, and keeps what was asked. */

import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";

import { Membus, type Settings } from "membus-client";

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Asked {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  body: unknown;
}

/** Break the connection instead of an answer. */
export const BREAK: Answer = { status: 0 };
/** Never answer. */
export const SILENCE: Answer = { status: -1 };

export async function serve(...answers: [Answer, ...Answer[]]): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) {
      text += String(chunk);
    }
    const url = new URL(request.url ?? "", "http://membus.test");
    asked.push({
      method: request.method ?? "",
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    });
    const answer = answers.length > 1 ? answers.shift()! : answers[0];
    if (answer === BREAK) {
      request.socket.destroy();
    } else if (answer !== SILENCE) {
      const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
      response.writeHead(answer.status, { "Content-Type": "application/json", ...answer.headers });
      response.end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Return a client of a server with these answers, and what it is asked. */
export async function connect(
  answers: [Answer, ...Answer[]],
  options: Partial<Settings> = {},
): Promise<{ membus: Membus; asked: Asked[] }> {
  const { url, asked } = await serve(...answers);
  return { membus: new Membus({ url, apiKey: "mb_key", ...options }), asked };
}

export function problem(status: number, code: string, fields: Record<string, unknown> = {}): Answer {
  return { status, body: { code, detail: "why", request_id: "r-1", ...fields }, headers: { "Retry-After": "0" } };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) {
    found.push(item);
  }
  return found;
}
