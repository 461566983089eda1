// Many requests at once, but never more than a limit. Nothing here knows what a request is.

/**
 * Runs `work` for each item, at most `limit` at a time, in order of the items. No further item is started once `mayStart` says no.
 * Guarantees: when it returns or throws, nothing is running any more. Throws what the first failing `work` threw.
 */
export async function inFlight<Item>(
  items: readonly Item[],
  limit: number,
  mayStart: () => boolean,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    while (!hasFailed && mayStart()) {
      const next = queue.next();
      if (next.done === true) return;
      try {
        await work(next.value);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  const failed = lanes.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
