import { Agent } from "./agents.js";
import { Conversations } from "./conversations.js";
import { Jobs } from "./jobs.js";
import { Memories } from "./memories.js";
import type { Health, MemorySettings, Schemas, SearchResults, Usage } from "./models.js";
import { toFields, type Options } from "./options.js";
import { readSettings, readStackFile, type Settings } from "./settings.js";
import { connectApi, read, type Api } from "./transport.js";
import { Events, User } from "./users.js";

export type SearchOptions = Options<Omit<Schemas["SearchIn"], "query">>;

/** A client of one tenant, by its API key. */
export class Membus {
  readonly settings: Readonly<Settings>;
  /** Every route of the API with its own names, for what has no method here; retried, with the same errors. */
  readonly api: Api;
  readonly events: Events;
  readonly memories: Memories;
  readonly conversations: Conversations;
  readonly jobs: Jobs;

  constructor(options: Partial<Settings> = {}) {
    this.settings = readSettings(options);
    this.api = connectApi(this.settings);
    this.events = new Events(this.api);
    this.memories = new Memories(this.api);
    this.conversations = new Conversations(this);
    this.jobs = new Jobs(this.api);
  }

  /** Return a client of the local stack that `make up` started; in Node only. */
  static local(file = ".local/stack.json", options: Partial<Settings> = {}): Membus {
    return new Membus({ ...readStackFile(file), ...options });
  }

  /** Return the memory of one user: nothing that it does can be about another. */
  user(userId: string): User {
    return new User(this, userId);
  }

  agent(agentId: string): Agent {
    return new Agent(this.api, agentId);
  }

  /** Search every kind of memory: facts, episodes, documents and summaries, best first. */
  search(query: string, options: SearchOptions = {}): Promise<SearchResults> {
    const body = { query, ...toFields<Omit<Schemas["SearchIn"], "query">>(options) };
    return read(this.api.POST("/v1/search", { body }));
  }

  /** Return tokens, calls and dollars by day, function and model; days are written 2026-11-30. */
  usage(options: { since?: string; until?: string } = {}): Promise<Usage> {
    const query = toFields<{ from?: string; to?: string }>(options);
    return read(this.api.GET("/v1/usage", { params: { query } }));
  }

  /** Return what the tenant has set for its memory, in force or as an earlier version. */
  getSettings(options: { version?: number } = {}): Promise<MemorySettings> {
    return read(this.api.GET("/v1/settings", { params: { query: options } }));
  }

  /** Replace the tenant's settings, named as the API names them; `ConflictError` where they are at another version. */
  changeSettings(body: Schemas["SettingsIn"]): Promise<MemorySettings> {
    return read(this.api.PUT("/v1/settings", { body }));
  }

  health(): Promise<Health> {
    return read(this.api.GET("/v1/health"));
  }

  /** Return the description of the API. */
  openapi(): Promise<Record<string, unknown>> {
    return read(this.api.GET("/v1/openapi.json"));
  }
}
