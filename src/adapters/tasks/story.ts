/** "As a developer, I need [infrastructure], so that [capability]"; the second comma may be left out, as people do. */
const STORY = /^\s*As an? (?<who>[^,\n]+?),\s*I need (?<what>[^\n]+?),?\s+so that (?<why>[^\n]+?)[.\s]*$/i;
const MAX_STORY = 2000;
const PLACEHOLDER = /[[\]<>{}]|\b(?:TODO|TBD|xxx+)\b|\.\.\.|…/i;

/** What a story lacks of its format, in words; nothing where it has all. What is missing is asked for, never made up. */
export function storyFaults(story: string): string[] {
  const text = story.trim().replace(/^["“]|["”]$/g, '');
  if (text === '') return ['it is empty'];
  if (text.length > MAX_STORY) return [`it has ${text.length} characters; a story has at most ${MAX_STORY}`];
  const parts = STORY.exec(text)?.groups;
  if (!parts)
    return [
      ...(/^\s*As an? [^,\n]+,/i.test(text) ? [] : ['who it is for: begin with "As a developer,"']),
      ...(/\bI need \S/i.test(text) ? [] : ['what is needed: "I need" and the infrastructure']),
      ...(/\bso that \S/i.test(text) ? [] : ['what it makes possible: "so that" and the capability']),
    ].concat(
      /^\s*As an? [^,\n]+,.*\bI need \S.*\bso that \S/is.test(text)
        ? ['the order, on one line: As a …, I need …, so that …']
        : [],
    );
  const { who = '', what = '', why = '' } = parts;
  return [
    ...(/^developers?$/i.test(who.trim()) ? [] : ['a developer as the one who needs it: "As a developer,"']),
    ...named('what is needed', what),
    ...named('what it makes possible', why),
  ];
}

function named(part: string, text: string): string[] {
  if (PLACEHOLDER.test(text)) return [`${part}: a placeholder stands there`];
  return /\p{L}{3,}/u.test(text) ? [] : [`${part}: too little is said`];
}
