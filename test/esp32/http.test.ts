// HTTP as it is on the way to an ESP32: ranges, versions, lengths, redirects, connections that end. What comes is for the
// core to judge; what is tested is that it hears what happened, and that no server holds the device up for ever.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { IDF6, withEsp32 } from '../fixtures/esp32.ts';
import { type ChipEnd, ChipWorld, type Conduct, release } from './world.ts';

const NEXT = release(2);
const LENGTH = NEXT.image.length;
/** Bytes of the image that arrive before a connection breaks. */
const PART = 1500;

type Answer = (response: ServerResponse, file: Uint8Array, request: IncomingMessage) => void;

/** A device whose image is answered so, one answer after another; then as it should be. */
async function updated(
  ...answers: readonly Answer[]
): Promise<Pick<ChipEnd, 'status'> & { images: string[]; world: ChipWorld }> {
  const world = new ChipWorld({ program: IDF6 });
  world.repository.publish(NEXT);
  const left = [...answers];
  world.conduct = (request, response, file) => {
    const answer = isImage(request) ? left.shift() : undefined;
    answer?.(response, file, request);
    return answer !== undefined;
  };
  const { status } = await world.run();
  const images = world.requests.filter((path) => path.startsWith('targets/'));
  return { status, images: images.map((path) => path.split(' ')[1] ?? '0'), world };
}

function isImage({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/targets/');
}

function breaksAfter(bytes: number, headers: Record<string, string> = {}): Answer {
  return (response, file) => {
    response.writeHead(200, { 'content-length': file.length, ...headers });
    response.write(file.subarray(0, bytes), () => response.destroy());
  };
}

function whole(headers: Record<string, string | number> = {}): Answer {
  return (response, file) => {
    response.writeHead(200, { 'content-length': file.length, ...headers }).end(file);
  };
}

function part(from: number, headers: Record<string, string> = {}): Answer {
  return (response, file) => {
    const range = `bytes ${from}-${file.length - 1}/${file.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': file.length - from, ...headers });
    response.end(file.subarray(from));
  };
}

function says(status: number, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-length': '5', ...headers }).end('sorry');
  };
}

const toItself: Answer = (response, file, request) =>
  says(302, { location: request.url ?? '' })(response, file, request);

/** To the same server by another name: to follow would bring the image. */
function toElsewhere(scheme: string): Answer {
  return (response, file, request) => {
    const location = `${scheme}//localhost:${request.socket.localPort}${request.url}`;
    if (request.headers.host?.startsWith('localhost')) whole()(response, file, request);
    else says(302, { location })(response, file, request);
  };
}

/** One answer that the device is to refuse, for as long as it asks. */
function refused(answer: Answer) {
  return updated(...Array.from({ length: 20 }, () => answer));
}

describe('a connection that breaks', () => {
  withEsp32('is gone on with from the next byte', async () => {
    const { status, images } = await updated(breaksAfter(PART));
    expect({ status, images }).toEqual({ status: Status.UP_TO_DATE, images: ['0', String(PART)] });
  });

  withEsp32('may be gone on with from the start, by a server that knows no ranges', async () => {
    const { status, images } = await updated(breaksAfter(PART), whole());
    expect({ status, images }).toEqual({ status: Status.UP_TO_DATE, images: ['0', String(PART)] });
  });

  withEsp32(
    'is gone on with in the same version only: another one is asked for whole, and compared',
    async () => {
      const asked: (string | undefined)[] = [];
      const other: Answer = (response, file, request) => {
        asked.push(request.headers['if-range'] as string | undefined);
        part(PART, { etag: '"b"' })(response, file, request);
      };
      const { status, images } = await updated(breaksAfter(PART, { etag: '"a"' }), other);
      expect({ status, images }).toEqual({ status: Status.UP_TO_DATE, images: ['0', String(PART), '0'] });
      expect(asked).toEqual(['"a"']);
    },
  );

  for (const [what, answer] of [
    ['a part that was not asked for', part(PART + 8)],
    ['a part that does not say which', part(PART, { 'content-range': 'bytes */3000' })],
    [
      'a part of another length than it says',
      part(PART, { 'content-range': `bytes ${PART}-${LENGTH}/${LENGTH + 1}` }),
    ],
    ['no such range', says(416)],
  ] as const)
    withEsp32(`is gone on with whole after ${what}`, async () => {
      const { status, images } = await updated(breaksAfter(PART), answer);
      expect({ status, images }).toEqual({ status: Status.UP_TO_DATE, images: ['0', String(PART), '0'] });
    });

  withEsp32('between two files is made anew', async () => {
    const world = new ChipWorld({ program: IDF6 });
    world.repository.publish(NEXT);
    world.conduct = ({ socket }, response) => {
      // the server has kept it, and ends it all the same
      response.once('finish', () => setImmediate(() => socket.destroy()));
      return false;
    };
    expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE, boots: ['ota_0', 'ota_1'] });
  });

  withEsp32('is used for all files of a check while it lasts', async () => {
    const world = new ChipWorld({ program: IDF6 });
    const sockets = new Set<unknown>();
    world.conduct = (request) => {
      sockets.add(request.socket);
      return false;
    };
    expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE });
    expect([sockets.size, world.requests.length]).toEqual([1, 4]);
  });
});

describe('[CERT-C-6] what a server does is told as what it is', () => {
  for (const [what, answer, expected] of [
    ['a length above the signed one', whole({ 'content-length': LENGTH + 1 }), Status.TOO_LONG],
    ['a length below the signed one', whole({ 'content-length': LENGTH - 8 }), Status.TRUNCATED],
    ['status 400', says(400), Status.NOT_FOUND],
    ['status 403', says(403), Status.NOT_FOUND],
    ['status 404', says(404), Status.NOT_FOUND],
    ['status 500', says(500), Status.NETWORK],
    ['bytes that are compressed', whole({ 'content-encoding': 'gzip' }), Status.NETWORK],
    ['a redirect to another origin', toElsewhere('http:'), Status.NETWORK],
    ['a redirect to another origin by its path', toElsewhere(''), Status.NETWORK],
    ['a redirect to itself', toItself, Status.NETWORK],
    ['a redirect to nowhere', says(302), Status.NETWORK],
  ] as const)
    withEsp32(`${what}: ${expected}`, async () => {
      const { status, world } = await refused(answer);
      expect(status).toBe(expected);
      expect(world.read('ota_1').every((byte) => byte === 0xff)).toBe(true);
    });

  withEsp32('a redirect within the origin is followed', async () => {
    for (const location of ['/moved', undefined]) {
      const world = new ChipWorld({ program: IDF6 });
      world.repository.publish(NEXT);
      const there = location ?? `${await world.url()}/moved`;
      world.conduct = (request, response) => {
        if (isImage(request)) response.writeHead(307, { location: there, 'content-length': 0 }).end();
        return isImage(request);
      };
      world.repository.files.set('moved', NEXT.image);
      expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE, boots: ['ota_0', 'ota_1'] });
    }
  });

  withEsp32('chunks of a file without a length are taken', async () => {
    const { status } = await updated((response, file) => {
      response.write(file.subarray(0, PART));
      response.end(file.subarray(PART));
    });
    expect(status).toBe(Status.UP_TO_DATE);
  });

  withEsp32('a file without an end is cut off at its signed length', async () => {
    let sent = 0;
    const endless: Answer = (response, file) => {
      response.write(file);
      const more = () => {
        sent += 1000;
        if (!response.destroyed && sent < 10_000_000) response.write(Buffer.alloc(1000), more);
      };
      more();
    };
    const { status } = await updated(endless);
    expect(status).not.toBe(Status.UP_TO_DATE);
    expect(sent).toBeLessThan(10_000_000);
  });

  /** As the timer of the chip runs, half a minute is a second and a half. */
  const HURRY = ['--hurry', '20'];

  withEsp32('silence ends the transfer after half a minute', async () => {
    const begun = performance.now();
    const { status } = await refusedInAHurry((response, file) => {
      response.writeHead(200, { 'content-length': file.length });
      response.write(file.subarray(0, PART));
    });
    expect(status).toBe(Status.NETWORK);
    expect(performance.now() - begun).toBeGreaterThan(30_000 / 20);
  });

  withEsp32('[slow retrieval] so does a server that drips bytes, of an image and of metadata', async () => {
    for (const wanted of ['/targets/', '/metadata/']) {
      let sent = 0;
      const drip: Answer = (response, file) => {
        response.writeHead(200, { 'content-length': file.length });
        const timer = setInterval(() => response.write(file.subarray(sent, ++sent)), 50);
        response.once('close', () => clearInterval(timer));
      };
      const { status, world } = await refusedInAHurry(drip, wanted);
      expect(status).toBe(Status.NETWORK);
      expect(sent).toBeGreaterThan(10);
      expect(sent).toBeLessThan(200);
      expect(
        world
          .read('ota_1')
          .subarray(sent)
          .every((byte) => byte === 0xff),
      ).toBe(true);
    }
  });

  /** A device whose timer hurries, and a server that answers so to the first of these requests, then not at all. */
  async function refusedInAHurry(answer: Answer, wanted = '/targets/') {
    const world = new ChipWorld({ program: IDF6 });
    world.repository.publish(NEXT);
    let asked = 0;
    world.conduct = (request, response, file) => {
      const isWanted = (request.url ?? '').startsWith(wanted);
      if (isWanted && asked++ === 0) answer(response, file, request);
      else if (isWanted) says(500)(response, file, request);
      return isWanted;
    };
    return { ...(await world.run(...HURRY)), world };
  }
});

withEsp32('names reach the server as they are, whatever is in them', async () => {
  const world = new ChipWorld({ program: IDF6 });
  const seen: string[] = [];
  const conduct: Conduct = (request) => {
    seen.push(request.url ?? '');
    return false;
  };
  world.conduct = conduct;
  world.repository.publish({ ...NEXT, version: '1.2.0+für alle%?#' });
  expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE });
  expect(seen.filter((url) => /[ ?#ü]/.test(url))).toEqual([]);
});
