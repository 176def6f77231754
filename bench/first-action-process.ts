// The process that bench/startup.ts times.
import { firstAction } from './first-action.ts';

firstAction(process.argv[2] ?? '');
