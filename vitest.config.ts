import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Everything, with the core in V8; of what the smaller cores leave out it has all. */
const V8: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'v8', include: ['test/**/*.test.ts'], exclude: ['test/smaller/*.test.ts'] },
};

/** What tests the core, once more with the small one: all but delegations, keys of other kinds, encryption, unknown times. */
const SMALL: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'small',
    include: [
      'test/{tuf,storage}/*.test.ts',
      'test/install/{boot,eraseahead,faults}.test.ts',
      'test/host/{core,client}.test.ts',
      'test/smaller/{keys,encrypted,payloads,small}.test.ts',
    ],
    exclude: [
      'test/tuf/{agreement,clock,delegated-powercut,delegated-roles,delegations,foreign,keys}.test.ts',
      'test/storage/device-key.test.ts',
    ],
    env: { MOULT_WASM: 'build/moult-small.wasm' },
  },
};

/** The small core with patches: what it does with them. */
const PATCHING: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'patching',
    include: [
      'test/install/{boot,eraseahead,payload,resume}.test.ts',
      'test/tuf/{settled,names}.test.ts',
      'test/smaller/{keys,encrypted,small}.test.ts',
    ],
    env: { MOULT_WASM: 'build/moult-patching.wasm' },
  },
};

/** What the lean core has that the small one has not: all but keys of other kinds than Ed25519's, and encryption. */
const LEAN: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'lean',
    include: [
      'test/tuf/{delegated-roles,releases,signatures}.test.ts',
      'test/install/{components,eraseahead,payload,resume}.test.ts',
      'test/host/client.test.ts',
      'test/uptane/report.test.ts',
      'test/smaller/{keys,encrypted,lean}.test.ts',
    ],
    env: { MOULT_WASM: 'build/moult-lean.wasm' },
  },
};

/** What tests the core. */
const WASM3_TESTS = [
  'test/delta/decoder.test.ts',
  'test/{crypto,tuf,install}/*.test.ts',
  'test/uptane/{manifest,offline,partial,powercut,report,time,verification}.test.ts',
  'test/host/{core,client}.test.ts',
  'test/sim/attacker.test.ts',
];

/** Not in the core: what the crypto folder has besides for others. And megabytes take minutes under an interpreter. */
const NOT_UNDER_WASM3 = [
  'test/tuf/large.test.ts',
  'test/crypto/{alone,chacha20poly1305,cost,ed25519sign,hkdf,p256,p256field,rsa,spki,x25519}.test.ts',
];

function underWasm3(name: string, exclude: string[]): TestProjectInlineConfiguration {
  const env = { MOULT_ENGINE: 'wasm3' };
  return { extends: true, test: { name, include: WASM3_TESTS, exclude, env, testTimeout: 240_000 } };
}

/** Once more on the interpreter of microcontrollers, which takes about five times as long: not each byte of each file. */
const WASM3 = underWasm3('wasm3', [...NOT_UNDER_WASM3, 'test/tuf/{hostile,streams}.test.ts']);

/** All that tests the core: `npm run test:wasm3`. */
const WASM3_ALL = underWasm3('wasm3-all', NOT_UNDER_WASM3);

/** Some of it with the core compiled ahead of time; all of it is `npm run test:aot`. */
const AOT: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'aot',
    include: [
      'test/delta/decoder.test.ts',
      'test/tuf/{clock,signatures,snapshot,targets}.test.ts',
      'test/install/{boot,payload}.test.ts',
      'test/host/client.test.ts',
      'test/sim/attacker.test.ts',
      'test/uptane/{offline,partial,report,verification}.test.ts',
    ],
    env: { MOULT_ENGINE: 'aot' },
  },
};

/** All of it, but for modules that a test makes by hand: those are not compiled. */
const AOT_ALL: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'aot-all',
    include: [...WASM3_TESTS, 'test/storage/*.test.ts'],
    exclude: ['test/host/core.test.ts', 'test/crypto/{alone,cost}.test.ts'],
    env: { MOULT_ENGINE: 'aot' },
    testTimeout: 240_000,
  },
};

/** Names with commas in between: `npm test` names those that are built. */
const engines = (process.env.MOULT_ENGINES ?? 'v8').split(',');

export default defineConfig({
  test: {
    projects: [
      ...(engines.includes('v8') ? [V8, SMALL, PATCHING, LEAN] : []),
      ...(engines.includes('wasm3') ? [WASM3] : []),
      ...(engines.includes('wasm3-all') ? [WASM3_ALL] : []),
      ...(engines.includes('aot') ? [AOT] : []),
      ...(engines.includes('aot-all') ? [AOT_ALL] : []),
    ],
    // Some tests fork processes, compile the core or cut the power thousands of times.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A machine with two cores is what must do.
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', 'json'],
    outputFile: { json: 'build/test-results.json' },
  },
});
