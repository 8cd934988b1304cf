import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { build, createLogger, type Rollup } from 'vite'

/** Where Chromium is; undefined where there is none. */
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
)

/** What Vite made of a page. */
export interface BuiltApp {
  readonly folder: string
  readonly files: readonly (Rollup.OutputChunk | Rollup.OutputAsset)[]
  /** What it warned of. */
  readonly warnings: readonly string[]
  remove(): Promise<void>
}

/** Builds the page in `root` as a user does, into a folder of its own. */
export async function buildApp(root: string): Promise<BuiltApp> {
  const folder = await mkdtemp(join(tmpdir(), 'trex-app-'))
  const warnings: string[] = []
  const customLogger = createLogger('warn')
  customLogger.warn = customLogger.warnOnce = (message) => {
    if (!message.includes('PLUGIN_TIMINGS')) warnings.push(message) // that says how slow this machine was
  }
  const options = { outDir: folder, emptyOutDir: true, chunkSizeWarningLimit: 2000 }
  const made = (await build({ root, customLogger, build: options })) as Rollup.RollupOutput
  const remove = () => rm(folder, { recursive: true, force: true })
  return { folder, files: made.output, warnings, remove }
}

const TYPES: Record<string, string> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css' },
  ...{ '.wasm': 'application/wasm', '.png': 'image/png', '.jpg': 'image/jpeg' },
}

/** Serves a folder, and `more` files by their paths, on a port of this machine. */
export async function serve(
  folder: string,
  more: ReadonlyMap<string, Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ url: string; close(): Promise<void> } & AsyncDisposable> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost')
    const path = pathname === '/' ? '/index.html' : pathname
    const bytes = more.get(path) ?? (await readFile(join(folder, path)).catch(() => null))
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (bytes === null) return void response.writeHead(404).end()
    const type = TYPES[extname(path)] ?? 'application/octet-stream'
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.byteLength }).end(bytes)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const close = async () => {
    server.closeAllConnections()
    server.close()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Starts Chromium without a window. @param flags besides those that every test needs */
export function startChromium(flags: readonly string[] = []) {
  const args = ['--no-sandbox', '--disable-quic', '--disable-background-networking', ...flags]
  return chromium.launch({ executablePath: chromiumPath!, args })
}
