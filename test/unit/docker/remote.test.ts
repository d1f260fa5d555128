import { describe, expect, test } from 'vitest';

import { refuseRemoteSources } from '../../../src/adapters/docker/remote.ts';

const refused = (line: number) =>
  expect.objectContaining({ code: 'denied', rule: 'build-context', message: expect.stringContaining(`Line ${line} `) });

describe('C3 an ADD from elsewhere is refused', () => {
  test.each<[what: string, text: string, line: number]>([
    ['http', 'FROM a\nADD http://example.org/x /x', 2],
    ['https with flags', 'ADD --chown=1:1 --checksum=sha256:00 https://example.org/x /x', 1],
    ['among others', 'ADD a https://example.org/x /x/', 1],
    ['in small letters', '  add\thttp://example.org/x /x', 1],
    ['Git by SSH', 'ADD git@example.org:team/app.git /x', 1],
    ['Git by address', 'ADD ssh://git@example.org/app.git#main /x', 1],
    ['quotes inside', 'ADD "ht"tp:\'//example\'.org/x /x', 1],
    ['escapes inside', 'ADD h\\ttp:/\\/example.org/x /x', 1],
    ['a variable', 'ARG FROM_WHERE=http://example.org/x\nADD $FROM_WHERE /x', 2],
    ['a braced variable', 'ADD ${A:-x} /x', 1],
    ['a variable after a name', 'ADD htt$A /x', 1],
    ['a variable after a scheme', 'ADD http:/$A/x /x', 1],
    ['a variable before an empty destination', 'ADD $A ""', 1],
    ['a variable before a destination like a flag', 'ADD b $A --', 1],
    ['a variable before one that only looks like a space', 'ADD b $A \uFEFF', 1],
    ['a variable before an empty destination in JSON', 'ADD ["b", "$A", ""]', 1],
    ['the same without spaces', 'ADD ["$A",""]', 1],
    ['a variable before one of punctuation', 'ADD $A ,', 1],
    ['a second carriage return', 'ADD \\\r\r\nhttp://example.org/x /x', 1],
    ['a second carriage return before it', 'RUN x \\\r\r\nADD http://example.org/x /x', 2],
    ['JSON', 'ADD ["http://example.org/x", "/x"]', 1],
    ['JSON escapes', 'ADD ["\\u0068ttp:\\u002f\\u002fexample.org/x", "/x"]', 1],
    ['a JSON escape of a variable', 'ADD ["\\u0024A", "/x"]', 1],
    ['continued lines', 'FROM a\nADD \\\n  http://example.org/x \\\n  /x', 2],
    ['continued in a word', 'A\\\nDD ht\\\ntp://example.org/x /x', 1],
    ['a comment and an empty line inside', 'ADD \\\n# why\n\nhttp://example.org/x /x', 1],
    ['another escape character', '# escape=`\nADD `\nhttp://example.org/x /x', 2],
    ['ONBUILD', 'ONBUILD ADD http://example.org/x /x', 1],
    ['after a here-document', 'RUN <<EOF\nls\nEOF\nADD http://example.org/x /x', 4],
    ['inside a here-document, to be safe', 'RUN <<EOF\nADD http://example.org/x /x\nEOF', 2],
    ['after one whose end looks like a comment', "RUN <<'#'\nls \\\n#\nADD http://example.org/x /x", 4],
    ['after one whose end looks continued', "RUN <<'E\\'\nls\nE\\\nADD \\\nhttp://example.org/x /x", 4],
    ['Windows line ends and a byte order mark', '\uFEFFADD http://example.org/x /x\r\n', 1],
    ['white space that only the Engine knows', '\u0085ADD http://example.org/x /x', 1],
    ['what only looks like a comment', 'ADD \\\n\uFEFF# http://example.org/x /x', 1],
  ])('%s', (_what, text, line) => {
    expect(() => refuseRemoteSources(text)).toThrow(refused(line));
  });

  test.each<[what: string, text: string]>([
    ['files', 'FROM a\nADD a.tar.gz ["b"] /x/'],
    ['a file whose name has an @', 'ADD node_modules/@scope/a /x'],
    ['a variable below a folder, and in the destination', 'ADD ./$A dist/$A $TO'],
    ['a variable in a flag', 'ADD --chown=$USER a /x\nADD --chown=$USER ["a", "/x"]'],
    ['COPY with a variable', 'COPY $A /x'],
    ['RUN', 'RUN curl http://example.org/x && echo ADD http://example.org/x'],
    ['a comment', '# ADD http://example.org/x /x'],
    ['the end of a RUN', 'RUN echo \\\nADD http://example.org/x'],
    ['nothing', ''],
  ])('not %s', (_what, text) => {
    expect(() => refuseRemoteSources(text)).not.toThrow();
  });
});
