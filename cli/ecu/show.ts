// What happens in a vehicle, in lines: which ECU, then what.
import { Role } from '../../host/node/abi.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import type { PrimaryEvent } from '../../host/node/primary.ts';
import { eventLine, findingLine, gatewayLine } from '../device/show.ts';
import type { Tone } from '../output.ts';

type Line = [text: string, tone: Tone] | undefined;

/** What a Primary meets and does; undefined: nothing that a person needs to hear. */
export function primaryLine(event: PrimaryEvent, serial: string): Line {
  switch (event.type) {
    case 'secondary':
      return of(event.serial, gatewayLine(event.event));
    case 'asks': {
      const how = event.stage === 'ready' ? 'holds its image, verified' : 'works with its new image';
      return of(event.serial, [`${how}: release ${event.release}`, 'plain']);
    }
    case 'manifest':
      return event.fault === undefined
        ? [`the manifest is sent: ${event.reports} reports`, 'good']
        : [`no manifest was taken: ${event.fault}`, 'warn'];
    case 'kept':
      return [`verified for all: ${releasesText(event.releases) || 'nothing is ordered'}`, 'plain'];
    case 'image-refused':
      return [`${event.path}: ${findingLine(event.status, Role.IMAGE)}`, 'bad'];
    case 'begun':
      return [`all hold their images, and boot them: ${releasesText(event.releases)}`, 'plain'];
    case 'committed':
      return [`all work, and keep what they have: ${releasesText(event.releases)}`, 'good'];
    case 'given-up': {
      const why = event.reason === 'refused' ? 'refuses its image' : 'did not come to test its image';
      return [`all go back, because one ${why}: ${event.ecus.join(', ')}`, 'bad'];
    }
    case 'report':
      return undefined;
    case 'waiting':
      // Nobody is asked: it waits for the others.
      return of(serial, [`${event.notice?.version ?? 'a release'} is ordered`, 'plain']);
    default:
      return of(serial, ecuLine(event));
  }
}

/** What an ECU meets and does by itself. */
export function ecuLine(event: ClientEvent): Line {
  if (event.type === 'report' && event.status < 0)
    return [`its report did not reach the Primary: ${event.message}`, 'warn'];
  if (event.type === 'withdrawn')
    return [`${event.version} works, and goes: it does not on all ECUs`, 'warn'];
  return eventLine(event);
}

function of(serial: string, line: Line): Line {
  return line && [`${serial}: ${line[0]}`, line[1]];
}

/** "gw-0001 2, radio-0001 5": release counters by ECU. */
function releasesText(releases: Readonly<Record<string, number>>): string {
  return Object.entries(releases)
    .map(([serial, release]) => `${serial} ${release}`)
    .join(', ');
}
