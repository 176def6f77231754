// The start of a Node host: loads the module, mounts a provisioned flash file and asks for the first action.
import { Action, Status } from '../host/node/abi.ts';
import { RecordedBoot } from '../host/node/boot.ts';
import { Core } from '../host/node/core.ts';
import { FileFlash, type Geometry, uniformGeometry } from '../host/node/flash.ts';

export const GEOMETRY: Geometry = uniformGeometry({
  block: 4096,
  unit: 4,
  erased: 0xff,
  bank: 16_384,
  slot: 65_536,
});

/** Starts the device whose flash is at `path`; throws unless it then asks for a file. */
export function firstAction(path: string): void {
  const flash = new FileFlash(path, GEOMETRY);
  const core = new Core({ flash, boot: new RecordedBoot(flash) });
  const status = core.coreStart();
  if (status !== Status.OK) throw new Error(`core_start: ${status}`);
  const action = core.agentStep(1_800_000_000);
  if (action !== Action.FETCH) throw new Error(`agent_step: ${action}`);
  flash.close();
}
