// The clock that leases are measured by: it never goes back, and unlike performance.now() it counts the time a machine was suspended.
import { uptime } from 'node:os';

/** Milliseconds since some instant of this machine. */
export type LeaseClock = () => number;

/** A clock. A suspended virtual machine must not wake up and believe that no time has passed. */
export function createLeaseClock(
  monotonic: LeaseClock = () => performance.now(),
  sinceBoot: LeaseClock = () => uptime() * 1_000,
): LeaseClock {
  let ahead = Number.NEGATIVE_INFINITY;
  return () => {
    const now = monotonic();
    // Only ever further ahead: the coarser of the two clocks can end a lease a moment early, never late.
    ahead = Math.max(ahead, sinceBoot() - now);
    return now + ahead;
  };
}
