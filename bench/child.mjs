/** One side of a benchmark: a child process that computes only when told to. The contract is in docs/benchmarks.md. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/**
 * @typedef {{ torch?: string, threads?: number, [key: string]: unknown }} Hello
 * @typedef {{ seconds: number[], loss?: number | null, peakMiB?: number | null, rssMiB?: number | null,
 *   gpuPeakMiB?: number, live?: number[] }} Answer
 * @typedef {{ hello: Hello, go: (steps: number) => Promise<Answer>, ask: (line: string) => Promise<any>,
 *   quit: () => Promise<void> }} Child
 */

/**
 * Starts a side and waits until it is ready; rejects with the end of its stderr when it dies instead.
 * @param {string} name side, for messages
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Child>}
 */
export async function startChild(name, command, args, env) {
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const stop = () => child.kill('SIGKILL')
  process.once('exit', stop)

  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4000)
  })
  child.stdin.on('error', () => {}) // a dead child is reported by 'close'
  const closed = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  const died = closed.then((how) => {
    process.off('exit', stop)
    throw new Error(`${name}: the child process ended (${how}).\n${stderr.trim()}`)
  })
  died.catch(() => {}) // awaited by race() below while the child is in use

  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async () => {
    const { value, done } = await lines.next()
    if (done) return died
    try {
      return JSON.parse(value)
    } catch {
      throw new Error(`${name}: expected a line of JSON on stdout, got: ${value.slice(0, 200)}`)
    }
  }
  const answer = () => Promise.race([nextLine(), died])

  const ask = (/** @type {string} */ line) => {
    child.stdin.write(`${line}\n`)
    return answer()
  }
  const { ready } = await answer()
  return {
    hello: ready,
    go: (steps) => ask(`go ${steps}`),
    ask,
    quit: async () => {
      child.stdin.end()
      await closed
    },
  }
}
