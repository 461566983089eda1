// The one door from the isolate to the process around it: strings go out, a string comes back. Nothing here decides what may be asked.

/** Asks the process around the isolate; every argument and the answer are strings. */
export type HostCall = (operation: string, first: string, second: string, third: string) => string;

/** A refusal as the author of the app meets it: an Error with the finding it becomes. */
export interface RefusalDetails {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** The errno name Node would have thrown, e.g. `ENOENT`. */
  readonly errno?: string;
}

let hostCall: HostCall | undefined;

/** Connects the door; once, before the app's code runs. */
export function bindHost(call: HostCall): void {
  hostCall = call;
}

/** The answer of the host. Throws what the host refused, as an error of this realm. */
export function askHost(operation: string, first = '', second = '', third = ''): string {
  if (hostCall === undefined) throw new Error(`${operation} is not available while the libraries are loaded`);
  const answer = hostCall(operation, first, second, third);
  if (answer.startsWith('+')) return answer.slice(1);
  throw refusal(JSON.parse(answer.slice(1)) as RefusalDetails);
}

/** An error that ends up as a finding of its own code instead of `SynthFailed`. */
export function refusal(details: RefusalDetails): Error {
  const error = new Error(details.message);
  Object.assign(error, { setpointFinding: details.code });
  if (details.hint !== undefined) Object.assign(error, { setpointHint: details.hint });
  if (details.errno !== undefined) Object.assign(error, { code: details.errno });
  return error;
}

/** What code gets that asks for something synth does not have. */
export function notHermetic(what: string, hint: string): Error {
  return refusal({ code: 'NotHermetic', message: `${what} is not available during synth`, hint });
}
