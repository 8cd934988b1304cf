#!/usr/bin/env node
// CommonJS, so that this runs before Node starts the thread pool that images are decoded in.
const { availableParallelism } = require('node:os')

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, 2 * availableParallelism()))
import('../dist/cli/main.js')
