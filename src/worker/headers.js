// Headers, as lines of text.

/** An object of headers from lines of "name: value". */
export const headerLines = (lines) =>
  Object.fromEntries(
    lines.map((line) => {
      const end = line.indexOf(": ");
      return [line.slice(0, end), line.slice(end + 2)];
    }),
  );

/** The values of the headers in `names`, which are separated by spaces; null for those that are absent. */
export const headerValues = (headers, names) => names.split(" ").map((name) => headers.get(name));
