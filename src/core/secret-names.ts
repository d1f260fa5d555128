/** Last words of names under which a value is a secret, whatever stands before them: DB_PASSWORD, authToken, Set-Cookie. */
const SECRET_LAST = new Set(
  'password passwords passwd passphrase passcode secret secrets token tokens credential credentials authorization dsn jwt apikey apikeys accesskey privatekey secretkey cookie cookies bearer authtoken dockercfg dockerconfigjson htpasswd'.split(
    ' ',
  ),
);

/** Last words that make a secret only with a word before them: DB_PASS and NEO4J_AUTH, and neither `pass` nor `auth`. */
const SECRET_AFTER_ANOTHER = new Set('pass pwd auth pat'.split(' '));

/** Words before `key` that make it a secret; of a public, primary or cache key the value may be seen. */
const SECRET_KEYS = new Set(
  'api access private secret signing sign encryption encrypt account auth shared master client deploy ssh session storage license licence rsa tls ssl hmac jwt admin service webhook symmetric stripe sendgrid openai anthropic datadog app aes pgp gpg unseal recovery'.split(
    ' ',
  ),
);

/** Ends of words that were written without a break: PGPASSWORD, requirepass, accesstoken. */
const SECRET_END = /(?:password|passwd|passphrase|requirepass|masterauth|secret|token|apikey|secretkey|privatekey)$/;

/** Two last words that belong together. */
const SECRET_PAIR = /(?:^|_)(?:connection_strings?|secret_key_base|key_data|key_pem|auth_key|pgp_?pass)$/;

/** Names that end like a secret's and hold a name, a count, a place or another name for one. */
const NOT_SECRET =
  /^(?:secrets|tokens|image_pull_secrets|(?:automount_)?service_account_token|(?:old)?_?pwd|.*(?:^|_)(?:max|min|num|total|count|prompt|completion|input|output|cached|reasoning|used|new|context|per|many)_tokens)$/;

/** Any of them in a name makes its value suspicious. */
const HINT =
  /(?<!com|by|sur|tres|en|over|under)pass(?:word|wd|phrase)?(?![a-z])|password|secret|token|credential|api_?key|_key$|^key$|private|auth(?!or)|_pat$|dsn|cookie|jwt/;

/** `dbPassword`, `db-password`, `DB.PASSWORD` → `db_password`. */
function wordsOf(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
}

/**
 * Whether a value under this name (an object's key, a variable, a flag, a header) is a secret: the one table that redaction,
 * the Docker and Kubernetes views and the diagnostics go by. Names of what only leads to one (`PASSWORD_FILE`, `secretName`,
 * `TOKEN_TTL`) are none.
 */
export function isSecretName(name: string): boolean {
  const words = wordsOf(name);
  if (words === '' || NOT_SECRET.test(words)) return false;
  const parts = words.split('_');
  const last = parts.at(-1) ?? '';
  if (SECRET_LAST.has(last) || SECRET_END.test(last) || SECRET_PAIR.test(words)) return true;
  const before = parts.at(-2);
  if (before === undefined) return false;
  return SECRET_AFTER_ANOTHER.has(last) || ((last === 'key' || last === 'keys') && SECRET_KEYS.has(before));
}

/** Whether a name so much as hints at a secret: for places where a value shown by mistake is worse than one hidden. */
export function hintsAtSecret(name: string): boolean {
  return isSecretName(name) || HINT.test(wordsOf(name));
}
