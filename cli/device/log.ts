// moult device log: what became of a device, in lines, and whether its log is whole.
import { LogEvent, Mode, Role } from '../../host/node/abi.ts';
import type { DeviceLog, LogEntry, LogFinding } from '../../host/node/log.ts';
import { EXIT, type ExitStatus } from '../exit.ts';
import type { Output, Tone } from '../output.ts';
import { statusCode } from './failure.ts';
import { findingLine } from './show.ts';

export function showLog(log: DeviceLog, output: Output): ExitStatus {
  for (const entry of log.entries) {
    const [text, tone] = entryLine(entry);
    output.event(`${new Date(entry.time * 1000).toISOString()}  ${text}`, tone);
  }
  for (const finding of log.findings) output.event(flawLine(finding), 'bad');
  const last = log.entries.at(-1);
  if (log.findings.length === 0 && last)
    output.event(`the log is whole up to entry ${last.sequence}, ${last.tag}`, 'good');
  if (!last) output.event('there is no log', 'plain');
  output.result({
    entries: log.entries.map((entry) => ({
      ...entry,
      event: nameOf(LogEvent, entry.event),
      role: nameOf(Role, entry.role),
      status: statusCode(entry.status),
    })),
    findings: log.findings,
  });
  return log.findings.length === 0 ? EXIT.ok : EXIT.refused;
}

/** One line about an entry. */
export function entryLine({ event, status, role, detail }: LogEntry): [text: string, tone: Tone] {
  switch (event) {
    case LogEvent.OUTCOME: {
      const often = detail > 1 ? `, ${detail} times in a row` : '';
      return [`${findingLine(status, role)}${often}`, status < 0 ? 'bad' : 'plain'];
    }
    case LogEvent.PROVISIONED:
      return ['provisioned', 'plain'];
    case LogEvent.CONFIRMED:
      return [`release ${detail} is confirmed`, 'good'];
    case LogEvent.REVERTED:
      return [`release ${detail} is given up: ${findingLine(status, Role.NONE)}`, 'bad'];
    case LogEvent.POSTPONED:
      return [`the user has postponed the update until ${new Date(detail * 1000).toISOString()}`, 'warn'];
    case LogEvent.POLICY:
      return [`updates from now on: ${nameOf(Mode, detail)}`, 'plain'];
    default:
      return [`release ${detail} ${STEPS[event] ?? `has event ${event}`}`, 'plain'];
  }
}

const STEPS: Readonly<Record<number, string>> = {
  [LogEvent.INSTALL]: 'is being installed',
  [LogEvent.VERIFIED]: 'is verified as it lies on flash',
  [LogEvent.SELECTED]: 'is selected for the next boot',
  [LogEvent.TRIAL]: 'runs on trial',
  [LogEvent.APPROVED]: 'is approved by the user',
};

function flawLine({ finding, first, last }: LogFinding): string {
  const entries = first === last ? `entry ${first}` : `entries ${first} to ${last}`;
  return finding === 'missing' ? `${entries}: damaged, cannot be read` : `${entries}: not what was written`;
}

/** The name of a number, for programs. */
function nameOf(table: Readonly<Record<string, number>>, value: number): string {
  const found = Object.entries(table).find(([, number]) => number === value)?.[0];
  return found?.toLowerCase().replaceAll('_', '-') ?? `${value}`;
}
