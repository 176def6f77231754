// Sweeps one case after another, in a thread of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { cutText, SweepFailure, type SweepResult, sweep } from '../../sim/powercut.ts';
import { type Case, effortOf, open } from './cases.ts';

export interface Verdict {
  readonly result?: SweepResult;
  readonly failure?: { readonly message: string; readonly cuts: string };
}

async function judge(one: Case): Promise<Verdict> {
  try {
    return { result: await sweep(await open(one), effortOf(one, workerData as number)) };
  } catch (error) {
    const cuts = error instanceof SweepFailure ? error.cuts.map(cutText).join(',') : '';
    return { failure: { message: String(error), cuts } };
  }
}

parentPort?.on('message', async (one: Case) => parentPort?.postMessage(await judge(one)));
