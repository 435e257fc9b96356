/** Chat over the WebSocket, whose frames docs/websocket.md describes. */

import type { Membus } from "./client.js";
import { APIConnectionError, APIStatusError, MembusError, statusError } from "./errors.js";
import type { ChatPiece } from "./models.js";
import { newKey, sleep } from "./transport.js";

const CONNECTIONS_MAX = 5;
const PAUSE_SECONDS = 1;
/** The server sends a heartbeat every 20 seconds: after so long the connection is dead. */
const SILENCE_SECONDS = 60;
/** Codes of an answer that is under way, over this connection or another. */
const COME_BACK = new Set(["in_progress", "pending"]);
/** The status of an error in a frame, which has a code alone. */
const FRAME_STATUS = 400;
const REFUSED_KEY = new Set([401, 403]);

interface Frame {
  type: string;
  seq: number;
  text: string;
  message_id: string;
  code: string;
  retry_after_seconds?: number;
}

interface Question {
  conversation_id: string;
  content: string;
  author: string;
}

/**
 * Yield the pieces of an answer.
 *
 * Where the connection breaks the message is sent again under its `request_id`: the model is not asked twice.
 * Throws `APIStatusError` where the answer ends with an error, `APIConnectionError` where the socket broke too often.
 */
export async function* streamAnswer(client: Membus, question: Question): AsyncGenerator<ChatPiece, void, undefined> {
  const { socketUrl } = client.settings;
  if (!socketUrl) {
    throw new MembusError("name the WebSocket's address: new Membus({ socketUrl }), or set MEMBUS_WS_URL");
  }
  const asked = JSON.stringify({ action: "chat", ...question, request_id: newKey() });
  for (let connections = 0; connections < CONNECTIONS_MAX; connections++) {
    const socket = openSocket(client, socketUrl);
    const frames = receive(socket);
    try {
      if (await isOpen(socket)) {
        socket.send(asked);
        for await (const frame of frames) {
          if (frame.type === "done") {
            return;
          }
          if (frame.type === "error" && COME_BACK.has(frame.code)) {
            break;
          }
          if (frame.type === "error") {
            throw statusError(FRAME_STATUS, { ...frame }, frame.retry_after_seconds);
          }
          if (frame.type === "delta") {
            yield { text: frame.text, begins: frame.seq === 0, messageId: frame.message_id };
          }
        }
      } else {
        await checkKey(client, question.conversation_id);
      }
    } finally {
      socket.close();
    }
    await sleep(PAUSE_SECONDS); // the turn goes on without us
  }
  throw new APIConnectionError(`${socketUrl} broke off ${CONNECTIONS_MAX} times`);
}

function openSocket(client: Membus, url: string): WebSocket {
  const { WebSocket, apiKey } = client.settings;
  if (!WebSocket) {
    throw new MembusError("there is no WebSocket here (Node 22 has one): pass new Membus({ WebSocket })");
  }
  return new WebSocket(url, ["membus.v1", ...(apiKey ? [`bearer.${apiKey}`] : [])]);
}

/** Wait until the handshake has ended, and return whether the server agreed. */
function isOpen(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("error", () => resolve(false));
    socket.addEventListener("close", () => resolve(false));
  });
}

/** Yield the frames of a socket until it closes or falls silent. Listens from the first call on. */
function receive(socket: WebSocket): AsyncGenerator<Frame, void, undefined> {
  const frames: Frame[] = [];
  let isClosed = false;
  let wake = () => {};
  socket.addEventListener("message", (event) => {
    frames.push(JSON.parse(String(event.data)) as Frame);
    wake();
  });
  socket.addEventListener("close", () => {
    isClosed = true;
    wake();
  });
  const wait = async () => {
    const silence = setTimeout(() => {
      isClosed = true;
      wake();
    }, SILENCE_SECONDS * 1000);
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    clearTimeout(silence);
  };
  return (async function* () {
    for (;;) {
      const frame = frames.shift();
      if (frame) {
        yield frame;
      } else if (isClosed) {
        return;
      } else {
        await wait();
      }
    }
  })();
}

/**
 * Throw what the API says of the key. A WebSocket does not tell why its handshake failed.
 *
 * The request is refused after its key has been checked, for it says nothing.
 */
async function checkKey(client: Membus, conversationId: string): Promise<void> {
  const params = { path: { conversation: conversationId } };
  try {
    await client.api.POST("/v1/conversations/{conversation}/messages", { params, body: { content: "", author: "" } });
  } catch (error) {
    if (!(error instanceof APIStatusError) || REFUSED_KEY.has(error.status)) {
      throw error;
    }
  }
}
