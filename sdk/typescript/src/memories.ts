import type { Memory, MemoryReceipt, NewMemory, Schemas } from "./models.js";
import { toFields, type Options } from "./options.js";
import { pages, read, type Api } from "./transport.js";

/** Texts that an application puts into memory itself. */
export class Memories {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Return the texts, the newest first. */
  list(
    options: { userId?: string; agentId?: string; filters?: Record<string, unknown> } = {},
  ): AsyncGenerator<Memory, void, undefined> {
    const filters = options.filters && JSON.stringify(options.filters);
    return pages((cursor) => {
      const query = { user_id: options.userId, agent_id: options.agentId, filters, cursor };
      return read(this.#api.GET("/v1/memories", { params: { query } }));
    });
  }

  /** Put up to 100 texts into memory. */
  async add(items: NewMemory[]): Promise<MemoryReceipt[]> {
    return (await read(this.#api.POST("/v1/memories", { body: { items } }))).items;
  }

  get(memoryId: string): Promise<Memory> {
    return read(this.#api.GET("/v1/memories/{memory}", { params: { path: { memory: memoryId } } }));
  }

  /** Change the text, its metadata or its end; an `expiresAt` of null lifts the end. */
  update(memoryId: string, changes: Options<Schemas["MemoryPatch"]>): Promise<Memory> {
    const body = toFields<Schemas["MemoryPatch"]>(changes);
    return read(this.#api.PATCH("/v1/memories/{memory}", { params: { path: { memory: memoryId } }, body }));
  }

  async delete(memoryId: string): Promise<void> {
    await this.#api.DELETE("/v1/memories/{memory}", { params: { path: { memory: memoryId } } });
  }
}
