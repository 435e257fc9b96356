/** Where the API is, the key, and how long and how often a call is tried. */

import { MembusError } from "./errors.js";

export const VERSION = "0.1.0";

export interface Settings {
  /** The API's address; else the variable `MEMBUS_URL`. */
  url: string;
  /** The tenant's key; else `MEMBUS_API_KEY`. Keys are for servers: who reads a page reads its key. */
  apiKey: string | undefined;
  /** The WebSocket's address, for `conversations.stream`; else `MEMBUS_WS_URL`. */
  socketUrl: string | undefined;
  /** How long a call may take, retries included. */
  timeoutSeconds: number;
  /** How often a call is sent again. */
  maxRetries: number;
  /** What sends requests; the platform's own by default. */
  fetch: typeof globalThis.fetch;
  /** What opens sockets; the platform's own by default. */
  WebSocket: typeof globalThis.WebSocket | undefined;
}

/** Return settings from options, else from the environment, else the defaults. */
export function readSettings(options: Partial<Settings>): Settings {
  const environment: Readonly<Record<string, string | undefined>> = globalThis.process?.env ?? {};
  const url = options.url || environment["MEMBUS_URL"];
  if (!url) {
    throw new MembusError("name the API's address: new Membus({ url }), or set MEMBUS_URL");
  }
  return {
    url: url.replace(/\/+$/, ""),
    apiKey: options.apiKey || environment["MEMBUS_API_KEY"],
    socketUrl: options.socketUrl || environment["MEMBUS_WS_URL"],
    timeoutSeconds: options.timeoutSeconds ?? 60,
    maxRetries: options.maxRetries ?? 2,
    fetch: options.fetch ?? globalThis.fetch,
    WebSocket: options.WebSocket ?? globalThis.WebSocket,
  };
}

/** Return the settings of a local stack, which `make up` writes into `.local/stack.json`; in Node only. */
export function readStackFile(file: string): Partial<Settings> {
  const files = globalThis.process?.getBuiltinModule?.("node:fs");
  if (!files) {
    throw new MembusError("Membus.local() reads a file, which Node can: elsewhere new Membus({ url, apiKey })");
  }
  if (!files.existsSync(file)) {
    throw new MembusError(`${file} is not there: run \`make up\` in a checkout of membus, or name the file`);
  }
  const stack = JSON.parse(files.readFileSync(file, "utf-8")) as { api_url: string; api_key: string; ws_url?: string };
  return { url: stack.api_url, apiKey: stack.api_key, socketUrl: stack.ws_url };
}

/** Return the headers of every request. Browsers name themselves and allow no other name. */
export function requestHeaders(settings: Settings): Record<string, string> {
  const node = globalThis.process?.versions?.node;
  return {
    ...(settings.apiKey ? { Authorization: `Bearer ${settings.apiKey}` } : {}),
    ...(node ? { "User-Agent": `membus-client-typescript/${VERSION} node/${node}` } : {}),
  };
}
