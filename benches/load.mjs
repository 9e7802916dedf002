// How much of the machine other programs take while something is measured. Known on Linux only.

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { cpuSeconds } from './meter.mjs';

/// The part of all processors that other programs may take while something is timed.
const BUSY = 0.1;

/// CPU seconds of the whole machine: user, nice, system, interrupts, and what a hypervisor gave to others.
function machineSeconds() {
  try {
    const [user, nice, system, , , irq, soft, stolen] = readFileSync('/proc/stat', 'latin1').split(/\s+/).slice(1).map(Number);
    return (user + nice + system + irq + soft + stolen) / 100;
  } catch {
    return NaN;
  }
}

/// CPU seconds of this program and of all that it started.
const ownSeconds = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 + cpuSeconds();

/// Begins to watch; what it returns says how busy others were since: words where they were, else nothing.
export function watchOthers() {
  const [at, machine, own] = [performance.now(), machineSeconds(), ownSeconds()];
  return () => {
    const others = machineSeconds() - machine - (ownSeconds() - own);
    const share = others / (((performance.now() - at) / 1000) * cpus().length);
    return share > BUSY ? `busy: other programs took ${Math.round(share * 100)} % of the machine` : undefined;
  };
}
