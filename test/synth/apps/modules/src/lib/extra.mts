export const extra = { extra: 'loaded late' };
