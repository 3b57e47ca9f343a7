let ahead = 0; // milliseconds

/** Return the playground's time, which can be days ahead of this machine's. */
export const now = () => Date.now() + ahead;

export const setAhead = (milliseconds) => (ahead = milliseconds);
