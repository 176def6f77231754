// The last line of a CI run, "N passed, N failed", from what the test runner wrote. A run that counted nothing, or
// failed before its tests, is a failure.
import { readFileSync } from 'node:fs';

const status = Number(process.argv[2] ?? 1);

function counted() {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync('build/test-results.json', 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

const { passed, failed } = counted();
const broken = failed === 0 && (status !== 0 || passed === 0) ? 1 : 0;
console.log(`${passed} passed, ${failed + broken} failed`);
process.exitCode = failed + broken > 0 ? 1 : 0;
