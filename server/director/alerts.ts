// Alerts: what is wrong, once for each vehicle, ECU and kind until an operator closes it, however often it is seen.
import type { Alarm } from '../../repo/director/verdict.ts';
import type { Write } from './database.ts';

export interface NewAlert {
  readonly vehicle: string;
  /** Empty: the vehicle as a whole. */
  readonly serial: string;
  readonly kind: Alarm | 'release-held-back';
  readonly detail: string;
  /** The manifest that shows it; empty: none. */
  readonly evidence: string;
}

export async function raise(write: Write, alerts: readonly NewAlert[], now: number): Promise<void> {
  for (const alert of alerts) {
    const row = {
      vehicle_id: alert.vehicle,
      serial: alert.serial,
      kind: alert.kind,
      detail: alert.detail,
      count: 1,
      first_at: now,
      last_at: now,
      evidence: alert.evidence,
      closed_at: 0,
    };
    const key = ['vehicle_id', 'serial', 'kind'] as const;
    const { numInsertedOrUpdatedRows: fresh } = await write
      .insertInto('alerts')
      .values(row)
      .onConflict((conflict) => conflict.columns(key).doUpdateSet(row).where('alerts.closed_at', '>', 0))
      .executeTakeFirstOrThrow();
    if (fresh !== undefined && fresh > 0n) continue;
    await write
      .updateTable('alerts')
      .set((set) => ({ count: set('count', '+', 1), last_at: now }))
      .where('vehicle_id', '=', alert.vehicle)
      .where('serial', '=', alert.serial)
      .where('kind', '=', alert.kind)
      .execute();
  }
}
