import { RestoreInProgressError } from "./errors.js";
import type { Episode, EventReceipt, NewEpisode, Schemas, State, StateInfo } from "./models.js";
import { toFields, type Moment, type Options } from "./options.js";
import { pages, read, type Api } from "./transport.js";

/** The episodes and the working memory of one agent. */
export class Agent {
  readonly #api: Api;

  constructor(
    api: Api,
    readonly agentId: string,
  ) {
    this.#api = api;
  }

  /** Return what happened, in the order of time; `RestoreInProgressError` while archived episodes come back. */
  episodes(
    options: { since?: Moment; until?: Moment; userId?: string; sessionId?: string } = {},
  ): AsyncGenerator<Episode, void, undefined> {
    const query = toFields<{ from?: string; to?: string; user_id?: string; session_id?: string }>(options);
    return pages(async (cursor) => {
      const params = { path: { agent: this.agentId }, query: { ...query, cursor } };
      const page = await read(this.#api.GET("/v1/agents/{agent}/episodes", { params }));
      if ("job_id" in page) {
        throw new RestoreInProgressError(page);
      }
      return page;
    });
  }

  /** Append episodes that can be read at once, and are learned from. */
  append(episodes: NewEpisode[]): Promise<EventReceipt> {
    const params = { path: { agent: this.agentId } };
    return read(this.#api.POST("/v1/agents/{agent}/episodes", { params, body: { episodes } }));
  }

  /** Return the sessions that have a state. */
  sessions(): AsyncGenerator<StateInfo, void, undefined> {
    return pages((cursor) => {
      const params = { path: { agent: this.agentId }, query: { cursor } };
      return read(this.#api.GET("/v1/agents/{agent}/sessions", { params }));
    });
  }

  getState(sessionId: string): Promise<State> {
    return read(this.#api.GET("/v1/agents/{agent}/sessions/{session}/state", { params: this.#session(sessionId) }));
  }

  /** Replace the state of a session; `ConflictError` where another writer was faster. */
  putState(
    sessionId: string,
    data: Record<string, unknown>,
    options: Options<Omit<Schemas["StateIn"], "data">> = {},
  ): Promise<State> {
    const body = { data, ...toFields<Omit<Schemas["StateIn"], "data">>(options) };
    const params = this.#session(sessionId);
    return read(this.#api.PUT("/v1/agents/{agent}/sessions/{session}/state", { params, body }));
  }

  async deleteState(sessionId: string, options: { expectedVersion?: number } = {}): Promise<void> {
    const params = { ...this.#session(sessionId), header: ifMatch(options.expectedVersion) };
    await this.#api.DELETE("/v1/agents/{agent}/sessions/{session}/state", { params });
  }

  #session(sessionId: string): { path: { agent: string; session: string } } {
    return { path: { agent: this.agentId, session: sessionId } };
  }
}

/** Return the header by which only the expected version is changed. */
export function ifMatch(expectedVersion: number | undefined): { "if-match"?: string } {
  return expectedVersion === undefined ? {} : { "if-match": `"${expectedVersion}"` };
}
