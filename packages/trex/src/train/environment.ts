import { engineInfo } from 'trex-torch'
import { z } from 'zod'

/** Checks env.json; what else it holds of the engine is for people to read. */
export const environmentSchema = z.object({
  node: z.string(),
  platform: z.string(),
  engine: z.object({ version: z.string(), threads: z.number() }),
  libtorch: z.string().optional(),
})

/** What a run's numbers depend on besides its settings, as env.json holds it. */
export type Environment = Readonly<z.infer<typeof environmentSchema>>

/** That of this process. @throws EngineError when there is no engine. */
export function currentEnvironment(): Environment {
  const { record, ...engine } = engineInfo()
  const platform = `${process.platform}-${process.arch}`
  return { node: process.version, platform, engine, libtorch: record?.source }
}

/** In words, what differs between two environments and may change the last digits of a resumed run; empty when nothing. */
export function environmentChanges(before: Environment, now: Environment): string[] {
  const facts: [string, (environment: Environment) => string | number][] = [
    ['platform', ({ platform }) => platform],
    ['libtorch', ({ engine }) => engine.version],
    ['threads', ({ engine }) => engine.threads],
  ]
  return facts.flatMap(([name, of]) =>
    of(before) === of(now) ? [] : [`${name} ${of(before)} -> ${of(now)}`],
  )
}
