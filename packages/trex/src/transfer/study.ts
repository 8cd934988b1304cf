import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { TrexError } from '../errors.js'
import type { Observation, SearchSpace } from './tpe.js'

/** A finished trial with what else is known of it. */
export interface Trial extends Observation {
  readonly attributes: Readonly<Record<string, number>>
}

/** The trials of one search, in memory or in a file. */
export interface Study {
  readonly trials: readonly Trial[]
  add(trial: Trial): void
}

/** What a study is about. */
export interface StudyOptions {
  readonly name: string
  readonly space: SearchSpace
  /** All that decides the trials: a file made with other settings is refused. */
  readonly settings: Readonly<Record<string, unknown>>
}

// The operations of Optuna's JournalStorage (optuna/storages/journal/_storage.py).
const CREATE_STUDY = 0
const SET_STUDY_USER_ATTR = 2
const CREATE_TRIAL = 4
const SET_TRIAL_PARAM = 5
const SET_TRIAL_STATE_VALUES = 6
const SET_TRIAL_USER_ATTR = 8
const MAXIMIZE = 2
const [COMPLETE, FAIL] = [1, 3]
const worker = { worker_id: 'trex' }

/** A study that is not kept. */
export function memoryStudy(): Study {
  const trials: Trial[] = []
  return { trials, add: (trial) => trials.push(trial) }
}

/**
 * Opens or starts the study in the file at `path`, an Optuna journal (JSON lines) that optuna-dashboard and Optuna's
 * JournalStorage open. A trial is on the disk when `add` returns; a trial cut off by a kill is removed when the file is
 * opened again.
 * @throws TrexError for a file that is no such study, or one of other settings.
 */
export function fileStudy(path: string, options: StudyOptions): Study {
  const trials: Trial[] = []
  if (existsSync(path)) {
    const { length, found } = readJournal(path, options)
    trials.push(...found)
    truncateSync(path, length)
  }
  if (!existsSync(path) || readFileSync(path).length === 0) append(path, header(options))
  return {
    trials,
    add: (trial) => {
      append(path, linesOf(trial, trials.length, options.space))
      trials.push(trial)
    },
  }
}

const header = ({ name, settings }: StudyOptions) => [
  { op_code: CREATE_STUDY, ...worker, study_name: name, directions: [MAXIMIZE] },
  { op_code: SET_STUDY_USER_ATTR, ...worker, study_id: 0, user_attr: { settings } },
]

function linesOf({ parameters, value, attributes }: Trial, trial_id: number, space: SearchSpace): object[] {
  const now = new Date().toISOString().replace('Z', '+00:00')
  const parameter = ([param_name, param_value_internal]: [string, number]) => {
    const [low, high] = space[param_name]!
    const distribution = { name: 'FloatDistribution', attributes: { step: null, low, high, log: true } }
    const values = { trial_id, param_name, param_value_internal, distribution: JSON.stringify(distribution) }
    return { op_code: SET_TRIAL_PARAM, ...worker, ...values }
  }
  const attribute = ([key, number]: [string, number]) => ({
    ...{ op_code: SET_TRIAL_USER_ATTR, ...worker, trial_id },
    user_attr: { [key]: number },
  })
  const state = value === null ? FAIL : COMPLETE
  const values = value === null ? null : [value]
  return [
    { op_code: CREATE_TRIAL, ...worker, study_id: 0, datetime_start: now },
    ...Object.entries(parameters).map(parameter),
    ...Object.entries(attributes).map(attribute),
    { op_code: SET_TRIAL_STATE_VALUES, ...worker, trial_id, state, values, datetime_complete: now },
  ]
}

/** The finished trials of a journal, and its length in bytes up to the last of them. */
function readJournal(path: string, { settings }: StudyOptions): { length: number; found: Trial[] } {
  const bytes = readFileSync(path)
  const found: Trial[] = []
  let [length, at] = [0, 0]
  let open = emptyTrial()
  for (let end = bytes.indexOf(10); end !== -1; at = end + 1, end = bytes.indexOf(10, at)) {
    const line = parse(bytes.toString('utf8', at, end), path)
    if (line.op_code === SET_STUDY_USER_ATTR) {
      if (JSON.stringify(line.user_attr?.settings) !== JSON.stringify(settings))
        throw new TrexError(`${path} is a search with other settings or of other features`, {
          hint: 'delete it, or search with what it was started with',
        })
      length = end + 1
    } else if (line.op_code === CREATE_TRIAL) open = emptyTrial()
    else if (line.op_code === SET_TRIAL_PARAM) open.parameters[line.param_name!] = line.param_value_internal!
    else if (line.op_code === SET_TRIAL_USER_ATTR) Object.assign(open.attributes, line.user_attr)
    else if (line.op_code === SET_TRIAL_STATE_VALUES) {
      const { parameters, attributes } = open
      found.push({ parameters, value: line.values?.[0] ?? null, attributes })
      length = end + 1
    }
  }
  return { length, found }
}

const emptyTrial = () => ({
  parameters: {} as Record<string, number>,
  attributes: {} as Record<string, number>,
})

interface Line {
  op_code: number
  param_name?: string
  param_value_internal?: number
  user_attr?: { settings?: unknown }
  values?: number[] | null
}

function parse(text: string, path: string): Line {
  try {
    const line = JSON.parse(text)
    if (typeof line?.op_code === 'number') return line
  } catch {}
  throw new TrexError(`${path} is not a search of trex: a line reads ${JSON.stringify(text.slice(0, 60))}`, {
    hint: 'delete it to search anew',
  })
}

function append(path: string, lines: readonly object[]): void {
  try {
    const file = openSync(path, 'a')
    try {
      writeSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    throw new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
      hint: 'free some space or choose another folder, then run the same command again: the search goes on',
      cause,
    })
  }
}
