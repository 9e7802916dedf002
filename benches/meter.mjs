// What work costs: wall time, and CPU time of every process that this one started, which is the figure that
// other work on the same machine disturbs least. CPU time is read from /proc, so it is known on Linux only.

import { readFileSync, readdirSync } from 'node:fs';

/// The unit of /proc's times; 100 a second on every Linux that Node.js runs on.
const TICKS_PER_SECOND = 100;

/// CPU seconds that the descendants of this process have used, those included that a living one has waited for; NaN where
/// that is not known.
export function cpuSeconds() {
  const parents = new Map();
  const ticks = new Map();
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        // After the name, which is in parentheses and may hold anything: state, parent, ... utime, stime, and the
        // same of children that have ended.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        parents.set(+pid, +fields[1]);
        ticks.set(+pid, fields.slice(11, 15).reduce((sum, field) => sum + +field, 0));
      } catch {
        // The process ended while we looked.
      }
    }
  } catch {
    return NaN;
  }
  const isOurs = (pid) => pid !== process.pid && pid > 1 && (parents.get(pid) === process.pid || isOurs(parents.get(pid) ?? 0));
  let total = 0;
  for (const [pid, used] of ticks) if (isOurs(pid)) total += used;
  return total / TICKS_PER_SECOND;
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
