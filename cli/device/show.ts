// What a device meets and does, in lines and a bar.
import { FetchKind, Role, STATUS_TEXTS, State, Status } from '../../host/node/abi.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import type { GatewayEvent } from '../../host/node/gateway.ts';
import type { DeviceReport } from '../../host/node/link.ts';
import type { Notice } from '../../host/node/notice.ts';
import { formatBytes, type Output, type Progress, type Tone } from '../output.ts';

export class Show {
  readonly #output: Output;
  #bar: Progress | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  event(event: ClientEvent): void {
    if (event.type === 'progress') {
      this.#progress(event);
      return;
    }
    const line = eventLine(event);
    if (!line) return;
    this.end();
    this.#output.event(...line);
  }

  /** Removes the bar. */
  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #progress({ kind, received, total }: Extract<ClientEvent, { type: 'progress' }>): void {
    if (kind !== FetchKind.TARGET) return;
    this.#bar ??= this.#output.progress('image', total);
    this.#bar.update(received, formatBytes(received));
  }
}

/** One line about what a device met or did; undefined: nothing that a person needs to hear. */
export function eventLine(event: ClientEvent): [text: string, tone: Tone] | undefined {
  switch (event.type) {
    case 'interrupted':
      return [event.message, 'warn'];
    case 'finding':
      return [findingLine(event.status, event.role), event.status < 0 ? 'bad' : 'warn'];
    case 'time':
      return event.status < 0 ? [event.message, 'warn'] : undefined;
    case 'up-to-date':
      return [`up to date: ${event.version}`, 'good'];
    case 'installed':
      return [`${event.version} verified and installed, ${formatBytes(event.length)}`, 'good'];
    case 'waiting':
      return [waitingLine(event.status, event.notice), 'warn'];
    case 'reboot':
      return ['reboot', 'plain'];
    case 'confirmed':
      return [`${event.version} passed its self-test and is confirmed`, 'good'];
    case 'rejected':
      return [`${event.version} failed its self-test`, 'bad'];
    default:
      return undefined;
  }
}

/** What the user should know of a release that waits: all of it is signed. */
function waitingLine(status: number, notice: Notice | undefined): string {
  const { version = 'a release', urgency, cves = [], risk = {}, expectedDowntime } = notice ?? {};
  const what = status === Status.POSTPONED ? 'is postponed' : 'waits for your approval';
  return [
    `${version} ${what}`,
    ...(urgency ? [`urgency ${urgency}`] : []),
    ...cves,
    ...[risk.en ?? Object.values(risk)[0] ?? []].flat(),
    ...(expectedDowntime ? [`the device stops for about ${expectedDowntime} s`] : []),
  ].join('; ');
}

/** One line about what a device reports of itself. */
export function reportLine({ event, ...of }: DeviceReport): [text: string, tone: Tone] {
  const { status, engine, installedVersion, candidateVersion } = of;
  switch (event) {
    case 'started':
      return [`a device on ${engine} has started: ${installedVersion} is installed`, 'plain'];
    case 'checked': {
      if (status === Status.UP_TO_DATE) return [`up to date: ${installedVersion}`, 'good'];
      const role = (of.state[State.CHECK_ROLE] ?? Role.NONE) as Role;
      return [findingLine(status, role), status < 0 ? 'bad' : 'warn'];
    }
    case 'reboots':
      return ['reboot', 'plain'];
    case 'on-trial':
      return [`${candidateVersion} runs on trial`, 'plain'];
    case 'confirmed':
      return [`${installedVersion} passed its self-test and is confirmed`, 'good'];
    case 'rejected':
      return ['the image on trial failed its self-test', 'bad'];
    case 'stopped':
      return [findingLine(status, Role.NONE), 'bad'];
  }
}

/** One line about what happens on the line of a device; undefined: nothing that a person needs to hear. */
export function gatewayLine(event: GatewayEvent): [text: string, tone: Tone] | undefined {
  if (event.type === 'report') return reportLine(event.report);
  if (event.type === 'interrupted') return [event.message, 'warn'];
  if (event.type === 'time' && !event.answered) return ['no time server answers', 'warn'];
  if (event.type === 'refused') return ['a device asks what this gateway does not understand', 'warn'];
  return undefined;
}

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  [Role.ROOT]: 'root: ',
  [Role.TIMESTAMP]: 'timestamp: ',
  [Role.SNAPSHOT]: 'snapshot: ',
  [Role.TARGETS]: 'targets: ',
  [Role.IMAGE]: 'image: ',
  [Role.NONE]: '',
  [Role.DELEGATED]: 'a delegated role: ',
  [Role.OFFLINE_SNAPSHOT]: 'the offline snapshot: ',
  [Role.OFFLINE_TARGETS]: 'the offline targets: ',
};

/** The role, the finding, and the attack that it may be. */
export function findingLine(status: number, role: Role): string {
  const { message = `status ${status}`, attack = '' } = STATUS_TEXTS.get(status) ?? {};
  return `${ROLE_NAMES[role]}${message}${attack && ` [${attack}]`}`;
}
