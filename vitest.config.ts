import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts', 'bench/**/*.test.ts'],
    pool: 'forks',
    // WHY: many tests wait for a clock, a child or a disk; one worker more than cores keeps both busy.
    maxWorkers: 3,
    globalSetup: ['test/world/postgres.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 15_000,
  },
})
