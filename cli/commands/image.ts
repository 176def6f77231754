// moult image: what a file for a board says of itself.
import {
  describeImage,
  inspectImage,
  isPartitionTable,
  type OtaRecord,
  otaSlot,
  type Partition,
  readOtadata,
  readPartitionTable,
  readTrailer,
} from '../../repo/index.ts';
import { EXIT } from '../exit.ts';
import type { AddCommand } from '../main.ts';
import { readInput, type Session } from '../session.ts';

/** Bytes of the partition otadata, and the two slots that it chooses from. */
const OTADATA = 8192;
const SLOTS = 2;

const EXAMPLES = `
Knows application images of the ESP32 family, partition tables and otadata of ESP-IDF, and MCUboot's images, by their
first bytes. Exit status 1: a device would refuse this image.

Examples:
  moult image inspect build/app.bin
  moult image inspect build/partition-table.bin --json`;

export const addImage: AddCommand = (program, run) => {
  program
    .command('image')
    .description('images of boards')
    .command('inspect <file>')
    .description('show what a file for a board says of itself, and whether it is sound')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, file: string) => {
        const bytes = await readInput('the file', session.path(file));
        if (isPartitionTable(bytes)) showPartitions(session, readPartitionTable(bytes));
        else if (bytes.length === OTADATA && readOtadata(bytes).some(Boolean))
          showOtadata(session, readOtadata(bytes));
        else showImage(session, file, bytes);
      }),
    );
};

function showImage(session: Session, file: string, bytes: Buffer): void {
  const { output } = session;
  const image = inspectImage(bytes);
  const trailer = image.format === 'mcuboot' ? readTrailer(bytes) : undefined;
  const [title = '', ...details] = describeImage(image);
  output.event(`${file}: ${title}`, 'plain');
  for (const line of details) output.line(`  ${line}`);
  if (trailer?.magic === 'good')
    output.line(`  trailer of a slot: ${trailer.imageOk ? 'confirmed' : 'to be tried'}`);
  for (const { code, text } of image.findings) output.event(`${text} (${code})`, 'bad');
  if (image.findings.length > 0) session.exit = EXIT.refused;
  output.result({ ...image, ...(trailer && { trailer }) });
}

function showPartitions({ output }: Session, partitions: readonly Partition[]): void {
  output.event(`partition table, ${partitions.length} partitions`, 'plain');
  const hex = (value: number) => `0x${value.toString(16)}`;
  output.table(
    ['label', 'type', 'subtype', 'offset', 'size'],
    partitions.map(({ label, type, subtype, offset, size }) => [
      label,
      hex(type),
      hex(subtype),
      hex(offset),
      hex(size),
    ]),
  );
  output.result({ format: 'partition-table', partitions });
}

function showOtadata({ output }: Session, records: readonly (OtaRecord | undefined)[]): void {
  const slot = otaSlot(records, SLOTS);
  output.event(`otadata: of two slots ota_${slot} boots`, 'plain');
  for (const [sector, record] of records.entries())
    output.line(
      `  sector ${sector}: ${record ? `sequence ${record.sequence}, ${record.state}` : 'no record'}`,
    );
  output.result({ format: 'otadata', slot, records: records.map((record) => record ?? null) });
}
