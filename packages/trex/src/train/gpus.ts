import { spawnSync } from 'node:child_process'

/** A graphics processor of this machine. */
export interface Gpu {
  readonly name: string
  /** Null where the driver does not tell, as of a GPU that shares the machine's memory. */
  readonly memoryMiB: number | null
}

const PATIENCE_MS = 5000

/** The NVIDIA GPUs of this machine as its driver lists them; null when that cannot be asked. */
export function gpus(): Gpu[] | null {
  const query = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits']
  const { status, stdout } = spawnSync('nvidia-smi', query, {
    ...{ encoding: 'utf8', timeout: PATIENCE_MS, windowsHide: true },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return status === 0 ? parseGpus(stdout) : null
}

/** The lines `name, MiB` that nvidia-smi prints, or `name, [N/A]`; others are left out. */
export function parseGpus(text: string): Gpu[] {
  return text.split('\n').flatMap((line) => {
    const [, name, mebibytes] = /^(.+), *(\d+|\[[^\]]*\])\s*$/.exec(line) ?? []
    return name ? [{ name, memoryMiB: mebibytes!.startsWith('[') ? null : Number(mebibytes) }] : []
  })
}
