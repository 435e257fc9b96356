import type { Job } from "./models.js";
import { poll, read, type Api } from "./transport.js";

const ENDED = new Set(["done", "failed"]);
const JOB_SECONDS = 600;

/** Erasures, exports and archived episodes on their way back, which take a while. */
export class Jobs {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  get(jobId: string): Promise<Job> {
    return read(this.#api.GET("/v1/jobs/{job}", { params: { path: { job: jobId } } }));
  }

  /** Wait until a job has ended, and return it with its receipt or its address. */
  wait(job: Job | string, options: { timeoutSeconds?: number } = {}): Promise<Job> {
    const jobId = typeof job === "string" ? job : job.job_id;
    const ask = async () => {
      const found = await this.get(jobId);
      return ENDED.has(found.status) ? found : undefined;
    };
    return poll(ask, { name: `job ${jobId} did not end`, timeoutSeconds: options.timeoutSeconds ?? JOB_SECONDS });
  }
}
