// Installs the globals by being imported: it must happen before any library is evaluated. The one file here with an effect at import.
import { installGlobals } from './globals.ts';

installGlobals();
