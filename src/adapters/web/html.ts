const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

// Every alternative runs to the end of the text where its own end is missing, so that none is tried twice.
const NOT_TEXT =
  /<!--[\s\S]*?(?:-->|$)|<(script|style|template|noscript|svg|title|iframe)\b[\s\S]*?(?:<\/\1\s*>|$)|<(\/?[a-z][\w-]*|[!?/])[^>]*(?:>|$)/gi;

const INLINE = /^\/?(?:a|abbr|b|cite|code|em|i|kbd|mark|small|span|strong|sub|sup|time|u|var)$/i;

/** Title and visible text of a page, roughly: tags away, no styles are looked at. */
export function pageText(html: string): string {
  const title = oneLine(entities(/<title\b[^<>]*>([^<]*)/i.exec(html)?.[1] ?? ''));
  const text = entities(
    html.replace(NOT_TEXT, (_all, _block, tag?: string) => (tag === undefined ? ' ' : INLINE.test(tag) ? '' : '\n')),
  )
    .split('\n')
    .map(oneLine)
    .filter(Boolean)
    .join('\n');
  return [title === '' ? '' : `title: ${title}`, text].filter(Boolean).join('\n');
}

/** With the characters that entities stand for. */
export function entities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi, (all, decimal, hex, name) => {
    if (typeof name === 'string') return ENTITIES[name.toLowerCase()] ?? all;
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0x10_ff_ff ? ' ' : String.fromCodePoint(code);
  });
}

function oneLine(text: string): string {
  return text.split(/\s+/).filter(Boolean).join(' ');
}
