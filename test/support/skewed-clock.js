// Loaded before the operator: its wall clock is an hour ahead, and from each SIGUSR2 on two hours behind where it was. Time that only grows is left alone.
const real = Date.now;
let skew = 3_600_000;
process.on('SIGUSR2', () => {
  skew -= 7_200_000;
});
Date.now = () => real() + skew;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [Date.now()] : args, self),
});
