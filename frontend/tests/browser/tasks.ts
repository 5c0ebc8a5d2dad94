/** How long a page's own tasks take, from a trace: wall time, and how much of it they had the processor. */
import type { Page } from '@playwright/test';

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Wall time and processor time, in microseconds; of complete events alone. */
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

export interface Task {
  wall: number;
  processor: number;
}

/** Every task of the page's main thread while `work` goes on, in milliseconds. */
export async function traceTasks<Result>(
  page: Page,
  work: () => Promise<Result>
): Promise<{ result: Result; tasks: Task[] }> {
  const browser = page.context().browser();
  if (!browser) throw new Error('Only a browser of our own can be traced.');
  await browser.startTracing(page, { categories: ['toplevel'] });
  const result = await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${String(pid)}/${String(tid)}`)
  );
  const tasks = traceEvents
    .filter(({ name, ph }) => name === 'ThreadControllerImpl::RunTask' && ph === 'X')
    .filter(({ pid, tid }) => mains.has(`${String(pid)}/${String(tid)}`))
    .map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, processor: tdur / 1000 }));
  return { result, tasks };
}

/**
 * How long a task was, for a limit in wall time.
 *
 * One that had the processor for less than half of its time was held up by other programs, which a test cannot
 * forbid: of it the processor time counts.
 */
export function lengthOf({ wall, processor }: Task): number {
  return processor < wall / 2 ? processor : wall;
}
