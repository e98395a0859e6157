/** CI reads one plain closing line; this says it from the test runner's own report, and fails when no test ran. */
import { readFileSync } from 'node:fs'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly success: boolean
}

/** The closing line, e.g. `12 passed, 0 failed, 1 skipped`. */
export function closingLine(report: Report): string {
  const skipped = report.numPendingTests + report.numTodoTests
  const line = `${report.numPassedTests} passed, ${report.numFailedTests} failed`
  return skipped === 0 ? line : `${line}, ${skipped} skipped`
}

if (import.meta.main) {
  const report = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Report
  console.log(closingLine(report))
  process.exitCode = report.success && report.numPassedTests > 0 ? 0 : 1
}
