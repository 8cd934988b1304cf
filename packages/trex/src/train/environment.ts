import { createRequire } from 'node:module'
import { cpus, hostname, totalmem } from 'node:os'
import { engineInfo } from 'trex-torch'
import { z } from 'zod'
import { withoutSecrets } from '../data/sources/httpUrl.js'
import { type GitState, gitState } from './gitState.js'
import { type Gpu, gpus } from './gpus.js'

/** Checks env.json; what else it holds is for people to read. */
export const environmentSchema = z.object({
  trex: z.string().optional(),
  node: z.string(),
  platform: z.string(),
  engine: z.object({ version: z.string(), threads: z.number() }),
  libtorch: z.string().optional(),
  cpu: z.object({ model: z.string() }).optional(),
  gpus: z.array(z.object({ name: z.string() })).nullish(),
})

/** What a run's numbers depend on besides its settings, as env.json holds it. */
export type Environment = Readonly<z.infer<typeof environmentSchema>>

/** All that env.json tells of where and how a run was started. */
export interface EnvironmentRecord extends Environment {
  /** The version of this program. */
  readonly trex: string
  /** Of the working directory's repository; null without one. */
  readonly git: GitState | null
  readonly host: string
  readonly cpu: { readonly model: string; readonly cores: number }
  readonly memoryGiB: number
  /** Those of the machine; null when libtorch sees none, or the driver does not say. */
  readonly gpus: Gpu[] | null
  /** The script and its arguments; what is secret in addresses is left out. */
  readonly command: readonly string[]
  readonly started: string
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/** What the numbers of this process depend on. @throws EngineError when there is no engine. */
export function computingEnvironment(): Omit<Environment, 'trex' | 'cpu' | 'gpus'> &
  Pick<EnvironmentRecord, 'trex' | 'cpu' | 'gpus'> {
  const { record, ...engine } = engineInfo()
  const cores = cpus() // empty where the system does not tell
  return {
    trex: version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    engine,
    libtorch: record?.source,
    cpu: { model: cores[0]?.model.trim() ?? 'unknown', cores: cores.length },
    gpus: engine.cuda ? gpus() : null,
  }
}

/** All of this process. @throws EngineError when there is no engine. */
export function currentEnvironment(): EnvironmentRecord {
  const { cpu, gpus, ...computing } = computingEnvironment()
  return {
    ...computing,
    git: gitState(process.cwd()),
    host: hostname(),
    cpu,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    gpus,
    command: process.argv.slice(1).map(withoutSecrets),
    started: new Date().toISOString(),
  }
}

/** In words, what differs between two environments and may change the last digits of a resumed run; empty when nothing. */
export function environmentChanges(before: Environment, now: Environment): string[] {
  const facts: [string, (environment: Environment) => string | number | undefined][] = [
    ['trex', ({ trex }) => trex],
    ['platform', ({ platform }) => platform],
    ['libtorch', ({ engine }) => engine.version],
    ['threads', ({ engine }) => engine.threads],
    ['processor', ({ cpu }) => cpu?.model],
    ['GPU', ({ gpus }) => gpus?.map(({ name }) => name).join(', ')],
  ]
  return facts.flatMap(([name, of]) => {
    const [was, is] = [of(before), of(now)]
    return was === undefined || is === undefined || was === is ? [] : [`${name} ${was} -> ${is}`]
  })
}
