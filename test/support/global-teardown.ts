// Jest calls this once after the tests under test/cluster.
import { stopShared } from './shared-control-plane.ts';

// biome-ignore lint/style/noDefaultExport: the form Jest calls
export default stopShared;
