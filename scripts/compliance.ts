// Writes docs/compliance.md from the requirement ids in the names of tests, `[CERT-I-1, TUF-6]`. A requirement
// without a test is not in the table: what is not shown is not claimed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './abi.ts';

const SOURCES: Readonly<Record<string, string>> = {
  CERT: 'CERT Coordination Center, guidelines for secure software updates',
  CRA: 'Regulation (EU) 2024/2847 (Cyber Resilience Act), Annex I',
  ETSI: 'ETSI EN 303 645 V3.1.3, clause 5.3',
  NIST: 'NIST IR 8259A, software update',
  RFC: 'RFC 9019, RFC 9124',
  SBOM: 'CycloneDX',
  TUF: 'The Update Framework 1.0.34, TUF-on-CI',
  UPT: 'Uptane Standard 2.1.0',
};

const IDS = new RegExp(`\\[((?:${Object.keys(SOURCES).join('|')})-[^\\]]+)\\]`, 'g');

/** The table, by requirement. */
export function compliance(root: string): string {
  const shown = new Map<string, Set<string>>();
  for (const file of testFiles(root)) {
    for (const [, list = ''] of readFileSync(join(root, file), 'utf8').matchAll(IDS))
      for (const id of list.split(/, */)) shown.set(id, (shown.get(id) ?? new Set()).add(file));
  }
  const parts = Object.entries(SOURCES).map(([prefix, source]) => section(prefix, source, shown));
  return `${HEAD}\n${parts.filter((part) => part !== '').join('\n')}`;
}

const HEAD = `# Compliance

Generated from the names of the tests by \`node build/js/scripts/compliance.js\`. A row names the tests that show a
requirement, wholly or in the part that exists so far; what no test shows is not listed.
`;

function section(prefix: string, source: string, shown: ReadonlyMap<string, ReadonlySet<string>>): string {
  const ids = [...shown.keys()].filter((id) => id.startsWith(`${prefix}-`)).sort(byNumber);
  if (ids.length === 0) return '';
  const rows = ids.map((id) => `| ${id} | ${[...(shown.get(id) ?? [])].sort().map(link).join(', ')} |`);
  return `## ${source}\n\n| requirement | shown by |\n|---|---|\n${rows.join('\n')}\n`;
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function link(file: string): string {
  return `[${file.slice('test/'.length)}](../${file})`;
}

function testFiles(root: string): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => `test/${path.replaceAll('\\', '/')}`)
    .sort();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = projectRoot();
  writeFileSync(join(root, 'docs/compliance.md'), compliance(root));
}
