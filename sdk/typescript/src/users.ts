import { ifMatch } from "./agents.js";
import type { Membus, SearchOptions } from "./client.js";
import { EventsRejectedError, MembusError, NotFoundError } from "./errors.js";
import type {
  EventOutcome,
  EventReceipt,
  ExplainedFact,
  Fact,
  FactResult,
  FactVersion,
  Job,
  NewEvent,
  NewFact,
  Profile,
  PurgePreview,
  ReviewItem,
  Schemas,
  SearchResults,
} from "./models.js";
import { toFields, type Moment, type Options } from "./options.js";
import { WAIT_SECONDS, pages, poll, read, type Api } from "./transport.js";

/** Fields of an event beside its user, its type and its payload. */
export type EventOptions = Options<Omit<NewEvent, "user_id" | "type" | "payload">>;

/** Return an event of any type. */
export function event(
  userId: string,
  type: string,
  payload: Record<string, unknown>,
  options: EventOptions = {},
): NewEvent {
  const fields = toFields<Omit<NewEvent, "user_id" | "type" | "payload">>(options);
  return { user_id: userId, type, payload, ...fields };
}

/** Return the event of a user's message. */
export function message(userId: string, text: string, options: EventOptions = {}): NewEvent {
  return event(userId, "message.sent", { text }, options);
}

/** What users did. */
export class Events {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Send up to 100 events; throws `EventsRejectedError` where one is rejected, unless that is allowed. */
  async send(events: NewEvent[], options: { allowRejected?: boolean } = {}): Promise<EventReceipt> {
    const receipt = await read(this.#api.POST("/v1/events", { body: { events } }));
    if (receipt.rejected.length && !options.allowRejected) {
      throw new EventsRejectedError(receipt);
    }
    return receipt;
  }
}

/** The memory of one user. */
export class User {
  readonly facts: Facts;
  readonly review: Review;
  readonly #client: Membus;

  constructor(
    client: Membus,
    readonly userId: string,
  ) {
    this.#client = client;
    this.facts = new Facts(client.api, userId);
    this.review = new Review(client.api, userId);
  }

  /** Send something that the user said, and return the id of its event. */
  async remember(text: string, options: EventOptions = {}): Promise<string> {
    const { accepted } = await this.#client.events.send([message(this.userId, text, options)]);
    return accepted[0]!.event_id; // it was not rejected
  }

  /** Return what became of an event. */
  event(eventId: string): Promise<EventOutcome> {
    const params = { path: { user: this.userId, event: eventId } };
    return read(this.#client.api.GET("/v1/users/{user}/events/{event}", { params }));
  }

  /** Wait until an event has been read, and return what became of it. */
  waitRead(eventId: string, options: { timeoutSeconds?: number } = {}): Promise<EventOutcome> {
    const ask = async () => {
      try {
        const found = await this.event(eventId);
        return found.status === "waiting" ? undefined : found;
      } catch (error) {
        if (error instanceof NotFoundError) {
          return undefined; // it is still on the bus
        }
        throw error;
      }
    };
    const timeoutSeconds = options.timeoutSeconds ?? WAIT_SECONDS;
    return poll(ask, { name: `event ${eventId} was not read`, timeoutSeconds });
  }

  /** Return what is known about the user, compact; `text` is ready for a prompt. */
  profile(options: { asOf?: Moment } = {}): Promise<Profile> {
    const params = { path: { user: this.userId }, query: toFields<{ as_of?: string }>(options) };
    return read(this.#client.api.GET("/v1/users/{user}/profile", { params }));
  }

  search(query: string, options: Omit<SearchOptions, "userId"> = {}): Promise<SearchResults> {
    return this.#client.search(query, { ...options, userId: this.userId });
  }

  /** Have an event's words leave every store, for good; wait for the job with `jobs.wait`. */
  async purgeEvent(eventId: string): Promise<Job> {
    const params = { path: { user: this.userId, event: eventId }, query: { purge: true } };
    return (await read(this.#client.api.DELETE("/v1/users/{user}/events/{event}", { params }))) as Job;
  }

  /** Return what a purge of an event would take; nothing is changed. */
  async previewPurgeOfEvent(eventId: string): Promise<PurgePreview> {
    const params = { path: { user: this.userId, event: eventId }, query: { purge: true, dry_run: true } };
    return (await read(this.#client.api.DELETE("/v1/users/{user}/events/{event}", { params }))) as PurgePreview;
  }

  /** Erase everything about the user, for good. `confirm` has to be the user's id. */
  async erase(options: { confirm: string }): Promise<Job> {
    if (options.confirm !== this.userId) {
      throw new MembusError(`to erase ${this.userId}, pass { confirm: ${JSON.stringify(this.userId)} }`);
    }
    return read(this.#client.api.POST("/v1/users/{user}:erase", { params: { path: { user: this.userId } } }));
  }

  /** Begin to write all that is known of the user into one archive; wait for it with `jobs.wait`. */
  export(): Promise<Job> {
    return read(this.#client.api.POST("/v1/users/{user}:export", { params: { path: { user: this.userId } } }));
  }
}

/** The facts about one user. */
export class Facts {
  readonly #api: Api;
  readonly #path: { user: string };

  constructor(api: Api, userId: string) {
    this.#api = api;
    this.#path = { user: userId };
  }

  /** Return all facts, those of one kind, or those that were true, or known, at a moment. */
  list(
    options: { kind?: Fact["kind"]; asOf?: Moment; knownAt?: Moment } = {},
  ): AsyncGenerator<Fact, void, undefined> {
    const query = toFields<{ kind?: Fact["kind"]; as_of?: string; known_at?: string }>(options);
    return pages((cursor) => {
      const params = { path: this.#path, query: { ...query, cursor } };
      return read(this.#api.GET("/v1/users/{user}/facts", { params }));
    });
  }

  /** Return a fact, with `explain` and why it is believed; `NotFoundError` where nothing is known. */
  get(key: string, options: { explain?: boolean } = {}): Promise<ExplainedFact> {
    const params = { path: { ...this.#path, key }, query: options };
    return read(this.#api.GET("/v1/users/{user}/facts/{key}", { params }));
  }

  /** Return every version of a fact and what caused it. */
  history(key: string): AsyncGenerator<FactVersion, void, undefined> {
    return pages((cursor) => {
      const params = { path: { ...this.#path, key }, query: { cursor } };
      return read(this.#api.GET("/v1/users/{user}/facts/{key}/history", { params }));
    });
  }

  /** Set a fact by hand; `ConflictError` where `expectedVersion` is not the one that is stored. */
  set(key: string, value: string, options: Options<Omit<Schemas["FactIn"], "value">> = {}): Promise<Fact> {
    const body = { value, ...toFields<Omit<Schemas["FactIn"], "value">>(options) };
    return read(this.#api.PUT("/v1/users/{user}/facts/{key}", { params: { path: { ...this.#path, key } }, body }));
  }

  /** Set up to 100 facts, each on its own; a result says of each whether it was set. */
  async setMany(facts: NewFact[]): Promise<FactResult[]> {
    const call = this.#api.POST("/v1/users/{user}/facts:batch", { params: { path: this.#path }, body: { facts } });
    return (await read(call)).results;
  }

  /** Take a fact back by hand. */
  async delete(key: string, options: { expectedVersion?: number } = {}): Promise<void> {
    const params = { path: { ...this.#path, key }, header: ifMatch(options.expectedVersion) };
    await this.#api.DELETE("/v1/users/{user}/facts/{key}", { params });
  }

  /** Have all that a fact rests on leave every store, for good; wait for the job with `jobs.wait`. */
  async purge(key: string): Promise<Job> {
    const params = { path: { ...this.#path, key }, query: { purge: true } };
    return (await read(this.#api.DELETE("/v1/users/{user}/facts/{key}", { params }))) as Job;
  }

  /** Return what a purge of a fact would take; nothing is changed. */
  async previewPurge(key: string): Promise<PurgePreview> {
    const params = { path: { ...this.#path, key }, query: { purge: true, dry_run: true } };
    return (await read(this.#api.DELETE("/v1/users/{user}/facts/{key}", { params }))) as PurgePreview;
  }
}

/** What was read about one user and not believed. */
export class Review {
  readonly #api: Api;
  readonly #path: { user: string };

  constructor(api: Api, userId: string) {
    this.#api = api;
    this.#path = { user: userId };
  }

  list(): AsyncGenerator<ReviewItem, void, undefined> {
    return pages((cursor) => {
      const params = { path: this.#path, query: { cursor } };
      return read(this.#api.GET("/v1/users/{user}/quarantine", { params }));
    });
  }

  /** Believe it: it becomes a fact set by hand. */
  approve(quarantineId: string): Promise<Fact> {
    const params = { path: { ...this.#path, quarantine_id: quarantineId } };
    return read(this.#api.POST("/v1/users/{user}/quarantine/{quarantine_id}:approve", { params }));
  }

  /** Do not believe it, now or when it is read again. */
  async reject(quarantineId: string): Promise<void> {
    const params = { path: { ...this.#path, quarantine_id: quarantineId } };
    await this.#api.POST("/v1/users/{user}/quarantine/{quarantine_id}:reject", { params });
  }
}
