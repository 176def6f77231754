// What a manufacturer hands over for the inventory: JSON, or CSV as a spreadsheet makes it (docs/formats.md).
import { RepositoryError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { importPublicKey, keyMaterial, type PublicKey } from '../keys.ts';
import { Check } from '../schema.ts';
import { isId } from './manifest.ts';

export interface NewEcu {
  readonly serial: string;
  readonly hardwareId: string;
  readonly primary: boolean;
  readonly key: PublicKey;
}

export interface NewVehicle {
  readonly vehicle: string;
  /** Empty: none. */
  readonly group: string;
  readonly ecus: readonly NewEcu[];
}

const CSV_HEAD = ['vehicle', 'group', 'serial', 'hardwareId', 'primary', 'key'];

/** Refuses (`metadata-invalid`, `inventory-conflict`) what no inventory can hold; `name` is the file's. */
export function parseInventory(bytes: Uint8Array, name: string): NewVehicle[] {
  const text = Buffer.from(bytes).toString();
  const check = new Check(name);
  const vehicles = /^\s*[[{]/.test(text) ? fromJson(bytes, name, check) : fromCsv(text, check);
  for (const vehicle of vehicles) checkVehicle(vehicle, check);
  assertDistinct(vehicles, name);
  return vehicles;
}

function fromJson(bytes: Uint8Array, name: string, check: Check): NewVehicle[] {
  return check.array(parseJson(bytes, name), 'the list of vehicles').map((item) => {
    const { vehicle, group = '', ecus } = check.object(item, 'a vehicle');
    const id = check.string(vehicle, 'vehicle');
    const list = check.array(ecus, `ecus of ${id}`).map((entry) => {
      const { serial, hardwareId, primary, key } = check.object(entry, `an ECU of ${id}`);
      const { keytype, scheme, keyval } = check.object(key, `key of an ECU of ${id}`);
      const text = check.string(check.object(keyval, 'keyval').public, 'keyval.public');
      return {
        serial: check.string(serial, `serial of an ECU of ${id}`),
        hardwareId: check.string(hardwareId, `hardwareId of an ECU of ${id}`),
        primary: primary === true,
        key: {
          keytype: check.string(keytype, 'keytype'),
          scheme: check.string(scheme, 'scheme'),
          keyval: { public: text },
        },
      };
    });
    return { vehicle: id, group: check.string(group, `group of ${id}`), ecus: list };
  });
}

/** One line an ECU; keys in hexadecimal digits: 64 of Ed25519, 130 of a point of P-256. */
function fromCsv(text: string, check: Check): NewVehicle[] {
  const [head = [], ...rows] = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()));
  if (head.join() !== CSV_HEAD.join()) check.fail(`the first line is not "${CSV_HEAD.join(',')}"`);
  const vehicles = new Map<string, { vehicle: string; group: string; ecus: NewEcu[] }>();
  for (const row of rows) {
    const [vehicle = '', group = '', serial = '', hardwareId = '', primary = '', key = ''] = row;
    if (row.length !== CSV_HEAD.length) check.fail(`a line of ${vehicle} has ${row.length} cells`);
    const entry = vehicles.get(vehicle) ?? { vehicle, group, ecus: [] };
    entry.ecus.push({ serial, hardwareId, primary: primary === 'yes', key: keyFromHex(key) });
    vehicles.set(vehicle, entry);
  }
  return [...vehicles.values()];
}

function keyFromHex(text: string): PublicKey {
  const keyval = { public: text.toLowerCase() };
  return text.length === 64
    ? { keytype: 'ed25519', scheme: 'ed25519', keyval }
    : { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval };
}

function checkVehicle({ vehicle, group, ecus }: NewVehicle, check: Check): void {
  if (!isId(vehicle)) check.fail(`"${vehicle}" cannot name a vehicle`);
  if (group !== '' && !isId(group)) check.fail(`"${group}" cannot name a group`);
  if (ecus.filter(({ primary }) => primary).length !== 1) check.fail(`${vehicle} has not one Primary`);
  for (const { serial, hardwareId, key } of ecus) {
    if (!isId(serial)) check.fail(`"${serial}" cannot name an ECU`);
    if (!isId(hardwareId)) check.fail(`"${hardwareId}" is no hardware id`);
    if (importPublicKey(key) === undefined) check.fail(`the key of ${serial} is not of Ed25519 or P-256`);
  }
}

/** One key in two devices: whoever has one of them speaks for both. */
function assertDistinct(vehicles: readonly NewVehicle[], name: string): void {
  const ecus = vehicles.flatMap(({ ecus: list }) => list);
  assertOnce(
    vehicles.map(({ vehicle }) => vehicle),
    (id) => `${name}: the vehicle ${id} is there twice`,
  );
  assertOnce(
    ecus.map(({ serial }) => serial),
    (id) => `${name}: the ECU ${id} is there twice`,
  );
  const holders = new Map<string, string>();
  for (const { serial, key } of ecus) {
    const other = holders.get(keyMaterial(key));
    if (other !== undefined)
      throw new RepositoryError('inventory-conflict', `${name}: ${other} and ${serial} have the same key`);
    holders.set(keyMaterial(key), serial);
  }
}

function assertOnce(names: readonly string[], message: (name: string) => string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new RepositoryError('inventory-conflict', message(name));
    seen.add(name);
  }
}
