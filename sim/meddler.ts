// Somebody on the line between a Primary and one of its Secondaries, who understands its frames: what they withhold,
// change and make up. The checksums of the link stop no one.
import { FetchKind } from '../host/node/abi.ts';
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  LinkKind,
  parseRead,
  type ReadRequest,
} from '../host/node/link.ts';
import type { Meddler } from './car.ts';

/** Longer than any frame of the link. */
const LONGEST = 8192;

export interface Asked {
  /** Undefined: it is not about a file. */
  readonly read: ReadRequest | undefined;
  readonly kind: number;
}

/** What becomes of an answer of the Primary's; undefined: it does not arrive. */
export type ChangeAnswer = (answer: Frame, asked: Asked) => Frame | undefined;

/** Changes what a Secondary hears. */
export function changeAnswers(change: ChangeAnswer): Meddler {
  const [asking, answering] = [new FrameDecoder(LONGEST), new FrameDecoder(LONGEST)];
  let asked: Asked = { read: undefined, kind: 0 };
  return (bytes, from) => {
    if (from === 'secondary') {
      for (const { kind, payload } of asking.push(bytes))
        asked = { kind, read: kind === LinkKind.READ ? parseRead(payload) : undefined };
      return bytes;
    }
    const frames = [...answering.push(bytes)].flatMap((frame) => change(frame, asked) ?? []);
    return frames.length > 0 ? Buffer.concat(frames.map(encodeFrame)) : undefined;
  };
}

/** Bytes of a file that come in an answer, changed. */
export function changeData(change: (data: Uint8Array, read: ReadRequest) => Uint8Array): ChangeAnswer {
  return (frame, { read }) => {
    if (!read || frame.kind !== (LinkKind.READ | LinkKind.ANSWER)) return frame;
    const data = change(frame.payload.subarray(4), read);
    return { ...frame, payload: Buffer.concat([frame.payload.subarray(0, 4), data]) };
  };
}

/** One bit of each image is another one. */
export function changeImages(): ChangeAnswer {
  return changeData((data, { fileKind, offset }) => {
    const isImage = fileKind === FetchKind.TARGET && offset === 0;
    return isImage ? data.map((byte, index) => (index === 7 ? byte ^ 1 : byte)) : data;
  });
}

/** Answers as they were heard before, by what was asked for; others pass. */
export function replay(recorded: ReadonlyMap<string, Frame>): ChangeAnswer {
  return (frame, { read }) => {
    const before = read && recorded.get(keyOf(read));
    return before ? { ...before, sequence: frame.sequence, session: frame.session } : frame;
  };
}

/** Lets all through, and notes what was answered. */
export function record(into: Map<string, Frame>): ChangeAnswer {
  return (frame, { read }) => {
    if (read) into.set(keyOf(read), frame);
    return frame;
  };
}

function keyOf({ fileKind, name, offset }: ReadRequest): string {
  return `${fileKind} ${name} ${offset}`;
}
