import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      {
        find: 'trex-torch/safetensors-format',
        replacement: source('./packages/torch/src/safetensorsFormat.ts'),
      },
      { find: 'trex-torch/safetensors', replacement: source('./packages/torch/src/safetensors.ts') },
      { find: 'trex-torch', replacement: source('./packages/torch/src/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
