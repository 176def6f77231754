// Releases of a component, as they are typed: 'radio>=5', 'radio>=5,<9', 'radio<9'.
import { type Range, RepositoryError } from '../repo/index.ts';

/** For options that may be repeated. */
export function collectRange(option: string): (text: string, earlier: Range[]) => Range[] {
  return (text, earlier) => [...earlier, parseRange(option, text)];
}

function parseRange(option: string, text: string): Range {
  const [, component, from, end, only] =
    /^([^<>=,\s]+)(?:>=(\d{1,10})(?:,<(\d{1,10}))?|<(\d{1,10}))$/.exec(text) ?? [];
  if (component === undefined) {
    // Without quotes a shell takes ">" for a file to write to, and hands over the name alone.
    const taken = `'radio>=5', 'radio>=5,<9' or 'radio<9', in quotes`;
    throw new RepositoryError('bad-argument', `${option} takes ${taken}, not "${text}"`);
  }
  const below = end ?? only;
  return {
    component,
    releaseCounter: Number(from ?? 0),
    ...(below !== undefined && { below: Number(below) }),
  };
}
