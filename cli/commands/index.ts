// Every command, by heading and in the order of `moult --help`.
import type { AddCommand } from '../main.ts';
import { addBundle } from './bundle.ts';
import { addClient } from './client.ts';
import { addDelta } from './delta.ts';
import { addDevice } from './device.ts';
import { addDirector } from './director.ts';
import { addEcu } from './ecu.ts';
import { addGateway } from './gateway.ts';
import { addImage } from './image.ts';
import { addInit } from './init.ts';
import { addKey } from './key.ts';
import { addPublish } from './publish.ts';
import { addRefresh } from './refresh.ts';
import { addRelease } from './release.ts';
import { addRole } from './role.ts';
import { addServe } from './serve.ts';
import { addStatus } from './status.ts';
import { addSupplier } from './supplier.ts';
import { addTime } from './time.ts';
import { addVerify } from './verify.ts';

export const commands: readonly (readonly [heading: string, adds: readonly AddCommand[]])[] = [
  [
    'A repository:',
    [
      addInit,
      addKey,
      addRelease,
      addDelta,
      addImage,
      addPublish,
      addRefresh,
      addRole,
      addSupplier,
      addStatus,
      addVerify,
      addServe,
      addDirector,
      addTime,
    ],
  ],
  ['Devices:', [addDevice, addEcu, addGateway, addBundle]],
  ['Any TUF repository:', [addClient]],
];
