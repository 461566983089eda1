// Jest calls this once after the tests under test/cluster.
import { stopShared } from './shared-control-plane.ts';

export default stopShared;
