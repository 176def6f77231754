// The components of a device: what a new one is given, and what one has.
import type { ComponentState } from '../../host/node/core.ts';
import type { ComponentConfiguration, DeviceConfiguration } from '../../host/node/provision.ts';
import { RepositoryError } from '../../repo/index.ts';
import type { Output } from '../output.ts';

/** Components beside the main one, at most. */
export const MOST_MORE = 7;

/** What --component says: the main one, by its name, then others, by NAME or NAME=HARDWARE. All are as the factory made them. */
export function parseComponents(
  given: readonly string[] = ['app'],
): Omit<ComponentConfiguration, 'hardwareId'> & Pick<DeviceConfiguration, 'components'> {
  const [main, ...more] = given.map(parseComponent);
  const names = new Set(given.map((text) => parseComponent(text).component));
  if (main === undefined || main.hardwareId !== undefined)
    throw bad('the first --component is the main one: its hardware id is that of the device, --hw');
  if (names.size < given.length) throw bad('a --component is given twice');
  if (more.length > MOST_MORE)
    throw bad(`a device has up to ${MOST_MORE + 1} components, not ${given.length}`);
  return { ...main, ...(more.length > 0 && { components: more }) };
}

function parseComponent(text: string): ComponentConfiguration {
  const [, component, hardwareId] = /^([^=]+)(?:=(.+))?$/.exec(text) ?? [];
  if (component === undefined) throw bad(`--component takes NAME or NAME=HARDWARE, not "${text}"`);
  const image = { version: 'factory', releaseCounter: 0, securityCounter: 0 };
  return { component, ...(hardwareId !== undefined && { hardwareId }), ...image };
}

export function showComponents(components: readonly ComponentState[], output: Output): void {
  output.table(
    ['component', 'version', 'hardware', 'counter', 'security', 'slot', 'on its way'],
    components.map(({ component, version, hardwareId, slot, candidate, ...of }) => [
      component,
      version,
      hardwareId,
      String(of.releaseCounter),
      String(of.securityCounter),
      'AB'[slot] ?? String(slot),
      candidate > 0 ? `${of.candidateVersion} (${candidate})` : '',
    ]),
  );
}

function bad(message: string): RepositoryError {
  return new RepositoryError('bad-argument', message);
}
