import type { Membus } from "./client.js";
import { streamAnswer } from "./chat.js";
import type {
  ChatAnswer,
  ChatPiece,
  Conversation,
  Handoff,
  Message,
  PromptContext,
  ReproducedPrompt,
  Schemas,
  Summaries,
  ToolResults,
} from "./models.js";
import { toFields, type Options } from "./options.js";
import { WAIT_SECONDS, newKey, pages, poll, read, type Api } from "./transport.js";

/** As whom to read: a member of the conversation; else as the tenant. */
export interface Reader {
  userId?: string;
}

export interface SayOptions {
  author: string;
  /** false: it stays in this conversation and nothing is learned from it. */
  remember?: boolean;
  /** The name of the message: sent again with it, the model is not asked twice. */
  key?: string;
  timeoutSeconds?: number;
}

/** Conversations, their messages, and the answers of membus's own chat. */
export class Conversations {
  readonly #api: Api;
  readonly #client: Membus;

  constructor(client: Membus) {
    this.#client = client;
    this.#api = client.api;
  }

  create(userId: string, options: Options<Omit<Schemas["ConversationIn"], "user_id">> = {}): Promise<Conversation> {
    const body = { user_id: userId, ...toFields<Omit<Schemas["ConversationIn"], "user_id">>(options) };
    return read(this.#api.POST("/v1/conversations", { body }));
  }

  list(options: Reader & { status?: Conversation["status"] } = {}): AsyncGenerator<Conversation, void, undefined> {
    return pages((cursor) => {
      const query = { status: options.status ?? "active", user_id: options.userId, cursor };
      return read(this.#api.GET("/v1/conversations", { params: { query } }));
    });
  }

  get(conversationId: string, reader: Reader = {}): Promise<Conversation> {
    return read(this.#api.GET("/v1/conversations/{conversation}", { params: ask(conversationId, reader) }));
  }

  /** Rename, archive, bring back or share a conversation. */
  update(conversationId: string, changes: Options<Schemas["ConversationPatch"]>): Promise<Conversation> {
    const body = toFields<Schemas["ConversationPatch"]>(changes);
    return read(this.#api.PATCH("/v1/conversations/{conversation}", { params: ask(conversationId), body }));
  }

  async delete(conversationId: string): Promise<void> {
    await this.#api.DELETE("/v1/conversations/{conversation}", { params: ask(conversationId) });
  }

  /** Return the messages, from either end. */
  messages(
    conversationId: string,
    options: Reader & { order?: "oldest" | "newest" } = {},
  ): AsyncGenerator<Message, void, undefined> {
    return pages((cursor) => {
      const query = { order: options.order ?? "oldest", user_id: options.userId, cursor };
      const params = { path: { conversation: conversationId }, query };
      return read(this.#api.GET("/v1/conversations/{conversation}/messages", { params }));
    });
  }

  /** Return one message, and whether it is complete. */
  message(conversationId: string, messageId: string, reader: Reader = {}): Promise<Message> {
    const params = askMessage(conversationId, messageId, reader);
    return read(this.#api.GET("/v1/conversations/{conversation}/messages/{message}", { params }));
  }

  /** Say something and return the stored answer, also one that takes longer than a request. */
  async say(conversationId: string, content: string, options: SayOptions): Promise<ChatAnswer> {
    const { author, remember, key = newKey(), timeoutSeconds = WAIT_SECONDS } = options;
    const params = { path: { conversation: conversationId }, header: { "idempotency-key": key } };
    const call = this.#api.POST("/v1/conversations/{conversation}/messages", {
      params,
      body: { content, author, ...(remember === undefined ? {} : { remember }) },
    });
    const answer: ChatAnswer = await read(call);
    return (await call).response.status === 202 ? this.#waitAnswer(conversationId, answer, timeoutSeconds) : answer;
  }

  async #waitAnswer(conversationId: string, pending: ChatAnswer, timeoutSeconds: number): Promise<ChatAnswer> {
    const { message_id: messageId } = pending.message;
    const ask = async () => {
      const reply = await this.message(conversationId, messageId);
      return reply.status === "pending" ? undefined : reply;
    };
    const reply = await poll(ask, { name: `message ${messageId} was not answered`, timeoutSeconds });
    return { ...pending, message: reply };
  }

  /** Return exactly what a message would send, by section. */
  context(
    conversationId: string,
    text = "",
    options: Reader & { author?: string } = {},
  ): Promise<PromptContext> {
    const query = { message: text, author: options.author, user_id: options.userId };
    const params = { path: { conversation: conversationId }, query };
    return read(this.#api.GET("/v1/conversations/{conversation}/context", { params }));
  }

  /** Return the prompt of an old reply, made again and checked. */
  messageContext(conversationId: string, messageId: string, reader: Reader = {}): Promise<ReproducedPrompt> {
    const params = askMessage(conversationId, messageId, reader);
    return read(this.#api.GET("/v1/conversations/{conversation}/messages/{message}/context", { params }));
  }

  /** Return all that the tools of a reply gave. */
  toolResults(conversationId: string, messageId: string, reader: Reader = {}): Promise<ToolResults> {
    const params = askMessage(conversationId, messageId, reader);
    return read(this.#api.GET("/v1/conversations/{conversation}/messages/{message}/results", { params }));
  }

  /** Return the summaries, their slots and their verification. */
  summary(conversationId: string, reader: Reader = {}): Promise<Summaries> {
    return read(this.#api.GET("/v1/conversations/{conversation}/summary", { params: ask(conversationId, reader) }));
  }

  /** Return everything that another agent needs to go on with the conversation. */
  handoff(conversationId: string, reader: Reader = {}): Promise<Handoff> {
    return read(this.#api.GET("/v1/conversations/{conversation}/handoff", { params: ask(conversationId, reader) }));
  }

  /** Yield an answer word by word over the WebSocket; a broken connection is resumed. */
  stream(
    conversationId: string,
    content: string,
    options: { author: string },
  ): AsyncGenerator<ChatPiece, void, undefined> {
    return streamAnswer(this.#client, { conversation_id: conversationId, content, author: options.author });
  }
}

function ask(conversationId: string, reader: Reader = {}) {
  return { path: { conversation: conversationId }, query: { user_id: reader.userId } };
}

function askMessage(conversationId: string, messageId: string, reader: Reader) {
  return { path: { conversation: conversationId, message: messageId }, query: { user_id: reader.userId } };
}
