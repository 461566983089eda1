// Jest calls this once before the tests under test/cluster, and only if one of them is selected.
import { startShared } from './shared-control-plane.ts';

// biome-ignore lint/style/noDefaultExport: the form Jest calls
export default startShared;
