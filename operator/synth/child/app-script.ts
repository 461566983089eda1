// The name the app's bundle runs under, known to both sides of the isolate's border.

/** Frames of any other script are the libraries'. */
export const appScript = 'app.js';
