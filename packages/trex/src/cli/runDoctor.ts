import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, totalmem } from 'node:os'
import { EngineError, type EngineInfo, engineInfo, engineRecord } from 'trex-torch'
import { resolveAuto } from '../train/precision.js'

/** What `trex doctor --json` prints. */
export interface Diagnosis {
  ok: boolean
  node: string
  platform: string
  cores: number
  memoryGiB: number
  libtorch: { version: string; source: string; root: string } | null
  devices: string[]
  threads: number | null
  bf16: boolean | null
  amx: boolean | null
  precision: string | null
  /** The version of onnxruntime-node. */
  onnxruntime: string | null
  missing: { what: string; remedy: string }[]
}

const EXPLANATIONS: Record<string, string> = {
  LIBTORCH: 'the LIBTORCH variable',
  python: "Python's torch",
  system: 'the system',
  homebrew: 'Homebrew',
  archive: 'the official archive',
}

/** Prints the diagnosis; the exit code is 1 when the engine is missing. */
export function runDoctor({ json }: { json?: boolean }): void {
  const diagnosis = diagnose()
  console.log(json ? JSON.stringify(diagnosis, null, 2) : describe(diagnosis))
  if (!diagnosis.ok) process.exitCode = 1
}

function diagnose(): Diagnosis {
  const missing: Diagnosis['missing'] = []
  let info: (EngineInfo & { threads: number }) | null = null
  try {
    info = engineInfo()
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    missing.push({ what: 'libtorch', remedy: error.message })
  }
  const onnxruntime = onnxruntimeVersion()
  if (onnxruntime === null)
    missing.push({ what: 'ONNX Runtime', remedy: 'loadEncoder runs on it: npm install onnxruntime-node' })
  const record = recordOrNull()
  if (info && usesReferenceBlas())
    missing.push({
      what: 'a fast BLAS',
      remedy: 'matrix products are tens of times slower without: apt-get install libopenblas0-openmp',
    })
  if (info && !info.cuda)
    missing.push({
      what: 'CUDA',
      remedy: 'only with an NVIDIA GPU: install PyTorch with CUDA and set PYTHON to that python',
    })
  if (info && !info.bf16 && !info.cuda)
    missing.push({
      what: 'bf16 instructions',
      remedy: 'this processor has neither AVX512-BF16 nor AMX, so training is in fp32 by default',
    })
  return {
    ok: info !== null,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    libtorch: record && { version: record.version, source: record.source, root: record.root },
    devices: info ? ['cpu', ...Array.from({ length: info.cudaDevices }, (_, i) => `cuda:${i}`)] : [],
    threads: info?.threads ?? null,
    bf16: info?.bf16 ?? null,
    amx: info?.amx ?? null,
    precision: info && resolveAuto({ device: 'auto', precision: 'auto' }).precision,
    onnxruntime,
    missing,
  }
}

/** Whether the process has loaded Debian's reference BLAS (Linux only: elsewhere there is no such list to read). */
function usesReferenceBlas(): boolean {
  try {
    return /\/blas\/libblas\.so/.test(readFileSync('/proc/self/maps', 'utf8'))
  } catch {
    return false
  }
}

function onnxruntimeVersion(): string | null {
  try {
    return (createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }).version
  } catch {
    return null
  }
}

function recordOrNull() {
  try {
    return engineRecord()
  } catch {
    return null
  }
}

function describe(d: Diagnosis): string {
  const rows: [string, string][] = [
    ['node', `${d.node} (${d.platform})`],
    ['machine', `${d.cores} cores, ${d.memoryGiB} GiB`],
    [
      'libtorch',
      d.libtorch
        ? `${d.libtorch.version}, from ${EXPLANATIONS[d.libtorch.source] ?? d.libtorch.source} (${d.libtorch.root})`
        : 'not set up',
    ],
  ]
  if (d.ok)
    rows.push(
      ['devices', d.devices.join(', ')],
      ['threads', String(d.threads)],
      ['bf16', d.bf16 ? `instructions present${d.amx ? ', AMX' : ', no AMX'}` : 'no instructions'],
      ['precision', `${d.precision} by default`],
    )
  rows.push([
    'onnx',
    d.onnxruntime
      ? `onnxruntime-node ${d.onnxruntime}, which embeds images without libtorch`
      : 'not installed',
  ])
  for (const { what, remedy } of d.missing)
    rows.push(what === 'libtorch' ? ['missing', remedy] : ['not here', `${what}: ${remedy}`])
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')
}
