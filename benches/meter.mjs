// The cost of work: wall time, and CPU time of every process that this one started, which is the figure that
// other work on the same machine disturbs least. CPU time is read from /proc, so it is known on Linux only.

import { readFileSync, readdirSync } from 'node:fs';

/// The unit of /proc's times; 100 a second on every Linux that Node.js runs on.
const TICKS_PER_SECOND = 100;

/// The fields that /proc has of each process, from its state on, by its id.
function processes() {
  const all = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // After the name, which is in parentheses and may hold anything.
      all.set(+pid, stat.slice(stat.lastIndexOf(')') + 2).split(' '));
    } catch {
      // The process ended while we looked.
    }
  }
  return all;
}

/// The processes that this one started, and those that they did.
export function descendants(all = processes()) {
  const parent = (pid) => +(all.get(pid)?.[1] ?? 0);
  const isOurs = (pid) => pid !== process.pid && pid > 1 && (parent(pid) === process.pid || isOurs(parent(pid)));
  return [...all.keys()].filter(isOurs);
}

/// CPU seconds that the descendants of this process have used, those included that a living one has waited for; NaN where
/// that is not known.
export function cpuSeconds() {
  try {
    const all = processes();
    // utime, stime, and the same of children that have ended.
    const ticks = (pid) => all.get(pid).slice(11, 15).reduce((sum, field) => sum + +field, 0);
    return descendants(all).reduce((sum, pid) => sum + ticks(pid), 0) / TICKS_PER_SECOND;
  } catch {
    return NaN;
  }
}

/// The middle one of some numbers.
export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/// Does `work` several times; the medians of its seconds.
export async function measure(work, runs) {
  const wall = [];
  const cpu = [];
  for (let i = 0; i < runs; i++) {
    const [start, before] = [performance.now(), cpuSeconds()];
    await work();
    wall.push((performance.now() - start) / 1000);
    cpu.push(cpuSeconds() - before);
  }
  return { wall: median(wall), cpu: median(cpu) };
}
