// Group commit: while one batch is on its way, what comes in gathers and goes as the next one.

export class Batcher<Job, Result> {
  readonly #run: (jobs: readonly Job[]) => Promise<readonly Result[]>;
  readonly #most: number;
  #waiting: { job: Job; done: (result: Result) => void; fail: (error: unknown) => void }[] = [];
  #running = false;

  /** `run` takes up to `most` jobs and gives a result for each, in their order; what it throws goes to all of them. */
  constructor(most: number, run: (jobs: readonly Job[]) => Promise<readonly Result[]>) {
    this.#most = most;
    this.#run = run;
  }

  add(job: Job): Promise<Result> {
    return new Promise((done, fail) => {
      this.#waiting.push({ job, done, fail });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    // Jobs of the same turn of the event loop belong together.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#most);
      try {
        const results = await this.#run(batch.map(({ job }) => job));
        batch.forEach(({ done }, index) => {
          done(results[index] as Result);
        });
      } catch (error) {
        for (const { fail } of batch) fail(error);
      }
    }
    this.#running = false;
  }
}
