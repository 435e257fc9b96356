/** Errors of the client: one class for each status that a caller may handle, with the API's stable codes. */

import type { EventReceipt, Job } from "./models.js";

/** Any failure of this client. */
export class MembusError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The API could not be reached, the connection broke, or something else answered. */
export class APIConnectionError extends MembusError {}

/** The call did not end within its timeout. */
export class APITimeoutError extends APIConnectionError {}

/** What was waited for did not come in time; it may still come. */
export class WaitTimeoutError extends MembusError {}

/** Events of a batch were rejected; the others are accepted. `receipt` names each. */
export class EventsRejectedError extends MembusError {
  constructor(readonly receipt: EventReceipt) {
    super(`rejected events: ${receipt.rejected.map((each) => `${each.index}: ${each.code}: ${each.detail}`).join("; ")}`);
  }
}

/** Archived episodes are on their way back: wait for `job` with `jobs.wait`, then ask again. */
export class RestoreInProgressError extends MembusError {
  constructor(readonly job: Job) {
    super(`archived episodes are being brought back: wait for job ${job.job_id}, then ask again`);
  }
}

/**
 * The API answered with an error. `code` is stable; log `requestId`, by which operators find the request.
 *
 * `retryAfterSeconds` is set where a retry may help, `currentVersion` where another version is stored.
 */
export class APIStatusError extends MembusError {
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | undefined;
  readonly currentVersion: number | undefined;

  constructor(
    readonly status: number,
    readonly problem: Readonly<Record<string, unknown>>,
    readonly retryAfterSeconds: number | undefined,
    options?: ErrorOptions,
  ) {
    const code = String(problem["code"] ?? "unknown");
    const detail = String(problem["detail"] || problem["message"] || "no detail");
    const requestId = problem["request_id"] as string | undefined;
    super(`${status} ${code}: ${detail} (request ${requestId})`, options);
    this.code = code;
    this.detail = detail;
    this.requestId = requestId;
    this.currentVersion = problem["current_version"] as number | undefined;
  }
}

/** 400: the form of the request is wrong. */
export class BadRequestError extends APIStatusError {}

/** 401: no key, or not a valid one. */
export class AuthenticationError extends APIStatusError {}

/** 402: today's budget is spent. */
export class BudgetExhaustedError extends APIStatusError {}

/** 403: the key lacks a scope, or the user may not do this. */
export class PermissionDeniedError extends APIStatusError {}

/** 404: absent, expired, erased, or of another tenant. */
export class NotFoundError extends APIStatusError {}

/** 409: another version is stored (`currentVersion`), or something else is in the way. */
export class ConflictError extends APIStatusError {}

/** 413: send less. */
export class RequestTooLargeError extends APIStatusError {}

/** 422: the content is wrong; the detail names the field. */
export class UnprocessableError extends APIStatusError {}

/** 429: too many requests, after all retries. */
export class RateLimitError extends APIStatusError {}

/** 5xx: the API failed or is unavailable, after all retries. */
export class ServerError extends APIStatusError {}

const BY_STATUS: Readonly<Record<number, typeof APIStatusError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  402: BudgetExhaustedError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  413: RequestTooLargeError,
  422: UnprocessableError,
  429: RateLimitError,
};

/** Return the error of an answer by its status. */
export function statusError(
  status: number,
  problem: Readonly<Record<string, unknown>>,
  retryAfterSeconds: number | undefined,
): APIStatusError {
  const kind = status >= 500 ? ServerError : (BY_STATUS[status] ?? APIStatusError);
  return new kind(status, problem, retryAfterSeconds);
}
