/** Requests as the client sends them, and when one is sent again. */

import createClient, { type Client } from "openapi-fetch";

import {
  APIConnectionError,
  APIStatusError,
  APITimeoutError,
  MembusError,
  WaitTimeoutError,
  statusError,
} from "./errors.js";
import type { paths } from "./generated.js";
import { requestHeaders, type Settings } from "./settings.js";

export type Api = Client<paths, "application/json">;

export const POLL_SECONDS = 0.5;
export const WAIT_SECONDS = 60;
const FIRST_PAUSE_SECONDS = 0.5;
const PAUSE_SECONDS_MAX = 8;
const RETRYABLE = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Codes of 409 that pass by themselves. */
const REPEATABLE_CONFLICTS = new Set(["in_progress"]);
/** Codes of 5xx that the same request would meet again at once. */
const FINAL_CODES = new Set(["unsafe", "archive_damaged", "archive_thawing"]);

/** Return the API of the generated types, whose calls are retried and throw the errors of `errors.ts`. */
export function connectApi(settings: Settings): Api {
  return createClient<paths, "application/json">({
    baseUrl: settings.url,
    headers: requestHeaders(settings),
    redirect: "error", // a key is for one address
    pathSerializer: fillPath,
    fetch: (request) => sendWithRetries(request, settings),
  });
}

/** Return what a call answers; only another server, such as a proxy, answers something that is no JSON. */
export async function read<Data>(call: Promise<{ data?: Data; response: Response }>): Promise<Data> {
  try {
    return (await call).data as Data;
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new APIConnectionError("the answer is no JSON: is this the address of the API?", { cause: error });
    }
    throw error;
  }
}

/** Yield the items of all pages, each page asked for when it is reached. */
export async function* pages<Item>(
  askPage: (cursor: string | undefined) => Promise<{ items: Item[]; next_cursor: string | null }>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await askPage(cursor);
    yield* page.items;
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
}

/** Ask again until there is an answer; undefined is none. */
export async function poll<Answer>(
  ask: () => Promise<Answer | undefined>,
  { name, timeoutSeconds }: { name: string; timeoutSeconds: number },
): Promise<Answer> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    await sleep(POLL_SECONDS);
  }
  throw new WaitTimeoutError(`${name} within ${timeoutSeconds} seconds`);
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Return a new identifier. `crypto.randomUUID` would need a page of HTTPS. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return how many seconds to wait before another try, undefined where none helps. Without a status nothing came back. */
export function pauseBeforeRetry(failure: APIStatusError | undefined, tries: number): number | undefined {
  if (failure) {
    const { status, code, retryAfterSeconds } = failure;
    if (!(RETRYABLE.has(status) && !FINAL_CODES.has(code)) && !REPEATABLE_CONFLICTS.has(code)) {
      return undefined;
    }
    if (retryAfterSeconds !== undefined) {
      return retryAfterSeconds;
    }
  }
  return Math.min(FIRST_PAUSE_SECONDS * 2 ** tries, PAUSE_SECONDS_MAX) * (0.5 + Math.random() / 2);
}

/** Send a request, again where that may help and time is left. A POST carries one Idempotency-Key over all its tries. */
async function sendWithRetries(request: Request, settings: Settings): Promise<Response> {
  if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", newKey());
  }
  const deadline = performance.now() + settings.timeoutSeconds * 1000;
  for (let tries = 0; ; tries++) {
    const outcome = await sendOnce(request, settings, deadline - performance.now());
    if (outcome instanceof Response) {
      return outcome;
    }
    const pause = pauseBeforeRetry(outcome instanceof APIStatusError ? outcome : undefined, tries);
    if (pause === undefined || tries >= settings.maxRetries || performance.now() + pause * 1000 >= deadline) {
      throw outcome;
    }
    await sleep(pause);
  }
}

/** Return the answer, or the failure that another try may mend. */
async function sendOnce(request: Request, settings: Settings, milliseconds: number): Promise<Response | MembusError> {
  const signal = AbortSignal.timeout(Math.max(Math.ceil(milliseconds), 1));
  try {
    const { fetch } = settings; // called as a function: a browser's own refuses another `this`
    const answer = await fetch(request.clone(), { signal });
    const text = await answer.text(); // here, so that the timeout counts the body too
    return answer.ok
      ? new Response(text || null, { status: answer.status, headers: answer.headers })
      : errorOf(answer.status, text, answer.headers);
  } catch (error) {
    if (signal.aborted) {
      throw new APITimeoutError(`${request.method} ${new URL(request.url).pathname} took too long`, { cause: error });
    }
    return new APIConnectionError(`${settings.url} cannot be reached: ${reasonOf(error)}`, { cause: error });
  }
}

/** Return the error of an answer, whose body is problem+json or the gateway's own. */
function errorOf(status: number, text: string, headers: Headers): APIStatusError {
  const after = headers.get("Retry-After") ?? "";
  return statusError(status, parseProblem(text), /^\d+(\.\d+)?$/.test(after) ? Number(after) : undefined);
}

function parseProblem(text: string): Record<string, unknown> {
  try {
    const problem: unknown = JSON.parse(text);
    return problem && typeof problem === "object" ? { ...problem } : {};
  } catch {
    return {}; // a proxy's page: the status says enough
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** Return a path with its parameters, each encoded as one segment. */
function fillPath(path: string, parameters: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(parameters[name]);
    if (/^\.{0,2}$/.test(value)) {
      throw new MembusError(`${name} cannot be ${JSON.stringify(value)}: it is a segment of an address`);
    }
    return encodeURIComponent(value);
  });
}
